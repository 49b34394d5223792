"""Sampling by the groups' rules: what is written, when, and that it does not depend on chunks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.agent.rules import SignalRule
from contactor.car.agent.sampler import ProfileSampler
from contactor.car.agent.series import Series
from contactor.clock import NS_PER_S
from contactor.signals.groups import GROUP_RULES, Group
from contactor.signals.record import Rows, State, join_rows

SPEED = "Vehicle.Speed"
VOLTAGE = "Vehicle.Powertrain.TractionBattery.CurrentVoltage"
STATE = "Vehicle.LowVoltageSystemState"
STALE_S = 10
RULES = {
    SPEED: SignalRule(Group.DRIVE, STALE_S * NS_PER_S, is_mean=True),
    VOLTAGE: SignalRule(Group.DRIVE, STALE_S * NS_PER_S, is_mean=False),
    STATE: SignalRule(Group.DRIVE, STALE_S * NS_PER_S, is_mean=False),
}
HEARTBEAT_S = GROUP_RULES[Group.DRIVE].heartbeat_s


def series(path: str, readings: list[tuple[float, object]]) -> Series:
    dtype = np.object_ if path == STATE else np.float32
    zero = "" if path == STATE else 0
    return Series(
        path,
        np.array([round(at * NS_PER_S) for at, _ in readings], np.int64),
        np.array([zero if value is None else value for _, value in readings], dtype),
        np.array(
            [State.UNAVAILABLE if value is None else State.VALID for _, value in readings], np.uint8
        ),
    )


def sampled(*given_series: Series) -> dict[float, dict[str, object]]:
    """{second: {path: value}}; a cell that is unavailable is the text "n/a"."""
    sampler = ProfileSampler(RULES)
    return table(join_rows(Group.DRIVE, sampler.feed(list(given_series)) + sampler.finish()))


def table(rows: Rows) -> dict[float, dict[str, object]]:
    assert len(np.unique(rows.ts)) == len(rows)
    return {
        ts / NS_PER_S: {
            column.path: value if column.state[row] != State.UNAVAILABLE else "n/a"
            for column in rows.columns
            for value in [column.to_list()[row]]
        }
        for row, ts in enumerate(rows.ts.tolist())
    }


def test_row_holds_the_last_reading_of_each_signal() -> None:
    rows = sampled(series(VOLTAGE, [(0.1, 390.0), (0.9, 391.0)]), series(STATE, [(0.5, "ON")]))
    assert rows == {1.0: {SPEED: None, VOLTAGE: 391.0, STATE: "ON"}}


def test_reading_on_the_tick_counts_for_it() -> None:
    rows = sampled(series(VOLTAGE, [(1.0, 390.0), (1.1, 391.0)]))
    assert {at: row[VOLTAGE] for at, row in rows.items()} == {1.0: 390.0, 2.0: 391.0}


def test_mean_signal_carries_the_mean_since_the_row_before() -> None:
    rows = sampled(series(SPEED, [(0.2, 10), (0.4, 20), (0.6, 60), (1.5, 7), (2.5, 8)]))
    assert {at: row[SPEED] for at, row in rows.items()} == {1.0: 30.0, 2.0: 7.0, 3.0: 8.0}


def test_nothing_is_written_while_nothing_changes() -> None:
    still = [(0.5 + second, 390.0) for second in range(20)]
    assert list(sampled(series(VOLTAGE, [*still, (20.5, 391.0)]))) == [1.0, 20.0, 21.0]


def test_row_before_a_change_is_written_so_that_holding_blurs_nothing() -> None:
    sampler = ProfileSampler(RULES)
    first = sampler.feed([series(VOLTAGE, [(0.5 + second, 390.0) for second in range(6)])])
    second = sampler.feed([series(VOLTAGE, [(6.5, 391.0), (7.5, 391.0)])])
    assert [list(table(rows)) for rows in first] == [[1.0]]
    assert [list(table(rows)) for rows in second] == [[6.0, 7.0]]


def test_heartbeat_is_written_when_nothing_changes() -> None:
    still = [(0.5 + second, 390.0) for second in range(150)]
    beats = [1.0, 1 + HEARTBEAT_S, 1 + 2 * HEARTBEAT_S]
    assert list(sampled(series(VOLTAGE, still))) == [*beats, 150.0]


def test_stale_reading_is_unknown_and_silence_is_written_once() -> None:
    rows = sampled(series(VOLTAGE, [(0.5, 390.0), (500.5, 391.0)]))
    assert list(rows) == [1.0, 10.0, 11.0, 501.0]
    assert rows[10.0][VOLTAGE] == 390.0
    assert rows[11.0] == {SPEED: None, VOLTAGE: None, STATE: None}


def test_one_stale_signal_does_not_take_the_others_along() -> None:
    still = [(0.5 + second, 390.0) for second in range(14)]
    rows = sampled(series(VOLTAGE, still), series(SPEED, [(0.5, 10.0)]))
    assert rows[10.0] == {SPEED: 10.0, VOLTAGE: 390.0, STATE: None}
    assert rows[11.0] == {SPEED: None, VOLTAGE: 390.0, STATE: None}


def test_unavailable_is_null_and_marked_and_out_of_means() -> None:
    rows = sampled(
        series(VOLTAGE, [(0.5, 390.0), (1.5, None)]),
        series(SPEED, [(0.3, 10.0), (0.6, None), (1.5, None)]),
    )
    assert rows[1.0] == {SPEED: 10.0, VOLTAGE: 390.0, STATE: None}
    assert rows[2.0] == {SPEED: "n/a", VOLTAGE: "n/a", STATE: None}


def test_long_silence_leaves_no_rows_and_then_goes_on() -> None:
    rows = sampled(series(VOLTAGE, [(0.5, 390.0), (86_400.5, 395.0)]))
    assert list(rows) == [1.0, 10.0, 11.0, 86_401.0]


def test_recording_counts_its_ticks_from_its_first_instant() -> None:
    def at(origin_ns: int) -> list[int]:
        sampler = ProfileSampler(RULES, origin_ns=origin_ns)
        one = series(VOLTAGE, [(second / 4, second) for second in range(40)])
        moved = Series(one.path, one.ts + origin_ns, one.values, one.state)
        parts = sampler.feed([moved]) + sampler.finish()
        return (join_rows(Group.DRIVE, parts).ts - origin_ns).tolist()

    assert at(123_456_789) == at(987_654_321_000)


def test_after_finish_nothing_is_known_and_an_earlier_time_begins_anew() -> None:
    sampler = ProfileSampler(RULES)
    parts = sampler.feed([series(VOLTAGE, [(1000.5, 390.0), (1002.5, 391.0)])]) + sampler.finish()
    parts += sampler.feed([series(SPEED, [(10.5, 5.0)])]) + sampler.finish()
    rows = table(join_rows(Group.DRIVE, parts))
    assert list(rows) == [11.0, 1001.0, 1002.0, 1003.0]
    assert rows[11.0] == {SPEED: 5.0, VOLTAGE: None, STATE: None}


def test_late_reading_before_a_silence_counts_for_the_next_tick() -> None:
    sampler = ProfileSampler(RULES)
    sampler.feed([series(VOLTAGE, [(90.0, 1.0), (95.0, 1.0)]), series(SPEED, [(100.0, 20.0)])])
    parts = sampler.feed([series(VOLTAGE, [(98.5, 2.0), (140.0, 3.0)])]) + sampler.finish()
    rows = table(join_rows(Group.DRIVE, parts))
    assert rows[100.0][VOLTAGE] == 2.0
    assert rows[140.0][VOLTAGE] == 3.0


def test_last_row_is_written_when_the_source_ends() -> None:
    still = [(0.5 + second, 390.0) for second in range(50)]
    assert list(sampled(series(VOLTAGE, still))) == [1.0, 50.0]


def test_far_apart_readings_cost_no_ticks_between() -> None:
    rows = sampled(series(VOLTAGE, [(0.5, 1.0), (1.7e9, 2.0)]))
    assert list(rows) == [1.0, 10.0, 11.0, 1.7e9]


def test_events_are_written_when_they_change() -> None:
    path = "Vehicle.Body.BodyType"
    sampler = ProfileSampler({path: SignalRule(Group.EVENTS, 0, is_mean=False)})

    def said(*readings: tuple[int, str]) -> Series:
        texts = np.empty(len(readings), np.object_)
        texts[:] = [text for _, text in readings]
        ts = np.array([at for at, _ in readings], np.int64)
        return Series(path, ts, texts, np.full(len(readings), State.VALID, np.uint8))

    (first,) = sampler.feed([said((1, "a"), (2, "a"), (3 * 10**18, "b"))])
    assert (first.ts.tolist(), first.columns[0].to_list()) == ([1, 3 * 10**18], ["a", "b"])
    assert sampler.feed([said((4 * 10**18, "b"))]) == []


STEPS = st.lists(
    st.tuples(st.floats(0.01, 30), st.sampled_from([10.0, 11.0, 12.0, None])), max_size=40
)


@given(STEPS, STEPS, st.lists(st.floats(0, 600), max_size=5))
def test_rows_do_not_depend_on_how_readings_are_cut(
    speed_steps: list[tuple[float, float | None]],
    voltage_steps: list[tuple[float, float | None]],
    cuts: list[float],
) -> None:
    whole = []
    for path, steps in ((SPEED, speed_steps), (VOLTAGE, voltage_steps)):
        at, readings = 0.0, []
        for delay, value in steps:
            at += delay
            readings.append((at, value))
        if readings:
            whole.append(series(path, readings))
    at_once = ProfileSampler(RULES, origin_ns=0)
    expected = join_rows(Group.DRIVE, at_once.feed(whole) + at_once.finish())
    piecewise, parts = ProfileSampler(RULES, origin_ns=0), []
    for start, end in zip([-1.0, *sorted(cuts)], [*sorted(cuts), 1e9], strict=True):
        pieces = [
            one.take(np.flatnonzero((one.ts > start * NS_PER_S) & (one.ts <= end * NS_PER_S)))
            for one in whole
        ]
        parts += piecewise.feed([piece for piece in pieces if len(piece.ts)])
    got = join_rows(Group.DRIVE, parts + piecewise.finish())
    assert table(got) == table(expected)


@given(st.integers(2, 200), st.integers(0, 2**31))
def test_means_integrate_to_what_the_source_integrates_to(seconds: int, seed: int) -> None:
    noise = np.random.default_rng(seed)
    ts = np.arange(1, seconds * 10 + 1) / 10
    power = noise.normal(0, 50, len(ts)).astype(np.float32)
    rows = sampled(series(SPEED, list(zip(ts.tolist(), power.tolist(), strict=True))))
    at = np.array([0.0, *rows])
    means = np.array([row[SPEED] for row in rows.values()])
    assert np.isclose(np.sum(means * np.diff(at)), power.sum() / 10, atol=1e-2)
