"""The journal by the command line, over a folder at rest and over one in use."""

import math
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pypdf
import pytest

from tests.app.command_line import Ended, command
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


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "car.csv").write_text("\n".join(rows()))
    (tmp_path / "map.toml").write_text(MAP)
    (tmp_path / "tariffs.toml").write_text(TARIFFS)
    brought = command(
        "import car.csv --map map.toml --vehicle leaf --data data --json", cwd=tmp_path
    )
    assert brought.exit_code == 0, brought
    return tmp_path


def journal(desk: Path, words: str) -> Ended:
    return command(f"journal {words} --data data", cwd=desk)


def listed(desk: Path) -> list[dict[str, object]]:
    return journal(desk, "list --json").document()["items"]  # type: ignore[index,return-value]


@pytest.mark.parametrize("is_running", [False, True])
def test_what_is_said_is_kept_and_exported(desk: Path, is_running: bool) -> None:
    with running(desk / "data", command="serve") if is_running else nullcontext() as instance:
        check_journal(desk, instance)


def check_journal(desk: Path, instance: RunningInstance | None) -> None:
    charge, back, out = listed(desk)
    assert [one["subject"] for one in (charge, back, out)] == ["charge", "trip", "trip"]
    assert out["distance_km"] == pytest.approx(15, rel=0.1)
    assert charge["energy_kwh"] == pytest.approx(16, rel=0.02)

    told = journal(desk, f"tag {out['id']} client north --purpose business --driver Ada --json")
    assert told.document()["tags"] == ["client", "north"]
    told = journal(desk, f"tag {out['id']} --remove north --json").document()
    assert (told["tags"], told["purpose"]) == (["client"], "business")
    assert journal(desk, f"note {out['id']} 'to the lake' --json").exit_code == 0

    journal(desk, "tariff tariffs.toml")
    home = charge["start_spot"]["place_id"]
    assert home == out["start_spot"]["place_id"] == back["end_spot"]["place_id"]
    assert out["end_spot"]["place_id"] == back["start_spot"]["place_id"] != home
    named = command(f"places name {home} Home --data data", cwd=desk)
    assert named.exit_code == 0, named
    charge, back, out = listed(desk)
    assert charge["start_spot"]["name"] == "Home"
    assert charge["cost"] == pytest.approx(0.25 * charge["energy_kwh"], abs=0.01)
    assert (out["note"], out["driver"]) == ("to the lake", "Ada")

    for name in ("may.csv", "may.xlsx", "may.pdf"):
        assert journal(desk, f"export 2024-05 --output {name} --json").exit_code == 0
    text = (desk / "may.csv").read_text("utf-8-sig")
    assert text.splitlines()[1].startswith("2024-05-02,10:")
    assert text.splitlines()[1].endswith(",business,Ada,client,to the lake")
    assert "business" in pypdf.PdfReader(desk / "may.pdf").pages[0].extract_text()

    journal(desk, "note none x").check_refused(1, "no trip or charge 'none'")
    journal(desk, "export 2024-13 --output x.csv").check_refused(2, "as 2024-05")
    journal(desk, "export 2024-05 --output x.doc").check_refused(2, "csv, xlsx, pdf")
    journal(desk, "list --vehicle none").check_refused(1, "no vehicle 'none'; known: leaf")
