"""Session events as log lines; what a person said stays out of them."""

import logging

import pytest

from tests.server.told import EVENTS, SECRET
from ultraandchat import events as ev
from ultraandchat.server.event_lines import log_event
from ultraandchat.server.logs import LineFormatter, Mark
from ultraandchat.turn.events import TurnId


def lines(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    made = LineFormatter()
    with caplog.at_level(level, "ultraandchat"):
        for event in EVENTS:
            log_event(Mark("ab12"), event)
    return [made.format(record) for record in caplog.records]


def test_nothing_a_person_said_is_logged_at_info(caplog: pytest.LogCaptureFixture) -> None:
    told = lines(caplog, logging.INFO)
    assert told
    assert not any(SECRET in line for line in told)


def test_debug_tells_every_event(caplog: pytest.LogCaptureFixture) -> None:
    assert len(lines(caplog, logging.DEBUG)) >= len(EVENTS)


def test_a_turn_of_700_ms_says_where_they_went(caplog: pytest.LogCaptureFixture) -> None:
    assert any(
        "reply audible total_ms=700.0 endpoint_ms=600 end_silence=600.0" in line
        for line in lines(caplog, logging.INFO)
    )


def test_lines_after_an_event_belong_to_its_turn() -> None:
    mark = Mark("ab12")
    log_event(mark, ev.ReplyBegun(0.0, TurnId(7), False))
    assert mark.turn == 7
