"""An electric car driven along a cycle by fastsim: Wh/km at the terminals, and steps per second.

fastsim_cycle.py CYCLE.csv REPEATS [VEHICLE FILE]
"""

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
vehicle = fastsim.Vehicle.from_resource(sys.argv[3] if len(sys.argv) > 3 else CAR)
vehicle.set_save_interval(None)  # ours keeps no steps either
spent = 0.0
for _ in range(repeats):
    drive = fastsim.SimDrive(vehicle, cycle)
    began = time.perf_counter()
    drive.run()
    spent += time.perf_counter() - began
state = drive.to_dict()["veh"]
used_j = state["pt_type"]["BEV"]["res"]["state"]["energy_out_electrical_joules"]
print(used_j / state["state"]["dist_meters"] / 3.6)
print(repeats * (len(rows) - 1) / spent)
