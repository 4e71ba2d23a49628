"""Which speech tokens are decoded together for the next block of a clause's sound. No torch.

S3Gen attends over all that it is given, so each block is decoded from its new tokens, some that went before
(context) and some that follow (lookahead). What is decoded depends on the tokens alone and never on when they
came: the same clause is cut the same way however fast it was written.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chunk:
    """Positions of tokens in their clause: `context` ≤ `first` < `end` ≤ `ahead`."""

    context: int
    """The first that is decoded."""
    first: int
    """The first whose sound was not made yet."""
    end: int
    """Just after the last whose sound is made."""
    ahead: int
    """Just after the last that is decoded."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a clause is cut, in tokens of 40 ms."""

    sizes: tuple[int, ...] = (10, 15, 25, 50)
    """New tokens of the first block, the second …; the last number holds for all that follow. The first is what
    the listener waits for. Each of the others must be written while the ones before it are heard, so they grow
    about as the sound in hand does; a larger block costs less, since the prompt is decoded again with each."""
    context: int = 50
    """Most tokens of context: 2 s, as much as the largest block."""
    lookahead: int = 3
    """Tokens that S3Gen's encoder sees ahead (`flow.pre_lookahead_len`)."""

    @property
    def longest(self) -> int:
        """New tokens of the longest block."""
        return max(self.sizes) + max(self.lookahead - 1, 0)

    def chunks(self) -> "Chunks":
        """Of one clause."""
        return Chunks(self)


class Chunks:
    """One clause's chunks, in order."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._number = 0
        self._done = 0

    @property
    def wanted(self) -> int:
        """Tokens of the clause that must be there for the next chunk, as long as more may come."""
        return self._done + self._size + self._plan.lookahead

    def next(self, fed: int, *, over: bool) -> Chunk | None:
        """The next chunk of `fed` tokens, or None: too few are there yet or, once it is `over`, none are left.

        At the end all that is short of a whole chunk with its lookahead is one chunk.
        """
        first = self._done
        whole = fed >= self.wanted
        if not whole and not (over and fed > first):
            return None
        end = first + self._size if whole else fed
        context = max(first - self._plan.context, 0)
        self._done, self._number = end, self._number + 1
        return Chunk(context, first, end, min(end + self._plan.lookahead, fed))

    @property
    def _size(self) -> int:
        sizes = self._plan.sizes
        return sizes[min(self._number, len(sizes) - 1)]
