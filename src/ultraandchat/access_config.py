"""The settings of who gets in: the operator's token, the pages that may call, and TLS."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SHORTEST_TOKEN = 16
"""Characters. 16 of the poorest alphabet people choose, digits, are 10^16 tries; `server/guesses.py` lets one a minute."""
LONGEST_TOKEN = 256
"""Characters; it has to fit a header."""

BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What can stand after `Authorization: Bearer` (RFC 6750 §2.1)."""

LONGEST_COOKIE_DAYS = 400
"""Browsers keep no cookie for longer (RFC 6265bis §5.5)."""
LONGEST_TICKET_S = 300


@dataclass(frozen=True, slots=True)
class AccessConfig:
    """Who gets in. A server that listens on loopback only needs no token; any other one has one."""

    token: str = field(default="", repr=False)
    """Whoever has it gets in; at least 16 letters, digits or `._~+/-`. Empty: none on loopback; else one is made at each start and shown with the address to open."""
    origins: tuple[str, ...] = ()
    """Pages of other servers that may call this one, as `https://example.org`."""
    cookie_days: float = 30.0
    """A browser that has shown the token gets in for so long. With a token of your own a restart changes nothing about that."""
    ticket_s: int = 30
    """How long a ticket for `/ws` can be used, once."""

    def __post_init__(self) -> None:
        """Refuse a token that can be guessed or cannot be sent; never repeat it."""
        if self.token and not SHORTEST_TOKEN <= len(self.token) <= LONGEST_TOKEN:
            raise ValueError(
                f"access.token must have {SHORTEST_TOKEN} to {LONGEST_TOKEN} characters, "
                'such as python3 -c "import secrets; print(secrets.token_urlsafe())" prints'
            )
        if self.token and not BEARER.fullmatch(self.token):
            raise ValueError("access.token may hold letters, digits and ._~+/- only (RFC 6750)")
        for origin in self.origins:
            if not _is_origin(origin):
                raise ValueError(f"access.origins: {origin} must look like https://example.org")
        if not 0 < self.cookie_days <= LONGEST_COOKIE_DAYS:
            raise ValueError(f"access.cookie_days must be above 0, at most {LONGEST_COOKIE_DAYS}")
        if not 1 <= self.ticket_s <= LONGEST_TICKET_S:
            raise ValueError(f"access.ticket_s must be 1…{LONGEST_TICKET_S}")


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """Encryption of the page, of messages and of sound over the WebSocket. Off where both are unset."""

    certificate: str = ""
    """PEM file: the server's certificate and those between it and the authority."""
    key: str = ""
    """PEM file: the certificate's private key, without a passphrase."""
    self_signed: bool = False
    """Use a certificate of the server's own making, for a phone in the same network: browsers warn once and then give the page the microphone."""

    def __post_init__(self) -> None:
        """Refuse half of a pair, and two certificates."""
        if bool(self.certificate) != bool(self.key):
            missing = "tls.key" if self.certificate else "tls.certificate"
            raise ValueError(f"{missing} is missing: a certificate needs its key, in a file each")
        if self.certificate and self.self_signed:
            raise ValueError("tls.self_signed and tls.certificate exclude each other")

    @property
    def on(self) -> bool:
        return self.self_signed or bool(self.certificate)


def _is_origin(text: str) -> bool:
    """Scheme, host and port, as browsers write them (RFC 6454 §6.2)."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises where it is none
    except ValueError:
        return False
    bare = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and bare
