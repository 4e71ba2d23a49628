"""The conversation as a chat server gets it."""

from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.dialogue.history import Conversation, Exchange
from ultraandchat.engines.chat_messages import LONGEST_CHARS, messages
from ultraandchat.turn.events import TurnId


def talk(*pairs: tuple[str, str]) -> Conversation:
    return Conversation(tuple(Exchange(TurnId(n), None, *pair) for n, pair in enumerate(pairs)))


def test_unanswered_words_belong_to_the_question() -> None:
    found = messages("", "three", talk(("what is two plus", "")), 12)
    assert found == [{"role": "user", "content": "what is two plus\nthree"}]


def test_only_the_newest_exchanges_are_sent() -> None:
    found = messages("", "now", talk(("a", "1"), ("b", "2"), ("c", "3")), 1)
    assert [message["content"] for message in found] == ["c", "3", "now"]


def test_without_history_only_the_question_is_sent() -> None:
    assert len(messages("Be kind.", "now", talk(("a", "1")), 0)) == 2


def test_very_long_exchanges_are_left_out() -> None:
    found = messages("", "now", talk(("a" * LONGEST_CHARS, "1"), ("b", "2")), 12)
    assert [message["content"] for message in found] == ["b", "2", "now"]


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3))), st.text(min_size=1))
def test_turns_alternate_and_begin_and_end_with_the_user(
    pairs: list[tuple[str, str]], words: str
) -> None:
    roles = [message["role"] for message in messages("", words, talk(*pairs), 12)]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
