"""Whose page may call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.server.origins import Origins

ORIGINS = Origins(
    ["https://Friend.example", "http://10.0.0.7:8080"], "https://pod1-7860.proxy.runpod.net"
)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://localhost:7860", True),
        ("https://LOCALHOST:7860", True),
        ("http://localhost:7861", False),
        ("http://localhost", False),
        ("https://evil.example", False),
        ("null", False),
        ("http://[", False),
        ("https://pod1-7860.proxy.runpod.net", True),
        ("https://pod2-7860.proxy.runpod.net", False),
        ("https://pod1-7861.proxy.runpod.net", False),
        ("https://friend.example", True),
        ("http://friend.example", False),
        ("https://friend.example:444", False),
        ("https://friend.example.evil.example", False),
        ("http://10.0.0.7:8080", True),
        ("ftp://localhost:7860", False),
        ("", False),
    ],
)
def test_its_own_page_and_those_on_the_list_may_call(origin: str | None, allowed: bool) -> None:
    assert ORIGINS.allow(origin, "localhost:7860") is allowed


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_header_breaks_it(origin: str, host: str) -> None:
    allowed = ORIGINS.allow(origin, host)
    assert not allowed or host.lower() in origin.lower()
