"""The address of a running server, as it was printed, as a browser shows it, or as programs write it."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import aiohttp

from ultraandchat.config import ConfigError

HTTP = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where to ask, and what to show."""

    http: str
    """Without a slash at its end."""
    token: str
    """Empty where the address holds none."""
    certificate: bytes = b""
    """SHA-256 of the only certificate to believe; empty: one that an authority vouches for."""

    @classmethod
    def read(cls, text: str, fingerprint: str | None = None) -> "ServerAddress":
        """`http(s)://` or `ws(s)://…/ws`, with `#token=…` or without; the fingerprint as the server
        printed it, if its certificate is its own. Raises `ConfigError`."""
        try:
            parts = urlsplit(text.strip())
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"{_hidden(text)}: {error}") from None
        if parts.scheme not in HTTP or not parts.hostname:
            raise ConfigError(
                f"{_hidden(text)}: it must begin with https://, http://, wss:// or ws://"
            )
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        where = host if port is None else f"{host}:{port}"
        path = parts.path.rstrip("/").removesuffix("/ws")
        token = re.search(r"(?:^|&)token=([^&]*)", parts.fragment)
        return cls(
            f"{HTTP[parts.scheme]}://{where}{path}",
            unquote(token[1]) if token else "",
            _digest(fingerprint) if fingerprint else b"",
        )

    @property
    def ws(self) -> str:
        return f"ws{self.http.removeprefix('http')}/ws"

    @property
    def headers(self) -> dict[str, str]:
        """What gives access."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    @property
    def trust(self) -> aiohttp.Fingerprint | bool:
        """Which certificate to believe, as aiohttp takes it."""
        return aiohttp.Fingerprint(self.certificate) if self.certificate else True


def _digest(fingerprint: str) -> bytes:
    digits = re.sub(r"[:\s]", "", fingerprint)
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", digits):
        raise ConfigError("--fingerprint: a SHA-256 fingerprint has 64 hexadecimal digits")
    return bytes.fromhex(digits)


def _hidden(text: str) -> str:
    """Without what may be a token."""
    return text.partition("#")[0]
