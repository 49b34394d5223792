"""A virtual car's past as values: what its frames would have said."""

import time

import numpy as np
import pytest

from contactor.can.decode import decode_columns
from contactor.can.plan import compile_plan
from contactor.car.agent.road import Road
from contactor.car.agent.sampling import Sampling
from contactor.clock import NS_PER_DAY, NS_PER_MS, NS_PER_S
from contactor.physics.plan import PlanKind
from contactor.signals.record import State
from tests.car.virtual.conftest import NOON_NS

BATTERY = "Vehicle.Powertrain.TractionBattery"


def test_history_is_what_frames_of_the_same_steps_say(make_car, profile):
    plan = compile_plan(
        profile.database, signals=profile.map.plan_signals, unavailable=profile.map.unavailable
    )
    seconds = 120
    past, live = make_car(), make_car(step_s=1.0)
    ((ts, columns),) = past.history(NOON_NS + seconds * NS_PER_S)
    assert ts.tolist() == [NOON_NS + (row + 1) * NS_PER_S for row in range(seconds)]
    frames = live.advance(NOON_NS + seconds * NS_PER_S)
    said = {column.name: column for column in decode_columns(frames, plan)}
    assert {column.name for column in columns} == said.keys()
    for column in columns:
        if column.name.startswith("CellVoltages."):
            assert column.rows.tolist() == list(range(0, seconds, 10))
        frame_ts = frames.ts[said[column.name].rows]
        at = np.searchsorted(frame_ts, ts[column.rows] - NS_PER_S, side="right")
        is_there = frame_ts[np.minimum(at, len(frame_ts) - 1)] <= ts[column.rows]
        assert is_there.all(), column.name
        assert np.array_equal(column.raw, said[column.name].raw[at]), column.name
        assert np.array_equal(column.values, said[column.name].values[at])
        assert column.unit == said[column.name].unit
        assert not column.is_unavailable.any()


def test_car_goes_on_live_after_its_history(make_car):
    car = make_car()
    for _ in car.history(NOON_NS + 1500 * NS_PER_MS):
        pass
    assert car.now_ns == NOON_NS + 1500 * NS_PER_MS
    frames = car.advance(car.now_ns + NS_PER_S)
    assert len(frames) > 200
    assert frames.ts[0] > NOON_NS + 1500 * NS_PER_MS


def test_history_is_the_same_each_time_however_it_is_cut(make_car):
    start_ns = NOON_NS - 2 * NS_PER_DAY
    more = {"start_ns": start_ns, "live_from_ns": NOON_NS}
    whole = list(make_car(PlanKind.DAY, **more).history(NOON_NS, span_ns=7 * NS_PER_DAY))
    again = list(make_car(PlanKind.DAY, **more).history(NOON_NS, span_ns=7 * NS_PER_DAY))
    assert len(whole) == 1
    assert np.array_equal(whole[0][0], again[0][0])
    for one, other in zip(whole[0][1], again[0][1], strict=True):
        assert np.array_equal(one.raw, other.raw)


def test_seven_days_cost_little_and_add_up(make_car, profile):
    start_ns = NOON_NS - 7 * NS_PER_DAY
    car = make_car(PlanKind.DAY, start_ns=start_ns, live_from_ns=NOON_NS)
    begun_s = time.process_time()
    parts = list(car.history(NOON_NS))
    took_s = time.process_time() - begun_s
    assert took_s < 10  # 3 s on the machine it was written on; a slow one is no failure
    assert car.now_ns == NOON_NS
    assert sum(len(ts) for ts, _ in parts) > 10_000
    power_j = distance_m = 0.0
    for ts, columns in parts:
        assert (np.diff(ts) > 0).all()
        by_name = {column.name: column for column in columns}
        watt = (
            by_name["BatteryPower.PackVoltage"].values * by_name["BatteryPower.PackCurrent"].values
        )
        # rows are a second, but where the plan wakes the car and at the ends of parts
        seconds = np.minimum(np.diff(ts, prepend=ts[0] - NS_PER_S) / NS_PER_S, 1.0)
        power_j += float((watt * seconds).sum())
        distance_m += float((by_name["VehicleSpeed.Speed"].values / 3.6 * seconds).sum())
    state = car.physics.state
    true_j = state.battery_energy_in_j - state.battery_energy_out_j
    assert state.battery_energy_out_j > 20e6
    assert power_j == pytest.approx(true_j, abs=0.001 * state.battery_energy_out_j)
    assert distance_m == pytest.approx(state.distance_m, rel=0.01)


def test_history_goes_the_road(make_car, profile):
    start_ns = NOON_NS - NS_PER_DAY
    car = make_car(PlanKind.DAY, start_ns=start_ns, live_from_ns=NOON_NS)
    road = Road(profile, sampling=Sampling.PROFILE, origin_ns=0)
    read = set()
    for ts, columns in car.history(NOON_NS):
        for rows in road.read(ts, columns):
            read |= {c.path for c in rows.columns if (c.state == State.VALID).any()}
    assert read == set(profile.map.paths)
    assert not road.refused
