"""An account on a TURN server that is good for a while, made from a secret that server shares with us.

The scheme of draft-uberti-behave-turn-rest §2.2, which coturn calls `use-auth-secret`: the name says
until when (Unix time), the password is the name signed with the secret. Pages get the account, never
the secret. Such servers know wall time only, so this is one of the few places that is told it.
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import NamedTuple


class RelayAccount(NamedTuple):
    """What a browser's `RTCIceServer` is given."""

    username: str
    credential: str


def relay_account(secret: str, now: datetime, ttl_s: float) -> RelayAccount:
    """An account that is good until `ttl_s` from `now`."""
    username = str(int((now + timedelta(seconds=ttl_s)).timestamp()))
    signed = hmac.digest(secret.encode(), username.encode(), hashlib.sha1)  # SHA-1: what servers do
    return RelayAccount(username, base64.b64encode(signed).decode())
