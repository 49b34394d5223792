"""A recording goes the whole road once: what it says is what is stored, to the last count."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

import contactor
from contactor.clock import NS_PER_S, from_iso
from contactor.errors import ContactorError
from tests.app.command_line import SENT_KEYS, Ended, command, command_here
from tests.app.counting import COUNT, make_log, make_profile, ts_of
from tests.app.processes import CONTACTOR, wait_for

pytestmark = pytest.mark.processes

BATTERY = "Vehicle.Powertrain.TractionBattery"
MOTOR = "Vehicle.Powertrain.ElectricMotor"
SUMMARY_KEYS = [
    "unit",
    "datatype",
    "count",
    "unavailable",
    "first",
    "last",
    "min",
    "max",
    "mean",
    "first_ts",
    "last_ts",
]
START = "2024-05-01T08:00:00Z"


# ── a car that counts ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_profile(tmp_path)
    make_log(tmp_path / "drive.log", 300)
    monkeypatch.chdir(tmp_path)
    return tmp_path


COUNTING = "replay drive.log --car counting --vehicle counter --data data --json"


def test_replay_stores_each_number_once_and_says_so(
    desk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sent = command(COUNTING, cwd=desk).document()
    assert list(sent) == SENT_KEYS
    assert len(sent.pop("stream")) == 16
    assert sent == {
        "vehicle_id": "counter",
        "rows_read": 300,
        "rows_stored": 300,
        "rows_refused": 0,
        "refused": {},
        "first_ts": "2023-11-14T22:13:20.01Z",
        "last_ts": "2023-11-14T22:13:23Z",
    }
    rows = contactor.open_lake(desk / "data").signals("counter")
    assert rows.columns == ["ts", COUNT]
    assert rows[COUNT].to_list() == list(range(1, 301))
    assert rows["ts"].to_list() == [ts_of(number) for number in range(1, 301)]


def test_replay_a_second_time_stores_nothing(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first = command_here(capfd, COUNTING).document()
    again = command_here(capfd, COUNTING).document()
    assert again == {**first, "rows_stored": 0}
    elsewhere = COUNTING.replace("--vehicle counter", "--vehicle other")
    other = command_here(capfd, elsewhere).document()
    assert other["rows_stored"] == 300
    streams = {first["stream"], other["stream"]}
    for option in (f"--start {START}", "--sampling profile"):
        streams.add(command_here(capfd, f"{elsewhere} {option}").document()["stream"])
    assert len(streams) == 4
    assert contactor.open_lake(desk / "data").signals("counter").height == 300


def test_signals_sum_up_what_was_replayed(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command_here(capfd, COUNTING).document()
    summary = command("signals --data data --json", cwd=desk).document()
    assert summary == {
        "vehicle_id": "counter",
        "since": None,
        "until": None,
        "signals": {
            COUNT: {
                "unit": "m",
                "datatype": "uint32",
                "count": 300,
                "unavailable": 0,
                "first": 1,
                "last": 300,
                "min": 1,
                "max": 300,
                "mean": 150.5,
                "first_ts": "2023-11-14T22:13:20.01Z",
                "last_ts": "2023-11-14T22:13:23Z",
            }
        },
    }
    assert list(summary["signals"][COUNT]) == SUMMARY_KEYS


def test_signals_since_is_included_and_until_is_not(
    desk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command_here(capfd, COUNTING).document()
    span = "--since 2023-11-14T22:13:21Z --until 2023-11-14T22:13:22Z"
    line = f"signals --data data --vehicle counter --signal {COUNT} {span} --json"
    summary = command_here(capfd, line).document()
    assert (summary["since"], summary["until"]) == ("2023-11-14T22:13:21Z", "2023-11-14T22:13:22Z")
    facts = summary["signals"][COUNT]
    assert (facts["count"], facts["min"], facts["max"]) == (100, 100, 199)


def test_signals_and_vehicles_are_shown_to_people(
    desk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    replay = command_here(capfd, COUNTING.removesuffix(" --json"))
    assert replay.out.splitlines() == [
        "counter: 300 rows read, 300 stored, 0 refused",
        "from 2023-11-14T22:13:20.01Z to 2023-11-14T22:13:23Z",
    ]
    signals = command_here(capfd, "signals --data data").out.splitlines()
    assert [COUNT, "m", "300", "0", "1", "300", "1", "300", "150.5"] in map(str.split, signals)
    vehicles = command_here(capfd, "vehicles --data data").out.splitlines()
    assert vehicles[1].split()[:3] == ["counter", "counting", "asleep"]


def test_start_moves_a_dated_log(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sent = command_here(capfd, f"{COUNTING} --start {START}").document()
    assert (sent["first_ts"], sent["last_ts"]) == (START, "2024-05-01T08:00:02.99Z")
    assert sent["rows_stored"] == 300


def test_speed_keeps_the_pace_of_the_log(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    assert command_here(capfd, f"{COUNTING} --speed 5").document()["rows_stored"] == 300
    assert time.monotonic() - began > 0.4  # its messages span 2 s


def test_interrupted_replay_leaves_a_folder_that_the_next_one_completes(
    desk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make_log(desk / "drive.log", 3_000)
    process = subprocess.Popen(
        [*CONTACTOR, *COUNTING.split(), "--speed", "1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: stored(desk / "data"), timeout_s=60, why="some numbers are stored")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    Ended(process.returncode, out, err).check_refused(1, "interrupted")
    before = len(stored(desk / "data"))
    assert before < 3_000
    sent = command_here(capfd, COUNTING).document()
    assert sent["rows_stored"] == 3_000 - before
    assert stored(desk / "data") == list(range(1, 3_001))


def stored(data: Path) -> list[float]:
    try:
        return contactor.open_lake(data).signals("counter")[COUNT].to_list()
    except ContactorError:
        return []


# ── real Leafs ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def leaf(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder in which three recordings of Leafs are stored, each as its own vehicle."""
    folder = tmp_path_factory.mktemp("leaf")
    for vehicle, log, profile in [
        ("leaf", "EV-CANeplus2.log", "nissan_leaf_ze1"),
        ("leaf3", "EV-CANeplus3.log", "nissan_leaf_ze1"),
        ("older", "ZE0w24kWhstock.log", "nissan_leaf_ze0"),
    ]:
        path = shared_data / "can" / "leaf" / log
        line = f"replay {path} --car {profile} --vehicle {vehicle} --speed max --data D --json"
        ended = command(line, cwd=folder)
        assert ended.exit_code == 0, ended
        assert ended.err == (
            f"contactor: {path} has no date: laid to end when it was last written;"
            " --start sets it\n"
        )
        (folder / f"{vehicle}.json").write_text(ended.out)
    return folder


