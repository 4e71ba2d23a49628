"""What the log tells of a path, and what it keeps to itself."""

import logging
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transport.rtp.test_sdp import GOOD, recorded
from ultraandchat.transport.path_log import (
    MOST_CHARS,
    MOST_PAIR_CHARS,
    MOST_PAIRS,
    PathLog,
    harmless,
    kinds,
    log_report,
)
from ultraandchat.transport.wire import PairTried, PathReport

ANSWER = (
    "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\n"
    "a=candidate:2 1 tcp 1520435199 203.0.113.7 13007 typ host tcptype passive\r\n"
)


class Told:
    """The lines, each with its fields."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "ultraandchat.webrtc")
        self._caplog = caplog

    @property
    def lines(self) -> list[tuple[str, dict[str, Any]]]:
        return [(r.getMessage(), getattr(r, "fields")) for r in self._caplog.records]  # noqa: B009


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    return Told(caplog)


def at(*seconds: float) -> Callable[[], float]:
    """A clock that says one after the other."""
    left = list(seconds)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def test_a_path_that_connects_is_three_lines(told: Told) -> None:
    log = PathLog(recorded("chromium_voice"), at(1.0, 1.25, 61.0))
    log.answered(ANSWER)
    log.trickled("candidate:9 1 udp 1 198.51.100.9 4000 typ srflx raddr 0.0.0.0 rport 0")
    log.connected("tcp", "host/tcp-prflx")
    log.moved("tcp")
    log.lost("the caller closed it")
    assert told.lines == [
        ("path offered", {"theirs": told.lines[0][1]["theirs"], "ours": "1 host/udp, 1 host/tcp"}),
        ("path connected", {"route": "tcp", "pair": "host/tcp-prflx", "after_ms": 250}),
        ("path lost", {"reason": "the caller closed it", "route": "tcp", "after_ms": 60_000}),
    ]


def test_a_path_that_does_not_connect_is_told_with_what_was_tried(told: Told) -> None:
    log = PathLog("", at(0.0, 15.0))
    log.answered(ANSWER)
    log.trickled("candidate:9 1 UDP 1 198.51.100.9 4000 typ srflx")
    tried = ["host/udp-srflx failed", "host/udp-srflx failed", "host/udp-prflx in_progress"]
    log.unconnected("nothing connected in 15 s", tried)
    assert told.lines[-1] == (
        "path not connected",
        {
            "reason": "nothing connected in 15 s",
            "after_ms": 15_000,
            "theirs": "1 srflx/udp",
            "ours": "1 host/udp, 1 host/tcp",
            "tried": "2 host/udp-srflx failed, 1 host/udp-prflx in_progress",
        },
    )


def test_a_change_of_the_route_is_one_line(told: Told) -> None:
    log = PathLog("", at(0.0))
    log.connected("udp", "host/udp-prflx")
    for route in ("udp", "", "tcp", "tcp", "udp"):
        log.moved(route)
    assert [fields["route"] for line, fields in told.lines if line == "path moved"] == [
        "tcp",
        "udp",
    ]


@pytest.mark.parametrize("name", GOOD)
def test_no_address_of_a_browser_is_written(name: str, told: Told) -> None:
    log = PathLog(recorded(name), at(0.0))
    log.answered(ANSWER)
    log.unconnected("nothing", [])
    shown = str(told.lines)
    for line in recorded(name).splitlines():
        if line.startswith("a=candidate:"):
            assert line.split()[4] not in shown


@given(st.lists(st.text(max_size=100), max_size=20))
def test_junk_for_candidates_is_none(lines: list[str]) -> None:
    assert set(kinds(lines)) <= {
        f"{kind}/{protocol}"
        for kind in ("host", "srflx", "prflx", "relay")
        for protocol in ("udp", "tcp")
    }


words = st.text(max_size=300)
numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(
    st.builds(
        PathReport,
        outcome=st.sampled_from(["chosen", "failed", "lost"]),
        text=words,
        after_ms=numbers,
        pairs=st.lists(
            st.builds(PairTried, words, words, words, words, st.none() | numbers), max_size=20
        ),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_page_tells_is_one_short_harmless_line(told: Told, report: PathReport) -> None:
    log_report(report)
    line, fields = told.lines[-1]
    assert line == "the page tells of its path"
    shown = msgspec.json.encode(fields).decode()
    assert all(one.isprintable() for one in shown)
    assert len(fields["why"]) <= MOST_CHARS + 1
    assert len(fields["pairs"]) <= MOST_PAIRS * (MOST_PAIR_CHARS + 3)


def test_what_a_page_tells_is_told_on(told: Told) -> None:
    log_report(
        PathReport(
            "failed",
            "no sound came within 2.5 s",
            2_500.4,
            [PairTried("tcp", "host", "host 203.0.113.7:13007", "unanswered", None)],
        )
    )
    ((_, fields),) = told.lines
    assert fields == {
        "outcome": "failed",
        "after_ms": 2_500,
        "why": "no sound came within 2.5 s",
        "pairs": "tcp host to host 203.0.113.7:13007 unanswered",
    }


@pytest.mark.parametrize(
    ("told_ms", "shown"), [(float("nan"), 0), (float("inf"), 10**9), (-1.0, 0), (0.4, 0)]
)
def test_a_time_that_is_none_is_made_one(told: Told, told_ms: float, shown: int) -> None:
    log_report(PathReport("lost", "", told_ms, [PairTried("udp", "", "", "", told_ms)]))
    ((_, fields),) = told.lines
    assert fields["after_ms"] == shown
    assert fields["pairs"].endswith(f" {shown} ms")


def test_words_that_would_move_the_cursor_do_not() -> None:
    assert harmless("a\x1b[2Jb\u2028c\u202ed", 20) == "a [2Jb c d"
    assert harmless("x" * 9, 5) == "xxxxx…"
