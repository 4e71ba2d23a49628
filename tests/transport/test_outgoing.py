"""What is kept for a slow peer, and what is not."""

from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.transport.outgoing import CONTROL_QUEUE, SOUND_QUEUE, Outgoing


def everything(outgoing: Outgoing) -> list[bytes | str]:
    items = []
    while (item := outgoing.pop()) is not None:
        items.append(item)
    return items


def test_the_oldest_sound_goes_first_and_is_counted() -> None:
    outgoing = Outgoing()
    for number in range(SOUND_QUEUE + 2):
        outgoing.put_sound(bytes([number]))
    assert outgoing.dropped() == 2
    assert outgoing.dropped() == 0
    assert everything(outgoing)[0] == bytes([2])


def test_a_message_is_never_dropped_for_sound() -> None:
    outgoing = Outgoing()
    outgoing.put_message("first")
    for _ in range(100):
        outgoing.put_sound(b"x")
    assert outgoing.pop() == "first"


def test_too_many_messages_are_refused() -> None:
    outgoing = Outgoing()
    assert all(outgoing.put_message("x") for _ in range(CONTROL_QUEUE))
    assert not outgoing.put_message("x")


def test_a_flush_takes_back_sound_and_leaves_messages_in_order() -> None:
    outgoing = Outgoing()
    for item in ("a", b"1", "b", b"2"):
        outgoing.put_message(item) if isinstance(item, str) else outgoing.put_sound(item)
    outgoing.drop_sound()
    assert everything(outgoing) == ["a", "b"]


@given(st.lists(st.sampled_from(["message", "sound", "pop", "flush"]), max_size=400))
def test_it_stays_within_its_bounds_and_in_order(story: list[str]) -> None:
    outgoing = Outgoing()
    taken: list[int] = []
    for number, step in enumerate(story):
        if step == "message":
            outgoing.put_message(str(number))
        elif step == "sound":
            outgoing.put_sound(str(number).encode())
        elif step == "flush":
            outgoing.drop_sound()
        elif (item := outgoing.pop()) is not None:
            taken.append(int(item))
    rest = everything(outgoing)
    assert taken + [int(item) for item in rest] == sorted(taken + [int(item) for item in rest])
    assert sum(isinstance(item, bytes) for item in rest) <= SOUND_QUEUE
