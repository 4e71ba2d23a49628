"""The offline recogniser: which words win and when (virtual time), and recorded speech (real)."""

import asyncio
import json
import os
import signal
import wave
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.clock import run_virtually
from tests.support.serving import eventually
from ultraandchat.audio.frame import HEARING_RATE, WINDOW, Pcm16, from_pcm16
from ultraandchat.engines.base import EngineError, EngineUnavailable, Transcript
from ultraandchat.engines.settings import SphinxSettings
from ultraandchat.engines.sphinx import SphinxStream, SphinxTranscriber, open_sphinx
from ultraandchat.engines.sphinx_captions import BACKLOG, Captions
from ultraandchat.turn.events import TurnId, Utterance

SPEECH = Path(__file__).parents[1] / "data" / "speech"
JSGF = """#JSGF V1.0;
grammar test;
public <all> = go forward ten meters | what time is it | set a timer for five minutes;
"""
PHRASES = {"go forward ten meters", "what time is it", "set a timer for five minutes"}
DEADLINE_S = 0.3
PATIENT_MS = 20_000
"""A deadline that the second pass keeps on a busy machine, too."""
FINAL = Transcript("the final words", "second pass")


def utterance(pcm: Pcm16 | None = None) -> Utterance:
    sound = np.zeros(HEARING_RATE, np.int16) if pcm is None else pcm
    return Utterance(TurnId(1), sound, 0, len(sound), 0.0)


