"""The journal by the command line, over a folder at rest and over one in use."""

import math
from collections.abc import Iterator
from pathlib import Path

import httpx
import pypdf
import pytest

from tests.app.command_line import Ended, command_here
from tests.app.processes import RunningInstance, running

pytestmark = pytest.mark.processes

MAP = """
[time]
column = "t"
unit = "s"
[signals."Vehicle.Speed"]
column = "speed"
[signals."Vehicle.CurrentLocation.Latitude"]
column = "latitude"
[signals."Vehicle.CurrentLocation.Longitude"]
column = "longitude"
[signals."Vehicle.Powertrain.TractionBattery.CurrentVoltage"]
column = "volts"
[signals."Vehicle.Powertrain.TractionBattery.CurrentCurrent"]
column = "amperes"
[signals."Vehicle.Powertrain.TractionBattery.Charging.IsCharging"]
column = "charging"
"""
TARIFFS = """
version = 1
currency = "CHF"
time_zone = "Europe/Vaduz"
[[tariffs]]
name = "home"
place = "Home"
metered = "battery"
per_kwh = 0.25
"""
START_S = 1_714_636_800  # 2024-05-02T08:00:00Z
HOME, WORK = (47.14, 9.52), (47.14, 9.72)


def rows() -> Iterator[str]:
    """Out at eight, back at noon, then four hours of 4 kW at home."""
    yield "t,speed,latitude,longitude,volts,amperes,charging"
    for second in range(0, 9 * 3600, 2):
        yield f"{START_S + second},{row(second / 60)}"


def row(minute: float) -> str:
    latitude, longitude, speed, amperes, charging = *HOME, 0.0, 0.0, 0
    if 10 <= minute < 40:
        longitude, speed, amperes = between(HOME, WORK, (minute - 10) / 30), 30.0, -20.0
    elif 40 <= minute < 240:
        longitude = WORK[1]
    elif 240 <= minute < 270:
        longitude, speed, amperes = between(WORK, HOME, (minute - 240) / 30), 30.0, -20.0
    elif 300 <= minute < 540:
        amperes, charging = 10.0, 1
    jitter = 1e-5 * math.sin(minute)
    return f"{speed},{latitude + jitter},{longitude},400,{amperes},{charging}"


def between(start: tuple[float, float], end: tuple[float, float], share: float) -> float:
    return start[1] + share * (end[1] - start[1])


