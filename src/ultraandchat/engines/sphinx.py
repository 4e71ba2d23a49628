"""The small offline recogniser (pocketsphinx) as a `Transcriber`: captions at once, final words after.

While the user speaks, a stream worker writes captions. At the first pause the sound goes to a final
worker: a whole phrase of the skills' grammar wins at once; else a second pass with the language model
goes over it, and has until a deadline after the turn's end. Then the streamed words are taken.
"""

import asyncio
import contextlib
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from ultraandchat.audio.frame import HEARING_RATE, Pcm16, Samples
from ultraandchat.engines.base import EngineError, EngineStatus, EngineUnavailable, Transcript
from ultraandchat.engines.settings import SphinxSettings
from ultraandchat.engines.sphinx_captions import Captions, Spoken
from ultraandchat.engines.worker import Begun, Worker, WorkerSpec, nobody, one_error, open_workers
from ultraandchat.engines.worker_status import engine_status
from ultraandchat.turn.events import Utterance

MODELS = "ultraandchat.engines.sphinx_model"

STEP = HEARING_RATE // 10
"""Samples of the second pass between two looks whether it is still wanted: 40 ms of work, 300 at worst."""

LAST_RESORT_S = 2.0
"""Beyond the deadline, when there are no streamed words to take: for either recogniser to finish."""


class FinalWorker:
    """Grammar at any time; second passes one after another, with grammar in between."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._second = asyncio.Lock()
        self.busy = 0
        """Utterances it is at work on, or that wait for it."""

    async def find(self, pcm: Pcm16, whole: Callable[[str, float], bool]) -> Transcript:
        """The final words; `whole` says of the grammar's words and score whether to believe them."""
        self.busy += 1
        try:
            text, score, mean = await self._worker.ask("grammar", pcm)
            if whole(text, score):
                return Transcript(text, "grammar")
            async with self._second:
                return Transcript(await self._second_pass(pcm, mean), "second pass")
        finally:
            self.busy -= 1

    async def _second_pass(self, pcm: Pcm16, mean: str) -> str:
        await self._worker.ask("begin", mean)
        for start in range(0, len(pcm), STEP):
            await self._worker.ask("feed", pcm[start : start + STEP])
        return str(await self._worker.ask("finish"))


class SphinxStream:
    """One conversation's ear for words."""

    def __init__(
        self,
        captions: Captions,
        find: Callable[[Pcm16], Awaitable[Transcript]],
        deadline_s: float,
    ) -> None:
        self._captions = captions
        self._find = find
        self._deadline_s = deadline_s
        self._hurried = asyncio.Event()

    def begin(self) -> None:
        self._hurried = asyncio.Event()  # the one before may still be waited for
        self._captions.begin()

    def feed(self, samples: Samples) -> None:
        self._hurried.clear()
        self._captions.feed(samples)

    def hurry(self) -> None:
        self._hurried.set()
        self._captions.end()

    async def transcribe(self, utterance: Utterance) -> Transcript:
        """The final words; the streamed ones where those are late; empty when nobody heard any.

        Another utterance may begin meanwhile; the streamed words are those of the one under way now.
        """
        streamed = self._fall_back(self._hurried, self._captions.spoken)
        async with asyncio.TaskGroup() as group:
            finding = group.create_task(self._try_to_find(utterance.pcm), name="final words")
            falling_back = group.create_task(streamed, name="streamed words")
            try:
                # No timeout: the end of the turn comes, and `_fall_back` counts from there.
                await asyncio.wait({finding, falling_back}, return_when=asyncio.FIRST_COMPLETED)
                found = finding.result() if finding.done() else None
                words = found if isinstance(found, Transcript) else await falling_back
            finally:
                finding.cancel()
                falling_back.cancel()
        if isinstance(found, EngineError) and not words.text:
            raise found
        return words

    async def aclose(self) -> None:
        self._captions.close()

    async def _try_to_find(self, pcm: Pcm16) -> Transcript | EngineError:
        """An error is an answer here: a task group would wrap it."""
        try:
            return await self._find(pcm)
        except EngineError as error:
            return error

    async def _fall_back(self, hurried: asyncio.Event, spoken: Spoken) -> Transcript:
        """The streamed words, once the second pass has had its time."""
        await hurried.wait()
        await asyncio.sleep(self._deadline_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_RESORT_S):
                await spoken.written.wait()
                if not spoken.words:
                    await asyncio.sleep(LAST_RESORT_S)
        return Transcript(spoken.words or "", "stream")


