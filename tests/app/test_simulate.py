"""`contactor simulate`: what it prints, writes and draws, and what it refuses."""

from pathlib import Path

import polars as pl
import pytest

from tests.app.command_line import command_here

KEYS = [
    "profile",
    "cycle",
    "distance_km",
    "duration_s",
    "energy_battery_kwh",
    "energy_wall_kwh",
    "consumption_wh_per_km",
    "recuperated_kwh",
    "soc_start_pct",
    "soc_end_pct",
    "speed_error_max_kmh",
]
NEDC = "simulate --profile contactor_ev --cycle NEDC"
OWN = "simulate --profile contactor_ev --cycle own.csv"
ROWS = "0,0,400,15\n10,50,400,15\n60,50,415,5\n70,0,415,5\n"


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.csv").write_text(f"time_s,speed_kmh,elevation_m,ambient_degc\n{ROWS}")
    return tmp_path


def facts(capfd: pytest.CaptureFixture[str], line: str) -> dict[str, object]:
    document = command_here(capfd, f"{line} --json").document()
    assert isinstance(document, dict)
    return document


def test_json_has_the_keys_of_the_contract(capfd: pytest.CaptureFixture[str]):
    found = facts(capfd, NEDC)
    assert list(found) == KEYS
    assert (found["profile"], found["cycle"]) == ("contactor_ev", "NEDC")
    assert found["distance_km"] == pytest.approx(11.028, abs=0.01)
    assert (found["duration_s"], found["soc_start_pct"]) == (1180, 80)
    assert found["consumption_wh_per_km"] == pytest.approx(
        1000 * found["energy_battery_kwh"] / found["distance_km"], rel=1e-4
    )
    assert found["energy_wall_kwh"] > found["energy_battery_kwh"] > found["recuperated_kwh"] > 0
    assert found["soc_end_pct"] < 80
    assert found["speed_error_max_kmh"] < 2


