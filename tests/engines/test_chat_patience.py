"""Waiting for a chat server, in virtual time."""

import asyncio

import pytest

from tests.support.clock import run_virtually
from ultraandchat.engines.chat_patience import Patience
from ultraandchat.engines.chat_stream import ChatFailure
from ultraandchat.engines.settings import ChatSettings

SETTINGS = ChatSettings(first_token_timeout_s=3.0, total_timeout_s=60.0)


async def wait(patience: Patience, seconds: float) -> None:
    async with patience:
        await asyncio.sleep(seconds)


def test_all_waits_before_the_first_word_count_together() -> None:
    async def story() -> None:
        patience = Patience(SETTINGS)
        await wait(patience, 2.0)
        with pytest.raises(ChatFailure, match=r"3\.0 s"):
            await wait(patience, 2.0)

    run_virtually(story())


def test_after_the_first_word_the_whole_answer_counts() -> None:
    async def story() -> None:
        patience = Patience(SETTINGS)
        patience.answered = True
        await wait(patience, 59.0)
        with pytest.raises(ChatFailure) as failure:
            await wait(patience, 2.0)
        assert "too long" in failure.value.said

    run_virtually(story())


def test_a_reader_who_takes_its_time_costs_nothing() -> None:
    async def story() -> None:
        patience = Patience(SETTINGS)
        await wait(patience, 2.0)
        await asyncio.sleep(600)
        await wait(patience, 0.5)

    run_virtually(story())


def test_an_error_inside_passes_through() -> None:
    async def story() -> None:
        with pytest.raises(KeyError):
            async with Patience(SETTINGS):
                raise KeyError

    run_virtually(story())
