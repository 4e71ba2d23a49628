"""Every setting: one frozen tree, filled from a TOML file, the environment and `--set`, in that order.

Sections live beside what they steer; this file composes and loads them, so the core never imports it.
"""

import difflib
import math
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from ultraandchat.access_config import AccessConfig, TlsConfig
from ultraandchat.engines.settings import EnginesConfig
from ultraandchat.playout.policy import PlayoutPolicy
from ultraandchat.pod import Pod
from ultraandchat.session import SessionConfig
from ultraandchat.transport.webrtc_config import WebRtcConfig
from ultraandchat.turn.policy import TurnPolicy

ENVIRONMENT_PREFIX = "ULTRAANDCHAT_"
"""`ULTRAANDCHAT_TURN__ENDPOINT_MS=500` is `turn.endpoint_ms`; two underscores stand for the dot."""

POD_HOST = "0.0.0.0"
"""Where a server on a Runpod pod listens unless it is told otherwise: the pod's proxy calls from outside."""


class ConfigError(Exception):
    """The operator's fault: one readable line, before anything starts."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Where the server listens and what it bears."""

    host: str = "127.0.0.1"
    """Address to listen on; on a Runpod pod 0.0.0.0. Browsers give the microphone to `localhost` and to https pages only."""
    port: int = 7860
    """TCP port; 0 takes a free one and says which."""
    max_conversations: int = 16
    """One more is refused, and told why and when to come back."""
    max_waiting: int = 64
    """Connections that have not begun a conversation; one more takes the place of the one silent for longest."""
    max_connections: int = 512
    """HTTP connections, those of conversations included; one more takes the place of the one that has been of no use for longest."""
    retry_after_s: float = 20.0
    """What a refused caller is told to wait."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) whose X-Forwarded-For is believed when the caller's address is written down."""
    heartbeat_s: float = 15.0
    """WebSocket pings; a peer that does not answer one is gone. Proxies close what is idle for 100 s."""
    idle_timeout_s: float = 600.0
    """A connection that sends neither sound nor messages for this long is closed."""
    messages_per_s: float = 20.0
    """Control messages one caller may send in a steady stream; five times that in a burst."""
    sound_speed: float = 3.0
    """A caller may send sound this many times faster than real time (after a stall, say); beyond it the connection closes."""
    stop_grace_s: float = 5.0
    """On SIGTERM conversations have this long to end."""

    def __post_init__(self) -> None:
        """Refuse numbers with which no caller could be served."""
        if not 0 <= self.port <= 65_535:
            raise ValueError("server.port must be 0…65535")
        if self.max_conversations < 1:
            raise ValueError("server.max_conversations must be at least 1")
        if self.max_waiting < 1:
            raise ValueError("server.max_waiting must be at least 1")
        if self.max_connections <= self.max_conversations + self.max_waiting:
            raise ValueError(
                "server.max_connections must be above server.max_conversations and "
                "server.max_waiting together: each is a connection"
            )
        if min(self.heartbeat_s, self.messages_per_s) < 1:
            raise ValueError("server.heartbeat_s and server.messages_per_s must be at least 1")
        if self.idle_timeout_s <= 0:
            raise ValueError("server.idle_timeout_s must be above 0")
        if self.sound_speed < 1:
            raise ValueError("server.sound_speed must be at least 1: sound comes in real time")
        if min(self.stop_grace_s, self.retry_after_s) < 0:
            raise ValueError("times in [server] must not be negative")
        for network in self.trusted_proxies:
            try:
                ip_network(network)
            except ValueError as error:
                raise ValueError(f"server.trusted_proxies: {error}") from None


