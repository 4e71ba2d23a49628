"""Addresses of STUN and TURN servers: what browsers take, and what would make them throw."""

import pytest

from ultraandchat.config import Config, ConfigError
from ultraandchat.transport.ice_server import IceServer, ice_server


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("stun:a.example", IceServer("stun", "a.example", 3478, "udp")),
        ("stun:a.example:19302", IceServer("stun", "a.example", 19_302, "udp")),
        ("stuns:a.example", IceServer("stuns", "a.example", 5349, "tcp")),
        ("turn:198.51.100.1", IceServer("turn", "198.51.100.1", 3478, "udp")),
        ("turn:a.example:80?transport=tcp", IceServer("turn", "a.example", 80, "tcp")),
        ("turns:a.example:443?transport=tcp", IceServer("turns", "a.example", 443, "tcp")),
        ("turn:[2001:db8::7]:3479", IceServer("turn", "2001:db8::7", 3479, "udp")),
    ],
)
def test_an_address_in_its_parts(url: str, server: IceServer) -> None:
    assert ice_server(url) == server
    assert server.tls == url.startswith(("stuns:", "turns:"))


@pytest.mark.parametrize(
    "url",
    [
        "stun:",
        "turn:a.example:0",
        "turn:a.example:99999",
        "turn:a.example:x",
        "turn:user@a.example",
        "turn://a.example",
        "turn:a.example?transport=sctp",
        "turn:a b",
        "turn:2001:db8::7",
        "stun:a.example?transport=udp",
    ],
)
def test_what_a_browser_would_not_take_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"stun|turn"):
        ice_server(url)
    kind = "stun" if url.startswith("stun") else "turn"
    with pytest.raises(ConfigError, match=rf"webrtc\.{kind}: "):
        Config.load(environ={}, overrides=[f"webrtc.{kind}={url}", "webrtc.turn_secret=x"])
