"""Forty real trips of one car, imported a day apart and asked for on the command line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.app.command_line import command_here
from tests.history.recorded import net_kwh

MAP = Path(__file__).parents[2] / "examples" / "import" / "motives.toml"
FIRST = datetime(2023, 4, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sampling", "source", "energy_part"),
    [("every", "voltage_current", 0.001), ("profile", "power", 0.005)],
)
def test_forty_imported_trips_are_forty_trips(
    sampling: str,
    source: str,
    energy_part: float,
    shared_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    tables = [shared_data / "motives" / f"real_{number:03d}.parquet" for number in range(1, 41)]
    for day, table in enumerate(tables):
        start = (FIRST + timedelta(days=day)).isoformat()
        line = f"import {table} --map {MAP} --vehicle motives --data data --start {start} --json"
        line += f" --sampling {sampling}"
        assert command_here(capfd, line).exit_code == 0
    trips = command_here(capfd, "trips --vehicle motives --data data --json").document()
    raw = [pl.read_parquet(table) for table in tables]
    assert [trip["energy_source"] for trip in trips] == [source] * 40
    assert [trip["energy_kwh"] for trip in trips] == pytest.approx(
        [net_kwh(table) for table in raw], rel=energy_part
    )
    assert [trip["distance_km"] for trip in trips] == pytest.approx(
        [float(table["DAActualSpeed"].sum()) * 0.05 / 3600 for table in raw], rel=0.005
    )
    counted_kwh = sum(
        table["tot_disc"][-1] - table["tot_disc"][0] - table["tot_char"][-1] + table["tot_char"][0]
        for table in raw
    )
    total_kwh = sum(trip["energy_kwh"] for trip in trips)
    assert total_kwh == pytest.approx(counted_kwh, rel=0.03)
    assert command_here(capfd, "charges --vehicle motives --data data --json").document() == []
