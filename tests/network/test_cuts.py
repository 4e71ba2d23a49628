"""The network is cut in the middle of a reply over ICE-TCP, and the reply goes on."""

import pytest

from bench.cuts import CUTS, Cut, cut, settings
from bench.network import Network
from bench.serving import Crowd
from bench.visiting import begun, click
from tests.network.conftest import PATIENT, Browse, Open, Start

pytestmark = pytest.mark.network


@pytest.mark.parametrize("how", CUTS, ids=[how.name for how in CUTS])
def test_a_reply_goes_on_after_a_cut(
    how: Cut, net: Network, start: Start, browse: Browse, visit: Open, crowding: Crowd
) -> None:
    """It is heard to its end, soon, and what was not heard because of the cut is made up for."""
    net.let_through(ice_tcp=True)
    start(*settings(), *PATIENT)
    page = visit(browse(60.0))
    click(page)
    assert begun(page)[0] == "webrtc"
    outcome = cut(net, page, how)
    assert outcome.whole
    assert outcome.gap_s <= how.most_s * crowding()
    assert outcome.lost_s <= how.lost_s * crowding()
    assert outcome.repeated_s <= 0.3 * crowding()
