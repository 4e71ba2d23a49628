"""Resume tokens: with one, a caller who lost the connection goes on with the same conversation.

A token names its conversation and its number, is signed with a key of this process, and expires. Using
one spends it and all before it; but as the answer to it may be lost on the way, it may be used again
until the caller is known to have its successor.
"""

from collections.abc import Callable
from enum import Enum
from secrets import token_bytes

from itsdangerous import BadSignature, SignatureExpired

from ultraandchat.server.signer import LONGEST_SIGNED, Signer

GOOD_S = 1_800
"""A token is good for 30 minutes. A conversation hands out a fresh one every ten (`session.RENEW_S`)."""


class Refused(Enum):
    """Why a token was not taken."""

    FORGED = "forged"
    EXPIRED = "expired"
    SPENT = "spent"
    OVER = "over"
    """The conversation has ended."""


class ConversationPass:
    """The tokens of one conversation (`session.Pass`)."""

    def __init__(self, session: str, sign: Callable[[str], str]) -> None:
        self._session = session
        self._sign = sign
        self._newest = 0
        self._oldest = 1  # those before it are spent

    def fresh(self) -> str:
        """A new token."""
        self._newest += 1
        return self._sign(f"{self._session}.{self._newest}")

    def arrived(self) -> None:
        """The caller has the newest token: those before it are good for nothing."""
        self._oldest = self._newest

    def spend(self, number: int) -> bool:
        """Use that token; False where it was spent."""
        if not self._oldest <= number <= self._newest:
            return False
        self._oldest = number
        return True


class Passes:
    """The tokens of all conversations that are open."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: seconds, monotonic."""
        self._signer = Signer(token_bytes(32), "resume", clock)
        self._open: dict[str, ConversationPass] = {}  # bounded by server.max_conversations

    def open(self, session: str) -> ConversationPass:
        """For a conversation that begins."""
        made = self._open[session] = ConversationPass(
            session, lambda text: self._signer.sign(text).decode()
        )
        return made

    def close(self, session: str) -> None:
        """It is over."""
        self._open.pop(session, None)

    def redeem(self, token: str) -> str | Refused:
        """The conversation that the token is for, once; or why not."""
        if len(token) > LONGEST_SIGNED:
            return Refused.FORGED
        try:
            session, number = self._signer.unsign(token, max_age=GOOD_S).decode().split(".")
        except SignatureExpired:
            return Refused.EXPIRED
        except (BadSignature, UnicodeError):
            return Refused.FORGED
        passes = self._open.get(session)
        if passes is None:
            return Refused.OVER
        return session if passes.spend(int(number)) else Refused.SPENT
