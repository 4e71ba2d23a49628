"""The tiny checkpoints, and the sound that their golden outputs were computed from."""

import json
import shutil
import struct
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ultraandchat.audio.frame import Pcm16

DATA = Path(__file__).parents[2] / "data"

CHECKPOINTS = (DATA / "models/ultravox-tiny-v04", DATA / "models/ultravox-tiny-v06")


def clip_samples(name: str) -> Pcm16:
    """A clip of tests/data/speech: int16, mono, 16 kHz."""
    with wave.open(str(DATA / "speech" / f"{name}.wav")) as opened:
        return np.frombuffer(opened.readframes(opened.getnframes()), np.int16)


def read_arrays(file: Path) -> dict[str, Any]:
    """What a safetensors file of float32 holds, without that library."""
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(
            content[8 + length :][slice(*entry["data_offsets"])], np.float32
        ).reshape(entry["shape"])
        for name, entry in header.items()
    }


def write_arrays(file: Path, arrays: Mapping[str, Any]) -> None:
    """A safetensors file of float32."""
    header, data = {}, b""
    for name, array in arrays.items():
        raw = array.astype(np.float32).tobytes()
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": offsets}
        data += raw
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + data)


def copied(folder: Path, to: Path) -> Path:
    """The checkpoint, to be changed by a test."""
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns("golden.npz"))
    return to


def reconfigured(folder: Path, **changes: Any) -> None:
    """Its config.json with other values; None takes one out."""
    config = json.loads((folder / "config.json").read_text()) | changes
    kept = {key: value for key, value in config.items() if key not in changes or value is not None}
    (folder / "config.json").write_text(json.dumps(kept))


def taken_apart(folder: Path, to: Path) -> tuple[Path, Path, Path]:
    """The same checkpoint as the releases are: projector, language model in shards, and encoder apart."""
    ultravox, text, audio = (to / name for name in ("ultravox", "text", "audio"))
    for each in (ultravox, text, audio):
        each.mkdir(parents=True)
    config = json.loads((folder / "config.json").read_text())
    arrays = read_arrays(folder / "model.safetensors")
    parts: dict[str, dict[str, Any]] = {
        "audio_tower.": {},
        "multi_modal_projector.": {},
        "language_model.": {},
    }
    for name, array in arrays.items():
        prefix = next(prefix for prefix in parts if name.startswith(prefix))
        parts[prefix][name.removeprefix(prefix)] = array
    (text / "config.json").write_text(json.dumps(config.pop("text_config")))
    (audio / "config.json").write_text(json.dumps(config.pop("audio_config")))
    config |= {"text_model_id": "someone/text", "audio_model_id": "someone/audio"}
    (ultravox / "config.json").write_text(json.dumps(config))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(folder / name, text / name)
    write_arrays(
        ultravox / "model.safetensors",
        {f"multi_modal_projector.{k}": v for k, v in parts["multi_modal_projector."].items()},
    )
    write_arrays(
        audio / "model.safetensors",
        {f"model.encoder.{k}": v for k, v in parts["audio_tower."].items()}
        | {"model.decoder.embed_tokens.weight": np.zeros((3, 4), np.float32)},
    )
    write_shards(text, parts["language_model."])
    return ultravox, text, audio


def write_shards(folder: Path, arrays: Mapping[str, Any], shards: int = 3) -> None:
    """The tensors in several files and their index."""
    names = list(arrays)
    index = {}
    for number in range(shards):
        file = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        part = names[number::shards]
        write_arrays(folder / file, {name: arrays[name] for name in part})
        index |= dict.fromkeys(part, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
