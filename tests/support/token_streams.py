"""Streams of speech tokens as T3 writes them, made: nobody here has its weights. Deterministic.

`python -m tests.support.token_streams` writes them to tests/data/tokens, where README.md says what they are.
Healthy ones last as long as the real clips in tests/data/speech, 25 tokens in a second, with the silence before
and behind their words and pauses at their commas; which token it is is drawn at random, as is its entropy.
"""

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

from ultraandchat.engines.chatterbox.roles import Token
from ultraandchat.engines.chatterbox.variants import SILENCE_TOKEN, SPEECH_TOKENS, STOP_TOKEN

FOLDER = Path(__file__).parents[1] / "data" / "tokens"
SPEECH = Path(__file__).parents[1] / "data" / "speech"

LETTERS_PER_TOKEN = 2
"""Of a made tokenizer, about that of the original release."""

TEXT = (
    "The weather will be fine tomorrow, and the day after that it may rain a little in the north."
)


@dataclass
class Stream:
    """One utterance."""

    name: str
    text: str
    text_tokens: int
    fault: str
    """The reason that a guard should give; empty: none, it is healthy."""
    bad_from: int
    """The first token that is not the text; of healthy ones their number."""
    numbers: list[int] = field(default_factory=list)
    entropies: list[float] = field(default_factory=list)
    positions: list[float] | None = None

    def tokens(self) -> list[Token]:
        places: Iterable[float | None] = self.positions or [None] * len(self.numbers)
        return [Token(*each) for each in zip(self.numbers, self.entropies, places, strict=True)]


