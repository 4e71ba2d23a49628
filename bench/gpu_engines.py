"""Both models of random numbers, each in a process of its own as the server has them, and its engines over them."""

import argparse
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.gpu_workers import FULL, TINY
from ultraandchat.engines.chatterbox.engine import Chatterbox, open_chatterbox
from ultraandchat.engines.chatterbox.settings import ChatterboxSettings
from ultraandchat.engines.ultravox.engine import Ultravox, open_ultravox
from ultraandchat.engines.ultravox.settings import UltravoxSettings
from ultraandchat.engines.weights.settings import HubSettings

WORDS = 16
"""Of each reply, one a token: 5 to 6 s of speech."""
TINY_WORDS = 4
"""For the processor."""


@asynccontextmanager
async def models(arguments: argparse.Namespace) -> AsyncIterator[tuple[Ultravox, Chatterbox]]:
    """Loaded and warm."""
    # The processes import this folder's modules, and are started with nothing of ours but the environment.
    root = str(Path(__file__).parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    numbers, places = TINY if arguments.tiny else FULL, max(arguments.conversations)
    ultravox = UltravoxSettings(
        checkpoint=numbers,
        device=arguments.device,
        precision=arguments.precision,
        window=arguments.window,
        slots=places,
        max_tokens=TINY_WORDS if arguments.tiny else WORDS,
    )
    with tempfile.TemporaryDirectory() as voices:
        chatterbox = ChatterboxSettings(
            checkpoint=numbers,
            device=arguments.device,
            precision=arguments.voice_precision,
            slots=places,
            voices=voices,
        )
        made = "bench.gpu_workers:{}".format
        async with (
            open_ultravox(ultravox, HubSettings(), factory=made("open_ultravox")) as language,
            open_chatterbox(chatterbox, HubSettings(), factory=made("open_chatterbox")) as speech,
        ):
            yield language, speech
