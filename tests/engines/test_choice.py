"""Names become engines, and what is missing is told with its remedy, before anything loads."""

import importlib.util

import pytest

from ultraandchat.engines import choice
from ultraandchat.engines.choice import Choice, Finding, about, chosen, greeting, survey
from ultraandchat.engines.settings import ChatSettings, EnginesConfig

CHAT = ChatSettings(base_url="http://localhost:9/v1")


def found(config: EnginesConfig, kind: str) -> Finding:
    return next(finding for finding in survey(config) if finding.name.startswith(kind))


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nothing but the base package is installed."""
    look = importlib.util.find_spec
    demo = ("pocketsphinx", "espeakng_loader")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in demo else look(name)
    )
    monkeypatch.setenv("PATH", "")


def test_the_scripted_profile_is_scripted_throughout() -> None:
    assert chosen(EnginesConfig(profile="scripted")) == Choice("scripted", "scripted", "scripted")


def test_a_name_goes_before_the_profile() -> None:
    config = EnginesConfig(profile="scripted", transcriber="none", language="chat", speech="espeak")
    assert chosen(config) == Choice("none", "chat", "espeak")


def test_the_demo_profile_speaks_with_flite_where_it_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert chosen(EnginesConfig()) == Choice("sphinx", "skills", "flite")


def test_the_demo_profile_speaks_with_espeak_elsewhere(bare: None) -> None:
    assert chosen(EnginesConfig()) == Choice("sphinx", "skills", "espeak")


def test_a_scripted_server_needs_nothing(bare: None) -> None:
    assert all(finding.ok for finding in survey(EnginesConfig(profile="scripted")))


def test_what_is_missing_is_told_with_its_remedy(bare: None) -> None:
    missing = {finding.name: finding for finding in survey(EnginesConfig()) if not finding.ok}
    assert set(missing) == {"transcriber: sphinx", "speech: espeak"}
    assert all("ultraandchat[demo]" in finding.remedy for finding in missing.values())
    assert found(EnginesConfig(speech="flite"), "speech").remedy == "apt install flite"


def test_without_silero_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ultraandchat.engines.silero.WEIGHTS", "nowhere.npz")
    finding = found(EnginesConfig(profile="scripted"), "voice activity")
    assert not finding.ok
    assert "pip install" in finding.remedy


def test_chat_alone_needs_an_address() -> None:
    assert found(EnginesConfig(language="chat"), "language").remedy == choice.CHAT_REMEDY
    assert found(EnginesConfig(language="chat", chat=CHAT), "language").ok


def test_the_demo_says_what_it_is_and_the_line_that_changes_it() -> None:
    text = about(Choice("sphinx", "skills", "flite"), EnginesConfig())
    assert "small offline recogniser" in text
    assert "rule-based responder, not a language model" in text
    assert "ultraandchat serve --set engines.chat.base_url=" in text
    assert "rules" in greeting(Choice("sphinx", "skills", "flite"), EnginesConfig())


def test_with_a_language_model_it_no_longer_says_that_there_is_none() -> None:
    config = EnginesConfig(chat=CHAT)
    assert "not a language model" not in about(chosen(config), config)
    assert "rules" not in greeting(chosen(config), config)
    alone = EnginesConfig(language="chat", chat=CHAT)
    assert "rules" not in about(chosen(alone), alone)


def test_scripted_engines_do_not_speak_first_and_say_what_they_are() -> None:
    config = EnginesConfig(profile="scripted")
    assert greeting(chosen(config), config) == ""
    assert "nothing is understood" in about(chosen(config), config)
