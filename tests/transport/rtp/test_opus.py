"""Which Opus is chosen."""

from collections.abc import Iterator

import pytest

from ultraandchat.transport.rtp.libopus import Libopus
from ultraandchat.transport.rtp.opus import find_opus


def found_none() -> Iterator[Libopus]:
    return iter(())


def test_libopus_is_chosen_where_it_is() -> None:
    found = list(Libopus.found())
    if not found:
        pytest.skip("no libopus to load here")
    chosen = find_opus()
    assert chosen.name == found[0].name
    assert chosen.conceals
    assert chosen.recovers


def test_pyavs_own_comes_before_the_systems() -> None:
    names = [found.name for found in Libopus.found()]
    assert names == sorted(names, key=lambda name: "PyAV" not in name)


def test_without_libopus_pyav_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Libopus, "found", found_none)
    assert find_opus().name == "PyAV's FFmpeg"
