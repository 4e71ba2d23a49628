"""Names become engines, and what is missing is told with its remedy, before anything loads."""

import importlib.util
from dataclasses import replace
from typing import Literal

import pytest

from tests.support.nvml import no_gpu, one_gpu
from ultraandchat.engines import choice
from ultraandchat.engines.about import about, greeting
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.engines.chatterbox.settings import ChatterboxSettings
from ultraandchat.engines.choice import Choice, Finding, chosen, survey
from ultraandchat.engines.settings import (
    ChatSettings,
    EnginesConfig,
    UltravoxServerSettings,
    WhisperSettings,
)
from ultraandchat.engines.ultravox.settings import UltravoxSettings

DEMO = EnginesConfig(profile="demo")
CHAT = ChatSettings(base_url="http://localhost:9/v1")


def found(config: EnginesConfig, kind: str) -> Finding:
    return next(finding for finding in survey(config) if finding.name.startswith(kind))


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nothing but the base package is installed."""
    look = importlib.util.find_spec
    extras = ("pocketsphinx", "espeakng_loader", "faster_whisper", "torch")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in extras else look(name)
    )
    monkeypatch.setenv("PATH", "")

    def require(versions: object) -> None:
        raise EngineUnavailable("chatterbox", "chatterbox-tts is not here", "Install it.")

    monkeypatch.setattr("ultraandchat.engines.chatterbox.fitness.require", require)


def test_the_scripted_profile_is_scripted_throughout() -> None:
    assert chosen(EnginesConfig(profile="scripted")) == Choice("scripted", "scripted", "scripted")


def test_a_name_goes_before_the_profile() -> None:
    config = EnginesConfig(profile="scripted", transcriber="none", language="chat", speech="espeak")
    assert chosen(config) == Choice("none", "chat", "espeak")


def test_the_demo_profile_speaks_with_flite_where_it_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert chosen(DEMO) == Choice("sphinx", "skills", "flite")


def test_the_demo_profile_speaks_with_espeak_elsewhere(bare: None) -> None:
    assert chosen(DEMO) == Choice("sphinx", "skills", "espeak")


def test_a_scripted_server_needs_nothing(bare: None) -> None:
    assert all(finding.ok for finding in survey(EnginesConfig(profile="scripted")))


def test_what_is_missing_is_told_with_its_remedy(bare: None) -> None:
    missing = {finding.name: finding for finding in survey(DEMO) if not finding.ok}
    assert set(missing) == {"transcriber: sphinx", "speech: espeak"}
    assert all("ultraandchat[demo]" in finding.remedy for finding in missing.values())
    assert found(replace(DEMO, speech="flite"), "speech").remedy == "apt install flite"


def test_without_silero_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ultraandchat.engines.silero.WEIGHTS", "nowhere.npz")
    finding = found(EnginesConfig(profile="scripted"), "voice activity")
    assert not finding.ok
    assert "pip install" in finding.remedy


def test_chat_alone_needs_an_address() -> None:
    assert found(replace(DEMO, language="chat"), "language").remedy == choice.CHAT_REMEDY
    assert found(replace(DEMO, language="chat", chat=CHAT), "language").ok


def test_whisper_needs_its_package(bare: None) -> None:
    config = EnginesConfig(profile="scripted", transcriber="whisper")
    finding = found(config, "transcriber")
    assert not finding.ok
    assert "ultraandchat[gpu]" in finding.remedy
    elsewhere = replace(config, whisper=WhisperSettings(model="small", python="/models/bin/python"))
    assert found(elsewhere, "transcriber").ok
    assert "small" in found(elsewhere, "transcriber").detail


@pytest.mark.parametrize(("device", "can_start"), [("auto", True), ("cuda", False)])
def test_whisper_on_a_gpu_needs_cuda_12s_cublas(
    monkeypatch: pytest.MonkeyPatch, device: Literal["auto", "cuda"], can_start: bool
) -> None:
    monkeypatch.setattr("ultraandchat.engines.whisper.installed", lambda whisper: True)
    monkeypatch.setattr(
        "ultraandchat.engines.whisper_device.lacking_cublas", lambda: "libcublas.so.12"
    )
    one_gpu(monkeypatch, 10**10)
    config = replace(DEMO, transcriber="whisper", whisper=WhisperSettings(device=device))
    finding = found(config, "transcriber")
    assert finding.ok is can_start
    assert "libcublas.so.12" in finding.detail
    assert "nvidia-cublas-cu12" in finding.remedy
    no_gpu(monkeypatch)
    assert found(config, "transcriber").remedy == ""


def test_a_server_that_hears_needs_an_address() -> None:
    unset = replace(DEMO, language="ultravox-server")
    assert found(unset, "language").remedy == choice.SERVER_REMEDY
    server = UltravoxServerSettings(base_url="http://localhost:8000/v1", model="mine")
    config = replace(unset, ultravox_server=server)
    assert found(config, "language").ok
    assert "mine at http://localhost:8000/v1" in found(config, "language").detail
    assert "hears speech itself" in about(chosen(config), config)
    assert "rules" not in greeting(chosen(config), config)


def test_the_demo_says_what_it_is_and_the_line_that_changes_it() -> None:
    text = about(Choice("sphinx", "skills", "flite"), DEMO)
    assert "small offline recogniser" in text
    assert "rule-based responder, not a language model" in text
    assert "ultraandchat serve --set engines.chat.base_url=" in text
    assert "rules" in greeting(Choice("sphinx", "skills", "flite"), DEMO)


def test_with_a_language_model_it_no_longer_says_that_there_is_none() -> None:
    config = replace(DEMO, chat=CHAT)
    assert "not a language model" not in about(chosen(config), config)
    assert "rules" not in greeting(chosen(config), config)
    alone = replace(DEMO, language="chat", chat=CHAT)
    assert "rules" not in about(chosen(alone), alone)


def test_scripted_engines_do_not_speak_first_and_say_what_they_are() -> None:
    config = EnginesConfig(profile="scripted")
    assert greeting(chosen(config), config) == ""
    assert "nothing is understood" in about(chosen(config), config)


def test_ultravox_is_named_and_so_is_who_writes_down_what_is_said() -> None:
    config = EnginesConfig(profile="gpu", speech="flite")
    text = about(Choice("sphinx", "ultravox", "flite"), config)
    assert "heard and answered by Ultravox (fixie-ai/ultravox-v0_6-llama-3_1-8b)" in text
    assert "flite speaks its answers" in text
    assert "pocketsphinx" in text
    assert "Nobody writes down" in about(Choice("none", "ultravox", "flite"), config)
    assert "rules" not in greeting(chosen(config), config)


def test_a_folder_of_weights_is_named_without_the_way_to_it() -> None:
    for folder in ("/home/somebody/secret/tiny-v06/", "../tiny-v06", "tests/data/models/tiny-v06"):
        config = EnginesConfig(profile="gpu", ultravox=UltravoxSettings(checkpoint=folder))
        assert "(tiny-v06)" in about(Choice("none", "ultravox", "flite"), config)


def test_ultravox_needs_torch_and_a_gpu(monkeypatch: pytest.MonkeyPatch, bare: None) -> None:
    no_gpu(monkeypatch)
    config = EnginesConfig(profile="gpu")
    assert found(config, "language").remedy == choice.GPU_EXTRA
    elsewhere = replace(config, ultravox=UltravoxSettings(python="/opt/python"))
    assert found(elsewhere, "language").remedy == choice.NO_GPU
    tiny = replace(config, ultravox=UltravoxSettings(python="/opt/python", device="cpu"))
    assert found(tiny, "language").ok


def test_captions_of_its_own_need_ultravox() -> None:
    config = replace(DEMO, transcriber="ultravox")
    assert found(config, "transcriber").remedy == "--set engines.language=ultravox"
    assert not found(config, "transcriber").ok


def test_the_gpu_profile_has_the_best_captions_that_are_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look = importlib.util.find_spec
    for installed, transcriber in [
        (("faster_whisper", "pocketsphinx"), "whisper"),
        (("pocketsphinx",), "sphinx"),
        ((), "ultravox"),
    ]:

        def found(name: str, there: tuple[str, ...] = installed) -> object:
            known = ("faster_whisper", "pocketsphinx")
            return (object() if name in there else None) if name in known else look(name)

        monkeypatch.setattr(importlib.util, "find_spec", found)
        assert chosen(EnginesConfig(profile="gpu")).transcriber == transcriber


def test_on_a_server_ultravox_is_not_asked_for_captions(bare: None) -> None:
    config = EnginesConfig(profile="gpu", language="ultravox-server")
    assert chosen(config).transcriber == "none"
    assert chosen(replace(config, transcriber="whisper")).transcriber == "whisper"


def test_the_gpu_profile_speaks_with_chatterbox() -> None:
    config = EnginesConfig(profile="gpu")
    assert chosen(config).speech == "chatterbox"
    assert chosen(replace(config, speech="flite")).speech == "flite"
    assert "Chatterbox turbo speaks its answers" in about(chosen(config), config)


def test_chatterbox_needs_its_package_and_a_gpu(
    monkeypatch: pytest.MonkeyPatch, bare: None
) -> None:
    no_gpu(monkeypatch)
    asked_for = EnginesConfig(profile="scripted", speech="chatterbox")
    finding = found(asked_for, "speech")
    assert (finding.ok, finding.detail) == (False, "chatterbox-tts is not here")
    assert finding.remedy == "Install it."
    there = ChatterboxSettings(python="/opt/python", variant="original")
    finding = found(replace(asked_for, chatterbox=there), "speech")
    assert (finding.ok, finding.remedy) == (False, choice.NO_GPU)
    one_gpu(monkeypatch, 10**10)
    finding = found(replace(asked_for, chatterbox=there), "speech")
    assert (finding.ok, finding.detail) == (True, "Chatterbox original")


def test_where_only_the_profile_chose_chatterbox_a_small_voice_will_do(
    monkeypatch: pytest.MonkeyPatch, bare: None
) -> None:
    no_gpu(monkeypatch)
    config = EnginesConfig(profile="gpu")
    assert not found(config, "speech").ok  # none is installed
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    finding = found(config, "speech")
    assert (finding.ok, finding.detail) == (
        True,
        "chatterbox-tts is not here; flite speaks instead",
    )
    assert finding.remedy == "Install it."
