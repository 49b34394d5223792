import numpy as np

from contactor.can.readers.clocks import StepSum, WrappingClock, time_of_day
from contactor.can.readers.lines import cut_lines
from contactor.clock import NS_PER_DAY, NS_PER_MS, NS_PER_S


def unwrapped(*blocks: list[float]) -> list[float]:
    clock = WrappingClock(60 * NS_PER_S)
    times = [clock.unwrapped((np.array(block) * NS_PER_S).astype(np.int64)) for block in blocks]
    return [ns / NS_PER_S for block in times for ns in block.tolist()]


def test_clock_goes_on_after_each_turn() -> None:
    assert unwrapped([58, 59.5, 0.5, 30, 59, 1]) == [58, 59.5, 60.5, 90, 119, 121]


def test_clock_remembers_its_turns_from_block_to_block() -> None:
    assert unwrapped([58, 59.5], [], [0.5, 59], [1]) == [58, 59.5, 60.5, 119, 121]


def test_clock_keeps_a_step_back_that_is_no_turn() -> None:
    assert unwrapped([20, 15, 21]) == [20, 15, 21]


def test_clock_keeps_a_late_frame_of_the_turn_before_late() -> None:
    assert unwrapped([59.9, 0.1, 59.95, 0.2]) == [59.9, 60.1, 59.95, 60.2]


def test_time_of_day_takes_the_fourth_number_as_a_count() -> None:
    lines = cut_lines(
        b"17:19:9.69:5328.00\n0:00:00,007\n23:59:59:999\n12:5\n24:0:0.1\n1:2:3.1000\n"
    )
    ns, is_time = time_of_day(lines.text, lines.spans)
    assert is_time.tolist() == [True, True, True, False, False, False]
    assert (ns[:3] // NS_PER_MS).tolist() == [62_349_069, 7, 86_399_999]


def test_time_of_day_takes_the_fourth_number_as_decimals() -> None:
    lines = cut_lines(b"11:49:12:9420\n0:0:0:5\n0:0:0:123456789\n0:0:0:1234567891\n1:2:3\n")
    ns, is_time = time_of_day(lines.text, lines.spans, has_decimals=True)
    assert is_time.tolist() == [True, True, True, False, False]
    assert ns[:3].tolist() == [42_552_942_000_000, 500_000_000, 123_456_789]


def test_broken_clocks_never_leave_the_range_of_time() -> None:
    clock, steps = WrappingClock(NS_PER_DAY), StepSum()
    readings = np.tile(np.array([NS_PER_DAY - 1, 0]), 100_000)
    for _ in range(3):
        assert (np.abs(clock.unwrapped(readings)) < 2**63 - 1).all()
        assert (np.diff(steps.times(np.full(100_000, NS_PER_DAY))) >= 0).all()
