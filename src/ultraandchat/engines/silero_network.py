"""Silero's network for 16 kHz sound, evaluated with numpy: from 32 ms of sound to the probability of speech.

One set of weights and of work arrays serves every conversation; what a conversation remembers is 1.3 KB.
Spectra of four frames go through four convolutions over time, and what they say into one recurrent cell.
The weights, their names and the arithmetic are those of the original's graph (see silero_16k.md).
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ultraandchat.audio.frame import WINDOW, Samples

Weights = NDArray[np.float32]

CONTEXT = 64
"""Samples before the window that the network sees again; as many are mirrored behind it."""
FRAME, STEP, FRAMES = 256, 128, 4
"""Samples of a frame, from one to the next, and how many lie in context, window and mirror."""
BINS = FRAME // 2 + 1
CELLS = 128
"""Of the recurrent layer, and what the convolutions hand it."""

ZERO, HALF = np.array(0.0, np.float32), np.array(0.5, np.float32)
"""As arrays: numpy takes twice as long over Python's numbers."""

SHAPES = {
    "encoder.0.weight": (128, BINS, 3),
    "encoder.0.bias": (128,),
    "encoder.1.weight": (64, 128, 3),
    "encoder.1.bias": (64,),
    "encoder.2.weight": (64, 64, 3),
    "encoder.2.bias": (64,),
    "encoder.3.weight": (CELLS, 64, 3),
    "encoder.3.bias": (CELLS,),
    "rnn.weight_ih": (4 * CELLS, CELLS),
    "rnn.weight_hh": (4 * CELLS, CELLS),
    "rnn.bias_ih": (4 * CELLS,),
    "rnn.bias_hh": (4 * CELLS,),
    "output.weight": (1, CELLS, 1),
    "output.bias": (1,),
}
"""What a file of weights holds, all float32: convolutions as (out, in, tap), gates in torch's order."""


class Memory:
    """What the network remembers of one conversation."""

    __slots__ = ("cell", "context", "hidden")

    def __init__(self) -> None:
        self.hidden = np.zeros(CELLS, np.float32)
        self.cell = np.zeros(CELLS, np.float32)
        self.context = np.zeros(CONTEXT, np.float32)

    def clear(self) -> None:
        self.hidden[:] = 0.0
        self.cell[:] = 0.0
        self.context[:] = 0.0


