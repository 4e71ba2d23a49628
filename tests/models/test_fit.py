"""A worker whose torch does not fit the machine says so before CUDA would."""

import msgspec
import pytest
import torch

from tests.engines.ultravox.test_fitness import GOOD
from tests.models.test_model import arguments, in_a_process
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.ultravox import model
from ultraandchat.engines.ultravox.fitness import NEWER_BUILD, Device
from ultraandchat.engines.ultravox.probe import facts
from ultraandchat.engines.worker import open_worker


@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU")
async def test_without_a_gpu_the_process_says_what_lacks_and_what_to_do() -> None:
    with pytest.raises(EngineUnavailable) as refused:
        async with open_worker(in_a_process(arguments(device="cuda"))):
            pass
    assert "no GPU with NVIDIA's driver" in refused.value.reason
    assert "--profile demo" in refused.value.remedy


def test_a_gpu_that_torch_is_not_built_for_is_refused_before_anything_is_found_or_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blackwell = Device("NVIDIA GeForce RTX 5090", (12, 0))
    answer = msgspec.structs.replace(GOOD, archs=("sm_80", "sm_90"), devices=(blackwell,))
    monkeypatch.setattr(model, "facts", lambda: answer)
    told: list[str] = []
    with pytest.raises(EngineUnavailable) as refused:
        model.open_model(
            lambda stage, done, total: told.append(stage),
            **arguments(device="auto", checkpoint="someone/not-here"),
        )
    assert "compute capability 12.0" in refused.value.reason
    assert refused.value.remedy == NEWER_BUILD
    assert not told


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    two = msgspec.structs.replace(GOOD, devices=(*GOOD.devices, *GOOD.devices))
    monkeypatch.setattr(model, "facts", lambda: two)
    with pytest.raises(
        EngineUnavailable, match="no GPU of number 2 here, only 2 from 0 on"
    ) as refused:
        model.open_model(lambda *told: None, **arguments(device="cuda:2"))
    assert refused.value.remedy == "Set engines.ultravox.device=cuda:1."


def test_the_probe_tells_of_this_torch() -> None:
    found = facts()
    assert found.versions["torch"] == torch.__version__
    assert found.cuda == (torch.version.cuda or "")
    assert len(found.devices) == torch.cuda.device_count()
