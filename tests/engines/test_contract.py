"""The contract of `engines/base.py`, run against every engine.

Each real engine is opened once, so its tests share one event loop. One that is not
installed skips its suite on a developer's machine and fails it where `CI` is set.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.engines.contract import (
    CaptionsContract,
    LanguageContract,
    SpeechContract,
    TranscriberContract,
    VoiceActivityContract,
)
from tests.support.chat_server import chat_server as hearing_server
from tests.support.hearing_server import Vllm
from ultraandchat.engines.base import EngineUnavailable, SpeechLanguageModel, Transcript
from ultraandchat.engines.cascade import Cascade
from ultraandchat.engines.chat import Chat
from ultraandchat.engines.espeak import open_espeak
from ultraandchat.engines.flite import open_flite
from ultraandchat.engines.scripted import (
    ScriptedLanguage,
    ScriptedSpeech,
    ScriptedTranscriber,
    ScriptedVoiceActivity,
)
from ultraandchat.engines.settings import (
    ChatSettings,
    ScriptedSettings,
    SphinxSettings,
    UltravoxServerSettings,
)
from ultraandchat.engines.silero import Silero
from ultraandchat.engines.skills.grammar import grammar, is_complete
from ultraandchat.engines.skills.responder import Skills
from ultraandchat.engines.sphinx import SphinxTranscriber, open_sphinx
from ultraandchat.engines.ultravox_server import UltravoxServer
from ultraandchat.engines.webrtc_vad import WebRtcVad
from ultraandchat.engines.whole_utterance import WholeUtterance
from ultraandchat.engines.worker_speech import WorkerSpeech
from ultraandchat.turn.events import Utterance

QUICK = ScriptedSettings(first_clause_ms=1, between_clauses_ms=1, first_sound_ms=20, speed=1000.0)

together = pytest.mark.asyncio(loop_scope="module")


def missing(error: EngineUnavailable) -> None:
    if os.environ.get("CI"):
        raise error
    pytest.skip(str(error))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def flite() -> AsyncIterator[WorkerSpeech]:
    try:
        async with open_flite() as speech:
            yield speech
    except EngineUnavailable as error:
        missing(error)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def espeak() -> AsyncIterator[WorkerSpeech]:
    try:
        async with open_espeak() as speech:
            yield speech
    except EngineUnavailable as error:
        missing(error)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sphinx() -> AsyncIterator[SphinxTranscriber]:
    try:
        # As long as a busy machine needs: how soon the words come is not asked here.
        settings = SphinxSettings(deadline_ms=20_000)
        async with open_sphinx(settings, grammar(), is_complete) as transcriber:
            yield transcriber
    except EngineUnavailable as error:
        missing(error)


class TestScriptedSpeech(SpeechContract):
    @pytest.fixture
    def speech(self) -> ScriptedSpeech:
        return ScriptedSpeech(QUICK)


@together
class TestFlite(SpeechContract):
    @pytest.fixture
    def speech(self, flite: WorkerSpeech) -> WorkerSpeech:
        return flite


@together
class TestEspeak(SpeechContract):
    @pytest.fixture
    def speech(self, espeak: WorkerSpeech) -> WorkerSpeech:
        return espeak


class TestScriptedLanguage(LanguageContract):
    @pytest.fixture
    def language(self) -> SpeechLanguageModel:
        return ScriptedLanguage(QUICK)


class TestSkills(LanguageContract):
    @pytest.fixture
    def language(self) -> SpeechLanguageModel:
        return Cascade(Skills())


async def chat_server(request: web.Request) -> web.StreamResponse:
    """Answers as an OpenAI-compatible server does, a word at a time."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for word in ("I ", "hear ", "you."):
        chunk = json.dumps({"choices": [{"index": 0, "delta": {"content": word}}]})
        await response.write(f"data: {chunk}\n\n".encode())
        await asyncio.sleep(0.01)
    await response.write(b"data: [DONE]\n\n")
    return response


class TestChat(LanguageContract):
    @pytest_asyncio.fixture
    async def language(self) -> AsyncIterator[SpeechLanguageModel]:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", chat_server)
        async with TestServer(app) as server:
            settings = ChatSettings(base_url=str(server.make_url("/v1")), model="small")
            async with Chat(settings) as chat:
                yield Cascade(chat)


class TestUltravoxServer(LanguageContract):
    @pytest_asyncio.fixture
    async def language(self) -> AsyncIterator[SpeechLanguageModel]:
        async with hearing_server(Vllm()) as server:
            settings = UltravoxServerSettings(base_url=server.base_url)
            async with UltravoxServer(settings) as ultravox:
                yield ultravox


class TestScriptedTranscriber(CaptionsContract):
    @pytest.fixture
    def transcriber(self) -> ScriptedTranscriber:
        return ScriptedTranscriber()


@pytest.mark.speech
@together
class TestSphinx(CaptionsContract):
    @pytest.fixture
    def transcriber(self, sphinx: SphinxTranscriber) -> SphinxTranscriber:
        return sphinx


class TestWholeUtterance(TranscriberContract):
    @pytest.fixture
    def transcriber(self) -> WholeUtterance:
        async def find(utterance: Utterance) -> Transcript:
            await asyncio.sleep(0.01)
            return Transcript(f"{utterance.seconds:.0f} seconds", "length")

        return WholeUtterance(find)


class TestSilero(VoiceActivityContract):
    @pytest.fixture
    def hearing(self) -> Silero:
        return Silero()


class TestWebRtc(VoiceActivityContract):
    @pytest.fixture
    def hearing(self) -> WebRtcVad:
        return WebRtcVad()


class TestScriptedVoiceActivity(VoiceActivityContract):
    @pytest.fixture
    def hearing(self) -> ScriptedVoiceActivity:
        return ScriptedVoiceActivity()
