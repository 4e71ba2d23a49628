"""The ladder made true: what callers of WebRTC are offered, and the port that is open for them."""

import errno
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from ultraandchat.config import ConfigError
from ultraandchat.server.ladder import Ladder, TcpListening, joined
from ultraandchat.transport.ice_tcp.listener import IceTcp
from ultraandchat.transport.reach import Reach
from ultraandchat.transport.relay import Relay, reached_without_udp
from ultraandchat.transport.webrtc_config import WebRtcConfig


def reach(ladder: Ladder, webrtc: WebRtcConfig) -> Reach:
    """The rungs of WebRTC, to be offered to callers."""
    tcp = ladder.tcp
    return Reach(
        udp=ladder.udp.there,
        tcp=None if tcp is None else IceTcp(tcp.host, tcp.port, tcp.announce),
        relay=(lambda: relay(webrtc)) if ladder.relays_us else None,
    )


def relay(webrtc: WebRtcConfig) -> Relay:
    """For one caller: an account may be good for a while only."""
    return Relay(reached_without_udp(webrtc.turn), webrtc.relay_account(datetime.now(UTC)))


@asynccontextmanager
async def listening(reach: Reach, ladder: Ladder) -> AsyncGenerator[str | None, None]:
    """Where there is ICE-TCP its port is open meanwhile; what callers dial. `ConfigError` if it cannot be."""
    listener, tcp = reach.tcp, ladder.tcp
    if listener is None or tcp is None:
        yield None
        return
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(listener)
        except OSError as error:
            raise _cannot_listen(tcp, error) from None
        yield joined(*listener.announced)


def _cannot_listen(tcp: TcpListening, error: OSError) -> ConfigError:
    if error.errno == errno.EADDRINUSE:
        why = f"{tcp.port} on {tcp.host} is in use by another program; choose another"
        return ConfigError(f"webrtc.tcp_port: {why}, or 0 for any that is free")
    where = f"{tcp.host}:{tcp.port}"
    return ConfigError(
        f"webrtc.tcp: cannot listen on {where}: {error.strerror}; --set webrtc.tcp=off does without"
    )
