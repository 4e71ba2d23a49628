"""Cookies and tickets on a clock that is given: good once, for a while, here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.server.tokens import DAY_S, MOST_TICKETS, Tickets, Token, made

SECRET = "a token of sixteen"


class Clock:
    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_a_token_fits_itself_and_nothing_else() -> None:
    token = Token(SECRET, 30, Clock())
    assert token.fits(SECRET)
    for wrong in ("", SECRET[:-1], SECRET + "x", SECRET.upper(), "é", "\udcff"):
        assert not token.fits(wrong)


def test_made_tokens_are_long_and_never_the_same() -> None:
    tokens = {made() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 32 for token in tokens)


def test_a_cookie_outlives_the_process_but_not_its_days() -> None:
    clock = Clock()
    cookie = Token(SECRET, 30, clock).cookie()
    after_a_restart = Token(SECRET, 30, clock)
    assert after_a_restart.knows(cookie)
    clock.now += 30 * DAY_S
    assert after_a_restart.knows(cookie)
    clock.now += 2
    assert not after_a_restart.knows(cookie)


def test_another_token_ends_all_cookies() -> None:
    clock = Clock()
    assert not Token("another long token", 30, clock).knows(Token(SECRET, 30, clock).cookie())


def test_a_cookie_from_the_future_is_forged() -> None:
    assert not Token(SECRET, 30, Clock(100)).knows(Token(SECRET, 30, Clock(200)).cookie())


def test_a_cookie_is_no_ticket_and_a_ticket_no_cookie() -> None:
    clock = Clock()
    token, tickets = Token(SECRET, 30, clock), Tickets(30, clock)
    assert not tickets.spend(token.cookie())
    assert not token.knows(tickets.issue())


def test_a_ticket_is_good_once() -> None:
    tickets = Tickets(30, Clock())
    ticket, other = tickets.issue(), tickets.issue()
    assert tickets.spend(ticket)
    assert not tickets.spend(ticket)
    assert tickets.spend(other)


def test_a_ticket_is_good_for_30_s() -> None:
    clock = Clock(5.0)
    tickets = Tickets(30, clock)
    early, late = tickets.issue(), tickets.issue()
    clock.now += 30
    assert tickets.spend(early)
    clock.now += 1
    assert not tickets.spend(late)


@pytest.mark.parametrize("after_s", [0, 1, 15, 29.9, 30, 30.9, 31, 31.1, 32, 60, 1_000_000])
def test_a_spent_ticket_is_never_good_again(after_s: float) -> None:
    """It is forgotten, but only after it has expired."""
    clock = Clock(5.5)
    tickets = Tickets(30, clock)
    ticket = tickets.issue()
    assert tickets.spend(ticket)
    clock.now += after_s
    assert not tickets.spend(ticket)


def test_a_ticket_is_of_this_process() -> None:
    clock = Clock()
    assert not Tickets(30, clock).spend(Tickets(30, clock).issue())


def test_spent_tickets_are_remembered_within_bounds() -> None:
    clock = Clock()
    tickets = Tickets(30, clock)
    for _ in range(MOST_TICKETS):
        assert tickets.spend(tickets.issue())
    assert not tickets.spend(tickets.issue())
    clock.now += 32
    assert tickets.spend(tickets.issue())


@given(st.text(max_size=300))
def test_junk_opens_nothing(junk: str) -> None:
    clock = Clock()
    assert not Tickets(30, clock).spend(junk)
    assert not Token(SECRET, 30, clock).knows(junk)


@given(st.data())
def test_a_ticket_with_another_letter_opens_nothing(data: st.DataObject) -> None:
    """The last letter of base64 holds fewer bits than it could, so only what differs in bytes counts."""
    tickets = Tickets(30, Clock())
    ticket = tickets.issue()
    at = data.draw(st.integers(0, len(ticket) - 2))
    letter = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(ticket[at].__ne__))
    assert not tickets.spend(ticket[:at] + letter + ticket[at + 1 :])
    assert tickets.spend(ticket)
