"""The catalogue: the whole of VSS 6.0 as facts, with our groups."""

import csv
from pathlib import Path

import pytest

from contactor.errors import UnknownSignal
from contactor.signals.catalogue import Kind, catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import GROUP_RULES, Group


def test_catalogue_holds_every_leaf_of_vss(shared_data: Path) -> None:
    with (shared_data / "vss/vss_v6_facts.csv").open(newline="") as facts:
        leaves = [row for row in csv.DictReader(facts) if row["kind"] != "branch"]
    known = catalogue()
    assert len(leaves) == 1267
    for leaf in leaves:
        signal = known[leaf["path"]]
        assert (signal.kind, signal.datatype) == (leaf["kind"], leaf["datatype"])
        assert (signal.unit or "") == leaf["unit"]
        assert signal.minimum == (float(leaf["min"]) if leaf["min"] else None)
        assert signal.maximum == (float(leaf["max"]) if leaf["max"] else None)
        assert str(list(signal.allowed)) == (leaf["allowed"] or "[]")


def test_catalogue_size_is_that_of_vss_and_our_own_branch() -> None:
    own = [path for path in catalogue() if path.startswith("Vehicle.Contactor.")]
    assert len(catalogue()) - len(own) == 1267


def test_speed_is_a_mean_of_the_drive_group() -> None:
    speed = catalogue()["Vehicle.Speed"]
    assert speed.kind is Kind.SENSOR
    assert speed.datatype is Datatype.FLOAT
    assert (speed.unit, speed.group, speed.mean) == ("km/h", Group.DRIVE, True)
    assert speed.stale_s == GROUP_RULES[Group.DRIVE].stale_s


def test_drive_group_holds_what_trips_and_charges_need() -> None:
    battery = "Vehicle.Powertrain.TractionBattery"
    for path in (
        "Vehicle.Speed",
        "Vehicle.TraveledDistance",
        "Vehicle.CurrentLocation.Latitude",
        "Vehicle.Powertrain.Transmission.CurrentGear",
        f"{battery}.CurrentVoltage",
        f"{battery}.CurrentCurrent",
        f"{battery}.CurrentPower",
        f"{battery}.StateOfCharge.Current",
        f"{battery}.Charging.IsCharging",
        f"{battery}.Charging.ChargingPort.AnyPosition.IsChargingCableConnected",
        "Vehicle.Exterior.AirTemperature",
    ):
        assert catalogue()[path].group is Group.DRIVE, path


def test_unknown_path_names_the_nearest() -> None:
    with pytest.raises(UnknownSignal, match=r"'Vehicle\.Sped'; nearest: Vehicle\.Speed"):
        catalogue()["Vehicle.Sped"]


def test_unknown_path_names_leaves_of_the_same_last_name() -> None:
    with pytest.raises(UnknownSignal, match=r"nearest: .*CurrentVoltage"):
        catalogue()["Battery.Pack.CurrentVoltage"]


def test_groups_stay_known_at_least_as_long_as_their_period() -> None:
    for group, rule in GROUP_RULES.items():
        assert rule.period_s < rule.heartbeat_s, group
        assert rule.stale_s > rule.period_s, group
