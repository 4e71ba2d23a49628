"""The page: files of the package's `web` folder, as they lie. Nothing else can be asked for.

They are read for every request: small, and editable. What is sent to browsers that take gzip is made once for
each file and kept until the file changes; it lacks the comments, a third of it, whose lines stay as empty ones.
"""

import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from aiohttp import web

TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What a page is made of; a file of any other kind (`jsconfig.json`, notes) is not served."""

TEXT = frozenset({"text/html", "text/css", "text/javascript", "image/svg+xml"})

PACKED = TEXT | {"application/manifest+json"}
"""What gzip makes smaller; pictures and fonts are packed already."""

COMMENTED = frozenset({"text/css", "text/javascript"})

COMMENT = re.compile(rb"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*$", re.MULTILINE | re.DOTALL)
"""One that has its lines for itself. Those beside code stay: what is in a string is not told from them so easily."""

LICENCE = b"@license"
"""What others wrote keeps its notices."""

HASH_CHARS = 16

UNFILLED = b'<meta name="page" content="">'
"""In index.html: the page is told here which version of it was loaded."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it was read last, and as it is sent."""

    read: bytes
    plain: bytes
    packed: bytes | None
    """By gzip; none where that is no gain."""
    digest: str

    def tag(self, *, packed: bool) -> str:
        """Each coding has its own (RFC 9110, 8.8.3.3)."""
        return f'"{self.digest}{"-gzip" if packed else ""}"'


class Page:
    """Serves the files under `root`."""

    def __init__(self, root: Traversable | None = None) -> None:
        self._root = root or resources.files("ultraandchat") / "web"
        self._kept: dict[str, Kept] = {}  # as many as there are files
        self.version = _digest(*(part for file in _files(self._root) for part in file))
        """Changes with any of the files: a page that was loaded of another version says so. Of this
        process's start, so that whoever edits a file meanwhile is not told to reload."""

    async def serve(self, request: web.Request) -> web.Response:
        """A file, or 404; 304 when the browser has it already."""
        path = request.match_info.get("path") or "index.html"
        file = self._found(path)
        if file is None:
            raise web.HTTPNotFound(text="there is no such file\n")
        kept = self._read(path, file)
        packed = kept.packed is not None and _takes_gzip(request.headers.get("Accept-Encoding", ""))
        tag = kept.tag(packed=packed)
        headers = {"Cache-Control": "no-cache", "ETag": tag}
        kind = TYPES[_suffix(path)]
        if kind in PACKED:
            headers["Vary"] = "Accept-Encoding"
        known = request.headers.get("If-None-Match", "").replace("W/", "").split(",")
        if tag in (one.strip() for one in known):
            return web.Response(status=304, headers=headers)
        if packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(
            body=kept.packed if packed else kept.plain,
            content_type=kind,
            charset="utf-8" if kind in TEXT else None,
            headers=headers,
        )

    def _read(self, path: str, file: Traversable) -> Kept:
        """The file as it lies now; what was made of it is made anew only where it changed."""
        read = file.read_bytes()
        kept = self._kept.get(path)
        if kept is None or kept.read != read:
            filled = UNFILLED.replace(b'""', f'"{self.version}"'.encode())
            plain = read.replace(UNFILLED, filled) if path == "index.html" else read
            kind = TYPES[_suffix(path)]
            short = _without_comments(plain) if kind in COMMENTED else plain
            packed = gzip.compress(short, mtime=0) if kind in PACKED else plain
            gains = len(packed) < len(plain)
            kept = self._kept[path] = Kept(read, plain, packed if gains else None, _digest(plain))
        return kept

    def _found(self, path: str) -> Traversable | None:
        """The file of that name, walked down name by name, so that nothing leads out of the folder."""
        if _suffix(path) not in TYPES:
            return None
        at = self._root
        for part in path.split("/"):
            if part.startswith(".") or not at.is_dir():
                return None
            inside = next((child for child in at.iterdir() if child.name == part), None)
            if inside is None:
                return None
            at = inside
        return at if at.is_file() else None


def _files(folder: Traversable) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of all that is served, in an order that is always the same."""
    for child in sorted(folder.iterdir(), key=lambda child: child.name):
        if child.name.startswith("."):
            continue
        if child.is_dir():
            yield from _files(child)
        elif _suffix(child.name) in TYPES:
            yield child.name.encode(), child.read_bytes()


def _without_comments(text: bytes) -> bytes:
    """Line for line the same code, so that an error in a browser names a line of the source."""

    def emptied(found: re.Match[bytes]) -> bytes:
        return found[0] if LICENCE in found[0] else b"\n" * found[0].count(b"\n")

    return COMMENT.sub(emptied, text)


def _digest(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8))
        whole.update(part)
    return whole.hexdigest()[:HASH_CHARS]


def _takes_gzip(accepted: str) -> bool:
    """Of an `Accept-Encoding` (RFC 9110, 12.5.3); "q=0" means no, and "*" whatever is not named."""
    wishes = dict(_wishes(accepted))
    return wishes.get("gzip", wishes.get("x-gzip", wishes.get("*", False)))


def _wishes(accepted: str) -> Iterator[tuple[str, bool]]:
    for one in accepted.lower().split(","):
        coding, _, weight = one.partition(";")
        refused = weight.strip().removeprefix("q=").strip("0.") == "" and bool(weight.strip())
        yield coding.strip(), not refused


def _suffix(path: str) -> str:
    _, dot, ending = path.rpartition(".")
    return dot + ending
