"""The messages of docs/reference/wire.md, by name: what its test vectors say."""

from typing import Final

import numpy as np

from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column, Gap, Record, Rows, State, Value
from contactor.signals.wire.codebook import Codebook

VEHICLE, STREAM = "van-7", 0x0123456789ABCDEF
NOON_NS: Final = 1_767_268_800 * 10**9  # 2026-01-01T12:00:00Z
MS, S = 10**6, 10**9
SPEED, MOVING, GEAR, STATE, CELLS = (
    "Vehicle.Speed",
    "Vehicle.IsMoving",
    "Vehicle.Powertrain.Transmission.CurrentGear",
    "Vehicle.LowVoltageSystemState",
    "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages",
)
CODEBOOK: Final = Codebook(
    [
        (SPEED, Datatype.FLOAT),
        (MOVING, Datatype.BOOLEAN),
        (GEAR, Datatype.INT8),
        (STATE, Datatype.STRING),
        (CELLS, Datatype.FLOAT_ARRAY),
    ]
)


def column(path: str, *cells: Value | None, unavailable: tuple[int, ...] = ()) -> Column:
    made = Column.of(path, cells)
    made.state[list(unavailable)] = State.UNAVAILABLE
    return made


def rows(group: Group, ts: list[int], *columns: Column) -> Rows:
    return Rows(group, np.array(ts, np.int64), columns)


def record(sequence: int, *groups: Rows) -> Record:
    return Record(VEHICLE, STREAM, sequence, groups)


RECORDS: Final = {
    "one row": record(1, rows(Group.DRIVE, [NOON_NS], column(SPEED, 41.5), column(MOVING, True))),
    "even instants": record(
        2,
        rows(
            Group.DRIVE,
            [NOON_NS + second * S for second in range(4)],
            column(SPEED, 41.5, 42.0, 42.25, 42.5),
            column(GEAR, 1, 1, 1, 1),
        ),
    ),
    "uneven instants": record(
        3,
        rows(
            Group.FAST,
            [NOON_NS, NOON_NS + 20 * MS, NOON_NS + 350 * MS],
            column(SPEED, 10.0, 10.5, 11.0),
        ),
    ),
    "states": record(
        4,
        rows(
            Group.DRIVE,
            [NOON_NS + second * S for second in range(5)],
            column(SPEED, 1.0, None, None, 2.0, 3.0, unavailable=(2,)),
            column(GEAR, None, None, None, None, None, unavailable=(0, 1, 2, 3, 4)),
        ),
    ),
    "texts": record(
        5,
        rows(
            Group.SLOW,
            [NOON_NS, NOON_NS + 60 * S, NOON_NS + 120 * S],
            column(STATE, "ON", "LOCK", "ON"),
        ),
    ),
    "arrays": record(
        6,
        rows(
            Group.CELLS,
            [NOON_NS, NOON_NS + 10 * S],
            column(CELLS, (3.5, 3.625), (3.5, 3.75)),
        ),
    ),
    "arrays of unlike length, two groups": record(
        7,
        rows(Group.CELLS, [NOON_NS, NOON_NS + 10 * S], column(CELLS, (3.5, 3.625), (3.75,))),
        rows(Group.EVENTS, [NOON_NS], column(MOVING, False)),
    ),
}
GAP: Final = Gap(VEHICLE, STREAM, 8, 9, "outbox full", 25, NOON_NS, NOON_NS + 24 * S)