class Desk:
    """A folder with a car's history, and the commands given there."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capfd = folder, capfd

    def command(self, words: str) -> Ended:
        return command_here(self._capfd, f"{words} --data {self.folder / 'data'}")

    def journal(self, words: str) -> Ended:
        return self.command(f"journal {words}")

    def listed(self) -> list[dict[str, object]]:
        return self.journal("list --json").document()["items"]  # type: ignore[index,return-value]

    def written(self, name: str, text: str) -> Path:
        (self.folder / name).write_text(text)
        return self.folder / name


@pytest.fixture
def desk(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(tmp_path, capfd)
    table, names = made.written("car.csv", "\n".join(rows())), made.written("map.toml", MAP)
    assert made.command(f"import {table} --map {names} --vehicle leaf --json").exit_code == 0
    return made


def test_what_is_said_is_kept_and_exported(desk: Desk) -> None:
    check_journal(desk)


def test_what_is_said_through_an_instance_is_kept_and_exported(desk: Desk) -> None:
    with running(desk.folder / "data", command="serve") as instance:
        check_journal(desk)
        check_places(instance)
        check_drawn(desk, instance)
        check_refusals(instance)
    assert [one["note"] for one in desk.listed()] == [None, None, "to the lake"]


def test_a_late_import_changes_what_happened_and_loses_no_word(desk: Desk) -> None:
    """Half of the way out and all of the way back come when much has been said already."""
    header, *every = rows()
    first = [line for line in every if is_first(float(line.partition(",")[0]) - START_S)]
    rest = sorted(set(every) - set(first))
    tables = {
        name: desk.written(f"{name}.csv", "\n".join([header, *lines]))
        for name, lines in (("first", first), ("rest", rest))
    }
    bring = f"import {{}} --map {desk.folder / 'map.toml'} --vehicle zoe --json"
    with running(desk.folder / "data", command="serve"):
        assert desk.command(bring.format(tables["first"])).exit_code == 0
        charge, out = desk.journal("list --vehicle zoe --json").document()["items"]
        assert (charge["subject"], out["subject"]) == ("charge", "trip")
        assert out["distance_km"] == pytest.approx(10, rel=0.1)
        desk.journal(f"tag {out['id']} client --purpose business --driver Ada")
        desk.journal(f"note {charge['id']} 'sun'")
        home = charge["start_spot"]["place_id"]
        assert desk.command(f"places name {home} Home").exit_code == 0

        assert desk.command(bring.format(tables["rest"])).exit_code == 0
        told = desk.journal("list --vehicle zoe --json").document()
        again, back, whole = told["items"]
        assert (whole["tags"], whole["purpose"], whole["driver"]) == (["client"], "business", "Ada")
        assert whole["distance_km"] == pytest.approx(15, rel=0.1)
        assert whole["id"] != out["id"]
        assert (back["subject"], back["tags"], back["purpose"]) == ("trip", [], None)
        assert (again["id"], again["note"]) == (charge["id"], "sun")
        assert whole["start_spot"]["name"] == back["end_spot"]["name"] == "Home"
        assert told["loose"] == []
        trips = desk.command("trips --vehicle zoe --json").document()
        assert [trip["tags"] for trip in trips] == [["client"], []]
        assert desk.command("history rebuild --vehicle zoe").exit_code == 0
        assert desk.journal("list --vehicle zoe --json").document() == told


def is_first(second: float) -> bool:
    """Whether a row is of the first table."""
    return second >= 20 * 60 and not 235 * 60 <= second < 275 * 60


def check_journal(desk: Desk) -> None:
    charge, back, out = desk.listed()
    assert [one["subject"] for one in (charge, back, out)] == ["charge", "trip", "trip"]
    assert out["distance_km"] == pytest.approx(15, rel=0.1)
    assert charge["energy_kwh"] == pytest.approx(16, rel=0.02)

    said = f"tag {out['id']} client north --purpose business --driver Ada --json"
    assert desk.journal(said).document()["tags"] == ["client", "north"]
    told = desk.journal(f"tag {out['id']} --remove north --json").document()
    assert (told["tags"], told["purpose"]) == (["client"], "business")
    assert desk.journal(f"note {out['id']} 'to the lake' --json").exit_code == 0

    tariffs = desk.written("tariffs.toml", TARIFFS)
    assert "Home" in desk.journal(f"tariff {tariffs}").out
    home = charge["start_spot"]["place_id"]
    assert home == out["start_spot"]["place_id"] == back["end_spot"]["place_id"]
    assert out["end_spot"]["place_id"] == back["start_spot"]["place_id"] != home
    assert desk.command(f"places name {home} Home").exit_code == 0
    charge, back, out = desk.listed()
    assert charge["start_spot"]["name"] == "Home"
    assert charge["cost"] == pytest.approx(0.25 * charge["energy_kwh"], abs=0.01)
    assert (out["note"], out["driver"]) == ("to the lake", "Ada")

    may = desk.folder / "may"
    for suffix in ("csv", "xlsx", "pdf"):
        assert desk.journal(f"export 2024-05 --output {may}.{suffix} --json").exit_code == 0
    line = may.with_suffix(".csv").read_text("utf-8-sig").splitlines()[1]
    assert line.startswith("2024-05-02,10:")
    assert line.endswith(",business,Ada,client,to the lake")
    assert "business" in pypdf.PdfReader(may.with_suffix(".pdf")).pages[0].extract_text()

    desk.journal("note none x").check_refused(1, "no trip or charge 'none'")
    desk.journal(f"export 2024-13 --output {may}.csv").check_refused(2, "as 2024-05")
    desk.journal(f"export 2024-05 --output {may}.doc").check_refused(2, "csv, xlsx, pdf")
    desk.journal("list --vehicle none").check_refused(1, "no vehicle 'none'; known: leaf")


def call(
    instance: RunningInstance, method: str, place: str, body: object = None
) -> tuple[int, object]:
    answer = httpx.request(
        method, f"{instance.document()['url']}/api/v1/{place}", json=body, timeout=60
    )
    return answer.status_code, answer.json() if answer.content else None


def check_places(instance: RunningInstance) -> None:
    fence = {"latitude_deg": HOME[0], "longitude_deg": HOME[1], "radius_m": 300}
    yard = {"name": "Yard", "fence": fence}
    assert call(instance, "PUT", "places/yard", yard)[0] == 200
    places = call(instance, "GET", "places")[1]["items"]
    assert {one["name"]: one["is_drawn"] for one in places} == {
        "Home": False,
        "Yard": True,
        None: False,
    }
    entries = call(instance, "GET", "vehicles/leaf/journal?limit=1")[1]
    assert entries["items"][0]["start_spot"]["name"] == "Yard"
    assert call(instance, "DELETE", "places/yard") == (204, None)
    assert call(instance, "DELETE", "places/yard")[0] == 404
    second = call(instance, "GET", f"vehicles/leaf/journal?limit=5&cursor={entries['next']}")[1]
    assert len(second["items"]) == 2


def check_drawn(desk: Desk, instance: RunningInstance) -> None:
    fence = f"--latitude-deg {HOME[0]} --longitude-deg {HOME[1]} --radius-m 300"
    drawn = desk.command(f"places draw 'the yard' Yard {fence} --json").document()
    known = desk.command("places known --json").document()
    assert known == call(instance, "GET", "places")[1]["items"]
    assert drawn in known
    desk.command(f"places draw other Yard {fence}").check_refused(2, "is that of place 'the yard'")
    assert desk.command("places forget 'the yard' --json").document() == {"id": "the yard"}
    desk.command("places forget 'the yard'").check_refused(1, "no place 'the yard'")


def check_refusals(instance: RunningInstance) -> None:
    entry = call(instance, "GET", "vehicles/leaf/journal")[1]["items"][0]["id"]
    mine = f"vehicles/leaf/journal/{entry}"
    half = {"latitude_deg": 1}
    for method, place, body, status, words in (
        ("PATCH", mine, {"purpose": "fun"}, 400, "purpose"),
        ("PATCH", mine, {"driver": ""}, 400, "driver"),
        ("PATCH", mine, {"mood": 1}, 400, "mood"),
        ("PATCH", "vehicles/leaf/journal/none", {"note": "x"}, 404, "none"),
        ("PATCH", "vehicles/none/journal/none", {"note": "x"}, 404, "none"),
        ("PATCH", "places/none", {"name": "x"}, 404, "no place 'none'"),
        ("PUT", "places/x", {"name": "x", "fence": half}, 400, "points alone"),
        ("PUT", "tariffs", {"version": 2}, 400, "version"),
        ("GET", "vehicles/leaf/journal/month?month=may", None, 400, "as 2024-05"),
        ("GET", "vehicles/leaf/journal/month?month=2024-05&time_zone=x", None, 400, "zone 'x'"),
    ):
        found, problem = call(instance, method, place, body)
        assert (found, words in problem["detail"]) == (status, True), (method, place, problem)
