"""Recordings of real cars: frames as an independent reader counted them, and known truths."""

import csv
from pathlib import Path

import numpy as np
import pytest

from contactor.can.decode import SignalColumn
from contactor.can.log import read_log
from contactor.can.recording import Recording, decode
from contactor.errors import LogError

NO_LOG = "not a frame log"


def counts(shared_data: Path) -> list[dict[str, str]]:
    with (shared_data / "can" / "COUNTS.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def column(recording: Recording, name: str) -> SignalColumn:
    return next(column for column in recording.columns if column.name == name)


def logs(shared_data: Path) -> list[dict[str, str]]:
    rows = [row for row in counts(shared_data) if row["form"] != NO_LOG]
    assert len(rows) == 22
    return rows


def test_every_log_gives_exactly_its_frames(shared_data: Path) -> None:
    for row in logs(shared_data):
        log = read_log(shared_data / row["file"])
        frames = log.frames
        ids = np.unique(frames.can_id.astype(np.int64) * 256 + frames.bus)
        found = {
            "file": row["file"],
            "form": log.format,
            "frames": str(len(frames)),
            "ids": str(len(ids)),
            "times_time_goes_back": str(int((np.diff(frames.ts) < 0).sum())),
        }
        assert found == {name: row[name] for name in found}
        duration_s = (int(frames.ts.max()) - int(frames.ts.min())) / 1e9
        assert duration_s == pytest.approx(float(row["duration_s"]), abs=6e-4)


def test_only_what_a_terminal_wrote_is_refused(shared_data: Path) -> None:
    for row in logs(shared_data):
        log = read_log(shared_data / row["file"])
        refused = {refusal.reason: refusal.count for refusal in log.refused}
        assert refused == ({"not a frame": 45} if row["form"] == "candump-screen" else {})


def test_every_log_gives_the_same_frames_whatever_its_extension(
    shared_data: Path, tmp_path: Path
) -> None:
    for number, row in enumerate(logs(shared_data)):
        path = tmp_path / f"log.{('csv', 'trc', 'asc', 'blf', 'txt')[number % 5]}"
        path.unlink(missing_ok=True)
        path.symlink_to(shared_data / row["file"])
        assert len(read_log(path).frames) == int(row["frames"])


def test_what_is_no_log_is_named_as_what_it_is(shared_data: Path) -> None:
    (row,) = [row for row in counts(shared_data) if row["form"] == NO_LOG]
    with pytest.raises(LogError, match="raw records of an adapter in hexadecimal"):
        read_log(shared_data / row["file"])


@pytest.mark.parametrize(
    ("log", "duration_s", "top_speed_kmh", "peak_kw", "net_kwh"),
    [
        ("EV-CANeplus2.log", 18.980, 97.03, 177.8, 0.285),
        ("EV-CANeplus3.log", 15.421, 101.44, 176.2, 0.193),
    ],
)
def test_leaf_accelerates_as_is_known(
    shared_data: Path,
    log: str,
    duration_s: float,
    top_speed_kmh: float,
    peak_kw: float,
    net_kwh: float,
) -> None:
    folder = shared_data / "can" / "leaf"
    recording = decode(folder / log, folder / "EV-can_ZE1.dbc")
    assert recording.summary()["duration_s"] == duration_s
    voltage_v = column(recording, "x1DB.LB_Total_Voltage").values
    current_a = column(recording, "x1DB.LB_Current").values
    # The community's database has factor 1 where the speed is in hundredths.
    speed_kmh = column(recording, "x284.AverageRearSpeedSensor").values * 0.01
    assert speed_kmh.max() == pytest.approx(top_speed_kmh)
    power_w = -voltage_v * current_a
    assert power_w.max() / 1000 == pytest.approx(peak_kw, abs=0.1)
    ts_s = recording.frames.ts[column(recording, "x1DB.LB_Current").rows] / 1e9
    energy_kwh = float(np.sum(power_w[:-1] * np.diff(ts_s))) / 3.6e6
    assert energy_kwh == pytest.approx(net_kwh, abs=0.001)
    if log == "EV-CANeplus2.log":
        assert (voltage_v.min(), voltage_v.max()) == (367.5, 393.5)
        assert (current_a.min(), current_a.max()) == (-482.5, 40.0)


def test_i3_charges_as_is_known(shared_data: Path) -> None:
    folder = shared_data / "can" / "i3"
    recording = decode(folder / "2019_efacaec_mida.csv", folder / "i3_LIM_dbc1.dbc")
    soc_pct = column(recording, "BMSMsg112.HVBatt_SOC").values
    current_a = column(recording, "BMSMsg112.Battery_Current").values
    voltage_v = column(recording, "BMSMsg112.Battery_Volts").values
    assert (soc_pct[0], soc_pct[-1]) == (pytest.approx(48.2), pytest.approx(49.1))
    assert (current_a.min(), current_a.max()) == (pytest.approx(123.8), pytest.approx(126.7))
    assert (voltage_v.min(), voltage_v.max()) == (pytest.approx(361.1), pytest.approx(362.2))
