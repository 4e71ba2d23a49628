"""GPU facts from the driver: where there is none, where there is one, and where it vanishes."""

import threading
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from tests.server.test_status import got
from tests.support.serving import scripted_engines, serving
from ultraandchat.server.gpu import SILENT, Gpu, GpuUse, GpuWatch

NONE = {
    "available": False,
    "device_name": None,
    "memory_total": None,
    "memory_used": None,
    "count": 0,
    "capability": None,
    "utilisation": None,
    "trouble": None,
}


class Driver:
    """NVML of a machine with two GPUs, of which one test takes the first away."""

    def __init__(self) -> None:
        self.lost = False
        self.silent = threading.Event()
        self.silent.set()
        self.processes: dict[int, list[tuple[int, int | None]]] = {0: [(7, 100), (9, None)], 1: []}
        self.refuses: set[str] = set()

    def nvmlInit(self) -> None:
        self._may("init")

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, device: int) -> str:
        return "NVIDIA H200"

    def nvmlDeviceGetMemoryInfo(self, device: int) -> Any:
        self.silent.wait()
        if self.lost:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return SimpleNamespace(total=141 * 10**9, used=20 * 10**9, free=0)

    def nvmlDeviceGetUtilizationRates(self, device: int) -> Any:
        self._may("utilisation")
        return SimpleNamespace(gpu=40)

    def nvmlDeviceGetCudaComputeCapability(self, device: int) -> tuple[int, int]:
        self._may("capability")
        return (9, 0)

    def nvmlDeviceGetComputeRunningProcesses(self, device: int) -> list[Any]:
        self._may("processes")
        return [
            SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in self.processes[device]
        ]

    def _may(self, what: str) -> None:
        if what in self.refuses:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    driver = Driver()
    for name in dir(driver):
        if name.startswith("nvml"):
            monkeypatch.setattr(pynvml, name, getattr(driver, name))
    return driver


def test_without_a_driver_there_is_none() -> None:
    assert Gpu().facts(GpuUse()) == NONE


def test_what_is_found_is_whole() -> None:
    gpu = Gpu.found()
    facts = gpu.facts(gpu.use())
    assert facts["available"] is (facts["device_name"] is not None)
    assert facts["available"] is (facts["memory_total"] is not None)


def test_a_driver_that_does_not_start_is_none(driver: Driver) -> None:
    driver.refuses = {"init"}
    assert Gpu.found() == Gpu()


def test_name_memory_capability_and_use_are_told(driver: Driver) -> None:
    gpu = Gpu.found()
    assert gpu.capability == (9, 0)
    assert gpu.facts(gpu.use()) == {
        "available": True,
        "device_name": "NVIDIA H200",
        "memory_total": 141 * 10**9,
        "memory_used": 20 * 10**9,
        "count": 2,
        "capability": "9.0",
        "utilisation": 0.4,
        "trouble": None,
    }


def test_a_process_on_two_gpus_has_the_memory_of_both(driver: Driver) -> None:
    driver.processes[1] = [(7, 30)]
    assert Gpu.found().use().by_process == {7: 130}


def test_what_the_driver_does_not_tell_is_not_known(driver: Driver) -> None:
    driver.refuses = {"utilisation", "capability", "processes"}
    gpu = Gpu.found()
    assert gpu.capability is None
    assert gpu.use() == GpuUse(memory_used=20 * 10**9)


def test_a_gpu_that_vanishes_is_a_trouble_and_no_exception(driver: Driver) -> None:
    gpu = Gpu.found()
    driver.lost = True
    facts = gpu.facts(gpu.use())
    assert facts["available"] is False
    assert (facts["device_name"], facts["memory_used"]) == ("NVIDIA H200", None)
    assert "GPU is lost" in str(facts["trouble"])


async def test_a_driver_that_does_not_answer_keeps_nobody(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = GpuWatch()
    await watch.find()
    assert (await watch.look()).memory_used == 20 * 10**9
    driver.silent.clear()
    monkeypatch.setattr("ultraandchat.server.gpu.ANSWER_S", 0.05)
    before = threading.active_count()
    for _ in range(5):
        assert (await watch.look()).trouble == SILENT
    assert threading.active_count() <= before + 1, "each question took a thread"
    monkeypatch.undo()
    driver.silent.set()
    assert (await watch.look()).memory_used == 20 * 10**9


async def test_a_server_whose_gpu_vanishes_lives_and_says_so(driver: Driver) -> None:
    async with serving(open_engines=scripted_engines) as server:
        _, before = await got(f"{server.url}/health")
        driver.lost = True
        status, after = await got(f"{server.url}/health")
        _, metrics = await got(f"{server.url}/metrics")
    assert (before["status"], before["gpu"]["utilisation"]) == ("healthy", 0.4)
    assert (status, after["status"]) == (200, "degraded")
    assert "GPU is lost" in after["gpu"]["trouble"]
    assert after["gpu"]["memory_used"] is None
    assert "ultraandchat_gpu_used_bytes NaN" in metrics
