"""What the worker opens, and conversations through its real process."""

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engines.ultravox.support import CHECKPOINTS, clip_samples, reconfigured, taken_apart
from tests.models.talk import Reply, go_on, nobody_asks, request, said, typed, whole
from ultraandchat.engines.base import EngineError, EngineUnavailable
from ultraandchat.engines.ultravox.engine import HANG_S, START_TIMEOUT_S
from ultraandchat.engines.ultravox.model import open_model
from ultraandchat.engines.worker import Worker, WorkerSpec, open_worker


def arguments(folder: Path = CHECKPOINTS[1], **more: Any) -> dict[str, Any]:
    return {
        "checkpoint": str(folder),
        "revision": "",
        "text_model": "",
        "text_model_revision": "",
        "device": "cpu",
        "precision": "auto",
        "window": 1024,
        "slots": 2,
        "graph": True,
        "offline": True,
        "cache": "",
        "endpoint": "",
        "token": "",
        **more,
    }


def clip(name: str) -> dict[str, Any]:
    return {"role": "user", "audio": name, "pcm": clip_samples(name), "words": ""}


def in_a_process(
    given: dict[str, Any],
    factory: str = f"{open_model.__module__}:{open_model.__name__}",
    **more: Any,
) -> WorkerSpec:
    """With the engine's patience: on a busy machine importing torch takes its time."""
    patience = {"start_timeout_s": START_TIMEOUT_S, "hang_s": HANG_S, "wait_s": START_TIMEOUT_S}
    return WorkerSpec("ultravox", factory, given, **{**patience, **more})


STORY = (clip("yes"), said("Hm."), clip("goforward"))


async def asked(worker: Worker, method: str, what: dict[str, Any]) -> Reply:
    reply = Reply()
    async with aclosing(worker.stream(method, what, ahead=64)) as items:
        async for item in items:
            reply.take(item)
    return reply


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    async with open_worker(in_a_process(arguments(), at_once=2)) as opened:
        yield opened


def test_opening_tells_its_stages() -> None:
    told: list[str] = []
    open_model(lambda stage, done, total: told.append(stage), **arguments())
    assert list(dict.fromkeys(told)) == ["load", "warm-up (static cache)"]


@pytest.mark.parametrize("folder", CHECKPOINTS, ids=lambda folder: folder.name)
async def test_through_the_process_it_says_what_it_says_without(folder: Path) -> None:
    what = request(*STORY)
    direct = whole(open_model(nobody_asks, **arguments(folder)).respond(go_on, what))
    async with open_worker(in_a_process(arguments(folder))) as worker:
        through = await asked(worker, "respond", what)
    assert through.text == direct.text != ""
    assert through.usage["prompt_tokens"] == direct.usage["prompt_tokens"]


async def test_a_conversation_through_the_process(worker: Worker) -> None:
    ready = await asked(worker, "prepare", request(*STORY[:-1]))
    guess = worker.stream("respond", request(*STORY[:-1], clip("yes")), ahead=1)
    await anext(guess)
    await guess.aclose()
    answer = await asked(worker, "respond", request(*STORY))
    assert answer.usage["reused_tokens"] == ready.usage["prompt_tokens"]
    words = await asked(worker, "transcribe", request(*STORY))
    assert words.usage["reused_tokens"] > ready.usage["prompt_tokens"]


async def test_conversations_take_turns_in_the_process(worker: Worker) -> None:
    long, short = request(*STORY, max_tokens=400), request(typed("And I?"), max_tokens=2)
    async with aclosing(worker.stream("respond", long, ahead=1000)) as slow:
        begun = Reply()
        begun.take(await anext(slow))
        quick = await asked(worker, "respond", short)
        assert quick.usage["new_tokens"] <= 2
        async for item in slow:
            begun.take(item)
    assert begun.usage["new_tokens"] > 2


