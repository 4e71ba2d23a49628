"""The page: files of the package's `web` folder, as they lie. Nothing else can be asked for."""

import hashlib
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


class Page:
    """Serves the files under `root`. They are read for every request: small, and editable."""

    def __init__(self, root: Traversable | None = None) -> None:
        self._root = root or resources.files("ultraandchat") / "web"

    async def serve(self, request: web.Request) -> web.Response:
        """A file, or 404; 304 when the browser has it already."""
        path = request.match_info.get("path") or "index.html"
        file = self._found(path)
        if file is None:
            raise web.HTTPNotFound(text="there is no such file\n")
        content = file.read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        headers = {"Cache-Control": "no-cache", "ETag": tag}
        known = request.headers.get("If-None-Match", "").replace("W/", "").split(",")
        if tag in (one.strip() for one in known):
            return web.Response(status=304, headers=headers)
        kind = TYPES[_suffix(path)]
        charset = "utf-8" if kind in TEXT else None
        return web.Response(body=content, content_type=kind, charset=charset, headers=headers)

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


def _suffix(path: str) -> str:
    _, dot, ending = path.rpartition(".")
    return dot + ending
