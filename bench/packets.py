"""What a packet costs over UDP and over ICE-TCP: two peers in this process, and nothing but packets.

    python -m bench.packets [--rounds 7] [--packets 20000]

Each round sends a packet of the length of 20 ms of speech both ways and waits for both, so many times:
SRTP, sockets and loop at both ends. CPU seconds of the process, so what others do on the machine shows
little; UDP and TCP take turns.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from statistics import median

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from bench.serving import machine
from ultraandchat.transport.ice_tcp.active import dial_only
from ultraandchat.transport.ice_tcp.listener import IceTcp
from ultraandchat.transport.reach import Reach
from ultraandchat.transport.rtp.bypass import Bypass
from ultraandchat.transport.rtp.packet import RtpPacket, build
from ultraandchat.transport.rtp.peer import Peer

HOST = "127.0.0.1"
PAYLOAD = bytes(80)
"""20 ms of Opus at 32 kbit/s."""
WARM_UP = 1_000
ROUTES = ("udp", "tcp")


@asynccontextmanager
async def connected(route: str) -> AsyncIterator[tuple[Bypass, Bypass]]:
    """A server's end and a caller's."""
    async with IceTcp(HOST) as listener:
        tcp = listener if route == "tcp" else None
        peer = Peer(HOST, Reach(udp=tcp is None, tcp=tcp))
        caller = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        packets = Bypass(caller, caller.addTransceiver("audio", direction="sendrecv"))
        packets.gather_at(lambda found: [HOST])
        if tcp is not None:
            dial_only(packets._ice)
        await caller.setLocalDescription(await caller.createOffer())
        packets.attach()
        answer = await peer.answer(caller.localDescription.sdp, bitrate=32_000, fec=True)
        await caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await peer.connected
        while caller.connectionState != "connected":
            await asyncio.sleep(0.01)
        assert peer.packets.route == route
        yield peer.packets, packets
        await caller.close()
        packets.detach()
        await peer.aclose()


async def cost_us(route: str, count: int) -> float:
    """Microseconds of CPU for one packet, both its ends."""
    async with connected(route) as ends:
        came = [0, 0]

        def counting(end: int) -> None:
            def heard(packet: bytes) -> None:
                came[end] += 1

            ends[end].listen(heard, lambda report: None)

        counting(0)
        counting(1)
        began = 0.0
        for number in range(WARM_UP + count):
            if number == WARM_UP:
                began = time.process_time()
            for end in ends:
                end.send(build(RtpPacket(96, False, number & 0xFFFF, 960, end.ssrc, PAYLOAD)))
            while min(came) < number:
                await asyncio.sleep(0)
        return 1e6 * (time.process_time() - began) / (2 * count)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--packets", type=int, default=20_000)
    given = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}")
    costs: dict[str, list[float]] = {route: [] for route in ROUTES}
    for _ in range(given.rounds):
        for route in ROUTES:
            costs[route].append(await cost_us(route, given.packets))
        print(", ".join(f"{route} {costs[route][-1]:.1f} µs" for route in ROUTES), flush=True)
    middle = {route: median(costs[route]) for route in ROUTES}
    print(
        f"median: {', '.join(f'{r} {c:.1f} µs' for r, c in middle.items())}; "
        f"TCP {middle['tcp'] / middle['udp']:.2f} times UDP"
    )


if __name__ == "__main__":
    asyncio.run(main())