async def test_sound_that_it_does_not_have_is_asked_for_through_the_process(worker: Worker) -> None:
    unsent = STORY[-1] | {"pcm": None}
    assert (await asked(worker, "respond", request(unsent))).missing == ["goforward"]
    full = await asked(worker, "respond", request(*STORY))
    again = await asked(worker, "respond", request(*STORY[:-1], unsent))
    assert again.text == full.text


@pytest.mark.parametrize(
    ("fault", "reason", "restarts"),
    [("memory", "out of memory", 0), ("assert", "the graphics card failed", 1)],
)
async def test_a_fault_of_the_card_costs_a_reply_and_the_conversation_goes_on(
    fault: str, reason: str, restarts: int, tmp_path: Path
) -> None:
    file = tmp_path / "fault"
    spec = in_a_process(arguments(fault=str(file)), "tests.models.failing:open_failing", at_once=2)
    async with open_worker(spec) as worker:
        before = await asked(worker, "respond", request(*STORY))
        file.write_text(fault)
        with pytest.raises(EngineError, match=reason):
            await asked(worker, "respond", request(*STORY, said("Hm."), typed("And then?")))
        after = await asked(worker, "respond", request(*STORY))
        assert after.text == before.text
        assert worker.status().restarts == restarts
        # A new process has read nothing yet; the same one still has it all.
        assert (after.usage["reused_tokens"] == 0) == (restarts == 1)


def test_a_reply_ends_where_the_models_settings_say(tmp_path: Path) -> None:
    folder = shutil.copytree(CHECKPOINTS[1], tmp_path / "tiny")
    first = whole(open_model(nobody_asks, **arguments(folder)).respond(go_on, request(*STORY)))
    assert first.usage["finished"] == "length"
    everything = {"eos_token_id": list(range(300))}
    (folder / "generation_config.json").write_text(json.dumps(everything))
    ended = whole(open_model(nobody_asks, **arguments(folder)).respond(go_on, request(*STORY)))
    assert (ended.text, ended.usage["new_tokens"], ended.usage["finished"]) == ("", 0, "stop")


def test_a_release_is_opened_with_the_parts_that_it_names(tmp_path: Path) -> None:
    """As v0.4 is: projector here, language model and encoder elsewhere."""
    ultravox, text, audio = taken_apart(CHECKPOINTS[0], tmp_path)
    reconfigured(ultravox, text_model_id=str(text), audio_model_id=str(audio))
    what = request(*STORY)
    apart = whole(open_model(nobody_asks, **arguments(ultravox)).respond(go_on, what))
    alone = whole(open_model(nobody_asks, **arguments(CHECKPOINTS[0])).respond(go_on, what))
    assert apart.text == alone.text != ""


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_it_talks_in_every_precision(precision: str) -> None:
    model = open_model(nobody_asks, **arguments(precision=precision))
    first, again = (whole(model.respond(go_on, request(*STORY, max_tokens=8))) for _ in range(2))
    assert again.usage["reused_tokens"] > 0
    assert first.text == again.text


def test_a_window_longer_than_the_model_was_made_for_is_refused() -> None:
    with pytest.raises(EngineUnavailable, match="made for 2048 tokens") as refused:
        open_model(nobody_asks, **arguments(window=4096))
    assert refused.value.remedy == "Set engines.ultravox.window=2048."


def test_without_a_gpu_only_who_asks_for_the_processor_gets_it() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    for device in ("auto", "cuda", "cuda:1"):
        with pytest.raises(EngineUnavailable, match="no GPU") as refused:
            open_model(nobody_asks, **arguments(device=device))
        assert "engines.ultravox.device=cpu" in refused.value.remedy


def test_a_card_too_full_while_loading_is_told_with_what_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*rest: object, **more: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr("ultraandchat.engines.ultravox.model.load", full)
    with pytest.raises(EngineUnavailable, match="out of memory") as refused:
        open_model(nobody_asks, **arguments())
    assert "engines.ultravox.precision=int8" in refused.value.remedy
