"""A folder of clips is the list of voices, whatever else lies in it and whoever changes it meanwhile."""

import errno
import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.clips import READING, encoded
from ultraandchat.engines.chatterbox import clip_process, library
from ultraandchat.engines.chatterbox.clip_folder import usual_folder
from ultraandchat.engines.chatterbox.clip_process import Finding
from ultraandchat.engines.chatterbox.clips import UnfitClip, check
from ultraandchat.engines.chatterbox.library import (
    NAME_RULE,
    DiskFull,
    Library,
    LibraryError,
    NameTaken,
    NoSuchVoice,
    TooMany,
    VoiceFile,
)

CLIP = encoded(READING)
SOON_S = 60.0


def fine(paths: Sequence[Path]) -> list[Finding]:
    """Stands in for the process where a test is about files only."""
    return [Finding(seconds=7.0) for _ in paths]


def names(voices: Sequence[VoiceFile], *, good: bool = True) -> list[str]:
    return [voice.name for voice in voices if not (good and voice.fault)]


def put(folder: Path, *files: str, data: bytes = b"") -> None:
    folder.mkdir(exist_ok=True)
    for file in files:
        (folder / file).write_bytes(data)


def test_each_clip_of_the_folder_is_a_voice_named_like_its_file(tmp_path: Path) -> None:
    put(tmp_path, "anna.wav", "bob-2.flac", "carl.MP3", data=CLIP)
    found = Library(tmp_path).settle()
    assert names(found) == ["anna", "bob-2", "carl"]
    assert [voice.seconds for voice in found] == pytest.approx([check(CLIP).seconds] * 3, abs=0.01)


def test_a_file_that_cannot_be_a_voice_is_listed_with_its_fault(tmp_path: Path) -> None:
    put(tmp_path, "anna.wav", data=CLIP)
    put(tmp_path, "notes.mp3", data=b"dear diary")
    put(tmp_path, "Anna B.wav", "-x.wav", "ä.wav", f"{'a' * 41}.wav", "default.wav", data=CLIP)
    found = {voice.name: voice.fault for voice in Library(tmp_path).settle()}
    assert found["anna"] == ""
    assert found["notes"].startswith("this is no sound file")
    assert found["default"] == '"default" is the name of the model\'s own voice'
    for odd in ("Anna B", "-x", "ä", "a" * 41):
        assert found[odd] == NAME_RULE


def test_two_files_of_one_name_are_one_voice_and_a_fault(tmp_path: Path) -> None:
    put(tmp_path, "anna.flac", "anna.wav")
    first, second = Library(tmp_path, look=fine).settle()
    assert (first.name, first.path.name, first.fault) == ("anna", "anna.flac", "")
    assert (second.name, second.fault) == ("anna.wav", "anna.wav has the name of another voice")


def test_other_files_and_folders_are_not_looked_at(tmp_path: Path) -> None:
    put(tmp_path, "README.md", "licence", ".anna.wav", ".x.part", "a.m3u8", "b.py")
    (tmp_path / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "pipe.wav")
    assert Library(tmp_path, look=fine).settle() == ()


def test_links_are_followed_within_the_folder_only(tmp_path: Path) -> None:
    folder, secret = tmp_path / "voices", tmp_path / "secret.wav"
    put(folder, "anna.wav")
    secret.write_bytes(CLIP)
    (folder / "away.wav").symlink_to(secret)
    (folder / "up.wav").symlink_to("../secret.wav")
    (folder / "same.wav").symlink_to("anna.wav")
    (folder / "loop.wav").symlink_to("loop.wav")
    (folder / "gone.wav").symlink_to("nothing.wav")
    assert names(Library(folder, look=fine).settle()) == ["anna", "same"]


def test_a_folder_that_is_not_there_has_no_voices_and_is_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    voices = Library(tmp_path / "voices", look=fine)
    with caplog.at_level("INFO", "ultraandchat.model"):
        assert voices.voices() == voices.voices() == ()
    assert len(caplog.messages) == 1
    put(tmp_path / "voices", "anna.wav")
    assert names(voices.settle()) == ["anna"]


