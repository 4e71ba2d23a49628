"""Words that the server signs and knows again: cookies, tickets, resume tokens."""

import hashlib
from collections.abc import Callable

from itsdangerous import BadSignature, TimestampSigner

LONGEST_SIGNED = 200
"""Characters. Ours have 60 to 80; what is longer is not hashed at all."""


class Signer(TimestampSigner):
    """itsdangerous with SHA-256, a key for each purpose and a clock that is given."""

    def __init__(self, secret: bytes, purpose: str, clock: Callable[[], float]) -> None:
        super().__init__(
            secret,
            salt=f"ultraandchat {purpose}",
            key_derivation="hmac",
            digest_method=hashlib.sha256,
        )
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock())

    def opened(self, signed: str, lives_s: int) -> str | None:
        """What was signed; None where the signature is not ours or too old."""
        if len(signed) > LONGEST_SIGNED or not signed.isascii():
            return None
        try:
            return self.unsign(signed, max_age=lives_s).decode()
        except BadSignature:
            return None
