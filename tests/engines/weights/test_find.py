"""Weights are found where they are, fetched where they are not, and the hub is asked no more than that."""

import hashlib
import json
from pathlib import Path

import pytest
from huggingface_hub import snapshot_download

from tests.engines.weights.a_hub import AHub
from tests.engines.weights.conftest import FILES, NAME, NEEDED, WEIGHTS, Search, contents
from ultraandchat.engines.base import EngineUnavailable

BYTES = sum(map(len, NEEDED.values()))


def test_a_folder_is_taken_as_it_is(hub: AHub, search: Search, tmp_path: Path) -> None:
    assert search(str(tmp_path)) == tmp_path
    assert not hub.asked


def test_a_repository_is_fetched_and_only_what_is_needed_of_it(hub: AHub, search: Search) -> None:
    commit = hub.has(NAME, FILES)
    folder = search()
    assert contents(folder) == NEEDED
    assert folder.name == commit
    assert "README.md" not in hub.paths()


def test_progress_is_bytes_over_all_files(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    search()
    assert search.progress[0] == (0, BYTES)
    assert search.progress[-1] == (BYTES, BYTES)
    assert [done for done, _ in search.progress] == sorted(done for done, _ in search.progress)


def test_what_is_whole_is_used_without_asking_the_hub(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    folder = search()
    hub.asked.clear()
    search.progress.clear()
    assert search() == folder
    assert not hub.asked
    assert not search.progress


@pytest.mark.parametrize("lacking", list(NEEDED))
def test_a_file_that_lacks_is_fetched_and_no_other(hub: AHub, search: Search, lacking: str) -> None:
    hub.has(NAME, FILES)
    folder = search()
    (folder / lacking).resolve().unlink()
    hub.asked.clear()
    search()
    assert hub.paths() == [lacking]
    assert contents(folder) == NEEDED


def test_a_file_of_another_length_is_fetched_again(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    folder = search()
    (folder / "model-00001-of-00002.safetensors").write_bytes(b"short")
    search()
    assert contents(folder) == NEEDED


def test_pickles_and_programs_are_never_fetched(hub: AHub, search: Search) -> None:
    harmful = dict.fromkeys(
        ("pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "model.pt", "x.pkl"), b"import os"
    )
    hub.has(NAME, {**FILES, **harmful, "modeling.py": b"import os", "original/params.json": b"{}"})
    assert contents(search(patterns=("*",))) == FILES
    assert not {"pytorch_model.bin", "model.pt", "modeling.py", "x.pkl"} & set(hub.paths())


def test_three_pickles_of_chatterbox_are_fetched_by_their_names_only(
    hub: AHub, search: Search
) -> None:
    pickles = dict.fromkeys(("s3gen.pt", "ve.pt", "conds.pt", "t3_23lang.pt"), b"tensors")
    files = {**pickles, "more/ve.pt": b"another", "tokenizer.json": b"{}"}
    hub.has(NAME, files)
    assert set(contents(search(patterns=("*", "*.pt", "t3_23lang.pt", "more/ve.pt")))) == {
        "tokenizer.json"
    }
    named = search(patterns=("tokenizer.json", "ve.pt", "s3gen.pt", "conds.pt"))
    assert set(contents(named)) == {"tokenizer.json", "ve.pt", "s3gen.pt", "conds.pt"}


def test_other_engines_name_other_files(hub: AHub, search: Search) -> None:
    hub.has(NAME, {"model.bin": WEIGHTS, "config.json": b"{}", "vocabulary.txt": b"a"})
    found = search(patterns=("config.json", "model.bin", "vocabulary.*"))
    assert set(contents(found)) == {"model.bin", "config.json", "vocabulary.txt"}


def test_the_same_file_under_two_names_is_fetched_once(hub: AHub, search: Search) -> None:
    hub.has(NAME, {"a.json": b"{}", "b.json": b"{}"})
    assert contents(search()) == {"a.json": b"{}", "b.json": b"{}"}
    assert len(hub.asked) == 2  # with the listing


@pytest.mark.parametrize("revision", ["v1", "refs/pr/7", ""])
def test_a_branch_stays_what_it_was_at_the_first_download(
    hub: AHub, search: Search, revision: str
) -> None:
    branch = revision or "main"
    first = hub.has(NAME, FILES, branch)
    assert search(revision=revision).name == first
    later = hub.has(NAME, {**FILES, "config.json": b"{}"}, branch)
    assert search(revision=revision).name == first
    assert search(revision=later).name == later
    assert search(revision=revision).name == first


def test_a_branch_stays_what_it_was_although_a_file_lacks(hub: AHub, search: Search) -> None:
    first = hub.has(NAME, FILES)
    (search() / "config.json").resolve().unlink()
    hub.has(NAME, {**FILES, "config.json": b"{}"})
    assert search().name == first


def test_a_commit_is_exactly_that_one(hub: AHub, search: Search) -> None:
    old = hub.has(NAME, {**FILES, "config.json": b'{"old": 1}'}, "old")
    hub.has(NAME, FILES)
    assert (search(revision=old) / "config.json").read_bytes() == b'{"old": 1}'


def test_what_another_program_downloaded_is_used(hub: AHub, search: Search) -> None:
    """huggingface_hub's layout: its listing, its blobs and its links."""
    commit = hub.has(NAME, FILES)
    folder = search.folder
    entries = {}
    for path, content in FILES.items():
        git = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
        blob = folder / "blobs" / git
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(content)
        shown = folder / "snapshots" / commit / path
        shown.parent.mkdir(parents=True, exist_ok=True)
        shown.symlink_to(f"../../blobs/{git}")
        entries[path] = {"size": len(content), "blob_id": git, "xet_hash": "0" * 64}
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(commit)
    (folder / "trees").mkdir()
    tree = {"format_version": 1, "files": entries}
    (folder / "trees" / f"{commit}.json").write_text(json.dumps(tree))
    assert search(offline=True) == folder / "snapshots" / commit
    assert not hub.asked


def test_another_program_uses_what_was_downloaded_here(hub: AHub, search: Search) -> None:
    commit = hub.has(NAME, FILES)
    found = search()
    patterns = ["*.json", "*.safetensors"]
    theirs = snapshot_download(
        NAME,
        revision=commit,
        cache_dir=search.cache,
        local_files_only=True,
        allow_patterns=patterns,
    )
    assert Path(theirs) == found


def test_a_read_only_cache_that_is_whole_serves(hub: AHub, search: Search) -> None:
    commit = hub.has(NAME, FILES)
    found = search(revision=commit)
    (search.folder / "refs").mkdir()
    (search.folder / "refs" / "main").write_text(commit)
    (search.folder / "ultraandchat").write_text("in the way: no pin can be written")
    assert search(offline=True) == found


@pytest.mark.parametrize("name", ["nowhere", "a/b/c", "/no/folder", "../x", "some one/x", ""])
def test_what_is_neither_folder_nor_repository_is_refused(
    hub: AHub, search: Search, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EngineUnavailable) as refused:
        search(name or "-")
    assert refused.value.remedy == "Correct engines.ultravox.checkpoint."
    assert not hub.asked


def test_a_hub_that_names_files_outside_of_the_folder_is_none(hub: AHub, search: Search) -> None:
    hub.has(NAME, {"../../evil.json": b"{}"})
    with pytest.raises(EngineUnavailable) as refused:
        search()
    assert "does not answer as a model hub does" in refused.value.reason
