"""What can go wrong with the hub, each as one sentence and what mends it. Never with the token, or a signed address."""

import errno
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ultraandchat.engines.base import EngineUnavailable

GOES_ON = "Start again: it goes on where it was. If it stays so, look at the network."
LARGER = "Free some, or set engines.hub.cache to a folder on a larger disk."


class Answered(Exception):
    """The hub, or who keeps its files, answered with an error."""

    def __init__(
        self, status: int, code: str, retry_after_s: float | None, *, elsewhere: bool
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        """As the hub's header X-Error-Code has it: "GatedRepo", "RepoNotFound", "RevisionNotFound"; or nothing."""
        self.retry_after_s = retry_after_s
        self.elsewhere = elsewhere
        """It was not the hub, but a server that it sent us to. Such an address is good for a while only."""

    @property
    def may_pass(self) -> bool:
        """That it is worth asking again."""
        return self.elsewhere or self.status in (408, 425, 429) or self.status >= 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is being fetched and for whom, as errors name it."""

    name: str
    revision: str
    engine: str
    setting: str
    """The setting that names the repository; its revision is in the one beside it."""
    address: str
    """Of the hub."""
    has_token: bool

    @property
    def host(self) -> str:
        """Without anything secret that an address may carry."""
        return urlsplit(self.address).hostname or "the hub"

    @property
    def page(self) -> str:
        parts = urlsplit(self.address)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{self.host}{port}{parts.path}/{self.name}"

    def refused(self, answer: Answered) -> EngineUnavailable:
        """By the hub."""
        status, code = answer.status, answer.code
        if answer.elsewhere:
            return self._failing(status)
        if code == "GatedRepo" or status == 403:
            return self.gated()
        if status == 401 and self.has_token and code != "RepoNotFound":
            return self._unavailable(
                f"{self.host} does not accept the token that it was given",
                "Set HF_TOKEN or engines.hub.token to one that is valid.",
            )
        if code == "RevisionNotFound":
            return self._unavailable(
                f"{self.name} has no revision {self.revision}",
                f"Correct {self.setting}'s revision, or leave it empty.",
            )
        if status in (401, 404):
            whose = "that this token may read" if self.has_token else "that is open without a token"
            return self._unavailable(
                f"{self.host} has no repository {self.name} {whose}",
                f"Correct {self.setting}, or set HF_TOKEN where the repository is private.",
            )
        if status == 429:
            later = answer.retry_after_s
            when = "later" if later is None else f"in {later:.0f} s"
            return self._unavailable(
                f"{self.host} has been asked too often and wants to be asked again {when}",
                "Start again then. With a token (HF_TOKEN) it answers more often.",
            )
        return self._failing(status)

    def _failing(self, status: int) -> EngineUnavailable:
        return self._unavailable(
            f"{self.host} answers with error {status} when asked for {self.name}",
            "Start again later, or set engines.hub.endpoint to a mirror.",
        )

    def gated(self) -> EngineUnavailable:
        whose = (
            "the account of this token" if self.has_token else "nobody here, as no token is set,"
        )
        return self._unavailable(
            f"{self.name} is given only to those who accepted its licence, and {whose} has not",
            f"Accept it on {self.page} and set HF_TOKEN to a token that may read it, or set"
            f" {self.setting} to another copy: a repository or a folder.",
        )

    def unreachable(self, why: str) -> EngineUnavailable:
        return self._unavailable(
            f"{self.host} cannot be reached for {self.name} ({why})",
            "Look at the network, HTTPS_PROXY and engines.hub.endpoint, or name a folder with"
            f" {self.setting}.",
        )

    def untrusted(self) -> EngineUnavailable:
        return self._unavailable(
            f"the certificate of {self.host} is not to be trusted here",
            "Set this machine's clock. Behind a proxy with certificates of its own set SSL_CERT_FILE to them.",
        )

    def stalled(self, seconds: float) -> EngineUnavailable:
        return self._unavailable(
            f"{self.host} sends nothing more of {self.name}, again and again for {seconds:g} s",
            GOES_ON,
        )

    def broken(self) -> EngineUnavailable:
        return self._unavailable(
            f"the connection to {self.host} breaks again and again while {self.name} is downloaded",
            GOES_ON,
        )

    def damaged(self, path: str) -> EngineUnavailable:
        return self._unavailable(
            f"{path} of {self.name} came damaged twice: its checksum is not the hub's",
            "Start again; if it stays so, something between here and the hub changes what passes"
            " (a proxy, or engines.hub.endpoint).",
        )

    def senseless(self) -> EngineUnavailable:
        return self._unavailable(
            f"{self.host} does not answer as a model hub does when asked for {self.name}",
            "Correct engines.hub.endpoint, or look whether a proxy or a login page answers instead.",
        )

    def useless(self) -> EngineUnavailable:
        return self._unavailable(
            f"{self.name} holds none of the files that are needed",
            f"Set {self.setting} to a repository with safetensors files.",
        )

    def offline(self) -> EngineUnavailable:
        return self._unavailable(
            f"{self.name} is not known to be whole on this disk, and engines.hub.offline or"
            " HF_HUB_OFFLINE forbids to ask the hub",
            f"Start once without it, or set {self.setting} to the folder that holds the files.",
        )

    def too_small(self, folder: Path, missing: int, free: int) -> EngineUnavailable:
        return self._unavailable(
            f"{missing / 1e9:.1f} GB of {self.name} are to be downloaded, and the disk of {folder}"
            f" has {free / 1e9:.1f} GB free",
            LARGER,
        )

    def disk(self, folder: Path, error: OSError) -> EngineUnavailable:
        """What the disk said while something was written."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return self._unavailable(
                f"the disk of {folder} became full while {self.name} was downloaded",
                f"{LARGER} What is there is kept.",
            )
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return self._unavailable(
                f"{folder} may not be written to ({error.strerror})",
                "Set engines.hub.cache to a folder that the server's user may write to.",
            )
        return self._unavailable(
            f"{folder} cannot be used ({error.strerror})",
            "Set engines.hub.cache to another folder.",
        )

    def _unavailable(self, reason: str, remedy: str) -> EngineUnavailable:
        return EngineUnavailable(self.engine, reason, remedy)
