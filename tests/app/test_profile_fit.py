"""`contactor profile fit`: what it prints and writes, and what it refuses without a trace."""

import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from contactor.car.profiles.profile import load_profile
from contactor.physics.calibration.parameters import BY_NAME
from tests.app.command_line import command_here, tree
from tests.physics.calibration.made_runs import DRIVES, TRUE, series_of

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "fit.md"
MOTIVES = Path(__file__).parents[2] / "examples" / "import" / "motives.toml"
BATTERY = "Vehicle.Powertrain.TractionBattery"
MAP = f"""\
[time]
column = "t"
unit = "s"

[signals."Vehicle.Speed"]
column = "speed_kmh"

[signals."{BATTERY}.CurrentPower"]
column = "power_w"

[signals."Vehicle.Exterior.AirTemperature"]
column = "air"

[signals."{BATTERY}.StateOfCharge.Current"]
column = "soc"
"""
COPPER = "--parameter driveline.copper_w_per_nm2"
TRIPS = " ".join(f"trip{place}.csv" for place in range(6))
FIT = f"profile fit {TRIPS} --map map.toml --base contactor_ev --output my_car"
KEYS = ["file", "measured_wh_per_km", "model_wh_per_km", "error_pct"]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight drives of a car that we know, as tables."""
    folder = tmp_path_factory.mktemp("recordings")
    for place, drive in enumerate(DRIVES):
        time_s, speed_mps, given_w = series_of(drive, TRUE, seed=place)
        table = {
            "t": time_s,
            "speed_kmh": speed_mps * 3.6,
            "power_w": -given_w,
            "air": np.full(len(time_s), drive[1]),
            "soc": np.full(len(time_s), drive[2] * 100),
        }
        pl.DataFrame(table).write_csv(folder / f"trip{place}.csv")
    (folder / "map.toml").write_text(MAP)
    return folder


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for path in recordings.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path


def refused(capfd: pytest.CaptureFixture[str], line: str, exit_code: int, words: str) -> None:
    """It says what is wrong, and the folder is as it was."""
    before = tree(Path())
    command_here(capfd, line).check_refused(exit_code, words)
    assert tree(Path()) == before


# ── what comes of it ─────────────────────────────────────────────────────────────────────────────


def test_json_has_the_keys_of_the_contract_and_the_true_car(capfd: pytest.CaptureFixture[str]):
    document = command_here(capfd, f"{FIT} --judge trip6.csv trip7.csv --json").document()
    assert list(document) == ["parameters", "runs", "held", "judged"]
    for name, value in TRUE.items():
        found = document["parameters"][name]
        assert list(found) == ["value", "low", "high", "unit"]
        assert found["low"] <= value <= found["high"]
    assert document["held"]["body.mass_kg"]
    assert [one["file"] for one in document["runs"]] == TRIPS.split()
    assert [one["file"] for one in document["judged"]] == ["trip6.csv", "trip7.csv"]
    for one in [*document["runs"], *document["judged"]]:
        assert list(one) == KEYS
        assert one["model_wh_per_km"] == pytest.approx(one["measured_wh_per_km"], rel=0.04)
        ratio = one["model_wh_per_km"] / one["measured_wh_per_km"]
        assert one["error_pct"] == pytest.approx((ratio - 1) * 100, abs=1e-4)


def test_folder_is_a_profile_with_the_fitted_numbers(capfd: pytest.CaptureFixture[str]):
    document = command_here(capfd, f"{FIT} {COPPER} --json").document()
    assert "judged" not in document
    base, fitted = load_profile("contactor_ev"), load_profile("my_car")
    drag = document["parameters"]["body.drag_area_m2"]["value"]
    assert fitted.physics.body.drag_area_m2 == pytest.approx(drag, rel=1e-5)
    assert fitted.physics.battery == base.physics.battery
    assert fitted.fingerprint == base.fingerprint
    assert not Path(".my_car.part").exists()
    readme = Path("my_car/README.md").read_text()
    for words in ("# my_car: contactor_ev", "`trip0.csv`", "`body.drag_area_m2`", "body.mass_kg"):
        assert words in readme
    assert "drag_area_m2 = " in (text := Path("my_car/physics.toml").read_text())
    assert text.count("# fitted") == len(document["parameters"])
    checked = command_here(capfd, "profile check my_car --json").document()
    assert (checked["ok"], checked["findings"]) == (True, [])
    driven = command_here(capfd, "simulate --profile my_car --cycle UDDS --json").document()
    ours = command_here(capfd, "simulate --profile contactor_ev --cycle UDDS --json").document()
    assert driven["profile"] == "my_car"
    assert driven["consumption_wh_per_km"] > ours["consumption_wh_per_km"]


def test_table_is_for_people(capfd: pytest.CaptureFixture[str]):
    Path("my_car").mkdir()
    ended = command_here(capfd, f"{FIT} {COPPER} --judge trip6.csv")
    assert (ended.exit_code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].split() == ["parameter", "value", "95", "%", "interval", "base", "unit"]
    assert any(line.startswith("body.drag_area_m2 ") and " 0.58 " in line for line in lines)
    assert "held: body.mass_kg, was not to be fitted" in lines
    assert sum(line.startswith("mean absolute error") for line in lines) == 2
    assert lines[-1] == "written: my_car"


def test_profile_that_is_physics_alone_stays_so(capfd: pytest.CaptureFixture[str]):
    line = FIT.replace("contactor_ev", "tesla_model_3").replace("my_car", "other")
    assert command_here(capfd, f"{line} {COPPER}").exit_code == 0
    assert sorted(path.name for path in Path("other").iterdir()) == ["README.md", "physics.toml"]


def test_base_that_cannot_do_the_drives_is_told_of(capfd: pytest.CaptureFixture[str]):
    text = Path(load_profile("contactor_ev").folder / "physics.toml").read_text()
    Path("weak").mkdir()
    Path("weak/physics.toml").write_text(text.replace("power_max_kw = 210", "power_max_kw = 60"))
    ended = command_here(capfd, f"{FIT.replace('contactor_ev', 'weak')} {COPPER}")
    assert "km/h beside the speed of trip" in ended.err
    assert ended.exit_code == 0


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("end", ["", " --json"])
def test_parameter_at_a_bound_is_named_and_nothing_is_written(
    capfd: pytest.CaptureFixture[str], end: str
):
    for place in range(6):
        path = Path(f"trip{place}.csv")
        table = pl.read_csv(path)
        heavy = pl.col("power_w") - 2200 * 9.81 * 0.02 * pl.col("speed_kmh") / 3.6
        table.with_columns(heavy).write_csv(path)
    words = "body.rolling_resistance ends at 0.02, a bound of its range 0.004 to 0.02"
    refused(capfd, f"{FIT} {COPPER}{end}", 1, words)


SPEED, POWER, TIME = pl.col("speed_kmh"), pl.col("power_w"), pl.col("t")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"speed_kmh": SPEED * 0}, "trip0.csv: it drives 0 m; at least 500 m are needed"),
        ({"power_w": POWER * float("nan")}, f"trip0.csv: not one value of {BATTERY}.Curr"),
        (
            {"speed_kmh": pl.when(TIME.is_between(300, 400)).then(None).otherwise(SPEED)},
            "trip0.csv: no Vehicle.Speed for 102 s from second 299",
        ),
        ({"t": TIME / 100}, "trip0.csv: 18 s are too short; at least 60 s"),
        ({"speed_kmh": SPEED * 10}, "trip0.csv: a speed of"),
    ],
)
def test_recording_that_is_no_drive_is_named(
    capfd: pytest.CaptureFixture[str], columns: dict[str, pl.Expr], words: str
):
    pl.read_csv("trip0.csv").with_columns(**columns).write_csv("trip0.csv")
    refused(capfd, f"{FIT} --json", 1, words)


def test_recording_without_a_needed_column_is_named(capfd: pytest.CaptureFixture[str]):
    pl.read_csv("trip0.csv").drop("power_w").write_csv("trip0.csv")
    refused(capfd, FIT, 1, "trip0.csv: no column 'power_w'")


def test_power_with_the_wrong_sign_is_told(capfd):
    Path("map.toml").write_text(MAP.replace('"power_w"', '"power_w"\nscale = -1'))
    refused(capfd, FIT, 1, "what charges the battery is positive")


def test_too_little_is_told(capfd):
    pl.read_csv("trip1.csv").head(150).write_csv("short.csv")
    line = FIT.replace(TRIPS, "short.csv")
    refused(capfd, line, 1, "2 runs, or pieces of a minute, for 3 parameters; at least 5")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("--base contactor_ev", "--base contactor"), "unknown profile 'contactor'"),
        (("--base contactor_ev", "--base nissan_leaf_ze0"), "has no physics.toml to start from"),
        (("trip0.csv", "trip9.csv"), "no file trip9.csv"),
        (("trip0.csv", "trip1.csv"), "trip1.csv is given twice"),
        (("--output", "--judge ./trip0.csv --output"), "trip0.csv is given twice"),
        (("map.toml", "other.toml"), "no such file: other.toml"),
        (("my_car", "trip0.csv"), "--output trip0.csv: it is there already"),
        (("my_car", "."), "--output .: it is there already"),
        (("my_car", "no/where"), "--output no/where: there is no folder no"),
        (("--output", "--parameter mass --output"), "--parameter 'mass'; allowed are body."),
        (("--output", "--temperature-degc nan --output"), "nan is beyond what is allowed: -40"),
        (("--output", "--temperature-degc x --output"), "'x' is no number"),
        (("--output my_car", ""), "--output"),
    ],
)
def test_arguments_that_are_wrong(capfd, change, words):
    refused(capfd, FIT.replace(*change), 2, words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('signals."Vehicle.Speed"', 'signals."Vehicle.TraveledDistance"'), "no Vehicle.Speed"),
        (("CurrentPower", "CurrentVoltage"), f"map.toml: maps no {BATTERY}.CurrentCurrent"),
    ],
)
def test_map_without_a_needed_signal(capfd, change, words):
    Path("map.toml").write_text(MAP.replace(*change))
    refused(capfd, FIT, 2, words)


def test_base_whose_numbers_do_not_stand_in_lines(capfd):
    text = Path(load_profile("contactor_ev").folder / "physics.toml").read_text()
    body = text[text.index("[body]") : text.index("[driveline]")]
    numbers = [line.partition("#")[0].strip() for line in body.splitlines()[1:]]
    inline = f"body = {{{', '.join(number for number in numbers if number)}}}\n"
    head = text[: text.index("[body]")]
    Path("odd").mkdir()
    Path("odd/physics.toml").write_text(head + inline + text[text.index("[driveline]") :])
    assert load_profile("odd").physics == load_profile("contactor_ev").physics
    refused(capfd, FIT.replace("contactor_ev", "odd"), 2, "cannot be replaced there")


# ── real recordings ──────────────────────────────────────────────────────────────────────────────


def test_motives_lab_runs_are_met_and_a_kind_left_out_is_predicted(
    capfd: pytest.CaptureFixture[str], shared_data: Path
):
    folder = shared_data / "motives"
    lab = sorted(folder.glob("lab_*.parquet"))
    wltc = [
        path for path in lab if any(f"_{n}_WLTC" in path.name for n in ("01", "02", "05", "12"))
    ]
    others = [path for path in lab if path not in wltc]
    assert (len(lab), len(wltc)) == (37, 4)
    line = (
        f"profile fit {' '.join(map(str, others))} --map {MOTIVES} --base contactor_ev"
        f" --output wltc_unseen --json --judge {' '.join(map(str, wltc))}"
    )
    document = command_here(capfd, line).document()
    errors = [abs(one["error_pct"]) for one in document["runs"]]
    assert sum(errors) / len(errors) < 3
    judged = {Path(one["file"]).stem: one["error_pct"] for one in document["judged"]}
    cold = judged.pop("lab_WLTC_01_WLTC_01")
    assert abs(cold) < 7
    assert max(map(abs, judged.values())) < 4


def test_help_and_guide_tell_of_every_option(capfd: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="0"):
        command_here(capfd, "profile fit --help")
    options = set(re.findall(r"--[a-z-]+", capfd.readouterr().out)) - {"--help", "--verbose"}
    assert options >= {"--map", "--base", "--output", "--parameter", "--judge", "--json"}
    guide = GUIDE.read_text()
    for name in [*options, *BY_NAME]:
        assert f"`{name}" in guide, name
