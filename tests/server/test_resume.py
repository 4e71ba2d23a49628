"""Resume tokens: good once, for the conversation they were made for, and for a while."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.server.resume import GOOD_S, Passes, Refused


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_token_brings_back_its_conversation() -> None:
    passes = Passes(Clock())
    token = passes.open("ab12").fresh()
    other = passes.open("cd34").fresh()
    assert passes.redeem(token) == "ab12"
    assert passes.redeem(other) == "cd34"


def test_a_token_is_spent_once_its_successor_has_arrived() -> None:
    passes = Passes(Clock())
    one = passes.open("ab12")
    first = one.fresh()
    assert passes.redeem(first) == "ab12"
    second = one.fresh()
    one.arrived()
    assert passes.redeem(first) is Refused.SPENT
    assert passes.redeem(second) == "ab12"


def test_the_answer_to_a_resumption_may_be_lost() -> None:
    passes = Passes(Clock())
    one = passes.open("ab12")
    first = one.fresh()
    passes.redeem(first)
    one.fresh()  # in a welcome that nobody got
    assert passes.redeem(first) == "ab12"


def test_using_a_newer_token_spends_the_older_ones() -> None:
    passes = Passes(Clock())
    one = passes.open("ab12")
    older, newer = one.fresh(), one.fresh()
    assert passes.redeem(newer) == "ab12"
    assert passes.redeem(older) is Refused.SPENT


def test_a_token_expires() -> None:
    clock = Clock()
    passes = Passes(clock)
    token = passes.open("ab12").fresh()
    clock.now += GOOD_S
    assert passes.redeem(token) == "ab12"
    clock.now += 1
    assert passes.redeem(token) is Refused.EXPIRED


def test_a_token_of_a_conversation_that_is_over_is_worth_nothing() -> None:
    passes = Passes(Clock())
    token = passes.open("ab12").fresh()
    passes.close("ab12")
    assert passes.redeem(token) is Refused.OVER


def test_a_token_of_another_server_is_forged() -> None:
    token = Passes(Clock()).open("ab12").fresh()
    passes = Passes(Clock())
    passes.open("ab12")
    assert passes.redeem(token) is Refused.FORGED


@pytest.mark.parametrize(
    "text", ["", ".", "ab12.1", "ab12.1.x.y", "\ud800", "é" * 40, "a" * 10_000]
)
def test_what_is_no_token_is_forged(text: str) -> None:
    passes = Passes(Clock())
    passes.open("ab12").fresh()
    assert passes.redeem(text) is Refused.FORGED


@given(at=st.integers(0, 200), flip=st.integers(1, 127))
def test_no_changed_character_is_taken(at: int, flip: int) -> None:
    passes = Passes(Clock())
    token = passes.open("ab12").fresh()
    at %= len(token)
    changed = token[:at] + chr(ord(token[at]) ^ flip) + token[at + 1 :]
    if _same_bits(token, changed):
        return
    assert isinstance(passes.redeem(changed), Refused)


def _same_bits(one: str, other: str) -> bool:
    """The last character of base64 has bits that mean nothing."""
    try:
        parts = [text.rpartition(".") for text in (one, other)]
        bits = [base64.urlsafe_b64decode(text + "=") for _, _, text in parts]
    except ValueError:
        return False
    return parts[0][0] == parts[1][0] and bits[0] == bits[1]
