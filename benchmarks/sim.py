"""The virtual car against the usual ways to make frames and to simulate an electric car.

    make bench AREA=sim

frames/s  Five minutes of a drive, in calls of 100 ms as a live car makes them, and of a minute;
          physics, the making of signals, counters and checksums are in ours. The peer has none of
          that to do: it is given the values, counters and checksums too, and encodes them frame by
          frame with cantools into python-can messages. It first compares every payload with ours.
days/s    Seven days as values, a row a second while awake, up to the sampler. No peer.
steps/s   `CarPhysics.step` at 1 s over UDDS (a made-up trace without the recordings) against
          fastsim's battery electric car of the same class, with its thermal models and without
          saving its steps. The two models differ in depth: this compares times, not results.
cars s/s  Seconds of cars a second: a `Fleet` of 1, 1,000 and 100,000 cars on UDDS, with fastsim's
          own numbers of its Renault Zoe, against fastsim driving that Zoe (it drives one after
          another: many cars take it as many times as long). Before it, what both use on two cycles.
days of cars/s  A year of 1,000 of our cars and of one: 1.5 h a day at the wheel, nights at the
          plug, made-up seasons. No peer.

Predicted: 25,000 frames/s live, 150,000 at once, the peer 30,000; 1.5 days/s; 60,000 steps/s,
fastsim 300,000.
Predicted for fleets: 60 M car-seconds a second on one core, a thousand times fastsim.
Predicted for a year of 1,000 cars: 60 s on two cores, 6,000 days of cars a second.
Measured:  66,000 frames/s live, 616,000 at once, the peer 135,000; 5.2 days/s; 128,000 steps/s,
fastsim 71,000. Live, 27 frames a call are too few for columns: the peer encodes twice as fast.
"""

import csv
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contactor.car.virtual.car import VirtualCar
    from contactor.physics.fleet.fleet import Fleet

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".bench/sim"
DATABASE = ROOT / "src/contactor/car/profiles/contactor_ev/car.dbc"
FRAMES, CYCLE = FOLDER / "frames.jsonl", FOLDER / "cycle.csv"
DATA = Path(os.environ.get("CONTACTOR_TEST_DATA") or ROOT.parent / "shared/data")
NOON_NS = 1_772_535_600 * 10**9  # 2026-03-03T11:00:00Z
LIVE_NS, MINUTE_NS = 10**8, 60 * 10**9
BEFORE_NS, DRIVE_NS = 10 * 10**9, 5 * MINUTE_NS
DAYS = 7
CYCLES = 30
PEERS = ROOT / "benchmarks/peers"
ZOE = "2022_Renault_Zoe_ZE50_R135.yaml"
FLEET_CARS = 200_000


def driving_car() -> "VirtualCar":
    """A car that has been driving for a few seconds."""
    from contactor.car.profiles.profile import load_profile
    from contactor.car.virtual.car import VirtualCar
    from contactor.physics.plan import PlanKind

    car = VirtualCar(load_profile("contactor_ev"), seed=1, start_ns=NOON_NS, plan=PlanKind.DRIVE)
    car.advance(NOON_NS + BEFORE_NS)
    return car


def frames(call_ns: int) -> None:
    """Frames per second over some minutes of a drive, in calls of `call_ns`."""
    car = driving_car()
    end_ns, count = car.now_ns + DRIVE_NS, 0
    began = time.perf_counter()
    while car.now_ns < end_ns:
        count += len(car.advance(car.now_ns + call_ns))
    print(count / (time.perf_counter() - began))


def history() -> None:
    """Days per second."""
    from contactor.car.profiles.profile import load_profile
    from contactor.car.virtual.car import VirtualCar

    end_ns = NOON_NS + DAYS * 86_400 * 10**9
    car = VirtualCar(load_profile("contactor_ev"), seed=1, start_ns=NOON_NS, live_from_ns=end_ns)
    began = time.perf_counter()
    for _ in car.history(end_ns):
        pass
    print(DAYS / (time.perf_counter() - began))


def physics() -> None:
    """Steps per second over the cycle; each time a new car."""
    from contactor.car.profiles.profile import load_profile
    from contactor.physics.car import CarPhysics, Controls

    parameters = load_profile("contactor_ev").physics
    with CYCLE.open() as lines:
        speeds = [float(row["speed_mps"]) for row in csv.DictReader(lines)]
    spent = 0.0
    for _ in range(CYCLES):
        car = CarPhysics(parameters)
        began = time.perf_counter()
        for speed in speeds[1:]:
            car.step(1.0, Controls(target_speed_mps=speed, is_driving=True, is_climate_on=True))
        spent += time.perf_counter() - began
    print(CYCLES * (len(speeds) - 1) / spent)


