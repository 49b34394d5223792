"""Tables as drives that a car is fitted to: speed and battery power, and what is known of the road.

    check_fits(table_map)
    run = read_run(Path("trip.parquet"), table_map, now_ns=now)
    run.energy_j, run.distance_m

Needed are the speed, and the battery's power or its voltage and current. Altitude, air temperature
and state of charge are used where the map names them and the table has their columns. Nothing else
of a map is read.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contactor.car.adapters.table import TableSource
from contactor.car.adapters.table_map import TableMap
from contactor.clock import NS_PER_S
from contactor.errors import MalformedMap, TableError
from contactor.physics.calibration.run import HOLE_S, Run
from contactor.physics.constants import KMH_PER_MPS
from contactor.signals.record import State

BATTERY = "Vehicle.Powertrain.TractionBattery"
SPEED = "Vehicle.Speed"
POWER = f"{BATTERY}.CurrentPower"
VOLTAGE, CURRENT = f"{BATTERY}.CurrentVoltage", f"{BATTERY}.CurrentCurrent"
ALTITUDE = "Vehicle.CurrentLocation.Altitude"
AIR = "Vehicle.Exterior.AirTemperature"
CHARGES = (f"{BATTERY}.StateOfCharge.Current", f"{BATTERY}.StateOfCharge.Displayed")
WELCOME = {VOLTAGE, ALTITUDE, AIR, *CHARGES}
# A car that moves, or a battery that gives more, is not at rest: its voltage tells no charge.
REST_MPS, REST_W = 0.3, 2000.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """What is known of one signal: `time_s` (n,) since 1970, not descending, and `values` (n,)."""

    time_s: Floats
    values: Floats

    def at(self, time_s: Floats) -> Floats:
        """Straight between what is known, level beyond it."""
        return np.interp(time_s, self.time_s, self.values)


def check_fits(table_map: TableMap) -> None:
    """Refuse a map that does not tell what a fit needs.

    Raises:
        MalformedMap: it names no speed, or neither power nor both voltage and current.
    """
    _needed(table_map)


def read_run(path: Path, table_map: TableMap, *, now_ns: int) -> Run:
    """The drive in one table; it is called as the path is.

    Raises:
        MalformedMap: as `check_fits`.
        TableError: the table cannot be read, lacks a column or every value of it, or is no drive.
    """
    needed = _needed(table_map)
    series = _series(path, _reduced(path, table_map, needed), now_ns)
    for signal in needed:
        if signal not in series:
            raise TableError(f"{path}: not one value of {signal}")
    begin_s = max(float(series[signal].time_s[0]) for signal in needed)
    end_s = min(float(series[signal].time_s[-1]) for signal in needed)
    if end_s <= begin_s:
        raise TableError(f"{path}: {' and '.join(needed)} are never known at the same time")
    for signal in needed:
        _check_holes(path, signal, series[signal], begin_s, end_s)
    # Each signal may have a clock of its own.
    instants = np.unique(np.concatenate([series[signal].time_s for signal in needed]))
    instants = instants[(instants >= begin_s) & (instants <= end_s)]
    speed_mps = series[SPEED].at(instants) / KMH_PER_MPS
    power_w = _given_w(series, needed, instants)
    is_at_rest = abs(speed_mps[0]) < REST_MPS and abs(power_w[0]) < REST_W
    return Run.of(
        str(path),
        instants,
        speed_mps,
        power_w,
        elevation_m=series[ALTITUDE].at(instants) if ALTITUDE in series else None,
        ambient_degc=float(series[AIR].values.mean()) if AIR in series else None,
        state_of_charge=_charge(series),
        rest_v=float(series[VOLTAGE].at(instants)[0]) if VOLTAGE in series and is_at_rest else None,
    )


def _needed(table_map: TableMap) -> tuple[str, ...]:
    mapped = {one.path for one in table_map.signals}
    if SPEED not in mapped:
        raise MalformedMap(f"{table_map.path}: maps no {SPEED}, which a fit needs")
    if POWER in mapped:
        return (SPEED, POWER)
    missing = [signal for signal in (VOLTAGE, CURRENT) if signal not in mapped]
    if missing:
        raise MalformedMap(
            f"{table_map.path}: maps no {' and no '.join(missing)}; a fit needs both, or {POWER}"
        )
    return (SPEED, VOLTAGE, CURRENT)


def _reduced(path: Path, table_map: TableMap, needed: tuple[str, ...]) -> TableMap:
    """The map without what a fit has no use for, and without what this table does not have."""
    from contactor.car.adapters.table_files import open_table

    columns = [column for one in table_map.signals if one.path in needed for column in one.columns]
    wanted = tuple(dict.fromkeys([*table_map.time.columns, *columns]))
    with open_table(path, layout=table_map.layout, wanted=wanted) as table:
        there = set(table.names)
    kept = tuple(
        one
        for one in table_map.signals
        if one.path in needed or (one.path in WELCOME and there.issuperset(one.columns))
    )
    return replace(table_map, signals=kept)


def _series(path: Path, table_map: TableMap, now_ns: int) -> dict[str, Series]:
    """By signal; one of which nothing is known is not in it."""
    times: dict[str, list[Floats]] = defaultdict(list)
    values: dict[str, list[Floats]] = defaultdict(list)
    for groups in TableSource([path], table_map=table_map, now_ns=now_ns).read():
        for rows in groups:
            for column in rows.columns:
                is_known = column.state == State.VALID
                if is_known.any():
                    times[column.path].append(rows.ts[is_known] / NS_PER_S)
                    values[column.path].append(column.values[is_known].astype(np.float64))
    return {
        signal: Series(np.concatenate(parts), np.concatenate(values[signal]))
        for signal, parts in times.items()
    }


def _check_holes(path: Path, signal: str, series: Series, begin_s: float, end_s: float) -> None:
    inside = (series.time_s >= begin_s) & (series.time_s <= end_s)
    known_s = np.concatenate([[begin_s], series.time_s[inside], [end_s]])
    steps_s = np.diff(known_s)
    hole = int(steps_s.argmax())
    if steps_s[hole] > HOLE_S:
        raise TableError(
            f"{path}: no {signal} for {steps_s[hole]:.0f} s from second"
            f" {known_s[hole] - begin_s:.0f} of the drive on; at most {HOLE_S:.0f} s"
        )


def _given_w(series: Mapping[str, Series], needed: tuple[str, ...], instants: Floats) -> Floats:
    """Out of the battery; in the catalogue, what charges it is positive."""
    if POWER in needed:
        return -series[POWER].at(instants)
    return -series[VOLTAGE].at(instants) * series[CURRENT].at(instants)


def _charge(series: Mapping[str, Series]) -> float | None:
    """The state of charge at the start, 0 to 1."""
    for signal in CHARGES:
        if signal in series:
            return float(series[signal].values[0]) / 100
    return None