def summary(leaf: Path, vehicle: str) -> dict[str, dict[str, object]]:
    document = command(f"signals --vehicle {vehicle} --data D --json", cwd=leaf).document()
    assert document["vehicle_id"] == vehicle
    return document["signals"]


@pytest.mark.parametrize(
    ("vehicle", "voltage_v", "current_a", "power_kw", "speed_kmh"),
    [
        ("leaf", (367.5, 393.5), (-482.5, 40.0), -177.8, 97.03),
        ("leaf3", (368.5, 395.5), (-475.5, 58.5), -176.2, 101.44),
    ],
)
def test_leaf_comes_out_as_it_was_driven(
    leaf: Path,
    vehicle: str,
    voltage_v: object,
    current_a: object,
    power_kw: float,
    speed_kmh: float,
) -> None:
    signals = summary(leaf, vehicle)
    ends = {path: (facts["min"], facts["max"]) for path, facts in signals.items()}
    assert ends[f"{BATTERY}.CurrentVoltage"] == voltage_v
    assert ends[f"{BATTERY}.CurrentCurrent"] == current_a
    assert ends[f"{BATTERY}.CurrentPower"][0] / 1000 == pytest.approx(power_kw, abs=0.05)
    assert ends["Vehicle.Speed"][1] == pytest.approx(speed_kmh, abs=0.001)
    # "Not available" is 511.5 V, 511.5 A and 655.35 km/h: none of it is a value.
    assert ends[f"{BATTERY}.CurrentVoltage"][1] < 500
    assert signals[f"{BATTERY}.StateOfCharge.Displayed"]["count"] == 0
    assert signals[f"{BATTERY}.StateOfCharge.Displayed"]["mean"] is None


def test_leaf_a_second_time_stores_nothing(leaf: Path, shared_data: Path) -> None:
    path = shared_data / "can" / "leaf" / "EV-CANeplus2.log"
    line = f"replay {path} --car nissan_leaf_ze1 --vehicle leaf --speed max --data D --json"
    first = msgspec.json.decode((leaf / "leaf.json").read_text())
    assert first["rows_stored"] == first["rows_read"] == 11_104
    again = msgspec.json.decode(command(line, cwd=leaf).out)
    assert again == {**first, "rows_stored": 0}


Bytes = list[int]
Test = Callable[[Bytes], bool]


def is_voltage_unavailable(data: Bytes) -> bool:
    return data[2] << 2 | data[3] >> 6 == 0x3FF


