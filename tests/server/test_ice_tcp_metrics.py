"""The port of ICE-TCP in `/metrics`."""

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from tests.support.serving import eventually
from tests.transport.ice_tcp.strangers import PASSWORD, UFRAG, Taken, bound, dialled
from ultraandchat.server.ice_tcp_metrics import IceTcpMetrics
from ultraandchat.transport.ice_tcp.listener import IceTcp


async def test_callers_and_strangers_are_counted_apart() -> None:
    registry = CollectorRegistry()
    async with IceTcp("127.0.0.1") as listener:
        registry.register(IceTcpMetrics(listener))
        peer = listener.register(UFRAG, PASSWORD, Taken())
        async with (
            bound(listener) as line,
            dialled(listener.announced) as stranger,
            dialled(listener.announced),
        ):
            stranger.sends(b"GET / HTTP/1.1\r\n")
            await stranger.until_closed()
            await eventually(lambda: listener.pending == 1)
            peer.send_media(b"\x80", ("192.0.2.1", 1))
            assert line.address
            lines = generate_latest(registry).decode().splitlines()
    told = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert told == {
        'ultraandchat_ice_tcp_connections_total{what="accepted"}': "3.0",
        'ultraandchat_ice_tcp_connections_total{what="bound"}': "1.0",
        'ultraandchat_ice_tcp_connections_total{what="redialled"}': "0.0",
        'ultraandchat_ice_tcp_refused_total{reason="too long"}': "1.0",
        "ultraandchat_ice_tcp_media_dropped_total": "1.0",
        "ultraandchat_ice_tcp_bound": "1.0",
        "ultraandchat_ice_tcp_pending": "1.0",
    }
