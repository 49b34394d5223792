"""A virtual car in real processes: its week, its buses, its frames as any recording."""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import can
import cantools
import httpx
import msgspec
import numpy as np
import polars as pl
import pytest

import contactor
from contactor.can.frames import FrameTable
from contactor.car.adapters.canbus import CanBus
from contactor.car.profiles.profile import load_profile
from contactor.car.virtual.car import VirtualCar
from contactor.clock import NS_PER_DAY, NS_PER_S, SystemClock
from contactor.errors import ContactorError
from contactor.physics.plan import PlanKind
from tests.app.processes import CONTACTOR, RunningInstance, running, wait_for
from tests.app.processes import contactor as run_contactor

pytestmark = pytest.mark.processes

PROFILE = load_profile("contactor_ev")
SPEED = "Vehicle.Speed"
POWER = "Vehicle.Powertrain.TractionBattery.CurrentPower"
CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Displayed"
ODOMETER = "Vehicle.TraveledDistance"
LOCK = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"


def get(instance: RunningInstance, path: str) -> dict[str, object]:
    url = f"{instance.document()['url']}/api/v1/{path}"
    answer = httpx.get(url, trust_env=False, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def now(instance: RunningInstance, path: str, vehicle: str = "demo") -> object:
    signals = get(instance, f"vehicles/{vehicle}")["signals"]
    return signals[path]["value"] if path in signals else None


# ── the days behind it ───────────────────────────────────────────────────────────────────────────


def rows_of(data: Path, vehicle: str = "demo") -> pl.DataFrame:
    return contactor.open_lake(data).signals(vehicle, [SPEED, POWER, CHARGE, ODOMETER])


def noted(data: Path, key: str) -> dict[str, object]:
    with sqlite3.connect(data / "agent" / "outbox.db") as database:
        found = database.execute("select value from note where key = ?", (key,)).fetchone()
    database.close()
    return msgspec.json.decode(found[0]) if found else {}


def made(data: Path) -> int:
    """How many messages of their past the cars have made; 0 while there is no outbox."""
    try:
        with sqlite3.connect(f"file:{data}/agent/outbox.db?mode=ro", uri=True) as database:
            rows = database.execute("select made from stream where lane = 'backlog'").fetchall()
        database.close()
    except sqlite3.Error:
        return 0
    return sum(number for (number,) in rows)


def test_new_car_has_its_days_behind_it_and_drives(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--history-days", "2") as instance:
        wait_for(lambda: float(now(instance, SPEED) or 0) > 1, timeout_s=60, why="it drives")
        vehicle = get(instance, "vehicles")["items"][0]
        assert vehicle["profile"] == "contactor_ev"
        assert vehicle["connectivity"] == "online"
        wait_for(lambda: _is_stored(data), timeout_s=60, why="its days are stored")
    rows = rows_of(data)
    assert rows["ts"].is_sorted()
    span_days = (rows["ts"][-1] - rows["ts"][0]) / NS_PER_DAY
    assert 1.0 < span_days < 2.1
    assert rows["ts"][-1] <= time.time_ns()
    known = rows.drop_nulls(ODOMETER)[ODOMETER]
    assert known.diff().drop_nulls().min() >= 0
    assert known[-1] - known[0] > 30_000


def test_second_start_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--history-days", "1"):
        wait_for(lambda: _is_stored(data), timeout_s=60, why="its day is stored")
    before = rows_of(data)
    with running(data) as instance:
        wait_for(lambda: float(now(instance, SPEED) or 0) > 1, timeout_s=60, why="it drives")
    after = rows_of(data)
    assert after["ts"].head(before.height).equals(before["ts"])
    assert after["ts"].n_unique() == after.height
    known = after.drop_nulls(ODOMETER)[ODOMETER]
    assert known[-1] >= known.max() - 1_000


def test_agent_killed_in_its_history_makes_each_row_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    command = [*CONTACTOR, "run", "--data", str(data), "--port", "0", "--history-days", "14"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert any("the last 14 days" in line for line in process.stdout)
        for _ in range(2):  # some of them are made, neither time all
            before = made(data)
            wait_for(lambda least=before: made(data) > least, timeout_s=60, why="it makes some")
            found = wait_for(lambda: _children(process.pid, "agent"), timeout_s=60, why="agent")
            assert not noted(data, "begun:demo")["is_history_done"]
            os.kill(found[0], signal.SIGKILL)
            wait_for(
                lambda killed=found[0]: killed not in _children(process.pid, "agent"),
                timeout_s=60,
                why="it is gone",
            )
        wait_for(lambda: _is_stored(data), timeout_s=240, why="all stored")
        begun = noted(data, "begun:demo")
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.communicate()
    past = rows_of(data).filter(pl.col("ts") <= begun["live_from_ns"])
    assert past["ts"].n_unique() == past.height
    car = VirtualCar(
        PROFILE,
        seed=1,
        start_ns=begun["begun_ns"],
        plan=PlanKind.DAY,
        live_from_ns=begun["live_from_ns"],
    )
    car.wake()
    for _ in car.history(begun["live_from_ns"]):
        pass
    charge = past.drop_nulls(CHARGE)[CHARGE][-1]
    assert charge == pytest.approx(100 * car.physics.state.state_of_charge, abs=0.11)
    odometer = past.drop_nulls(ODOMETER)[ODOMETER][-1]
    assert odometer == pytest.approx(car.physics.state.distance_m, abs=100)


def _children(pid: int, role: str) -> list[int]:
    listed = subprocess.run(
        ["pgrep", "-P", str(pid), "-f", f"contactor.app.main {role}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line) for line in listed.stdout.split()]


def _is_stored(data: Path) -> bool:
    with sqlite3.connect(data / "agent" / "outbox.db") as database:
        rows = database.execute("select made, acknowledged from stream where lane = 'backlog'")
        found = rows.fetchall()
        notes = database.execute("select value from note where key like 'begun:%'").fetchall()
    database.close()
    is_made = all(msgspec.json.decode(text)["is_history_done"] for (text,) in notes)
    return is_made and bool(found) and all(made == stored for made, stored in found)


def test_history_larger_than_the_outbox_waits_for_room(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--history-days", "2", "--outbox-bytes", "1000000"):
        wait_for(lambda: _is_stored(data), timeout_s=60, why="all stored")
    assert rows_of(data).height > 10_000
    assert contactor.open_lake(data).vehicles()["rows"][0] > 10_000


def test_cars_whose_past_was_not_reached_get_it_at_the_next_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    car = ("--car", "virtual:contactor_ev?vehicle=car&count=2")
    command = [*CONTACTOR, "run", "--data", str(data), "--port", "0", "--history-days", "9", *car]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert any("car-1: the last 9 days" in line for line in process.stdout)
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 0
        process.communicate()
    with running(data, *car):
        wait_for(lambda: _is_stored(data), timeout_s=240, why="all stored")
    heights = [rows_of(data, name).height for name in ("car-1", "car-2")]
    assert min(heights) > 50_000
    for name in ("car-1", "car-2"):
        stamps = rows_of(data, name)["ts"]
        assert stamps.n_unique() == len(stamps)


def test_fast_car_that_was_killed_goes_on_where_it_stood(tmp_path: Path) -> None:
    data = tmp_path / "data"
    options = ("--history-days", "1", "--speed", "300")
    with running(data, *options) as instance:
        wait_for(
            lambda: _stands_at(data) > noted(data, "begun:demo")["begun_ns"],
            timeout_s=60,
            why="it is noted where it stands",
        )
        instance.kill("agent")
        wait_for(lambda: instance.pid("agent"), timeout_s=60, why="the agent is back")
        stood_ns = _stands_at(data)
        wait_for(lambda: _stands_at(data) > stood_ns, timeout_s=60, why="its time goes on")
        assert _stands_at(data) - stood_ns < NS_PER_DAY // 2


def _begins(data: Path) -> int:
    """The first instant of the car in the lake; beyond all others while there is none."""
    try:
        return min(rows_of(data)["ts"], default=time.time_ns())
    except ContactorError:
        return time.time_ns()


def _stands_at(data: Path) -> int:
    return noted(data, "stand:demo").get("at_ns", 0)


# ── faster than life, several at once ────────────────────────────────────────────────────────────


def test_fast_car_lives_through_its_days_and_never_ahead_of_time(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--history-days", "1", "--speed", "600") as instance:
        first = wait_for(lambda: get(instance, "vehicles")["items"], timeout_s=60, why="a car")
        wait_for(
            lambda: get(instance, "vehicles")["items"][0]["last_seen"] > first[0]["last_seen"],
            timeout_s=60,
            why="its time goes on",
        )
        began = noted(data, "begun:demo")["begun_ns"]
        wait_for(lambda: _begins(data) < began + NS_PER_DAY, timeout_s=60, why="its past")
    rows = rows_of(data)
    assert 0 <= rows["ts"][0] - began < NS_PER_DAY
    assert rows["ts"][-1] <= time.time_ns()


def test_count_makes_several_cars(tmp_path: Path) -> None:
    data = tmp_path / "data"
    car = "virtual:contactor_ev?vehicle=fleet&count=3&plan=drive"
    with running(data, "--history-days", "0", "--car", car) as instance:
        names = [item["vehicle_id"] for item in get(instance, "vehicles")["items"]]
        assert names == ["fleet-1", "fleet-2", "fleet-3"]
        for name in names:
            wait_for(
                lambda name=name: now(instance, SPEED, name) is not None, timeout_s=60, why=name
            )


# ── the bus ──────────────────────────────────────────────────────────────────────────────────────


def test_tool_of_somebody_else_reads_the_bus_and_unlocks_the_car(tmp_path: Path) -> None:
    """python-can and cantools alone, on the multicast bus: they read frames and send a command."""
    database = cantools.database.load_file(PROFILE.folder / "car.dbc")
    car = "virtual:contactor_ev?vehicle=demo&plan=parked"
    arguments = ("--history-days", "0", "--bus", "udp_multicast", "--car", car)
    with (
        running(tmp_path / "data", *arguments) as instance,
        can.Bus(interface="udp_multicast", channel="239.74.163.2", hop_limit=0) as bus,
    ):
        wait_for(lambda: now(instance, LOCK) is True, timeout_s=60, why="it is known to be locked")
        seen: dict[str, dict[str, object]] = {}
        deadline = time.monotonic() + 60
        while len(seen) < 10 and time.monotonic() < deadline:
            message = bus.recv(timeout=1.0)
            if message is not None:
                name = database.get_message_by_frame_id(message.arbitration_id).name
                seen[name] = database.decode_message(message.arbitration_id, message.data)
        assert len(seen) >= 10, sorted(seen)
        maker = _frames(False)
        for row in range(len(maker)):
            frame = maker[row]
            bus.send(
                can.Message(arbitration_id=frame.can_id, data=frame.data, is_extended_id=False)
            )
        wait_for(lambda: now(instance, LOCK) is False, timeout_s=60, why="unlocked")


def _frames(value: bool) -> FrameTable:
    from contactor.car.agent.frame_maker import FrameMaker

    return FrameMaker(PROFILE).frames(LOCK, value, ts=0)


def test_bus_gives_frames_as_they_were_sent() -> None:
    clock = SystemClock()
    one = CanBus("virtual", clock=clock, channel="test")
    two = CanBus("virtual", clock=clock, channel="test")
    try:
        sent = FrameTable.of(
            ts=[1, 2],
            can_id=[0x123, 0x1ABCDEF],
            data=[b"\x01", b"\x02" * 8],
            is_extended=[False, True],
        )
        one.send(sent)
        heard = two.receive()
        assert [heard[row].data for row in range(len(heard))] == [b"\x01", b"\x02" * 8]
        assert heard.can_id.tolist() == [0x123, 0x1ABCDEF]
        assert heard.is_extended.tolist() == [False, True]
        assert len(one.receive()) == 0
    finally:
        one.close()
        two.close()


# ── its frames, recorded ─────────────────────────────────────────────────────────────────────────


def candump(frames: FrameTable) -> Iterator[str]:
    for row in range(len(frames)):
        frame = frames[row]
        seconds, rest = divmod(frame.ts, NS_PER_S)
        yield f"({seconds}.{rest // 1000:06d}) can0 {frame.can_id:03X}#{frame.data.hex().upper()}\n"


def test_recorded_drive_gives_the_energy_of_its_physics(tmp_path: Path) -> None:
    """Frames of ten minutes in a candump log, through `replay`, against the equations."""
    start_ns = 1_700_000_000 * NS_PER_S
    car = VirtualCar(PROFILE, seed=4, start_ns=start_ns, plan=PlanKind.DRIVE, live_from_ns=start_ns)
    log = tmp_path / "drive.log"
    stamps, energies_j = [start_ns], [0.0]
    with log.open("w") as file:
        for step in range(1, 6_001):
            file.writelines(candump(car.advance(start_ns + step * NS_PER_S // 10)))
            state = car.physics.state
            stamps.append(car.now_ns)
            energies_j.append(state.battery_energy_in_j - state.battery_energy_out_j)
    done = run_contactor(
        *("replay", log, "--car", "contactor_ev", "--vehicle", "leaf", "--sampling", "profile"),
        *("--data", tmp_path / "data", "--json"),
    )
    assert done.returncode == 0, done.stderr
    rows = contactor.open_lake(tmp_path / "data").signals("leaf", [POWER, SPEED, ODOMETER])
    rows = rows.drop_nulls(POWER)
    assert set(rows["ts"].diff().drop_nulls()) == {NS_PER_S}
    # A row's mean is of the second that ends at it; the power of a step is constant.
    stored_j = rows[POWER].cast(pl.Float64)[1:-1].sum()
    first, last = rows["ts"][0], rows["ts"][-2]
    began_j, ended_j = np.interp([first - start_ns, last - start_ns], _since(stamps), energies_j)
    assert stored_j == pytest.approx(ended_j - began_j, rel=1e-3)
    assert abs(stored_j) > 1e6
    assert rows[ODOMETER][-1] == pytest.approx(car.physics.state.distance_m, abs=30)


def _since(stamps: list[int]) -> list[int]:
    return [stamp - stamps[0] for stamp in stamps]
