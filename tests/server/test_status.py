"""What the server says of itself while it loads, runs, and is not quite well."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from tests.support.serving import PATIENCE_S, READY, phone, scripted, serving
from ultraandchat.engines.base import Engines, EngineState, EngineStatus
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.transport.wire import Say, State, TurnTiming

POD = {"RUNPOD_POD_ID": "pod1", "RUNPOD_PUBLIC_IP": "213.173.109.39", "RUNPOD_DC_ID": "EU-RO-1"}


async def got(url: str, **headers: str) -> tuple[int, Any]:
    async with ClientSession() as session, session.get(url, headers=headers) as answer:
        is_json = answer.content_type == "application/json"
        return answer.status, await (answer.json() if is_json else answer.text())


async def test_health_has_the_documented_keys() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    mapped = POD | {f"RUNPOD_TCP_PORT_{port}": "40123"}
    async with serving(f"server.port={port}", environ=mapped) as server:
        status, health = await got(f"{server.url}/health")
    assert status == 200
    assert health["status"] == "healthy"
    runpod = health["runpod"]
    assert {name: runpod[name] for name in ("pod_id", "public_ip", "tcp_port")} == {
        "pod_id": "pod1",
        "public_ip": "213.173.109.39",
        "tcp_port": "40123",
    }
    assert (runpod["data_centre"], runpod["gpu_count"]) == ("EU-RO-1", None)
    assert runpod["https_url"] == f"https://pod1-{port}.proxy.runpod.net"
    assert (runpod["rungs"]["udp"], runpod["rungs"]["websocket"]) == (False, True)
    assert health["models"] == {"ultravox": False, "tts": True}
    assert {"available", "device_name", "memory_total"} <= health["gpu"].keys()
    assert [engine["kind"] for engine in health["engines"]] == [one.kind for one in READY]


async def test_elsewhere_than_on_a_pod_health_says_local() -> None:
    async with serving() as server:
        _, health = await got(f"{server.url}/health")
    runpod = health["runpod"]
    assert (runpod["pod_id"], runpod["public_ip"], runpod["tcp_port"]) == ("local", None, None)
    assert runpod["https_url"] is None


async def test_callers_behind_a_proxy_learn_nothing_of_the_pod() -> None:
    async with serving(environ=POD) as server:
        _, health = await got(f"{server.url}/health", **{"X-Forwarded-For": "198.51.100.1"})
    assert {"pod_id", "public_ip", "tcp_port", "rungs"} <= health["runpod"].keys()
    assert set(health["runpod"].values()) == {None}


async def test_ultravox_is_live_only_where_it_itself_is_ready_to_answer() -> None:
    """Not its server elsewhere, not as a transcriber of nobody, and not while it starts anew."""
    states: list[tuple[str, str, EngineState, bool]] = [
        ("language", "ultravox", "ready", True),
        ("language", "ultravox", "restarting", False),
        ("language", "ultravox-server", "ready", False),
        ("transcriber", "ultravox", "ready", False),
    ]
    for kind, name, state, live in states:

        @asynccontextmanager
        async def opened(
            config: EnginesConfig,
            status: EngineStatus = EngineStatus(kind, name, state),  # noqa: B008 - frozen
        ) -> AsyncGenerator[Engines, None]:
            yield scripted((status, *READY))

        async with serving(open_engines=opened) as server:
            _, health = await got(f"{server.url}/health")
        assert health["models"]["ultravox"] is live, (kind, name, state)


@asynccontextmanager
async def limping(config: EnginesConfig) -> AsyncGenerator[Engines, None]:
    yield scripted((EngineStatus("speech", "flite", "restarting", restarts=1), *READY[:3]))


async def test_an_engine_that_restarts_degrades_the_server() -> None:
    async with serving(open_engines=limping) as server:
        _, health = await got(f"{server.url}/health")
        ready, _ = await got(f"{server.url}/ready")
    assert health["status"] == "degraded"
    assert health["models"]["tts"] is False
    assert ready == 200


@asynccontextmanager
async def failed(config: EnginesConfig) -> AsyncGenerator[Engines, None]:
    yield scripted((EngineStatus("speech", "flite", "failed"), *READY[:3]))


async def test_a_server_whose_engine_failed_is_not_ready() -> None:
    async with serving(open_engines=failed) as server:
        assert await got(f"{server.url}/ready") == (503, {"ready": False, "status": "degraded"})


async def test_the_page_learns_what_runs_here() -> None:
    async with serving("server.max_conversations=3") as server:
        _, facts = await got(f"{server.url}/config.json")
    assert facts["about"] == "A tone."
    assert facts["ready"] is True
    assert facts["sample_rates"] == {"up": 16_000, "down": 24_000}
    assert facts["max_conversations"] == 3
    assert facts["engines"][0] == {
        "kind": "voice activity",
        "name": "scripted",
        "state": "ready",
        "detail": "",
        "remedy": "",
        "progress": None,
    }


async def test_the_page_learns_which_ways_there_are_and_why_others_are_not() -> None:
    async with serving(environ=POD) as server:
        _, facts = await got(f"{server.url}/config.json")
    assert facts["rungs"]["websocket"] is True
    assert facts["rungs"]["ice_tcp"] is None
    assert "RUNPOD_TCP_PORT_70000" in facts["rungs"]["why"]["ice_tcp"]
    assert facts["webrtc"] is None  # no use in trying
    async with serving() as server:
        _, facts = await got(f"{server.url}/config.json")
    assert facts["rungs"]["udp"] is True
    assert facts["webrtc"]["iceServers"]
    assert facts["https_url"] is None


async def test_a_pod_is_said_in_one_line_of_the_log_with_what_makes_no_sense(
    tmp_path: Path,
) -> None:
    secret = {"RUNPOD_API_KEY": "rpa_WALNUT", "PUBLIC_KEY": "ssh-ed25519 WALNUT"}
    odd = POD | secret | {"RUNPOD_TCP_PORT_70000": "abc"}
    async with serving(f"logs.directory={tmp_path}", "logs.level=info", environ=odd):
        pass
    lines = (tmp_path / "server.log").read_text().splitlines()
    assert [line for line in lines if "ways for sound: " in line and line.endswith("pod=pod1")]
    assert [line for line in lines if " warning " in line and "RUNPOD_TCP_PORT_70000='abc'" in line]
    assert not [line for line in lines if "WALNUT" in line]


async def test_logs_are_listed_and_shown_for_one_conversation(tmp_path: Path) -> None:
    async with serving(f"logs.directory={tmp_path}", "logs.level=info") as server:
        names = []
        for _ in range(2):
            async with phone(server.url) as caller:
                names.append((await caller.begins()).session)
        _, listed = await got(f"{server.url}/logs")
        assert {file["file"] for file in listed["files"]} >= {"audio", "turn", "server"}
        tail = ""
        async with asyncio.timeout(PATIENCE_S):
            while "conversation opened" not in tail:  # lines are written by a thread
                _, tail = await got(f"{server.url}/logs?file=server&session={names[1]}")
        assert f"session={names[1]} " in tail
        assert names[0] not in tail


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("file=../../etc/passwd", 404),
        ("file=nothing", 404),
        ("file=turn&lines=-1", 400),
        ("file=turn&lines=1e9", 400),
        ("file=turn&lines=999999", 200),
        ("file=turn&session=a%0Ab", 400),
        ("file=turn&session=" + "a" * 65, 400),
    ],
)
async def test_logs_show_nothing_but_logs(tmp_path: Path, query: str, status: int) -> None:
    async with serving(f"logs.directory={tmp_path}") as server:
        assert (await got(f"{server.url}/logs?{query}"))[0] == status


async def test_logs_are_not_for_callers_through_a_proxy() -> None:
    async with serving() as server:
        assert (await got(f"{server.url}/logs", Forwarded="for=198.51.100.1"))[0] == 403


async def test_metrics_count_a_turn_and_can_be_parsed() -> None:
    async with serving() as server:
        async with phone(server.url) as caller:
            await caller.begins()
            await caller.tells(Say("hello"))
            await caller.until(TurnTiming)
            while await caller.until(State) != State("listening", 1):
                pass
        status, text = await got(f"{server.url}/metrics")
    assert status == 200
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["ultraandchat_turns_total", "typed"] == 1
    assert samples["ultraandchat_replies_total", "whole"] == 1
    assert samples["ultraandchat_turn_latency_seconds_count", "total"] == 1
    assert samples["ultraandchat_engine_ready", "speech", "scripted"] == 1


async def test_nothing_said_reaches_a_log_at_info(tmp_path: Path) -> None:
    logged = (f"logs.directory={tmp_path}", "logs.level=info")
    async with serving(*logged) as server, phone(server.url) as caller:
        await caller.begins()
        await caller.tells(Say("walnut"))
        await caller.until(TurnTiming)
    logs = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "turn ended" in logs
    assert "walnut" not in logs


async def test_what_the_guard_of_a_voice_noticed_is_told_and_counted_once() -> None:
    verdicts = {"loop": 2, "tail": 1}

    @asynccontextmanager
    async def guarded(config: EnginesConfig) -> AsyncGenerator[Engines, None]:
        yield replace(
            scripted(),
            status=lambda: (
                EngineStatus("language", "ultravox", "ready"),
                EngineStatus(
                    "speech", "chatterbox", "ready", verdicts=tuple(sorted(verdicts.items()))
                ),
            ),
        )

    async with serving(open_engines=guarded) as server:
        _, health = await got(f"{server.url}/health")
        _, first = await got(f"{server.url}/metrics")
        verdicts["loop"] = 5
        _, second = await got(f"{server.url}/metrics")
    assert health["models"] == {"ultravox": True, "tts": True}
    assert health["engines"][1]["verdicts"] == {"loop": 2, "tail": 1}
    assert 'ultraandchat_speech_guard_total{verdict="loop"} 2.0' in first
    assert 'ultraandchat_speech_guard_total{verdict="loop"} 5.0' in second
    assert 'ultraandchat_speech_guard_total{verdict="tail"} 1.0' in second
