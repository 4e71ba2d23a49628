"""Questions to STUN and TURN servers: how we look from outside, and whether an account is taken.

Each has its time and never takes longer.
"""

import asyncio
import socket
from contextlib import suppress
from typing import Any

from aioice import stun, turn

from ultraandchat.commands.look_up import addresses
from ultraandchat.transport.ice_server import IceServer
from ultraandchat.transport.relay_account import RelayAccount

STUN_S = 2.0
"""A server that has not answered by then is out of reach; around the earth and back takes 0.3 s."""
TURN_S = 4.0
"""An allocation takes three round trips more, and TLS two."""
AGAIN_S = 0.5
"""UDP may be lost: ask again after so long (RFC 8489 §6.2.1)."""

Address = tuple[str, int]


class NoAnswer(Exception):
    """Why there is none, in words."""


async def ask_stun(server: IceServer, timeout_s: float = STUN_S) -> Address:
    """The address from which our packets come to that server. Raises `NoAnswer`."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            where = await _resolved(server)
            transport, asking = await loop.create_datagram_endpoint(_Asking, remote_addr=where)
            try:
                while not asking.answer.done():
                    transport.sendto(bytes(asking.request))
                    await asyncio.wait({asking.answer}, timeout=AGAIN_S)
                return asking.answer.result()
            finally:
                asking.answer.cancel()
                transport.close()
    except TimeoutError:
        raise NoAnswer(f"no answer within {timeout_s:g} s") from None
    except OSError as error:
        raise NoAnswer(error.strerror or str(error)) from None


async def ask_turn(server: IceServer, account: RelayAccount, timeout_s: float = TURN_S) -> Address:
    """The address that server relays for us with this account. Raises `NoAnswer`."""
    try:
        async with asyncio.timeout(timeout_s):
            where = await _resolved(server)
            relay, _ = await turn.create_turn_endpoint(
                asyncio.DatagramProtocol,
                # A certificate is for a name.
                server_addr=(server.host, server.port) if server.tls else where,
                username=account.username,
                password=account.credential,
                ssl=server.tls or None,
                transport=server.transport,
            )
            relayed: Address = relay.get_extra_info("sockname")
            relay.close()
            return relayed
    except stun.TransactionFailed as error:
        code, reason = error.response.attributes.get("ERROR-CODE", (0, "it refused"))
        raise NoAnswer(f"it refused our account: {code} {reason}") from None
    except (TimeoutError, stun.TransactionTimeout):
        raise NoAnswer(f"no answer within {timeout_s:g} s") from None
    except OSError as error:
        raise NoAnswer(error.strerror or str(error)) from None


class _Asking(asyncio.DatagramProtocol):
    """One binding request (RFC 8489 §3) and what becomes of it."""

    def __init__(self) -> None:
        self.request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        self.answer: asyncio.Future[Address] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        with suppress(ValueError, LookupError):
            message = stun.parse_message(data)
            if message.transaction_id == self.request.transaction_id and not self.answer.done():
                self.answer.set_result(message.attributes["XOR-MAPPED-ADDRESS"])

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def _resolved(server: IceServer) -> Address:
    """An address of that server's, the first that the system prefers."""
    kind = socket.SOCK_DGRAM if server.transport == "udp" else socket.SOCK_STREAM
    host, port, *_ = (await addresses(server.host, server.port, kind))[0][4]
    return host, port
