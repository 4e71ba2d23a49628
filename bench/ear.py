"""What a person at the page would hear, written down by the page itself, whichever way the sound comes.

`EAR` is a script for before the page's own. It listens to whatever the page's audio elements are given, 50
times a second, and notes the click on "Start talking" and every change of the path. With the scripted voice's
rising tone (`VOICE`) each note also says which part of the reply it is of. Instants are the page's
clock in ms since 1970, so that they compare across a reload.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

TONE_HZ, RISE_HZ_PER_S = 400, 100
LOUD_DBFS = -40.0
"""The voice has −12, a browser's comfort noise less than −60."""
FULL_DBFS = -13.0
"""Below it the voice begins, ends or fades, and the frequency says nothing certain."""

EAR = """() => {
  const ear = (window.ear = { clicked: 0, paths: [], notes: JSON.parse(sessionStorage.ear ?? "[]") });
  addEventListener("pagehide", () => {
    sessionStorage.ear = JSON.stringify(ear.notes.slice(-3000)); // a minute's: a reload goes on with them
  });
  const now = () => performance.timeOrigin + performance.now();
  addEventListener("click", ({ target }) => {
    if (target.id === "start") ear.clicked ||= now();
  }, true);
  new MutationObserver(() => {
    const path = document.documentElement?.dataset.path ?? "";
    if (path !== (ear.paths.at(-1)?.path ?? "")) ear.paths.push({ path, at: now() });
  }).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-path"] });

  let context, analyser, samples, spectrum;
  const sources = new WeakMap(); // one for each element: there may be two that play
  const listen = (element, stream) => {
    context ??= new AudioContext({ sampleRate: 48000 });
    if (!analyser) {
      analyser = new AnalyserNode(context, { fftSize: 2048, smoothingTimeConstant: 0 });
      samples = new Float32Array(1024);
      spectrum = new Float32Array(analyser.frequencyBinCount);
      setInterval(note, 20);
    }
    sources.get(element)?.disconnect();
    sources.delete(element);
    if (!stream) return;
    sources.set(element, context.createMediaStreamSource(stream));
    sources.get(element).connect(analyser);
  };
  const note = () => {
    analyser.getFloatTimeDomainData(samples);
    analyser.getFloatFrequencyData(spectrum);
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    let top = 1;
    for (let bin = 2; bin < spectrum.length - 1; bin++) if (spectrum[bin] > spectrum[top]) top = bin;
    const [left, middle, right] = spectrum.slice(top - 1, top + 2); // dB: a parabola through the peak
    const off = (left - right) / 2 / (left - 2 * middle + right);
    const hz = ((top + (Number.isFinite(off) ? off : 0)) * context.sampleRate) / analyser.fftSize;
    if (ear.notes.length < 30000) ear.notes.push([now(), 10 * Math.log10(sum / samples.length + 1e-12), hz]);
  };
  const slot = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "srcObject");
  Object.defineProperty(HTMLMediaElement.prototype, "srcObject", {
    ...slot,
    set(stream) {
      slot.set.call(this, stream);
      listen(this, stream);
    },
  });
}"""


def voice(seconds: float) -> tuple[str, ...]:
    """Settings: each reply is one clause of so long a rising tone, made at once."""
    return (
        "engines.scripted.clauses=1",
        f"engines.scripted.clause_s={seconds}",
        f"engines.scripted.tone_hz={TONE_HZ}",
        f"engines.scripted.rise_hz_per_s={RISE_HZ_PER_S}",
        "engines.scripted.first_clause_ms=0",
        "engines.scripted.first_sound_ms=0",
        "engines.scripted.speed=20",
    )


@dataclass(frozen=True)
class Note:
    at: float
    """The page's clock, s."""
    dbfs: float
    reply_s: float
    """Which second of the rising tone this is."""

    @property
    def loud(self) -> bool:
        return self.dbfs > LOUD_DBFS

    @property
    def certain(self) -> bool:
        """`reply_s` is known to ±0.03 s."""
        return self.dbfs > FULL_DBFS


@dataclass(frozen=True)
class Heard:
    """Everything that was heard, oldest first."""

    notes: tuple[Note, ...]

    @classmethod
    def of(cls, ear: dict[str, Any]) -> "Heard":
        """From the page's `window.ear`."""
        return cls(
            tuple(
                Note(at / 1000, dbfs, (hz - TONE_HZ) / RISE_HZ_PER_S)
                for at, dbfs, hz in ear["notes"]
            )
        )

    def steady(self) -> list[Note]:
        """Notes of the voice alone: what differs by more than time passed from the note before it is of
        no place in the reply, but the edge of something."""
        return [
            b
            for a, b in pairwise(self.notes)
            if a.certain and b.certain and abs(b.reply_s - a.reply_s) < b.at - a.at + 0.1
        ]

    def fresh(self) -> list[Note]:
        """Notes of what had not been heard yet. A browser makes up sound for a while where none comes; that
        is no news."""
        found: list[Note] = []
        for note in self.steady():
            if not found or note.reply_s > found[-1].reply_s + 0.005:
                found.append(note)
        return found

    def longest_gap_s(self) -> float:
        """The longest time without anything new between two pieces of the reply."""
        return max((b.at - a.at for a, b in pairwise(self.fresh())), default=0.0)

    def back_at(self, since: float) -> float:
        """When something new was heard first after this instant of the page's clock."""
        return next((note.at for note in self.fresh() if note.at >= since), float("inf"))

    def lost_s(self) -> float:
        """The longest piece in the reply, its beginning included, that was never heard."""
        places = [0.0, *sorted(note.reply_s for note in self.steady())]
        return max((b - a for a, b in pairwise(places)), default=0.0)

    def repeated_s(self) -> float:
        """How much of the reply was heard a second time, at most at once."""
        furthest, most = 0.0, 0.0
        for note in self.steady():
            most = max(most, furthest - note.reply_s)
            furthest = max(furthest, note.reply_s)
        return most

    def stood_still_s(self) -> float:
        """The longest time beside sound in which the page noted nothing, though it notes 50 times a second."""
        beside = (b.at - a.at for a, b in pairwise(self.notes) if a.loud or b.loud)
        return max(beside, default=0.0)

    def until_s(self) -> float:
        """How far the reply was heard."""
        return max((note.reply_s for note in self.steady()), default=0.0)

    def over(self, reply_s: float) -> bool:
        """A reply of so many seconds was heard to its end."""
        return self.until_s() > reply_s - 0.3 and not self.notes[-1].loud