def test_a_file_in_the_folders_place_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "voices").write_text("oops")
    voices = Library(tmp_path / "voices", look=fine)
    assert voices.voices() == ()
    with pytest.raises(LibraryError, match="cannot be stored"):
        voices.add("anna", CLIP)


def test_what_is_added_changed_or_taken_away_by_hand_is_noticed(tmp_path: Path) -> None:
    looked: list[list[str]] = []

    def look(paths: Sequence[Path]) -> list[Finding]:
        looked.append([path.name for path in paths])
        return [Finding(seconds=float(path.stat().st_size)) for path in paths]

    voices = Library(tmp_path, look=look)
    assert voices.settle() == ()
    put(tmp_path, "anna.wav", "bob.wav", data=b"12345")
    assert [voice.seconds for voice in voices.settle()] == [5.0, 5.0]
    put(tmp_path, "bob.wav", data=b"123456789")
    assert [voice.seconds for voice in voices.settle()] == [5.0, 9.0]
    (tmp_path / "anna.wav").unlink()
    assert names(voices.settle()) == ["bob"]
    assert looked == [["anna.wav", "bob.wav"], ["bob.wav"]]


def test_asking_never_waits_for_a_clip_to_be_looked_at(tmp_path: Path) -> None:
    go = threading.Event()

    def look(paths: Sequence[Path]) -> list[Finding]:
        assert go.wait(SOON_S)
        return [Finding(fault="it is silent") for _ in paths]

    put(tmp_path, "anna.wav")
    voices = Library(tmp_path, look=look)
    assert [(voice.name, voice.seconds, voice.fault) for voice in voices.voices()] == [
        ("anna", 0, "")
    ]
    go.set()
    assert [voice.fault for voice in voices.settle()] == ["it is silent"]


def test_who_only_asks_hears_of_a_change_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "FRESH_S", 0.0)
    voices = Library(tmp_path, look=fine)
    assert voices.voices() == ()
    put(tmp_path, "anna.wav")
    patience = time.monotonic() + SOON_S
    while names(voices.voices()) != ["anna"]:
        assert time.monotonic() < patience
    while voices.voices()[0].seconds != 7.0:
        assert time.monotonic() < patience


def test_many_threads_add_remove_and_ask_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "FRESH_S", 0.0)
    monkeypatch.setattr(clip_process, "make", lambda data: (Finding(seconds=7.0), data))
    voices = Library(tmp_path, look=fine)

    def one(name: str) -> None:
        for _ in range(20):
            voices.add(name, CLIP)
            assert name in names(voices.voices())
            voices.remove(name)
            assert name not in names(voices.voices())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, ["a", "b", "c", "d"]))
    assert voices.settle() == ()


def test_beyond_sixty_four_files_none_is_used(tmp_path: Path) -> None:
    put(tmp_path, *(f"v{number:02}.wav" for number in range(66)))
    found = Library(tmp_path, look=fine).settle()
    assert len(names(found)) == 64
    assert found[-1].fault == "more than 64 voices are not used"


def test_an_uploaded_clip_is_a_voice_at_once_and_for_the_next_server(tmp_path: Path) -> None:
    voices = Library(tmp_path / "new" / "voices")
    added = voices.add("anna", encoded(READING, format="ogg", codec="libopus", rate=16_000))
    assert voices.voices() == (added,)
    assert Library(tmp_path / "new" / "voices").settle() == (added,)


def test_what_is_stored_is_never_what_was_uploaded(tmp_path: Path) -> None:
    tagged = bytearray(encoded(READING, format="flac", codec="flac"))
    voices = Library(tmp_path)
    added = voices.add("anna", bytes(tagged) + b"<script>a payload behind the sound</script>")
    stored = added.path.read_bytes()
    assert stored.startswith(b"RIFF")
    assert b"script" not in stored
    assert sorted(path.name for path in tmp_path.iterdir()) == ["anna.wav"]


