"""Whose page is asking: a browser says it in `Origin` (RFC 6454), and no page can change that.

Nothing here knows aiohttp; headers come as strings.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit


class Origins:
    """The pages that may call this server."""

    def __init__(self, listed: Sequence[str], public_url: str | None) -> None:
        """`listed` is `access.origins`. A pod's proxy may call the server by another name than the
        browser did, so its public address is this server's own too."""
        self._listed = frozenset(origin.lower() for origin in listed)
        self._public = public_url.lower() if public_url else None

    def allow(self, origin: str | None, host: str) -> bool:
        """Whether the page at `origin` may call a server that was asked for as `host`; programs send
        no origin and pass."""
        if origin is None:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        own = parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()
        return own or origin.lower() == self._public or origin.lower() in self._listed
