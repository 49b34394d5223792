"""A battery electric car of the class of ours driven along a cycle by fastsim: steps per second."""

import csv
import sys
import time
from pathlib import Path

import fastsim

CAR = "2022 Tesla Model 3 RWD thrml.yaml"

cycle_path, repeats = Path(sys.argv[1]), int(sys.argv[2])
with cycle_path.open() as lines:
    rows = list(csv.DictReader(lines))
cycle = fastsim.Cycle.from_dict(
    {
        "time_seconds": [float(row["time_s"]) for row in rows],
        "speed_meters_per_second": [float(row["speed_mps"]) for row in rows],
    }
)
vehicle = fastsim.Vehicle.from_resource(CAR)
vehicle.set_save_interval(None)  # ours keeps no steps either
spent = 0.0
for _ in range(repeats):
    drive = fastsim.SimDrive(vehicle, cycle)
    began = time.perf_counter()
    drive.run()
    spent += time.perf_counter() - began
print(repeats * (len(rows) - 1) / spent)
