"""The one table of phrases: what the recogniser listens for is what the responder answers.

`grammar()` is the table as JSGF for the recogniser's second decoder. Phrases with free text ("repeat
after me …", "my name is …", "spell …") are not in it: their words must come from the language model.
"""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from ultraandchat.engines.skills.pattern import Node, parse, regex

RULES: Mapping[str, str] = MappingProxyType(
    {
        "digit": "one | two | three | four | five | six | seven | eight | nine",
        "teen": "ten | eleven | twelve | thirteen | fourteen | fifteen | sixteen | seventeen"
        " | eighteen | nineteen",
        "tens": "twenty | thirty | forty | fifty | sixty | seventy | eighty | ninety",
        "number": "zero | <digit> | <teen> | <tens> [<digit>] | (a | one) hundred",
        "length": "meter | meters | foot | feet | step | steps",
        "duration": "second | seconds | minute | minutes | hour | hours",
        "operator": "plus | minus | times | multiplied by | divided by",
    }
)
"""What several phrases share. `<number>` is a slot: the responder takes it as digits too."""

PHRASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "time": ("what time is it [now]", "what is the time [now]", "tell me the time"),
        "day": ("what day is it [today]", "what day is today"),
        "date": ("what is the date [today]", "what is today's date", "tell me the date"),
        "arithmetic": ("(what is | how much is) <number> <operator> <number>",),
        "timer": (
            "set a timer for <number> <duration>",
            "set a timer for (a minute | an hour | half an hour)",
        ),
        "cancel": ("cancel (the | my) timer", "cancel (all | the | my) timers", "stop the timer"),
        "coin": ("(flip | toss) a coin",),
        "dice": ("roll (a | the) (die | dice)", "roll two dice"),
        "joke": ("tell me (a | another) joke", "another joke"),
        "help": ("what can you do",),
        "who": ("who are you", "what are you", "what is your name"),
        "said": ("what did i say",),
        "again": ("say that again", "repeat that", "what did you say"),
        "my name": ("what is my name", "who am i"),
        "forward": ("go forward [<number> <length>]",),
        "back": ("go (back | backward) [<number> <length>]",),
        "turn": ("turn (left | right | around)",),
        "stop": ("stop", "stop talking", "be quiet"),
        "louder": ("[speak] louder",),
        "quieter": ("[speak] quieter",),
        "slower": ("[speak] slower",),
        "faster": ("[speak] faster",),
        "how are you": ("how are you [today | doing]",),
        "hello": ("hello",),
        "goodbye": ("goodbye",),
        "thanks": ("thank you [very much]",),
        "yes": ("yes",),
        "no": ("no",),
    }
)
"""Skill → its phrases."""

OTHERWISE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "time": ("what is the time right now", "time", "do you know what time it is"),
        "day": ("which day is it [today]", "what day of the week is it"),
        "date": ("what date is it [today]", "what is today", "what is the date today"),
        "timer": (
            "(set | start) [a] timer for <number> <duration> [and] <number> <duration>",
            "(set | start) [a] <number> <duration> timer",
            "start a timer for <number> <duration>",
            "timer [for] <number> <duration>",
            "(set | start) a timer",
            "wake me in <number> <duration>",
        ),
        "cancel": ("cancel timer", "stop (all | my) timers", "cancel all [of] my timers"),
        "coin": ("heads or tails",),
        "dice": ("roll dice", "throw (a | the) (die | dice)"),
        "joke": ("tell me something funny", "do you know (a | any) (joke | jokes)", "joke"),
        "help": ("what can i (say | ask) [you]", "help", "what do you know"),
        "who": ("tell me about yourself", "what is this", "are you [a] (human | robot)"),
        "said": ("what was my question", "what have i said"),
        "again": ("repeat [it]", "pardon", "i did not hear you"),
        "my name": ("do you know my name", "what am i called"),
        "forward": ("(move | walk | drive) forward [<number> <length>]",),
        "back": ("(move | walk | drive) (back | backward) [<number> <length>]", "go backwards"),
        "turn": ("go (left | right)",),
        "stop": ("stop it", "shut up", "silence", "enough", "quiet"),
        "louder": ("volume up", "turn up the volume", "turn it up", "(a bit | much) louder"),
        "quieter": ("volume down", "turn down the volume", "turn it down", "softer"),
        "slower": ("slow down", "(speak | talk) more slowly", "talk slower"),
        "faster": ("speed up", "(speak | talk) more quickly", "talk faster"),
        "how are you": ("how do you do", "how is it going", "are you well"),
        "hello": ("hi [there]", "hello there", "good (morning | afternoon | evening)"),
        "goodbye": ("bye [bye]", "good night", "see you [later]"),
        "thanks": ("thanks [a lot]", "thank you so much"),
        "yes": ("yeah", "sure"),
        "no": ("nope", "no thank you"),
    }
)
"""More ways to say the same, understood where the words come from a keyboard or a language model.
They stay out of the grammar: every phrase in it is one more that noise can be mistaken for."""


@cache
def tree(text: str) -> Node:
    """A pattern of the table, parsed once."""
    return parse(text)


@cache
def grammar() -> str:
    """All phrases as JSGF. No "please": as an optional last word it swallowed noise, and words that
    were no phrase at all scored up to 0.72 with it."""
    lines = ["#JSGF V1.0;", "grammar skills;"]
    lines += [f"<{name}> = {body};" for name, body in RULES.items()]
    names = []
    for skill, phrases in PHRASES.items():
        name = "skill_" + skill.replace(" ", "_")
        names.append(f"<{name}>")
        lines.append(f"<{name}> = {' | '.join(phrases)};")
    lines.append(f"public <skills> = {' | '.join(names)};")
    return "\n".join(lines) + "\n"


def is_complete(text: str) -> bool:
    """Whether `text` is a whole phrase of the grammar, not a path the recogniser left half-way."""
    return _whole().fullmatch(" ".join(text.lower().split()) + " ") is not None


@cache
def words() -> frozenset[str]:
    """Every word of the grammar."""
    return frozenset(re.findall(r"[a-z']+", re.sub(r"<\w+>", " ", _bodies())))


def _bodies() -> str:
    phrases = (phrase for patterns in PHRASES.values() for phrase in patterns)
    return " ".join([*RULES.values(), *phrases])


@cache
def _whole() -> re.Pattern[str]:
    phrases = (phrase for patterns in PHRASES.values() for phrase in patterns)
    options = "|".join(regex(tree(phrase), _rule) for phrase in phrases)
    return re.compile(f"(?:{options})")


def _rule(name: str) -> str:
    return regex(tree(RULES[name]), _rule)
