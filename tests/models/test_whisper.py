"""The whole way of captions through the real faster-whisper, in its own process: `tiny_whisper.py`."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from tests.engines.contract import TranscriberContract, utterance
from tests.engines.weights.a_hub import a_hub
from tests.models.tiny_whisper import LETTERS, make
from tests.support.speech import clip
from ultraandchat.audio.frame import HEARING_RATE, Pcm16, to_pcm16
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.open import open_engines
from ultraandchat.engines.settings import EnginesConfig, WhisperSettings
from ultraandchat.engines.weights.settings import HubSettings
from ultraandchat.engines.whisper import Whisper, open_whisper
from ultraandchat.engines.whisper_model import Whisper as Model
from ultraandchat.engines.whisper_model import open_model
from ultraandchat.turn.events import TurnId, Utterance

SETTINGS = WhisperSettings(device="cpu", precision="fp32")
OFFLINE = HubSettings(offline=True)

together = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("whisper"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(folder: Path) -> AsyncIterator[Whisper]:
    async with open_whisper(replace(SETTINGS, model=str(folder)), OFFLINE) as whisper:
        yield whisper


def model(folder: Path, **changed: str) -> Model:
    arguments = {"model": str(folder), "device": "cpu", "precision": "fp32", "language": ""}
    hub = {"cache": "", "endpoint": "", "token": ""}
    return open_model(
        lambda stage, done, total: None,
        revision="",
        offline=True,
        **{**arguments, **hub, **changed},  # type: ignore[arg-type]
    )


def written(whisper: Model, pcm: Pcm16) -> str:
    return "".join(whisper.transcribe(lambda: False, pcm))


@together
class TestWhisper(TranscriberContract):
    @pytest.fixture
    def transcriber(self, opened: Whisper) -> Whisper:
        return opened


@together
async def test_what_it_writes_are_letters_of_its_vocabulary(opened: Whisper) -> None:
    ear = opened.open(lambda words: None)
    found = await ear.transcribe(utterance("goforward"))
    assert found.source == "whisper"
    assert set(found.text) <= set(LETTERS)
    assert len(found.text) > 10


@together
async def test_it_says_what_it_is_and_what_loading_took(opened: Whisper) -> None:
    status = opened.status()
    assert (status.kind, status.name, status.state) == ("transcriber", "whisper", "ready")
    assert "float32, on the processor" in status.detail
    assert [stage.name for stage in status.stages][-3:] == [
        "import",
        "load",
        "warm-up",
    ]


@together
async def test_an_utterance_of_forty_seconds_is_two_windows(opened: Whisper) -> None:
    pcm = np.tile(to_pcm16(clip("jfk")), 4)[: 40 * HEARING_RATE]
    ear = opened.open(lambda words: None)
    found = await ear.transcribe(Utterance(TurnId(1), pcm, 0, len(pcm), heard_at=0.0))
    alone = await ear.transcribe(
        Utterance(TurnId(1), pcm[: 30 * HEARING_RATE], 0, 30 * HEARING_RATE, heard_at=0.0)
    )
    assert len(found.text) > len(alone.text) > 0


async def test_a_server_whose_captions_are_whispers_opens_with_it(folder: Path) -> None:
    config = EnginesConfig(
        profile="scripted", transcriber="whisper", whisper=replace(SETTINGS, model=str(folder))
    )
    async with open_engines(config) as engines:
        (status,) = [one for one in engines.status() if one.kind == "transcriber"]
        assert (status.name, status.state) == ("whisper", "ready")
        assert engines.transcriber is not None
        ear = engines.transcriber.open(lambda words: None)
        assert (await ear.transcribe(utterance("goforward"))).text


async def test_a_model_of_the_hub_is_fetched_once_and_then_needs_no_hub(
    folder: Path, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, model="someone/tiny-whisper")
    with a_hub() as hub:
        files = {file.name: file.read_bytes() for file in folder.iterdir()}
        hub.has(settings.model, {**files, "README.md": b"Not needed."})
        away = HubSettings(endpoint=hub.address, cache=str(tmp_path))
        async with open_whisper(settings, away) as whisper:
            assert "download" in [stage.name for stage in whisper.status().stages]
        assert set(files) <= set(hub.paths())
        assert "README.md" not in hub.paths()
    async with open_whisper(settings, replace(OFFLINE, cache=str(tmp_path))) as whisper:
        assert "download" not in [stage.name for stage in whisper.status().stages]
        assert "someone/tiny-whisper" in whisper.status().detail


async def test_offline_a_model_that_is_not_here_is_refused_by_name(tmp_path: Path) -> None:
    offline = replace(OFFLINE, cache=str(tmp_path))
    with pytest.raises(EngineUnavailable, match="faster-whisper-small") as raised:
        async with open_whisper(replace(SETTINGS, model="small"), offline):
            pass
    assert raised.value.engine == "whisper"


def test_digital_silence_is_not_even_asked_about(folder: Path) -> None:
    assert written(model(folder), np.zeros(HEARING_RATE, np.int16)) == ""


def test_a_longer_sound_may_have_more_words(folder: Path) -> None:
    """This model never ends by itself: what ends it is the bound on tokens."""
    whisper = model(folder)
    lengths = [len(written(whisper, to_pcm16(clip(name)))) for name in ("yes", "jfk")]
    assert lengths[0] < lengths[1] < 12 * 11 + 17


def test_it_stops_after_the_window_at_which_nobody_wants_more(folder: Path) -> None:
    pcm = np.tile(to_pcm16(clip("jfk")), 9)
    whisper = model(folder)
    assert len(list(whisper.transcribe(lambda: True, pcm))) == 1
    assert len(list(whisper.transcribe(lambda: False, pcm))) == 4


def test_eight_bits_are_what_the_processor_gets_unasked(folder: Path) -> None:
    about = model(folder, precision="auto").about(lambda: False)
    assert "int8" in about


@pytest.mark.parametrize("absent", ["tokenizer.json", "model.bin", "config.json"])
def test_a_folder_that_lacks_a_file_is_refused_and_no_hub_asked(
    folder: Path, tmp_path: Path, absent: str
) -> None:
    """Without tokenizer.json, faster-whisper would take another model's from the hub."""
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / absent).unlink()
    with pytest.raises(EngineUnavailable, match=absent):
        model(copy)


def test_a_damaged_model_is_told_by_name(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "model.bin").write_bytes((copy / "model.bin").read_bytes()[:1000])
    with pytest.raises(EngineUnavailable, match="does not load"):
        model(copy)


def test_a_language_it_does_not_know_is_refused(folder: Path) -> None:
    with pytest.raises(EngineUnavailable, match="no language xx"):
        model(folder, language="xx")
