"""What callers of WebRTC are offered, by the ladder."""

import socket

import pytest

from ultraandchat.config import Config, ConfigError
from ultraandchat.pod import Pod
from ultraandchat.server.ladder import Ladder
from ultraandchat.server.reaching import listening, reach
from ultraandchat.transport.reach import Reach


def made(*settings: str) -> tuple[Reach, Ladder]:
    config = Config.load(environ={}, overrides=settings)
    ladder = Ladder.of(Pod.local(), config)
    return reach(ladder, config.webrtc), ladder


def test_what_the_ladder_has_is_offered() -> None:
    everything, _ = made()
    assert everything.udp
    assert everything.tcp is not None
    assert everything.relay is None
    nothing, _ = made("webrtc.udp=off", "webrtc.tcp=off")
    assert (nothing.udp, nothing.tcp, nothing.relay) == (False, None, None)


def test_without_udp_each_caller_gets_a_relay_of_its_own() -> None:
    turn = ("webrtc.turn=turn:a.example,turns:b.example", "webrtc.turn_secret=north")
    offered, _ = made("webrtc.udp=off", *turn)
    assert offered.relay is not None
    server, account = offered.relay()
    assert (server.host, server.tls) == ("b.example", True)
    assert int(account.username) > 0


async def test_the_port_is_open_meanwhile_and_callers_are_told_where() -> None:
    async with listening(*made()) as dialled:
        assert dialled is not None
        host, _, port = dialled.rpartition(":")
        socket.create_connection((host, int(port)), timeout=5).close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, int(port)), timeout=5)


async def test_without_ice_tcp_nothing_listens() -> None:
    async with listening(*made("webrtc.tcp=off")) as dialled:
        assert dialled is None


async def test_a_port_in_use_is_one_readable_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"webrtc\.tcp_port: {port} .* in use"):
            async with listening(*made(f"webrtc.tcp_port={port}")):
                pass
