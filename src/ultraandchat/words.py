"""The user's words beside the conversation: captions while they speak, one transcript for all who ask."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ultraandchat.audio.frame import AudioFrame, Samples
from ultraandchat.engines.base import EngineError, Transcriber, Transcript
from ultraandchat.turn.events import TurnId, UserTurn, Utterance

Spawn = Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]
"""Starts a child of the session's TaskGroup under a name."""


class Words:
    """One conversation's transcripts. Without a transcriber there are no captions, and asking fails."""

    def __init__(
        self,
        transcriber: Transcriber | None,
        spawn: Spawn,
        *,
        on_partial: Callable[[TurnId, str], None],
        on_final: Callable[[TurnId, Transcript], None],
    ) -> None:
        self._spawn = spawn
        self._on_partial = on_partial
        self._on_final = on_final
        self._turn: TurnId | None = None  # whose words are being written down
        self._settled: TurnId | None = None  # its final words are told; captions that lag are stale
        self._fed_to = 0
        self._finals: dict[TurnId, tuple[asyncio.Task[None], asyncio.Future[Transcript]]] = {}
        self._stream = transcriber.open(self._partial) if transcriber else None

    def begin(self, turn: TurnId, start: int, *, joins: bool) -> int:
        """A turn's speech began at media position `start`; returns from where on to feed it."""
        self._turn = turn
        if self._stream is None:
            return start
        if not joins:
            self._stream.begin()
            self._fed_to = start
        return self._fed_to

    def feed(self, samples: Samples, end: int) -> None:
        """More of the turn's sound, 16 kHz, up to media position `end`."""
        if self._turn is not None and self._stream is not None and end > self._fed_to:
            self._stream.feed(samples)
            self._fed_to = end

    def hear(self, window: AudioFrame) -> None:
        """The next window, if somebody is being written down."""
        self.feed(window.samples, window.end)

    def end(self) -> TurnId | None:
        """The turn is over: no more sound, and its transcript is awaited. Returns whose words it were."""
        turn, self._turn = self._turn, None
        if self._stream is not None:
            self._stream.hurry()
        return turn

    def final(self, said: UserTurn) -> Callable[[], Awaitable[Transcript]]:
        """Ask for the transcript of `said`, once; the answer is for whoever calls the result."""
        if not isinstance(said, Utterance):
            return _known(Transcript(said.text, "typed"))
        if self._stream is None:
            return _missing
        if said.turn in self._finals:
            self.drop(said.turn)
        future: asyncio.Future[Transcript] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda f: f.cancelled() or f.exception())  # asked by nobody: fine
        task = self._spawn(self._transcribe(said, future), f"words {said.turn}")
        self._finals[said.turn] = (task, future)
        return lambda: asyncio.shield(future)

    def drop(self, turn: TurnId) -> None:
        """The user went on: that transcript is of half a sentence."""
        self._settled = None
        if (found := self._finals.pop(turn, None)) is not None:
            task, future = found
            task.cancel()
            future.cancel()

    def forget(self) -> None:
        """No transcript that is still being made is told any more."""
        for turn in tuple(self._finals):
            self.drop(turn)

    async def aclose(self) -> None:
        if self._stream is not None:
            await self._stream.aclose()

    async def _transcribe(self, said: Utterance, future: asyncio.Future[Transcript]) -> None:
        assert self._stream is not None
        try:
            transcript = await self._stream.transcribe(said)
        except EngineError as error:
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(transcript)
                self._settled = said.turn
                self._on_final(said.turn, transcript)
        finally:
            if self._finals.get(said.turn, (None, None))[1] is future:
                del self._finals[said.turn]

    def _partial(self, text: str) -> None:
        if self._turn is not None and self._turn != self._settled:
            self._on_partial(self._turn, text)


def _known(transcript: Transcript) -> Callable[[], Awaitable[Transcript]]:
    async def words() -> Transcript:
        return transcript

    return words


async def _missing() -> Transcript:
    raise EngineError("transcriber", "nobody here can write down what you say")
