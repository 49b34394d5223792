"""What is urgent: every cell goes by exactly one lane, whatever rows come."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.agent.lanes import UrgentRows
from contactor.car.agent.series import Series
from contactor.signals.catalogue import catalogue
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows, State
from contactor.signals.urgent import RULES, Urgency, urgency_of
from tests.car.agent.campaigns.readings import SPEED, read

LAMP = "Vehicle.Contactor.IsWarningLampOn"
DOOR = "Vehicle.Cabin.Door.Row1.DriverSide.IsOpen"
BEAM = "Vehicle.Body.Lights.Beam.Low.IsOn"


def split(rows: list[Rows], *speed: Series) -> tuple[set[str], set[str]]:
    one = UrgentRows()
    one.read(speed)
    urgent, rest = one.split(rows)
    return ({c.path for r in urgent for c in r.columns}, {c.path for r in rest for c in r.columns})


def events(**columns: list[bool | None]) -> Rows:
    paths = {"lamp": LAMP, "door": DOOR, "beam": BEAM}
    made = tuple(Column.of(paths[name], cells) for name, cells in columns.items())
    return Rows(Group.EVENTS, np.arange(len(made[0].values), dtype=np.int64), made)


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in RULES])
def test_every_rule_names_signals_that_there_are(pattern: str) -> None:
    form = re.compile(pattern.replace(".", r"\.").replace("*", r"[^.]+"))
    found = [path for path in catalogue() if form.fullmatch(path)]
    assert found
    assert Urgency.NEVER not in map(urgency_of, found)


def test_lamp_is_urgent_and_a_door_only_where_the_car_stands() -> None:
    rows = [events(lamp=[True], door=[True], beam=[True])]
    assert split(rows) == ({LAMP, DOOR}, {BEAM})
    assert split(rows, read(SPEED, [(1, 0.5)])) == ({LAMP, DOOR}, {BEAM})
    assert split(rows, read(SPEED, [(1, 50.0)])) == ({LAMP}, {DOOR, BEAM})
    assert split(rows, read(SPEED, [(1, 50.0), (2, None)])) == ({LAMP, DOOR}, {BEAM})


def test_rows_of_other_groups_are_never_taken_apart() -> None:
    drive = Rows(Group.DRIVE, np.array([1], np.int64), (Column.of(LAMP, [True]),))
    assert split([drive]) == (set(), {LAMP})


CELLS = st.none() | st.booleans()


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8))
def test_each_cell_goes_by_one_lane(cells: list[tuple[bool | None, bool | None, bool | None]]):
    lamp, door, beam = (list(column) for column in zip(*cells, strict=True))
    rows = events(lamp=lamp, door=door, beam=beam)
    told = [
        (int(ts), column.path, bool(value))
        for part in UrgentRows().split([rows])
        for one in part
        for column in one.columns
        for ts, value, state in zip(one.ts, column.values, column.state, strict=True)
        if state != State.UNKNOWN
    ]
    expected = [
        (ts, column.path, value)
        for column in rows.columns
        for ts, value in enumerate(column.to_list())
        if value is not None
    ]
    assert sorted(told) == sorted(expected)
