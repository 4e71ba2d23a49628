"""`ultraandchat check --network ADDRESS`: the same ways as a page has, each tried alone, from here."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec

from ultraandchat.commands.address import ServerAddress
from ultraandchat.commands.ask_ice import NoAnswer, ask_turn
from ultraandchat.commands.attempt import NoWay, Way, attempt
from ultraandchat.commands.look_up import Resolver
from ultraandchat.commands.report import Row
from ultraandchat.transport.ice_server import ice_server
from ultraandchat.transport.relay import Relay
from ultraandchat.transport.relay_account import RelayAccount
from ultraandchat.transport.wire import Codec, Ping, Pong

ASK_S = 8.0
"""For a page or a WebSocket to be there: TLS through a proxy on another continent takes under 2 s."""
PONG_S = 4.0
DIAL_S = 4.0
"""For a TCP connection: three times repeated at 1 s and 2 s (RFC 6298)."""

UNTRUSTED = (
    "its certificate is not trusted here; --fingerprint takes one of the server's own making"
)


class NoServer(Exception):
    """Why there is nobody to ask, in words."""


async def as_caller(address: ServerAddress, trying: Callable[[str], None]) -> list[Row]:
    """Every rung of that server's, tried one after the other; `trying` is told which one it is."""
    trying("the server")
    connector = aiohttp.TCPConnector(resolver=Resolver(), ssl=address.trust)
    async with aiohttp.ClientSession(headers=address.headers, connector=connector) as client:
        try:
            facts = await _facts(client, address)
            rungs = facts["rungs"]
            why: dict[str, str] = rungs["why"]
        except NoServer as error:
            return [Row("server", False, str(error))]
        except (KeyError, TypeError):
            return [Row("server", False, "it is of another version than this program")]
        rows = [Row("server", True, f"{facts['version']}, profile {facts['profile']}")]
        trying("WebSocket")
        rows.append(await _websocket(client, address))
        trying("UDP")
        rows.append(await _udp(client, address, why["udp"] if not rungs["udp"] else ""))
        trying("ICE-TCP")
        rows.append(await _ice_tcp(client, address, rungs["ice_tcp"], why["ice_tcp"]))
        relays = _relays(facts.get("webrtc"))
        if not relays:
            rows.append(Row("sound over TURN", None, f"not offered: {why['turn']}"))
        for url, relay in relays:
            trying(url)
            rows.append(await _turn(client, address, url, relay))
        return rows


async def _facts(client: aiohttp.ClientSession, address: ServerAddress) -> dict[str, Any]:
    """What the page is told. Raises `NoServer`."""
    try:
        async with asyncio.timeout(ASK_S), client.get(f"{address.http}/config.json") as answer:
            if answer.status in (401, 403):
                raise NoServer(
                    "it asks for its token: give the whole address that it printed, with #token=…"
                    if not address.token
                    else f"it refuses this token: {(await answer.text()).strip()[:200]}"
                )
            if answer.status != 200:
                raise NoServer(f"{address.http} answers {answer.status}; is the server running?")
            facts = msgspec.json.decode(await answer.read())
            return facts if isinstance(facts, dict) else {}
    except msgspec.DecodeError:
        raise NoServer(f"{address.http} is no UltraAndChat server") from None
    except (aiohttp.ClientError, OSError) as error:
        raise NoServer(_reason(error)) from None


async def _websocket(client: aiohttp.ClientSession, address: ServerAddress) -> Row:
    name = "sound over WebSocket"
    clock = asyncio.get_running_loop().time
    begun = clock()
    try:
        async with _lobby(client, address) as socket:
            opened = clock()
            await socket.send_str(Codec.encode(Ping(1)))
            async with asyncio.timeout(PONG_S):
                await _ponged(socket)
            ms = 1000 * (opened - begun), 1000 * (clock() - opened)
            return Row(name, True, f"open after {ms[0]:.0f} ms, round trip {ms[1]:.0f} ms")
    except NoWay as error:
        remedy = "a proxy in between must pass WebSockets on (Upgrade, Connection)"
        return Row(name, False, str(error), remedy)
    except TimeoutError:
        return Row(name, False, "it opens, and nothing comes back", "look for a proxy in between")


