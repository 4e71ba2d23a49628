"""A whole conversation with a model that hears, elsewhere: real sound, real time, a server over HTTP."""

import asyncio
import sys
from pathlib import Path

import numpy as np

from tests.support.chat_server import chat_server
from tests.support.hearing_server import PLACEHOLDER, Vllm
from tests.support.speech import clip
from ultraandchat.audio.frame import HEARING_RATE, to_pcm16
from ultraandchat.commands.wav import write_wav

PATIENCE_S = 60


async def converse(question: Path, base_url: str) -> str:
    """What a caller with this file sees of it."""
    settings = {
        "engines.profile": "scripted",
        "engines.language": "ultravox-server",
        "engines.ultravox_server.base_url": base_url,
        "engines.scripted.clause_s": "0.3",
        "logs.directory": "",
    }
    command = [sys.executable, "-m", "ultraandchat", "converse", str(question)]
    for name, value in settings.items():
        command += ["--set", f"{name}={value}"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(PATIENCE_S):
            printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
    return printed.decode()


async def test_what_is_said_is_heard_there_and_what_was_said_before_is_read_in_time(
    tmp_path: Path,
) -> None:
    pause = np.zeros(4 * HEARING_RATE, np.float32)
    question = tmp_path / "question.wav"
    sound = np.concatenate([clip("goforward"), pause, clip("goforward")])
    write_wav(question, to_pcm16(sound), HEARING_RATE)
    vllm = Vllm()
    async with chat_server(vllm) as server:
        printed = await converse(question, server.base_url)
    answered = [heard for heard in vllm.heard if heard.max_tokens > 1]
    prepared = [heard for heard in vllm.heard if heard.max_tokens == 1]
    assert "I heard" in printed
    first, last = answered[0], answered[-1]
    assert [role for role, _ in first.prompt] == ["system", "user"]
    assert 1.5 < len(first.sounds[0]) / HEARING_RATE < 4
    assert [role for role, _ in last.prompt] == ["system", "user", "assistant", "user"]
    assert [text for role, text in last.prompt if role == "user"] == [PLACEHOLDER] * 2
    assert last.prompt[2][1].startswith("I heard")
    assert prepared[-1].prompt == last.prompt[:3]
    asked = [heard.max_tokens for heard in vllm.heard]
    assert asked.index(1) > 0  # at the second turn, of which the first is what came before
    assert asked[-1] > 1
