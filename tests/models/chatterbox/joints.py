"""How much each part of streaming does at the joints of blocks, with random weights.

    python -m tests.models.chatterbox.joints [whole]

Small models by default; `whole` is the package's Turbo at full size (minutes). Prints the table of
docs/decisions/0030-sound-in-blocks.md.
"""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from tests.models.chatterbox.random_s3gen import small, tokens, voice, whole
from ultraandchat.engines.chatterbox.chunks import Chunk, Plan
from ultraandchat.engines.chatterbox.flow import Flow
from ultraandchat.engines.chatterbox.joins import blend
from ultraandchat.engines.chatterbox.noise import Noise
from ultraandchat.engines.chatterbox.sounder import BLENDED
from ultraandchat.engines.chatterbox.variants import ORIGINAL, TURBO, Variant
from ultraandchat.engines.chatterbox.vocoder import Track, Vocoder

WAYS = {
    "each block alone, as the package makes it": "alone fade",
    "each block alone, without its fade": "alone",
    "with context and lookahead": "context",
    "and noise by position": "context noise",
    "and phases that go on": "context noise source",
    "and fades (as it is)": "context noise source blend",
}


class Clause:
    """One clause, made in each of the ways."""

    def __init__(self, s3gen: Any, variant: Variant, seed: int, count: int) -> None:
        self.flow = Flow(s3gen, variant.steps)
        self.vocoder = Vocoder(s3gen.mel2wav)
        self.timbre = self.flow.timbre(voice(seed))
        self.tokens = tokens(count, seed)
        self.seed = seed
        self.fade = s3gen.trim_fade

    def frames(self, begin: int, end: int, seed: int) -> torch.Tensor:
        prompt = Noise(seed, 0, 80).rows(0, self.timbre.frames.shape[2])
        there = Noise(seed, 1, 80).rows(0, 2 * end)[2 * begin :]
        noise = torch.from_numpy(np.concatenate([prompt, there]).T.copy())
        return self.flow.frames(self.timbre, self.tokens[begin:end], noise)

    def at_once(self) -> np.ndarray[Any, Any]:
        decoded = self.frames(0, len(self.tokens), self.seed)
        return self.vocoder.track(self.seed).sound(decoded, decoded[:, :0]).numpy()

    def blocks(self, how: str) -> Iterator[torch.Tensor]:
        chunks, track = Plan().chunks(), self.vocoder.track(self.seed)
        expected = self.timbre.frames[0, :, :0]
        number = 0
        while chunk := chunks.next(len(self.tokens), over=True):
            number += 1
            if "alone" in how:
                chunk = Chunk(chunk.first, chunk.first, chunk.end, chunk.end)
            seed = self.seed if "noise" in how else 1000 * self.seed + number
            decoded = self.frames(chunk.context, chunk.ahead, seed)
            before, count = 2 * (chunk.first - chunk.context), 2 * (chunk.end - chunk.first)
            if "source" not in how:
                track = self.vocoder.track(1000 * self.seed + number)
                nothing = decoded[:, :0]
                sound = track.sound(decoded, nothing)[480 * before :][: 480 * count]
                if "fade" in how:
                    sound = torch.cat([sound[:960] * self.fade, sound[960:]])
                yield sound
                continue
            fresh = decoded[:, before:]
            if "blend" in how:
                fresh = blend(expected[:, :BLENDED], fresh)
            else:
                _forget(track)
            expected = fresh[:, count:]
            yield track.sound(fresh[:, :count], expected)


def _forget(track: Track) -> None:
    track._expected = torch.empty(0)


def measure(s3gen: Any, variant: Variant, seeds: range, count: int) -> None:
    print(f"\n{variant.name}: {len(seeds)} clauses of {count} tokens")
    clauses = [Clause(s3gen, variant, seed, count) for seed in seeds]
    wholes = [clause.at_once() for clause in clauses]
    for name, how in WAYS.items():
        jumps, bends, levels = [], [], []
        for clause, one in zip(clauses, wholes, strict=True):
            made = [block.numpy() for block in clause.blocks(how)]
            sound, joints = np.concatenate(made), np.cumsum([len(block) for block in made])[:-1]
            jump, bend = np.abs(np.diff(sound)), np.abs(np.diff(sound, n=2))
            usual = np.quantile(np.abs(np.diff(one)), 0.999)
            bent = np.quantile(np.abs(np.diff(one, n=2)), 0.999)
            for at in joints:
                jumps.append(jump[at - 1] / usual)
                bends.append(bend[at - 2 : at].max() / bent)
                after, before = sound[at : at + 480].std(), sound[at - 480 : at].std()
                levels.append(abs(20 * np.log10((after + 1e-9) / (before + 1e-9))))
        print(
            f"| {name} | {np.median(jumps):.2f} | {max(jumps):.2f} | {np.mean(np.array(jumps) > 1):.0%} "
            f"| {np.median(bends):.2f} | {max(bends):.2f} | {np.median(levels):.1f} dB |",
            flush=True,
        )


def main() -> None:
    torch.set_num_threads(1)
    if "whole" in sys.argv[1:]:
        measure(whole(TURBO), TURBO, range(1, 3), 110)
    else:
        measure(small(TURBO), TURBO, range(1, 21), 200)
        measure(small(ORIGINAL), ORIGINAL, range(1, 11), 200)


if __name__ == "__main__":
    main()
