"""Real recordings as columns."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

import contactor
from contactor.history.columns import Columns

DAY_NS = 86_400 * 10**9
START_NS = 1_682_000_000 * 10**9  # in April 2023
MOTIVES = {
    "speed_kmh": "DAActualSpeed",
    "voltage_v": "REESSVoltage",
    "current_a": "REESSCurrent",
    "ambient_degc": "tempAmb",
    "latitude_deg": "lat",
    "longitude_deg": "long",
    "altitude_m": "elevation",
    "consumed_kwh": "tot_disc",
    "charged_kwh": "tot_char",
}


def motives(folder: Path) -> tuple[Columns, list[pl.DataFrame]]:
    """The forty trips of one car, a day apart, and each as it was recorded."""
    trips = [pl.read_parquet(folder / f"real_{number:03d}.parquet") for number in range(1, 41)]
    ts = [
        START_NS
        + day * DAY_NS
        + np.rint(trip["PhaseTime"].to_numpy() * 1000).astype(np.int64) * 10**6
        for day, trip in enumerate(trips)
    ]
    columns = {
        name: np.concatenate([trip[column].cast(pl.Float32).to_numpy() for trip in trips])
        for name, column in MOTIVES.items()
        if not name.endswith("itude_deg")
    }
    places = {
        name: np.concatenate([trip[MOTIVES[name]].to_numpy() for trip in trips])
        for name in ("latitude_deg", "longitude_deg")
    }
    return Columns(ts=np.concatenate(ts), **columns, **places), trips


def twizy(path: Path) -> Columns:
    """A trip at 1 Hz, with what its receiver and its clock made of it."""
    table = pl.read_csv(path)
    zone = ZoneInfo("Africa/Casablanca")
    ts = np.array(
        [
            int(datetime.strptime(f"{d} {t}", "%m/%d/%Y %H:%M:%S").replace(tzinfo=zone).timestamp())
            for d, t in table.select("Date", "Time").rows()
        ],
        np.int64,
    )
    ts, rows = np.unique(ts * 10**9, return_index=True)
    named = {
        "speed_kmh": "Speed",
        "latitude_deg": "LAT",
        "longitude_deg": "LON",
        "altitude_m": "ALT",
        "state_of_charge_pct": "Soc",
    }
    return Columns(
        ts=ts,
        **{name: table[column].cast(pl.Float64).to_numpy()[rows] for name, column in named.items()},
    )


def i3(folder: Path, log: str) -> Columns:
    """A charging session: what the battery told, each tenth of a second or faster."""
    found = contactor.decode([folder / log], dbc=[folder / "i3_LIM_dbc1.dbc"])
    rows = found.messages["BMSMsg112"].unique("ts", keep="last").sort("ts")
    ts = rows["ts"].to_numpy()
    return Columns(
        ts=ts - ts[0] + START_NS,
        voltage_v=rows["Battery_Volts"].to_numpy(),
        current_a=rows["Battery_Current"].to_numpy(),
        state_of_charge_pct=rows["HVBatt_SOC"].to_numpy(),
    )


def five_files(folder: Path) -> Columns:
    """One trip of a receiver over five files."""
    logs = sorted((folder / "gps_trip_164").glob("*.MF4"))
    messages = contactor.decode(logs, dbc=[folder / "canmod-gps.dbc"]).messages
    rows = messages["gnss_pos"].unique("ts", keep="last").sort("ts")
    return Columns(
        ts=rows["ts"].to_numpy(),
        latitude_deg=rows["Latitude"].to_numpy(),
        longitude_deg=rows["Longitude"].to_numpy(),
    )


def net_kwh(trip: pl.DataFrame) -> float:
    """What went out of the battery, summed without our code: 20 rows a second."""
    watts: NDArray[np.float64] = -(trip["REESSVoltage"] * trip["REESSCurrent"]).to_numpy()
    return float(watts.sum()) * 0.05 / 3.6e6
