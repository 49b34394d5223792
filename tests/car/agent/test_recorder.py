"""Cutting rows into messages: by the source's time, and never too large to send."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.agent.recorder import BATCH_NS, cut_batches
from contactor.signals.groups import Group
from contactor.signals.record import Column, Record, Rows
from tests.signals.wire.version_1 import encode_version_1

CELLS = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"


def drive(ts: list[int]) -> Rows:
    speeds = Column.of("Vehicle.Speed", [float(at % 100) for at in ts])
    return Rows(Group.DRIVE, np.array(sorted(ts), np.int64), (speeds,))


@given(st.lists(st.integers(0, 10 * BATCH_NS), min_size=1, max_size=50), st.integers(0, BATCH_NS))
def test_batches_hold_every_row_in_order_within_a_second(ts: list[int], origin: int) -> None:
    rows = drive(ts)
    batches = list(cut_batches([rows], origin_ns=origin))
    assert np.concatenate([batch[0].ts for batch in batches]).tolist() == rows.ts.tolist()
    for batch in batches:
        slots = (batch[0].ts - origin) // BATCH_NS
        assert slots[0] == slots[-1]


def test_groups_of_one_second_travel_together() -> None:
    cells = Rows(Group.CELLS, np.array([5], np.int64), (Column.of(CELLS, [(3.9,)]),))
    (batch,) = cut_batches([drive([1, 9]), cells], origin_ns=0)
    assert [rows.group for rows in batch] == [Group.DRIVE, Group.CELLS]


def test_large_batch_is_cut_to_messages_that_can_be_sent() -> None:
    count = 3_000
    cells = Column.of(CELLS, [tuple([3.9] * 200)] * count)
    rows = Rows(Group.CELLS, np.arange(count, dtype=np.int64), (cells,))
    batches = list(cut_batches([rows], origin_ns=0))
    assert len(batches) > 3
    for sequence, batch in enumerate(batches, 1):
        encode_version_1(Record("leaf", 1, sequence, batch))
    assert sum(len(batch[0]) for batch in batches) == count


def test_column_of_which_nothing_is_known_is_not_sent() -> None:
    empty = Column.of("Vehicle.IsMoving", [None])
    rows = Rows(Group.DRIVE, np.array([1], np.int64), (*drive([1]).columns, empty))
    ((sent,),) = cut_batches([rows], origin_ns=0)
    assert [column.path for column in sent.columns] == ["Vehicle.Speed"]