class Maker:
    """Appends to one stream."""

    def __init__(self, name: str, text: str, *, placed: bool, fault: str = "") -> None:
        self.draw = random.Random(name)
        self.text_tokens = max(2, len(text) // LETTERS_PER_TOKEN)
        self.stream = Stream(name, text, self.text_tokens, fault, 0)
        self.stream.positions = [] if placed else None

    def add(self, number: int, place: float, entropy: float | None = None) -> None:
        """`place`: 0…1 of the text."""
        stream = self.stream
        stream.numbers.append(number)
        if entropy is None:
            entropy = 0.3 if number == SILENCE_TOKEN else max(0.1, self.draw.gauss(2.8, 0.7))
        stream.entropies.append(round(entropy, 2))
        if stream.positions is not None:
            at = place * (self.text_tokens - 1) + self.draw.choice((-1, 0, 0, 0, 1))
            stream.positions.append(float(min(max(round(at), 0), self.text_tokens - 1)))

    def silence(self, count: int, place: float) -> None:
        for _ in range(count):
            self.add(SILENCE_TOKEN, place)

    def speech(self, count: int, begin: float, end: float, entropy: float | None = None) -> None:
        """A vowel is held now and then, for two or three tokens."""
        number = self.draw.randrange(SPEECH_TOKENS)
        for at in range(count):
            if self.draw.random() > 0.12:
                number = self.draw.randrange(SPEECH_TOKENS)
            self.add(number, begin + (end - begin) * (at + 1) / count, entropy)

    def text(self, count: int, begin: float = 0.0, end: float = 1.0) -> None:
        """From one part of the text to another in `count` tokens, with a pause of some tokens at each comma."""
        text = self.stream.text
        commas = [at / len(text) for at, one in enumerate(text[:-1]) if one in ",.?!"]
        marks = [begin, *(at for at in commas if begin < at < end), end]
        pause = min(8, count // (4 * len(marks)))
        spoken = count - pause * (len(marks) - 2)
        for one, two in pairwise(marks):
            if one != begin:
                self.silence(pause, one)
            self.speech(round(spoken * (two - one) / (end - begin)), one, two)

    def bad(self) -> None:
        """What follows is not the text."""
        self.stream.bad_from = len(self.stream.numbers)

    def done(self, *, stop: bool) -> Stream:
        if not self.stream.fault:
            self.bad()
        if stop:
            self.add(STOP_TOKEN, 1.0, 0.5)
        return self.stream


def spoken(name: str, text: str, seconds: float, *, placed: bool) -> Stream:
    """A healthy clause: some silence, the words in `seconds`, some silence."""
    maker = Maker(name, text, placed=placed)
    maker.silence(5, 0.0)
    maker.text(round(seconds * 25))
    maker.silence(4, 1.0)
    return maker.done(stop=True)


def of_clips() -> list[Stream]:
    """Healthy: as long as the real clips' words, with a position and without."""
    transcripts = json.loads((SPEECH / "transcripts.json").read_text())
    bounds = json.loads((SPEECH / "bounds.json").read_text())["clips"]
    made = []
    for file, about in sorted(transcripts.items()):
        clip = file.removesuffix(".wav")
        seconds = bounds[clip]["end_s"] - bounds[clip]["start_s"]
        for placed in (True, False):
            name = f"healthy_{clip}" + ("" if placed else "_unplaced")
            made.append(spoken(name, about["transcript"], seconds, placed=placed))
    return made


def _special(placed: bool) -> list[Stream]:
    """Healthy, and easily mistaken."""
    end = "" if placed else "_unplaced"
    slow = spoken(f"healthy_slow{end}", TEXT, len(TEXT) / 10, placed=placed)

    laugh = Maker(
        f"healthy_laugh{end}", "[laugh] That is the best one so far, I think.", placed=placed
    )
    laugh.silence(4, 0.0)
    for _ in range(5):  # ha ha ha
        for number in (101, 2202, 303, 4404, 505, 1606):
            laugh.add(number, 0.05)
        laugh.speech(1, 0.05, 0.05)
    laugh.text(68, 0.15)
    laugh.silence(5, 1.0)

    no = Maker(f"healthy_no_no_no{end}", "No, no, no, no, I did not mean that one.", placed=placed)
    no.silence(4, 0.0)
    for at in range(4):
        for number in (11, 222, 3333, 44, 555, 666, 77):
            no.add(number, at / 11)
        no.silence(4, at / 11)
    no.text(44, 0.4)
    no.silence(5, 1.0)

    pause = Maker(f"healthy_pause{end}", "Wait for it. Now you may open your eyes.", placed=placed)
    pause.silence(3, 0.0)
    pause.speech(20, 0.0, 0.3)
    pause.silence(29, 0.3)  # the president's longest
    pause.speech(42, 0.3, 1.0)
    pause.silence(4, 1.0)
    return [slow, *(each.done(stop=True) for each in (laugh, no, pause))]


def _troubled_positions() -> list[Stream]:
    """Healthy tokens, and positions that are wrong: now and then, or all of them."""
    some = spoken("healthy_wrong_positions", TEXT, 6.0, placed=True)
    noise = spoken("healthy_noise_positions", TEXT, 6.0, placed=True)
    draw = random.Random("positions")
    assert some.positions is not None
    assert noise.positions is not None
    for at in range(len(some.positions)):
        if draw.random() < 0.15:
            some.positions[at] = float(draw.randrange(some.text_tokens))
        noise.positions[at] = float(draw.randrange(noise.text_tokens))
    return [some, noise]


def _begun(name: str, fault: str, *, placed: bool, part: float = 1.0, text: str = TEXT) -> Maker:
    maker = Maker(name, text, placed=placed, fault=fault)
    maker.silence(5, 0.0)
    if part:
        maker.text(round(len(text) / 15 * 25 * part), 0.0, part)
    maker.bad()
    return maker


def _faults() -> list[Stream]:
    made: list[Maker] = []

    def fault(
        name: str, reason: str, *, placed: bool, part: float = 1.0, text: str = TEXT
    ) -> Maker:
        made.append(_begun(name, reason, placed=placed, part=part, text=text))
        return made[-1]

    fault("runaway_unplaced", "runaway", placed=False).speech(400, 1.0, 1.0)
    for placed in (True, False):
        end = "" if placed else "_unplaced"
        one = fault(f"loop_one_token{end}", "loop", placed=placed, part=0.5)
        for _ in range(60):
            one.add(1234, 0.5)
        cycle = fault(f"loop_of_seven{end}", "loop", placed=placed, part=0.5)
        for at in range(70):
            cycle.add(100 + at % 7, 0.5)
        nearly = fault(f"loop_nearly{end}", "loop", placed=placed, part=0.5)
        for at in range(200):
            wrong = nearly.draw.random() < 0.08
            nearly.add(nearly.draw.randrange(SPEECH_TOKENS) if wrong else 100 + at % 18, 0.5)
        fault(f"silence{end}", "silence", placed=placed, part=0.5).silence(80, 0.5)
    fault("tail", "tail", placed=True).speech(150, 1.0, 1.0)
    back = fault("tail_from_the_beginning", "tail", placed=True)
    back.speech(100, 0.0, 0.6)
    pause = fault("tail_after_a_pause_unplaced", "tail", placed=False)
    pause.silence(45, 1.0)
    pause.speech(100, 1.0, 1.0)
    lost = fault("tail_of_high_entropy_unplaced", "tail", placed=False)
    lost.speech(150, 1.0, 1.0, entropy=6.5)
    fault("tail_of_silence", "tail", placed=True).silence(100, 1.0)
    fault("dropped_at_once_unplaced", "dropped", placed=False, part=0.3)
    fault("dropped_half", "dropped", placed=True, part=0.5)
    jump = fault("dropped_the_middle", "dropped", placed=True, part=0.3)
    jump.speech(60, 0.7, 1.0)
    fault("loop_says_a_part_again", "loop", placed=True, part=0.6).speech(90, 0.2, 1.0)
    fault("dropped_begins_at_the_end", "dropped", placed=True, part=0.0).speech(40, 0.8, 1.0)
    fault("gibberish_hi_unplaced", "gibberish", placed=False, text="Hi!").speech(80, 1.0, 1.0)
    stopped = (
        "loop_says_a_part_again",
        "dropped_begins_at_the_end",
        "dropped_at_once_unplaced",
        "dropped_half",
        "dropped_the_middle",
    )
    return [each.done(stop=each.stream.name in stopped) for each in made]


def made() -> list[Stream]:
    """All of them."""
    return [*of_clips(), *_special(True), *_special(False), *_troubled_positions(), *_faults()]


def read(name: str) -> Stream:
    return Stream(**json.loads((FOLDER / f"{name}.json").read_text()))


def stored() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def as_text(stream: Stream) -> str:
    return json.dumps(asdict(stream), ensure_ascii=False, separators=(",", ":")) + "\n"


def write(tell: Callable[[str], None]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for stream in made():
        (FOLDER / f"{stream.name}.json").write_text(as_text(stream))
        tell(stream.name)


if __name__ == "__main__":
    write(print)
