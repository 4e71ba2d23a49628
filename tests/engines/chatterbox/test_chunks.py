"""Which tokens are decoded together."""

from hypothesis import given
from hypothesis import strategies as st

from ultraandchat.engines.chatterbox.chunks import Chunk, Plan

plans = st.builds(
    Plan,
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5).map(tuple),
    context=st.integers(0, 60),
    lookahead=st.integers(0, 5),
)


def all_chunks(plan: Plan, total: int) -> list[Chunk]:
    chunks, found = plan.chunks(), []
    while chunk := chunks.next(total, over=True):
        found.append(chunk)
    return found


def test_the_first_block_waits_for_ten_tokens_and_three_ahead() -> None:
    chunks = Plan().chunks()
    assert chunks.wanted == 13
    assert chunks.next(12, over=False) is None
    assert chunks.next(13, over=False) == Chunk(context=0, first=0, end=10, ahead=13)


def test_blocks_grow_and_what_goes_before_is_bounded() -> None:
    found = all_chunks(Plan(), 200)
    assert [chunk.end - chunk.first for chunk in found] == [10, 15, 25, 50, 50, 50]
    assert [chunk.first - chunk.context for chunk in found] == [0, 10, 25, 50, 50, 50]


def test_a_clause_that_ends_early_is_one_chunk() -> None:
    assert all_chunks(Plan(), 4) == [Chunk(context=0, first=0, end=4, ahead=4)]
    assert all_chunks(Plan(), 0) == []


@given(plan=plans, total=st.integers(0, 400))
def test_every_token_is_made_once_with_what_it_needs(plan: Plan, total: int) -> None:
    made = 0
    for chunk in all_chunks(plan, total):
        assert chunk.first == made
        assert chunk.end > chunk.first
        assert chunk.context == max(chunk.first - plan.context, 0)
        assert chunk.ahead == min(chunk.end + plan.lookahead, total)
        assert chunk.end - chunk.first <= plan.longest
        made = chunk.end
    assert made == total


@given(plan=plans, arrivals=st.lists(st.integers(1, 30), min_size=1, max_size=30))
def test_the_same_tokens_are_cut_the_same_way_however_they_come(
    plan: Plan, arrivals: list[int]
) -> None:
    chunks, found, fed = plan.chunks(), [], 0
    for arrived in arrivals:
        fed += arrived
        while chunk := chunks.next(fed, over=False):
            assert chunk.ahead == chunk.end + plan.lookahead <= fed
            found.append(chunk)
        assert fed < chunks.wanted
    while chunk := chunks.next(fed, over=True):
        found.append(chunk)
    assert found == all_chunks(plan, fed)
