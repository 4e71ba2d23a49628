"""Addresses behind proxies, and what is this machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.server.addresses import (
    client_address,
    is_at_this_machine,
    is_loopback,
    networks,
)

PROXIES = networks(["10.0.0.0/8", "fd00::/8"])
OUTSIDE = st.ip_addresses().map(str).filter(lambda a: client_address(a, ["x"], PROXIES) == a)
INSIDE = st.sampled_from(["10.0.0.1", "10.200.3.4", "fd00::7"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ['"[2001:db8::1]:4711"'], "2001:db8::1"),
        ("10.0.0.1", ["198.51.100.1, nonsense"], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("fe80::1%eth0", [], "fe80::1"),
        (None, ["198.51.100.1"], "unknown"),
    ],
)
def test_the_address_is_the_nearest_that_no_proxy_owns(
    peer: str | None, forwarded: list[str], address: str
) -> None:
    assert client_address(peer, forwarded, PROXIES) == address


@given(OUTSIDE, st.text(max_size=60))
def test_an_untrusted_peer_cannot_claim_another_address(peer: str, claim: str) -> None:
    assert client_address(peer, [claim], PROXIES) == peer


@given(st.text(max_size=40), OUTSIDE, st.lists(INSIDE, max_size=3), INSIDE)
def test_what_a_caller_writes_into_the_header_changes_nothing(
    claim: str, caller: str, proxies: list[str], peer: str
) -> None:
    header = ",".join([claim, caller, *proxies])
    assert client_address(peer, [header], PROXIES) == caller


@given(st.text(max_size=30), st.lists(st.text(max_size=60), max_size=4))
def test_no_header_breaks_it(peer: str, forwarded: list[str]) -> None:
    assert client_address(peer, forwarded, PROXIES)


@pytest.mark.parametrize(
    ("peer", "host", "proxied", "local"),
    [
        ("127.0.0.1", "localhost:7860", False, True),
        ("127.0.0.1", "127.0.0.1:7860", False, True),
        ("::1", "[::1]:7860", False, True),
        ("::ffff:127.0.0.1", "LOCALHOST", False, True),
        ("127.0.0.1", "localhost:7860", True, False),
        ("127.0.0.1", "elsewhere.example:7860", False, False),
        ("127.0.0.1", "localhost.elsewhere.example", False, False),
        ("127.0.0.1", "", False, False),
        ("192.168.1.5", "localhost:7860", False, False),
        (None, "localhost:7860", False, False),
    ],
)
def test_only_an_unproxied_loopback_peer_is_at_this_machine(
    peer: str | None, host: str, proxied: bool, local: bool
) -> None:
    assert is_at_this_machine(peer, host, proxied=proxied) is local


@pytest.mark.parametrize(
    ("host", "only"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("", False),
        ("192.168.1.5", False),
        ("localhost.example", False),
    ],
)
def test_a_server_that_only_this_machine_can_reach_listens_on_loopback(
    host: str, only: bool
) -> None:
    assert is_loopback(host) is only
