"""Facts about the GPU, from the driver itself (NVML). torch is never needed to know them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pynvml

ANSWER_S = 1.0
"""NVML answers within a millisecond. A driver in trouble may not answer at all."""

SILENT = "the GPU's driver does not answer"


@dataclass(frozen=True, slots=True)
class GpuUse:
    """What the GPU is at, at one moment. Whatever the driver does not tell is none."""

    memory_used: int | None = None
    """Bytes, of all processes."""
    utilisation: float | None = None
    """Share of the last second or so in which a kernel ran, 0…1."""
    by_process: Mapping[int, int] = field(default_factory=dict)
    """Bytes by process id, on all GPUs together. In a container the driver may tell other ids, or none."""
    trouble: str = ""
    """Why a GPU that was found cannot be asked any more, in a sentence."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """The first GPU of this machine, or none."""

    name: str | None = None
    memory_total: int | None = None
    """Bytes."""
    count: int = 0
    capability: tuple[int, int] | None = None
    """Compute capability, such as (9, 0): what a build of torch must have kernels for."""
    devices: tuple[Any, ...] = ()
    """NVML's handles, kept so that asking costs microseconds."""

    @classmethod
    def found(cls) -> "Gpu":
        """What the driver says. It may take a second on a machine with many: call it in a thread."""
        try:
            pynvml.nvmlInit()
            count = pynvml.nvmlDeviceGetCount()
            if not count:
                return cls()
            devices = tuple(pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(count))
            total = int(pynvml.nvmlDeviceGetMemoryInfo(devices[0]).total)
            name = str(pynvml.nvmlDeviceGetName(devices[0]))
            return cls(name, total, count, _capability(devices[0]), devices)
        except pynvml.NVMLError:
            return cls()

    def use(self) -> GpuUse:
        """As it is now; never raises. The driver may keep it waiting: call it in a thread."""
        if not self.devices:
            return GpuUse()
        try:
            used = int(pynvml.nvmlDeviceGetMemoryInfo(self.devices[0]).used)
        except pynvml.NVMLError as error:
            return GpuUse(trouble=f"the GPU cannot be asked any more ({error})")
        return GpuUse(used, self._utilisation(), self._by_process())

    def facts(self, use: GpuUse) -> dict[str, object]:
        """As `/health` shows it; without a driver `available` is false and the rest null."""
        return {
            "available": self.count > 0 and not use.trouble,
            "device_name": self.name,
            "memory_total": self.memory_total,
            "memory_used": use.memory_used,
            "count": self.count,
            "capability": self.capability and ".".join(map(str, self.capability)),
            "utilisation": use.utilisation,
            "trouble": use.trouble or None,
        }

    def _utilisation(self) -> float | None:
        try:
            return float(pynvml.nvmlDeviceGetUtilizationRates(self.devices[0]).gpu) / 100
        except pynvml.NVMLError:  # under MIG nobody knows it
            return None

    def _by_process(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for device in self.devices:
            try:
                running = pynvml.nvmlDeviceGetComputeRunningProcesses(device)
            except pynvml.NVMLError:
                continue
            for process in running:
                if process.usedGpuMemory is not None:
                    found[process.pid] = found.get(process.pid, 0) + int(process.usedGpuMemory)
        return found


class GpuWatch:
    """Asks the driver from the event loop, one question at a time, and never waits for long."""

    def __init__(self) -> None:
        self.gpu = Gpu()
        self.last = GpuUse()
        self._asking: asyncio.Future[GpuUse] | None = None

    async def find(self) -> None:
        """Look which GPU there is."""
        self.gpu = await asyncio.to_thread(Gpu.found)

    async def look(self) -> GpuUse:
        """As it is now, or that the driver does not answer. Whoever comes meanwhile has the same answer."""
        if not self.gpu.devices:
            return self.last
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().run_in_executor(None, self.gpu.use)
        try:
            async with asyncio.timeout(ANSWER_S):
                self.last = await asyncio.shield(self._asking)
        except TimeoutError:
            self.last = GpuUse(trouble=SILENT)
        return self.last


def _capability(device: Any) -> tuple[int, int] | None:
    try:
        major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(device)
    except pynvml.NVMLError:
        return None
    return int(major), int(minor)
