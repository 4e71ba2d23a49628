"""What reaches a synthesizer's process is one line of plain text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.engines.worker_speech import plain_text


@pytest.mark.parametrize(
    ("clause", "plain"),
    [
        ("It is ten past four.", "It is ten past four."),
        ("  two\nlines\tand\r\nmore ", "two lines and more"),
        ("It’s “fine” – really…", 'It\'s "fine" , really.'),
        ("[[h@'loU]] there", "h@'loU there"),
        ("<speak>yes</speak>", "speak yes /speak"),
        ("a\x00b\x1b[31mc", "a b 31mc"),
        ("\ud800 lone", "lone"),
        ("...", ""),
        ("🎉", ""),
        ("", ""),
    ],
)
def test_a_clause_becomes_plain(clause: str, plain: str) -> None:
    assert plain_text(clause) == plain


def test_a_voice_that_reads_ascii_only_gets_letters_without_accents() -> None:
    assert plain_text("Café, naïve, ½.", ascii_only=True) == "Cafe, naive, 1/2."
    assert plain_text("你好", ascii_only=True) == ""


@given(st.text())
def test_nothing_that_means_something_to_a_program_is_left(clause: str) -> None:
    for ascii_only in (False, True):
        plain = plain_text(clause, ascii_only=ascii_only)
        assert not set(plain) & set("[]<>\n\r\t\0\x1b")
        assert not any(unicodedata.category(one).startswith("C") for one in plain)
        plain.encode("ascii" if ascii_only else "utf-8")