class SphinxTranscriber:
    """Made by `open_sphinx`; shared by all conversations."""

    def __init__(
        self,
        settings: SphinxSettings,
        is_complete: Callable[[str], bool],
        streams: Sequence[Worker],
        finals: Sequence[Worker],
        group: asyncio.TaskGroup,
    ) -> None:
        self._settings = settings
        self._is_complete = is_complete
        self._streams = streams
        self._finals = tuple(FinalWorker(worker) for worker in finals)
        self._all = (*streams, *finals)
        self._group = group
        self._opened = 0
        self._writing: dict[asyncio.Task[None], Worker] = {}

    def open(self, on_partial: Callable[[str], None]) -> SphinxStream:
        """A conversation's ear, pinned to the stream worker that has the fewest."""
        self._opened += 1
        pinned = list(self._writing.values())
        worker = min(self._streams, key=pinned.count)
        captions = Captions(worker, self._opened, on_partial)
        task = self._group.create_task(captions.run(), name=f"captions {self._opened}")
        self._writing[task] = worker
        task.add_done_callback(lambda task: self._writing.pop(task, None))
        return SphinxStream(captions, self._find, self._settings.deadline_ms / 1000)

    def statuses(self) -> tuple[EngineStatus, ...]:
        """One for each process."""
        return tuple(_status(worker) for worker in self._all)

    def pids(self) -> dict[str, int | None]:
        """Process of each worker by its name."""
        return {worker.spec.name: worker.pid for worker in self._all}

    def stop(self) -> None:
        """End what conversations have left behind."""
        for task in list(self._writing):
            task.cancel()

    async def _find(self, pcm: Pcm16) -> Transcript:
        worker = min(self._finals, key=lambda final: final.busy)
        return await worker.find(pcm, self._believes)

    def _believes(self, text: str, score: float) -> bool:
        return score >= self._settings.grammar_threshold and self._is_complete(text)


@asynccontextmanager
async def open_sphinx(
    settings: SphinxSettings,
    jsgf: str,
    is_complete: Callable[[str], bool],
    begun: Begun = nobody,
) -> AsyncIterator[SphinxTranscriber]:
    """The recogniser with its processes. `is_complete` says of the grammar's words whether they are a
    whole phrase of `jsgf`: pocketsphinx gives half ones as well, with scores as good.

    `EngineUnavailable` when it cannot run here, `EngineError` when a model does not load.
    """
    if importlib.util.find_spec("pocketsphinx") is None:
        raise EngineUnavailable(
            "sphinx", "pocketsphinx is not installed", 'pip install "ultraandchat[demo]"'
        )
    streams = _specs("stream", settings.stream_workers, {})
    finals = _specs("final", settings.final_workers, {"jsgf": jsgf})
    async with open_workers(*streams, *finals, begun=begun) as workers:
        with one_error():
            async with asyncio.TaskGroup() as group:
                captions, words = workers[: len(streams)], workers[len(streams) :]
                transcriber = SphinxTranscriber(settings, is_complete, captions, words, group)
                try:
                    yield transcriber
                finally:
                    transcriber.stop()


def _specs(task: str, count: int, arguments: dict[str, str]) -> list[WorkerSpec]:
    factory = f"{MODELS}:open_{task}_model"
    return [
        WorkerSpec(f"sphinx-{task}-{number}", factory, arguments) for number in range(1, count + 1)
    ]


def _status(worker: Worker) -> EngineStatus:
    task = "captions" if worker.spec.name.startswith("sphinx-stream") else "final words"
    return engine_status("transcriber", worker.spec.name, task, worker.status())