def test_table_is_for_people(capfd: pytest.CaptureFixture[str]):
    ended = command_here(capfd, f"{NEDC} --repeat 2 --temperature-degc -7 --soc-pct 55")
    assert (ended.exit_code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "contactor_ev drives NEDC × 2 at -7 °C"
    assert "distance                           22.056 km" in lines
    assert "duration                             2360 s" in lines
    assert "state of charge at the start         55.0 %" in lines
    assert len(lines) == 10


def test_cold_takes_more(capfd: pytest.CaptureFixture[str]):
    warm, cold = facts(capfd, NEDC), facts(capfd, f"{NEDC} --temperature-degc -15")
    assert cold["consumption_wh_per_km"] > 1.03 * warm["consumption_wh_per_km"]


def test_own_cycle_is_driven_with_its_hill_and_its_air(capfd: pytest.CaptureFixture[str]):
    found = facts(capfd, f"{OWN} --output series.csv")
    assert found["cycle"] == "own.csv"
    assert found["distance_km"] == pytest.approx(0.8333, abs=0.001)
    series = pl.read_csv("series.csv")
    assert series["ambient_degc"][[0, -1]].to_list() == [15, 5]
    assert series["battery_temperature_degc"][0] == pytest.approx(15, abs=0.1)
    (Path("flat.csv")).write_text("time_s,speed_kmh\n0,0\n10,50\n60,50\n70,0\n")
    flat = facts(capfd, OWN.replace("own", "flat"))
    assert found["energy_battery_kwh"] > flat["energy_battery_kwh"] + 0.05


def test_own_cycle_in_a_warm_garage(capfd: pytest.CaptureFixture[str]):
    ended = command_here(capfd, f"{OWN} --temperature-degc 25 --output series.csv")
    assert ended.out.startswith("contactor_ev drives own.csv at 5 to 15 °C\n")
    assert pl.read_csv("series.csv")["battery_temperature_degc"][0] == pytest.approx(25, abs=0.1)


def test_parquet_is_the_drive_second_by_second(capfd: pytest.CaptureFixture[str]):
    found = facts(capfd, f"{NEDC} --output series.parquet")
    series = pl.read_parquet("series.parquet")
    assert series.columns[:5] == [
        "time_s",
        "speed_target_kmh",
        "speed_kmh",
        "distance_km",
        "battery_power_kw",
    ]
    assert series.height == 1180
    assert -series["battery_power_kw"].sum() / 3600 == pytest.approx(
        found["energy_battery_kwh"], abs=1e-6
    )


@pytest.mark.parametrize(
    ("name", "head"), [("drive.png", b"\x89PNG"), ("drive.html", b"<!doctype html>")]
)
def test_plot_is_a_picture(capfd: pytest.CaptureFixture[str], name: str, head: bytes):
    if name.endswith("png"):
        pytest.importorskip("matplotlib")
    assert command_here(capfd, f"{NEDC} --plot {name}").exit_code == 0
    picture = Path(name).read_bytes()
    assert picture.lower().startswith(head.lower())
    if name.endswith("html"):
        text = picture.decode()
        assert "contactor_ev, NEDC" in text
        for line in ("speed of the cycle", "battery power", "state of charge", "motor"):
            assert f'"name":"{line}' in text


def test_car_that_cannot_follow_says_why(capfd: pytest.CaptureFixture[str]):
    Path("rocket.csv").write_text("time_s,speed_kmh\n0,0\n3,150\n10,150\n20,0\n")
    ended = command_here(capfd, OWN.replace("own", "rocket"))
    assert ended.exit_code == 0
    assert "km/h slower than the cycle for" in ended.err
    assert "at the limit of motor, battery or top speed" in ended.err
    ended = command_here(capfd, f"{OWN} --soc-pct 0")
    assert "the battery was empty after" in ended.err


def test_standing_has_no_consumption(capfd: pytest.CaptureFixture[str]):
    Path("still.csv").write_text("time_s,speed_kmh\n0,0\n60,0\n")
    still = OWN.replace("own", "still")
    assert facts(capfd, still)["consumption_wh_per_km"] is None
    assert "consumption                             —" in command_here(capfd, still).out


@pytest.mark.parametrize(
    ("line", "exit_code", "words"),
    [
        ("simulate --cycle NEDC", 2, "--profile"),
        ("simulate --profile contactor_ev", 2, "--cycle"),
        ("simulate --profile moon --cycle NEDC", 2, "moon"),
        (
            "simulate --profile nissan_leaf_ze0 --cycle NEDC",
            2,
            "profile 'nissan_leaf_ze0' has no physics.toml; these have: contactor_ev",
        ),
        (OWN.replace("own.csv", "moon"), 2, "--cycle moon: no such cycle or file; cycles: WLTC3b"),
        (OWN.replace("own.csv", "."), 2, "--cycle .: no such cycle or file"),
        (f"{NEDC} --soc-pct 101", 2, "101 is beyond what is allowed: 0 to 100"),
        (f"{NEDC} --soc-pct nan", 2, "nan is beyond what is allowed: 0 to 100"),
        (f"{NEDC} --temperature-degc warm", 2, "'warm' is no number"),
        (f"{NEDC} --temperature-degc 61", 2, "61 is beyond what is allowed: -40 to 60"),
        (f"{NEDC} --repeat 0", 2, "'0': allowed are 1 to 10000 times"),
        (f"{NEDC} --repeat 1.5", 2, "'1.5': allowed are 1 to 10000 times"),
        (f"{NEDC} --repeat 9999", 2, "takes 11798820 s; at most 604800 s, 512 times"),
        (f"{NEDC} --output drive.xlsx", 2, "--output drive.xlsx: FILE.parquet or FILE.csv"),
        (f"{NEDC} --output no/drive.csv", 2, "there is no folder no"),
        (f"{OWN} --output own.csv", 2, "own.csv is the file that is read"),
        (f"{NEDC} --plot drive.gif", 2, "--plot drive.gif: FILE.png or FILE.html"),
        (OWN.replace("own", "rolling") + " --repeat 2", 2, "ends at 36.0 km/h and begins at 0.0"),
        (OWN.replace("own", "broken"), 1, "broken.csv, line 3: speed_kmh is 'x', which is no"),
        (OWN.replace("own", "binary"), 1, "binary.csv, line 2: byte 0xFF is no UTF-8 text"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_written(
    desk: Path, capfd: pytest.CaptureFixture[str], line: str, exit_code: int, words: str
):
    (desk / "broken.csv").write_text("time_s,speed_kmh\n0,0\n1,x\n")
    (desk / "binary.csv").write_bytes(b"time_s,speed_kmh\n\xff\xfe\n")
    (desk / "rolling.csv").write_text("time_s,speed_kmh\n0,0\n10,36\n")
    before = {path.name: path.read_bytes() for path in desk.iterdir()}
    command_here(capfd, line).check_refused(exit_code, words)
    assert {path.name: path.read_bytes() for path in desk.iterdir()} == before
