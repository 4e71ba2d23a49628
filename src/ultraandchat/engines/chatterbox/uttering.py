"""One utterance: T3 writes, the guard judges, and what it clears becomes sound.

A pass of T3 and a block of sound are one step each. Sound comes first whenever there are tokens for a block:
the listener waits for it, and nobody for T3.
"""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from ultraandchat.audio.frame import Samples, to_pcm16
from ultraandchat.engines.chatterbox.account import Account
from ultraandchat.engines.chatterbox.guard import GO, Do, Guard, Verdict
from ultraandchat.engines.chatterbox.habit import Habit
from ultraandchat.engines.chatterbox.pieces import rest_of
from ultraandchat.engines.chatterbox.request import Request
from ultraandchat.engines.chatterbox.roles import (
    Marking,
    PreparedVoice,
    Sounder,
    Token,
    Tokenizer,
    Writer,
)
from ultraandchat.engines.chatterbox.variants import SILENCE_TOKEN, STOP_TOKEN
from ultraandchat.engines.worker_wire import STEP, Stop

LEAD = 2
"""Tokens of silence before the first of speech, 80 ms. S3Gen has to begin somewhere."""

Steps: TypeAlias = Generator[Any, None, None]
"""Yields int16 blocks, `STEP` after passes that made none, and dicts."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What all utterances of one request have in common."""

    writer: Writer
    sounder: Sounder
    tokenizer: Tokenizer
    stop: Stop
    request: Request
    voice: PreparedVoice
    marking: Marking | None
    account: Account
    habit: Habit | None
    """The voice's; none where a seed shall make the same reply whatever was said before."""


class Utterance:
    """A text, spoken once."""

    def __init__(self, reply: Reply, text: str, seed: int) -> None:
        request = reply.request
        self._reply = reply
        self._text = text
        numbers = reply.tokenizer(text, request.language)
        self._guard = Guard(text, len(numbers), reply.habit)
        self._sounding = reply.sounder.open(reply.voice, seed, request.speed)
        # By its contract a generator: closed, it frees its place on the device wherever it stands.
        writing = reply.writer.write(reply.voice, numbers, request.taste, seed)
        self._writing = cast("Generator[Token, None, None]", writing)
        self._written: list[int] = []
        self._fed = 0
        self._begun = False
        """Whether there was a token of speech among those."""
        self._heard = False
        """Whether sound of it was handed out."""

    def steps(self, *, last: bool) -> Generator[Any, None, str]:
        """Speaks it. What has still to be said then: nothing, all of it or its rest. `last`: nothing, come
        what may."""
        stop = self._reply.stop
        with closing(self._writing):
            verdict, stopped = yield from self._write()
        if stop():
            return ""
        if verdict is not GO:
            yield {"verdict": verdict.reason}
        again = verdict.do is Do.RESPEAK and not last
        if again and not self._heard:
            return self._text
        self._feed(self._guard.cleared if verdict is GO else verdict.keep)
        yield from self._rest(cut=not stopped)
        if again and verdict.place is not None and not stop():
            return rest_of(self._text, verdict.place, self._count)
        return ""

    def _write(self) -> Generator[Any, None, tuple[Verdict, bool]]:
        """To the end of the tokens or to a verdict; and whether it stopped by itself."""
        reply, guard = self._reply, self._guard
        while not reply.stop():
            if self._sounding.ready:
                yield from self._block(self._sounding.block)
                continue
            with reply.account.writing():
                token = next(self._writing, None)
            if token is None:
                return guard.ran_out(), False
            stopped = token.number == STOP_TOKEN
            if not stopped:
                reply.account.tokens += 1
                self._written.append(token.number)
            verdict = guard.saw(token)
            if stopped or verdict is not GO:
                return verdict, stopped
            self._feed(guard.cleared)
            yield STEP
        return GO, False

    def _feed(self, end: int) -> None:
        """The tokens before `end` may be heard; of the silence before all else only `LEAD`: it is latency."""
        begin, self._fed = self._fed, max(self._fed, end)
        if not self._begun:
            while begin < end and self._written[begin] == SILENCE_TOKEN:
                begin += 1
            self._begun = begin < end
            begin -= min(LEAD, begin)
        if self._begun and begin < end:
            self._sounding.feed(self._written[begin:end])

    def _block(self, make: Callable[[], Samples | None]) -> Steps:
        """One step of sound."""
        reply = self._reply
        with reply.account.sounding():
            block = make()
            if block is not None and reply.marking is not None:
                block = reply.marking.mark(block)
        if block is None or not len(block):
            yield STEP
            return
        self._heard = True
        reply.account.made(len(block))
        yield to_pcm16(block)

    def _rest(self, *, cut: bool) -> Steps:
        with closing(cast("Generator[Samples, None, None]", self._sounding.rest(cut=cut))) as rest:
            over = False

            def make() -> Samples | None:
                nonlocal over
                block = next(rest, None)
                over = block is None
                return block

            while not over and not self._reply.stop():
                yield from self._block(make)

    def _count(self, part: str) -> int:
        return len(self._reply.tokenizer(part, self._reply.request.language))
