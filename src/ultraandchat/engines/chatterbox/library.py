"""The voices that Chatterbox can speak with: a folder of reference clips, one file a voice.

Whoever runs the server puts files there, or a page with access uploads them. The loop asks often, and the folder may
be on a slow network disk: so a thread looks whether it changed, has new files looked at in a process apart, and
whoever asks is told what was known last.
"""

import errno
import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from ultraandchat.engines.chatterbox import clip_process
from ultraandchat.engines.chatterbox.clip_folder import Stamp, clips, forget_prepared, write
from ultraandchat.engines.chatterbox.clip_process import Finding
from ultraandchat.engines.chatterbox.clips import UnfitClip

LOG = logging.getLogger("ultraandchat.model")

DEFAULT = "default"
"""The voice that comes with the checkpoint; no clip can have its name."""

OWN_NAME = f'"{DEFAULT}" is the name of the model\'s own voice'

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

NAME_RULE = 'a name has 1 to 40 small letters, digits or "-", and begins with no "-"'

MOST_VOICES = 64

MOST_BYTES = 20_000_000
"""Of an upload: 30 s in the largest usual format are 9 MB."""

FRESH_S = 1.0
"""Whoever asks later has the folder looked at again."""


class LibraryError(Exception):
    """It cannot be done; its text is one plain sentence."""


class BadName(LibraryError):
    """No voice can be called so."""


class TooMany(LibraryError):
    """There are as many voices as there may be."""


class DiskFull(LibraryError):
    """There is no room for the file."""


class NameTaken(LibraryError):
    """There is a voice of this name."""


class NoSuchVoice(LibraryError):
    """There is none of this name."""


@dataclass(frozen=True, slots=True)
class VoiceFile:
    """One clip of the folder."""

    name: str
    path: Path
    seconds: float
    """Of what the models hear of it; 0 until it was looked at, and with a fault."""
    fault: str = ""
    """Why it cannot be a voice, in one sentence; empty where it can, and while nobody looked at it."""
    remark: str = ""
    """What will be heard of the clip's faults; empty for none."""
    changed: int = field(default=0, compare=False)
    """When the file was written, ns: another file under the same name is another voice."""


