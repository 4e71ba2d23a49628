"""A server as a process: `run` turns what may go wrong into one line and an exit code.

`serve` is the same for whoever has a loop already.
"""

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from ultraandchat.config import Config, ConfigError
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.server.app import Server
from ultraandchat.server.http_port import allow_many_files
from ultraandchat.server.loop import loop_factory
from ultraandchat.server.terminal import Terminal, say

EXIT_CONFIG = 2
"""The operator asked for something impossible: a setting, a port in use, an unwritable folder."""
EXIT_ENGINE = 1
"""A model cannot run on this machine; the line says what mends it."""


async def serve(config: Config, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; a second one ends the process at once."""
    server = Server(config, announce=announce, terminal=Terminal.found())
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        server.stop()

    with suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
    await server.run()


def run(config: Config) -> int:
    """The process's whole life; returns its exit code."""
    try:
        allow_many_files()
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(serve(config, say))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIG
    except EngineUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_ENGINE
    except KeyboardInterrupt:
        pass
    return 0
