"""What a page notes of a rising tone, made into gaps, losses and repetitions."""

import math

import pytest

from bench.ear import RISE_HZ_PER_S, TONE_HZ, Heard

NOTE_S = 0.02


def ear(*pieces: tuple[float, float, float]) -> dict[str, object]:
    """Notes of the reply from one second of it to another, begun at an instant; silence is not noted."""
    notes = []
    for at, begin, end in pieces:
        for index in range(math.ceil((end - begin) / NOTE_S)):
            place = begin + index * NOTE_S
            notes.append([1000 * (at + index * NOTE_S), -12.0, TONE_HZ + RISE_HZ_PER_S * place])
    return {"notes": notes}


def test_a_reply_without_a_cut() -> None:
    heard = Heard.of(ear((100.0, 0.0, 5.0)))
    assert heard.longest_gap_s() < 0.05
    assert heard.lost_s() < 0.05
    assert heard.repeated_s() == 0
    assert heard.until_s() == pytest.approx(5.0, abs=0.05)


def test_a_gap_after_which_it_goes_on_where_it_was() -> None:
    heard = Heard.of(ear((100.0, 0.0, 2.0), (103.5, 2.0, 5.0)))
    assert heard.longest_gap_s() == pytest.approx(1.5, abs=0.05)
    assert heard.back_at(102.5) == pytest.approx(103.5, abs=0.05)
    assert heard.lost_s() < 0.1


def test_a_gap_in_which_it_went_on_unheard() -> None:
    heard = Heard.of(ear((100.0, 0.0, 2.0), (103.5, 3.5, 5.0)))
    assert heard.lost_s() == pytest.approx(1.5, abs=0.05)


def test_a_page_that_noted_nothing_for_a_while_stood_still() -> None:
    assert Heard.of(ear((100.0, 0.0, 5.0))).stood_still_s() == pytest.approx(NOTE_S)
    heard = Heard.of(ear((100.0, 0.0, 2.0), (103.5, 3.5, 5.0)))
    assert heard.stood_still_s() == pytest.approx(1.5, abs=0.05)


def test_a_beginning_that_was_never_heard() -> None:
    assert Heard.of(ear((100.0, 1.0, 3.0))).lost_s() == pytest.approx(1.0, abs=0.05)


def test_what_is_heard_again_is_repeated_and_is_nothing_new() -> None:
    heard = Heard.of(ear((100.0, 0.0, 2.0), (102.1, 1.0, 5.0)))
    assert heard.repeated_s() == pytest.approx(1.0, abs=0.05)
    assert heard.longest_gap_s() == pytest.approx(1.1, abs=0.1)


def test_sound_that_a_browser_makes_up_is_nothing_new() -> None:
    """Over a gap of a second it draws out the last tone."""
    stretched = [[102_000 + 20 * n, -12.0, TONE_HZ + RISE_HZ_PER_S * 2] for n in range(50)]
    first, second = ear((100.0, 0.0, 2.0)), ear((103.0, 2.0, 5.0))
    heard = Heard.of({"notes": [*first["notes"], *stretched, *second["notes"]]})  # type: ignore[misc]
    assert heard.longest_gap_s() == pytest.approx(1.0, abs=0.1)


def test_the_edge_of_a_sound_is_no_place_in_the_reply() -> None:
    edge = [102_020, -12.5, 9_000.0]
    heard = Heard.of({"notes": [*ear((100.0, 0.0, 2.0))["notes"], edge]})  # type: ignore[misc]
    assert heard.until_s() < 2.05
