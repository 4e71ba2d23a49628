"""The first packet of a connection: whose it claims to be, and whether that is true (RFC 8445 §7.3)."""

import struct

from aioice import stun


class Check:
    """A STUN Binding request that names the one it is for."""

    def __init__(self, message: stun.Message) -> None:
        self._message = message

    @property
    def ufrag(self) -> str:
        """Ours: the first part of `theirs-of-us:theirs` (RFC 8445 §7.2.2)."""
        name: str = self._message.attributes["USERNAME"]
        return name.partition(":")[0]

    def is_signed_with(self, password: str) -> bool:
        return self._message.check_message_integrity(password.encode())


def check(packet: bytes) -> Check | None:
    """None where it is anything else."""
    if not packet or packet[0] >= 4:  # RFC 7983
        return None
    try:
        message = stun.parse_message(packet)
    except (ValueError, LookupError, struct.error):  # aioice's parser trusts some lengths
        return None
    wanted = (stun.Method.BINDING, stun.Class.REQUEST)
    if (message.message_method, message.message_class) != wanted:
        return None
    return Check(message) if "USERNAME" in message.attributes else None
