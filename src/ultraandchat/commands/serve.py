"""`ultraandchat serve`: the server, until it is told to stop."""

import argparse

from ultraandchat.config import Config
from ultraandchat.server import process


def run(config: Config, options: argparse.Namespace) -> int:
    """Serve; the server's own exit status."""
    return process.run(config)