def is_current_unavailable(data: Bytes) -> bool:
    return data[0] << 3 | data[1] >> 5 == 0x3FF


def is_first_ten_bits_set(data: Bytes) -> bool:
    return data[0] << 2 | data[1] >> 6 == 0x3FF


UNAVAILABLE: dict[str, tuple[int, Test]] = {
    f"{BATTERY}.CurrentVoltage": (0x1DB, is_voltage_unavailable),
    f"{BATTERY}.CurrentCurrent": (0x1DB, is_current_unavailable),
    f"{BATTERY}.CurrentPower": (
        0x1DB,
        lambda data: is_voltage_unavailable(data) or is_current_unavailable(data),
    ),
    f"{MOTOR}.Speed": (0x1DA, lambda data: data[4] << 7 | data[5] >> 1 == 0x3FFF),
    "Vehicle.Exterior.AirTemperature": (0x54C, lambda data: data[6] == 0xFF),
    "Vehicle.Contactor.BatteryDischargePowerLimit": (0x1DC, is_first_ten_bits_set),
}
"""Signal → its CAN id, and whether the bytes of such a frame say "not available"."""


def raw_frames(log: Path) -> Iterator[tuple[int, Bytes]]:
    """Id and bytes of each line, read without the program: tab-separated, `0x1db` and `0x7f e0`."""
    for line in log.read_text().splitlines()[1:]:
        cells = line.split("\t")
        yield int(cells[6], 16), [int(byte, 16) for byte in cells[8].split()]


@pytest.mark.parametrize(
    ("vehicle", "log", "more"),
    [
        (
            "leaf",
            "EV-CANeplus2.log",
            {
                f"{BATTERY}.StateOfCharge.Displayed": (
                    0x1DB,
                    lambda data: data[4] & 0x7F in (0, 127),
                )
            },
        ),
        (
            "older",
            "ZE0w24kWhstock.log",
            {"Vehicle.Contactor.RemainingEnergyUnits": (0x5BC, is_first_ten_bits_set)},
        ),
    ],
)
def test_leaf_unavailable_counts_what_the_log_says(
    leaf: Path, shared_data: Path, vehicle: str, log: str, more: dict[str, tuple[int, Test]]
) -> None:
    tests = UNAVAILABLE | more
    expected = {path: [0, 0] for path in tests}
    for can_id, data in raw_frames(shared_data / "can" / "leaf" / log):
        for path, (wanted, is_unavailable) in tests.items():
            if can_id == wanted:
                expected[path][is_unavailable(data)] += 1
    signals = summary(leaf, vehicle)
    found = {path: [signals[path]["count"], signals[path]["unavailable"]] for path in tests}
    assert found == expected
    assert sum(unavailable for _, unavailable in expected.values()) > 100


def test_leaf_at_one_row_a_second_keeps_its_energy(leaf: Path, shared_data: Path) -> None:
    path = shared_data / "can" / "leaf" / "EV-CANeplus2.log"
    for vehicle, sampling in (("sampled", "profile"), ("each", "every")):
        line = f"replay {path} --car nissan_leaf_ze1 --vehicle {vehicle} --data E --json"
        sent = command(f"{line} --sampling {sampling} --start {START}", cwd=leaf).document()
        assert sent["rows_read"] == sent["rows_stored"]
        assert from_iso(sent["first_ts"]) - from_iso(START) < NS_PER_S
    lake, power = contactor.open_lake(leaf / "E"), f"{BATTERY}.CurrentPower"
    sampled, each = lake.signals("sampled", [power]), lake.signals("each", [power])
    assert np.diff(sampled["ts"]).tolist() == [NS_PER_S] * 18
    energy_ws = float(np.trapezoid(each[power].cast(float), each["ts"] / NS_PER_S))
    assert sampled[power].sum() == pytest.approx(energy_ws, rel=0.005)
    assert each.height == 1_893


def test_leaf_starts_when_it_is_told_to(leaf: Path, shared_data: Path) -> None:
    path = shared_data / "can" / "leaf" / "EV-CANeplus3.log"
    line = f"replay {path} --car nissan_leaf_ze1 --vehicle leaf3 --data S --start {START} --json"
    sent = command(line, cwd=leaf).document()
    undated = msgspec.json.decode((leaf / "leaf3.json").read_text())
    assert sent["stream"] != undated["stream"]
    assert sent["rows_stored"] == undated["rows_stored"]
    moved_ns = from_iso(undated["first_ts"]) - from_iso(sent["first_ts"])
    assert from_iso(undated["last_ts"]) - from_iso(sent["last_ts"]) == moved_ns
    assert 0 <= from_iso(sent["first_ts"]) - from_iso(START) < 10_000_000
