"""Stands: what standing between trips cost, charges apart, awake and asleep."""

import numpy as np

from contactor.history.columns import Columns
from contactor.history.energy import EnergyAccount
from contactor.history.facts import EnergySource, Stand
from contactor.history.rows import first_location, last_location, level_ends

FLOWS = (EnergySource.VOLTAGE_CURRENT, EnergySource.POWER)
S_PER_NS = 1e-9
# Of a stand, so much may be silent without a word on what went meanwhile.
SILENT_MAX = 0.05


def stand_of(
    columns: Columns,
    account: EnergyAccount,
    rows: tuple[int, int],
    charged: list[tuple[int, int]],
    silences: list[tuple[int, int, bool]],
) -> Stand:
    """The stand of a stretch of rows.

    Args:
        charged: rows of the charges in it.
        silences: rows before and after each silence in it, and whether the car moved meanwhile.
    """
    first, last = rows
    awake_kwh = silent_kwh = 0.0
    is_awake_known = is_silent_known = True
    unknown_s = 0.0
    moved = {begin for begin, _, has_moved in silences if has_moved}
    for begin, end, is_silent in _parts(first, last, charged, silences):
        if is_silent:
            lost = None if begin in moved else _over_silence(account, begin, end)
        else:
            lost = account.net_kwh(begin, end)
        seconds = float(columns.ts[end] - columns.ts[begin]) * S_PER_NS
        if lost is None:
            unknown_s += seconds
            is_silent_known = is_silent_known and not is_silent
            is_awake_known = is_awake_known and is_silent
        elif is_silent:
            silent_kwh += lost
        else:
            awake_kwh += lost
    whole_s = float(columns.ts[last] - columns.ts[first]) * S_PER_NS
    is_known = unknown_s <= SILENT_MAX * whole_s
    soc_start_pct, soc_end_pct = level_ends(columns.state_of_charge_pct, account.loops, first, last)
    return Stand(
        start_ns=int(columns.ts[first]),
        end_ns=int(columns.ts[last]),
        location=first_location(columns, account.loops, first, last)
        or last_location(columns, account.loops, first, last),
        soc_start_pct=soc_start_pct,
        soc_end_pct=soc_end_pct,
        lost_kwh=awake_kwh + silent_kwh if is_known else None,
        awake_kwh=awake_kwh if is_awake_known else None,
        preheating_kwh=_preheating_kwh(columns, account, rows, charged),
    )


def _parts(
    first: int,
    last: int,
    charged: list[tuple[int, int]],
    silences: list[tuple[int, int, bool]],
) -> list[tuple[int, int, bool]]:
    """A stand without its charges: (begin, end, is silent), by time."""
    parts: list[tuple[int, int, bool]] = []
    at = first
    holes = [(begin, end, False) for begin, end in charged]
    holes += [(begin, end, True) for begin, end, _ in silences]
    for begin, end, is_silent in sorted(holes):
        if begin < at:
            continue
        if begin > at:
            parts.append((at, begin, False))
        if is_silent:
            parts.append((begin, end, True))
        at = end
    if last > at:
        parts.append((at, last, False))
    return parts


def _over_silence(account: EnergyAccount, begin: int, end: int) -> float | None:
    """What went while the car was silent: only a level or a counter can tell."""
    energy = account.between(begin, end)
    return None if energy is None or energy.source in FLOWS else energy.net_kwh


def _preheating_kwh(
    columns: Columns,
    account: EnergyAccount,
    rows: tuple[int, int],
    charged: list[tuple[int, int]],
) -> float | None:
    """Warmth made while the cable is in and the battery is not charged."""
    if columns.heating_w is None or columns.is_plugged is None:
        return None
    first = max((end for _, end in charged), default=rows[0])
    here = slice(first, rows[1] + 1)
    warm, plugged = columns.heating_w[here], columns.is_plugged[here]
    known = np.isfinite(plugged)
    if not known.any():
        return None
    at = np.maximum.accumulate(np.where(known, np.arange(len(plugged)), 0))
    drawn = np.where(plugged[at] > 0.5, warm, np.nan)
    heated_j, _, known_s = account.loops.flow(columns.ts[here], drawn, 0, len(drawn) - 1)
    return float(heated_j) / 3.6e6 if known_s > 0 else None
