"""A look-up that hangs holds nobody up."""

import asyncio
import socket
import subprocess
import sys
import threading

import pytest

from ultraandchat.commands.look_up import Resolver, addresses, apart


async def test_a_look_up_that_hangs_is_left_behind() -> None:
    hangs = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await apart(lambda: hangs.wait(60))
    assert any(one.name == "look-up" and one.daemon for one in threading.enumerate())
    hangs.set()


def test_a_program_ends_while_its_look_up_hangs() -> None:
    """asyncio waits at its end for the threads of its own pool, and Python for all that are no daemons."""
    program = """
import asyncio, time
from ultraandchat.commands.look_up import apart
async def main():
    try:
        async with asyncio.timeout(0.05):
            await apart(lambda: time.sleep(600))
    except TimeoutError:
        print("given up")
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "given up\n"


async def test_addresses_are_found() -> None:
    (_, _, _, _, address), *_ = await addresses("127.0.0.1", 7860, socket.SOCK_STREAM)
    assert address == ("127.0.0.1", 7860)


async def test_aiohttp_is_given_addresses_of_the_family_it_asks_for() -> None:
    found = await Resolver().resolve("127.0.0.1", 7860, socket.AF_INET)
    assert (found[0]["host"], found[0]["port"]) == ("127.0.0.1", 7860)
    assert await Resolver().resolve("127.0.0.1", 7860, socket.AF_INET6) == []


@pytest.mark.parametrize("name", ["no.such.host.invalid", "a..b"])
async def test_a_name_that_nobody_knows_is_an_error_of_the_system(name: str) -> None:
    with pytest.raises(OSError, match=r"."):
        await addresses(name, 1, socket.SOCK_STREAM)
