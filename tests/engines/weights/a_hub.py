"""A model hub of one thread: repositories in memory, and for each file what is to go wrong with its next answers."""

import hashlib
import json
import ssl
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

LARGE = 1000
"""Bytes from which this hub keeps a file by LFS."""


@dataclass(frozen=True)
class Fault:
    """One answer that is not as it should be."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int = -1
    """Bytes of the body, after which the connection is closed."""
    stall_after: int = -1
    """Bytes of the body, after which nothing more comes."""
    damage: bool = False
    """The first byte of the body is another."""
    no_ranges: bool = False
    """The whole file, whatever part of it was asked for."""
    redirect: str = ""
    """Host and port of who has the file."""


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    token: str
    range: str


class AHub:
    """Made by `a_hub`."""

    def __init__(self) -> None:
        self.commits: dict[tuple[str, str], str] = {}
        self.files: dict[tuple[str, str], dict[str, bytes]] = {}
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        """By the last part of the path: a file's name, or a revision's for its listing."""
        self.asked: list[Asked] = []
        self.over = threading.Event()
        self.address = ""

    def has(self, name: str, files: dict[str, bytes], *revisions: str) -> str:
        """A repository's files at these branches or tags; returns the commit."""
        commit = hashlib.sha1(repr((name, sorted(files.items()))).encode()).hexdigest()
        self.files[name, commit] = files
        for revision in (commit, *(revisions or ("main",))):
            self.commits[name, revision] = commit
        return commit

    def goes_wrong(self, what: str, *faults: Fault) -> None:
        """The next answers about `what`, one by one; later ones are right again."""
        self.faults[what].extend(faults)

    def paths(self) -> list[str]:
        """The last part of each path that was asked for."""
        return [unquote(urlsplit(one.path).path).rsplit("/", 1)[-1] for one in self.asked]


def listing(commit: str, files: dict[str, bytes]) -> bytes:
    """As the hub's `?blobs=true` has it."""
    siblings: list[dict[str, Any]] = []
    for path, content in files.items():
        blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
        one: dict[str, Any] = {"rfilename": path, "size": len(content), "blobId": blob}
        if len(content) >= LARGE:
            digest = hashlib.sha256(content).hexdigest()
            one["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 130}
        siblings.append(one)
    return json.dumps({"id": "it", "sha": commit, "siblings": siblings, "gated": False}).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: AHub

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        hub, path = self.hub, unquote(urlsplit(self.path).path)
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        wanted = self.headers.get("range", "")
        hub.asked.append(Asked(self.path, token, wanted))
        waiting = hub.faults[path.rsplit("/", 1)[-1]]
        fault = waiting.popleft() if waiting else Fault()
        if fault.status:
            self._answer(fault.status, b"{}", fault.headers)
        elif fault.redirect:
            self._answer(302, b"", {"Location": f"http://{fault.redirect}{self.path}"})
        elif (body := self._body(path)) is None:
            code = "RevisionNotFound" if self._known(path) else "RepoNotFound"
            self._answer(404, b"{}", {"X-Error-Code": code})
        else:
            self._send(body, wanted, fault)

    def _known(self, path: str) -> bool:
        return any(f"/{name}/" in path for name, _ in self.hub.commits)

    def _body(self, path: str) -> bytes | None:
        if path.startswith("/api/models/"):
            name, _, revision = path.removeprefix("/api/models/").partition("/revision/")
            commit = self.hub.commits.get((name, revision))
            return None if commit is None else listing(commit, self.hub.files[name, commit])
        name, _, rest = path.removeprefix("/").partition("/resolve/")
        commit, _, file = rest.partition("/")
        return self.hub.files.get((name, commit), {}).get(file)

    def _send(self, body: bytes, wanted: str, fault: Fault) -> None:
        start = 0 if fault.no_ranges or not wanted else int(wanted[len("bytes=") : -1])
        headers = {}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        part = body[start:]
        if fault.damage:
            part = bytes([part[0] ^ 1]) + part[1:]
        self._head(206 if start else 200, len(part), headers)
        end = max(fault.cut_after, fault.stall_after)
        self.wfile.write(part if end < 0 else part[:end])
        self.wfile.flush()
        if fault.stall_after >= 0:
            self.hub.over.wait()
        if end >= 0:
            self.close_connection = True

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._head(status, len(body), headers)
        self.wfile.write(body)

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is part of these stories."""


@contextmanager
def a_hub(tls: ssl.SSLContext | None = None) -> Iterator[AHub]:
    """It listens on 127.0.0.1 until the block ends."""
    hub = AHub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    with _Server(("127.0.0.1", 0), handler) as server:
        hub.address = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hub
        finally:
            hub.over.set()
            server.shutdown()
            thread.join()
