"""The generated part of docs/turn-taking.md: the table and the drawing of turn/taking.py."""

import re

from documents import NOTE
from ultraandchat.turn.taking import TABLE, TurnState

BEGIN, END = f"<!-- begin: {NOTE} -->", "<!-- end -->"


def renewed(text: str) -> str:
    """The document with what stands between its two marks made anew."""
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"docs/turn-taking.md must hold the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table()}\n{drawing()}\n{END}{after}"


def table() -> str:
    """Every row, in the order of the source."""
    rows = [
        f"| {state.value} | {notice.value} | {row.next.value} | {_acts(row.acts) or '—'} |\n"
        for (state, notice), row in TABLE.items()
    ]
    return "| state | what is noticed | next | events |\n| --- | --- | --- | --- |\n" + "".join(
        rows
    )


def drawing() -> str:
    """The same as a Mermaid state diagram; rows between the same two states share an arrow."""
    arrows: dict[tuple[TurnState, TurnState], list[str]] = {}
    for (state, notice), row in TABLE.items():
        arrows.setdefault((state, row.next), []).append(notice.value)
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    {_name(state)}: {state.value}" for state in TurnState]
    lines += [f"    [*] --> {_name(TurnState.LISTENING)}"]
    lines += [f"    {_name(a)} --> {_name(b)}: {'<br/>'.join(n)}" for (a, b), n in arrows.items()]
    return "\n".join([*lines, "```", ""])


def _acts(acts: tuple[object, ...]) -> str:
    return "; ".join(str(getattr(act, "value", act)) for act in acts)


def _name(state: TurnState) -> str:
    return re.sub(r"\W", "_", state.value)
