"""Replies as models write them, in seventeen languages, and what a voice is given to say of each.

A file of `tests/data/speakable` has the replies of its language, made up for these tests: what is written, "=>",
and a line for each clause. What is said was read by eye; where a rule of thumb is wrong it stands there too, so
that a change shows.
"""

from pathlib import Path

import pytest

from ultraandchat.engines.base import Manner
from ultraandchat.engines.reciting import sayable

FOLDER = Path(__file__).parents[1] / "data" / "speakable"
REPLIES = [
    pytest.param(file.stem, *reply.split("\n=>\n"), id=f"{file.stem}-{number}")
    for file in sorted(FOLDER.glob("*.txt"))
    for number, reply in enumerate(file.read_text(encoding="utf-8").split("\n---\n"), 1)
]


@pytest.mark.parametrize(("language", "written", "said"), REPLIES)
def test_a_reply_is_said_as_a_person_would_say_it(language: str, written: str, said: str) -> None:
    assert sayable(written, Manner(language=language)) == said.strip("\n").split("\n")


def test_every_language_with_words_has_replies() -> None:
    assert {param.values[0] for param in REPLIES} >= {
        "en",
        "de",
        "fr",
        "es",
        "it",
        "pt",
        "nl",
        "pl",
    }


@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_ten_thousand_characters_are_said_clause_by_clause(language: str) -> None:
    clauses = sayable("so it goes, " * 834, Manner(language=language, fewest_words=3))
    assert max(map(len, clauses)) <= 200
    assert " ".join(clauses).split() == ("so it goes, " * 834).split()
