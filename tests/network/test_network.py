"""The network of these tests itself."""

import os
import select
import signal
import subprocess
import sys

import pytest

from bench.network import Network, network

pytestmark = pytest.mark.network

HOLD = """
import time
from bench.network import HTTP_PORT, network
from bench.serving import serving
with network() as net:
    with net.server.entered(), serving(port=HTTP_PORT) as server:
        print(net.client.pid, net.router.pid, net.server.pid, server.pid, flush=True)
        time.sleep(60)
"""


@pytest.mark.usefixtures("net")  # where none can be made there is nothing to leave behind
def test_a_run_that_is_killed_leaves_nothing_behind() -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        processes = [os.pidfd_open(int(pid)) for pid in run.stdout.readline().split()]
        run.send_signal(signal.SIGKILL)
    assert len(processes) == 4
    for process in processes:
        ended = select.poll()
        ended.register(process, select.POLLIN)
        assert ended.poll(20_000)
        os.close(process)


def test_networks_beside_each_other_do_not_meet(net: Network) -> None:
    """The fixture's is there already, with the same addresses."""
    with network() as other:
        other.let_through(udp=True)
        assert "udp accept" in other.router.run("nft", "list", "ruleset")
        assert "udp accept" not in net.router.run("nft", "list", "ruleset")
