"""Chatterbox over its worker's process, flite standing for the model. Real time."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from tests.engines.contract import SpeechContract, collected, sound_of
from tests.support.serving import eventually
from tests.support.token_streams import TEXT
from ultraandchat.audio.frame import Samples
from ultraandchat.engines.base import (
    EngineError,
    EngineLost,
    EngineOverloaded,
    EngineUnavailable,
    Manner,
    Voice,
)
from ultraandchat.engines.chatterbox.engine import Chatterbox, kept_up, open_chatterbox
from ultraandchat.engines.chatterbox.known import LOST
from ultraandchat.engines.chatterbox.settings import ChatterboxSettings
from ultraandchat.engines.chatterbox.variants import TAGS
from ultraandchat.engines.weights.settings import HubSettings
from ultraandchat.engines.worker import Worker, WorkerSpec, open_worker

FAKE = "tests.support.flite_chatterbox:open_model"
PATIENCE_S = 30.0
LONG = "This sentence has a good many words in it, so that it is heard for a while. "

pytestmark = pytest.mark.usefixtures("fakes_can_be_imported", "looks_often")


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is to be kept."""
    monkeypatch.setattr("ultraandchat.engines.chatterbox.kept.LOOK_S", 0.05)


@dataclass
class File:
    name: str
    path: Path
    fault: str = ""
    changed: int = 0


@dataclass
class Files:
    """A folder of clips that tests change."""

    files: list[File] = field(default_factory=list)

    def voices(self) -> list[File]:
        return self.files


@dataclass
class Speaking:
    engine: Chatterbox
    worker: Worker
    folder: Files

    async def log(self) -> list[str]:
        """What the model did."""
        found: list[str] = await self.worker.ask("log")
        return found

    async def all_kept(self, *names: str) -> None:
        """Wait until the apology is ready in these voices."""
        error = EngineLost("chatterbox", "")
        for name in names or ("",):
            await eventually(
                lambda name=name: self.engine.known.apology(error, Voice(name)) == LOST
            )  # type: ignore[misc]


@asynccontextmanager
async def chatterbox(
    tmp_path: Path, *, pause_s: float = 0.01, wait_s: float = PATIENCE_S, **changes: object
) -> AsyncIterator[Speaking]:
    settings = replace(ChatterboxSettings(), **changes)  # type: ignore[arg-type]
    spec = WorkerSpec(
        "chatterbox",
        FAKE,
        {"checkpoint": "", "store": str(tmp_path / "store"), "slots": settings.slots},
        at_once=settings.slots,
        max_jobs=4 * settings.slots,
        first_pause_s=pause_s,
        wait_s=wait_s,
    )
    folder = Files()
    async with (
        asyncio.timeout(2 * PATIENCE_S),
        open_worker(spec) as worker,
        kept_up(worker, settings, folder) as engine,
    ):
        yield Speaking(engine, worker, folder)


def a_clip(tmp_path: Path, name: str) -> File:
    """A file that the stand-in reads as a reference clip."""
    path = tmp_path / f"{name}.wav"
    path.write_text(name)
    return File(name, path)


def kill(worker: Worker) -> None:
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)


class TestContract(SpeechContract):
    @pytest_asyncio.fixture
    async def speech(self, tmp_path: Path) -> AsyncIterator[Chatterbox]:
        async with chatterbox(tmp_path) as speaking:
            speaking.folder.files = [a_clip(tmp_path, "anna")]
            yield speaking.engine


async def test_a_request_says_all_about_the_clause(tmp_path: Path) -> None:
    async with chatterbox(
        tmp_path, variant="original", temperature=0.5, exaggeration=0.7, seed=3
    ) as speaking:
        clip = a_clip(tmp_path, "anna")
        speaking.folder.files = [clip]
        await sound_of(speaking.engine, "Hello [laugh] there.", Voice("anna", 9.0))
        asked = (await speaking.worker.ask("asked"))[-1]
    assert asked == {
        "text": "Hello laugh there.",
        "language": "en",
        "voice": "anna",
        "clip": str(clip.path),
        "speed": 2.0,
        "temperature": 0.5,
        "exaggeration": 0.7,
        "guidance": None,
        "seed": 3,
    }


