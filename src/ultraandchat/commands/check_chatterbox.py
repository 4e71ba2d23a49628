"""What `check` says of Chatterbox: its packages, memory beside Ultravox, its weights, and the clips that are voices.

Nothing is loaded or downloaded, and no hub is asked. Clips are looked at as the server does, in a process apart.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ultraandchat.commands.check_ultravox import ANSWER_S, torch_row
from ultraandchat.commands.report import Row
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.chatterbox import fitness, memory
from ultraandchat.engines.chatterbox.library import DEFAULT, Library
from ultraandchat.engines.chatterbox.release import download_bytes, needed, patterns
from ultraandchat.engines.chatterbox.settings import ChatterboxSettings
from ultraandchat.engines.chatterbox.variants import ENGINE
from ultraandchat.engines.choice import Choice, chosen, small_voice
from ultraandchat.engines.profile import free_memory
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.engines.shares import shares
from ultraandchat.engines.ultravox.parts import Parts, bytes_to_come, free_bytes
from ultraandchat.engines.weights.places import cache_folder, is_offline
from ultraandchat.engines.weights.stored import Stored

ASK = (
    "import json, sys; from ultraandchat.engines.chatterbox.fitness import installed;"
    " json.dump(installed(), sys.stdout)"
)

PYTHON = "Set engines.chatterbox.python to an interpreter that has chatterbox-tts, or to nothing."


def chatterbox_rows(config: EnginesConfig) -> Iterator[Row]:
    """For a configuration whose voice is Chatterbox. Where only the profile chose it and a small voice is there,
    nothing of this keeps the server from starting."""
    choice = chosen(config)
    instead = "" if config.speech == ENGINE else _instead(choice)
    for row in _rows(config, choice):
        if row.ok is False and instead:
            yield Row(row.name, None, f"{row.detail}; {instead} speaks instead", row.remedy)
        else:
            yield row


def _instead(choice: Choice) -> str:
    from ultraandchat.engines.espeak import find_espeak
    from ultraandchat.engines.flite import find_flite

    return small_voice() if find_flite() or find_espeak() else ""


def _rows(config: EnginesConfig, choice: Choice) -> Iterator[Row]:
    chatterbox = config.chatterbox
    yield _packages(chatterbox)
    beside = choice.language == "ultravox"
    if not beside or chatterbox.python != config.ultravox.python:
        yield torch_row("Chatterbox", chatterbox.python, chatterbox.device, ENGINE)
    if chatterbox.device != "cpu":
        yield from _memory(config, choice)
    yield _weights(config, beside)
    yield from _voices(config)


def _packages(chatterbox: ChatterboxSettings) -> Row:
    name = "packages for Chatterbox"
    try:
        versions = _asked(chatterbox.python) if chatterbox.python else fitness.installed()
        fitness.require(versions)
    except EngineUnavailable as error:
        return Row(name, False, error.reason, error.remedy)
    return Row(name, True, ", ".join(f"{one} {versions[one]}" for one in fitness.WITHOUT_PINS))


def _asked(python: str) -> dict[str, str]:
    """The versions that are installed for that interpreter. `EngineUnavailable` where it cannot be asked."""
    try:
        ran = subprocess.run(
            [python, "-P", "-c", ASK],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ANSWER_S,
            check=False,
        )
        return msgspec.json.decode(ran.stdout, type=dict[str, str])
    except OSError as error:
        why = f"{python} cannot be started ({error.strerror})"
    except subprocess.TimeoutExpired:
        why = f"{python} did not answer within {ANSWER_S:g} s"
    except ValueError:  # msgspec's errors are, too
        last = ran.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        why = f"{python} cannot run UltraAndChat's part ({last or 'it said nothing'})"
    raise EngineUnavailable(ENGINE, why, PYTHON)


def _memory(config: EnginesConfig, choice: Choice) -> Iterator[Row]:
    """What it needs, and whether that fits: on Ultravox's card into what Ultravox leaves."""
    chatterbox = config.chatterbox
    if (free := free_memory(chatterbox.device)) is None:
        return  # there is none, as the engine's own row says
    room = shares(config, choice.language, ENGINE, free).chatterbox
    beside = max(0, free - room) if room else 0
    name = "memory for Chatterbox"
    kind, slots = chatterbox.kind, chatterbox.slots
    try:
        precision = memory.chosen(kind, chatterbox.precision, slots, free, beside)
    except EngineUnavailable as error:
        yield Row(name, False, error.reason, error.remedy)
        return
    left = f", {beside / 1e9:.1f} of them for Ultravox" if beside else ""
    needs = memory.budget(kind, precision, slots)
    yield Row(name, True, f"{free / 1e9:.1f} GB free{left}; it needs {needs}")