def fleet(count: int) -> None:
    """Car-seconds per second of a fleet; making it does not count, as it does not for fastsim."""
    from contactor.physics.cycles.standard import standard_cycle

    speeds = standard_cycle("UDDS").speed_mps[1:]
    zoes(1).drive(speeds)
    rounds = max(1, min(CYCLES, FLEET_CARS // count))
    spent = 0.0
    for _ in range(rounds):
        cars = zoes(count)
        began = time.perf_counter()
        cars.drive(speeds)
        spent += time.perf_counter() - began
    print(rounds * count * len(speeds) / spent)


def year(count: int) -> None:
    """Days of cars per second over a year."""
    from contactor.car.profiles.profile import load_profile
    from contactor.physics.fleet.fleet import Fleet

    sys.path.insert(0, str(Path(__file__).parent / "rounds"))
    from commuters import commuters

    parameters = load_profile("contactor_ev").physics
    Fleet(parameters, 1).live(commuters(1, 1))
    cars, schedule = Fleet(parameters, count), commuters(count, 365)
    began = time.perf_counter()
    cars.live(schedule)
    print(count * 365 / (time.perf_counter() - began))


def zoes(count: int) -> "Fleet":
    """Cars with the numbers that fastsim has of a Renault Zoe."""
    from contactor.physics.fleet.fleet import Fleet

    sys.path.insert(0, str(ROOT))
    from tests.physics.fleet.fastsim_cars import CARS

    return Fleet(CARS[0].parameters, count, losses=CARS[0].losses)


def compare_use(python: str) -> None:
    """Print what ours and fastsim use, for the same car on the same cycles."""
    from contactor.physics.cycles.standard import standard_cycle

    for name in ("UDDS", "HWFET"):
        cycle = standard_cycle(name)
        path = FOLDER / f"{name}.csv"
        with path.open("w") as lines:
            lines.write("time_s,speed_mps\n")
            pairs = zip(cycle.time_s.tolist(), cycle.speed_mps.tolist(), strict=True)
            lines.writelines(f"{second},{speed}\n" for second, speed in pairs)
        command = [python, str(PEERS / "fastsim_cycle.py"), str(path), "1", ZOE]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        theirs = float(done.stdout.split()[0])
        car = zoes(1)
        car.drive(cycle.speed_mps[1:])
        used_j = car.totals.battery_out_j - car.totals.battery_in_j
        ours = float(used_j[0] / car.totals.distance_m[0] / 3.6)
        print(
            f"{name}: {ours:.2f} Wh/km, fastsim {theirs:.2f} ({100 * (ours / theirs - 1):+.2f} %)"
        )


def make_frames() -> None:
    """The same minutes for the peer: a line a frame, its payload and what it says."""
    from contactor.can.decode import decode_columns
    from contactor.can.plan import compile_plan
    from contactor.car.profiles.profile import load_profile

    car = driving_car()
    table = car.advance(car.now_ns + DRIVE_NS)
    said: list[dict[str, float]] = [{} for _ in range(len(table))]
    for column in decode_columns(table, compile_plan(load_profile("contactor_ev").database)):
        for row, value in zip(column.rows.tolist(), column.values.tolist(), strict=True):
            said[row][column.signal] = value
    with FRAMES.open("w") as lines:
        for frame, values in zip(map(table.__getitem__, range(len(table))), said, strict=True):
            fields = (frame.ts, frame.can_id, frame.data.hex(), values)
            lines.write(json.dumps(fields) + "\n")


def make_cycle() -> None:
    """UDDS as the recordings have it; else as long a trace of made-up hills of speed."""
    source = DATA / "cycles/udds.csv"
    if source.exists():
        with source.open() as lines:
            speeds = [float(row["cycMps"]) for row in csv.DictReader(lines)]
    else:
        speeds = list(made_up_mps())
    with CYCLE.open("w") as lines:
        lines.write("time_s,speed_mps\n")
        lines.writelines(f"{second},{speed}\n" for second, speed in enumerate(speeds))


def made_up_mps() -> Iterator[float]:
    """A hill every 90 s, the last 15 s of it at rest."""
    for second in range(1370):
        yield 14 * math.sin(math.pi * min(second % 90 / 75, 1.0)) ** 2


def main() -> None:
    """Make the input, run the rounds, print the table."""
    make_frames()
    make_cycle()
    sys.path.insert(0, str(Path(__file__).parent / "rounds"))
    from harness import report_all, run_rounds

    python = str(FOLDER / "bin/python")
    compare_use(python)
    ours = [sys.executable, __file__]
    one_core = ["taskset", "-c", "0"]
    live, steps = "contactor, 100 ms a call", "contactor physics"
    commands = {
        "frames/s": {
            live: [*ours, "live"],
            "contactor, a minute a call": [*ours, "at_once"],
            "cantools + python-can": [
                python,
                str(PEERS / "cantools_encode.py"),
                str(FRAMES),
                str(DATABASE),
            ],
        },
        "days/s": {"contactor history": [*ours, "history"]},
        "days of cars/s": {
            "1,000 cars for a year": [*ours, "year_1000"],
            "one car for a year": [*one_core, *ours, "year_1"],
        },
        "steps/s": {
            steps: [*ours, "physics"],
            "fastsim": [python, str(PEERS / "fastsim_cycle.py"), str(CYCLE), str(CYCLES)],
        },
        "cars s/s": {
            "fleet of 100,000, one core": [*one_core, *ours, "fleet_100000"],
            "fleet of 100,000, all cores": [*ours, "fleet_100000"],
            "fleet of 1,000, one core": [*one_core, *ours, "fleet_1000"],
            "fleet of 1": [*one_core, *ours, "fleet_1"],
            "fastsim, Zoe": [
                *one_core,
                python,
                str(PEERS / "fastsim_cycle.py"),
                str(FOLDER / "UDDS.csv"),
                str(CYCLES),
                ZOE,
            ],
        },
    }
    figures = run_rounds({name: one for some in commands.values() for name, one in some.items()})
    report_all(
        "sim",
        {unit: {name: figures[name] for name in some} for unit, some in commands.items()},
    )


PARTS = {
    "live": lambda: frames(LIVE_NS),
    "at_once": lambda: frames(MINUTE_NS),
    "history": history,
    "physics": physics,
    "year_1000": lambda: year(1000),
    "year_1": lambda: year(1),
    "fleet_1": lambda: fleet(1),
    "fleet_1000": lambda: fleet(1000),
    "fleet_100000": lambda: fleet(100_000),
}

if __name__ == "__main__":
    sys.path.remove(str(Path(__file__).parent))  # else cantools takes can.py for python-can
    PARTS.get("".join(sys.argv[1:]), main)()
