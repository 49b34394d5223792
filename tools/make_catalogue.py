"""Writes `signals/vss_6_0.csv` from a table of VSS facts.

The facts are path, kind, datatype, unit, min, max and allowed words.

Run once for each release of VSS; the groups and `mean` marks are decided here, by rule.

    .venv/bin/python tools/make_catalogue.py ../shared/data/vss/vss_v6_facts.csv
"""

import ast
import csv
import re
import sys
from pathlib import Path

TARGET = Path(__file__).parent.parent / "src/contactor/signals/vss_6_0.csv"

COLUMNS = (
    "path",
    "kind",
    "datatype",
    "unit",
    "minimum",
    "maximum",
    "allowed",
    "group",
    "mean",
)
BATTERY = "Vehicle.Powertrain.TractionBattery."
DRIVE = re.compile(
    r"Vehicle\.(Speed|TraveledDistance|LowVoltageSystemState|IsMoving|Exterior\.AirTemperature"
    r"|CurrentLocation\.(Latitude|Longitude|Altitude|Heading)"
    r"|Powertrain\.Transmission\.(CurrentGear|SelectedGear)"
    r"|Powertrain\.TractionBattery\.(CurrentVoltage|CurrentCurrent|CurrentPower"
    r"|StateOfCharge\.\w+|Accumulated\w+|IsPowerConnected"
    r"|Charging\.(IsCharging|IsDischarging|ChargeCurrent\.\w+|ChargeVoltage\.\w+"
    r"|ChargingPort\.\w+\.IsChargingCableConnected)))"
)
FAST = re.compile(
    r"Vehicle\.(Acceleration\.\w+|AngularVelocity\.\w+|Chassis\.(Accelerator|Brake)\.PedalPosition"
    r"|Chassis\.SteeringWheel\.Angle|Chassis\.Axle\.Row\d\.Wheel\.\w+\.Speed"
    r"|Powertrain\.ElectricMotor\.(Speed|Torque|Power))"
)
MEAN = {"Vehicle.Speed", BATTERY + "CurrentCurrent", BATTERY + "CurrentPower"}


def group_of(path: str, datatype: str, allowed: list[str]) -> str:
    """The clock that a signal is stored by."""
    if datatype == "string[]" or (datatype == "string" and not allowed):
        return "events"
    if datatype.endswith("[]"):
        return "cells"
    if DRIVE.fullmatch(path):
        return "drive"
    return "fast" if FAST.fullmatch(path) else "slow"


def main(source: str) -> None:
    with Path(source).open(newline="") as facts, TARGET.open("w", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in csv.DictReader(facts):
            if row["kind"] == "branch":
                continue
            allowed = ast.literal_eval(row["allowed"]) if row["allowed"] else []
            writer.writerow(
                [
                    row["path"],
                    row["kind"],
                    row["datatype"],
                    row["unit"],
                    row["min"],
                    row["max"],
                    "|".join(allowed),
                    group_of(row["path"], row["datatype"], allowed),
                    "mean" if row["path"] in MEAN else "",
                ]
            )


if __name__ == "__main__":
    main(sys.argv[1])
