"""Markdown, HTML and code in a reply, as text. Clause by clause: what is cut in two is cleaned as far as it is seen.

Regular expressions rather than a parser of Markdown: a clause is seldom a whole document. "**Now" is
one half of its emphasis, "3. " is a list for a parser and a sentence's end for a reader.
"""

import re

_FENCE = re.compile(r"(`{3,}|^~{3,})", re.MULTILINE)
_INFO = re.compile(r"[ \t]*(?:\w[\w+#.-]*)?[ \t]*(?:\n|$)")
"""What may stand behind the mark that opens a block of code."""

_LINES = re.compile(r"[^\S\n]*[\n\r]\s*")
_MARKUP: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"<!--.*?-->", re.DOTALL), " "),
    (re.compile(r"\\[*_#`~|<>\[\]()]"), " "),
    (re.compile(r"(?<!\w)\$(?=[^\s\d$])([^$\n]{1,80}?)(?<=\S)\$(?!\w)"), r"\1"),
    (re.compile(r"\\d?t?frac\{([^{}]*)\}\{([^{}]*)\}"), r"\1/\2"),
    (re.compile(r"\\(?:text|mathrm|mathbf)\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\(?:times|cdot)\b"), " × "),
    (re.compile(r"^[ \t]*\[[^\]\[]+\]:\s*\S+.*$", re.MULTILINE), " "),
    (re.compile(r"\[\^\w+\]|(?<=[\w.,;:!?)])\s?\[\d{1,3}(?:[,–-]\s?\d{1,3})*\](?!\()"), ""),
    (re.compile(r"!?\[([^\]\[]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s[^()]*)?\)"), r"\1"),
    (re.compile(r"\[([^\]\[]+)\]\[[^\]\[]*\]"), r"\1"),
    (re.compile(r"<(https?://[^<>\s]+)>"), r"\1"),
    (re.compile(r"<br\s*/?>", re.IGNORECASE), "\n"),
    (re.compile(r"</?[a-zA-Z][^<>]*>"), " "),
    (re.compile(r"^[ \t|:-]*\|[ \t|:-]*-[ \t|:-]*$", re.MULTILINE), " "),
    (re.compile(r"^[ \t]*(?:[-*_=][ \t]*){3,}$", re.MULTILINE), " "),
    (
        re.compile(
            r"^[ \t]*(?:#{1,6}[ \t]+|>+[ \t]*|[-*+•][ \t]+(?:\[[ xX]\][ \t]+)?)+", re.MULTILINE
        ),
        "",
    ),
    (re.compile(r"^[ \t]*(\d{1,3})[.)][ \t]+", re.MULTILINE), r"\1, "),
    (re.compile(r"(?<=\d)\s?[*×x]\s?(?=\d)"), " × "),
    (re.compile(r"\*\*|__|~~|(?<!\w)[*_]+(?=\w)|(?<=[\w.,!?;:])[*_]+(?!\w)|`"), ""),
)


def unmarked(text: str) -> str:
    """`text` without markup; lines stay lines, and empty ones are gone."""
    text = _LINES.sub("\n", text)
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return text


class Code:
    """Blocks of code in one reply, which may begin in one clause and end in another."""

    def __init__(self) -> None:
        self._inside = False

    def left_out(self, text: str, instead: str) -> str:
        """The next clause's `text`, with `instead` where a block begins."""
        parts = _FENCE.split(text)
        said: list[str] = [] if self._inside else [parts[0]]
        within_line = False
        for index in range(2, len(parts), 2):
            part, last = parts[index], index + 2 >= len(parts)
            if self._inside or within_line:
                self._inside = within_line = False
            elif self._opens(part, last):
                self._inside = True
                part = instead
            else:
                within_line = not last and "\n" not in part
            said.append(part)
        return " ".join(said)

    def _opens(self, after: str, last: bool) -> bool:
        """Whether a mark with this behind it begins a block, not code within a line."""
        found = _INFO.match(after)
        return found is not None and (last or found[0].endswith("\n"))
