"""`trips`, `charges`, `battery`, `places`, `report`, `history` as one who types them sees it."""

import csv
import io
import json
import os
import signal
import subprocess
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contactor.app.fact_options import duration, sparkline
from contactor.app.folder import DataFolder
from contactor.cloud.lake.local import LocalStore
from tests.app.command_line import command, command_here, tree
from tests.app.processes import CONTACTOR, running, wait_for
from tests.cloud.history.stored import store_rows
from tests.history.made import live

TRIP_KEYS = {
    *("id", "vehicle_id", "start", "end", "duration_s", "distance_km"),
    *("energy_kwh", "energy_out_kwh", "energy_in_kwh", "consumption_wh_per_km"),
    *("soc_start_pct", "soc_end_pct", "speed_max_kmh", "ambient_mean_degc", "elevation_gain_m"),
    *("start_location", "end_location", "energy_source"),
}
CHARGE_KEYS = {
    *("id", "vehicle_id", "start", "end", "duration_s", "kind"),
    *("energy_battery_kwh", "energy_wall_kwh", "soc_start_pct", "soc_end_pct"),
    *("power_max_kw", "power_mean_kw", "location", "cost"),
}
ROWS = live(["park 60", "drive 20", "park 480", "drive 20", "park 20", "charge 180", "park 60"])


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    DataFolder.create(tmp_path / "data")
    store_rows(LocalStore(tmp_path / "data"), ROWS.columns(every_s=5.0))
    return tmp_path / "data"


