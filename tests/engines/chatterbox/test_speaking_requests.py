"""What is asked of the worker's class: any text, what cannot be done, voices, errors of the device."""

from typing import Any

import pytest

from tests.support.chatterbox_bench import SHORT, Bench
from tests.support.chatterbox_roles import Mark, healthy
from tests.support.token_streams import Stream
from ultraandchat.engines.base import EngineError
from ultraandchat.engines.chatterbox.speaking import Steps
from ultraandchat.engines.chatterbox.variants import (
    MULTILINGUAL,
    ORIGINAL,
)
from ultraandchat.engines.worker_wire import STEP, Poisoned


@pytest.mark.parametrize("text", ["", " \n\t", "…", "?!", "🎉🎉", "\x00\x1b", "- - -"])
def test_where_nothing_can_be_said_there_is_no_sound_and_no_error(text: str) -> None:
    bench = Bench()
    said = bench.say(text)
    assert said.blocks == []
    assert said.account["attempts"] == 0
    assert bench.writer.texts == []


@pytest.mark.parametrize(
    "text", ["a", "7", "Ça va? 你好. Привет! ½ 🎉", "a\x00b\x1b[31mc\r\nd", "x" * 300]
)
def test_any_other_text_is_spoken(text: str) -> None:
    said = Bench(lambda text, time: healthy(text, time, placed=False)).say(text)
    assert said.account["seconds"] > 0.3


def test_a_very_long_text_is_spoken_in_pieces_that_the_model_can_bear() -> None:
    text = "This is sentence number one, and it is as long as such a thing can be. " * 142
    bench = Bench()
    said = bench.say(text[:10_000])
    assert max(map(len, bench.writer.texts)) <= 300
    assert " ".join(bench.writer.texts) == " ".join(text[:10_000].split())
    assert said.account["attempts"] == len(bench.writer.texts) < 60
    assert said.verdicts == []


def test_speed_and_taste_are_handed_on_and_else_the_release_has_its_own() -> None:
    bench = Bench(variant=ORIGINAL)
    bench.say(SHORT, speed=1.25, temperature=0.5, guidance=None, exaggeration=0.9)
    assert bench.sounder.speeds == [1.25]
    taste = bench.writer.tastes[0]
    assert (taste.temperature, taste.guidance, taste.exaggeration) == (0.5, 0.5, 0.9)
    assert bench.voices.asked == [("default", "")]


def test_a_release_that_has_no_emotion_is_not_given_any() -> None:
    bench = Bench()
    bench.say(SHORT, exaggeration=0.9, guidance=0.5)
    assert (bench.writer.tastes[0].exaggeration, bench.writer.tastes[0].guidance) == (0.0, 0.0)


def test_every_block_is_marked() -> None:
    mark = Mark()
    said = Bench(watermark=mark).say()
    assert mark.opened == 1
    assert all(block[0] == 32767 for block in said.blocks)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"language": "de"}, "its turbo release does not speak the language 'de'"),
        ({"voice": "anna"}, "there is no voice anna"),
        ({"temperature": "hot"}, "the request is malformed: ValueError"),
        ({"temperature": float("nan")}, "the request is malformed: ValueError"),
        ({"clip": "/bad.wav", "voice": "anna"}, "the clip is too short"),
    ],
)
def test_what_cannot_be_done_is_one_clear_error(asked: dict[str, Any], reason: str) -> None:
    with pytest.raises(EngineError) as raised:
        Bench().say("Hello there.", **asked)
    assert raised.value.reason == reason
    assert raised.value.engine == "chatterbox"


def test_a_request_without_text_is_malformed() -> None:
    with pytest.raises(EngineError, match="malformed: 'text'"):
        Bench().model.synthesize(lambda: False, {})


def test_a_language_of_the_release_is_spoken() -> None:
    said = Bench(variant=MULTILINGUAL).say("Es ist halb vier am Nachmittag.", language="de")
    assert said.account["seconds"] > 1


def test_a_voice_is_prepared_before_it_is_needed() -> None:
    bench = Bench()
    items = list(bench.model.prepare_voice(lambda: False, {"voice": "anna", "clip": "/anna.wav"}))
    assert items[0] is STEP
    assert items[-1]["digest"] == "digest of anna"
    assert items[-1]["seconds"] >= 0
    assert bench.voices.asked == [("anna", "/anna.wav")]


def test_a_voice_that_cannot_serve_is_said_so() -> None:
    model = Bench().model
    with pytest.raises(EngineError, match="the clip is too short"):
        list(model.prepare_voice(lambda: False, {"voice": "anna", "clip": "/bad.wav"}))
    with pytest.raises(EngineError, match="there is no voice anna"):
        list(model.prepare_voice(lambda: False, {"voice": "anna", "clip": ""}))


def test_nobody_waits_for_a_voice_that_is_not_wanted_any_more() -> None:
    bench = Bench()
    assert list(bench.model.prepare_voice(lambda: True, {"voice": "a", "clip": "/a"})) == [STEP]
    assert bench.voices.asked == []


def test_what_a_device_says_is_explained_to_the_callers() -> None:
    def explained(steps: Steps) -> Steps:
        try:
            yield from steps
        except RuntimeError:
            raise Poisoned("the graphics card failed") from None

    def broken(text: str, time: int) -> Stream:
        raise RuntimeError("CUDA error: device-side assert triggered")

    bench = Bench(broken, explained=explained)
    with pytest.raises(Poisoned):
        bench.say()
    assert bench.writer.open == 0
