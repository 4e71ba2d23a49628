"""A caller whose sound goes over WebRTC and TCP: aiortc dials the server's one port, as browsers do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.rtc_caller import RtcCaller
from tests.support.serving import PATIENCE_S, Phone, phone
from ultraandchat.transport.ice_tcp.active import ActiveTransport, dial_only

OWN_HOST = "127.77.0.1"
"""An address that no other program here dials from: a port of it is free to be dialled from again."""


class IceTcpCaller(RtcCaller):
    """Without UDP. It re-dials a lost connection when it sends the next packet."""

    def __init__(self, phone: Phone, *, ssrc: int | None = None) -> None:
        super().__init__(phone, ssrc=ssrc)
        dial_only(self._ice, OWN_HOST)

    def dials_from(self, host: str) -> None:
        """From this address of ours, before it offers."""
        dial_only(self._ice, host)

    @property
    def dialled(self) -> ActiveTransport:
        (protocol,) = self._ice._protocols
        assert isinstance(protocol.transport, ActiveTransport)
        return protocol.transport

    @property
    def pair(self) -> Any:
        """The one in use."""
        return self._ice._nominated[1]

    def nominates(self) -> None:
        """Check the pair and choose it again, as browsers do every second or so."""
        request = self._ice.build_request(self.pair, nominate=True)
        request.add_message_integrity(self._ice.remote_password.encode())
        self.pair.protocol.send_stun(request, self.pair.remote_addr)

    async def comes_again(self) -> None:
        """From another port: nothing is sent before a check was answered, as browsers do."""
        self.muted = True
        before = len(self.arrived)
        async with asyncio.timeout(PATIENCE_S):
            while len(self.arrived) == before:
                self.nominates()
                await asyncio.sleep(0.2)
        self.muted = False

    def is_reset(self, *, same_port: bool) -> None:
        """The connection is lost; the next packet dials again, from there or from elsewhere."""
        _, port = self.dialled.reset(self.pair.remote_addr)
        self.dialled.source_port = port if same_port else 0

    @property
    def _ice(self) -> Any:
        return self._dtls.transport._connection


@asynccontextmanager
async def ice_tcp_caller(phone: Phone) -> AsyncIterator[IceTcpCaller]:
    """A caller on this phone with a microphone that sends as soon as packets can be."""
    caller = IceTcpCaller(phone)
    async with asyncio.TaskGroup() as group:
        speaking = group.create_task(caller.microphone())
        try:
            yield caller
        finally:
            speaking.cancel()
            await caller.aclose()


@asynccontextmanager
async def ice_tcp_phone(url: str) -> AsyncIterator[IceTcpCaller]:
    """A caller whose conversation has begun and whose sound goes over WebRTC and TCP."""
    async with phone(url) as line, ice_tcp_caller(line) as caller:
        await line.begins()
        await caller.moves()
        yield caller
