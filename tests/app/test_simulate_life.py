"""`contactor simulate --scenario`: what it prints, writes and draws, and what it refuses."""

from pathlib import Path

import polars as pl
import pytest

from tests.app.command_line import command_here

DAY = "simulate --profile contactor_ev --scenario day"
MINE = """
format = 1
extends = "commuter"
title = "a short week"
start = "2026-03-02"
days = 2
[weather]
series = "air.csv"
"""


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(MINE)
    (tmp_path / "air.csv").write_text("ambient_degc\n" + "30\n" * 24)
    return tmp_path


def test_day_is_told_drive_by_drive(capfd: pytest.CaptureFixture[str]) -> None:
    ended = command_here(capfd, f"{DAY} --plot day.png --output day.parquet")
    assert (ended.exit_code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "contactor_ev, a commuter's working day: 1 day, normal driver"
    assert any("home to work" in line for line in lines)
    assert any("DC charge, station" in line for line in lines)
    assert any(line.startswith("energy from the wall") for line in lines)
    assert Path("day.png").read_bytes().startswith(b"\x89PNG")
    series = pl.read_parquet("day.parquet")
    assert series.columns[:4] == ["time_s", "speed_kmh", "battery_power_kw", "soc_pct"]
    assert series["speed_kmh"].max() > 90


def test_json_holds_the_facts(capfd: pytest.CaptureFixture[str]) -> None:
    line = "simulate --profile contactor_ev --scenario mine.toml --driver calm --seed 3 --json"
    found = command_here(capfd, line).document()
    assert isinstance(found, dict)
    assert (found["scenario"], found["driver"], found["days"]) == ("mine.toml", "calm", 2)
    assert found["consumption_wh_per_km"] == pytest.approx(
        1000 * found["energy_battery_kwh"] / found["distance_km"], rel=1e-4
    )
    (month,) = found["months"]
    assert month["month"] == "2026-03"
    assert month["distance_km"] == pytest.approx(found["distance_km"], rel=1e-6)
    assert month["ambient_degc"] == pytest.approx(30, abs=0.5)
    charges = found["charges"]
    wall_kwh = charges["ac"]["energy_wall_kwh"] + charges["dc"]["energy_wall_kwh"]
    assert found["energy_wall_kwh"] == pytest.approx(wall_kwh, rel=0.05)


def test_longer_life_is_told_month_by_month(capfd: pytest.CaptureFixture[str]) -> None:
    line = "simulate --profile contactor_ev --scenario weekender --days 40 --plot life.html"
    ended = command_here(capfd, line)
    assert ended.exit_code == 0
    assert "2026-01" in ended.out
    assert "2026-02" in ended.out
    assert "lowest state of charge" in Path("life.html").read_text()


def test_empty_battery_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    ended = command_here(capfd, "simulate --profile renault_twizy --scenario day --soc-pct 20")
    assert ended.exit_code == 0
    assert "the battery was empty" in ended.err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "give either --cycle NAME|FILE or --scenario NAME|FILE"),
        ("--cycle NEDC --scenario day", "give either --cycle"),
        ("--scenario day --repeat 2", "--repeat does not go with --scenario"),
        ("--scenario day --temperature-degc 3", "--temperature-degc does not go with --scenario"),
        ("--cycle NEDC --days 2", "--days does not go with --cycle"),
        ("--scenario nix", "no such scenario or file; there are commuter, day"),
        ("--scenario day --driver x", "no driver 'x'; it has normal, calm, brisk"),
        ("--scenario day --days 0", "'0': allowed are 1 to 3660"),
        ("--scenario air.csv", "air.csv: no TOML"),
        ("--scenario mine.toml --output mine.toml", "FILE.parquet or FILE.csv is expected"),
    ],
)
def test_wrong_request_is_refused(
    capfd: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    ended = command_here(capfd, f"simulate --profile contactor_ev {line}")
    assert ended.exit_code == 2
    assert ended.out == ""
    assert message in ended.err