def seconds(length: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.zeros(round(length * HEARING_RATE), np.float32)


class StreamWorker:
    """Stands for the process: hears one word in every 100 ms, as slowly as it is told."""

    def __init__(self, delay_s: float = 0.0) -> None:
        self.delay_s = delay_s
        self.broken = False
        self.asked: list[str] = []
        self.means: list[str] = []
        self._samples = 0

    async def ask(self, method: str, stream: int, *arguments: Any) -> Any:
        self.asked.append(method)
        await asyncio.sleep(self.delay_s)
        if self.broken:
            raise EngineError("sphinx", "it was killed")
        if method == "begin":
            self.means.append(arguments[0])
            self._samples = 0
        if method == "feed":
            self._samples += len(arguments[0])
        words = " ".join(f"w{n}" for n in range(self._samples // 1600))
        return (words, f"mean {len(self.means)}") if method == "finish" else words


class Ear:
    """One conversation's stream over a worker that is none, with final words as the test says."""

    def __init__(self, worker: StreamWorker, final: Callable[[], Coroutine[Any, Any, Transcript]]):
        self.partials: list[str] = []
        self.captions = Captions(worker, 1, self.partials.append)  # type: ignore[arg-type]
        self.stream = SphinxStream(self.captions, lambda pcm: final(), DEADLINE_S)


def story(
    tell: Callable[[Ear], Coroutine[Any, Any, None]],
    *,
    worker: StreamWorker | None = None,
    final_s: float = 0.0,
    final: Transcript | EngineError = FINAL,
) -> None:
    """Run `tell` in virtual time, where the final words take `final_s`."""

    async def late() -> Transcript:
        await asyncio.sleep(final_s)
        if isinstance(final, EngineError):
            raise final
        return final

    async def run() -> None:
        ear = Ear(worker or StreamWorker(), late)
        async with asyncio.TaskGroup() as group:
            group.create_task(ear.captions.run())
            await tell(ear)
            await ear.stream.aclose()

    run_virtually(run())


def test_partials_come_while_they_change() -> None:
    async def tell(ear: Ear) -> None:
        ear.stream.begin()
        for _ in range(4):
            ear.stream.feed(seconds(0.1))
            await asyncio.sleep(0.1)
        assert ear.partials == ["w0", "w0 w1", "w0 w1 w2", "w0 w1 w2 w3"]

    story(tell)


def test_sound_goes_to_the_worker_in_pieces_of_a_tenth_of_a_second() -> None:
    worker = StreamWorker()

    async def tell(ear: Ear) -> None:
        ear.stream.begin()
        for _ in range(31):  # 992 ms
            ear.stream.feed(np.zeros(WINDOW, np.float32))
            await asyncio.sleep(0.032)
        assert worker.asked.count("feed") <= 10

    story(tell, worker=worker)


def test_final_words_that_are_ready_need_not_wait_for_the_turns_end() -> None:
    async def tell(ear: Ear) -> None:
        ear.stream.begin()
        ear.stream.feed(seconds(1.0))
        assert (await ear.stream.transcribe(utterance())).source == "second pass"

    story(tell, final_s=0.5)


def test_after_the_deadline_the_streamed_words_are_taken() -> None:
    async def tell(ear: Ear) -> None:
        loop = asyncio.get_running_loop()
        ear.stream.begin()
        ear.stream.feed(seconds(0.2))
        async with asyncio.TaskGroup() as group:
            words = group.create_task(ear.stream.transcribe(utterance()))
            await asyncio.sleep(0.4)
            ended = loop.time()
            ear.stream.hurry()
        assert words.result() == Transcript("w0 w1", "stream")
        assert loop.time() - ended == pytest.approx(DEADLINE_S)

    story(tell, final_s=60.0)


def test_a_second_pass_within_the_deadline_wins() -> None:
    async def tell(ear: Ear) -> None:
        ear.stream.begin()
        ear.stream.feed(seconds(0.2))
        ear.stream.hurry()
        assert (await ear.stream.transcribe(utterance())).source == "second pass"

    story(tell, final_s=DEADLINE_S - 0.01)


def test_without_streamed_words_the_second_pass_has_longer() -> None:
    async def tell(ear: Ear) -> None:
        ear.stream.begin()
        ear.stream.hurry()
        assert (await ear.stream.transcribe(utterance())).source == "second pass"

    story(tell, final_s=2.0)


def test_when_neither_understands_a_word_the_words_are_empty() -> None:
    async def tell(ear: Ear) -> None:
        ear.stream.begin()
        ear.stream.hurry()
        assert (await ear.stream.transcribe(utterance())).text == ""

    story(tell, final_s=60.0)


def test_an_utterance_that_begins_meanwhile_keeps_its_words_to_itself() -> None:
    async def tell(ear: Ear) -> None:
        ear.stream.begin()
        ear.stream.feed(seconds(0.2))
        await asyncio.sleep(0.4)
        ear.stream.hurry()
        async with asyncio.TaskGroup() as group:
            first = group.create_task(ear.stream.transcribe(utterance()))
            await asyncio.sleep(DEADLINE_S / 2)
            ear.stream.begin()
            ear.stream.feed(seconds(0.5))
        assert first.result() == Transcript("w0 w1", "stream")

    story(tell, final_s=60.0)


def test_a_slow_stream_is_waited_for_after_the_deadline() -> None:
    async def tell(ear: Ear) -> None:
        ear.stream.begin()
        ear.stream.feed(seconds(0.1))
        ear.stream.hurry()
        assert (await ear.stream.transcribe(utterance())).text == "w0"

    story(tell, worker=StreamWorker(delay_s=0.4), final_s=60.0)


def test_streamed_words_stand_in_for_a_second_pass_that_failed() -> None:
    async def tell(ear: Ear) -> None:
        ear.stream.begin()
        ear.stream.feed(seconds(0.2))
        ear.stream.hurry()
        assert await ear.stream.transcribe(utterance()) == Transcript("w0 w1", "stream")

    story(tell, final=EngineError("sphinx", "it was killed"))


def test_when_both_fail_the_error_is_told() -> None:
    worker = StreamWorker()
    worker.broken = True

    async def tell(ear: Ear) -> None:
        ear.stream.begin()
        ear.stream.feed(seconds(0.2))
        ear.stream.hurry()
        with pytest.raises(EngineError, match="killed"):
            await ear.stream.transcribe(utterance())

    story(tell, worker=worker, final=EngineError("sphinx", "it was killed"))


def test_a_lost_stream_costs_the_captions_of_that_utterance_only() -> None:
    worker = StreamWorker()

    async def tell(ear: Ear) -> None:
        ear.stream.begin()
        ear.stream.feed(seconds(0.2))
        await asyncio.sleep(0.1)
        worker.broken = True
        ear.stream.feed(seconds(0.2))
        await asyncio.sleep(0.1)
        worker.broken = False
        ear.stream.feed(seconds(0.2))
        await asyncio.sleep(0.1)
        assert ear.captions.spoken.words is None
        ear.stream.begin()
        ear.stream.feed(seconds(0.1))
        await asyncio.sleep(0.1)
        assert ear.captions.spoken.words == "w0"

    story(tell, worker=worker)


def test_sound_beyond_the_backlog_is_dropped_counted_and_spoils_the_captions() -> None:
    async def tell(ear: Ear) -> None:
        ear.stream.begin()
        for _ in range(60):
            ear.stream.feed(seconds(0.1))
        assert ear.captions.spoken.words is None
        assert ear.captions.dropped > BACKLOG

    story(tell, worker=StreamWorker(delay_s=5.0))


def test_a_user_who_goes_on_after_the_end_continues_the_words() -> None:
    async def tell(ear: Ear) -> None:
        ear.stream.begin()
        ear.stream.feed(seconds(0.2))
        ear.stream.hurry()
        await asyncio.sleep(0.5)
        ear.stream.feed(seconds(0.1))
        await asyncio.sleep(0.5)
        assert ear.captions.spoken.words == "w0 w1 w0"
        assert ear.partials[-1] == "w0 w1 w0"

    story(tell)


def test_what_the_decoder_learnt_of_the_voice_goes_into_the_next_utterance() -> None:
    worker = StreamWorker()

    async def tell(ear: Ear) -> None:
        for _ in range(2):
            ear.stream.begin()
            ear.stream.feed(seconds(0.2))
            ear.stream.hurry()
            await asyncio.sleep(0.5)
        assert worker.means == ["", "mean 1"]

    story(tell, worker=worker)


def test_a_cancelled_transcription_leaves_nothing_behind() -> None:
    async def tell(ear: Ear) -> None:
        ear.stream.begin()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await ear.stream.transcribe(utterance())
        assert not [task for task in asyncio.all_tasks() if "words" in task.get_name()]

    story(tell, final_s=60.0)


async def test_without_pocketsphinx_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EngineUnavailable, match=r"ultraandchat\[demo\]"):
        async with open_sphinx(SphinxSettings(), JSGF, PHRASES.__contains__):
            pass


# Recorded speech through the real recogniser.


def clip(name: str) -> Pcm16:
    with wave.open(str(SPEECH / f"{name}.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


@asynccontextmanager
async def sphinx(**settings: Any) -> AsyncIterator[SphinxTranscriber]:
    async with (
        asyncio.timeout(100),
        open_sphinx(SphinxSettings(**settings), JSGF, PHRASES.__contains__) as transcriber,
    ):
        yield transcriber


def processor_s(pid: int) -> float:
    """What the process has used of it so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def say(stream: SphinxStream, pcm: Pcm16) -> Transcript:
    """As a session does, only as fast as the worker can bear."""
    stream.begin()
    samples = from_pcm16(pcm)
    for start in range(0, len(samples), WINDOW):
        stream.feed(samples[start : start + WINDOW])
        await asyncio.sleep(WINDOW / HEARING_RATE / 2)
    stream.hurry()
    return await stream.transcribe(utterance(pcm))


@pytest.mark.speech
async def test_phrases_of_the_grammar_are_understood_word_for_word() -> None:
    words = json.loads((SPEECH / "transcripts.json").read_text())
    async with sphinx(deadline_ms=5000) as transcriber:
        stream = transcriber.open(lambda text: None)
        for name in ("goforward", "synth_slt_what_time", "synth_kal16_timer"):
            expected = Transcript(words[f"{name}.wav"]["transcript"], "grammar")
            assert await stream.transcribe(utterance(clip(name))) == expected


@pytest.mark.speech
async def test_other_speech_gives_captions_and_some_text() -> None:
    partials: list[str] = []
    async with sphinx(deadline_ms=60_000) as transcriber:
        stream = transcriber.open(partials.append)
        transcript = await say(stream, clip("librivox_0930"))
    assert transcript.text
    assert transcript.source in {"second pass", "stream"}
    assert partials
    assert all(one != other for one, other in pairwise(partials))


@pytest.mark.speech
async def test_an_abandoned_second_pass_delays_nobody() -> None:
    """Not even one that uses the language model, too: its process has as much to do as without. (The abandoned one
    would take five times as much; seconds of its processor, which others on the machine change little.)"""
    async with sphinx(deadline_ms=60_000) as transcriber:
        long, short = transcriber.open(lambda text: None), transcriber.open(lambda text: None)
        pid = transcriber.pids()["sphinx-final-1"]
        assert pid is not None
        before = processor_s(pid)
        assert (await short.transcribe(utterance(clip("librivox_0930")))).text
        alone = processor_s(pid) - before
        async with asyncio.TaskGroup() as group:
            whole = group.create_task(long.transcribe(utterance(clip("libri_198"))))
            assert (await short.transcribe(utterance(clip("goforward")))).source == "grammar"
            assert not whole.done()
            whole.cancel()
        before = processor_s(pid)
        assert (await short.transcribe(utterance(clip("librivox_0930")))).text
        assert processor_s(pid) - before < 3 * alone


@pytest.mark.speech
@pytest.mark.parametrize("killed", ["sphinx-stream-1", "sphinx-final-1"])
async def test_a_killed_worker_costs_at_most_its_part_of_one_utterance(killed: str) -> None:
    async with sphinx(deadline_ms=PATIENT_MS) as transcriber:
        stream = transcriber.open(lambda text: None)
        pid = transcriber.pids()[killed]
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await say(stream, clip("goforward"))
        assert (await say(stream, clip("goforward"))).text == "go forward ten meters"
        await eventually(lambda: {status.state for status in transcriber.statuses()} == {"ready"})
        assert sum(status.restarts for status in transcriber.statuses()) == 1


@pytest.mark.speech
async def test_more_speakers_than_decoders_get_words_without_captions() -> None:
    async with sphinx(deadline_ms=20_000) as transcriber:
        streams = [transcriber.open(lambda text: None) for _ in range(5)]
        async with asyncio.TaskGroup() as group:
            said = [group.create_task(say(stream, clip("goforward"))) for stream in streams]
    assert {task.result().text for task in said} == {"go forward ten meters"}
