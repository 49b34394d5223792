"""Recorded drives in tables, as runs that a car is fitted to, by the map of `contactor import`.

What a recording lacks of elevation, temperature and charge is unknown; speed and power it must
have.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contactor.car.adapters.table import TableSource
from contactor.car.adapters.table_map import TableMap
from contactor.clock import NS_PER_S
from contactor.errors import MalformedMap, TableError
from contactor.physics.constants import KMH_PER_MPS
from contactor.signals.record import State

if TYPE_CHECKING:
    from contactor.physics.calibration.run import Run

Floats = NDArray[np.float64]

SPEED = "Vehicle.Speed"
POWER = "Vehicle.Powertrain.TractionBattery.CurrentPower"
VOLTAGE = "Vehicle.Powertrain.TractionBattery.CurrentVoltage"
CURRENT = "Vehicle.Powertrain.TractionBattery.CurrentCurrent"
CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
ALTITUDE = "Vehicle.CurrentLocation.Altitude"
AIR = "Vehicle.Exterior.AirTemperature"
# A car that moves, or a battery that gives more, is not at rest.
REST_MPS, REST_W = 0.3, 2000.0


class _Series:
    """The cells of one signal that hold something."""

    def __init__(self) -> None:
        self._ts: list[NDArray[np.int64]] = []
        self._values: list[Floats] = []

    def add(self, ts: NDArray[np.int64], values: Floats) -> None:
        self._ts.append(ts)
        self._values.append(values)

    def whole(self) -> tuple[Floats, Floats]:
        """Seconds since 1970 and values, (n,) each."""
        return np.concatenate(self._ts) / NS_PER_S, np.concatenate(self._values)


def check_map(table_map: TableMap) -> None:
    """Refuse a map that does not tell speed and power.

    Raises:
        MalformedMap: with what it lacks.
    """
    paths = {one.path for one in table_map.signals}
    if SPEED not in paths:
        raise MalformedMap(f"{table_map.path}: it names no column for {SPEED}")
    if POWER not in paths and not {VOLTAGE, CURRENT} <= paths:
        raise MalformedMap(
            f"{table_map.path}: it names no column for {POWER}, nor both {VOLTAGE} and {CURRENT}"
        )


def read_drives(paths: Sequence[Path], table_map: TableMap, *, now_ns: int) -> "list[Run]":
    """One run of each table.

    Raises:
        TableError: a file is no table, lacks speed or power, or is no drive.
    """
    return [_read(path, table_map, now_ns) for path in paths]


def _read(path: Path, table_map: TableMap, now_ns: int) -> "Run":
    from contactor.physics.calibration.run import Run

    series = _series(path, _present(path, table_map), now_ns)
    if SPEED not in series:
        raise TableError(f"{path}: no value of {SPEED}")
    time_s, speed_kmh = series[SPEED].whole()
    power_s, power_w = _power(path, series)
    # Speed and power may have clocks of their own: what both cover counts.
    is_covered = (power_s >= time_s[0]) & (power_s <= time_s[-1])
    power_s, power_w = power_s[is_covered], power_w[is_covered]
    speed_mps = np.interp(power_s, time_s, speed_kmh) / KMH_PER_MPS
    is_at_rest = bool(len(power_s)) and speed_mps[0] < REST_MPS and abs(power_w[0]) < REST_W
    return Run.of(
        path.name,
        power_s,
        speed_mps,
        power_w,
        elevation_m=_at(power_s, series.get(ALTITUDE)),
        ambient_degc=_mean(series.get(AIR)),
        state_of_charge=_first(series.get(CHARGE), 0.01),
        rest_v=_first(series.get(VOLTAGE), 1.0) if is_at_rest else None,
    )


def _present(path: Path, table_map: TableMap) -> TableMap:
    """The map without the signals that this table has no column for."""
    from contactor.car.adapters.table_files import open_table

    with open_table(path, layout=table_map.layout, wanted=table_map.time.columns) as table:
        names = set(table.names)
    there = tuple(one for one in table_map.signals if names.issuperset(one.columns))
    paths = {one.path for one in there}
    if SPEED not in paths or not (POWER in paths or {VOLTAGE, CURRENT} <= paths):
        there = table_map.signals  # whose reading then names the column that is missing
    return replace(table_map, signals=there)


def _series(path: Path, table_map: TableMap, now_ns: int) -> dict[str, _Series]:
    found: dict[str, _Series] = {}
    for groups in TableSource([path], table_map=table_map, now_ns=now_ns).read():
        for rows in groups:
            for column in rows.columns:
                is_known = column.state == State.VALID
                if is_known.any():
                    values = column.values[is_known].astype(np.float64)
                    found.setdefault(column.path, _Series()).add(rows.ts[is_known], values)
    return found


def _power(path: Path, series: dict[str, _Series]) -> tuple[Floats, Floats]:
    """When, and what the battery gives; in the catalogue, what charges it is positive."""
    if POWER in series:
        time_s, power_w = series[POWER].whole()
        return time_s, -power_w
    for name in (VOLTAGE, CURRENT):
        if name not in series:
            raise TableError(f"{path}: no value of {name}")
    time_s, current_a = series[CURRENT].whole()
    return time_s, -current_a * np.interp(time_s, *series[VOLTAGE].whole())


def _at(time_s: Floats, series: _Series | None) -> Floats | None:
    return None if series is None else np.interp(time_s, *series.whole())


def _mean(series: _Series | None) -> float | None:
    return None if series is None else float(series.whole()[1].mean())


def _first(series: _Series | None, scale: float) -> float | None:
    return None if series is None else float(series.whole()[1][0]) * scale
