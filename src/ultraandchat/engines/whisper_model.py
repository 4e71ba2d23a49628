"""faster-whisper in its worker process; the only file that imports it. `whisper.py` is the other side.

One window (30 s of sound at most) is one step: an encoding and a greedy decoding, which cannot be
interrupted. The process gives way to all others, so nobody's reply waits for it.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ultraandchat.audio.frame import HEARING_RATE, Pcm16, from_pcm16
from ultraandchat.engines import whisper_device
from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.whisper_device import ON_CPU, Precision
from ultraandchat.engines.whisper_guard import believed
from ultraandchat.engines.worker_wire import Poisoned, Progress, Stop

INSTALL = 'pip install "faster-whisper>=1.2,<2", or set engines.transcriber=sphinx.'
USUAL = {"cuda": "large-v3-turbo", "cpu": "base.en"}
"""The model where none is named. Published: 210 ms for an utterance with the first on a 4090; the second
has 74 million weights, a tenth."""

REPOSITORIES = {
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    **{
        size: f"Systran/faster-whisper-{size}"
        for size in (
            *("tiny", "tiny.en", "base", "base.en", "small", "small.en", "medium", "medium.en"),
            *("large-v1", "large-v2", "large-v3"),
        )
    },
}
"""Short names as faster-whisper 1.2 has them. Any other name is a repository or a folder."""

PATTERNS = (
    "config.json",
    "preprocessor_config.json",
    "model.bin",
    "tokenizer.json",
    "vocabulary.*",
)
"""What of a repository is needed."""
NEEDED = ("config.json", "model.bin", "tokenizer.json")
"""Without the last one faster-whisper would ask a hub for another model's, unasked."""

MOST_TOKENS = 440
"""Of one window, with its prompt below the 448 places that Whisper has."""
TOKENS_PER_S = 12
"""More than anybody says: English has 3 to 5, scripts that are spelt in bytes three times that."""


class Whisper:
    """A model that is loaded. Its utterances are written down one after another."""

    def __init__(self, model: Any, about: str, language: str) -> None:
        self._model = model
        self._about = about
        self._language = language or None

    def about(self, stop: Stop) -> str:
        """What was loaded, in plain words."""
        return self._about

    def transcribe(self, stop: Stop, pcm: Pcm16) -> Iterator[str]:
        """The text of each window, left out where it is not to be believed. 16 kHz."""
        if not pcm.any():
            return
        seconds = min(len(pcm) / HEARING_RATE, 30.0)
        with _explained():
            segments, _ = self._model.transcribe(
                from_pcm16(pcm),
                language=self._language,
                beam_size=1,
                temperature=0.0,
                condition_on_previous_text=False,
                without_timestamps=True,
                vad_filter=False,
                max_new_tokens=min(MOST_TOKENS, 16 + int(TOKENS_PER_S * seconds)),
                # Judged by `whisper_guard.py`, which also lets through what these would not.
                no_speech_threshold=None,
                log_prob_threshold=None,
                compression_ratio_threshold=None,
            )
            for segment in segments:
                if believed(segment):
                    yield str(segment.text)
                if stop():
                    return


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """What CTranslate2 says of a GPU's failure, as what it means for the process."""
    try:
        yield
    except RuntimeError as error:
        said = str(error).lower()
        if "out of memory" in said:
            raise EngineError("whisper", "the GPU has no memory left for it") from None
        if "cuda" in said or "cublas" in said:
            raise Poisoned("the GPU reported an error to it") from None
        raise


def open_model(
    progress: Progress,
    *,
    model: str,
    revision: str,
    device: str,
    precision: Precision,
    language: str,
    offline: bool,
    cache: str,
    endpoint: str,
    token: str,
) -> Whisper:
    """The factory of the worker; arguments are those of `[engines.whisper]` and `[engines.hub]`.

    `EngineUnavailable` where it cannot run here.
    """
    progress("import", 0, 0)
    faster_whisper = _faster_whisper()
    place = whisper_device.place(device)
    kind = whisper_device.compute_type(place.device, precision)
    from ultraandchat.engines.weights.find import find  # the hub's client came with faster-whisper

    name = model or USUAL[place.device]
    folder = find(
        REPOSITORIES.get(name, name),
        revision,
        patterns=PATTERNS,
        offline=offline,
        cache=cache,
        endpoint=endpoint,
        token=token,
        progress=progress,
        engine="whisper",
        setting="engines.whisper.model",
    )
    _check(folder, name)
    progress("load", 0, 0)
    try:
        loaded = faster_whisper.WhisperModel(
            str(folder),
            device=place.device,
            device_index=place.index,
            compute_type=kind,
            cpu_threads=whisper_device.threads(),
            local_files_only=True,
        )
    except (RuntimeError, ValueError) as error:
        raise _not_loaded(name, error) from None
    if language and language not in loaded.supported_languages:
        remedy = "Set engines.whisper.language to another, or to nothing."
        raise EngineUnavailable("whisper", f"{name} knows no language {language}", remedy)
    whisper = Whisper(loaded, f"{name}, {kind}, {place.shown}", language)
    progress("warm-up", 0, 0)
    _warm_up(whisper)
    return whisper


def _faster_whisper() -> Any:
    try:
        import faster_whisper
    except ImportError as error:
        reason = f"faster-whisper cannot be imported here ({error.name or error})"
        raise EngineUnavailable("whisper", reason, INSTALL) from None
    return faster_whisper


def _check(folder: Path, name: str) -> None:
    absent = [file for file in NEEDED if not (folder / file).is_file()]
    if absent:
        reason = f"{name} is no CTranslate2 model: {', '.join(absent)} not found"
        remedy = "Set engines.whisper.model to a size such as small, or to a converted model."
        raise EngineUnavailable("whisper", reason, remedy)


def _not_loaded(name: str, error: Exception) -> EngineUnavailable:
    if "out of memory" in str(error).lower():
        remedy = f"Set engines.whisper.model=small, or {ON_CPU}."
        return EngineUnavailable("whisper", f"the GPU has no memory left for {name}", remedy)
    line = str(error).splitlines()[0] if str(error) else type(error).__name__
    return EngineUnavailable(
        "whisper", f"{name} does not load: {line}", "Its files may be damaged."
    )


def _warm_up(whisper: Whisper) -> None:
    """A second of faint noise: the first call of all makes kernels and buffers."""
    noise = np.random.default_rng(1).integers(-50, 50, HEARING_RATE, np.int16)
    for _ in whisper.transcribe(lambda: False, noise):
        pass
