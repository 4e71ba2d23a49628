"""The settings of access and TLS: what is refused, and that a token is never repeated."""

import pytest

from ultraandchat.access_config import AccessConfig
from ultraandchat.config import Config, ConfigError

TOKEN = "the-operators-own-token"


def refusal(*overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        Config.load(environ={}, overrides=overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_environment_brings_the_token() -> None:
    config = Config.load(environ={"ULTRAANDCHAT_ACCESS__TOKEN": TOKEN})
    assert config.access.token == TOKEN


@pytest.mark.parametrize(
    "token",
    ["short", "fifteen-letters", "x" * 257, "sixteen letters!", "sechzehn-zeichen-ü", "=" * 16],
)
def test_a_token_that_can_be_guessed_or_not_sent_is_refused_and_not_repeated(token: str) -> None:
    message = refusal(f"access.token={token}")
    assert message.startswith("access.token ")
    assert token not in message


def test_nobody_sees_the_token_by_printing_the_settings() -> None:
    assert TOKEN not in repr(Config.load(environ={}, overrides=[f"access.token={TOKEN}"]))


@pytest.mark.parametrize(
    "origin", ["https://friend.example", "http://10.0.0.7:8080", "https://[::1]:1"]
)
def test_origins_are_written_as_browsers_write_them(origin: str) -> None:
    assert AccessConfig(origins=(origin,)).origins == (origin,)


@pytest.mark.parametrize(
    "origin",
    ["friend.example", "https://friend.example/", "https://a@b", "ws://b", "null", "https://b:x"],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    assert refusal(f"access.origins={origin}").startswith("access.origins: ")


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("access.cookie_days=0", "access.cookie_days"),
        ("access.cookie_days=401", "access.cookie_days"),
        ("access.cookie_days=nan", "access.cookie_days"),
        ("access.ticket_s=0", "access.ticket_s"),
        ("access.ticket_s=301", "access.ticket_s"),
        ("tls.certificate=a.pem", "tls.key"),
        ("tls.key=a.pem", "tls.certificate"),
    ],
)
def test_what_cannot_work_is_refused_by_name(setting: str, named: str) -> None:
    assert refusal(setting).startswith(named)


def test_a_server_has_one_certificate() -> None:
    both = ("tls.self_signed=true", "tls.certificate=a", "tls.key=b")
    assert "exclude each other" in refusal(*both)
