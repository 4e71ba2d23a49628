"""The files that are made from the source are as the source says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "tools/generate.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_nothing_is_out_of_date() -> None:
    done = generate("--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_setting_says_what_it_means() -> None:
    rows = [
        line.split(" | ")
        for line in (ROOT / "docs/configuration.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    assert len(rows) > 40
    for name, _, _, meaning in rows:
        assert len(meaning.removesuffix("|").strip()) > 10, name


def test_every_link_of_the_documents_leads_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for document in documents:
        text = document.read_text(encoding="utf-8")
        for target in [part.split(")")[0] for part in text.split("](")[1:]]:
            if "://" not in target and not target.startswith("#"):
                path = document.parent / target.split("#")[0]
                assert path.exists(), f"{document.name} links to {target}"