class Library:
    """One folder's voices, for every thread. What is uploaded or removed here shows at once."""

    def __init__(
        self, folder: Path, *, look: Callable[[Sequence[Path]], list[Finding]] = clip_process.look
    ) -> None:
        """A folder that is not there is one without voices; the first upload makes it. `look` is for tests."""
        self.folder = folder.expanduser()
        self._look = look
        self._lock = threading.Lock()  # of what follows; never held for long
        self._found: dict[Path, tuple[Stamp, Finding]] = {}
        self._listed: tuple[VoiceFile, ...] | None = None
        self._unknown = False
        self._listed_at = 0.0
        self._looking: threading.Thread | None = None
        self._trouble = ""
        self._listing = threading.Lock()
        self._settling = threading.Lock()
        self._changing = threading.Lock()

    def voices(self) -> tuple[VoiceFile, ...]:
        """By name, faulty ones too, as the folder was at most `FRESH_S` before the last time somebody asked.

        It reads the folder the first time only, and no clip ever.
        """
        with self._lock:
            listed = self._listed
        if listed is None:
            self._list()
        with self._lock:
            now = time.monotonic()
            due = self._unknown or now - self._listed_at >= FRESH_S
            if due and (self._looking is None or not self._looking.is_alive()):
                self._listed_at = now
                self._looking = threading.Thread(target=self.settle, name="voices", daemon=True)
                self._looking.start()
            return self._listed or ()

    def settle(self) -> tuple[VoiceFile, ...]:
        """The folder as it is now, every clip looked at. Blocks."""
        with self._settling:
            new = self._list()
            if new:
                found = self._look(list(new))
                with self._lock:
                    self._found |= dict(
                        zip(new, zip(new.values(), found, strict=True), strict=True)
                    )
                self._list()
                for path, finding in zip(new, found, strict=True):
                    if finding.fault:
                        LOG.warning("%s cannot be a voice: %s", path.name, finding.fault)
        with self._lock:
            return self._listed or ()

    def add(self, name: str, data: bytes | bytearray) -> VoiceFile:
        """A new voice from an uploaded file, which is looked at first; what is stored is a WAV of our own making.

        Blocks for a second or so. `UnfitClip`, `LibraryError`.
        """
        if not NAME.fullmatch(name) or name == DEFAULT:
            raise BadName(NAME_RULE if name != DEFAULT else OWN_NAME)
        if len(data) > MOST_BYTES:
            raise UnfitClip(f"the file has more than {MOST_BYTES // 1_000_000} MB")
        with self._changing:
            self._refuse_another(name)
            found, made = clip_process.make(data)
            path = self.folder / f"{name}.wav"
            try:
                stamp = write(path, made)
            except OSError as error:
                raise _not_stored(error) from None
            with self._lock:
                self._found[path] = (stamp, found)
            self._list()
        return VoiceFile(name, path, found.seconds, "", found.remark, stamp[0])

    def remove(self, name: str) -> None:
        """Delete a voice's file, of whatever format, and what the models made of it; `name` as it is listed.

        What they made of other clips goes, too, and is made again when it is needed. `NoSuchVoice`, `LibraryError`.
        """
        with self._changing:
            paths = [path for path in self._files() if name in (path.stem, path.name)]
            if not paths:
                raise NoSuchVoice("there is no voice of this name")
            try:
                for path in paths:
                    path.unlink(missing_ok=True)
                forget_prepared(self.folder)
            except OSError as error:
                raise LibraryError(f"the voice cannot be removed ({error.strerror})") from None
            finally:
                self._list()

    def _refuse_another(self, name: str) -> None:
        names = {path.stem for path in self._files()}
        if name in names:
            raise NameTaken("there is a voice of this name; remove it first")
        if len(names) >= MOST_VOICES:
            raise TooMany(f"there are {MOST_VOICES} voices, which is all there may be; remove one")

    def _list(self) -> dict[Path, Stamp]:
        """List the folder as it is now; returns the files to be looked at."""
        with self._listing:  # else an older look at the folder could come after a newer one
            files = self._files()
            with self._lock:
                return self._publish(files)

    def _publish(self, files: dict[Path, Stamp]) -> dict[Path, Stamp]:
        """Called with the lock held."""
        self._found = {path: kept for path, kept in self._found.items() if path in files}
        listed: dict[str, VoiceFile] = {}
        new: dict[Path, Stamp] = {}
        for number, (path, stamp) in enumerate(files.items()):
            known, found = self._found.get(path, (None, Finding()))
            fault = _fault_of_name(path, number, path.stem in listed)
            if known != stamp:
                found = Finding()
                if not fault:
                    new[path] = stamp
            fault = fault or found.fault
            name = path.name if path.stem in listed else path.stem
            seconds = 0.0 if fault else found.seconds
            listed[name] = VoiceFile(name, path, seconds, fault, found.remark, stamp[0])
        self._listed = tuple(listed.values())
        self._listed_at = time.monotonic()
        self._unknown = bool(new)
        return new

    def _files(self) -> dict[Path, Stamp]:
        try:
            files = clips(self.folder)
        except OSError as error:
            self._tell(f"the folder of voices, {self.folder}, cannot be read ({error.strerror})")
            return {}
        self._tell("")
        return files

    def _tell(self, trouble: str) -> None:
        """Once, when it begins. It may be meant: a folder that is not there yet is one without voices."""
        if trouble and trouble != self._trouble:
            LOG.info("%s; only the model's own voice is there", trouble)
        self._trouble = trouble


@runtime_checkable
class WithLibrary(Protocol):
    """A `SpeechSynthesizer` with voices of a library besides its own: who has access may add to them."""

    @property
    def library(self) -> Library: ...


def _fault_of_name(path: Path, number: int, twice: bool) -> str:
    """What a file's name and its place in the list have against it."""
    if path.stem == DEFAULT:
        return OWN_NAME
    if not NAME.fullmatch(path.stem):
        return NAME_RULE
    if twice:
        return f"{path.name} has the name of another voice"
    return f"more than {MOST_VOICES} voices are not used" if number >= MOST_VOICES else ""


def _not_stored(error: OSError) -> LibraryError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull("the server's disk is full, so the voice was not stored")
    return LibraryError(f"the voice cannot be stored ({error.strerror})")
