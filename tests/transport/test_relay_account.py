"""Accounts on a TURN server are good for a while, and tell nothing of the secret they are made from."""

from datetime import UTC, datetime

import pytest

from ultraandchat.config import Config, ConfigError
from ultraandchat.transport.relay_account import RelayAccount, relay_account
from ultraandchat.transport.webrtc_config import WebRtcConfig

NOW = datetime(2026, 10, 13, 17, 46, 40, tzinfo=UTC)
DAY_S = 86_400.0


def test_an_account_is_the_instant_of_its_end_signed_with_the_secret() -> None:
    """printf 1792000000 | openssl dgst -sha1 -hmac north -binary | base64"""
    account = RelayAccount("1792000000", "u95kHdta2JGHJOo0t6NPRv39Jz4=")
    assert relay_account("north", NOW, DAY_S) == account


def test_pages_get_an_account_of_their_own_and_never_the_secret() -> None:
    config = WebRtcConfig(turn=("turn:relay.example",), turn_secret="north", stun=())
    offered = config.for_pages(NOW)
    assert offered is not None
    assert offered["iceServers"] == [
        {
            "urls": ["turn:relay.example"],
            "username": "1792000000",
            "credential": "u95kHdta2JGHJOo0t6NPRv39Jz4=",
        }
    ]
    assert "north" not in str(offered)


def test_an_account_that_was_given_to_us_is_handed_on() -> None:
    config = WebRtcConfig(turn=("turn:a",), turn_username="anna", turn_credential="1234")
    assert config.relay_account(NOW) == RelayAccount("anna", "1234")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["webrtc.turn=turn:a"], "needs webrtc.turn_secret"),
        (["webrtc.turn=turn:a", "webrtc.turn_username=anna"], "needs webrtc.turn_secret"),
        (["webrtc.turn_secret=north", "webrtc.turn_username=anna"], "beside it"),
        (["webrtc.turn_ttl_s=59"], "turn_ttl_s"),
        (["webrtc.turn_ttl_s=1e99"], "turn_ttl_s"),
    ],
)
def test_half_an_account_is_refused(settings: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Config.load(environ={}, overrides=settings)
