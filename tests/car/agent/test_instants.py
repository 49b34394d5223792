"""Keeping every instant: one row per instant and group, nothing held, nothing lost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.agent.instants import InstantSampler
from contactor.car.agent.series import Series
from contactor.signals.catalogue import catalogue
from contactor.signals.groups import Group
from contactor.signals.record import State

SPEED = "Vehicle.Speed"
VOLTAGE = "Vehicle.Powertrain.TractionBattery.CurrentVoltage"
CELLS = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"


def numbers(path: str, ts: list[int], values: list[float]) -> Series:
    return Series(
        path,
        np.array(ts, np.int64),
        np.array(values, np.float32),
        np.full(len(ts), State.VALID, np.uint8),
    )


def sampler() -> InstantSampler:
    return InstantSampler(lambda path: catalogue()[path].group)


def test_row_per_instant_holds_what_was_read_then() -> None:
    (rows,) = sampler().feed([numbers(SPEED, [10, 30], [1, 2]), numbers(VOLTAGE, [20, 30], [3, 4])])
    assert rows.ts.tolist() == [10, 20, 30]
    assert {column.path: column.to_list() for column in rows.columns} == {
        SPEED: [1, None, 2],
        VOLTAGE: [None, 3, 4],
    }


def test_two_readings_at_one_instant_make_two_rows() -> None:
    (rows,) = sampler().feed([numbers(SPEED, [30, 30], [1, 2]), numbers(VOLTAGE, [30], [4])])
    assert rows.ts.tolist() == [30, 30]
    assert [column.to_list() for column in rows.columns] == [[1, 2], [4, None]]


def test_groups_are_apart() -> None:
    cells = Series(CELLS, np.array([5]), np.empty(1, np.object_), np.array([1], np.uint8))
    cells.values[0] = (3.9, 4.0)
    made = sampler().feed([numbers(SPEED, [10], [1]), cells])
    assert [rows.group for rows in made] == [Group.CELLS, Group.DRIVE]
    assert made[0].columns[0].to_list() == [(3.9, 4.0)]


def test_unavailable_reading_is_kept_as_such() -> None:
    one = numbers(SPEED, [10], [0])
    (rows,) = sampler().feed(
        [Series(one.path, one.ts, one.values, np.array([State.UNAVAILABLE], np.uint8))]
    )
    assert rows.columns[0].state.tolist() == [State.UNAVAILABLE]
    assert rows.columns[0].to_list() == [None]


READINGS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 99)), max_size=30).map(
    lambda pairs: sorted(pairs, key=lambda pair: pair[0])
)


@given(READINGS, READINGS)
def test_every_reading_comes_out_once_at_its_instant(
    speeds: list[tuple[int, int]], voltages: list[tuple[int, int]]
) -> None:
    given_series = [
        numbers(path, [ts for ts, _ in pairs], [value for _, value in pairs])
        for path, pairs in ((SPEED, speeds), (VOLTAGE, voltages))
        if pairs
    ]
    made = sampler().feed(given_series)
    found = {SPEED: [], VOLTAGE: []}
    for rows in made:
        assert (np.diff(rows.ts) >= 0).all()
        for column in rows.columns:
            pairs = zip(rows.ts.tolist(), column.to_list(), strict=True)
            found[column.path] += [(ts, value) for ts, value in pairs if value is not None]
        known = np.sum([column.state != State.UNKNOWN for column in rows.columns], axis=0)
        assert (known > 0).all()
    assert found == {SPEED: speeds, VOLTAGE: voltages}
