"""What the worker process of Chatterbox opens: files found, memory counted, loaded, made ready, and heard once."""

import logging
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import torch

from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.chatterbox import conditioning
from ultraandchat.engines.chatterbox.finding import find_heads
from ultraandchat.engines.chatterbox.load import Loaded, load
from ultraandchat.engines.chatterbox.memory import Precision, chosen
from ultraandchat.engines.chatterbox.release import patterns
from ultraandchat.engines.chatterbox.request import OWN_VOICE, Request
from ultraandchat.engines.chatterbox.roles import PreparedVoice
from ultraandchat.engines.chatterbox.sounder import S3Sounder
from ultraandchat.engines.chatterbox.speaking import Chatterbox
from ultraandchat.engines.chatterbox.uttering import Steps
from ultraandchat.engines.chatterbox.variants import (
    ENGINE,
    VARIANTS,
    WINDOW,
    Variant,
    VariantName,
)
from ultraandchat.engines.chatterbox.voices import Voices, own_voice
from ultraandchat.engines.chatterbox.watermark import PerthWatermark
from ultraandchat.engines.chatterbox.writer import T3Writer
from ultraandchat.engines.device_faults import explained, stepwise
from ultraandchat.engines.ultravox.fitness import require
from ultraandchat.engines.ultravox.probe import facts
from ultraandchat.engines.weights.find import find
from ultraandchat.engines.worker_wire import Progress

log = logging.getLogger("ultraandchat.model")

Wish: TypeAlias = Precision | Literal["auto"]

SENTENCE = "Good morning, it is nice to hear you."
"""Of the warm-up: long enough for a first block."""


def open_model(
    progress: Progress,
    *,
    variant: VariantName,
    checkpoint: str,
    revision: str,
    device: str,
    precision: Wish,
    slots: int,
    graph: bool,
    watermark: bool,
    store: str,
    offline: bool,
    cache: str,
    endpoint: str,
    token: str,
    room: int = 0,
) -> Chatterbox:
    """The factory of the worker; arguments are those of `[engines.chatterbox]` and `[engines.hub]`. An empty
    `checkpoint` is the variant's own repository, `store` the folder of prepared voices. `room`: bytes of the GPU that it may take; 0: all that is free.

    `EngineUnavailable` where it cannot run here.
    """
    kind = VARIANTS[variant]
    where = _device(device)
    written_in = _precision(kind, precision, slots, where, room)
    folder = find(
        checkpoint or kind.repository,
        revision,
        patterns=patterns(kind),
        offline=offline,
        cache=cache,
        endpoint=endpoint,
        token=token,
        progress=progress,
        engine=ENGINE,
        setting="engines.chatterbox.checkpoint",
    )
    dtype = torch.float32 if written_in == "fp32" else torch.bfloat16
    try:
        with explained(ENGINE, lambda: None):
            loaded = load(folder, kind, device=where, dtype=dtype, progress=progress)
            return _ready(loaded, where, slots, graph, watermark, Path(store), progress)
    except EngineError as error:
        # More than was counted on, or another process took what was free a moment ago.
        remedy = "Free its memory, or set fewer engines.chatterbox.slots."
        raise EngineUnavailable(ENGINE, error.reason, remedy) from None


def _ready(
    loaded: Loaded,
    device: str,
    slots: int,
    graph: bool,
    watermark: bool,
    store: Path,
    progress: Progress,
) -> Chatterbox:
    """All its parts, and one sentence through them."""
    variant = loaded.variant
    writer = T3Writer(
        loaded.t3, variant, window=WINDOW, slots=slots, graph=graph, progress=progress
    )
    sounder = S3Sounder(loaded.s3gen, variant, progress=progress)
    if device != "cpu":  # where there are no kernels to be loaded, and a clause takes minutes
        sounder.warm()
    own = own_voice(loaded)
    if own is None:
        log.warning("%s has no voice of its own: only reference clips can speak", loaded.folder)
    elif device != "cpu":
        _align(writer, loaded, own, progress)
    mark = None
    if watermark:
        mark = PerthWatermark(device, loaded.package)
        mark.warm()
    conditioning.warm()
    model = Chatterbox(
        writer,
        sounder,
        loaded.text_tokenizer,
        Voices(loaded, store),
        mark,
        variant,
        explained=partial(_explained, device),
    )
    if own is not None:
        _speak_once(model, progress)
    return model


def _align(writer: T3Writer, loaded: Loaded, own: PreparedVoice, progress: Progress) -> None:
    """Have the writer tell where it is in its text, by heads that are looked for where none are published."""
    if writer.aligned_heads:
        return
    taste = Request.read({"text": ""}, loaded.variant).taste
    if heads := find_heads(writer, loaded.text_tokenizer, own, taste):
        writer.align(heads, progress)


def _speak_once(model: Chatterbox, progress: Progress) -> None:
    """Up to its first block: what is loaded or compiled at first use is then there. With weights that say nothing
    sensible the guard may leave nothing of it; that shows in use, and does not keep it from opening."""
    progress("warm-up", 0, 1)
    asked = {"text": SENTENCE, "voice": OWN_VOICE, "clip": "", "seed": 0}
    steps = model.synthesize(lambda: False, asked)
    for item in steps:
        if isinstance(item, np.ndarray):
            break
    steps.close()
    progress("warm-up", 1, 1)


def _explained(device: str, steps: Steps) -> Steps:
    return stepwise(ENGINE, steps, partial(_make_room, device))


def _make_room(device: str) -> None:
    if device != "cpu":
        torch.cuda.empty_cache()


def _device(wish: str) -> str:
    """ "cpu", or one GPU by its number, which is then the one that everything happens on."""
    number = None if wish == "cpu" else int(wish.partition(":")[2] or 0)
    require(facts(), number, ENGINE)
    if number is None:
        return "cpu"
    # Streams and graphs are made on the current device, whatever tensors they are given.
    torch.cuda.set_device(number)
    return f"cuda:{number}"


def _precision(variant: Variant, wish: Wish, slots: int, device: str, room: int) -> Precision:
    if device == "cpu":
        return "fp32" if wish == "auto" else wish
    free: Any
    free, _ = torch.cuda.mem_get_info(device)
    # What is free now may be less by what Ultravox took meanwhile; then nothing more is kept for it.
    beside = max(0, int(free) - room) if room else 0
    return chosen(variant, wish, slots, int(free), beside)
