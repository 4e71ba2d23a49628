"""Where the model hub's things are, by our settings and by the environment that all its programs read.

The same rules as huggingface_hub's, without importing it: `ultraandchat check` asks here, too.
"""

import os
from pathlib import Path

from ultraandchat.engines.base import EngineUnavailable

HUB = "https://huggingface.co"

_YES = {"1", "ON", "YES", "TRUE"}
"""As huggingface_hub reads its switches."""


def cache_folder(setting: str) -> Path:
    """Of downloaded repositories: `engines.hub.cache`, else what HF_HUB_CACHE, HF_HOME and the like say."""
    asked = setting or os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if asked:
        return Path(os.path.expandvars(asked)).expanduser()
    return _home() / "hub"


def is_offline(setting: bool) -> bool:
    """That no hub may be called: `engines.hub.offline`, HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE."""
    asked = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return setting or asked.upper() in _YES


def hub_address(setting: str) -> str:
    """`engines.hub.endpoint`, HF_ENDPOINT or the usual hub; without a slash at its end."""
    return (setting or os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def hub_token(setting: str, engine: str) -> str:
    """`engines.hub.token`, HF_TOKEN, or what `hf auth login` left; empty for none.

    `EngineUnavailable` for something that is no token: HTTP libraries print what they cannot send.
    """
    asked = os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN")
    found = (setting or asked or _left_by_login()).strip()
    if not all("!" <= letter <= "~" for letter in found):
        raise EngineUnavailable(
            engine,
            "the hub's token has characters in it that no token has",
            "Set HF_TOKEN or engines.hub.token to the token alone.",
        )
    return found


def _left_by_login() -> str:
    file = Path(os.environ.get("HF_TOKEN_PATH") or _home() / "token").expanduser()
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError):
        return ""


def _home() -> Path:
    asked = os.environ.get("HF_HOME")
    if not asked:
        asked = f"{os.environ.get('XDG_CACHE_HOME') or '~/.cache'}/huggingface"
    return Path(os.path.expandvars(asked)).expanduser()
