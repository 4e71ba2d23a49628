"""One file from the hub onto the disk: from where it broke off, and compared with the hub's checksum."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

import httpx2

from ultraandchat.engines.weights.hub import Hub, Tries
from ultraandchat.engines.weights.refusals import Answered
from ultraandchat.engines.weights.stored import Entry

BLOCK: Final = 2**20
"""Bytes read at a time from the disk."""


class Stopped(Exception):
    """Another file failed, so this one is not needed any more."""


class Download:
    """One file. `count` is told of bytes as they come, and of those that were in vain as less than none."""

    def __init__(
        self, hub: Hub, commit: str, path: str, entry: Entry, count: Callable[[int], None]
    ) -> None:
        self._hub = hub
        self._url = hub.file(commit, path)
        self._path = path
        self._entry = entry
        self._count = count
        self._digest = _digest(entry)
        self._have = 0
        self._most = 0  # what one that begins anew must pass to have come further

    def to(self, part: Path, stopped: Callable[[], bool]) -> None:
        """After it `part` holds the file, whole and compared. What of it was there is gone on from, and counted
        by the caller already.

        Raises `EngineUnavailable`, `Stopped`, and `OSError` of the disk.
        """
        for _ in range(2):
            with part.open("ab", buffering=0) as file:
                self._take_up(part, file)
                self._complete(file, stopped)
                os.fsync(file.fileno())
            if self._digest.hexdigest() == self._entry.checksum:
                return
            part.unlink()
            self._count(-self._have)
        raise self._hub.wanted.damaged(self._path)

    def _take_up(self, part: Path, file: BinaryIO) -> None:
        """What an earlier try left there counts as read."""
        self._digest, self._have = _digest(self._entry), 0
        if file.tell() > self._entry.length:
            self._start_over(file)
        there = file.tell()
        with part.open("rb") as earlier:
            while block := earlier.read(min(BLOCK, there - self._have)):
                self._digest.update(block)
                self._have += len(block)
        self._most = self._have

    def _complete(self, file: BinaryIO, stopped: Callable[[], bool]) -> None:
        tries = Tries(self._hub.wanted, self._hub.patience)
        while self._have < self._entry.length:
            try:
                self._read_on(file, stopped, tries)
                if self._have < self._entry.length:
                    raise httpx2.RemoteProtocolError("it ended early")
            except Answered as error:
                if error.status == 416:  # it does not have as much as we do
                    self._start_over(file)
                tries.failed(error)
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                tries.failed(error)

    def _read_on(self, file: BinaryIO, stopped: Callable[[], bool], tries: Tries) -> None:
        """One answer's body, up to the file's length."""
        with self._hub.stream(self._url, self._have) as answer:
            if self._have and not _goes_on(answer, self._have):
                self._start_over(file)
            for (
                block
            ) in answer.iter_bytes():  # as they come: what was gathered would be lost with a cut
                if stopped():
                    raise Stopped
                taken = block[: self._entry.length - self._have]
                file.write(taken)
                self._digest.update(taken)
                self._have += len(taken)
                self._count(len(taken))
                if self._have > self._most:
                    self._most = self._have
                    tries.progressed()
                if len(taken) < len(block):
                    return

    def _start_over(self, file: BinaryIO) -> None:
        self._count(-min(file.seek(0, os.SEEK_END), self._entry.length))
        file.truncate(0)
        self._digest, self._have = _digest(self._entry), 0


def _goes_on(answer: Any, offset: int) -> bool:
    """That it begins where we asked it to; some servers begin anew."""
    told = str(answer.headers.get("content-range", ""))
    return answer.status_code == 206 and told.startswith(f"bytes {offset}-")


def _digest(entry: Entry) -> Any:
    """Of an LFS file, or as git computes it."""
    if entry.lfs_sha256 is not None:
        return hashlib.sha256()
    return hashlib.sha1(f"blob {entry.length}\0".encode(), usedforsecurity=False)
