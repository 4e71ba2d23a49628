"""ICE-TCP plugged into aioice: one more protocol of its connection, and the candidates that belong to it.

aioice knows TCP candidates as words only. What it has for UDP does for TCP too, as soon as something
looks like a socket: `passive.py`. Private names of aioice are touched here and in `rtp/bypass.py` only;
`tests/transport/ice_tcp/test_adaptor.py` fails when one of them moves.
"""

import string
from secrets import choice
from typing import Any

from aioice.candidate import Candidate, candidate_foundation
from aioice.ice import StunProtocol

from ultraandchat.transport.ice_tcp.connection import Address
from ultraandchat.transport.ice_tcp.listener import IceTcp

UFRAG_CHARS = 16
"""Of our ICE name, where it tells whose a connection is; aioice's own have 4, which meet too easily."""
TYPE_PREFERENCE = 90
"""As libwebrtc has it for TCP: below every UDP candidate that is no relay (RFC 6544 §4.2)."""
PASSIVE_PREFERENCE = 4
"""The direction preference of passive candidates (RFC 6544 §4.2)."""
MOST_PREFERENCE = 8_191
"""The rest of the local preference has 13 bits; the address that stands first has the highest."""


class PassiveCandidate(Candidate):
    """Where we wait. It is paired with nobody: only who connects to us can be checked (RFC 6544 §6.2)."""

    def can_pair_with(self, other: Candidate) -> bool:
        return False


def lengthen_name(ice: Any) -> None:
    """Give the aioice connection a name that no other has; before it is told to anybody."""
    letters = string.ascii_letters + string.digits
    ice._local_username = "".join(choice(letters) for _ in range(UFRAG_CHARS))


def wait_for_tcp(
    ice: Any, component: int, listener: IceTcp, reached_at: list[Address]
) -> list[Candidate]:
    """Take connections of that peer from now on; the candidates it is to be told."""
    if not reached_at:
        return []
    candidates: list[Candidate] = [
        PassiveCandidate(
            foundation=candidate_foundation("host", "tcp", host),
            component=component,
            transport="tcp",
            priority=priority(component, number),
            host=host,
            port=port,
            type="host",
            tcptype="passive",
        )
        for number, (host, port) in enumerate(reached_at)
    ]
    protocol = StunProtocol(ice)
    protocol.local_candidate = candidates[0]
    transport = listener.register(ice.local_username, ice.local_password, protocol)
    protocol.connection_made(transport)
    ice._protocols.append(protocol)
    return candidates


def priority(component: int, number: int) -> int:
    """Of our `number`th candidate (RFC 8445 §5.1.2.1, RFC 6544 §4.2)."""
    local = PASSIVE_PREFERENCE << 13 | MOST_PREFERENCE - number
    return TYPE_PREFERENCE << 24 | local << 8 | 256 - component
