"""The responder: finds the phrase, gives its answer, and says plainly what it is where it knows none.

It keeps nothing between calls: names, jokes told and questions asked are found in the conversation.
"""

import random
from collections.abc import AsyncGenerator, Callable

from ultraandchat.dialogue.actions import ChangeSpeed, ChangeVolume
from ultraandchat.dialogue.history import Conversation
from ultraandchat.engines.base import ReplyPart
from ultraandchat.engines.skills import arithmetic, clock, memory
from ultraandchat.engines.skills.jokes import joke
from ultraandchat.engines.skills.match import Match, find, normalise

ABOUT = "I am a small rule-based responder, not a language model."
_HINTS = ("what time is it", "tell me a joke", "set a timer for one minute", "what can you do")
_LONGEST_QUOTE = 12
"""Words of an unknown sentence that are said back: enough to show what was heard."""
_SMALL_TALK = frozenset({"who", "help", "how are you", "hello", "goodbye", "thanks", "yes", "no"})
"""Skills that a language model behind them answers better, and "yes" only it can understand."""
_ONLY_EXACT = frozenset({"coin", "dice", "joke", "said", "my name", "arithmetic"})
"""Skills that a language model may answer when the words are only near to theirs. The others do
something, or know the clock: a model would only pretend to."""
_FIXED: dict[str, tuple[ReplyPart, ...]] = {
    "help": (
        "I tell the time and the date, do sums, set timers, tell jokes, flip coins, roll dice, spell"
        " words, and repeat what you say. You can also ask me to speak louder or slower.",
    ),
    "who": (f"This is UltraAndChat. {ABOUT}",),
    "stop": (),
    "louder": (ChangeVolume(1.4), "Is this louder?"),
    "quieter": (ChangeVolume(0.7), "I speak more quietly now."),
    "slower": (ChangeSpeed(0.8), "I speak more slowly now."),
    "faster": (ChangeSpeed(1.25), "I speak faster now."),
    "how are you": ("I am well, thank you. How are you?",),
    "hello": ("Hello. How can I help?",),
    "goodbye": ("Goodbye.",),
    "thanks": ("You are welcome.",),
    "yes": ("All right.",),
    "no": ("All right, no.",),
}


class Skills:
    """A `TextLanguageModel` of rules."""

    def __init__(self, now: clock.Now = clock.now_in, rng: random.Random | None = None) -> None:
        self._now = now
        self._rng = rng or random.Random()

    async def answer(
        self, words: str, conversation: Conversation
    ) -> AsyncGenerator[ReplyPart, None]:
        """All of the answer at once; nothing for "stop"."""
        for part in self._answer(words, conversation):
            yield part

    def knows(self, words: str) -> bool:
        """Whether the skills should answer this even where a language model could."""
        if memory.free_text(words) is not None:
            return True
        if arithmetic.answer(normalise(words)) is not None:
            return True
        match = find(words)
        if match is None or match.skill in _SMALL_TALK:
            return False
        return match.exact or match.skill not in _ONLY_EXACT

    def _answer(self, words: str, conversation: Conversation) -> list[ReplyPart]:
        words = words.strip()
        if not any(map(str.isalnum, words)):
            return ["Sorry, I did not catch that."]
        parts = self._known(words, conversation)
        if parts is None:
            earlier = unanswered(conversation)
            if earlier:
                words = " ".join([*earlier, words])
                parts = self._known(words, conversation)
        return parts if parts is not None else [_unknown(words, len(conversation.exchanges))]

    def _known(self, words: str, conversation: Conversation) -> list[ReplyPart] | None:
        own_words = memory.free_text(words)
        if own_words is not None:
            return [own_words]
        match = find(words)
        if match is None or match.skill == "arithmetic":
            result = arithmetic.answer(normalise(words))
            return [result] if result is not None else None
        if match.skill in _FIXED:
            return list(_FIXED[match.skill])
        return self._made(match, conversation)

    def _made(self, match: Match, conversation: Conversation) -> list[ReplyPart]:
        made: dict[str, Callable[[], list[ReplyPart]]] = {
            "time": lambda: [clock.clock("time", conversation, self._now)],
            "day": lambda: [clock.clock("day", conversation, self._now)],
            "date": lambda: [clock.clock("date", conversation, self._now)],
            "timer": lambda: clock.set_timer(match.words),
            "cancel": clock.cancel_timers,
            "coin": lambda: [self._rng.choice(("Heads.", "Tails."))],
            "dice": lambda: [self._dice(match)],
            "joke": lambda: [joke(conversation, self._rng)],
            "said": lambda: [memory.said_before(conversation)],
            "again": lambda: [memory.again(conversation)],
            "my name": lambda: [memory.my_name(conversation)],
            "forward": lambda: [_moved("Going forward", match, conversation)],
            "back": lambda: [_moved("Going back", match, conversation)],
            "turn": lambda: [_moved("Turning", match, conversation)],
        }
        return made[match.skill]()

    def _dice(self, match: Match) -> str:
        first, second = self._rng.randint(1, 6), self._rng.randint(1, 6)
        if "2" in match.words:
            return f"You rolled {first} and {second}, that is {first + second}."
        return f"You rolled {first}."


def unanswered(conversation: Conversation) -> list[str]:
    """Words of the turns just before this one that got no answer: a very long turn is closed by its
    length and belongs to what is said next. A turn that wanted silence was answered by it."""
    earlier: list[str] = []
    for exchange in reversed(conversation.exchanges):
        if exchange.said is None or exchange.reply or exchange.cut_short:
            break
        match = find(exchange.words)
        if match is not None and match.skill == "stop":
            break
        if exchange.words:
            earlier.insert(0, exchange.words)
    return earlier


def _moved(doing: str, match: Match, conversation: Conversation) -> str:
    """What a robot would answer; said once in a conversation that there is none."""
    directions = [word for word in ("left", "right", "around") if word in match.words]
    number = next((at for at, word in enumerate(match.words) if word[0].isdigit()), None)
    amount = [] if number is None else list(match.words[number : number + 2])
    moved = " ".join([doing, *directions[:1], *amount]) + "."
    if any("I only pretend" in exchange.reply for exchange in conversation.exchanges):
        return moved
    return f"{moved} I only pretend, I have no wheels."


def _unknown(words: str, turn: int) -> str:
    heard = words.split()
    quote = " ".join(heard[:_LONGEST_QUOTE]) + (" and so on" if len(heard) > _LONGEST_QUOTE else "")
    return f"I heard: {quote}. {ABOUT} Try: {_HINTS[turn % len(_HINTS)]}."
