"""The phrases as a grammar: complete ones, unfinished ones, and the recogniser's own dictionary."""

import json
from pathlib import Path

import pytest

from ultraandchat.engines.skills.grammar import PHRASES, RULES, grammar, is_complete, tree, words
from ultraandchat.engines.skills.pattern import Node, expand

SPEECH = Path(__file__).parents[2] / "data" / "speech"


@pytest.mark.parametrize(
    "phrase",
    [
        "go forward ten meters",
        "go forward",
        "go back",
        "turn left",
        "what time is it",
        "what is two plus three",
        "what is ninety nine divided by a hundred",
        "set a timer for five minutes",
        "set a timer for thirty seconds",
        "how are you today",
        "stop",
    ],
)
def test_a_whole_phrase_is_complete(phrase: str) -> None:
    assert is_complete(phrase)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "please",
        "go",
        "go forward ten",
        "what is two plus",
        "set a timer for",
        "turn",
        "stop stop",
        "ten of clubs",
        "what time is it go forward",
        "repeat after me hello",
    ],
)
def test_an_unfinished_path_is_not_complete(path: str) -> None:
    assert not is_complete(path)


def test_case_and_spacing_do_not_matter() -> None:
    assert is_complete("  What  time is it ")


def test_every_phrase_the_table_allows_is_complete() -> None:
    def inner(name: str) -> Node | None:
        return tree("seven") if name == "number" else tree(RULES[name])

    for patterns in PHRASES.values():
        for pattern in patterns:
            assert all(is_complete(" ".join(said)) for said in expand(tree(pattern), inner))


def test_the_grammar_is_small_enough_to_be_quick() -> None:
    assert grammar().startswith("#JSGF V1.0;")
    assert len(words()) < 150


def test_no_playing_cards_are_in_the_grammar() -> None:
    assert not words() & {"clubs", "hearts", "spades", "diamonds"}


@pytest.mark.speech
def test_every_word_is_in_the_recognisers_dictionary() -> None:
    pocketsphinx = pytest.importorskip("pocketsphinx")
    dictionary = Path(pocketsphinx.get_model_path()) / "en-us" / "cmudict-en-us.dict"
    known = {line.split(" ", 1)[0] for line in dictionary.read_text().splitlines()}
    assert words() <= known


@pytest.mark.speech
def test_the_recogniser_accepts_the_grammar_and_finds_the_recorded_phrases() -> None:
    pocketsphinx = pytest.importorskip("pocketsphinx")
    decoder = pocketsphinx.Decoder(lm=None, loglevel="FATAL", samprate=16000)
    decoder.add_jsgf_string("skills", grammar())
    decoder.activate_search("skills")
    transcripts = json.loads((SPEECH / "transcripts.json").read_text())
    commands = [name for name, facts in transcripts.items() if is_complete(facts["transcript"])]
    assert len(commands) >= 5
    for name in commands:
        decoder.start_utt()
        decoder.process_raw((SPEECH / name).read_bytes()[44:], full_utt=True)
        decoder.end_utt()
        hypothesis = decoder.hyp()
        found = hypothesis.hypstr if hypothesis else ""
        if name != "yes.wav":  # a single word is not found every time
            assert found == transcripts[name]["transcript"]
