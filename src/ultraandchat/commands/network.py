"""`ultraandchat check --network`: which ways sound can take from here, why not the others, and what to change.

Without an address this machine is looked at as the server; with one it is a caller of that server.
Nothing here waits for longer than a few seconds, whatever the network does.
"""

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from urllib.request import urlopen

from rich.console import Console

from ultraandchat.commands.address import ServerAddress
from ultraandchat.commands.ask_ice import NoAnswer, ask_stun, ask_turn
from ultraandchat.commands.calling import as_caller
from ultraandchat.commands.look_up import apart
from ultraandchat.commands.report import Row, console, print_remedies, print_rows
from ultraandchat.commands.where import ladder_rows
from ultraandchat.config import Config
from ultraandchat.pod import Pod
from ultraandchat.server.ladder import Ladder, joined
from ultraandchat.transport.ice_server import ice_server

CALLED = ("From here sound has a way to that server.", "From here sound has no way to that server.")
LOOKED_AT = (
    "From where a caller sits, ask: ultraandchat check --network ADDRESS",
    "What was asked for does not work; see what to change.",
)
"""The last line: well, and not."""

PROXY_S = 4.0
"""A pod's proxy stands between two networks; where it answers, it does so in well under a second."""


def run(config: Config, url: str, fingerprint: str | None = None) -> int:
    """Print what was found; 0 when sound has a way."""
    out = console()
    if url:
        address = ServerAddress.read(url, fingerprint)
        return _report(out, asyncio.run(_called(out, address)), CALLED)
    with out.status("Asking others how this machine looks from outside …"):
        rows = asyncio.run(_as_server(config, os.environ))
    return _report(out, rows, LOOKED_AT)


def _report(out: Console, rows: list[Row], verdict: tuple[str, str]) -> int:
    """Of a caller one rung is enough; a server must be able to do all that it was asked to."""
    print_rows(out, rows, bad="fails")
    print_remedies(out, "To change", rows)
    if verdict is CALLED:
        well = any(row.ok for row in rows if row.name.startswith("sound over"))
    else:
        well = all(row.ok is not False for row in rows)
    out.print(f"\n{verdict[0] if well else verdict[1]}")
    return 0 if well else 1


async def _called(out: Console, address: ServerAddress) -> list[Row]:
    """What a caller here finds; on a terminal one line says what is being tried."""
    with out.status("") as status:
        return await as_caller(address, lambda what: status.update(f"Trying {what} …"))


async def _as_server(config: Config, environ: Mapping[str, str]) -> list[Row]:
    """The ladder, and each of its rungs tried as far as it can be from this side."""
    pod = Pod.read(environ)
    ladder = Ladder.of(pod, config)
    rows = list(ladder_rows(config, environ))
    if ladder.udp.there:
        rows.append(_udp_socket(config.server.host))
    if ladder.tcp is not None and ladder.tcp.port:
        rows.append(_tcp_port(ladder.tcp.host, ladder.tcp.port))
    asked: list[Awaitable[Row]] = []
    if config.webrtc.enabled:
        announced = ladder.tcp.announce[0] if ladder.tcp and ladder.tcp.announce else ""
        asked += [_stun(url, announced) for url in config.webrtc.stun]
        asked += [_turn(url, config) for url in config.webrtc.turn]
    if (proxy := pod.https_url(config.server.port)) and not config.tls.on:
        asked.append(_proxy(proxy))
    return [*rows, *await asyncio.gather(*asked)]


def _udp_socket(host: str) -> Row:
    trouble = _bound(host, 0, socket.SOCK_DGRAM)
    if trouble is None:
        return Row("UDP socket", True, f"can be opened on {host}")
    return Row("UDP socket", False, trouble.strerror or str(trouble), "--set webrtc.udp=off")


def _tcp_port(host: str, port: int) -> Row:
    name = f"TCP port {port} on {host}"
    trouble = _bound(host, port, socket.SOCK_STREAM)
    if trouble is None:
        return Row(name, True, "free for ICE-TCP")
    if trouble.errno == errno.EADDRINUSE:
        return Row(name, None, "taken: by the server, if it is running")
    return Row(name, False, trouble.strerror or str(trouble), "--set webrtc.tcp=off")


def _bound(host: str, port: int, kind: socket.SocketKind) -> OSError | None:
    """Why that port cannot be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
        with socket.socket(family, kind) as trial:
            if kind == socket.SOCK_STREAM:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        return error
    return None


async def _stun(url: str, announced: str) -> Row:
    """How this machine looks from outside. Pages ask that server from where they are, not from here."""
    now = asyncio.get_running_loop().time
    begun = now()
    try:
        seen, _ = await ask_stun(ice_server(url))
    except NoAnswer as why:
        return Row(url, None, f"{why}, from here")
    detail = f"answers in {1000 * (now() - begun):.0f} ms; it sees this machine at {seen}"
    if announced and announced != seen:
        detail += f", while callers of ICE-TCP are told {announced}"
    return Row(url, True, detail)


async def _turn(url: str, config: Config) -> Row:
    now = asyncio.get_running_loop().time
    begun = now()
    try:
        relayed = await ask_turn(ice_server(url), config.webrtc.relay_account(datetime.now(UTC)))
    except NoAnswer as why:
        account = "turn_secret" if config.webrtc.turn_secret else "turn_credential"
        return Row(url, False, str(why), f"look at webrtc.turn and webrtc.{account}")
    return Row(url, True, f"relays at {joined(*relayed)}, after {1000 * (now() - begun):.0f} ms")


async def _proxy(url: str) -> Row:
    """Whether the pod's proxy leads here, as far as that can be seen from inside."""
    remedy = "start the server, and expose its port as HTTP in the pod's settings"

    def status() -> int:
        with urlopen(f"{url}/health", timeout=PROXY_S) as answer:
            return int(answer.status)

    try:
        async with asyncio.timeout(PROXY_S):
            await apart(status)
    except OSError as error:
        why = "no answer" if isinstance(error, TimeoutError) else str(error)
        return Row("pod's proxy", None, f"{why}, from here", remedy)
    return Row("pod's proxy", True, "leads to a server that answers")
