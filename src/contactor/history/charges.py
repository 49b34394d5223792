"""Charges: what is told of each stretch of rows in which energy went into the battery."""

import math

import numpy as np

from contactor.history.columns import Columns, Floats
from contactor.history.energy import EnergyAccount
from contactor.history.facts import Charge, ChargeKind, EnergySource
from contactor.history.loops import Loops
from contactor.history.rows import first_location, last_location, level_ends
from contactor.history.rules import AC_MAX_KW, CHARGE_MIN_KW, CHARGE_MIN_KWH, RISE_GAP_PCT
from contactor.history.trips import mean_degc

W_PER_KW = 1000.0
S_PER_HOUR = 3600.0
FLOWS = (EnergySource.VOLTAGE_CURRENT, EnergySource.POWER)
# A session with pauses may give little on the mean, once it gave this many hours' worth.
LONG_HOURS = 4.0
# What a household's line gives; up to AC_MAX_KW both are possible, and only a meter tells.
SURELY_AC_KW = 11.5


def charge_of(
    columns: Columns,
    loops: Loops,
    account: EnergyAccount,
    rows: tuple[int, int],
    stand: tuple[int, int],
) -> Charge | None:
    """The charge of a stretch of rows; None if it was none.

    Args:
        rows: first and last in which the battery was charged.
        stand: first and last of the stand that it lies in: where the cable was, and the car.
    """
    first, last = rows
    energy = account.between(first, last)
    soc_start_pct, soc_end_pct = level_ends(columns.state_of_charge_pct, loops, first, last)
    if energy is not None and -energy.net_kwh < CHARGE_MIN_KWH:
        return None
    if energy is not None and energy.source in FLOWS:
        hours = energy.known_s / S_PER_HOUR
        if -energy.net_kwh < CHARGE_MIN_KW * min(hours, LONG_HOURS):
            return None
    is_by_level = energy is None or energy.source is EnergySource.STATE_OF_CHARGE
    if is_by_level and not _rose(soc_start_pct, soc_end_pct):
        return None
    power_max_kw = _power_max_kw(columns, loops, first, last)
    wall_kwh = account.taken_kwh(columns.wall_w, first, last) or None
    station_kwh = account.taken_kwh(columns.station_w, first, last) or None
    plugged = _plugged(columns, rows, stand)
    location = first_location(columns, loops, first, last)
    return Charge(
        start_ns=int(columns.ts[first]),
        end_ns=int(columns.ts[last]),
        kind=_kind(power_max_kw, wall_kwh, station_kwh),
        energy=energy,
        wall_kwh=wall_kwh or station_kwh,
        soc_start_pct=soc_start_pct,
        soc_end_pct=soc_end_pct,
        power_max_kw=power_max_kw,
        battery_mean_degc=mean_degc(columns.battery_degc, loops, first, last),
        location=location or last_location(columns, loops, stand[0], first),
        plugged_start_ns=None if plugged is None else int(columns.ts[plugged[0]]),
        plugged_end_ns=None if plugged is None else int(columns.ts[plugged[1]]),
    )


def _rose(start_pct: float | None, end_pct: float | None) -> bool:
    """Whether the state of charge alone says that it was charged."""
    return start_pct is not None and end_pct is not None and end_pct - start_pct >= RISE_GAP_PCT / 2


def _power_max_kw(columns: Columns, loops: Loops, first: int, last: int) -> float | None:
    """The greatest power into the battery that was not a lone spike."""
    if columns.voltage_v is not None and columns.current_a is not None:
        power = _held(columns.voltage_v[first : last + 1]) * columns.current_a[first : last + 1]
    elif columns.power_w is not None:
        power = columns.power_w[first : last + 1]
    else:
        return None
    greatest = loops.greatest_of(power, 0, len(power) - 1)
    return None if math.isnan(greatest) else greatest / W_PER_KW


def _held(values: Floats) -> Floats:
    """Each value until the next known one: voltage and current may stand in different rows."""
    known = np.isfinite(values)
    if known.all():
        return values
    at = np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))
    return values[at]


def _kind(
    power_max_kw: float | None, wall_kwh: float | None, station_kwh: float | None
) -> ChargeKind | None:
    if station_kwh is not None:
        return ChargeKind.DC
    if power_max_kw is not None and power_max_kw > AC_MAX_KW:
        return ChargeKind.DC
    if wall_kwh is not None:
        return ChargeKind.AC
    if power_max_kw is not None and power_max_kw <= SURELY_AC_KW:
        return ChargeKind.AC
    return None


def _plugged(
    columns: Columns, rows: tuple[int, int], stand: tuple[int, int]
) -> tuple[int, int] | None:
    """The rows between which the cable was in, around a charge; None where nothing tells."""
    if columns.is_plugged is None:
        return None
    flags = columns.is_plugged[stand[0] : stand[1] + 1]
    known = np.flatnonzero(np.isfinite(flags))
    first, last = rows[0] - stand[0], rows[1] - stand[0]
    if len(known) == 0:
        return None
    is_out = flags[known] < 0.5
    outs_before = known[is_out & (known <= first)]
    outs_after = known[is_out & (known >= last)]
    ins = known[~is_out]
    begin = int(outs_before[-1]) if len(outs_before) else -1
    end = int(outs_after[0]) if len(outs_after) else len(flags)
    ins = ins[(ins > begin) & (ins < end)]
    if len(ins) == 0:
        return None
    return stand[0] + int(ins[0]), stand[0] + (end if end < len(flags) else int(ins[-1]))
