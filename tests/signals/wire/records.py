"""Records of any content, for property tests."""

import numpy as np
from hypothesis import strategies as st

from contactor.signals.catalogue import Signal, catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column, Record, Rows, State

PATHS = (
    "Vehicle.Speed",
    "Vehicle.CurrentLocation.Latitude",
    "Vehicle.TraveledDistance",
    "Vehicle.IsMoving",
    "Vehicle.Powertrain.Transmission.CurrentGear",
    "Vehicle.LowVoltageSystemState",
    "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages",
    "Vehicle.Diagnostics.DTCList",
    "Vehicle.Cabin.SeatPosCount",
)
VEHICLES = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


def scalars(datatype: Datatype) -> st.SearchStrategy[object]:
    element = datatype.element
    if element.is_text:
        return st.text(max_size=20)
    if element is Datatype.BOOLEAN:
        return st.booleans()
    if element.is_integer:
        return st.integers(*element.integer_limits)
    return st.floats(width=32 if element is Datatype.FLOAT else 64, allow_nan=False)


@st.composite
def columns(draw: st.DrawFn, signal: Signal, rows: int) -> Column:
    value = scalars(signal.datatype)
    if signal.datatype.is_array:
        value = st.lists(value, max_size=4).map(tuple)
    if draw(st.booleans()):
        value = st.just(draw(value))
    known = draw(st.sampled_from((value, st.none() | value, st.none())))
    cells = draw(st.lists(known, min_size=rows, max_size=rows))
    column = Column.of(signal.path, cells)
    unavailable = draw(
        st.just([True] * rows) | st.lists(st.booleans(), min_size=rows, max_size=rows)
    )
    state = np.where(
        np.array(unavailable, bool) & (column.state == State.UNKNOWN),
        State.UNAVAILABLE,
        column.state,
    )
    return Column(column.path, column.datatype, column.values, state.astype(np.uint8))


def instants() -> st.SearchStrategy[list[int]]:
    even = st.builds(
        lambda first, step, rows: [first + step * row for row in range(rows)],
        st.integers(0, 2**61),
        st.sampled_from((0, 1, 1000, 10**9, 15 * 10**8, 60 * 10**9)),
        st.integers(1, 9),
    )
    return even | st.lists(st.integers(-(2**61), 2**61), min_size=1, max_size=6).map(sorted)


@st.composite
def row_groups(draw: st.DrawFn) -> Rows:
    ts = draw(instants())
    paths = draw(st.lists(st.sampled_from(PATHS), unique=True, max_size=4))
    cells = tuple(draw(columns(catalogue()[path], len(ts))) for path in paths)
    return Rows(draw(st.sampled_from(Group)), np.array(ts, np.int64), cells)


@st.composite
def records(draw: st.DrawFn) -> Record:
    return Record(
        vehicle_id=draw(VEHICLES),
        stream=draw(st.integers(0, 2**64 - 1)),
        sequence=draw(st.integers(1, 2**62)),
        groups=tuple(draw(st.lists(row_groups(), min_size=1, max_size=3))),
    )


def told(record: Record) -> tuple[object, ...]:
    """All that a record says, to be compared."""
    return (
        record.identity,
        [
            (
                rows.group,
                rows.ts.tolist(),
                [
                    (one.path, one.datatype, repr(one.to_list()), one.state.tolist())
                    for one in rows.columns
                ],
            )
            for rows in record.groups
        ],
    )