@dataclass(frozen=True, slots=True)
class LogsConfig:
    """What is written down, and where."""

    directory: str = "/tmp/logs"
    """Rotating files, one for each component; empty: console only."""
    level: str = "info"
    """debug, info, warning or error. Nothing a person said is logged above debug."""
    max_bytes: int = 5_000_000
    """A file is rotated at this size."""
    keep: int = 3
    """Rotated files kept for each component."""

    def __post_init__(self) -> None:
        if self.level not in ("debug", "info", "warning", "error"):
            raise ValueError("logs.level must be debug, info, warning or error")
        if self.max_bytes < 10_000 or not 1 <= self.keep <= 1000:
            raise ValueError("logs.max_bytes must be at least 10000 and logs.keep 1…1000")


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be configured."""

    server: ServerConfig = field(default_factory=ServerConfig)
    access: AccessConfig = field(default_factory=AccessConfig)
    tls: TlsConfig = field(default_factory=TlsConfig)
    webrtc: WebRtcConfig = field(default_factory=WebRtcConfig)
    turn: TurnPolicy = field(default_factory=TurnPolicy)
    playout: PlayoutPolicy = field(default_factory=PlayoutPolicy)
    session: SessionConfig = field(default_factory=SessionConfig)
    engines: EnginesConfig = field(default_factory=EnginesConfig)
    logs: LogsConfig = field(default_factory=LogsConfig)

    def __post_init__(self) -> None:
        """Refuse what fits in each section and not together."""
        for section in ("chat", "ultravox_server"):
            server = getattr(self.engines, section)
            if server.base_url and server.first_token_timeout_s >= self.turn.reply_timeout_s:
                raise ValueError(
                    f"engines.{section}.first_token_timeout_s must be below turn.reply_timeout_s, "
                    "after which a reply is given up; raise both for a slow model"
                )

    @classmethod
    def load(
        cls,
        file: Path | None = None,
        environ: Mapping[str, str] = os.environ,
        overrides: Sequence[str] = (),
    ) -> "Config":
        """The configuration, or `ConfigError` with one line that names the setting.

        What a Runpod pod needs comes first, so that whatever the operator sets wins over it.
        """
        tree: dict[str, Any] = {"server": {"host": POD_HOST}} if Pod.read(environ).is_pod else {}
        if file is not None:
            _merge(tree, _read(file), str(file))
        for name, value in sorted(environ.items()):
            if name.startswith(ENVIRONMENT_PREFIX):
                path = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
                _merge(tree, _nest(path, value), name)
        for override in overrides:
            key, equals, value = override.partition("=")
            if not equals:
                raise ConfigError(f"--set {override}: write it as section.name=value")
            _merge(tree, _nest(key.strip().split("."), value), f"--set {key}")
        try:
            config = msgspec.convert(tree, cls, strict=False)
        except msgspec.ValidationError as error:
            raise ConfigError(_readable(error)) from None
        for setting, number in _numbers(config):
            if not math.isfinite(number):
                raise ConfigError(f"{setting}: {number} is no number of anything")
        return config


def settings(kind: type = Config, prefix: str = "") -> Iterable[tuple[str, type, Any]]:
    """Every setting as (dotted name, section it belongs to, default)."""
    hints = get_type_hints(kind)
    instance = kind()
    for item in fields(kind):
        name = f"{prefix}{item.name}"
        if is_dataclass(hints[item.name]):
            yield from settings(hints[item.name], f"{name}.")
        else:
            yield name, kind, getattr(instance, item.name)


def _numbers(section: Any, prefix: str = "") -> Iterable[tuple[str, float]]:
    for item in fields(section):
        value = getattr(section, item.name)
        if is_dataclass(value):
            yield from _numbers(value, f"{prefix}{item.name}.")
        elif isinstance(value, float):
            yield f"{prefix}{item.name}", value


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: {error}") from None


def _nest(path: Sequence[str], value: str) -> dict[str, Any]:
    tree: Any = value
    for name in reversed(path):
        tree = {name: tree}
    return dict(tree)


def _merge(tree: dict[str, Any], more: Mapping[str, Any], where: str, prefix: str = "") -> None:
    """Put `more` over `tree`, refusing names that are no setting."""
    known = {name for name, _, _ in settings()}
    for key, value in more.items():
        name = f"{prefix}{key}"
        section = any(other.startswith(f"{name}.") for other in known)
        if not section and name not in known:
            name = _whole(name, value)
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigError(f"{where}: there is no setting {name}{hint}")
        if section:
            if not isinstance(value, Mapping):
                raise ConfigError(f"{where}: {name} is a section, not a setting")
            _merge(tree.setdefault(key, {}), value, where, f"{name}.")
        else:
            tree[key] = _listed(value) if _is_list(name) and isinstance(value, str) else value


def _whole(name: str, value: Any) -> str:
    """The dotted name down to the first value, where an unknown name stands for a section."""
    while isinstance(value, Mapping) and value:
        key, value = next(iter(value.items()))
        name = f"{name}.{key}"
    return name


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _is_list(name: str) -> bool:
    return any(name == other and isinstance(default, tuple) for other, _, default in settings())


def _readable(error: msgspec.ValidationError) -> str:
    """msgspec's "Expected `int`, got `str` - at `$.turn.endpoint_ms`", the setting's name first."""
    what, _, where = str(error).partition(" - at `$.")
    where = where.rstrip("`")
    return what if not where or what.startswith(where) else f"{where}: {what}"
