"""What a server says when it starts: what runs, the one address to open, and the ways sound may take.

Plain lines for a log as for a person; whoever sits at a terminal also gets the address as a QR code,
where a phone could use it. The address holds the token, so it stands here and nowhere in a log file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import segno
from rich.text import Text

from ultraandchat.server.addresses import is_loopback
from ultraandchat.server.ladder import Ladder

QUIET_ZONE = 2
"""Light modules around a QR code. Four are asked for (ISO/IEC 18004); phones read it with two."""

INK = "black on white"
"""Set for each line, so that it is dark on light on a dark terminal too; not every phone reads the reverse."""


@dataclass(frozen=True, slots=True)
class Banner:
    """All that there is to say before the models are there."""

    version: str
    profile: str
    link: str
    """The address to open, with its token if it needs one."""
    others: tuple[str, ...]
    """More of them: the same server, from other devices."""
    ladder: Ladder
    remarks: tuple[str, ...]
    """What to know about this start, each in a sentence or two."""
    logs: str
    """Their folder; empty where none is written."""

    def address_lines(self) -> Iterator[str]:
        """What to open, without escape codes."""
        yield f"UltraAndChat {self.version}, profile {self.profile}. Open this and talk:"
        yield ""
        yield f"    {self.link}"
        yield from (f"    {other}" for other in self.others)
        yield ""

    def fact_lines(self) -> Iterator[str]:
        """How it stands."""
        yield from self.remarks
        yield "Ways for sound:"
        for rung in self.ladder:
            yield f"  {'' if rung.there else 'no '}{rung.name}: {rung.why}"
        logs = f"Logs are in {self.logs}. " if self.logs else ""
        yield f"{logs}Stop with Ctrl-C."

    def for_phones(self) -> str | None:
        """The address that a phone can open and that its browser gives a microphone: https, not this machine's own."""
        links = (self.link, *self.others)
        return next((link for link in links if _is_https_elsewhere(link)), None)


def qr_code(link: str, width: int) -> list[Text]:
    """The address as lines of half blocks, two modules high each; none where the terminal is too narrow."""
    code = segno.make_qr(link, error="l")  # the smallest that holds it: a screen has no stains
    rows = [list(row) for row in code.matrix_iter(border=QUIET_ZONE)]
    if len(rows[0]) > width:
        return []
    rows += [[0] * len(rows[0])] * (len(rows) % 2)
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return [Text("".join(map(_half_block, above, below)), INK) for above, below in pairs]


def _half_block(above: int, below: int) -> str:
    """Dark modules are ink."""
    return " ▄▀█"[2 * bool(above) + bool(below)]


def _is_https_elsewhere(link: str) -> bool:
    parts = urlsplit(link)
    return parts.scheme == "https" and not is_loopback(parts.hostname or "")
