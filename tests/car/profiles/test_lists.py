"""Arrays whose elements come in several frames."""

import numpy as np
import pytest

from contactor.can.decode import decode_columns
from contactor.can.frames import FrameTable
from contactor.can.plan import compile_plan
from contactor.car.agent.road import Road
from contactor.car.agent.sampling import Sampling
from contactor.car.profiles.lists import ListCollector
from contactor.car.profiles.profile import load_profile
from contactor.clock import NS_PER_S
from contactor.signals.groups import Group

PATH = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"
DBC = """VERSION ""

BO_ 1 Cells: 3 X
 SG_ Group M : 0|8@1+ (1,0) [0|0] "" X
 SG_ One m0 : 8|8@1+ (10,0) [0|0] "mV" X
 SG_ Two m0 : 16|8@1+ (10,0) [0|0] "mV" X
 SG_ Three m1 : 8|8@1+ (10,0) [0|0] "mV" X
 SG_ Four m1 : 16|8@1+ (10,0) [0|0] "mV" X
"""
MAP = f"""format = 1
title = "Cells"

[signals."{PATH}"]
from = ["Cells.One", "Cells.Two", "Cells.Three", "Cells.Four"]
combine = "list"
scale = 0.001
unavailable = [0xFF]
valid = [0, 2]
stale_s = 5
"""
FIRST, SECOND = b"\x00\x01\x02", b"\x01\x03\x04"


@pytest.fixture
def profile(make_folder):
    return load_profile(make_folder(MAP, dbc=DBC))


@pytest.fixture
def collect(profile):
    collector = ListCollector(profile.map.lists)
    plan = compile_plan(
        profile.database, signals=profile.map.plan_signals, unavailable=profile.map.unavailable
    )

    def feed(*payloads, ts=None):
        times = [NS_PER_S * row for row in range(len(payloads))] if ts is None else ts
        frames = FrameTable.of(ts=times, can_id=[1] * len(payloads), data=payloads)
        return collector.feed(frames.ts, decode_columns(frames, plan))

    feed.clear = collector.clear
    return feed


def test_list_is_read_when_its_last_element_has_come(collect):
    (reading,) = collect(FIRST, SECOND, FIRST, b"\x00\x05\x06", SECOND, SECOND)
    assert reading.path == PATH
    assert reading.rows.tolist() == [1, 4]
    assert [tuple(round(v, 6) for v in cell) for cell in reading.values] == [
        (0.01, 0.02, 0.03, 0.04),
        (0.05, 0.06, 0.03, 0.04),
    ]
    assert reading.state.tolist() == [1, 1]


def test_list_goes_on_over_batches(collect):
    assert collect(FIRST) == []
    (reading,) = collect(SECOND)
    assert reading.rows.tolist() == [0]
    assert collect(SECOND) == []


def test_list_with_an_element_not_available_is_not_available(collect):
    (reading,) = collect(FIRST, b"\x01\x03\xff")
    assert (reading.state.tolist(), reading.values.tolist()) == ([2], [()])
    assert reading.refused == 0


def test_list_with_an_impossible_element_is_unknown_and_counted(collect):
    (reading,) = collect(FIRST, b"\x01\x03\xfe")
    assert (reading.state.tolist(), reading.values.tolist()) == ([0], [()])
    assert reading.refused == 1


def test_elements_older_than_the_stale_limit_are_forgotten(collect):
    assert collect(FIRST, SECOND, ts=[0, 6 * NS_PER_S]) == []
    (reading,) = collect(FIRST, ts=[7 * NS_PER_S])
    assert reading.rows.tolist() == [0]


def test_cleared_list_begins_anew(collect):
    collect(FIRST)
    collect.clear()
    assert collect(SECOND) == []


def test_road_samples_lists_by_the_clock_of_the_cells(profile):
    road = Road(profile, sampling=Sampling.PROFILE, origin_ns=0)
    payloads = [FIRST, SECOND] * 30
    ts = (np.arange(60) * NS_PER_S // 2).tolist()
    rows = list(road.feed(FrameTable.of(ts=ts, can_id=[1] * 60, data=payloads)))
    written = [one for group in [*rows, road.finish()] for one in group]
    assert {one.group for one in written} == {Group.CELLS}
    assert [int(ts) // NS_PER_S for one in written for ts in one.ts] == [10, 30]
    cells = [cell for one in written for cell in one.columns[0].to_list()]
    assert {tuple(round(v, 6) for v in cell) for cell in cells} == {(0.01, 0.02, 0.03, 0.04)}
