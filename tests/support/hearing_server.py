"""What vLLM does with a question that holds sound, as far as it shows from outside."""

import base64
import io
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiohttp import web

from tests.support.chat_server import DONE, ChatServer, event, streams
from ultraandchat.audio.frame import HEARING_RATE, Pcm16

PLACEHOLDER = "<|audio|>"


@dataclass
class Heard:
    """A question as a model that hears gets it."""

    prompt: list[tuple[str, str]]
    """Role and text of each message, a placeholder for every sound."""
    sounds: list[Pcm16]
    max_tokens: int


@dataclass
class Vllm:
    """A `Behaviour`: hears, and tells how long each sound was. Refuses as vLLM refuses."""

    most_sounds: int | None = None
    most_chars: int | None = None
    heard: list[Heard] = field(default_factory=list)

    async def __call__(self, server: ChatServer, request: web.Request) -> web.StreamResponse:
        asked = server.asked[-1]
        question = Heard(*_read(asked["messages"]), asked["max_tokens"])
        self.heard.append(question)
        count = len(question.sounds)
        if self.most_sounds is not None and count > self.most_sounds:
            return refused(f"At most {self.most_sounds} audio(s) may be provided in one prompt.")
        text = "".join(text for _, text in question.prompt)
        if text.count(PLACEHOLDER) > count:
            return refused(
                f"Found more '{PLACEHOLDER}' placeholders in input prompt than data items."
            )
        if self.most_chars is not None and len(text) + 500 * count > self.most_chars:
            return refused("This model's maximum context length is 4096 tokens.")
        seconds = ", ".join(f"{len(sound) / HEARING_RATE:.1f}" for sound in question.sounds)
        return await streams(event(f"I heard {seconds or 'no'}"), event(" seconds."), DONE)(
            server, request
        )


def refused(message: str) -> web.Response:
    """A 400 of vLLM's."""
    error = {"message": message, "type": "BadRequestError", "param": None, "code": 400}
    return web.json_response({"error": error}, status=400)


def _read(messages: Sequence[dict[str, Any]]) -> tuple[list[tuple[str, str]], list[Pcm16]]:
    prompt, sounds = [], []
    for message in messages:
        texts = []
        for text, sound in _parts(message["content"]):
            texts.append(text)
            sounds += [] if sound is None else [sound]
        prompt.append((message["role"], "\n".join(texts)))
    return prompt, sounds


def _parts(content: str | list[dict[str, Any]]) -> Iterator[tuple[str, Pcm16 | None]]:
    if isinstance(content, str):
        yield content, None
        return
    for part in content:
        if part["type"] == "text":
            yield part["text"], None
        else:
            assert part["type"] == "input_audio"
            assert part["input_audio"]["format"] == "wav"
            yield PLACEHOLDER, _sound(base64.b64decode(part["input_audio"]["data"], validate=True))


def _sound(data: bytes) -> Pcm16:
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        frames = file.readframes(file.getnframes())
        assert file.getnframes() * 2 == len(frames) == len(data) - 44
        return np.frombuffer(frames, "<i2")
