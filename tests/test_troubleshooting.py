"""The document that goes from symptom to fix quotes the page, and names settings that exist."""

import re
from pathlib import Path

import pytest

from ultraandchat.config import settings

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "troubleshooting.md").read_text()
SOURCES = [
    *(ROOT / "src" / "ultraandchat" / "web").rglob("*.js"),
    *(ROOT / "src").rglob("server/*.py"),
]

QUOTED = [
    quote
    for line in TEXT.splitlines()
    if line.startswith("### ")
    for quote in re.findall(r'"(.+?)"', line)
]
SECTIONS = {name.partition(".")[0] for name, _, _ in settings()}
NAMED = sorted(
    {
        name
        for name in re.findall(r"`([a-z_]+\.[a-z_.]+)(?:=[^`]*)?`", TEXT)
        if name.partition(".")[0] in SECTIONS and not name.endswith(".log")
    }
)


@pytest.fixture(scope="module")
def said() -> str:
    """All that the page and the server may say, without line breaks in long strings."""
    return " ".join(path.read_text() for path in SOURCES).replace("\\\n", "").casefold()


@pytest.mark.parametrize("quote", QUOTED)
def test_a_quoted_heading_is_the_pages_own_sentence(quote: str, said: str) -> None:
    for part in quote.casefold().rstrip(".").split("…"):
        assert re.sub(r"http://$", "", part).strip() in said


def test_there_are_quoted_headings_and_named_settings() -> None:
    assert len(QUOTED) > 8
    assert len(NAMED) > 8


@pytest.mark.parametrize("name", NAMED)
def test_a_setting_that_is_named_exists(name: str) -> None:
    assert name in {known for known, _, _ in settings()}
