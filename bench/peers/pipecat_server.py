"""Pipecat's own server with stand-in engines, to be called by our benchmark callers.

    python pipecat_server.py [--port 7870] [--shipped]      (in an environment of its own, see README.md)

The engines take the time of `scripted`: 100 ms to the first clause, 20 ms to the next, 50 ms to the
first 100 ms of a 440 Hz tone, then four times real time, two clauses of 2 s. All else is Pipecat's:
SmallWebRTC, Silero, the aggregators, the output. Turns end after 200 ms of silence, without a turn
model; with `--shipped` as Pipecat recommends (its turn model decides).
"""

import argparse
import asyncio
import math
import sys
from collections.abc import AsyncGenerator

import numpy as np
from aiohttp import web
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import (
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import TTSSettings
from pipecat.services.tts_service import TTSService
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport
from pipecat.turns.user_start import VADUserTurnStartStrategy
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.time import time_now_iso8601
from pipecat.workers.runner import WorkerRunner

RATE = 24_000
BLOCK_S = 0.1
CLAUSE_S = 2.0
SPEED = 4.0
END_SILENCE_S = 0.2


class Words(FrameProcessor):
    """In place of a recogniser: has understood as soon as the voice is over."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            words = TranscriptionFrame("one two three", "", time_now_iso8601(), finalized=True)
            await self.push_frame(words)
        await self.push_frame(frame, direction)


class Language(LLMService):
    """Two clauses at their instants."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        await asyncio.sleep(0.1)
        await self.push_frame(LLMTextFrame("One two three. "))
        await asyncio.sleep(0.02)
        await self.push_frame(LLMTextFrame("Four five six. "))
        await self.push_frame(LLMFullResponseEndFrame())


class Speech(TTSService):
    """A tone of -12 dBFS."""

    def __init__(self) -> None:
        super().__init__(
            push_start_frame=True,
            push_stop_frames=True,
            sample_rate=RATE,
            settings=TTSSettings(model=None, voice=None, language=None),
        )

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        loop = asyncio.get_running_loop()
        due = loop.time() + 0.05
        size = int(BLOCK_S * RATE)
        peak = 32_767 * math.sqrt(2) * 10 ** (-12 / 20)
        for start in range(0, int(CLAUSE_S * RATE), size):
            await asyncio.sleep(max(due - loop.time(), 0.0))
            due += BLOCK_S / SPEED
            tone = peak * np.sin(2 * np.pi * 440 / RATE * np.arange(start, start + size))
            sound = tone.astype(np.int16).tobytes()
            yield TTSAudioRawFrame(sound, RATE, 1, context_id=context_id)


class Site:
    """`POST /api/offer` with `{"sdp", "type"}`, as Pipecat's own pages do; a pipeline for each caller."""

    def __init__(self, *, shipped: bool) -> None:
        self._shipped = shipped
        self._runner: WorkerRunner | None = None
        self._connections: set[SmallWebRTCConnection] = set()

    async def run(self, port: int) -> None:
        self._runner = WorkerRunner(handle_sigint=False, handle_sigterm=False)
        app = web.Application()
        app.add_routes([web.post("/api/offer", self._offer), web.get("/ready", self._ready)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await self._runner.run(auto_end=False)

    async def _ready(self, _request: web.Request) -> web.Response:
        return web.Response(text="ready\n")

    async def _offer(self, request: web.Request) -> web.Response:
        offer = await request.json()
        connection = SmallWebRTCConnection()
        self._connections.add(connection)
        await connection.initialize(sdp=offer["sdp"], type=offer["type"])
        assert self._runner is not None
        await self._runner.add_workers(self._worker(connection))
        return web.json_response(connection.get_answer())

    def _worker(self, connection: SmallWebRTCConnection) -> PipelineWorker:
        transport = SmallWebRTCTransport(
            connection, TransportParams(audio_in_enabled=True, audio_out_enabled=True)
        )
        if self._shipped:
            user = LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
        else:
            user = LLMUserAggregatorParams(
                vad_analyzer=SileroVADAnalyzer(params=VADParams(stop_secs=END_SILENCE_S)),
                user_turn_strategies=UserTurnStrategies(
                    start=[VADUserTurnStartStrategy()],
                    stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.0)],
                ),
            )
        both = LLMContextAggregatorPair(LLMContext(), user_params=user)
        worker = PipelineWorker(
            Pipeline(
                [
                    transport.input(),
                    Words(),
                    both.user(),
                    Language(),
                    Speech(),
                    transport.output(),
                    both.assistant(),
                ]
            ),
            params=PipelineParams(),
            idle_timeout_secs=None,
        )

        @transport.event_handler("on_client_disconnected")
        async def gone(_transport: object, _client: object) -> None:
            self._connections.discard(connection)
            await worker.cancel()

        return worker


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=7870)
    parser.add_argument("--shipped", action="store_true")
    given = parser.parse_args()
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    asyncio.run(Site(shipped=given.shipped).run(given.port))


if __name__ == "__main__":
    main()
