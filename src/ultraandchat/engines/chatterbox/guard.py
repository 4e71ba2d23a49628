"""Listens to a clause while its speech tokens are written, and says when they are not its text any more.

Pure: a token goes in, a verdict comes out. What is in doubt is not `cleared`, and what is not cleared is not
made into sound; so all that a verdict throws away was never heard. No threshold here was tried with real
weights; each says where it comes from, and docs/decisions/0032-what-the-guard-knows.md which false alarms
were thought of.
"""

import math
from enum import Enum
from typing import Final, Literal, NamedTuple, TypeAlias

from ultraandchat.engines.chatterbox.habit import Habit
from ultraandchat.engines.chatterbox.pace import SLOWEST, pace
from ultraandchat.engines.chatterbox.repeats import Repeats
from ultraandchat.engines.chatterbox.roles import Token
from ultraandchat.engines.chatterbox.track import Track
from ultraandchat.engines.chatterbox.variants import SILENCE_TOKEN, STOP_TOKEN, TOKEN_RATE

Reason: TypeAlias = Literal["", "runaway", "loop", "tail", "dropped", "silence", "gibberish"]

SILENCE = 50
"""Tokens, 2 s. The longest pause of the clips in tests/data/speech is a president's, 29; of those that are
read it is 14."""
PAUSE = 15
"""Tokens of silence, 0.6 s, that are cleared before it is known what follows."""
BREATH = 3
"""Tokens of silence that are kept behind the last word, as Turbo adds them itself."""

OVERTIME = 1.15
"""Times the usual length. Where no position is known, beyond it are a pause and a rise of entropy signs that
the text is over. Of the clips only the president's is longer, 1.26 times."""
OVERTIME_PAUSE = 8
"""Tokens of silence, 0.3 s, for which the text has no mark: one of these signs."""
LATE, LATE_PAUSE = 0.9, 16
"""From so much of the usual length on a longer one, 0.6 s, is a sign: no clip that is read has it."""
ENTROPY_OF, ENTROPY_MORE = 12, 1.5
"""The other: the mean of so many tokens is so many nats above the mean of those before. Judgement."""

LAST_TOKENS = 2
"""Text tokens from the end at which the text is as good as said: a mark, and the last word or a part of it. (The
package takes 3, with the mark of the end among them.)"""
LAST_MORE = 10
"""Tokens, 0.4 s, that the last word may take beyond a slow speaker's time for it."""
QUIET = 5
"""Tokens of silence, 0.2 s, behind the last word: longer than any consonant is shut."""
HELD = 8
"""Tokens that a text which is over waits for `STOP_TOKEN`, unheard."""
END_SILENCE = 20
"""Tokens of silence behind the text, 0.8 s: so long it is waited for."""

SKIPPED_LETTERS = 18.0
"""A jump over so much of the text is heard: three words."""
MISSING = 0.25
"""Of the text: nearer to its end the place may be when the clause stops. Attention may stay on a word."""


class Do(Enum):
    """What to do about a token."""

    GO = "go"
    """Write on; or, at `STOP_TOKEN`, that was all of it."""
    END = "end"
    """The text is said: stop writing, and leave out what follows `keep`."""
    RESPEAK = "respeak"
    """This is not the text: say it again otherwise, or where it has been heard the rest."""


class Verdict(NamedTuple):
    do: Do
    reason: Reason = ""
    keep: int = 0
    """Tokens, from the clause's first, that may be made into sound. Never fewer than were cleared."""
    place: float | None = None
    """Text token up to which the kept sound has said the text, where that is known."""


GO: Final = Verdict(Do.GO)


