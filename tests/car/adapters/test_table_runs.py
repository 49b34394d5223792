"""Tables become runs: whatever their clocks, with or without a hill, but not without power."""

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from contactor.car.adapters.table_map import load_table_map
from contactor.car.adapters.table_runs import check_fits, read_run
from contactor.errors import MalformedMap, TableError

NOW = 1_800_000_000 * 10**9
BATTERY = "Vehicle.Powertrain.TractionBattery"
VOLTS, AMPERES, WATTS = (f"{BATTERY}.Current{what}" for what in ("Voltage", "Current", "Power"))
AIR, ALTITUDE = "Vehicle.Exterior.AirTemperature", "Vehicle.CurrentLocation.Altitude"
CHARGE = f"{BATTERY}.StateOfCharge.Current"
SIGNALS = {
    "Vehicle.Speed": "speed",
    VOLTS: "volts",
    AMPERES: "amperes",
    ALTITUDE: "altitude",
    AIR: "air",
    CHARGE: "soc",
}


def map_of(folder: Path, signals: dict[str, str]):
    lines = ['[time]\ncolumn = "t"\nunit = "s"']
    lines += [f'[signals."{path}"]\ncolumn = "{column}"' for path, column in signals.items()]
    (folder / "map.toml").write_text("\n".join(lines))
    return load_table_map(folder / "map.toml")


def drive(seconds: int = 300) -> pl.DataFrame:
    """At 72 km/h with 400 V and 25 A, after ten seconds at rest."""
    t = np.arange(seconds + 1.0)
    return pl.DataFrame(
        {
            "t": t,
            "speed": np.clip((t - 10) * 7.2, 0, 72),
            "volts": np.where(t < 10, 410.0, 400.0),
            "amperes": np.where(t < 10, -1.0, -25.0),
            "altitude": 100 + t / 100,
            "air": np.linspace(10, 14, len(t)),
            "soc": np.linspace(63, 60, len(t)),
        }
    )


def run_of(folder: Path, table: pl.DataFrame, signals: dict[str, str] = SIGNALS):
    table.write_parquet(folder / "trip.parquet")
    return read_run(folder / "trip.parquet", map_of(folder, signals), now_ns=NOW)


def test_everything_a_table_tells_is_in_its_run(tmp_path):
    run = run_of(tmp_path, drive())
    assert run.name == str(tmp_path / "trip.parquet")
    assert run.steps == 300
    assert run.distance_m == pytest.approx(5_700, rel=1e-3)
    assert run.energy_j == pytest.approx(290 * 10_000, rel=0.005)
    assert run.ambient_degc == pytest.approx(12)
    assert run.state_of_charge == pytest.approx(0.63)
    assert run.rest_v == pytest.approx(410)
    assert (run.grade * run.speed_mps[1:]).sum() == pytest.approx(3, abs=0.2)


def test_what_a_table_lacks_of_the_rest_is_unknown(tmp_path):
    run = run_of(tmp_path, drive().select("t", "speed", "volts", "amperes"))
    assert (run.ambient_degc, run.state_of_charge) == (None, None)
    assert not run.grade.any()


def test_csv_is_read_as_parquet_is(tmp_path):
    drive().write_csv(tmp_path / "trip.csv")
    text = read_run(tmp_path / "trip.csv", map_of(tmp_path, SIGNALS), now_ns=NOW)
    binary = run_of(tmp_path, drive())
    for field in dataclasses.fields(binary):
        if field.name != "name":
            np.testing.assert_allclose(getattr(text, field.name), getattr(binary, field.name))


def test_power_stands_for_voltage_and_current(tmp_path):
    table = drive().with_columns((pl.col("volts") * pl.col("amperes")).alias("watts"))
    by_power = run_of(tmp_path, table, {"Vehicle.Speed": "speed", WATTS: "watts"})
    assert by_power.energy_j == pytest.approx(run_of(tmp_path, table).energy_j, rel=1e-3)
    assert by_power.rest_v is None


