"""The frames of the virtual car: when they come, and that they say what the physics is."""

import numpy as np
import pytest

from contactor.car.agent.road import Road
from contactor.car.agent.sampling import Sampling
from contactor.car.virtual.bus import Bus
from contactor.car.virtual.report import SOURCES, STATE_FIELDS
from contactor.clock import NS_PER_MS, NS_PER_S
from contactor.physics.plan import Plan, PlanKind
from contactor.signals.record import State
from tests.car.virtual.conftest import NOON_NS, drive

BATTERY = "Vehicle.Powertrain.TractionBattery"


def test_every_message_comes_at_its_cycle(make_car, profile):
    frames = drive(make_car(), 20)
    assert (np.diff(frames.ts) > 0).all()
    for message in profile.database.messages:
        ts = frames.ts[frames.can_id == message.can_id]
        if message.cycle_time_ms is None:
            assert not len(ts)
            continue
        assert len(ts) == 20_000 // message.cycle_time_ms, message.name
        assert set(np.diff(ts).tolist()) == {message.cycle_time_ms * NS_PER_MS}, message.name
    lengths = {message.can_id: message.length for message in profile.database.messages}
    assert all(lengths[int(one)] == n for one, n in zip(frames.can_id, frames.length, strict=True))


def test_frames_lie_after_the_last_call_and_up_to_this_one(make_car):
    car = make_car()
    for step_ms in (100, 7, 1, 93, 250, 1000, 0, 3):
        before_ns = car.now_ns
        frames = car.advance(before_ns + step_ms * NS_PER_MS)
        assert car.now_ns == before_ns + step_ms * NS_PER_MS
        assert ((frames.ts > before_ns) & (frames.ts <= car.now_ns)).all()


def test_frames_do_not_depend_on_how_often_they_are_asked_for(make_car):
    often, seldom = drive(make_car(), 12, step_s=0.033), drive(make_car(), 12, step_s=4)
    for name in ("ts", "can_id", "length", "data"):
        assert np.array_equal(getattr(often, name), getattr(seldom, name)), name


def test_another_seed_is_another_car(make_car):
    one, other = drive(make_car(), 30), drive(make_car(seed=2), 30)
    assert not np.array_equal(one.data, other.data)


def test_signals_say_the_physics_within_their_resolution(make_car, profile, columns_of):
    scales = {
        f"{message.name}.{signal.name}": signal.scale
        for message in profile.database.messages
        for signal in message.signals
    }
    said = {name: field for name, (field, _) in SOURCES.items() if field in STATE_FIELDS}
    car = make_car()
    drive(car, 20)
    for _ in range(100):
        frames = drive(car, 0.1, step_s=0.1)  # one step: its values hold for all of it
        for name, column in columns_of(frames).items():
            if name not in said:
                continue
            _, factor = SOURCES[name]
            true = float(getattr(car.physics.state, said[name])) * factor
            # the first frames may be of the step before, which ended within this call
            assert column.values[-1] == pytest.approx(true, abs=scales[name] * 0.501), name
            assert not column.is_unavailable.any(), name


def test_position_is_that_of_the_plan(make_car, columns_of):
    plan = Plan(seed=1, kind=PlanKind.DRIVE, live_from_ns=NOON_NS)
    car = make_car()
    drive(car, 60)
    start_ns = car.now_ns
    columns = columns_of(drive(car, 0.3, step_s=0.3))
    near = [plan.at(start_ns + ms * NS_PER_MS) for ms in (0, 100, 200, 300)]
    for name, field in (("Latitude", "latitude"), ("Longitude", "longitude")):
        found = columns[f"Position.{name}"].values[-1]
        assert any(abs(found - getattr(one, field)) <= 0.51e-7 for one in near), name


def test_every_signal_of_the_map_is_read(make_car, profile):
    road = Road(profile, sampling=Sampling.EVERY, origin_ns=0)
    rows = list(road.feed(drive(make_car(), 5)))
    read = {
        column.path
        for groups in rows
        for group in groups
        for column in group.columns
        if (column.state == State.VALID).any()
    }
    assert read == set(profile.map.paths)
    assert not road.refused


def test_cells_come_round_and_add_up_to_the_pack(make_car, columns_of):
    car = make_car()
    frames = drive(car, 0.48, step_s=0.48)
    columns = columns_of(frames)
    cells = [columns[f"CellVoltages.Cell{number}"].values for number in range(1, 97)]
    assert {len(cell) for cell in cells} == {1}
    last = car.advance(car.now_ns + 20 * NS_PER_MS)
    assert len(last)
    cells_v = car.physics.cell_voltages_v()
    assert len(cells_v) == 96
    assert sum(float(cell[0]) for cell in cells) == pytest.approx(
        car.physics.state.battery_voltage_v, rel=0.01
    )


def powers_w(rows):
    """The mean power that the sampler gives for each second: a tick without a row is as before."""
    held = {}
    for group in rows:
        for column in group.columns:
            if column.path == f"{BATTERY}.CurrentPower":
                held |= dict(zip(group.ts.tolist(), column.values.tolist(), strict=True))
    ticks = range(min(held), max(held) + 1, NS_PER_S)
    last = 0.0
    return {tick: (last := held.get(tick, last)) for tick in ticks}


@pytest.mark.parametrize(("plan", "seconds"), [(PlanKind.DRIVE, 900), (PlanKind.PARKED, 900)])
def test_power_by_the_second_adds_up_to_the_energy_of_the_physics(make_car, profile, plan, seconds):
    start_ns = NOON_NS // NS_PER_S * NS_PER_S
    car = make_car(plan, start_ns=start_ns, live_from_ns=start_ns, state_of_charge=0.5)
    road = Road(profile, sampling=Sampling.PROFILE, origin_ns=0)
    rows = []
    for _ in range(seconds):
        for groups in road.feed(car.advance(car.now_ns + NS_PER_S)):
            rows += groups
    state = car.physics.state
    true_j = state.battery_energy_in_j - state.battery_energy_out_j
    rows += road.finish()
    found_j = sum(powers_w(rows).values())
    assert abs(true_j) > 1e6
    assert found_j == pytest.approx(true_j, rel=0.001)


def test_counters_and_checksums_are_right_by_hand(make_car, profile):
    frames = drive(make_car(), 10, step_s=0.1)
    protected = {
        message.can_id
        for message in profile.database.messages
        if any(signal.role is not None for signal in message.signals) and message.cycle_time_ms
    }
    assert len(protected) == 7
    counts = {}
    for row in range(len(frames)):
        frame = frames[row]
        if frame.can_id not in protected:
            continue
        crc = 0
        for byte in bytes([frame.can_id & 0xFF, frame.can_id >> 8]) + frame.data[1:]:
            crc ^= byte
            for _ in range(8):
                crc = (crc << 1) ^ 0x11D if crc & 0x80 else crc << 1
        assert crc == frame.data[0]
        count = frame.data[1] & 0xF
        assert count == (counts.get(frame.can_id, -1) + 1) % 15
        counts[frame.can_id] = count


def test_bus_saturates_what_is_out_of_range(profile):
    bus = Bus(profile)
    values = np.zeros((1, len(bus.names)))
    values[0, bus.names.index("BatteryCharge.StateOfCharge")] = 1e6
    columns = bus.columns(values, np.array([0]), frozenset({"BatteryCharge.StateOfCharge"}))
    assert columns[0].values.tolist() == pytest.approx([163.82])
    assert not columns[0].is_unavailable[0]
