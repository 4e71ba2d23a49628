"""How many words the offline recogniser gets wrong, for each clip and each way it has of hearing.

    python -m bench.words [--runs 3] [--clips goforward yes]

Every run hears each clip as another microphone and another moment would give it: begun up to 32 ms
earlier or later, in its own noise of −65 dBFS, for a recogniser's text hangs on such things. All clips have been
used to choose its settings, so other voices will fare worse.
"""

import argparse
import asyncio
import json
import re
import time
import wave
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from ultraandchat.audio.frame import Pcm16, Samples, from_pcm16, to_pcm16
from ultraandchat.audio.level import utterance_gain
from ultraandchat.engines.settings import SphinxSettings
from ultraandchat.engines.skills.grammar import grammar, is_complete
from ultraandchat.engines.sphinx import MODELS, FinalWorker
from ultraandchat.engines.sphinx_captions import PIECE
from ultraandchat.engines.worker import Worker, WorkerSpec, open_worker

SPEECH = Path(__file__).parents[1] / "tests" / "data" / "speech"
NOISE_DBFS = -65.0
SHIFT = 512
"""Samples: one window, by which a clip's beginning moves from run to run at most."""

WAYS = ("second pass", "stream, first utterance", "stream, second utterance")


@dataclass
class Found:
    """What became of one clip over all runs."""

    words: int
    wrong: dict[str, list[int]] = field(default_factory=lambda: {way: [] for way in WAYS})
    grammar: Counter[str] = field(default_factory=Counter)
    scores: list[float] = field(default_factory=list)
    second_pass_s: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Workers:
    """The two processes of the recogniser."""

    stream: Worker
    final: FinalWorker


def said(text: str) -> list[str]:
    """Words to be compared: no case, no punctuation, "Mr" as it is spoken."""
    return re.findall(r"[a-z']+", re.sub(r"\bmr\b\.?", "mister", text.lower()))


def wrong_words(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Words put in, left out or taken for others (Levenshtein distance)."""
    row = list(range(len(heard) + 1))
    for count, word in enumerate(reference, 1):
        diagonal, row[0] = row[0], count
        for place, other in enumerate(heard, 1):
            change = diagonal + (word != other)
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, change)
    return row[-1]


def clip(name: str, random: np.random.Generator) -> Samples:
    """The clip as this run hears it."""
    with wave.open(str(SPEECH / name)) as file:
        samples = from_pcm16(np.frombuffer(file.readframes(file.getnframes()), np.int16))
    samples = np.pad(samples, (int(random.integers(SHIFT)), SHIFT))
    noise = random.standard_normal(len(samples)) * 10 ** (NOISE_DBFS / 20)
    return (samples + noise).astype(np.float32)


async def streamed(worker: Worker, pcm: Pcm16, mean: str) -> tuple[str, str]:
    """The words of one utterance as captions get them, and the mean for the next."""
    await worker.ask("begin", 0, mean)
    for start in range(0, len(pcm), PIECE):
        await worker.ask("feed", 0, pcm[start : start + PIECE])
    text, mean = await worker.ask("finish", 0)
    return text, mean


async def hear(found: Found, reference: list[str], samples: Samples, workers: Workers) -> None:
    """One run of one clip, each way."""
    raw, utterance = to_pcm16(samples), to_pcm16(samples * np.float32(utterance_gain(samples)))

    def note(text: str, score: float) -> bool:
        whole = score >= SphinxSettings().grammar_threshold and is_complete(text)
        right = said(text) == reference
        found.grammar["right" if whole and right else "WRONG" if whole else "refused"] += 1
        found.scores.append(score)
        return False  # so that the second pass is heard, too

    began = time.perf_counter()
    second = await workers.final.find(utterance, note)
    found.second_pass_s.append(time.perf_counter() - began)
    first, mean = await streamed(workers.stream, raw, "")
    again, _ = await streamed(workers.stream, raw, mean)
    for way, text in zip(WAYS, (second.text, first, again), strict=True):
        found.wrong[way].append(wrong_words(reference, said(text)))


async def measure(names: Sequence[str], runs: int) -> dict[str, Found]:
    known = json.loads((SPEECH / "transcripts.json").read_text(encoding="utf-8"))
    references = {name: said(known[name]["transcript"]) for name in names}
    results = {name: Found(len(reference)) for name, reference in references.items()}
    stream = WorkerSpec("stream", f"{MODELS}:open_stream_model")
    final = WorkerSpec("final", f"{MODELS}:open_final_model", {"jsgf": grammar()})
    async with open_worker(stream) as streaming, open_worker(final) as finding:
        workers = Workers(streaming, FinalWorker(finding))
        for run in range(runs):
            for number, (name, found) in enumerate(results.items()):
                samples = clip(name, np.random.default_rng([run, number]))
                await hear(found, references[name], samples, workers)
    return results


def table(results: dict[str, Found], runs: int) -> Table:
    made = Table(title=f"Words wrong over {runs} runs of each clip (best–worst run, of its words)")
    for title in ("clip", "words", "grammar", "score"):
        made.add_column(title, justify="left" if title == "clip" else "right")
    for way in WAYS:
        made.add_column(way, justify="right")
    made.add_column("second pass takes", justify="right")
    for name, found in results.items():
        spans = (span(found.wrong[way]) for way in WAYS)
        told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(found.grammar.items()))
        scores = f"{min(found.scores):.2f}–{max(found.scores):.2f}"
        slow = f"{np.median(found.second_pass_s):.1f} s"
        made.add_row(name.removesuffix(".wav"), str(found.words), told, scores, *spans, slow)
    made.add_section()
    every = results.values()
    words = runs * sum(found.words for found in every)
    totals = (sum(sum(found.wrong[way]) for found in every) for way in WAYS)
    verdicts = sum((found.grammar for found in every), Counter[str]())
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    rates = (f"{total} of {words} = {total / words:.2f}" for total in totals)
    made.add_row("all runs", str(words), told, "", *rates, "")
    return made


def span(counts: Iterable[int]) -> str:
    least, *_, most = sorted([*counts] * 2)
    return str(least) if least == most else f"{least}–{most}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--clips", nargs="+", metavar="NAME", help="without .wav; all by default")
    chosen = parser.parse_args()
    every = sorted(path.name for path in SPEECH.glob("*.wav"))
    names = [f"{name}.wav" for name in chosen.clips] if chosen.clips else every
    if unknown := sorted(set(names) - set(every)):
        parser.error(f"no such clip: {', '.join(unknown)}")
    results = asyncio.run(measure(names, max(chosen.runs, 1)))
    Console(width=150).print(table(results, max(chosen.runs, 1)))


if __name__ == "__main__":
    main()
