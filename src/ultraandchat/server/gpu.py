"""Facts about the GPU, from the driver itself (NVML). torch is never needed to know them."""

from dataclasses import dataclass
from typing import Any

import pynvml


@dataclass(frozen=True, slots=True)
class Gpu:
    """The first GPU of this machine, or none."""

    name: str | None = None
    memory_total: int | None = None
    """Bytes."""
    count: int = 0
    device: Any = None
    """NVML's handle, kept so that asking for the memory in use costs microseconds."""

    @classmethod
    def found(cls) -> "Gpu":
        """What the driver says. It may take a second on a machine with many: call it in a thread."""
        try:
            pynvml.nvmlInit()
            count = pynvml.nvmlDeviceGetCount()
            if not count:
                return cls()
            device = pynvml.nvmlDeviceGetHandleByIndex(0)
            total = int(pynvml.nvmlDeviceGetMemoryInfo(device).total)
            return cls(str(pynvml.nvmlDeviceGetName(device)), total, count, device)
        except pynvml.NVMLError:
            return cls()

    def facts(self) -> dict[str, object]:
        """As `/health` shows it; without a driver `available` is false and the rest null."""
        return {
            "available": self.count > 0,
            "device_name": self.name,
            "memory_total": self.memory_total,
            "memory_used": self._memory_used(),
            "count": self.count,
        }

    def _memory_used(self) -> int | None:
        if self.device is None:
            return None
        try:
            return int(pynvml.nvmlDeviceGetMemoryInfo(self.device).used)
        except pynvml.NVMLError:
            return None
