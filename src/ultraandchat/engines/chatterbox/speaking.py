"""Chatterbox in its worker process: a clause becomes tokens, judged as they are written, and sound.

Everything that computes stands behind the roles of `roles.py`; so this file knows no torch.
"""

import secrets
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from ultraandchat.engines.chatterbox.account import Account
from ultraandchat.engines.chatterbox.habit import Habits
from ultraandchat.engines.chatterbox.pieces import pieces
from ultraandchat.engines.chatterbox.request import OWN_VOICE, Request, require_clip
from ultraandchat.engines.chatterbox.roles import Sounder, Tokenizer, Voices, Watermark, Writer
from ultraandchat.engines.chatterbox.uttering import Reply, Steps, Utterance
from ultraandchat.engines.chatterbox.variants import Variant
from ultraandchat.engines.worker_wire import STEP, Stop

Explained: TypeAlias = Callable[[Steps], Steps]

MOST_AGAIN = 2
"""Times that a piece is spoken again. Each may cost the listener a second; the third is taken as it is."""

STRIDE = 1_000_003
"""Between the seeds of a reply's utterances."""


def _as_they_are(steps: Steps) -> Steps:
    return steps


class Chatterbox:
    """The model of the worker. Its generators may be stepped in turns, by one thread."""

    def __init__(
        self,
        writer: Writer,
        sounder: Sounder,
        tokenizer: Tokenizer,
        voices: Voices,
        watermark: Watermark | None,
        variant: Variant,
        *,
        explained: Explained = _as_they_are,
    ) -> None:
        """`explained` makes of a device's errors what the worker's callers know (`device_faults.stepwise`)."""
        self._writer = writer
        self._sounder = sounder
        self._tokenizer = tokenizer
        self._voices = voices
        self._watermark = watermark
        self._variant = variant
        self._explained = explained
        self._habits = Habits()

    def synthesize(self, stop: Stop, asked: dict[str, Any]) -> Steps:
        """The sound of `asked["text"]` in int16 blocks; in between `{"verdict": reason}` whenever the guard
        interferes, and last `{"account": …}`. Text in which nothing can be said has no sound."""
        return self._explained(self._synthesize(stop, Request.read(asked, self._variant)))

    def prepare_voice(self, stop: Stop, asked: dict[str, Any]) -> Steps:
        """Prepares and keeps the voice of `asked["clip"]`, where that was not done yet; then
        `{"seconds": that it took, "digest": the voice's}`. `EngineError` where the clip cannot serve."""
        return self._explained(self._prepare_voice(stop, asked))

    def _synthesize(self, stop: Stop, request: Request) -> Steps:
        account = Account()
        texts = pieces(request.text)
        if texts and not stop():
            reply = self._reply(stop, request, account)
            seed = secrets.randbits(62) if request.seed is None else request.seed
            yield STEP
            for text in texts:
                for again in range(MOST_AGAIN + 1):
                    if not text or stop():
                        break
                    account.attempts += 1
                    utterance = Utterance(reply, text, (seed + account.attempts * STRIDE) % 2**63)
                    text = yield from utterance.steps(last=again == MOST_AGAIN)
        if not stop():
            yield account.item()

    def _reply(self, stop: Stop, request: Request, account: Account) -> Reply:
        voice = self._voices.get(request.voice, request.clip)
        own = f"{voice.digest} {request.language} {request.taste.exaggeration}"
        return Reply(
            writer=self._writer,
            sounder=self._sounder,
            tokenizer=self._tokenizer,
            stop=stop,
            request=request,
            voice=voice,
            marking=self._watermark.open() if self._watermark is not None else None,
            account=account,
            habit=self._habits.of(own) if request.seed is None else None,
        )

    def _prepare_voice(self, stop: Stop, asked: dict[str, Any]) -> Steps:
        name, clip = str(asked.get("voice") or OWN_VOICE), str(asked.get("clip") or "")
        require_clip(name, clip)
        yield STEP  # what follows is one long step: whoever waits goes first
        if stop():
            return
        begun = time.perf_counter()
        voice = self._voices.get(name, clip)
        yield {"seconds": time.perf_counter() - begun, "digest": voice.digest}
