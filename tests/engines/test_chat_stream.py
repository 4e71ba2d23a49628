"""Bytes of an event stream become words, however they are cut."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chat_server import DONE, event
from ultraandchat.engines.chat_stream import AnswerStream, ChatFailure, Thoughts, error_code


def read(*pieces: bytes) -> str:
    stream = AnswerStream()
    return "".join([*(words for piece in pieces for words in stream.feed(piece)), *stream.end()])


@given(st.lists(st.text(alphabet='aé😀<>/think \n"\\', max_size=9)), st.integers(1, 40))
def test_how_the_bytes_are_cut_never_changes_the_words(tokens: list[str], size: int) -> None:
    whole = b"".join(map(event, tokens)) + DONE
    cut = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert read(*cut) == read(whole)


@given(st.binary(max_size=300))
def test_any_bytes_are_words_or_no_answer(data: bytes) -> None:
    with suppress(ChatFailure):
        read(data, b"\n")


@given(st.text(alphabet="ab <>/thinkg", max_size=60), st.integers(1, 9))
def test_thoughts_are_left_out_however_they_are_cut(text: str, size: int) -> None:
    def said(*pieces: str) -> str:
        thoughts = Thoughts()
        return "".join(map(thoughts.feed, pieces)) + thoughts.flush()

    assert said(*(text[at : at + size] for at in range(0, len(text), size))) == said(text)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": "model_not_found"}, "model_not_found"),
        ({"type": "bad", "message": "sk-secret"}, "bad"),
        ({"code": 404}, "404"),
        ("sk-secret", "nocode"),
        (None, "nocode"),
        ({"code": "x\n" * 100}, "x" * 40),
    ],
)
def test_of_an_error_only_its_code_is_kept(error: object, code: str) -> None:
    assert error_code(error).replace(" ", "") == code