@pytest.mark.parametrize(
    ("settings", "manner"),
    [
        ({}, Manner("en", frozenset(TAGS), fewest_words=3, most_characters=200)),
        (
            {"variant": "multilingual", "language": "de"},
            Manner("de", frozenset(), fewest_words=3, most_characters=200),
        ),
        (
            {"variant": "multilingual", "language": "zh"},
            Manner("zh", frozenset(), fewest_words=3, most_characters=65),
        ),
    ],
)
async def test_it_says_what_text_it_wants(
    tmp_path: Path, settings: dict[str, str], manner: Manner
) -> None:
    async with chatterbox(tmp_path, **settings) as speaking:
        assert speaking.engine.manner(Voice("whichever")) == manner


async def test_turbo_keeps_the_tags_that_it_knows(tmp_path: Path) -> None:
    async with chatterbox(tmp_path) as speaking:
        await sound_of(speaking.engine, "Hello [Laugh] there [applause].")
        assert (await speaking.worker.ask("asked"))[-1]["text"] == "Hello [laugh] there applause ."


async def test_the_voices_are_those_of_the_folder_as_it_is_now(tmp_path: Path) -> None:
    async with chatterbox(tmp_path) as speaking:
        engine, folder = speaking.engine, speaking.folder
        assert engine.voices == ("default",)
        folder.files = [
            a_clip(tmp_path, "anna"),
            File("bert", tmp_path / "bert.wav", "it is silent"),
        ]
        assert engine.voices == ("default", "anna")
        own, anna = [await sound_of(engine, "Good morning.", Voice(v)) for v in engine.voices]
        assert len(own) != len(anna)
        with pytest.raises(EngineError, match="bert is of no use: it is silent"):
            await sound_of(engine, "Good morning.", Voice("bert"))
        folder.files = []
        with pytest.raises(EngineError, match="no voice anna"):
            await sound_of(engine, "Good morning.", Voice("anna"))


async def test_verdicts_are_counted_and_nothing_of_them_is_heard(tmp_path: Path) -> None:
    async with chatterbox(tmp_path) as speaking:
        assert speaking.engine.status().verdicts == ()
        for _ in range(2):
            blocks = await collected(speaking.engine.synthesize("You babble.", Voice()))
            assert all(isinstance(block, np.ndarray) for block in blocks)
        assert speaking.engine.status().verdicts == (("loop", 2), ("tail", 2))


async def test_sentences_known_in_advance_are_spoken_while_there_is_no_model(
    tmp_path: Path,
) -> None:
    async with chatterbox(tmp_path, pause_s=PATIENCE_S, wait_s=0.0) as speaking:
        engine = speaking.engine
        speaking.folder.files = [a_clip(tmp_path, "anna")]
        engine.known.keep(["Good day to you. How are you?"])
        await speaking.all_kept("", "anna")
        await eventually(lambda: engine.known.ready("How are you?", Voice("anna")))
        usual = await sound_of(engine, "How are you?", Voice("anna"))
        kill(speaking.worker)
        await eventually(lambda: speaking.worker.pid is None)
        kept = await sound_of(engine, "How are you?", Voice("anna"))
        assert np.array_equal(kept, usual)
        assert np.array_equal(await sound_of(engine, "How are you?", Voice("anna", 1.5)), usual)
        with pytest.raises(EngineLost, match="restarted"):
            await sound_of(engine, "Nobody knew this one.", Voice("anna"))


async def test_a_process_that_dies_has_its_voices_again_from_the_disk(tmp_path: Path) -> None:
    async with chatterbox(tmp_path) as speaking:
        speaking.folder.files = [a_clip(tmp_path, "anna")]
        before = await sound_of(speaking.engine, LONG, Voice("anna"))
        with pytest.raises(EngineLost, match="exit code 134"):
            await sound_of(speaking.engine, "Now it will crash. " * 4, Voice("anna"))
        await eventually(lambda: speaking.worker.pid is not None)
        assert np.array_equal(await sound_of(speaking.engine, LONG, Voice("anna")), before)
        log = await speaking.log()
        assert "loaded: anna" in log
        assert "prepared: anna" not in log
        assert speaking.engine.status().restarts == 1


