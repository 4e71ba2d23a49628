"""The hub over HTTP: what a repository holds, and its files from any byte on. One of three that know huggingface_hub.

From that library come the client (proxies, certificates, its own offline switch) and the lock between
processes. Its downloads do not go on after a process has ended, compare no checksum, and ask the hub which
program runs it, so those are ours (decision 28).
"""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec
from huggingface_hub.utils import get_session

from ultraandchat import __version__
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.weights.refusals import Answered, Wanted
from ultraandchat.engines.weights.stored import COMMIT, Entry, Listing

CONNECT_S = 10.0
"""For a connection to be there."""

LONGEST_PAUSE_S = 30.0
"""Before the hub is asked again. Where it wants more, the operator is told instead."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with a hub: less in all than a worker's start may be without progress (120 s and more)."""

    stall_s: float = 20.0
    """Without a byte, after which the connection is given up."""
    tries: int = 4
    """In a row that brought no byte."""
    pause: Callable[[float], None] = time.sleep
    """Between two tries; gets the seconds."""


PATIENT = Patience()


class _Lfs(msgspec.Struct):
    sha256: str
    size: int


class _Sibling(msgspec.Struct, rename="camel"):
    rfilename: str
    size: int
    blob_id: str
    lfs: _Lfs | None = None


class _Model(msgspec.Struct):
    """As `/api/models/NAME/revision/REVISION?blobs=true` tells it, the part that we need."""

    sha: str
    siblings: list[_Sibling]


class Tries:
    """Failures in a row of one thing that is wanted."""

    def __init__(self, wanted: Wanted, patience: Patience) -> None:
        self._wanted = wanted
        self._patience = patience
        self._failed = 0

    def progressed(self) -> None:
        self._failed = 0

    def failed(self, error: Exception) -> None:
        """Wait a little, or raise `EngineUnavailable` where waiting does not help or did not."""
        self._failed += 1
        refusal, may_pass = self._judged(error)
        pause = min(2.0 ** (self._failed - 1), LONGEST_PAUSE_S)
        if isinstance(error, Answered) and error.retry_after_s is not None:
            pause = error.retry_after_s
        if not may_pass or pause > LONGEST_PAUSE_S or self._failed >= self._patience.tries:
            raise refusal from None
        self._patience.pause(pause)

    def _judged(self, error: Exception) -> tuple[EngineUnavailable, bool]:
        """What to say of it, and whether it may pass."""
        wanted = self._wanted
        if isinstance(error, Answered):
            return wanted.refused(error), error.may_pass
        if _in_chain(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY" in str(error):
            return wanted.untrusted(), False
        if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
            return wanted.unreachable("its address is none"), False
        if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ProxyError):
            return wanted.unreachable("no connection"), True
        if isinstance(error, httpx2.TimeoutException):
            return wanted.stalled(self._patience.stall_s), True
        return wanted.broken(), True


class Hub:
    """What one repository of it is asked."""

    def __init__(self, wanted: Wanted, token: str, patience: Patience) -> None:
        self.wanted = wanted
        self.patience = patience
        self._token = token

    def listing(self, revision: str) -> tuple[str, Listing]:
        """The commit of this revision, and its files. Raises `EngineUnavailable`."""
        path = f"api/models/{self.wanted.name}/revision/{quote(revision, safe='')}?blobs=true"
        tries = Tries(self.wanted, self.patience)
        while True:
            try:
                with self.stream(path) as answer:
                    body = answer.read()
            except (Answered, httpx2.HTTPError, httpx2.InvalidURL) as error:
                tries.failed(error)
                continue
            return self._understood(body)

    def file(self, commit: str, path: str) -> str:
        """Where this file of the repository is had."""
        return f"{self.wanted.name}/resolve/{commit}/{quote(path)}"

    @contextmanager
    def stream(self, path: str, offset: int = 0) -> Iterator[Any]:
        """The answer to a GET, its body unread. The token goes to the hub, not to where the hub redirects to.

        Raises `Answered` for an error's status, and httpx2's exceptions.
        """
        headers = {"user-agent": f"ultraandchat/{__version__}", "accept-encoding": "identity"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        if offset:
            headers["range"] = f"bytes={offset}-"
        limits = httpx2.Timeout(self.patience.stall_s, connect=CONNECT_S)
        url = f"{self.wanted.address}/{path}"
        with get_session().stream("GET", url, headers=headers, timeout=limits) as answer:
            if answer.status_code >= 400:
                told = answer.headers
                code, after = told.get("x-error-code", ""), told.get("retry-after", "")
                pause = float(after) if after.isdigit() else None
                elsewhere = answer.url.host != self.wanted.host
                raise Answered(answer.status_code, code, pause, elsewhere=elsewhere)
            yield answer

    def _understood(self, body: bytes) -> tuple[str, Listing]:
        try:
            model = msgspec.json.decode(body, type=_Model)
        except ValueError:
            raise self.wanted.senseless() from None
        listing = Listing({one.rfilename: _entry(one) for one in model.siblings})
        if not COMMIT.fullmatch(model.sha) or not listing.is_sane():
            raise self.wanted.senseless()
        return model.sha, listing


def _entry(one: _Sibling) -> Entry:
    if one.lfs is None:
        return Entry(one.size, one.blob_id)
    return Entry(one.size, one.blob_id, one.lfs.sha256, one.lfs.size)


def _in_chain(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__cause__ or error.__context__
    return False
