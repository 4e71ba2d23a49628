"""What an interpreter's torch and the driver say of themselves: `python -m ultraandchat.engines.ultravox.probe`.

Run by `ultraandchat check` in the worker's interpreter, and called by the worker before it loads.
"""

import ctypes
import importlib.metadata
import platform
import sys

import msgspec

from ultraandchat.engines.ultravox.fitness import NEEDED, Device, Facts


def facts() -> Facts:
    """Of this process. It imports torch, and looking at a GPU takes some of its memory for a moment."""
    versions = {name: found for name in NEEDED if (found := _version(name))}
    python = platform.python_version()
    if "torch" not in versions:
        return Facts(python, versions)
    try:
        import torch
    except (ImportError, OSError) as error:
        return Facts(python, versions, fault=str(error).partition("\n")[0])
    devices = [torch.cuda.get_device_properties(index) for index in _seen()]
    return Facts(
        python,
        {**versions, "torch": str(torch.__version__)},
        cuda=torch.version.cuda or "",
        archs=tuple(torch.cuda.get_arch_list()),
        driver_cuda=driver_cuda(),
        devices=tuple(Device(each.name, (each.major, each.minor)) for each in devices),
    )


def driver_cuda() -> int:
    """The newest CUDA that the driver knows, such as 13000; 0 where there is none. Asks the driver itself,
    as torch says only that it can use none."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    found = ctypes.c_int(0)
    return 0 if driver.cuDriverGetVersion(ctypes.byref(found)) else found.value


def _seen() -> range:
    import torch

    return range(torch.cuda.device_count() if torch.cuda.is_available() else 0)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(facts()).decode() + "\n")
