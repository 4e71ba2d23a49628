"""What a factory says of its loading, and how much of it is told."""

import threading

import pytest

from ultraandchat.engines.worker_loading import Loading
from ultraandchat.engines.worker_wire import Progressed


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_new_stage_ends_the_one_before_and_is_told_at_once(clock: Clock) -> None:
    told: list[Progressed] = []
    loading = Loading(told.append, clock)
    clock.now += 3.0
    loading("download", 0, 10)
    clock.now += 5.0
    loading("load", 0, 2)
    clock.now += 1.0
    load_s, stages = loading.end()
    assert [one.stage for one in told] == ["start", "download", "load"]
    assert stages == [("start", 3.0), ("download", 5.0), ("load", 1.0)]
    assert load_s == 9.0
    assert told[1].finished == [("start", 3.0)], "what was told is changed by what comes later"


def test_of_a_download_ten_messages_a_second_are_told_and_its_end(clock: Clock) -> None:
    told: list[Progressed] = []
    loading = Loading(told.append, clock)
    for done in range(1, 10_001):
        clock.now += 0.001
        loading("download", done, 10_000)
    assert 90 <= len(told) <= 110
    assert told[-1].done == 10_000


def test_the_same_numbers_again_are_no_progress(clock: Clock) -> None:
    told: list[Progressed] = []
    loading = Loading(told.append, clock)
    for _ in range(10):
        clock.now += 60.0
        loading("download", 5, 10)
    assert len(told) == 2


def test_it_may_be_called_from_many_threads() -> None:
    inside, most = 0, 0

    def tell(message: Progressed) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        inside -= 1

    loading = Loading(tell)

    def download(number: int) -> None:
        for done in range(500):
            loading(f"download {number}", done, 500)

    threads = [threading.Thread(target=download, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    load_s, stages = loading.end()
    assert most == 1
    assert sum(seconds for _, seconds in stages) == pytest.approx(load_s)
