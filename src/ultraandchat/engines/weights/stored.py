"""A repository as it lies in the hub's cache on this disk: `blobs`, and `snapshots` of names that point at them.

The layout is huggingface_hub's own, so what another program downloaded is found, and the other way round:

    models--OWNER--NAME/
        trees/COMMIT.json        every file of that commit, with size and checksum (its format 1)
        blobs/CHECKSUM           a file; `CHECKSUM.part` while ours is on its way
        snapshots/COMMIT/PATH    links to blobs; a file is put there when it is whole, never before
        refs/BRANCH              the commit that huggingface_hub last saw there
        ultraandchat/BRANCH      the commit that we use for this branch from the first download on

A snapshot is whole when every file that is wanted of the listing is there with its size; nothing else says so.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import msgspec

COMMIT = re.compile(r"[0-9a-f]{40}")
CHECKSUM = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

USUAL = "main"
"""The branch that is meant where none is named."""

FORMAT = 1
"""Of listings, as huggingface_hub 2.4 writes them."""

WEIGHTS = (
    "model.safetensors",
    "model-?????-of-?????.safetensors",
    "*.json",
    "*.txt",
    "*.model",
    "*.jinja",
)
"""What a language model or an encoder is loaded from. Not among it: weights as pickles, programs, a
second copy of the weights under another name."""

NEVER = ("*.py", "*.pkl", "*.pickle", "*.pt", "*.pth", "*.ckpt", "pytorch_model*")
"""Whatever is asked for: what runs when it is opened."""

TENSORS_ONLY = frozenset({"s3gen.pt", "ve.pt", "conds.pt"})
"""The pickles that are fetched all the same, where they are asked for by exactly this name: Chatterbox's
multilingual release has two of its weights as nothing else, and every release its voice. They are read with
`torch.load(weights_only=True)`, which makes tensors and runs nothing (`engines/chatterbox/files.py`)."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file in a listing."""

    size: int
    """Bytes of the file, or of the pointer to it where it is an LFS file (some hubs)."""
    blob_id: str
    """git's SHA-1 of it, or of the pointer."""
    lfs_sha256: str | None = None
    lfs_size: int | None = None

    @property
    def checksum(self) -> str:
        """The name of its blob: SHA-256 of an LFS file, git's SHA-1 of any other."""
        return self.lfs_sha256 or self.blob_id

    @property
    def length(self) -> int:
        """Bytes of the file itself."""
        return self.size if self.lfs_size is None else self.lfs_size


class Listing(msgspec.Struct, frozen=True):
    """Every file of one commit."""

    files: dict[str, Entry]
    format_version: int = FORMAT

    def wanted(self, patterns: Sequence[str]) -> dict[str, Entry]:
        """The files of these patterns, which are about the top folder unless they name another."""
        return {
            path: entry
            for path, entry in self.files.items()
            if any(_matches(path, pattern) for pattern in patterns)
            and (path in TENSORS_ONLY.intersection(patterns) or not _is_never_fetched(path))
        }

    def is_sane(self) -> bool:
        """That its names stay inside of a folder, and its checksums are some."""
        return all(
            CHECKSUM.fullmatch(entry.checksum)
            and entry.length >= 0
            and path
            and not PurePosixPath(path).is_absolute()
            and ".." not in PurePosixPath(path).parts
            for path, entry in self.files.items()
        )


@dataclass(frozen=True, slots=True)
class Stored:
    """One repository in the cache; its folder need not exist yet."""

    cache: Path
    name: str
    """OWNER/NAME."""

    @property
    def folder(self) -> Path:
        return self.cache / f"models--{self.name.replace('/', '--')}"

    @property
    def blobs(self) -> Path:
        return self.folder / "blobs"

    @property
    def bytes_here(self) -> int:
        """Of all its files, and of what came of one before a cut."""
        return sum(size_of(blob) or 0 for blob in self.blobs.glob("*"))

    def snapshot(self, commit: str) -> Path:
        return self.folder / "snapshots" / commit

    def commit(self, revision: str) -> str:
        """The commit that `revision` (a commit, branch or tag) means here; empty where nobody knows yet."""
        if COMMIT.fullmatch(revision):
            return revision
        for file in (self._pin(revision), self.folder / "refs" / (revision or USUAL)):
            with contextlib.suppress(OSError, ValueError):
                if COMMIT.fullmatch(found := file.read_text("ascii").strip()):
                    return found
        return ""

    def pin(self, revision: str, commit: str) -> None:
        """From now on `revision` is this commit, whatever the hub says. In a cache that cannot be written: nothing."""
        file = self._pin(revision)
        if not COMMIT.fullmatch(revision) and not file.exists():
            with contextlib.suppress(OSError):
                write_whole(file, commit.encode("ascii"))

    def listing(self, commit: str) -> Listing | None:
        """What the commit holds, where that was asked before."""
        try:
            found = msgspec.json.decode(self._tree(commit).read_bytes(), type=Listing)
        except (OSError, ValueError):  # msgspec's errors are, too
            return None
        return found if found.format_version == FORMAT and found.is_sane() else None

    def keep(self, commit: str, listing: Listing) -> None:
        """Write the listing down. Raises `OSError`."""
        write_whole(self._tree(commit), msgspec.json.encode(listing))

    def whole(self, revision: str, patterns: Sequence[str]) -> Path | None:
        """The folder of a snapshot that lacks nothing; None where that is not known."""
        commit = self.commit(revision)
        listing = self.listing(commit) if commit else None
        if listing is None or not (wanted := listing.wanted(patterns)):
            return None
        return None if any(self.absent(commit, wanted)) else self.snapshot(commit)

    def absent(self, commit: str, wanted: dict[str, Entry]) -> Iterable[str]:
        """Those of the wanted files that the snapshot lacks."""
        for path, entry in wanted.items():
            if size_of(self.snapshot(commit) / path) != entry.length:
                yield path

    def place(self, commit: str, path: str, entry: Entry) -> None:
        """Put a whole blob into the snapshot, by a link. Raises `OSError`."""
        blob, shown = self.blobs / entry.checksum, self.snapshot(commit) / path
        shown.parent.mkdir(parents=True, exist_ok=True)
        shown.unlink(missing_ok=True)
        try:
            shown.symlink_to(os.path.relpath(blob, shown.parent))
        except FileExistsError:  # another program has just done the same
            return
        except OSError:  # some network disks know hard links only
            shown.hardlink_to(blob)

    def _pin(self, revision: str) -> Path:
        return self.folder / "ultraandchat" / quote(revision or USUAL, safe="")

    def _tree(self, commit: str) -> Path:
        return self.folder / "trees" / f"{commit}.json"


def size_of(file: Path) -> int | None:
    """Bytes; None where there is no such file."""
    try:
        return file.stat().st_size
    except OSError:
        return None


def write_whole(file: Path, content: bytes) -> None:
    """The file with this content, or as it was before. Raises `OSError`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _is_never_fetched(path: str) -> bool:
    return any(fnmatchcase(PurePosixPath(path).name, never) for never in NEVER)


def _matches(path: str, pattern: str) -> bool:
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)