async def _udp(client: aiohttp.ClientSession, address: ServerAddress, why_not: str) -> Row:
    if why_not:
        return Row("sound over UDP", None, f"not offered: {why_not}")
    remedy = "let UDP through between here and there, or leave it to the other ways"
    return await _tried(client, address, "UDP", None, remedy)


async def _ice_tcp(
    client: aiohttp.ClientSession, address: ServerAddress, at: str | None, why_not: str
) -> Row:
    if at is None:
        return Row("sound over ICE-TCP", None, f"not offered: {why_not}")
    host, _, port = at.rpartition(":")
    try:
        async with asyncio.timeout(DIAL_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            writer.close()
    except TimeoutError:
        remedy = f"a firewall between here and there drops TCP port {port}: let it through"
        return Row("sound over ICE-TCP", False, f"{at} does not answer", remedy)
    except OSError as error:
        why = error.strerror or str(error)
        remedy = (
            "is this still the pod's port? It changes when a pod is reset; start the server anew"
        )
        return Row("sound over ICE-TCP", False, f"{at}: {why}", remedy)
    remedy = f"something else answers at {at}: look at webrtc.tcp_port and webrtc.tcp_announce"
    return await _tried(client, address, "ICE-TCP", None, remedy)


async def _turn(
    client: aiohttp.ClientSession, address: ServerAddress, url: str, relay: Relay
) -> Row:
    name = f"sound over {url}"
    try:
        await ask_turn(relay.server, relay.account)
    except NoAnswer as why:
        return Row(name, False, str(why), "look at webrtc.turn and its account on the server")
    remedy = "the relay must be able to send UDP to the server (coturn: allowed-peer-ip)"
    return await _tried(client, address, "TURN", relay, remedy, name)


async def _tried(
    client: aiohttp.ClientSession,
    address: ServerAddress,
    way: Way,
    relay: Relay | None,
    remedy: str,
    name: str = "",
) -> Row:
    name = name or f"sound over {way}"
    try:
        async with _lobby(client, address) as socket:
            carried = await attempt(socket, way, relay)
    except NoWay as why:
        return Row(name, False, str(why), remedy)
    return Row(name, True, f"carries sound after {1000 * carried.after_s:.0f} ms")


@asynccontextmanager
async def _lobby(
    client: aiohttp.ClientSession, address: ServerAddress
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A connection that never says hello. Raises `NoWay`."""
    try:
        async with asyncio.timeout(ASK_S):
            socket = await client.ws_connect(address.ws, compress=0)
    except aiohttp.WSServerHandshakeError as error:
        raise NoWay(f"/ws is refused ({error.status})") from None
    except (aiohttp.ClientError, OSError) as error:
        raise NoWay(_reason(error)) from None
    try:
        yield socket
    finally:
        await socket.close()


async def _ponged(socket: aiohttp.ClientWebSocketResponse) -> None:
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            with_id = Codec.decode_server(message.data)
            if isinstance(with_id, Pong):
                return
    raise NoWay("the server closed the connection")


def _relays(webrtc: Any) -> list[tuple[str, Relay]]:
    """The TURN servers that the page is told of, each with its account."""
    found = []
    for server in (webrtc or {}).get("iceServers", []):
        if "username" in server:
            account = RelayAccount(server["username"], server["credential"])
            found += [(url, Relay(ice_server(url), account)) for url in server["urls"]]
    return found


def _reason(error: Exception) -> str:
    match error:
        case TimeoutError():
            return f"no answer within {ASK_S:.0f} s"
        case aiohttp.ClientConnectorCertificateError():
            return UNTRUSTED
        case aiohttp.ClientConnectorError():
            return f"nobody answers at {error.host}:{error.port}: {error.os_error.strerror}"
        case _:
            return str(error) or type(error).__name__
