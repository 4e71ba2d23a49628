"""The life of a WebRTC path as lines of the log: what was offered, what was chosen, what became of it.

No address of a caller's is written, only what kinds of address there were; and what a page says of its
own attempt is its word, made short and harmless.
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable

from ultraandchat.transport.wire import PairTried, PathReport

LOG = logging.getLogger("ultraandchat.webrtc")

_CANDIDATE = re.compile(
    r"(?:a=)?candidate:\S+ \d+ (?P<protocol>udp|tcp) \d+ \S+ \d+ typ (?P<kind>host|srflx|prflx|relay)\b",
    re.IGNORECASE,
)
"""RFC 8839 §5.1, as far as it is told on."""

MOST_CHARS = 200
MOST_PAIRS = 12
MOST_PAIR_CHARS = 80
"""Of a page's report; one line of the log holds all of it."""


class PathLog:
    """One attempt at a path, from its offer on."""

    def __init__(self, offer: str, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._theirs = kinds(offer.splitlines())
        self._ours: Counter[str] = Counter()
        self._route = ""

    def trickled(self, candidate: str) -> None:
        """One more of the caller's."""
        self._theirs += kinds([candidate])

    def answered(self, answer: str) -> None:
        self._ours = kinds(answer.splitlines())
        self._told("path offered", theirs=listed(self._theirs), ours=listed(self._ours))

    def refused(self, reason: str) -> None:
        """There was no answer; the reason may hold words of the offer."""
        self._told("offer refused", reason=harmless(reason, MOST_CHARS))

    def connected(self, route: str, pair: str) -> None:
        self._route = route
        self._told("path connected", route=route, pair=pair, after_ms=self._after_ms())

    def moved(self, route: str) -> None:
        """To be told now and then how packets travel; a change is a line."""
        if route and route != self._route:
            self._told("path moved", route=route, before=self._route)
            self._route = route

    def unconnected(self, reason: str, tried: Iterable[str]) -> None:
        self._told(
            "path not connected",
            reason=reason,
            after_ms=self._after_ms(),
            theirs=listed(self._theirs),
            ours=listed(self._ours),
            tried=listed(Counter(tried)),
        )

    def lost(self, reason: str) -> None:
        self._told("path lost", reason=reason, route=self._route, after_ms=self._after_ms())

    def _after_ms(self) -> int:
        return round(1000 * (self._clock() - self._began))

    def _told(self, message: str, **fields: object) -> None:
        LOG.info(message, extra={"fields": fields})


def log_report(report: PathReport) -> None:
    """What the caller's end says of an attempt."""
    fields = {
        "outcome": report.outcome,
        "after_ms": _ms(report.after_ms),
        "why": harmless(report.text, MOST_CHARS),
        "pairs": "; ".join(map(_pair, report.pairs[:MOST_PAIRS])) or "none",
    }
    LOG.info("the page tells of its path", extra={"fields": fields})


def kinds(lines: Iterable[str]) -> Counter[str]:
    """How many candidates of each kind and protocol stand there."""
    found = (_CANDIDATE.match(line) for line in lines)
    return Counter(f"{one['kind']}/{one['protocol']}".lower() for one in found if one)


def listed(counted: Counter[str]) -> str:
    """`2 host/udp, 1 host/tcp`."""
    return ", ".join(f"{count} {what}" for what, count in counted.items()) or "none"


def harmless(text: str, most: int) -> str:
    """A caller's words for one line: nothing in them that moves a cursor, and not too many."""
    shown = "".join(one if one.isprintable() else " " for one in text[:most])
    return shown + ("…" if len(text) > most else "")


def _ms(value: float) -> int:
    """A page's number, made to be one: not negative, not endless."""
    return round(min(value, 1e9)) if value >= 0 else 0


def _pair(pair: PairTried) -> str:
    rtt = "" if pair.rtt_ms is None else f" {_ms(pair.rtt_ms)} ms"
    text = f"{pair.protocol} {pair.local} to {pair.remote} {pair.state}{rtt}"
    return harmless(text, MOST_PAIR_CHARS)
