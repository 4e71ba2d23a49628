"""A text that is known as a whole, as it is handed to a voice: clause by clause, made speakable."""

from ultraandchat.dialogue.clauses import ClauseSplitter
from ultraandchat.dialogue.speakable import Aloud
from ultraandchat.engines.base import Manner

FIRST_CLAUSE_CHARS = 12
"""A first clause may end at a comma after this many characters: the earlier it ends, the earlier it sounds."""


def splitter(manner: Manner) -> ClauseSplitter:
    """Cuts a reply as this voice wants it."""
    return ClauseSplitter(
        first_min_chars=min(FIRST_CLAUSE_CHARS, manner.most_characters),
        max_chars=manner.most_characters,
        fewest_words=manner.fewest_words,
        language=manner.language,
    )


def sayable(text: str, manner: Manner) -> list[str]:
    """What a synthesizer is given of it, in order; clauses without anything to be said are left out."""
    cut, aloud = splitter(manner), Aloud(manner.language, manner.tags)
    clauses = (aloud.clause(clause) for clause in cut.feed(text) + cut.flush())
    return [clause for clause in clauses if clause]
