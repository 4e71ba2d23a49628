"""Settings of WebRTC that no browser could use are refused in one line."""

import pytest

from ultraandchat.config import Config, ConfigError
from ultraandchat.transport.webrtc_config import WebRtcConfig


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", None),
        ("198.51.100.1:31877", ("198.51.100.1", 31_877)),
        ("10.0.0.4:443", ("10.0.0.4", 443)),
        ("[2001:db8::7]:8189", ("2001:db8::7", 8189)),
    ],
)
def test_what_callers_are_told_to_dial_is_an_address_and_a_port(
    text: str, parts: tuple[str, int] | None
) -> None:
    assert WebRtcConfig(tcp_announce=text).announced() == parts


@pytest.mark.parametrize(
    "text",
    [
        "198.51.100.1",
        ":8189",
        "pod.example:8189",
        "2001:db8::7:8189",
        "[198.51.100.1]:8189",
        "[2001:db8::7:8189",
        "198.51.100.1:",
        "198.51.100.1:0",
        "198.51.100.1:22",
        "198.51.100.1:65536",
        "198.51.100.1:٨١٨٩",
    ],
)
def test_what_nobody_can_dial_is_refused_with_the_name_of_the_setting(text: str) -> None:
    with pytest.raises(ConfigError, match=r"webrtc\.tcp_announce"):
        Config.load(environ={}, overrides=[f"webrtc.tcp_announce={text}"])


@pytest.mark.parametrize("port", [-1, 65_536, 69_999, 80_000])
def test_a_port_is_a_real_one_or_of_the_symmetrical_form(port: int) -> None:
    with pytest.raises(ConfigError, match=r"webrtc\.tcp_port"):
        Config.load(environ={}, overrides=[f"webrtc.tcp_port={port}"])
