"""Wrong tokens: each is answered later than the one before, then the caller is refused for a while.

Told the time; knows no request. A right token in between forgives nothing: many may call from one address.
"""

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

FREE_MISTAKES = 6
"""Wrong tokens from one address that are still answered; the next are refused unread."""
FIRST_DELAY_S = 0.1
"""After the first one, doubled with each: 3.2 s after the sixth. Too short to annoy who mistyped."""
REFUSED_S = 60.0
"""How long an address is refused, from its last wrong token on; then it has one try."""
FORGOTTEN_S = 900.0
"""An address that was quiet for so long begins anew."""
MOST_ADDRESSES = 4_096
"""Remembered at once; beyond it the one that was quiet longest begins anew."""


@dataclass(slots=True)
class _Caller:
    wrong: int
    last: float


class Guesses:
    """Who has shown wrong tokens lately."""

    def __init__(self) -> None:
        self._callers: OrderedDict[str, _Caller] = OrderedDict()  # quiet longest first

    def refused_s(self, address: str, now: float) -> float:
        """How long this address is refused still; 0: it may try."""
        caller = self._callers.get(_neighbourhood(address))
        if caller is None or caller.wrong < FREE_MISTAKES:
            return 0.0
        return max(0.0, caller.last + REFUSED_S - now)

    def wrong(self, address: str, now: float) -> float:
        """It was wrong: how long to hold the answer back."""
        self._forget(now)
        name = _neighbourhood(address)
        caller = self._callers.setdefault(name, _Caller(0, now))
        caller.wrong, caller.last = min(caller.wrong + 1, FREE_MISTAKES), now
        self._callers.move_to_end(name)
        if len(self._callers) > MOST_ADDRESSES:
            self._callers.popitem(last=False)
        return FIRST_DELAY_S * 2.0 ** (caller.wrong - 1)

    def __len__(self) -> int:
        return len(self._callers)

    def _forget(self, now: float) -> None:
        while self._callers:
            name, caller = next(iter(self._callers.items()))
            if caller.last + FORGOTTEN_S > now:
                break
            del self._callers[name]


def _neighbourhood(address: str) -> str:
    """The address; of IPv6 its /64, which one household has whole (RFC 6177)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False).network_address)
    return address
