"""What the worker process of Ultravox opens: files found, memory counted, loaded, made ready."""

from functools import partial
from typing import Literal, TypeAlias

import torch

from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.device_faults import explained
from ultraandchat.engines.ultravox.checkpoint import Checkpoint
from ultraandchat.engines.ultravox.fitness import require
from ultraandchat.engines.ultravox.load import load
from ultraandchat.engines.ultravox.memory import Precision, chosen
from ultraandchat.engines.ultravox.probe import facts
from ultraandchat.engines.ultravox.tensors import ENGINE
from ultraandchat.engines.ultravox.ultravox import Ultravox
from ultraandchat.engines.weights.find import find
from ultraandchat.engines.worker_wire import Progress

Wish: TypeAlias = Precision | Literal["auto"]


def open_model(
    progress: Progress,
    *,
    checkpoint: str,
    revision: str,
    text_model: str,
    text_model_revision: str,
    device: str,
    precision: Wish,
    window: int,
    slots: int,
    graph: bool,
    offline: bool,
    cache: str,
    endpoint: str,
    token: str,
    room: int = 0,
) -> Ultravox:
    """The factory of the worker; arguments are those of `[engines.ultravox]` and `[engines.hub]`.
    `room`: bytes of the GPU that it may take; 0: all that is free.

    `EngineUnavailable` where it cannot run here.
    """
    where = _device(device)
    folder = partial(
        find, offline=offline, cache=cache, endpoint=endpoint, token=token, progress=progress
    )
    found = Checkpoint.read(folder(checkpoint, revision))
    if text_model or found.needs_text_folder:
        text = text_model or found.text_model_id
        apart = folder(text, text_model_revision, setting="engines.ultravox.text_model")
        found = Checkpoint.read(found.folder, apart)
    if found.needs_encoder_folder:
        found = Checkpoint.read(found.folder, found.text_folder, folder(found.audio_model_id, ""))
    _require_positions(found, window)
    kind = _precision(found, precision, window, slots, where, room)
    try:
        with explained(ENGINE, lambda: None):
            loaded = load(found, device=where, precision=kind, progress=progress)
            return Ultravox(loaded, window=window, slots=slots, graph=graph, progress=progress)
    except EngineError as error:
        # More than was counted on, or another process took what was free a moment ago.
        remedy = "Free its memory, or set engines.ultravox.precision=int8 or fewer slots."
        raise EngineUnavailable(ENGINE, error.reason, remedy) from None


def _device(wish: str) -> str:
    """ "cpu", or one GPU by its number, which is then the one that everything happens on."""
    number = None if wish == "cpu" else int(wish.partition(":")[2] or 0)
    require(facts(), number)
    if number is None:
        return "cpu"
    # Streams and graphs are made on the current device, whatever tensors they are given.
    torch.cuda.set_device(number)
    return f"cuda:{number}"


def _require_positions(checkpoint: Checkpoint, window: int) -> None:
    """Past the positions that it was trained for a language model writes nonsense, and says no word of it."""
    if checkpoint.text is not None and window > checkpoint.text.positions:
        most = checkpoint.text.positions
        raise EngineUnavailable(
            ENGINE,
            f"its language model was made for {most} tokens, fewer than a window of {window}",
            f"Set engines.ultravox.window={most}.",
        )


def _precision(
    checkpoint: Checkpoint, wish: Wish, window: int, slots: int, device: str, room: int
) -> Precision:
    if device == "cpu":
        return "fp32" if wish == "auto" else wish
    free, _ = torch.cuda.mem_get_info(device)
    # What is free now may be less by what Chatterbox took meanwhile; then nothing more is kept for it.
    beside = max(0, free - room) if room else 0
    return chosen(checkpoint, wish, window, slots, free, beside).precision
