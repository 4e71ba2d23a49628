"""The command line: `serve`, `converse`, `check`. Only argparse is imported until a command runs."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from ultraandchat import __version__

PROFILES = ("auto", "gpu", "demo", "scripted")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status: 0 well, 1 it failed, 2 the caller asked for what is not."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as shells have it


def _run(options: argparse.Namespace) -> int:
    from ultraandchat.config import Config, ConfigError
    from ultraandchat.engines.base import EngineUnavailable

    try:
        config = Config.load(options.config, overrides=_overrides(options))
        command = importlib.import_module(f"ultraandchat.commands.{options.command}")
        status: int = command.run(config, options)
    except ConfigError as error:
        return _refuse(error, 2)
    except EngineUnavailable as error:
        return _refuse(error, 1)
    return status


def _refuse(error: Exception, status: int) -> int:
    print(f"ultraandchat: {error}", file=sys.stderr)
    return status


def _overrides(options: argparse.Namespace) -> list[str]:
    """Flags that stand for a setting, as settings; `--set` comes last and wins."""
    flags = {"profile": "engines.profile", "host": "server.host", "port": "server.port"}
    chosen = {name: getattr(options, name, None) for name in flags}
    given = [f"{flags[name]}={value}" for name, value in chosen.items() if value is not None]
    if getattr(options, "tls", None):
        given.append("tls.self_signed=true")
    if getattr(options, "verbose", False):
        given.append("logs.level=debug")
    return given + list(options.set)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ultraandchat", description="A self-hosted real-time speech-to-speech server."
    )
    parser.add_argument("--version", action="version", version=f"ultraandchat {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_serve(commands)
    _add_converse(commands)
    _add_check(commands)
    return parser


def _add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serve = commands.add_parser(
        "serve", help="start the server", description="Start the server; open its page and talk."
    )
    _add_settings(serve)
    serve.add_argument("--host", help="address to listen on (server.host; 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (server.port; 7860)")
    serve.add_argument(
        "--tls",
        choices=("self-signed",),
        help="https with a certificate of its own, for a phone in the same network (tls.self_signed)",
    )
    serve.add_argument(
        "-v", "--verbose", action="store_true", help="log everything, what is said included"
    )


def _add_converse(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    converse = commands.add_parser(
        "converse",
        help="let a wav file be the caller",
        description="Play a wav file to the agent in real time and print what both sides say.",
    )
    converse.add_argument("wav", type=Path, metavar="IN.wav", help="the caller's side")
    converse.add_argument(
        "-o", "--output", type=Path, metavar="OUT.wav", help="write the agent's side here"
    )
    converse.add_argument(
        "--url", metavar="ADDRESS", help="talk to this running server: the address that it printed"
    )
    _add_fingerprint(converse)
    _add_settings(converse)


def _add_check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    check = commands.add_parser(
        "check",
        help="say what would run here, and what is missing",
        description="Say what would run here and what is missing. Status 0: `serve` can start.",
    )
    check.add_argument(
        "--network",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="which ways sound can take, from this machine as a server, or as a caller of the server "
        "at ADDRESS (the one that it printed); status 0: one of them carries sound",
    )
    _add_fingerprint(check)
    _add_settings(check)


def _add_fingerprint(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--fingerprint",
        metavar="SHA256",
        help="of the server's certificate, if nobody vouches for it: the server printed it too",
    )


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", type=Path, metavar="FILE", help="settings as TOML")
    command.add_argument("--profile", choices=PROFILES, help="which engines (engines.profile)")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any setting of docs/configuration.md, such as turn.endpoint_ms=500; repeatable",
    )