async def test_voices_are_prepared_anew_without_being_asked(tmp_path: Path) -> None:
    async with chatterbox(tmp_path) as speaking:
        speaking.folder.files = [a_clip(tmp_path, "anna")]
        await speaking.all_kept("anna")
        kill(speaking.worker)
        await eventually(lambda: speaking.worker.status().restarts == 1)
        await eventually(lambda: speaking.worker.pid is not None)
        async with asyncio.timeout(PATIENCE_S):
            while "loaded: anna" not in await speaking.log():
                await asyncio.sleep(0.05)
        assert not any(line.startswith("begin") for line in await speaking.log())


async def test_keeping_gives_way_to_whoever_wants_to_speak(tmp_path: Path) -> None:
    async with chatterbox(tmp_path, slots=1) as speaking:
        speaking.engine.known.keep(["This one is endless."])
        async with asyncio.timeout(PATIENCE_S):
            while speaking.worker.status().running == 0:
                await asyncio.sleep(0.01)
        assert len(await sound_of(speaking.engine, "Yes.")) > 0


async def test_a_sentence_that_costs_the_process_its_life_is_given_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ultraandchat")
    async with chatterbox(tmp_path) as speaking:
        speaking.engine.known.keep(["Now they crash.", "Good day to you.", "Now you babble."])
        await eventually(lambda: caplog.text.count("a sentence is not kept") == 2)
        await eventually(lambda: speaking.engine.known.ready("Good day to you.", Voice()))
        assert speaking.engine.status().restarts == 3
    assert "crash" not in caplog.text
    assert "babble" not in caplog.text


async def test_another_clip_under_the_same_name_is_another_voice(tmp_path: Path) -> None:
    async with chatterbox(tmp_path) as speaking:
        clip = a_clip(tmp_path, "anna")
        speaking.folder.files = [clip]
        await speaking.all_kept("anna")
        clip.changed = 1
        assert speaking.engine.known.apology(EngineLost("chatterbox", ""), Voice("anna")) == ""
        await speaking.all_kept("anna")


async def test_an_apology_is_for_a_lost_process_only(tmp_path: Path) -> None:
    async with chatterbox(tmp_path) as speaking:
        await speaking.all_kept()
        engine = speaking.engine
        assert engine.known.apology(EngineLost("ultravox", "its model hangs"), Voice()) == ""
        assert engine.known.apology(EngineError("chatterbox", "no"), Voice()) == ""
        assert engine.known.apology(EngineLost("chatterbox", "it hangs"), Voice("nobody")) == ""
    async with chatterbox(tmp_path, variant="multilingual", language="de") as speaking:
        assert speaking.engine.known.apology(EngineLost("chatterbox", ""), Voice()) == ""


async def test_several_take_turns_block_by_block(tmp_path: Path) -> None:
    """Two on two places that begin together: neither is ever two blocks ahead of the other. Where they are made;
    how soon each is read is this process's business."""
    names, said = ("anna", "bert"), f"slow {LONG * 2}"
    async with chatterbox(tmp_path, slots=2) as speaking:
        worker = speaking.worker
        speaking.folder.files = [a_clip(tmp_path, name) for name in names]
        await speaking.all_kept(*names)
        await eventually(lambda: worker.status().running == 0)
        before = len(await speaking.log())
        async with asyncio.TaskGroup() as group:
            holding = group.create_task(worker.ask("hold"))
            heard = [
                group.create_task(collected(speaking.engine.synthesize(said, Voice(name))))
                for name in names
            ]
            await eventually(lambda: worker.status().running + worker.status().waiting == 3)
            holding.cancel()
        log = (await speaking.log())[before:]
    made = [line.removeprefix("block: ") for line in log if line.startswith("block: ")]
    assert [len(one.result()) for one in heard] == [made.count(name) for name in names]
    assert made.count("anna") == made.count("bert") >= 4
    for end in range(len(made)):
        ahead = made[:end].count("anna") - made[:end].count("bert")
        assert abs(ahead) <= 2


async def test_who_waits_for_a_place_gets_it_though_the_reader_before_pauses(
    tmp_path: Path,
) -> None:
    """A clause is made to its end while it is heard, and its place is free."""
    async with (
        chatterbox(tmp_path, slots=1) as speaking,
        aclosing(speaking.engine.synthesize(LONG, Voice())) as paused,
    ):
        await anext(paused)
        assert len(await sound_of(speaking.engine, "Yes.")) > 0


