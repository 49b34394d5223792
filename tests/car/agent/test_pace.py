from hypothesis import given
from hypothesis import strategies as st

from contactor.car.agent.pace import AIM_S, LEAST_BYTES, MOST_BYTES, Pace


def carry(pace: Pace, *, bytes_s: float, delay_s: float, chunks: int = 40) -> None:
    """Send full chunks over a link of that speed and delay."""
    for _ in range(chunks):
        pace.took(pace.bytes, delay_s + pace.bytes / bytes_s)


def test_chunk_grows_on_a_fast_link_and_shrinks_on_a_slow_one() -> None:
    pace = Pace()
    carry(pace, bytes_s=1e9, delay_s=0.001)
    assert pace.bytes == MOST_BYTES
    carry(pace, bytes_s=20_000, delay_s=0.05)
    assert LEAST_BYTES <= pace.bytes <= 10_000


@given(st.floats(20_000, 1e8), st.floats(0.001, 1.0))
def test_chunk_takes_about_what_it_should_whatever_the_delay(
    bytes_s: float, delay_s: float
) -> None:
    pace = Pace()
    pace.took(100, delay_s)
    carry(pace, bytes_s=bytes_s, delay_s=delay_s)
    carried_s = pace.bytes / bytes_s
    assert carried_s <= 2.1 * AIM_S or pace.bytes == LEAST_BYTES
    assert carried_s >= AIM_S / 5 or pace.bytes == MOST_BYTES


@given(st.lists(st.integers(1, 200_000), max_size=20))
def test_chunk_is_the_first_messages_and_at_least_one(sizes: list[int]) -> None:
    pace = Pace()
    some = pace.chunk(sizes, size=lambda size: size)
    assert list(some) == sizes[: len(some)]
    assert bool(some) == bool(sizes)
    assert sum(some) <= pace.bytes or len(some) == 1
    assert len(some) == len(sizes) or sum(sizes[: len(some) + 1]) > pace.bytes
