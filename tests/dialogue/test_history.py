"""What a conversation remembers: what was heard, within its bounds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.dialogue.history import History, heard_text
from ultraandchat.playout.heard import ClauseHeard, Heard
from ultraandchat.turn.events import TurnId, TypedText, Utterance

CLAUSES = ["One two three.", "Four five six."]


def turn(number: int) -> TurnId:
    return TurnId(number)


def spoken(number: int, seconds: float = 1.0) -> Utterance:
    pcm = np.zeros(int(seconds * 16_000), np.int16)
    return Utterance(turn(number), pcm, 0, len(pcm), 5.0)


def heard(*clauses: tuple[int, int, int], number: int = 1, cut: bool = False) -> Heard:
    """(clause, heard, total) each, all made to their end."""
    return Heard(turn(number), tuple(ClauseHeard(*c, complete=True) for c in clauses), cut)


def test_a_reply_heard_whole_is_remembered_whole() -> None:
    assert (
        heard_text(CLAUSES, heard((0, 100, 100), (1, 100, 100))) == "One two three. Four five six."
    )


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, ""),
        (10, ""),
        (30, "Four"),
        (50, "Four"),
        (65, "Four five"),
        (99, "Four five"),
        (100, "Four five six."),
    ],
)
def test_a_clause_cut_short_keeps_the_words_heard(share: int, text: str) -> None:
    assert heard_text(["Four five six."], heard((0, share, 100))) == text


def test_a_clause_still_being_made_is_measured_by_the_pace_of_those_before() -> None:
    accounts = (ClauseHeard(0, 1400, 1400, complete=True), ClauseHeard(1, 600, 600, complete=False))
    cut = Heard(turn(1), accounts, cut=True)
    assert heard_text(CLAUSES, cut) == "One two three. Four"


def test_a_first_clause_still_being_made_is_measured_by_the_usual_pace() -> None:
    half_a_second = ClauseHeard(0, 24_000, 24_000, complete=False)
    assert heard_text(["Four five six."], Heard(turn(1), (half_a_second,), cut=True)) == "Four"


def test_an_unheard_clause_is_forgotten() -> None:
    assert heard_text(CLAUSES, heard((0, 100, 100), (1, 0, 100))) == "One two three."


def test_an_account_of_a_clause_never_written_is_ignored() -> None:
    assert heard_text(CLAUSES, heard((7, 100, 100), (-1, 100, 100))) == ""


@given(st.text(max_size=80), st.integers(0, 1000), st.integers(0, 1000), st.booleans())
def test_what_was_heard_is_the_beginning_of_the_clause(
    clause: str, samples: int, total: int, complete: bool
) -> None:
    account = Heard(turn(1), (ClauseHeard(0, samples, total, complete),), cut=True)
    assert clause.strip().startswith(heard_text([clause], account))


@given(st.text(alphabet="ab ,.", max_size=80), st.integers(0, 99))
def test_more_sound_is_never_fewer_words(clause: str, share: int) -> None:
    less = heard_text([clause], heard((0, share, 100)))
    more = heard_text([clause], heard((0, share + 1, 100)))
    assert len(less) <= len(more)


@given(st.text(alphabet="ab ,.", max_size=80), st.integers(0, 100))
def test_words_are_never_cut_inside(clause: str, share: int) -> None:
    words = heard_text([clause], heard((0, share, 100))).split()
    assert clause.split()[: len(words)] == words


def test_a_turn_and_its_reply_are_one_exchange() -> None:
    history = History()
    history.user_spoke(spoken(1), "hello")
    history.agent_spoke(turn(1), CLAUSES, heard((0, 100, 100), (1, 30, 100), cut=True))
    (exchange,) = history.exchanges()
    assert (exchange.words, exchange.reply) == ("hello", "One two three. Four")
    assert exchange.cut_short


def test_the_agent_may_speak_first() -> None:
    history = History()
    history.agent_spoke(turn(1), ["Hello."], heard((0, 9, 9)))
    (exchange,) = history.exchanges()
    assert exchange.said is None
    assert exchange.reply == "Hello."


def test_an_announcement_nobody_heard_is_not_remembered() -> None:
    history = History()
    history.agent_spoke(turn(1), ["Hello."], heard((0, 0, 9), cut=True))
    assert history.exchanges() == ()


def test_a_reply_nobody_heard_leaves_the_question() -> None:
    history = History()
    history.user_spoke(spoken(1), "hello")
    history.agent_spoke(turn(1), [], heard(cut=True))
    (exchange,) = history.exchanges()
    assert (exchange.words, exchange.reply, exchange.cut_short) == ("hello", "", True)


def test_typed_words_are_known_at_once() -> None:
    history = History()
    history.user_spoke(TypedText(turn(1), "hello", 0.0))
    assert history.exchanges()[0].words == "hello"


def test_words_may_come_after_the_reply() -> None:
    history = History()
    history.user_spoke(spoken(1))
    history.agent_spoke(turn(1), ["Hi."], heard((0, 9, 9)))
    history.words_known(turn(1), "hello")
    (exchange,) = history.exchanges()
    assert (exchange.words, exchange.reply) == ("hello", "Hi.")


def test_words_of_an_unknown_turn_are_ignored() -> None:
    history = History()
    history.words_known(turn(9), "hello")
    assert history.exchanges() == ()


def test_a_turn_said_again_is_replaced() -> None:
    history = History()
    history.user_spoke(spoken(1), "hel")
    history.user_spoke(spoken(1), "hello there")
    assert [exchange.words for exchange in history.exchanges()] == ["hello there"]


def test_a_withdrawn_turn_is_gone() -> None:
    history = History()
    history.user_spoke(spoken(1), "hel")
    history.user_spoke(spoken(2), "hello there")
    history.withdraw(turn(1))
    assert [exchange.turn for exchange in history.exchanges()] == [turn(2)]


def test_a_model_sees_only_older_turns() -> None:
    history = History()
    for number in (1, 2, 3):
        history.user_spoke(spoken(number))
    assert [exchange.turn for exchange in history.exchanges(before=turn(3))] == [1, 2]


def test_old_exchanges_are_forgotten() -> None:
    history = History(max_exchanges=2)
    for number in (1, 2, 3):
        history.user_spoke(TypedText(turn(number), str(number), 0.0))
    assert [exchange.words for exchange in history.exchanges()] == ["2", "3"]


def test_of_old_speech_only_the_words_stay() -> None:
    history = History(max_audio_s=2.5)
    for number in (1, 2, 3):
        history.user_spoke(spoken(number), f"words {number}")
    kinds = [type(exchange.said) for exchange in history.exchanges()]
    assert kinds == [TypedText, Utterance, Utterance]
    assert history.exchanges()[0].said == TypedText(turn(1), "words 1", 5.0)


def test_words_that_come_late_reach_a_turn_whose_sound_was_let_go() -> None:
    history = History(max_audio_s=0.5)
    history.user_spoke(spoken(1))
    history.words_known(turn(1), "hello")
    (exchange,) = history.exchanges()
    assert exchange.said == TypedText(turn(1), "hello", 5.0)


def test_the_newest_exchange_may_be_longer_than_the_bound_and_older_ones_are_let_go() -> None:
    history = History(max_audio_s=1.0)
    history.user_spoke(spoken(1, 0.5), "one")
    history.user_spoke(spoken(2, 3.0), "two")
    assert all(isinstance(exchange.said, TypedText) for exchange in history.exchanges())


TURNS = st.lists(
    st.tuples(
        st.integers(1, 6), st.sampled_from(["said", "typed", "replied", "withdrawn", "words"])
    )
)


@given(TURNS, st.integers(1, 4))
def test_a_history_never_outgrows_its_bounds(steps: list[tuple[int, str]], most: int) -> None:
    history = History(max_exchanges=most, max_audio_s=2.0)
    for number, step in steps:
        if step == "said":
            history.user_spoke(spoken(number), "a")
        elif step == "typed":
            history.user_spoke(TypedText(turn(number), "b", 0.0))
        elif step == "replied":
            account = replace(heard((0, 9, 9)), turn=turn(number))
            history.agent_spoke(turn(number), ["Hi."], account)
        elif step == "withdrawn":
            history.withdraw(turn(number))
        else:
            history.words_known(turn(number), "c")
    exchanges = history.exchanges()
    sound = sum(len(e.said.pcm) for e in exchanges if isinstance(e.said, Utterance))
    assert len(exchanges) <= most
    assert sound <= 2.0 * 16_000
    assert len({exchange.turn for exchange in exchanges}) == len(exchanges)
