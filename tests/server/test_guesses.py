"""A token tried again and again: slower, then not at all, and nobody else is held up."""

from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.server.guesses import (
    FORGOTTEN_S,
    FREE_MISTAKES,
    MOST_ADDRESSES,
    REFUSED_S,
    Guesses,
)


def tried(guesses: Guesses, address: str, times: int, now: float = 0.0) -> list[float]:
    return [guesses.wrong(address, now) for _ in range(times)]


def test_each_mistake_costs_twice_the_one_before() -> None:
    assert tried(Guesses(), "203.0.113.9", 6) == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2]


def test_after_six_the_address_is_refused_for_a_minute_and_then_has_one_try() -> None:
    guesses = Guesses()
    tried(guesses, "203.0.113.9", FREE_MISTAKES - 1)
    assert not guesses.refused_s("203.0.113.9", 0)
    guesses.wrong("203.0.113.9", 0)
    assert guesses.refused_s("203.0.113.9", 0) == REFUSED_S
    assert guesses.refused_s("203.0.113.9", REFUSED_S - 1) == 1
    assert guesses.refused_s("203.0.113.9", REFUSED_S) == 0
    guesses.wrong("203.0.113.9", REFUSED_S)
    assert guesses.refused_s("203.0.113.9", REFUSED_S) == REFUSED_S


def test_another_address_is_not_refused() -> None:
    guesses = Guesses()
    tried(guesses, "203.0.113.9", 1_000)
    assert not guesses.refused_s("203.0.113.10", 0)
    assert guesses.wrong("203.0.113.10", 0) == 0.1


def test_all_of_a_households_ipv6_is_one_address() -> None:
    guesses = Guesses()
    for host in range(FREE_MISTAKES):
        guesses.wrong(f"2001:db8:0:1::{host + 1:x}", 0)
    assert guesses.refused_s("2001:db8:0:1:ffff::1", 0)
    assert not guesses.refused_s("2001:db8:0:2::1", 0)


def test_who_was_quiet_begins_anew() -> None:
    guesses = Guesses()
    tried(guesses, "203.0.113.9", 1_000)
    assert guesses.wrong("203.0.113.9", FORGOTTEN_S) == 0.1


@given(st.lists(st.tuples(st.ip_addresses().map(str), st.floats(0, 10_000)), max_size=60))
def test_no_address_waits_longer_than_the_longest(tries: list[tuple[str, float]]) -> None:
    guesses = Guesses()
    for address, now in sorted(tries, key=lambda one: one[1]):
        assert 0.1 <= guesses.wrong(address, now) <= 3.2
        assert 0 <= guesses.refused_s(address, now) <= REFUSED_S


def test_memory_is_bounded_and_the_quietest_is_forgotten_first() -> None:
    guesses = Guesses()
    tried(guesses, "203.0.113.9", FREE_MISTAKES)
    for number in range(MOST_ADDRESSES - 1):
        guesses.wrong(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 1)
    assert len(guesses) == MOST_ADDRESSES
    assert guesses.refused_s("203.0.113.9", 1)
    guesses.wrong("11.0.0.1", 2)
    assert len(guesses) == MOST_ADDRESSES
    assert not guesses.refused_s("203.0.113.9", 2)
