"""What opens the server: the operator's token, a browser's cookie for it, and tickets for `/ws`.

The token is shown once by whoever has it. What is given for it is signed (HMAC-SHA256), ends by
itself, and is worth nothing at another server.
"""

import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable

from ultraandchat.server.signer import Signer

MADE_BYTES = 24
"""Of chance in a token that the server makes: 32 characters in the address."""

MOST_TICKETS = 4_096
"""Spent tickets remembered until they would have expired; 136 callers a second at 30 s each."""

DAY_S = 86_400


def made() -> str:
    """A token for a server whose operator named none."""
    return secrets.token_urlsafe(MADE_BYTES)


class Token:
    """The operator's token, and the cookies given for it."""

    def __init__(self, token: str, cookie_days: float, clock: Callable[[], float]) -> None:
        """`clock` is wall time: cookies outlive the process, because their key comes from the token."""
        self._digest = _digest(token)
        self._lives_s = round(cookie_days * DAY_S)
        self._signer = Signer(token.encode(), "cookie", clock)

    @property
    def lives_s(self) -> int:
        """How long a cookie is good."""
        return self._lives_s

    def fits(self, given: str) -> bool:
        """Takes the same time for every wrong token."""
        return hmac.compare_digest(self._digest, _digest(given))

    def cookie(self) -> str:
        return self._signer.sign("in").decode()

    def knows(self, cookie: str) -> bool:
        """Whether this cookie was given for this token and is good still."""
        return self._signer.opened(cookie, self._lives_s) == "in"


class Tickets:
    """For `/ws`: one use each, `lives_s` long, of this process only."""

    def __init__(self, lives_s: int, clock: Callable[[], float]) -> None:
        self._lives_s = lives_s
        self._clock = clock
        self._signer = Signer(secrets.token_bytes(32), "ticket", clock)
        self._spent: set[str] = set()
        self._until: deque[tuple[float, str]] = deque()  # the same, in the order they are forgotten

    def issue(self) -> str:
        return self._signer.sign(secrets.token_urlsafe(12)).decode()

    def spend(self, ticket: str) -> bool:
        """Whether it was good; from now on it is not. With `MOST_TICKETS` spent, none is."""
        name = self._signer.opened(ticket, self._lives_s)
        now = self._clock()
        while self._until and self._until[0][0] < now:
            self._spent.discard(self._until.popleft()[1])
        if name is None or name in self._spent or len(self._spent) >= MOST_TICKETS:
            return False
        self._spent.add(name)
        # The signature knows whole seconds: a ticket may be good for one more than it says.
        self._until.append((now + self._lives_s + 1, name))
        return True


def _digest(token: str) -> bytes:
    """Of one length, so that comparing tells nothing about the token's; headers may hold any byte."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
