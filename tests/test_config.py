"""Settings from a file, the environment and `--set`: precedence, and one line for every mistake."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.config import Config, ConfigError, settings


def load(*overrides: str, file: Path | None = None, **environ: str) -> Config:
    return Config.load(file, environ=environ, overrides=overrides)


def toml(folder: Path, text: str) -> Path:
    file = folder / "ultraandchat.toml"
    file.write_text(text, encoding="utf-8")
    return file


def refusal(*overrides: str, file: Path | None = None, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(*overrides, file=file, **environ)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_without_a_word_everything_has_its_default() -> None:
    assert load() == Config()


def test_a_file_is_read(tmp_path: Path) -> None:
    config = load(file=toml(tmp_path, "[turn]\nendpoint_ms = 500\n[engines.chat]\nmodel = 'm'\n"))
    assert config.turn.endpoint_ms == 500
    assert config.engines.chat.model == "m"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = toml(tmp_path, "[turn]\nendpoint_ms = 500\n")
    assert load(file=file, ULTRAANDCHAT_TURN__ENDPOINT_MS="400").turn.endpoint_ms == 400


def test_set_wins_over_the_environment() -> None:
    config = load("turn.endpoint_ms=300", ULTRAANDCHAT_TURN__ENDPOINT_MS="400")
    assert config.turn.endpoint_ms == 300


def test_the_last_set_wins() -> None:
    assert load("server.port=1", "server.port=2").server.port == 2


def test_settings_of_one_section_add_up_over_the_places(tmp_path: Path) -> None:
    file = toml(tmp_path, "[turn]\nendpoint_ms = 500\n")
    turn = load("turn.start_ms=64", file=file, ULTRAANDCHAT_TURN__PREROLL_MS="200").turn
    assert (turn.endpoint_ms, turn.start_ms, turn.preroll_ms) == (500, 64, 200)


def test_other_variables_of_the_environment_mean_nothing() -> None:
    assert load(PATH="/bin", TURN__ENDPOINT_MS="1") == Config()


def test_a_value_may_hold_equals_signs() -> None:
    assert load("engines.chat.api_key=a=b=").engines.chat.api_key == "a=b="


def test_a_list_is_written_with_commas() -> None:
    config = load("server.trusted_proxies=10.0.0.0/8,::1/128")
    assert config.server.trusted_proxies == ("10.0.0.0/8", "::1/128")


def test_a_list_in_a_file_is_a_list(tmp_path: Path) -> None:
    file = toml(tmp_path, '[server]\ntrusted_proxies = ["10.0.0.0/8"]\n')
    assert load(file=file).server.trusted_proxies == ("10.0.0.0/8",)


def test_a_secret_is_not_shown() -> None:
    assert "hunter2" not in repr(load("engines.chat.api_key=hunter2"))


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("turn.endpoit_ms=500", ["--set turn.endpoit_ms", "did you mean turn.endpoint_ms?"]),
        ("turns.endpoint_ms=500", ["did you mean turn.endpoint_ms?"]),
        ("engines.chat.url=x", ["there is no setting engines.chat.url"]),
        ("zzz=1", ["there is no setting zzz"]),
        ("turn=1", ["turn is a section"]),
        ("turn.endpoint_ms.more=1", ["turn.endpoint_ms"]),
        ("turn.start_ms.more=1", ["turn.start_ms"]),
        ("turn.endpoint_ms", ["write it as section.name=value"]),
        ("turn.endpoint_ms=soon", ["turn.endpoint_ms", "int"]),
        ("turn.endpoint_ms=1.5", ["turn.endpoint_ms", "int"]),
        ("engines.profile=gpt", ["engines.profile", "gpt"]),
        ("turn.pause_ms=900", ["turn.pause_ms"]),
        ("turn.silence_threshold=0.9", ["turn.silence_threshold"]),
        ("turn.longest_utterance_s=500", ["turn.longest_utterance_s"]),
        ("playout.fade_ms=50", ["playout.fade_ms"]),
        ("server.port=99999", ["server.port"]),
        ("server.trusted_proxies=everyone", ["server.trusted_proxies"]),
        ("logs.level=loud", ["logs.level"]),
        ("session.max_timers=-1", ["session.", "max_timers"]),
        ("turn.gate_dbfs=nan", ["turn.gate_dbfs"]),
        ("server.heartbeat_s=inf", ["server.heartbeat_s"]),
        ("turn.overlap_pass_ms=0", ["turn.overlap_pass_ms"]),
        ("turn.endpoint_ms=3600000", ["turn.endpoint_ms"]),
        ("turn.gate_dbfs=0", ["turn.gate_dbfs"]),
        ("turn.gate_agreement=2", ["turn.gate_agreement"]),
        ("server.messages_per_s=0.1", ["server.messages_per_s"]),
        ("logs.keep=1000000000", ["logs.keep"]),
        ("engines.sphinx.final_workers=0", ["engines.sphinx.final_workers"]),
        ("engines.sphinx.stream_workers=5000", ["engines.sphinx.stream_workers"]),
        ("engines.sphinx.grammar_threshold=58", ["engines.sphinx.grammar_threshold"]),
        ("engines.sphinx.deadline_ms=-1", ["engines.sphinx.deadline_ms"]),
        ("engines.chat.temperature=-1", ["engines.chat.temperature"]),
        ("engines.chat.max_tokens=0", ["engines.chat.max_tokens"]),
        ("engines.chat.first_token_timeout_s=0", ["[engines.chat]"]),
        ("engines.ultravox_server.temperature=3", ["engines.ultravox_server.temperature"]),
        ("engines.ultravox_server.max_sounds=0", ["engines.ultravox_server", "max_sounds"]),
        ("engines.ultravox_server.total_timeout_s=0", ["[engines.ultravox_server]"]),
        ("engines.whisper.device=gpu", ["engines.whisper.device"]),
        ("engines.whisper.deadline_ms=0", ["engines.whisper.deadline_ms"]),
        ("engines.ultravox.checkpoint=", ["engines.ultravox.checkpoint"]),
        ("engines.ultravox.device=gpu", ["engines.ultravox.device"]),
        ("engines.ultravox.precision=int4", ["engines.ultravox.precision"]),
        ("engines.ultravox.window=64", ["engines.ultravox.window"]),
        ("engines.ultravox.temperature=3", ["engines.ultravox.temperature"]),
        ("engines.ultravox.repetition_penalty=0", ["engines.ultravox.repetition_penalty"]),
        ("engines.ultravox.max_tokens=3000", ["engines.ultravox.max_tokens"]),
        ("engines.scripted.speed=0", ["engines.scripted", "speed"]),
        ("engines.scripted.clauses=1000000000", ["engines.scripted.clauses"]),
    ],
)
def test_a_mistake_is_one_line_that_names_the_setting(override: str, words: list[str]) -> None:
    message = refusal(override)
    for word in words:
        assert word in message


@pytest.mark.parametrize("section", ["chat", "ultravox_server"])
def test_a_model_that_may_take_longer_than_a_reply_is_refused(section: str) -> None:
    slow = f"engines.{section}.first_token_timeout_s=20"
    load(slow)  # nobody asks a model
    model = f"engines.{section}.base_url=http://localhost:11434/v1"
    with pytest.raises(ConfigError, match=r"below turn\.reply_timeout_s"):
        load(slow, model)
    assert load(slow, model, "turn.reply_timeout_s=30").turn.reply_timeout_s == 30


def test_a_mistake_in_the_environment_names_the_variable() -> None:
    message = refusal(ULTRAANDCHAT_TURN__ENDPOIT_MS="1")
    assert "ULTRAANDCHAT_TURN__ENDPOIT_MS" in message
    assert "did you mean turn.endpoint_ms?" in message


def test_a_mistake_in_a_file_names_the_file(tmp_path: Path) -> None:
    file = toml(tmp_path, "[turn]\nendpoit_ms = 1\n")
    assert str(file) in refusal(file=file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "absent.toml" in refusal(file=tmp_path / "absent.toml")


@pytest.mark.parametrize("text", ["[turn", "turn = = 1", "[turn]\na = 1\na = 2\n"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, text: str) -> None:
    file = toml(tmp_path, text)
    assert str(file) in refusal(file=file)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(b"\xff\xfe\x00")
    assert str(file) in refusal(file=file)


def test_a_wrong_type_in_a_file_names_the_setting(tmp_path: Path) -> None:
    assert "server.port" in refusal(file=toml(tmp_path, "[server]\nport = [1]\n"))


def test_every_setting_can_be_set_to_its_default() -> None:
    for name, _, default in settings():
        if default is None:
            continue
        shown = ",".join(default) if isinstance(default, tuple) else str(default)
        assert load(f"{name}={shown}") == Config(), name


def complaint(override: str) -> str | None:
    """What is said against it, if anything; every other error comes through."""
    try:
        load(override)
    except ConfigError as error:
        return str(error)
    return None


@given(st.text(), st.text())
def test_whatever_is_set_there_is_a_config_or_a_line_that_says_why(name: str, value: str) -> None:
    assert complaint(f"{name}={value}") != ""


@given(st.sampled_from(sorted(name for name, _, _ in settings())), st.text(max_size=20))
def test_any_value_is_taken_or_refused_by_its_sections_name(name: str, value: str) -> None:
    message = complaint(f"{name}={value}")
    assert message is None or name.split(".")[0] in message