async def test_more_than_it_can_bear_are_refused_at_once(tmp_path: Path) -> None:
    async with chatterbox(tmp_path, slots=1) as speaking, asyncio.TaskGroup() as group:
        await speaking.all_kept()
        # Until they have been counted, none comes to its end.
        first = speaking.engine.synthesize("slow and endless.", Voice())
        await anext(first)
        waiting = [group.create_task(sound_of(speaking.engine, f"slow {LONG}")) for _ in range(3)]
        await eventually(lambda: speaking.worker.status().waiting == 3)
        with pytest.raises(EngineOverloaded, match="too much to do"):
            await sound_of(speaking.engine, "Yes.")
        status = speaking.engine.status()
        assert (status.running, status.waiting) == (1, 3)
        await first.aclose()
        sounds: list[Samples] = [await one for one in waiting]
    assert all(len(sound) == len(sounds[0]) for sound in sounds)


async def test_leaving_ends_the_job_within_a_step(tmp_path: Path) -> None:
    async with chatterbox(tmp_path) as speaking:
        async with aclosing(speaking.engine.synthesize("slow and endless.", Voice())) as blocks:
            await anext(blocks)
        await eventually(lambda: speaking.worker.status().running == 0)
        assert "closed: slow and endless." in await speaking.log()


async def test_what_the_model_prints_and_says_is_no_line_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ultraandchat")
    # Without another life of its process, of whose end one line would tell, too.
    async with chatterbox(tmp_path, pause_s=PATIENCE_S) as speaking:
        await sound_of(speaking.engine, "A walnut.")
        with pytest.raises(EngineLost):
            await sound_of(speaking.engine, "Another walnut, and then crash.")
    assert "walnut" not in caplog.text
    assert "Sampling" not in caplog.text
    assert [r.levelname for r in caplog.records if "jobs lost" in r.getMessage()] == ["INFO"]


async def test_at_debug_it_tells_what_a_clause_took_and_nothing_of_its_text(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "ultraandchat")
    async with chatterbox(tmp_path) as speaking:
        await sound_of(speaking.engine, "Good day.")
    (spoke,) = [r for r in caplog.records if r.getMessage() == "chatterbox: spoke"][:1]
    assert spoke.fields["attempts"] == 1  # type: ignore[attr-defined]
    assert "Good day" not in repr(spoke.fields)  # type: ignore[attr-defined]


async def test_without_the_package_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ultraandchat.engines.chatterbox.engine.installed", dict)
    with pytest.raises(EngineUnavailable, match=r"is not installed.*\[gpu\].*--no-deps chatterbox"):
        async with open_chatterbox(ChatterboxSettings(), HubSettings()):
            pass


async def test_its_status_names_the_variant_and_no_secret(tmp_path: Path) -> None:
    settings = ChatterboxSettings(checkpoint="/secret/place/mine", voices=str(tmp_path))
    async with open_chatterbox(settings, HubSettings(token="secret"), factory=FAKE) as engine:
        status = engine.status()
        assert len(await sound_of(engine, "Yes.")) > 0
    assert (status.kind, status.name, status.state) == ("speech", "chatterbox", "ready")
    assert status.detail == "Chatterbox turbo (mine)"
    assert "secret" not in repr(status)


async def test_the_workers_own_class_is_understood(tmp_path: Path) -> None:
    """All of it but the models: T3 writes what it is told, and its sound is made up."""
    factory = "tests.support.chatterbox_bench:open_model"
    settings = ChatterboxSettings(voices=str(tmp_path), seed=1)
    async with open_chatterbox(settings, HubSettings(), factory=factory) as engine:
        await eventually(lambda: engine.known.ready(LOST, Voice()))
        sound = await sound_of(engine, TEXT)
        assert engine.status().verdicts == (("tail", 1),)
        again = await sound_of(engine, TEXT)
        assert await sound_of(engine, "😀 …") is not None
    seconds = len(TEXT) / 15
    assert len(sound) / engine.rate == pytest.approx(seconds, rel=0.2)
    assert len(again) / engine.rate == pytest.approx(seconds, rel=0.2)
