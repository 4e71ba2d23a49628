"""Fifty of fifty get through, each within the time that a person waits."""

import pytest

from bench.connect import HTTP_ONLY, ICE_TCP, Way, connects, settings
from bench.network import Network
from bench.serving import Crowd
from tests.network.conftest import PATIENT, Browse, Start

pytestmark = [pytest.mark.network, pytest.mark.timeout(1500)]

VISITS = 50


@pytest.mark.parametrize("way", [ICE_TCP, HTTP_ONLY], ids=["ICE-TCP", "only HTTP"])
def test_every_visit_finds_its_way_in_time(
    way: Way, net: Network, start: Start, browse: Browse, crowding: Crowd
) -> None:
    """Timed in the page, from the click to sound that came through in a conversation that has begun. On
    a machine of its own the limit is that of docs/latency.md; where others want its cores, too, more."""
    net.let_through(ice_tcp=way.ice_tcp)
    start(*settings(), *(PATIENT if way.ice_tcp else ()))
    results = list(connects(browse(60.0), way, VISITS))
    assert [path for path, _ in results] == VISITS * [way.path]
    assert max(seconds for _, seconds in results) <= way.most_s * crowding()
