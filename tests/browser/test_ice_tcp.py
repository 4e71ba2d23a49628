"""Sound over WebRTC where no UDP comes through, in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from bench.serving import Serving
from tests.browser.conftest import Visit, over_and_over
from tests.browser.test_webrtc import NO_UDP, reported

pytestmark = pytest.mark.browser

Browse = Callable[..., Browser]
Open = Callable[..., Visit]
Start = Callable[..., Serving]


def speaks_and_is_answered(page: Visit) -> None:
    page.talk().over("webrtc")
    before = page.turns()  # on a busy machine WebRTC comes late, and something was said before it
    page.page.locator("#captions li[data-who=user][data-final=true]").nth(before).wait_for()
    assert page.said()
    page.heard()
    assert reported(page, "received") > 0
    assert page.page.locator("#path").get_attribute("data-protocol") == "TCP"


def test_a_server_without_udp_is_talked_to_over_tcp(
    start: Start, browse: Browse, visit: Open
) -> None:
    server = start("webrtc.udp=off")
    speaks_and_is_answered(visit(browse(over_and_over("lj001_0008")), server))


def test_a_network_that_lets_no_udp_out_is_no_hindrance(
    start: Start, browse: Browse, visit: Open
) -> None:
    """The server offers both; Chromium has no address for UDP."""
    page = visit(browse(over_and_over("lj001_0008"), NO_UDP), start())
    speaks_and_is_answered(page)