def test_a_clip_that_cannot_serve_is_not_stored(tmp_path: Path) -> None:
    voices = Library(tmp_path)
    with pytest.raises(UnfitClip, match="this is no sound file"):
        voices.add("anna", b"<html>")
    with pytest.raises(UnfitClip, match="more than 20 MB"):
        voices.add("anna", bytes(20_000_001))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["", "A", "-a", "a b", "../a", "a/b", "a.b", "ä", "a" * 41, "default", "a\n"]
)
def test_a_name_is_small_letters_digits_and_hyphens(tmp_path: Path, name: str) -> None:
    with pytest.raises(LibraryError):
        Library(tmp_path).add(name, CLIP)
    assert list(tmp_path.iterdir()) == []


def test_a_voice_is_not_written_over(tmp_path: Path) -> None:
    put(tmp_path, "anna.mp3", data=b"mine")
    with pytest.raises(NameTaken):
        Library(tmp_path).add("anna", CLIP)
    assert (tmp_path / "anna.mp3").read_bytes() == b"mine"


def test_a_full_library_takes_no_more(tmp_path: Path) -> None:
    put(tmp_path, *(f"v{number:02}.wav" for number in range(64)))
    with pytest.raises(TooMany, match="there are 64 voices"):
        Library(tmp_path, look=fine).add("anna", CLIP)


def test_a_full_disk_is_told_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match="disk is full"):
        Library(tmp_path).add("anna", CLIP)
    assert list(tmp_path.iterdir()) == []


def test_a_voice_is_removed_with_its_file(tmp_path: Path) -> None:
    put(tmp_path, "anna.mp3", "bob.wav")
    voices = Library(tmp_path, look=fine)
    voices.remove("anna")
    assert names(voices.settle()) == ["bob"]
    with pytest.raises(NoSuchVoice):
        voices.remove("anna")


def test_what_the_models_made_of_a_voice_goes_with_it(tmp_path: Path) -> None:
    put(tmp_path, "anna.wav")
    put(tmp_path / ".prepared", "0123.safetensors", data=b"her voice")
    Library(tmp_path, look=fine).remove("anna")
    assert [path.name for path in tmp_path.rglob("*")] == [".prepared"]


@pytest.mark.parametrize("name", ["..", "", "bob", "../bob", "*"])
def test_only_what_is_listed_can_be_removed(tmp_path: Path, name: str) -> None:
    put(tmp_path, "bob.wav")
    put(tmp_path / "voices", "anna.wav")
    with pytest.raises(NoSuchVoice):
        Library(tmp_path / "voices").remove(name)
    assert (tmp_path / "bob.wav").exists()


def test_a_clip_that_kills_its_reader_is_told_so_and_the_others_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys, builtins\n"
        "from pathlib import Path\n"
        "whole = Path.open\n"
        "def opened(path, *given):\n"
        "    if path.name == 'b.wav':\n"
        f"        os.kill(os.getpid(), {int(signal.SIGSEGV)})\n"
        "    return whole(path, *given)\n"
        "Path.open = opened\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    put(tmp_path, "a.wav", "b.wav", "c.wav", data=CLIP)
    faults = [one.fault for one in clip_process.look([tmp_path / f"{it}.wav" for it in "abc"])]
    assert faults == ["", clip_process.CRASHED, ""]


def test_a_clip_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_process, "START_S", 0.0)
    monkeypatch.setattr(clip_process, "EACH_S", 0.01)
    assert clip_process.look([Path("a.wav")]) == [Finding(fault=clip_process.CRASHED)]
    with pytest.raises(UnfitClip, match="took too long"):
        clip_process.make(CLIP)


def test_without_a_setting_voices_are_with_the_users_data(tmp_path: Path) -> None:
    given = {"XDG_DATA_HOME": str(tmp_path)}
    assert usual_folder(given) == tmp_path / "ultraandchat" / "voices"
    assert usual_folder({}).parts[-4:] == (".local", "share", "ultraandchat", "voices")[-4:]
