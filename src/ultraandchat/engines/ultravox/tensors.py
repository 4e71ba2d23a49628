"""What the safetensors files of an Ultravox folder hold, read from their headers. No torch here."""

import json
from pathlib import Path
from typing import Any

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.weights.tensors import FETCH_AGAIN, Stored, header

ENGINE = "ultravox"
"""As `/health` names it."""


def stored(folder: Path) -> dict[str, Stored]:
    """Every tensor of the folder's `model.safetensors`, or of the shards that its index lists.

    `EngineUnavailable` when a file is missing, cut short or no safetensors file.
    """
    whole, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if whole.exists():
        return header(whole, ENGINE)
    if not index.exists():
        if any(folder.glob("*.bin")):
            raise EngineUnavailable(
                ENGINE,
                f"{folder} has its weights as pickles (*.bin), which may run code and are not opened",
                "Use a repository with safetensors files.",
            )
        raise EngineUnavailable(
            ENGINE, f"{folder} has no model.safetensors", "Name a folder or repository that has."
        )
    found: dict[str, Stored] = {}
    listed = read_json(index).get("weight_map")
    if not isinstance(listed, dict) or not all(isinstance(name, str) for name in listed.values()):
        raise EngineUnavailable(ENGINE, f"{index} has no weight_map of file names", FETCH_AGAIN)
    for name in sorted(set(listed.values())):
        if not (folder / name).exists():
            raise EngineUnavailable(
                ENGINE, f"{folder / name} is missing", "Start again, so that it is downloaded."
            )
        found |= header(folder / name, ENGINE)
    for name, shard in listed.items():
        if name not in found:
            raise EngineUnavailable(
                ENGINE, f"{folder / shard} lacks {name}, which its index promises", FETCH_AGAIN
            )
    return found


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. `EngineUnavailable` when it is missing or none."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise EngineUnavailable(
            ENGINE,
            f"{path} cannot be read ({error.strerror})",
            "Name a folder or repository with it.",
        ) from None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise EngineUnavailable(ENGINE, f"{path} is not a JSON object", FETCH_AGAIN)
    return content
