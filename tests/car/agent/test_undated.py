import numpy as np

from contactor.car.agent.outbox import Lane
from contactor.car.agent.undated import UndatedRows
from contactor.signals.groups import Group
from contactor.signals.record import Column, Rows

SPEED = "Vehicle.Speed"


def rows(first: int, count: int) -> Rows:
    ts = np.arange(first, first + count, dtype=np.int64)
    return Rows(Group.DRIVE, ts, (Column.of(SPEED, [1.0] * count),))


def test_rows_come_back_dated_and_in_order() -> None:
    undated = UndatedRows()
    undated.hold(Lane.LIVE, [rows(0, 2)])
    undated.hold(Lane.URGENT, [rows(2, 1)])
    released = undated.release(100)
    assert [(lane, one.ts.tolist()) for lane, one in released] == [
        (Lane.LIVE, [100, 101]),
        (Lane.URGENT, [102]),
    ]
    assert undated.release(100) == []


def test_oldest_are_let_go_beyond_the_bound_and_counted() -> None:
    undated = UndatedRows(max_cells=20)
    for first in range(0, 40, 4):
        undated.hold(Lane.LIVE, [rows(first, 4)])
    assert (len(undated), undated.dropped) == (8, 32)
    assert undated.release(0)[0][1].ts[0] == 32