class Network:
    """The weights, arranged so that each layer is one matrix product. One caller at a time."""

    def __init__(self, weights: Mapping[str, Weights]) -> None:
        """`weights` as `SHAPES`; `KeyError` where one is missing, `ValueError` where one is not as it should be."""
        for name, shape in SHAPES.items():
            if weights[name].shape != shape or weights[name].dtype != np.float32:
                raise ValueError(f"its weights {name} are not {shape} float32")
        # Taps that only ever meet padding are left out: of four moments the second convolution makes
        # two, of which the first sees two and the second three; the third makes one; the last sees it.
        self._conv0 = _product(weights["encoder.0.weight"]), weights["encoder.0.bias"]
        self._conv1 = _product(weights["encoder.1.weight"]), weights["encoder.1.bias"]
        self._conv1_early = self._conv1[0][128:], self._conv1[1]
        self._conv2 = _product(weights["encoder.2.weight"][:, :, 1:]), weights["encoder.2.bias"]
        self._conv3 = _product(weights["encoder.3.weight"][:, :, 1:2]), weights["encoder.3.bias"]
        self._gates = _gates(weights)
        self._output = weights["output.weight"][0, :, 0].copy()
        self._output_bias = float(weights["output.bias"][0])
        self._prepare_work()

    def _prepare_work(self) -> None:
        """Arrays that every step writes anew, and the views of them in which a layer reads its input."""
        sound = np.zeros(CONTEXT + WINDOW + CONTEXT, np.float32)
        self._before, self._window = sound[:CONTEXT], sound[CONTEXT:-CONTEXT]
        self._after, self._mirrored = sound[-CONTEXT:], sound[-CONTEXT - 2 : -2 * CONTEXT - 2 : -1]
        self._frames = _runs(sound, FRAMES, FRAME, STEP)
        self._hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
        self._framed = np.empty((FRAMES, FRAME), np.float32)
        self._spectra = np.empty((FRAMES, BINS), np.complex64)
        # Convolution: rows are moments, and three rows on end are what one moment of the next layer
        # sees. The first layer's input has a row of padding at either end.
        loudness = np.zeros((FRAMES + 2, BINS), np.float32)
        self._loudness = loudness[1:-1]
        self._runs0 = _runs(loudness, FRAMES, 3 * BINS, BINS)
        self._seen0 = np.empty((FRAMES, 3 * BINS), np.float32)
        self._made0 = np.empty((FRAMES, 128), np.float32)
        self._early, self._late = self._made0[:2].reshape(-1), self._made0[1:].reshape(-1)
        self._made1 = np.empty(2 * 64, np.float32)
        self._made1_early, self._made1_late = np.split(self._made1, 2)
        self._made2 = np.empty(64, np.float32)
        self._felt = np.empty(2 * CELLS, np.float32)
        self._made3, self._hidden = self._felt[:CELLS], self._felt[CELLS:]
        self._gated = np.empty(4 * CELLS, np.float32)
        self._open = self._gated[: 3 * CELLS]
        self._enter, self._keep, self._leave, self._new = np.split(self._gated, 4)

    def step(self, window: Samples, memory: Memory) -> float:
        """The probability of speech in the next 512 samples (finite ones) of the sound in `memory`."""
        self._before[:] = memory.context
        self._window[:] = window
        self._after[:] = self._mirrored
        memory.context[:] = window[-CONTEXT:]
        np.multiply(self._frames, self._hann, out=self._framed)
        np.fft.rfft(self._framed, out=self._spectra)  # type: ignore[arg-type]  # numpy's stub says complex128 only
        np.abs(self._spectra, out=self._loudness)

        self._seen0[:] = self._runs0
        _layer(self._seen0, self._conv0, self._made0)
        _layer(self._early, self._conv1_early, self._made1_early)
        _layer(self._late, self._conv1, self._made1_late)
        _layer(self._made1, self._conv2, self._made2)
        _layer(self._made2, self._conv3, self._made3)
        return self._remember(memory)

    def _remember(self, memory: Memory) -> float:
        """The recurrent cell: gates from what is seen now (`_made3`) and what was remembered."""
        self._hidden[:] = memory.hidden
        hidden, cell = memory.hidden, memory.cell
        matrix, bias = self._gates
        np.dot(self._felt, matrix, out=self._gated)
        self._gated += bias
        np.tanh(self._gated, out=self._gated)
        self._open *= HALF
        self._open += HALF
        cell *= self._keep
        self._new *= self._enter
        cell += self._new
        np.tanh(cell, out=hidden)
        hidden *= self._leave
        np.maximum(hidden, ZERO, out=self._hidden)
        speech = float(np.dot(self._hidden, self._output)) + self._output_bias
        return 1.0 / (1.0 + math.exp(-speech))


def _layer(seen: Samples, layer: tuple[Weights, Weights], made: Samples) -> None:
    """A convolution as one product, with its bias, and nothing below zero."""
    matrix, bias = layer
    np.dot(seen, matrix, out=made)
    made += bias
    np.maximum(made, ZERO, out=made)


def _product(convolution: Weights) -> Weights:
    """(out, in, tap) as the matrix that moments lying one after the other are multiplied with."""
    return np.ascontiguousarray(convolution.transpose(2, 1, 0).reshape(-1, len(convolution)))


def _gates(weights: Mapping[str, Weights]) -> tuple[Weights, Weights]:
    """The cell's four gates as one product, the three logistic ones first and halved: σ(x) = (tanh(x/2) + 1) / 2."""
    matrix = np.concatenate([weights["rnn.weight_ih"], weights["rnn.weight_hh"]], axis=1)
    bias = weights["rnn.bias_ih"] + weights["rnn.bias_hh"]
    enter, keep, new, leave = np.split(np.arange(4 * CELLS), 4)
    order = np.concatenate([enter, keep, leave, new])
    scale = np.repeat(np.array([0.5, 0.5, 0.5, 1.0], np.float32), CELLS)
    return np.ascontiguousarray((matrix[order] * scale[:, None]).T), bias[order] * scale


def _runs(array: Samples, count: int, length: int, step: int) -> Samples:
    """`count` overlapping stretches of `length` numbers, `step` apart, as rows of a view."""
    size = array.itemsize
    return as_strided(array, (count, length), (step * size, size), writeable=False)
