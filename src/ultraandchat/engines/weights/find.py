"""Weights as a folder on this disk: the one that is named, or a repository of the hub, downloaded where it lacks.

For worker processes: huggingface_hub takes a while to import. A snapshot that is whole is used without
asking anybody, and in offline mode nobody is ever asked.
"""

import re
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from filelock import Timeout
from huggingface_hub.utils import WeakFileLock

from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.weights.fetch import Download, Stopped
from ultraandchat.engines.weights.hub import PATIENT, Hub, Patience
from ultraandchat.engines.weights.places import cache_folder, hub_address, hub_token, is_offline
from ultraandchat.engines.weights.refusals import Wanted
from ultraandchat.engines.weights.stored import USUAL, WEIGHTS, Entry, Stored, size_of
from ultraandchat.engines.worker_wire import Progress

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
"""OWNER/NAME, as the hub has them."""

AT_ONCE = 4
"""Files on their way at one time: a large model is four files of 4 GB, and one connection rarely fills a line."""

RESERVE = 2**28
"""Bytes that a download leaves free on the disk."""


def find(
    name: str,
    revision: str,
    *,
    patterns: Sequence[str] = WEIGHTS,
    offline: bool,
    cache: str,
    endpoint: str,
    token: str,
    progress: Progress,
    engine: str = "ultravox",
    setting: str = "engines.ultravox.checkpoint",
    patience: Patience = PATIENT,
) -> Path:
    """The folder with the files of `patterns` of `name`: a folder, which is taken as it is, or OWNER/NAME at
    `revision` (a commit, branch or tag; empty: its main branch). A branch stays what it was at the first download.

    `progress("download", bytes there, bytes)` while something is fetched. `engine` and `setting` are for what
    is told: `EngineUnavailable`, whatever the reason.
    """
    if (folder := Path(name).expanduser()).is_dir():
        return folder
    if not REPOSITORY.fullmatch(name):
        raise EngineUnavailable(
            engine,
            f"{name} is neither a folder here nor OWNER/NAME of a repository",
            f"Correct {setting}.",
        )
    stored = Stored(cache_folder(cache), name)
    if whole := stored.whole(revision, patterns):
        stored.pin(revision, whole.name)
        return whole
    address, secret = hub_address(endpoint), hub_token(token, engine)
    wanted = Wanted(name, revision or USUAL, engine, setting, address, bool(secret))
    if is_offline(offline):
        raise wanted.offline()
    try:
        return _Fetching(stored, Hub(wanted, secret, patience), patterns, progress).done(revision)
    except OSError as error:
        raise wanted.disk(stored.cache, error) from None


class _Fetching:
    """What lacks, from the hub. Raises `EngineUnavailable`, and `OSError` of the disk."""

    def __init__(
        self, stored: Stored, hub: Hub, patterns: Sequence[str], progress: Progress
    ) -> None:
        self._stored = stored
        self._hub = hub
        self._patterns = patterns
        self._progress = progress
        self._counting = threading.Lock()
        self._done = 0
        self._total = 0
        self._stop = threading.Event()

    def done(self, revision: str) -> Path:
        """The whole snapshot. Other processes that want the same wait, and then find it there."""
        commit, wanted = self._look_up(revision)
        with ExitStack() as held:
            self._lock(held, wanted)
            self._fetch(commit, wanted)
            self._stored.pin(revision, commit)
        return self._stored.snapshot(commit)

    def _look_up(self, revision: str) -> tuple[str, dict[str, Entry]]:
        """The commit and its wanted files; the hub is asked only for what was not written down."""
        commit = self._stored.commit(revision)
        listing = self._stored.listing(commit) if commit else None
        if listing is None:
            commit, listing = self._hub.listing(commit or revision or USUAL)
            self._stored.keep(commit, listing)
        if not (wanted := listing.wanted(self._patterns)):
            raise self._hub.wanted.useless()
        return commit, wanted

    def _lock(self, held: ExitStack, wanted: Mapping[str, Entry]) -> None:
        """Until it is ours, what another process downloads is told as progress."""
        folder = self._stored.cache / ".locks" / self._stored.folder.name
        folder.mkdir(parents=True, exist_ok=True)
        total = sum(entry.length for entry in wanted.values())
        while True:
            try:
                held.enter_context(WeakFileLock(folder / "ultraandchat.lock", timeout=1))
                return
            except Timeout:
                self._progress("download", sum(map(self._on_disk, wanted.values())), total)

    def _fetch(self, commit: str, wanted: dict[str, Entry]) -> None:
        absent = self._stored.absent(commit, wanted)
        files: dict[str, list[str]] = {}  # a repository may hold the same file twice
        for path in sorted(absent, key=lambda path: wanted[path].length):
            files.setdefault(wanted[path].checksum, []).append(path)
        entries = [wanted[paths[0]] for paths in files.values()]
        missing = sum(entry.length - self._on_disk(entry) for entry in entries)
        self._stored.blobs.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._stored.blobs).free
        if missing and missing + RESERVE > free:
            raise self._hub.wanted.too_small(self._stored.cache, missing, free)
        self._total = sum(entry.length for entry in wanted.values())
        self._done = self._total - missing
        self._count(0)
        jobs = [
            partial(self._one, commit, paths, entry)
            for paths, entry in zip(files.values(), entries, strict=True)
        ]
        # The smallest alone: what the hub gives to nobody is refused with it, at once.
        for job in jobs[:1]:
            job()
        self._all(jobs[:0:-1])

    def _all(self, jobs: Sequence[Callable[[], None]]) -> None:
        """Side by side. The first that fails ends the others."""
        with ThreadPoolExecutor(AT_ONCE, "download") as pool:
            running = [pool.submit(job) for job in jobs]
        faults = [fault for one in running if (fault := one.exception()) is not None]
        for fault in sorted(faults, key=lambda fault: isinstance(fault, Stopped)):
            raise fault

    def _one(self, commit: str, paths: Sequence[str], entry: Entry) -> None:
        """One file, to all the places that it has."""
        blob = self._stored.blobs / entry.checksum
        try:
            if size_of(blob) != entry.length:
                blob.unlink(missing_ok=True)
                part = _part(blob)
                download = Download(self._hub, commit, paths[0], entry, self._count)
                download.to(part, self._stop.is_set)
                part.replace(blob)
            for path in paths:
                self._stored.place(commit, path, entry)
        except BaseException:
            self._stop.set()
            raise

    def _count(self, more: int) -> None:
        with self._counting:
            self._done += more
            self._progress("download", self._done, self._total)

    def _on_disk(self, entry: Entry) -> int:
        """Bytes of this file that need not be fetched."""
        blob = self._stored.blobs / entry.checksum
        if size_of(blob) == entry.length:
            return entry.length
        return min(size_of(_part(blob)) or 0, entry.length)


def _part(blob: Path) -> Path:
    return blob.with_name(f"{blob.name}.part")