class Guard:
    """One clause's. After a verdict that is not `GO` it is not asked again."""

    def __init__(self, text: str, text_tokens: int, habit: Habit | None = None) -> None:
        """`text` as the tokenizer was given it, and how many tokens it made of it. `habit`: what is known of
        the voice; clauses that go well are added to it."""
        self._habit = habit
        self._told = pace(text)
        self.pace = self._told if habit is None else habit.expect(self._told)
        self._repeats = Repeats(times=self.pace.repeats)
        self._track = Track(text_tokens, self.pace.letters)
        self._text_tokens = text_tokens
        self._letters_each = self.pace.letters / max(text_tokens, 1)
        last = min(LAST_TOKENS, text_tokens) * self._letters_each / SLOWEST
        self._last_word = math.ceil(last * TOKEN_RATE) + LAST_MORE
        self._count = 0
        self._silent = 0
        self._pauses = 0
        """Of `OVERTIME_PAUSE` and more, so far."""
        self._entropies: list[float] = []
        self._said_at: int | None = None
        """Token at which the place came to the end of the text."""
        self._quiet_at: int | None = None
        """Token from which it was quiet after that."""
        self._cleared = 0

    @property
    def cleared(self) -> int:
        """Tokens, from the clause's first, that are beyond doubt. Only grows."""
        return self._cleared

    def saw(self, token: Token) -> Verdict:
        """The next token of the writer. The last one is `STOP_TOKEN`, and then what is good is cleared."""
        if token.number == STOP_TOKEN:
            return self._stopped()
        self._count += 1
        self._silent = self._silent + 1 if token.number == SILENCE_TOKEN else 0
        if self._silent == OVERTIME_PAUSE < self._count:
            self._pauses += 1
        self._entropies.append(token.entropy if math.isfinite(token.entropy) else 0.0)
        before = self._track.place or 0.0
        jumped = self._track.saw(token.position, silent=self._silent > 0)
        circle, surely = self._repeats.saw(token.number)
        verdict = self._jumped(jumped, before)
        if verdict is GO and circle:
            verdict = self._over("loop", surely)
        if verdict is GO:
            self._look_for_the_end()
            verdict = self._silence()
        if verdict is GO:
            verdict = self._tail()
        if verdict is GO and self._count >= self.pace.most:
            verdict = self.ran_out()
        if verdict is GO:
            self._clear(surely)
        return verdict

    def ran_out(self) -> Verdict:
        """No token may follow, and none was `STOP_TOKEN`."""
        if self.pace.short:
            keep = min(self.pace.usual + LAST_MORE, self._count)
            return Verdict(Do.RESPEAK, "gibberish", keep)
        return self._over("runaway", self.pace.usual)

    def _stopped(self) -> Verdict:
        if self._count < self.pace.least or self._place_is_early():
            return Verdict(Do.RESPEAK, "dropped", self._count, self._track.place)
        # Nobody waits for the end of a silence.
        spoken = self._count - max(0, self._silent - BREATH)
        self._cleared = max(self._cleared, spoken)
        if self._habit is not None:
            self._habit.learn(self._told, spoken)
        return GO

    def _place_is_early(self) -> bool:
        place = self._track.place
        if place is None or self.pace.short or self._said_at is not None:
            return False
        return place < (1 - MISSING) * self._text_tokens - LAST_TOKENS

    def _jumped(self, jumped: float, before: float) -> Verdict:
        if abs(jumped) * self._letters_each < SKIPPED_LETTERS:
            return GO
        if jumped > 0:
            return self._over("dropped", self._track.since, before)
        return self._over("loop" if self._said_at is None else "tail", self._track.since, before)

    def _look_for_the_end(self) -> None:
        place, few = self._track.place, self._text_tokens < 5
        if self._said_at is None and place is not None:
            end = self._text_tokens - (1 if few else LAST_TOKENS)
            # Before a text can have been said attention only looks ahead.
            if place >= end and self._count >= self.pace.least:
                self._said_at = self._count
        elif self._said_at is not None and self._quiet_at is None and self._silent >= QUIET:
            self._quiet_at = self._count - self._silent

    def _silence(self) -> Verdict:
        spoken = self._count - self._silent + BREATH
        if self._said_at is not None and self._silent >= END_SILENCE:
            return self._over("tail", spoken)
        return self._over("silence", spoken) if self._silent >= SILENCE else GO

    def _tail(self) -> Verdict:
        """Whether the text is over, and this is something else."""
        if self._said_at is not None:
            over = self._count >= self._last_heard() + HELD
            return self._over("tail", self._last_heard()) if over and not self._silent else GO
        if self._track.place is not None:
            return GO
        if self._has_paused():
            return self._over("tail", self._count - self._silent + BREATH)
        lost = self._count >= OVERTIME * self.pace.usual and self._is_lost()
        return self._over("tail", self._count - ENTROPY_OF) if lost else GO

    def _has_paused(self) -> bool:
        """Whether there is a silence now for which the text has no reason, but that it is over."""
        if self._pauses <= self.pace.pauses:
            return False
        spoken = self._count - self._silent
        if self._silent >= LATE_PAUSE and spoken >= LATE * self.pace.usual:
            return True
        return self._silent >= OVERTIME_PAUSE and spoken >= OVERTIME * self.pace.usual

    def _last_heard(self) -> int:
        """Of a text that is said: tokens until its last word has surely died away."""
        assert self._said_at is not None
        if self._quiet_at is not None:
            return self._quiet_at + BREATH
        return self._said_at + self._last_word

    def _is_lost(self) -> bool:
        """Whether it knows less well what comes next than it did."""
        last, before = self._entropies[-ENTROPY_OF:], self._entropies[:-ENTROPY_OF]
        if len(before) < ENTROPY_OF:
            return False
        return sum(last) / len(last) > sum(before) / len(before) + ENTROPY_MORE

    def _over(self, reason: Reason, keep: int, place: float | None = None) -> Verdict:
        """Stop here: the text is said by `keep`, or it is not."""
        keep = min(max(keep, self._cleared), self._count)
        if self._said_at is not None:
            said = keep >= self._said_at
        else:
            said = self._track.place is None and keep >= LATE * self.pace.usual
        if said and keep >= self.pace.least:
            return Verdict(Do.END, reason, keep)
        return Verdict(Do.RESPEAK, reason, keep, self._track.place if place is None else place)

    def _clear(self, surely: int) -> None:
        if self.pace.short:
            return  # all of it, once it has ended: it is soon written
        good = min(surely, self._track.sure)
        if self._said_at is not None:
            good = min(good, self._last_heard())
        elif self._track.place is None and self._count >= OVERTIME * self.pace.usual:
            good = min(good, self._count - ENTROPY_OF)
        if self._silent > PAUSE:
            good = min(good, self._count - self._silent + PAUSE)
        self._cleared = max(self._cleared, good)
