"""What is made while nobody speaks: in which order, how much of it, and that it gives way. In virtual time, no model."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
import pytest

from tests.support.clock import run_virtually
from ultraandchat.audio.frame import Pcm16
from ultraandchat.engines.base import EngineError, EngineLost, EngineOverloaded
from ultraandchat.engines.chatterbox import kept
from ultraandchat.engines.chatterbox.kept import Keeping
from ultraandchat.engines.chatterbox.speakers import OWN, Speaker

SECOND = 24_000
ANNA = Speaker("anna", "/voices/anna.wav")


class Stage:
    """A model that takes a second for everything, and notes what it was asked for."""

    def __init__(self, speakers: Sequence[Speaker] = (OWN,)) -> None:
        self.done: list[str] = []
        self.cancelled = 0
        self.alive: int | None = 1
        self.speakers = list(speakers)
        self.troubles: dict[str, EngineError] = {}
        self.disliked: set[str] = set()
        self.keeping = Keeping(
            make=self._make,
            prepare=self._prepare,
            life=lambda: self.alive,
            speakers=lambda: self.speakers,
        )

    async def _make(self, speaker: Speaker, text: str) -> Pcm16 | None:
        await self._work(f"{speaker.voice}: {text}", text)
        return None if text in self.disliked else np.zeros(SECOND, np.int16)

    async def _prepare(self, speaker: Speaker) -> None:
        await self._work(f"{speaker.voice}", speaker.voice)

    async def _work(self, what: str, key: str) -> None:
        try:
            await asyncio.sleep(1.0)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        self.done.append(what)
        if key in self.troubles:
            raise self.troubles[key]

    def has(self, text: str, speaker: Speaker = OWN) -> bool:
        return self.keeping.kept.get(speaker, text) is not None


def played(stage: Stage, story: Callable[[], Awaitable[None]]) -> None:
    """The story, with the keeping beside it."""

    async def play() -> None:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(stage.keeping.run())
            await story()
            running.cancel()

    run_virtually(play())


def test_each_voice_is_prepared_and_then_has_its_sentences_made_once() -> None:
    stage = Stage([OWN, ANNA])
    stage.keeping.keep(["Yes.", "No.", "Yes."])
    played(stage, lambda: asyncio.sleep(60))
    assert stage.done == [
        *("default", "default: Yes.", "default: No."),
        *("anna", "anna: Yes.", "anna: No."),
    ]
    assert stage.has("No.", ANNA)


def test_the_voice_that_was_used_last_comes_first() -> None:
    stage = Stage([OWN, ANNA])
    stage.keeping.keep(["Yes."])
    stage.keeping.begin(ANNA)
    stage.keeping.end()
    played(stage, lambda: asyncio.sleep(60))
    assert stage.done[:2] == ["anna", "anna: Yes."]


def test_nothing_is_made_while_somebody_is_spoken_to_and_what_was_begun_is_let_go_of() -> None:
    stage = Stage()
    stage.keeping.keep(["Yes."])

    async def story() -> None:
        await asyncio.sleep(1.5)  # in the middle of the sentence
        stage.keeping.begin(OWN)
        await asyncio.sleep(30)
        assert (stage.done, stage.cancelled) == (["default"], 1)
        stage.keeping.end()
        await asyncio.sleep(10)
        assert stage.has("Yes.")

    played(stage, story)


def test_a_new_process_has_its_voices_prepared_and_nothing_made_anew() -> None:
    stage = Stage()
    stage.keeping.keep(["Yes."])

    async def story() -> None:
        await asyncio.sleep(10)
        stage.alive = None
        await asyncio.sleep(10)
        stage.alive = 2
        await asyncio.sleep(10)

    played(stage, story)
    assert stage.done == ["default", "default: Yes.", "default"]


@pytest.mark.parametrize(
    ("trouble", "times"),
    [(EngineLost("chatterbox", "it died"), 3), (EngineError("chatterbox", "it cannot"), 1)],
)
def test_a_sentence_that_fails_is_given_up(trouble: EngineError, times: int) -> None:
    stage = Stage()
    stage.troubles["Yes."] = trouble
    stage.keeping.keep(["Yes.", "No."])
    played(stage, lambda: asyncio.sleep(600))
    assert stage.done.count("default: Yes.") == times
    assert stage.has("No.")


def test_a_model_with_too_much_to_do_is_asked_again() -> None:
    stage = Stage()
    stage.troubles["Yes."] = EngineOverloaded("chatterbox", "too much")
    stage.keeping.keep(["Yes."])

    async def story() -> None:
        await asyncio.sleep(60)
        stage.troubles.clear()
        await asyncio.sleep(10)

    played(stage, story)
    assert stage.has("Yes.")


def test_what_the_guard_does_not_like_is_not_kept() -> None:
    stage = Stage()
    stage.disliked.add("Yes.")
    stage.keeping.keep(["Yes."])
    played(stage, lambda: asyncio.sleep(600))
    assert stage.done.count("default: Yes.") == kept.TRIES
    assert not stage.has("Yes.")


def test_a_voice_that_cannot_be_prepared_is_left_alone_until_its_file_changes() -> None:
    stage = Stage([ANNA])
    stage.troubles["anna"] = EngineError("chatterbox", "its clip is silent")
    stage.keeping.keep(["Yes."])

    async def story() -> None:
        await asyncio.sleep(60)
        assert stage.done == ["anna"]
        stage.troubles.clear()
        stage.speakers = [ANNA._replace(changed=1)]
        await asyncio.sleep(10)

    played(stage, story)
    assert stage.has("Yes.", ANNA._replace(changed=1))


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 5 * 2 * SECOND)
    speakers = [Speaker(f"voice-{number}", "") for number in range(20)]
    stage = Stage(speakers)
    stage.keeping.keep([f"Sentence {number}." for number in range(40)])
    played(stage, lambda: asyncio.sleep(3600))
    made = [one for one in stage.done if ":" in one]
    assert len(made) == kept.MOST_VOICES * kept.MOST_SENTENCES  # each once
    held = [stage.has(f"Sentence {n}.", speaker) for speaker in speakers for n in range(40)]
    assert sum(held) == 5


def test_what_is_no_longer_wanted_is_forgotten() -> None:
    stage = Stage([OWN, ANNA])
    stage.keeping.keep(["Yes."])

    async def story() -> None:
        await asyncio.sleep(30)
        stage.speakers.remove(ANNA)
        stage.keeping.keep(["No."])
        await asyncio.sleep(30)

    played(stage, story)
    assert stage.has("No.")
    assert not stage.has("Yes.")
    assert not stage.has("Yes.", ANNA)
