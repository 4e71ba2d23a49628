"""The files of a folder of clips: which there are, whether they were changed, and writing one whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from stat import S_ISREG
from typing import TypeAlias

from ultraandchat.engines.chatterbox.clip_file import SUFFIXES

MOST_ENTRIES = 1_000
"""Of a folder; it is for clips, and every file in it is asked about."""

PREPARED = ".prepared"
"""Folder within it for what the models make of its clips; it may be emptied at any time."""

Stamp: TypeAlias = tuple[int, int, int]
"""When a file was changed last (ns), its bytes, its inode: the same as long as nobody changes it."""


def clips(folder: Path) -> dict[Path, Stamp]:
    """The folder's clips by name; hidden files and other endings are none. `OSError` where it cannot be read.

    Links are followed within the folder only: one that leads out of it would show other files of this machine.
    """
    files: dict[Path, Stamp] = {}
    with os.scandir(folder) as entries:
        for _, entry in zip(range(MOST_ENTRIES), entries, strict=False):
            path = Path(entry.path)
            if entry.name.startswith(".") or path.suffix.lower() not in SUFFIXES:
                continue
            if entry.is_symlink() and not _is_inside(path, folder):
                continue
            with contextlib.suppress(OSError):  # it is gone already
                status = entry.stat()
                if S_ISREG(status.st_mode):
                    files[path] = _stamp(status)
    return dict(sorted(files.items()))


def write(path: Path, data: bytes) -> Stamp:
    """All of the file or none of it, and its stamp. `OSError`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).rename(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return _stamp(path.stat())


def forget_prepared(folder: Path) -> None:
    """All of what was made of clips here: names there do not tell of which. `OSError`."""
    if (folder / PREPARED).is_dir():
        for file in (folder / PREPARED).iterdir():
            if file.is_file():
                file.unlink(missing_ok=True)


def usual_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where voices are kept when no setting says so: `$XDG_DATA_HOME/ultraandchat/voices`."""
    data = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "ultraandchat" / "voices"


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _is_inside(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a link to itself, which is the latter up to Python 3.12
        return False
