"""Sets of sequence numbers, against Python's own sets."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from contactor.cloud.ingest.ranges import RangeSet

RANGES = st.tuples(st.integers(1, 60), st.integers(0, 8)).map(lambda pair: (pair[0], sum(pair)))


def numbers(ranges: list[tuple[int, int]] | tuple[tuple[int, int], ...]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


@given(st.lists(RANGES, max_size=12))
def test_ranges_hold_what_was_added_sorted_and_joined(added: list[tuple[int, int]]) -> None:
    ranges = RangeSet(added).as_tuple()
    assert numbers(ranges) == numbers(added)
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(ranges))


@given(st.lists(RANGES, max_size=12), RANGES)
def test_without_gives_exactly_what_is_not_in_the_set(
    added: list[tuple[int, int]], asked: tuple[int, int]
) -> None:
    parts = RangeSet(added).without(*asked)
    assert numbers(parts) == numbers([asked]) - numbers(added)
    assert len(numbers(parts)) == sum(last - first + 1 for first, last in parts)


@given(st.lists(RANGES, max_size=12), st.integers(0, 70))
def test_drop_forgets_whole_ranges_only(added: list[tuple[int, int]], bound: int) -> None:
    ranges = RangeSet(added)
    before = ranges.as_tuple()
    ranges.drop_upto(bound)
    assert ranges.as_tuple() == tuple(pair for pair in before if pair[1] > bound)
