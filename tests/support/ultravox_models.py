"""Stands for the model in Ultravox's worker: hears only how long a sound is, and says what it was asked."""

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ultraandchat.engines.worker_wire import STEP, Poisoned, Stop

Asked = dict[str, Any]
RATE = 16_000


class Fake:
    """Keeps sound by digest, as the model does; the checkpoint "forgetful" does not."""

    def __init__(self, checkpoint: str) -> None:
        self.checkpoint = checkpoint
        self.seconds: dict[str, float] = {}
        self.asked: list[tuple[str, Asked]] = []

    def respond(self, stop: Stop, asked: Asked) -> Iterator[Any]:
        yield from self._told("respond", asked) or self._answer(stop, asked)

    def prepare(self, stop: Stop, asked: Asked) -> Iterator[Any]:
        yield from self._told("prepare", asked) or self._read(stop, asked)

    def _read(self, stop: Stop, asked: Asked) -> Iterator[Any]:
        """As long as the file named by the agent's last words is there, or until it is stopped."""
        last = asked["messages"][-1]["text"] if asked["messages"] else ""
        while last.startswith("/") and Path(last).exists() and not stop():
            time.sleep(0.005)
            yield STEP
        yield {"usage": _usage(0)}

    def transcribe(self, stop: Stop, asked: Asked) -> Iterator[Any]:
        if missing := self._told("transcribe", asked):
            yield from missing
            return
        yield f" {self._of(asked['messages'][-1])} "
        yield {"usage": _usage(3)}

    def requests(self, stop: Stop) -> list[tuple[str, Asked]]:
        """All that came, in order; of samples only how many there were."""
        return self.asked

    def forget(self, stop: Stop) -> None:
        self.seconds.clear()

    def _told(self, method: str, asked: Asked) -> list[Any]:
        """Note the request; what is missing of it."""
        noted = [dict(message) for message in asked["messages"]]
        missing = []
        for message in noted:
            if "audio" not in message:
                continue
            if message["pcm"] is not None:
                message["pcm"] = len(message["pcm"])
                self.seconds[message["audio"]] = message["pcm"] / RATE
            if message["audio"] not in self.seconds or self.checkpoint == "forgetful":
                missing.append(message["audio"])
        self.asked.append((method, {**asked, "messages": noted}))
        return [{"missing": missing}] if missing else []

    def _answer(self, stop: Stop, asked: Asked) -> Iterator[Any]:
        last = asked["messages"][-1]
        yield f"I heard {self._of(last)}. That "
        if last.get("text") == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if last.get("text") == "assert":
            raise Poisoned("the GPU failed in the middle of an answer")
        if last.get("text") == "hang":
            ctypes.PyDLL(None).sleep(60)
        if last.get("text") == "go on":
            while not stop():
                time.sleep(0.005)
            return
        yield f"was message {len(asked['messages'])}."
        yield {"usage": _usage(9)}

    def _of(self, message: Asked) -> str:
        if "audio" in message:
            return f"{self.seconds.get(message['audio'], 0):.1f} seconds"
        return repr(message["text"])


def _usage(tokens: int) -> dict[str, Any]:
    return {
        "prompt_tokens": 90,
        "reused_tokens": 60,
        "audio_tokens": 20,
        "new_tokens": tokens,
        "encode_ms": 4.5,
        "prefill_ms": 12.5,
        "finished": "stop",
    }


def open_model(*progress: Any, checkpoint: str, **arguments: Any) -> Fake:
    return Fake(checkpoint)


def open_vanishing(*progress: Any, checkpoint: str, **arguments: Any) -> Fake:
    """On a GPU that is there the first time only; its checkpoint is the file that remembers it."""
    remembers = Path(checkpoint)
    if remembers.exists():
        raise Poisoned("the GPU is gone", "Look at nvidia-smi; the machine may have to start anew.")
    remembers.write_text("loaded once")
    return Fake(checkpoint)
