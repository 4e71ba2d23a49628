"""The driver's library (NVML) as machines with one GPU, or none, have it."""

from types import SimpleNamespace

import pynvml
import pytest


def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a driver."""

    def absent() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", absent)


def one_gpu(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    """A machine with one GPU that has so many bytes free."""

    def handle(index: int) -> int:
        if index:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_INVALID_ARGUMENT)
        return index

    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", handle)
    monkeypatch.setattr(
        pynvml, "nvmlDeviceGetMemoryInfo", lambda device: SimpleNamespace(free=free)
    )
