"""What goes wrong on the way: gone on from, fetched again, waited for, or refused in one sentence."""

import errno
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from tests.engines.weights.a_hub import AHub, Fault, a_hub
from tests.engines.weights.conftest import FILES, NAME, NEEDED, WEIGHTS, Search, contents
from tests.support.chat_server import nobody_there
from ultraandchat.engines.base import EngineUnavailable

SHARD = "model-00001-of-00002.safetensors"
BYTES = sum(map(len, NEEDED.values()))


def refusal(search: Search, **changes: object) -> EngineUnavailable:
    """It must refuse, without a word of another's making in it."""
    with pytest.raises(EngineUnavailable) as refused:
        search(**changes)
    said = str(refused.value)
    assert "httpx" not in said
    assert "Traceback" not in said
    assert refused.value.remedy.endswith((".", ")."))
    return refused.value


def test_a_cut_is_gone_on_from(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong(SHARD, Fault(cut_after=100_000), Fault(cut_after=50_000))
    assert contents(search()) == NEEDED
    assert [one.range for one in hub.asked if one.path.endswith(SHARD)] == [
        "",
        "bytes=100000-",
        "bytes=150000-",
    ]
    assert search.progress[-1] == (BYTES, BYTES)


def test_a_start_goes_on_where_the_one_before_ended(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong(SHARD, Fault(cut_after=100_000), *[Fault(status=503)] * 2)
    refusal(search)
    done_before = search.progress[-1][0]
    search.progress.clear()
    hub.asked.clear()
    assert contents(search()) == NEEDED
    assert [one.range for one in hub.asked if one.path.endswith(SHARD)] == ["bytes=100000-"]
    assert search.progress[0][0] >= min(done_before, 100_000)


def test_a_process_that_is_killed_leaves_what_the_next_one_goes_on_from(
    hub: AHub, search: Search
) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong(SHARD, Fault(stall_after=100_000))
    program = (
        "import sys; from ultraandchat.engines.weights.find import find\n"
        "def told(stage, done, total):\n"
        "    print(done, flush=True)\n"
        "find(sys.argv[1], '', offline=False, cache=sys.argv[2], endpoint=sys.argv[3], token='',"
        " progress=told)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, NAME, str(search.cache), hub.address],
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < BYTES - len(WEIGHTS) + 100_000:
            pass
        process.kill()
    hub.asked.clear()
    assert contents(search()) == NEEDED
    assert hub.paths() == ["main", SHARD]
    assert hub.asked[-1].range == "bytes=100000-"


def test_a_stall_is_gone_on_from(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong(SHARD, Fault(stall_after=70_000))
    search.stall_s = 1.0
    assert contents(search()) == NEEDED
    assert "bytes=70000-" in [one.range for one in hub.asked]


def test_a_hub_that_stalls_for_good_is_given_up(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong(SHARD, *[Fault(stall_after=0)] * 3)
    search.stall_s = 1.0
    refused = refusal(search)
    assert "sends nothing more" in refused.reason
    assert "it goes on where it was" in refused.remedy


def test_a_hub_that_always_begins_anew_and_breaks_off_is_given_up(
    hub: AHub, search: Search
) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong(SHARD, *[Fault(cut_after=1000, no_ranges=True)] * 9)
    assert "breaks again and again" in refusal(search).reason


def test_a_server_without_ranges_sends_it_all_again(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong(SHARD, Fault(cut_after=1000), Fault(no_ranges=True))
    assert contents(search()) == NEEDED
    assert search.progress[-1] == (BYTES, BYTES)


def test_a_damaged_file_is_fetched_once_more(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong(SHARD, Fault(damage=True))
    hub.goes_wrong("config.json", Fault(damage=True))
    assert contents(search()) == NEEDED
    assert search.progress[-1] == (BYTES, BYTES)


@pytest.mark.parametrize("file", [SHARD, "config.json"])
def test_a_file_that_comes_damaged_twice_is_refused_and_not_kept(
    hub: AHub, search: Search, file: str
) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong(file, Fault(damage=True), Fault(damage=True))
    refused = refusal(search)
    assert f"{file} of {NAME} came damaged twice" in refused.reason
    with pytest.raises(EngineUnavailable):
        search(offline=True)
    assert contents(search()) == NEEDED


def test_what_was_left_damaged_on_the_disk_is_noticed(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong(SHARD, Fault(cut_after=100_000), *[Fault(status=500)] * 2)
    refusal(search)
    parts = (search.folder / "blobs").glob("*.part")
    (part,) = (part for part in parts if part.stat().st_size == 100_000)
    part.write_bytes(b"\0" * 100_000)
    assert contents(search()) == NEEDED


def test_a_half_snapshot_is_never_taken_for_whole(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong(SHARD, *[Fault(status=500)] * 3)
    refusal(search)
    assert not list(search.folder.glob(f"snapshots/*/{SHARD}"))
    assert "not known to be whole" in refusal(search, offline=True).reason


def test_an_error_of_the_server_is_asked_again_with_growing_pauses(
    hub: AHub, search: Search
) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong("main", Fault(status=500), Fault(status=503))
    search()
    assert search.pauses == [1, 2]


def test_a_server_in_trouble_for_good_is_named(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong("main", *[Fault(status=502)] * 3)
    assert "answers with error 502" in refusal(search).reason


def test_asked_too_often_it_waits_as_it_is_told(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong("main", Fault(status=429, headers={"Retry-After": "7"}))
    search()
    assert search.pauses == [7]


def test_a_long_wait_is_the_operators_to_know(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong("main", Fault(status=429, headers={"Retry-After": "600"}))
    refused = refusal(search)
    assert "in 600 s" in refused.reason
    assert "HF_TOKEN" in refused.remedy
    assert not search.pauses


GATED = {"X-Error-Code": "GatedRepo"}


@pytest.mark.parametrize(
    ("status", "token", "whose"),
    [(401, "", "nobody here, as no token is set"), (403, "hf_x", "the account of this token")],
)
def test_a_licence_that_nobody_accepted_is_named_with_its_page_and_the_way_around(
    hub: AHub, search: Search, status: int, token: str, whose: str
) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong("config.json", Fault(status=status, headers=GATED))
    refused = refusal(search, token=token, setting="engines.ultravox.text_model")
    assert whose in refused.reason
    assert f"{hub.address}/{NAME}" in refused.remedy
    assert "engines.ultravox.text_model" in refused.remedy
    assert hub.paths() == ["main", "config.json"]  # the smallest first: nothing large was begun
    assert not search.pauses


def test_a_wrong_token_is_said_to_be_wrong(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong("main", Fault(status=401))
    refused = refusal(search, token="hf_expired")
    assert "does not accept the token" in refused.reason
    assert "hf_expired" not in str(refused)


def test_a_repository_that_is_not_there(hub: AHub, search: Search) -> None:
    refused = refusal(search)
    assert f"has no repository {NAME}" in refused.reason
    assert "Correct engines.ultravox.checkpoint" in refused.remedy


def test_a_revision_that_is_not_there(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    assert f"{NAME} has no revision v9" in refusal(search, revision="v9").reason


def test_a_repository_without_anything_of_use(hub: AHub, search: Search) -> None:
    hub.has(NAME, {"README.md": b"", "pytorch_model.bin": WEIGHTS})
    assert "none of the files that are needed" in refusal(search).reason


def test_nobody_at_the_address(search: Search) -> None:
    with nobody_there() as address:
        refused = refusal(search, endpoint=address.replace("//", "//user:secret@"))
    assert "127.0.0.1 cannot be reached" in refused.reason
    assert "secret" not in str(refused)


@pytest.mark.parametrize("address", ["no address", "ftp://hub.example", "https://"])
def test_an_address_that_is_none(search: Search, address: str) -> None:
    assert "cannot be reached" in refusal(search, endpoint=address).reason


def test_who_answers_is_no_hub(hub: AHub, search: Search) -> None:
    hub.files["", ""] = {}
    hub.goes_wrong("main", Fault(status=200))
    assert "does not answer as a model hub does" in refusal(search).reason


def test_the_token_goes_to_the_hub_and_nowhere_else(hub: AHub, search: Search) -> None:
    """Large files lie elsewhere, and the hub redirects there."""
    hub.has(NAME, FILES)
    with a_hub() as elsewhere:
        elsewhere.has(NAME, FILES)
        hub.goes_wrong(SHARD, Fault(redirect=elsewhere.address.removeprefix("http://")))
        assert contents(search(token="hf_secret")) == NEEDED
        assert [one.token for one in elsewhere.asked] == [""]
    assert {one.token for one in hub.asked} == {"hf_secret"}


def test_a_redirection_that_is_out_of_date_is_asked_for_again(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    with a_hub() as elsewhere:
        there = elsewhere.address.removeprefix("http://").replace("127.0.0.1", "localhost")
        elsewhere.goes_wrong(SHARD, Fault(status=403))
        hub.goes_wrong(SHARD, Fault(redirect=there))
        assert contents(search()) == NEEDED


@pytest.mark.parametrize("token", ["hf_a\nhf_b", "hf_ä", "hf_a b"])
def test_what_is_no_token_is_refused_and_not_printed(hub: AHub, search: Search, token: str) -> None:
    refused = refusal(search, token=token)
    assert token not in str(refused)
    assert "HF_TOKEN" in refused.remedy
    assert not hub.asked


Usage = namedtuple("Usage", "total used free")


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(
    hub: AHub, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.has(NAME, FILES)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**9, 10**9 - 10, 10))
    refused = refusal(search)
    assert "0.0 GB free" in refused.reason
    assert "engines.hub.cache" in refused.remedy
    assert hub.paths() == ["main"]


def test_a_disk_that_becomes_full_is_told(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    hub.goes_wrong(SHARD, *[Fault(status=500)] * 3)
    refusal(search)
    listing = next((search.folder / "trees").iterdir()).read_text()
    digest = listing.split(SHARD)[1].split('lfs_sha256":"')[1][:64]
    (search.folder / "blobs" / f"{digest}.part").unlink(missing_ok=True)
    (search.folder / "blobs" / f"{digest}.part").symlink_to("/dev/full")
    refused = refusal(search)
    assert "became full" in refused.reason
    assert "kept" in refused.remedy


def test_a_cache_that_may_not_be_written_is_told(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    search.cache.write_text("a file where the folder should be")
    refused = refusal(search)
    assert os.strerror(errno.ENOTDIR) in refused.reason
    assert "engines.hub.cache" in refused.remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_of_somebody_else_is_told(hub: AHub, search: Search) -> None:
    hub.has(NAME, FILES)
    search.cache.mkdir(mode=0o500)
    assert "may not be written to" in refusal(search).reason


def test_two_processes_fetch_it_once(hub: AHub, search: Search, tmp_path: Path) -> None:
    hub.has(NAME, FILES)
    program = (
        "import sys; from ultraandchat.engines.weights.find import find\n"
        "print(find(sys.argv[1], '', offline=False, cache=sys.argv[2], endpoint=sys.argv[3],"
        " token='', progress=lambda *told: None))"
    )
    arguments = [sys.executable, "-c", program, NAME, str(search.cache), hub.address]
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    both = [
        subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    first, second = (process.communicate()[0].strip() for process in both)
    assert first == second
    assert contents(Path(first)) == NEEDED
    fetched = [path for path in hub.paths() if path in NEEDED]
    assert sorted(fetched) == sorted(NEEDED)