def test_signals_may_each_have_their_rows(tmp_path):
    table = drive()
    odd = (pl.col("t") % 2) == 1
    sparse = table.with_columns(
        pl.when(odd).then(None).otherwise(pl.col("speed")).alias("speed"),
        pl.when(odd).then(pl.col("amperes")).otherwise(None).alias("amperes"),
        pl.when((pl.col("t") % 3) == 1).then(pl.col("volts")).otherwise(None).alias("volts"),
    )
    run, whole = run_of(tmp_path, sparse), run_of(tmp_path, table)
    assert run.energy_j == pytest.approx(whole.energy_j, rel=0.01)
    assert run.distance_m == pytest.approx(whole.distance_m, rel=0.01)


def test_voltage_of_a_battery_at_work_tells_no_charge(tmp_path):
    assert run_of(tmp_path, drive().filter(pl.col("t") > 30)).rest_v is None


def test_cells_that_say_nothing_are_bridged_for_a_while_and_no_longer(tmp_path):
    t = pl.col("t")

    def holed(last: int) -> pl.DataFrame:
        is_hole = (t > 100) & (t < last)
        return drive().with_columns(
            pl.when(is_hole).then(float("nan")).otherwise(pl.col("amperes")).alias("amperes")
        )

    assert run_of(tmp_path, holed(108)).energy_j == pytest.approx(290 * 10_000, rel=0.005)
    with pytest.raises(TableError, match=rf"no {AMPERES} for 20 s from second 100 of the drive"):
        run_of(tmp_path, holed(120))


@pytest.mark.parametrize(
    ("left", "words"),
    [
        ({VOLTS, AMPERES}, "maps no Vehicle.Speed, which a fit needs"),
        ({"Vehicle.Speed", AMPERES}, f"maps no {VOLTS}; a fit needs both, or {WATTS}"),
        ({"Vehicle.Speed", AIR}, f"maps no {VOLTS} and no {AMPERES}; a fit needs both"),
    ],
)
def test_map_without_a_needed_signal_is_refused(tmp_path, left, words):
    signals = {path: column for path, column in SIGNALS.items() if path in left}
    table_map = map_of(tmp_path, signals)
    with pytest.raises(MalformedMap) as refused:
        check_fits(table_map)
    assert words in str(refused.value)
    assert "map.toml" in str(refused.value)


def test_map_with_the_needed_signals_fits(tmp_path):
    check_fits(map_of(tmp_path, SIGNALS))
    check_fits(map_of(tmp_path, {"Vehicle.Speed": "speed", WATTS: "watts"}))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (drive().drop("amperes"), "trip.parquet: no column 'amperes'"),
        (
            drive().with_columns(pl.lit(None, pl.Float64).alias("volts")),
            f"trip.parquet: not one value of {VOLTS}",
        ),
        (
            drive().with_columns(
                pl.when(pl.col("t") < 100).then(pl.col("speed")).alias("speed"),
                pl.when(pl.col("t") > 200).then(pl.col("amperes")).alias("amperes"),
            ),
            "are never known at the same time",
        ),
        (drive(40), "trip.parquet: 40 s are too short"),
        (drive().with_columns(pl.lit(0.0).alias("speed")), "trip.parquet: it drives 0 m"),
    ],
)
def test_table_that_is_no_drive_is_refused_with_its_name(tmp_path, table, words):
    with pytest.raises(TableError) as refused:
        run_of(tmp_path, table)
    assert words in str(refused.value)


def test_motives_runs_have_the_energies_that_are_known(shared_data):
    """The figures of the recordings' README, battery side, first shunt."""
    table_map = load_table_map(Path(__file__).parents[3] / "examples" / "import" / "motives.toml")
    for name, wh_per_km in (
        ("lab_CLTC_01_CLTC_01", 109),
        ("lab_WLTC_01_WLTC_01", 134),
        ("lab_UDDS_02_UDDS_02", 102),
    ):
        run = read_run(shared_data / "motives" / f"{name}.parquet", table_map, now_ns=NOW)
        assert run.energy_j / 3.6 / run.distance_m == pytest.approx(wh_per_km, abs=0.6)
        assert run.ambient_degc is None
    trip = read_run(shared_data / "motives" / "real_021.parquet", table_map, now_ns=NOW)
    assert trip.ambient_degc == pytest.approx(21.9, abs=0.1)
    assert trip.grade.any()
