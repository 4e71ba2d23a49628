"""Which TURN server is asked where there is no UDP."""

import pytest

from ultraandchat.transport.relay import reached_without_udp


@pytest.mark.parametrize(
    ("urls", "host"),
    [
        (["turn:a"], "a"),
        (["turn:a", "turn:b?transport=tcp"], "b"),
        (["turn:a?transport=tcp", "turns:b", "turns:c"], "b"),
    ],
)
def test_one_over_tls_is_taken_before_tcp_before_udp(urls: list[str], host: str) -> None:
    assert reached_without_udp(urls).host == host