def _weights(config: EnginesConfig, beside: bool) -> Row:
    name, chatterbox, hub = "weights of Chatterbox", config.chatterbox, config.hub
    repository = chatterbox.repository
    if (folder := Path(repository).expanduser()).is_dir():
        absent = [file for file in needed(chatterbox.kind) if not (folder / file).is_file()]
        if absent:
            remedy = "Set engines.chatterbox.checkpoint and .variant to what belongs together."
            return Row(name, False, f"{folder} has no {' and no '.join(absent)}", remedy)
        return Row(name, True, f"all on this disk: {folder}")
    stored = Stored(cache_folder(hub.cache), repository)
    if found := stored.whole(chatterbox.revision, patterns(chatterbox.kind)):
        return Row(name, True, f"all on this disk: {found}")
    if is_offline(hub.offline):
        detail = f"{repository} not known to be whole on this disk, and the hub may not be asked"
        remedy = "Start once without engines.hub.offline and HF_HUB_OFFLINE, or name a folder: engines.chatterbox.checkpoint."
        return Row(name, False, detail, remedy)
    return _to_come(
        name, config, max(0, download_bytes(chatterbox.kind) - stored.bytes_here), beside
    )


def _to_come(name: str, config: EnginesConfig, to_come: int, beside: bool) -> Row:
    """What will be downloaded, and whether the disk has room for it and for what Ultravox lacks."""
    hub = config.hub
    parts = Parts.of(config.ultravox, hub) if beside else None
    also = (bytes_to_come(parts, hub) or 0) if parts is not None and parts.missing else 0
    free, where = free_bytes(hub), cache_folder(hub.cache)
    if to_come + also > free:
        both = f" and {also / 1e9:.1f} GB of Ultravox" if also else ""
        detail = (
            f"about {to_come / 1e9:.1f} GB{both} are to be downloaded to {where},"
            f" and its disk has {free / 1e9:.1f} GB free"
        )
        return Row(name, False, detail, "Set engines.hub.cache to a folder on a larger disk.")
    detail = f"{config.chatterbox.repository} (about {to_come / 1e9:.1f} GB) will be downloaded to {where}"
    return Row(name, True, f"{detail}, {free / 1e9:.1f} GB free")


def _voices(config: EnginesConfig) -> Iterator[Row]:
    """The folder, what is wrong with its clips, and the voice that was asked for."""
    folder = config.chatterbox.folder
    clips = Library(folder).settle()
    good = [clip for clip in clips if not clip.fault]
    names = ", ".join([DEFAULT, *(clip.name for clip in good)])
    yield Row("voices", True, f"{names}; clips in {folder} are voices")
    for clip in clips:
        if clip.fault or clip.remark:
            yield Row(
                f"voice {clip.name}",
                None,
                clip.fault or clip.remark,
                "docs/voices.md says what makes a good clip." if clip.fault else "",
            )
    asked = config.voice
    if asked and asked != DEFAULT and asked not in [clip.name for clip in good]:
        yield Row(
            "engines.voice",
            False,
            f"there is no voice {asked}",
            f"Set engines.voice to one of {names}.",
        )
