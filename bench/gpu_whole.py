"""The whole path, voice to voice: both models in their processes, and the server's own sessions over them."""

import argparse
import asyncio
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.gpu_both import both
from bench.gpu_caller import Account, Caller, pace
from bench.gpu_engines import models
from ultraandchat.engines.base import Engines, SpeechSynthesizer
from ultraandchat.engines.silero import Silero
from ultraandchat.engines.ultravox.engine import Ultravox
from ultraandchat.engines.webrtc_vad import WebRtcVad
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.playout.ticker import Ticker
from ultraandchat.session import Session, SessionConfig
from ultraandchat.transport.base import CloseReason
from ultraandchat.transport.memory import MemoryTransport
from ultraandchat.transport.wire import Hello
from ultraandchat.turn.policy import TurnPolicy

ENDPOINT_MS = 192
EARLY_MS = 96
"""Silence after which a reply is begun, with speculation: three windows. Without, `ENDPOINT_MS`."""
PARTS = ("end silence", "first clause", "first sound", "playout")
TARGET_MS, TARGET_CROWD_MS, CROWD = 500.0, 700.0, 8
"""One H200, p95: of one to four conversations, and of eight."""


def whole(arguments: argparse.Namespace, console: Console) -> None:
    """Both models at once, and the table of voice to voice."""
    asyncio.run(_whole(arguments, console))


async def _whole(arguments: argparse.Namespace, console: Console) -> None:
    async with models(arguments) as (language, speech):
        await both(language, speech, arguments, console)
        table = Table(title=f"Voice to voice, turn.endpoint_ms={ENDPOINT_MS}, in ms: p50 / p95")
        for heading in (
            "conversations", "speculation", "turns", "voice to voice", *PARTS, "dry", "lag",
        ):  # fmt: skip
            table.add_column(heading, justify="right")
        missed = []
        for count in arguments.conversations:
            for early in (True, False):
                accounts = await converse(language, speech, count, early, arguments)
                table.add_row(str(count), "yes" if early else "no", *row(accounts))
                total = totals(accounts)
                target = TARGET_CROWD_MS if count >= CROWD else TARGET_MS
                if early and (not len(total) or np.percentile(total, 95) > target):
                    missed.append(count)
    console.print(table)
    if arguments.tiny:
        console.print("These figures mean nothing: the models are tiny.")
        return
    which = f"missed with {', '.join(map(str, missed))}" if missed else "kept"
    console.print(
        f"Targets, one H200, p95 with speculation: {TARGET_MS:.0f} ms, with {CROWD} conversations"
        f" {TARGET_CROWD_MS:.0f} ms: {which}. The parts show where the time is."
    )


async def converse(
    language: Ultravox,
    speech: SpeechSynthesizer,
    count: int,
    early: bool,
    arguments: argparse.Namespace,
) -> list[Account]:
    """So many conversations at once; what came of each."""
    engines = Engines(
        gate=WebRtcVad(),
        hearing=Silero(),
        language=language,
        speech=speech,
        transcriber=None,
        status=lambda: (),
        about="",
        greeting="",
    )
    policy = TurnPolicy(
        endpoint_ms=ENDPOINT_MS,
        pause_ms=EARLY_MS if early else ENDPOINT_MS,
        reply_timeout_s=30.0,
    )
    ticker = Ticker()
    callers = []
    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(ticker.run())
        running = []
        for index in range(count):
            caller = Caller(MemoryTransport(), index, arguments.rounds, index * 6.0 / count)
            session = Session(
                engines,
                ticker,
                name=f"caller {index}",
                turn=policy,
                playout=PlayoutPolicy(),
                config=SessionConfig(greeting=""),
                observe=caller.saw,
            )
            session.attach(caller.transport, Hello())
            running.append((session, group.create_task(session.run())))
            callers.append(caller)
        await pace(callers)
        for session, task in running:
            session.stop(CloseReason.PEER_LEFT)
            await task
        ticking.cancel()
    return [caller.account for caller in callers]


def totals(accounts: Sequence[Account]) -> np.ndarray:
    return np.array([timed.total_ms for account in accounts for timed in account.timed])


def row(accounts: Sequence[Account]) -> list[str]:
    timed = [timed for account in accounts for timed in account.timed]
    asked = sum(account.asked for account in accounts)
    parts = [
        spread(
            [
                part.end_ms - part.start_ms
                for one in timed
                for part in one.parts
                if part.name == name
            ]
        )
        for name in PARTS
    ]
    frames = sum(account.frames for account in accounts)
    dry = sum(account.dry for account in accounts)
    lag = 1000 * np.percentile([late for account in accounts for late in account.lag], 95)
    failed = sum(len(account.failed) for account in accounts)
    turns = f"{len(timed)} of {asked}" + (f", {failed} failed" if failed else "")
    return [
        turns,
        spread(totals(accounts)),
        *parts,
        f"{100 * dry / max(frames, 1):.1f} %",
        f"{lag:.1f}",
    ]


def spread(values: Sequence[float] | np.ndarray) -> str:
    if not len(values):
        return "–"
    return f"{np.percentile(values, 50):.0f} / {np.percentile(values, 95):.0f}"