def test_trips_and_charges_have_the_fields_that_were_promised(
    data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trips = command_here(capfd, "trips --data data --json").document()
    assert isinstance(trips, list)
    assert [trip.keys() >= TRIP_KEYS for trip in trips] == [True, True]
    for trip, truth in zip(trips, ROWS.trips, strict=True):
        assert trip["distance_km"] == pytest.approx(truth.km, rel=0.01)
        net_kwh = trip["energy_out_kwh"] - trip["energy_in_kwh"]
        assert trip["energy_kwh"] == pytest.approx(net_kwh, abs=1e-5)
        rate = 1000 * trip["energy_kwh"] / trip["distance_km"]
        assert trip["consumption_wh_per_km"] == pytest.approx(rate, rel=1e-4)
    [charge] = command_here(capfd, "charges --data data --json").document()  # type: ignore[misc]
    assert charge.keys() >= CHARGE_KEYS
    assert charge["energy_battery_kwh"] == pytest.approx(-ROWS.charges[0].kwh, rel=0.01)
    assert charge["cost"] is None


TARIFFS = """\
version = 1
currency = "CHF"
time_zone = "UTC"

[[tariffs]]
name = "until half past eleven"
metered = "battery"
bands = [{ from = "10:00", until = "11:30", per_kwh = 1.0 }]
"""


def test_a_charge_is_priced_by_when_its_energy_flowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It charged from ten to one, three quarters of it before the price fell."""
    monkeypatch.chdir(tmp_path)
    DataFolder.create(tmp_path / "data")
    rows = ROWS.columns(every_s=5.0)
    [truth] = ROWS.charges
    middle_ns = int(rows.ts[0]) + 90 * 60 * 10**9 + int(truth.start_s) * 10**9
    assert rows.current_a is not None
    into = np.maximum(rows.current_a, 0) * np.where(rows.ts <= middle_ns, 1.5, 0.5)
    tapered = replace(rows, current_a=np.where(rows.current_a > 0, into, rows.current_a))
    store_rows(LocalStore(tmp_path / "data"), tapered)
    Path("tariffs.toml").write_text(TARIFFS)
    assert command_here(capfd, "journal tariff tariffs.toml --data data").exit_code == 0
    [charge] = command_here(capfd, "charges --data data --json").document()  # type: ignore[misc]
    kwh = charge["energy_battery_kwh"]
    assert kwh == pytest.approx(-truth.kwh, rel=0.01)
    assert charge["cost"] == pytest.approx(0.75 * kwh, rel=0.005)
    listed = command_here(capfd, "journal list --data data --json").document()
    assert isinstance(listed, dict)
    assert [one["cost"] for one in listed["items"] if one["cost"]] == [charge["cost"]]
    told = command_here(capfd, "history rebuild --data data")
    assert told.exit_code == 0
    assert command_here(capfd, "charges --data data --json").document() == [charge]


def test_a_span_holds_what_begins_in_it(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    line = "trips --data data --json --since 2026-01-01T06:00:00Z --until 2026-01-02"
    assert len(command_here(capfd, line).document()) == 1  # type: ignore[arg-type]
    line = "trips --data data --json --since 2026-01-02"
    assert command_here(capfd, line).document() == []
    line = "trips --data data --since 2026-01-02 --until 2026-01-01"
    command_here(capfd, line).check_refused(2, "is not before")


def test_facts_are_tables_for_people_and_for_programs(
    data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told = command_here(capfd, "trips --data data").out.splitlines()
    assert told[0].split()[:3] == ["id", "vehicle", "start"]
    assert len(told) == 3
    rows = list(csv.DictReader(io.StringIO(command_here(capfd, "trips --data data --csv").out)))
    assert [row["vehicle_id"] for row in rows] == ["leaf", "leaf"]
    assert float(rows[0]["start_location.latitude_deg"]) == pytest.approx(47, abs=0.1)
    report = command_here(capfd, "report --data data").out
    assert "2 trips" in report
    assert "1 times" in report
    document = command_here(capfd, "report --data data --json").document()
    assert isinstance(document, dict)
    assert document["trips"]["count"] == 2
    battery = command_here(capfd, "battery --data data --json").document()
    assert isinstance(battery, dict)
    assert battery.keys() >= {
        *("vehicle_id", "capacity_kwh", "capacity_uncertainty_kwh", "state_of_health_pct"),
        *("method", "sessions_used", "history"),
    }
    assert "leaf" in command_here(capfd, "battery --data data").out


def test_a_trip_is_explained_in_parts_that_add_up(
    data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trips = command_here(capfd, "trips --data data --json").document()
    assert isinstance(trips, list)
    asked = f"trips --data data --explain {trips[1]['id']}"
    told = command_here(capfd, f"{asked} --json").document()
    assert isinstance(told, dict)
    assert (told["id"], told["vehicle_id"]) == (trips[1]["id"], "leaf")
    assert told["energy_kwh"] == trips[1]["energy_kwh"]
    assert told["trips_used"] == 1
    assert told["expected_low_kwh"] < told["expected_kwh"] < told["expected_high_kwh"]
    parts = {one["part"]: one["energy_kwh"] for one in told["parts"]}
    assert sum(parts.values()) == pytest.approx(told["energy_kwh"], abs=1e-4)
    lines = command_here(capfd, asked).out.splitlines()
    assert lines[1].endswith("from 1 other trips")
    assert [line.split()[0] for line in lines[3:]] == list(parts)
    rows = csv.DictReader(io.StringIO(command_here(capfd, f"{asked} --csv").out))
    assert {row["part"]: float(row["energy_kwh"]) for row in rows} == parts


def test_a_trip_that_is_none_is_not_explained(
    data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told = command_here(capfd, "trips --data data --explain nope --json")
    told.check_refused(1, "no trip 'nope'; contactor trips lists them")
    told = command_here(capfd, "trips --data data --explain nope --vehicle leaf --json")
    told.check_refused(1, "no trip 'nope' of vehicle 'leaf'")
    told = command_here(capfd, "trips --data data --explain nope --since 7d --json")
    told.check_refused(2, "--explain with --since or --until")


def test_places_have_names_that_a_rebuild_keeps(
    data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    places = command_here(capfd, "places --data data --json").document()
    assert isinstance(places, list)
    assert sum(place["stops"] for place in places) == 2
    home = next(place["id"] for place in places if place["charges"])
    assert command_here(capfd, f"places name {home} Home --data data").exit_code == 0
    (data / "history.sqlite3").unlink()
    assert command_here(capfd, "history rebuild --data data --json").document() == [
        {"vehicle_id": "leaf", "rows_read": len(ROWS.columns(every_s=5.0))}
    ]
    [charge] = command_here(capfd, "charges --data data --json").document()  # type: ignore[misc]
    assert charge["place"] == {"id": home, "name": "Home"}
    told = command_here(capfd, "places nme --data data")
    told.check_refused(2, "allowed: places name ID NAME, places draw ID NAME")


RING = [[9.49, 46.99], [9.51, 46.99], [9.51, 47.5], [9.49, 47.5], [9.49, 46.99]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}


def test_places_are_drawn_and_forgotten(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    here = "--latitude-deg 47.0 --longitude-deg 9.5 --radius-m 500"
    told = command_here(capfd, f"places draw yard Yard {here} --data data --json").document()
    circle = {"latitude_deg": 47.0, "longitude_deg": 9.5, "radius_m": 500.0}
    assert told == {"id": "yard", "name": "Yard", "fence": circle, "is_drawn": True}
    Path("way.geojson").write_text(json.dumps({"type": "Feature", "geometry": POLYGON}))
    drawn = command_here(capfd, "places draw way 'The way' --polygon way.geojson --data data")
    assert (drawn.exit_code, drawn.out) == (0, "way is The way\n")
    known = command_here(capfd, "places known --data data --json").document()
    assert isinstance(known, list)
    fences = {one["id"]: one["fence"] for one in known if one["is_drawn"]}
    points = [[latitude, longitude] for longitude, latitude in RING[:-1]]
    assert fences == {"yard": circle, "way": {"points": points}}
    assert "4 points from 46.99000,9.49000" in command_here(capfd, "places known --data data").out
    places = command_here(capfd, "places --data data --json").document()
    assert isinstance(places, list)
    assert {one["name"] for one in places} <= {"Yard", "The way"}
    assert command_here(capfd, "places forget way --data data").out == "way is forgotten\n"
    again = command_here(capfd, "places forget way --data data")
    again.check_refused(1, "no place 'way'; contactor places lists them")


@pytest.mark.parametrize(
    ("fence", "words"),
    [
        ("", "a fence is --latitude-deg, --longitude-deg and --radius-m, or --polygon FILE"),
        ("--latitude-deg 47 --longitude-deg 9", "a fence is --latitude-deg"),
        ("--radius-m 9 --polygon good.geojson", "a fence is --latitude-deg"),
        ("--latitude-deg north --longitude-deg 9 --radius-m 9", "--latitude-deg: invalid"),
        ("--latitude-deg 91 --longitude-deg 9 --radius-m 9", "no point on the Earth: 91.0"),
        ("--latitude-deg nan --longitude-deg 9 --radius-m 9", "no point on the Earth: nan"),
        ("--latitude-deg 47 --longitude-deg 9 --radius-m 0", "radius 0.0 m; allowed is up to"),
        ("--latitude-deg 47 --longitude-deg 9 --radius-m -5", "radius -5.0 m; allowed"),
        ("--latitude-deg 47 --longitude-deg 9 --radius-m inf", "radius inf m; allowed"),
        ("--polygon nothing.geojson", "nothing.geojson: No such file"),
        ("--polygon data", "data: Is a directory"),
        ("--polygon bad.geojson", "bad.geojson: "),
    ],
)
def test_a_fence_that_is_none_is_refused(
    data: Path, capfd: pytest.CaptureFixture[str], fence: str, words: str
) -> None:
    Path("bad.geojson").write_text("{")
    Path("good.geojson").write_text(json.dumps(POLYGON))
    before = tree(data)
    told = command_here(capfd, f"places draw yard Yard {fence} --data data --json")
    told.check_refused(2, words)
    assert tree(data) == before


def test_a_fence_is_only_drawn(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told = command_here(capfd, "places --radius-m 5 --data data")
    told.check_refused(2, "a fence is for places draw ID NAME")


def test_an_unknown_vehicle_is_told(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("trips", "charges", "battery", "places", "report"):
        told = command_here(capfd, f"{name} --data data --vehicle nobody --json")
        told.check_refused(1, "unknown vehicle 'nobody'; stored: leaf")


def test_an_erased_vehicle_has_no_facts(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store_rows(LocalStore(data), ROWS.columns(every_s=60.0), vehicle_id="forget-me")
    command_here(capfd, "trips --data data")
    told = command_here(capfd, "erase --vehicle forget-me --yes --data data --json").document()
    assert isinstance(told, dict)
    assert told["facts"] > 0
    assert told["still_named_in"] == []
    assert all(b"forget-me" not in path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert len(command_here(capfd, "trips --data data --json").document()) == 2  # type: ignore[arg-type]


def test_a_backup_leaves_out_what_is_found_again(
    data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = command_here(capfd, "trips --data data --json").document()
    assert command_here(capfd, "backup b.tar --data data").exit_code == 0
    assert command_here(capfd, "restore b.tar --data again").exit_code == 0
    assert not Path("again/history.sqlite3").exists()
    assert command_here(capfd, "trips --data again --json").document() == before


def test_words_and_bars_are_short() -> None:
    assert sparkline([0, 5, 10]) == "·▅█"
    assert sparkline([]) == ""
    assert sparkline([0.0, 0.0]) == "··"
    assert duration(4000.0) == "1:07"
    assert duration(None) is None


@pytest.mark.processes
def test_a_running_instance_tells_its_past_and_what_comes_late(tmp_path: Path) -> None:
    car = "virtual:contactor_ev?vehicle=demo&seed=3"
    with running(tmp_path / "data", "--car", car, "--history-days", "3") as instance:
        url = instance.document()["url"]

        def get(topic: str) -> dict[str, object]:
            place = f"{url}/api/v1/vehicles/demo/{topic}"
            with urllib.request.urlopen(place, timeout=60) as answer:
                return json.load(answer)  # type: ignore[no-any-return]

        def past() -> list[object] | None:
            items = get("trips?limit=1000")["items"]
            assert isinstance(items, list)
            return items if len(items) > 3 else None

        found = wait_for(past, timeout_s=120, why="the past is in the lake")
        assert isinstance(found, list)
        first = get("trips?limit=2")
        assert first["items"] == found[:2]
        second = get(f"trips?limit=2&cursor={first['next']}")
        assert second["items"] == found[2:4]
        told = command("trips --data data --json --vehicle demo", cwd=tmp_path).document()
        assert isinstance(told, list)
        assert told[:4] == found[:4]
        drive = found[3]
        assert isinstance(drive, dict)
        why = f"trips --data data --explain {drive['id']} --json"
        explained = command(why, cwd=tmp_path).document()
        assert explained == get(f"trips/{drive['id']}/consumption")
        assert explained["energy_kwh"] == drive["energy_kwh"]
        assert command(why.replace(drive["id"], "nope"), cwd=tmp_path).exit_code == 1
        assert command("charges --data data --json", cwd=tmp_path).exit_code == 0
        battery = command("battery --data data --json", cwd=tmp_path).document()
        assert isinstance(battery, dict)
        assert battery["vehicle_id"] == "demo"
        rebuilt = command("history rebuild --data data --json", cwd=tmp_path).document()
        assert isinstance(rebuilt, list)
        assert rebuilt[0]["rows_read"] > 1_000
        again = command("trips --data data --json --vehicle demo", cwd=tmp_path).document()
        assert isinstance(again, list)
        assert again[:4] == found[:4]


@pytest.mark.processes
def test_a_killed_rebuild_goes_on(data: Path, tmp_path: Path) -> None:
    before = command("trips --data data --json", cwd=tmp_path).document()
    for delay_s in (0.5, 1.0, 1.5):
        process = subprocess.Popen(
            [*CONTACTOR, "history", "rebuild", "--data", "data"],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(timeout=delay_s)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert command("trips --data data --json", cwd=tmp_path).document() == before
