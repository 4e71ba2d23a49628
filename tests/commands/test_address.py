"""The address of a server, however it is written, and its token, which no message shows."""

import pytest
from aiohttp import Fingerprint

from ultraandchat.commands.address import ServerAddress
from ultraandchat.config import ConfigError


@pytest.mark.parametrize(
    ("text", "http", "ws", "token"),
    [
        ("http://localhost:7860", "http://localhost:7860", "ws://localhost:7860/ws", ""),
        ("ws://localhost:7860/ws", "http://localhost:7860", "ws://localhost:7860/ws", ""),
        (" https://a.example/#token=K3 ", "https://a.example", "wss://a.example/ws", "K3"),
        (
            "wss://a.example/talk/ws#token=K-3_",
            "https://a.example/talk",
            "wss://a.example/talk/ws",
            "K-3_",
        ),
        ("http://a/#x=1&token=a+b/%2B", "http://a", "ws://a/ws", "a+b/+"),
        ("http://[::1]:7860/", "http://[::1]:7860", "ws://[::1]:7860/ws", ""),
    ],
)
def test_an_address_in_its_parts(text: str, http: str, ws: str, token: str) -> None:
    address = ServerAddress.read(text)
    assert (address.http, address.ws, address.token) == (http, ws, token)


def test_the_token_is_shown_to_the_server_as_a_bearer() -> None:
    assert ServerAddress("http://a", "K3").headers == {"Authorization": "Bearer K3"}
    assert ServerAddress("http://a", "").headers == {}


def test_a_certificate_of_the_servers_own_is_believed_by_its_fingerprint() -> None:
    printed = "AB:" * 31 + "CD"
    address = ServerAddress.read("https://a", printed)
    assert address.certificate == b"\xab" * 31 + b"\xcd"
    assert isinstance(address.trust, Fingerprint)
    assert ServerAddress.read("https://a").trust is True


@pytest.mark.parametrize("wrong", ["AB", "AB:" * 20, "x" * 64])
def test_a_fingerprint_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match="64 hexadecimal digits"):
        ServerAddress.read("https://a", wrong)


@pytest.mark.parametrize(
    "text",
    ["", "localhost:7860", "ftp://a", "http://", "http://a:port", "http://a:99999", "http://["],
)
def test_what_is_no_address_is_refused_without_its_token(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ServerAddress.read(f"{text}#token=WALNUT")
    assert "WALNUT" not in str(refused.value)
