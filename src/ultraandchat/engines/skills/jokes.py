"""Harmless jokes, told in turn rather than by chance alone."""

import random

from ultraandchat.dialogue.history import Conversation

JOKES = (
    "Why did the scarecrow win a prize? Because he was outstanding in his field.",
    "What do you call a bear without teeth? A gummy bear.",
    "Why can a bicycle not stand on its own? Because it is two tired.",
    "What is orange and sounds like a parrot? A carrot.",
    "Why did the computer go to the doctor? It had a virus.",
    "What do you call cheese that is not yours? Nacho cheese.",
    "Why do bees have sticky hair? Because they use honeycombs.",
    "What did the ocean say to the beach? Nothing, it just waved.",
    "How does a penguin build its house? Igloos it together.",
    "Why was the math book sad? It had too many problems.",
)
_ENOUGH = 24
"""Characters by which a joke is known again, even one that was cut short."""


def joke(conversation: Conversation, rng: random.Random) -> str:
    """One that was not told in this conversation; when all were, any but the last."""
    told = [
        known
        for exchange in conversation.exchanges
        for known in JOKES
        if exchange.reply and known[:_ENOUGH].startswith(exchange.reply[:_ENOUGH])
    ]
    fresh = [known for known in JOKES if known not in told]
    return rng.choice(fresh or [known for known in JOKES if known != told[-1]])
