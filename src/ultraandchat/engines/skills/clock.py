"""The time, the day and the date where the caller is, and timers."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_time

from ultraandchat.dialogue.actions import CancelTimers, SetTimer
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import ReplyPart

Now = Callable[[tzinfo], datetime]
"""Tells the time in a zone."""

LONGEST_TIMER_S = 24 * 3600
"""A conversation rarely lives longer, and its timers end with it."""
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_AMOUNT = re.compile(r"(-?\d+(?:\.\d+)?) (second|minute|hour)s?\b")


def now_in(tz: tzinfo) -> datetime:
    """The machine's own clock."""
    return datetime.now(tz)


def clock(skill: str, conversation: Conversation, now: Now) -> str:
    """The "time", "day" or "date" as a sentence; says so where the caller's zone is not known."""
    zone = _zone(conversation.facts.get("timezone", ""))
    moment = now(zone or UTC)
    if skill == "time":
        told = "It is " + format_time(moment, "short", locale="en_US").replace("\u202f", " ")
    elif skill == "day":
        told = "It is " + format_date(moment, "EEEE", locale="en_US")
    else:
        told = "Today is " + format_date(moment, "EEEE, MMMM d, yyyy", locale="en_US")
    return told + ("." if zone else " in universal time. I was not told your time zone.")


def set_timer(words: Sequence[str]) -> list[ReplyPart]:
    """The timer and its confirmation, or the question that is missing."""
    line = " ".join(words)
    line = line.replace("half an hour", "30 minutes").replace("an hour", "1 hour")
    line = line.replace("a minute", "1 minute")
    amounts = _AMOUNT.findall(line)[:3]
    if not amounts:
        return ["For how long? Say, set a timer for five minutes."]
    seconds = sum(float(amount) * _SECONDS[unit] for amount, unit in amounts)
    if not 1 <= seconds <= LONGEST_TIMER_S:
        return ["A timer of mine runs for at least a second, and a day at most."]
    length = " and ".join(f"{n} {unit}{'' if n == '1' else 's'}" for n, unit in amounts)
    return [
        SetTimer(seconds, f"Time is up. Your timer for {length} rings."),
        f"Timer set for {length}.",
    ]


def cancel_timers() -> list[ReplyPart]:
    """All of this conversation's timers go."""
    return [CancelTimers(), "No timer is running any more."]


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the page's word, not checked before
        return None
