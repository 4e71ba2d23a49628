"""Where candidates are offered."""

import pytest

from ultraandchat.transport.reach import addresses


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("::1", ["::1"]),
        ("localhost", ["127.0.0.1"]),
        ("0.0.0.0", ["192.0.2.1", "127.0.0.1"]),
        ("::", ["192.0.2.1", "127.0.0.1"]),
        ("192.0.2.9", ["192.0.2.9"]),
        ("2001:db8::9", ["2001:db8::9"]),
        ("voice.example", ["192.0.2.1", "127.0.0.1"]),
    ],
)
def test_candidates_are_where_the_server_listens(host: str, reached: list[str]) -> None:
    assert addresses(host, ["192.0.2.1"]) == reached
