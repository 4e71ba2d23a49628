"""What of a Whisper's words is believed."""

from dataclasses import dataclass

import pytest

from ultraandchat.engines.whisper_guard import believed


@dataclass(frozen=True)
class Segment:
    text: str = " Turn left at the corner."
    avg_logprob: float = -0.25
    compression_ratio: float = 1.1
    no_speech_prob: float = 0.02


def test_clear_speech_is_believed() -> None:
    assert believed(Segment())


@pytest.mark.parametrize("text", [" Thank you.", " Thanks for watching!", "you", " Bye-bye. "])
def test_an_ending_of_subtitles_is_believed_of_speech_and_not_of_a_cough(text: str) -> None:
    assert believed(Segment(text, no_speech_prob=0.05))
    assert not believed(Segment(text, no_speech_prob=0.4))


def test_a_stock_phrase_inside_a_sentence_is_none() -> None:
    assert believed(Segment(" Thank you for the fish.", no_speech_prob=0.4))


def test_words_where_there_is_surely_no_speech_are_not_believed() -> None:
    assert not believed(Segment(no_speech_prob=0.9, avg_logprob=-0.05))


def test_where_there_is_likely_no_speech_the_words_must_be_likely() -> None:
    assert believed(Segment(no_speech_prob=0.7, avg_logprob=-0.3))
    assert not believed(Segment(no_speech_prob=0.7, avg_logprob=-0.7))


def test_unlikely_words_are_not_believed() -> None:
    assert not believed(Segment(avg_logprob=-1.2))


def test_a_phrase_on_and_on_is_not_believed() -> None:
    assert not believed(Segment(compression_ratio=4.0))


@pytest.mark.parametrize("name", ["avg_logprob", "compression_ratio", "no_speech_prob"])
def test_no_number_is_no_reason_to_believe(name: str) -> None:
    assert not believed(Segment(**{name: float("nan")}))  # type: ignore[arg-type]
