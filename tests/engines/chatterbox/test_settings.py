"""What `[engines.chatterbox]` takes, and what it refuses by name."""

from pathlib import Path

import pytest

from ultraandchat.config import Config, ConfigError
from ultraandchat.engines.chatterbox.settings import ChatterboxSettings
from ultraandchat.engines.chatterbox.variants import MULTILINGUAL


def loaded(*overrides: str) -> ChatterboxSettings:
    given = [f"engines.chatterbox.{one}" for one in overrides]
    return Config.load(environ={}, overrides=given).engines.chatterbox


def test_turbo_speaks_where_nobody_chooses() -> None:
    settings = loaded()
    assert settings.repository == "ResembleAI/chatterbox-turbo"
    assert (settings.language, settings.watermark, settings.seed) == ("en", True, None)
    assert settings.shown == "Chatterbox turbo"


def test_numbers_that_are_not_set_are_the_variants() -> None:
    settings = loaded("variant=original", "temperature=0.5", "exaggeration=0.9", "seed=7")
    assert (settings.temperature, settings.exaggeration, settings.guidance) == (0.5, 0.9, None)
    assert settings.seed == 7


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (["variant=huge"], "huge"),
        (["device=tpu"], "device must be auto"),
        (["slots=0"], "slots must be 1…64"),
        (["language=de"], "must be one of en for the variant turbo"),
        (["variant=multilingual", "language=xx"], "must be one of ar, da"),
        (["temperature=0"], "temperature must be above 0"),
        (["exaggeration=0.5"], "exaggeration: the variant turbo has none"),
        (["guidance=0.5"], "guidance: the variant turbo has none"),
        (["variant=original", "guidance=3"], "guidance must be 0…2"),
        (["seed=-1"], "seed must be 0"),
        (["precision=int8"], "precision"),
    ],
)
def test_what_cannot_be_is_refused_by_name(overrides: list[str], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        loaded(*overrides)


def test_every_language_of_the_multilingual_variant_is_taken() -> None:
    for code in MULTILINGUAL.languages:
        assert loaded("variant=multilingual", f"language={code}").language == code


def test_voices_are_kept_where_data_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert loaded().folder == Path("/data/ultraandchat/voices")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert loaded().folder == Path("/home/somebody/.local/share/ultraandchat/voices")
    assert loaded("voices=~/mine").folder == Path("/home/somebody/mine")
    assert loaded("voices=~/mine").store == Path("/home/somebody/mine/.prepared")


def test_a_folder_of_weights_is_shown_without_the_way_to_it() -> None:
    assert ChatterboxSettings(checkpoint="/secret/tiny/").shown == "Chatterbox turbo (tiny)"
