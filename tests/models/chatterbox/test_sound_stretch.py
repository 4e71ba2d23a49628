"""Speed: frames on another grid, one for the whole clause however it is cut."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.engines.chatterbox.stretch import Stretch

speeds = st.floats(0.5, 2.0)
cuts = st.lists(st.integers(2, 100), min_size=1, max_size=8)


def stretched(speed: float, pieces: list[int], ahead: int) -> tuple[torch.Tensor, list[int]]:
    """A rising line of frames, cut at `pieces`."""
    frames = torch.arange(sum(pieces), dtype=torch.float32)[None]
    stretch, at, made, beyond = Stretch(speed), 0, [], []
    for number, count in enumerate(pieces):
        last = number == len(pieces) - 1
        seen = 0 if last else ahead
        new, more = stretch.frames(
            frames[:, at : at + count], frames[:, at + count : at + count + seen], last=last
        )
        made.append(new[0])
        beyond.append(more.shape[1])
        at += count
    return torch.cat(made), beyond


@given(speed=speeds, pieces=cuts)
def test_it_is_as_long_as_the_speed_says(speed: float, pieces: list[int]) -> None:
    made, beyond = stretched(speed, pieces, 6)
    assert abs(len(made) - sum(pieces) / speed) <= 0.5 + 1e-9
    assert beyond[-1] == 0


@given(speed=speeds, pieces=cuts)
def test_in_pieces_it_is_the_whole(speed: float, pieces: list[int]) -> None:
    made, _ = stretched(speed, pieces, 6)
    whole, _ = stretched(speed, [sum(pieces)], 0)
    torch.testing.assert_close(made, whole, atol=1e-3, rtol=0)


@given(speed=speeds, count=st.integers(2, 300))
def test_frames_keep_their_place(speed: float, count: int) -> None:
    made, _ = stretched(speed, [count], 0)
    place = (torch.arange(len(made)) + 0.5) * speed - 0.5
    torch.testing.assert_close(made, place.clamp(0, count - 1), atol=1e-3, rtol=0)


@given(speed=speeds, pieces=cuts)
def test_there_is_always_a_frame_to_look_at(speed: float, pieces: list[int]) -> None:
    """The vocoder fades over 20 ms from it."""
    _, beyond = stretched(speed, [*pieces, 6], 6)
    assert all(count >= 1 for count in beyond[:-1])


def test_at_its_own_speed_nothing_is_touched() -> None:
    new, ahead = torch.randn(80, 20), torch.randn(80, 6)
    made = Stretch(1.0).frames(new, ahead, last=False)
    assert made[0] is new
    assert made[1] is ahead
