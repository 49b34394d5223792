"""Stands: what standing between trips cost, charges apart, awake and asleep."""

import numpy as np
from numpy.typing import NDArray

from contactor.history.columns import Columns
from contactor.history.energy import J_PER_KWH, EnergyAccount
from contactor.history.facts import Location, Stand
from contactor.history.rows import (
    Figures,
    Spans,
    first_locations,
    known,
    last_locations,
    levels_at_ends,
    places_in,
    seconds_of,
)

# Of a stand, so much may be silent without a word on what went meanwhile.
SILENT_MAX = 0.05


def stands_of(
    columns: Columns,
    account: EnergyAccount,
    spans: Spans,
    charged: Spans,
    silences: Spans,
    has_moved: NDArray[np.bool_],
) -> list[Stand]:
    """The stands of stretches of rows.

    Args:
        spans: by time, apart.
        charged: rows of the charges in them, by time.
        silences: rows before and after each silence, by time, and whether the car moved meanwhile.
    """
    is_apart = (places_in(silences, spans) >= 0) & (places_in(silences, charged) < 0)
    silences, has_moved = silences[is_apart], has_moved[is_apart]
    lost_kwh, awake_kwh = _lost_kwh(columns, account, spans, charged, silences, has_moved)
    levels = levels_at_ends(columns.state_of_charge_pct, account.loops, spans)
    told = zip(
        columns.ts[spans].tolist(),
        _locations(columns, account, spans),
        known(levels[:, 0]),
        known(levels[:, 1]),
        known(lost_kwh),
        known(awake_kwh),
        known(_preheating_kwh(columns, account, spans, charged)),
        strict=True,
    )
    return [
        Stand(
            start_ns=start_ns,
            end_ns=end_ns,
            location=location,
            soc_start_pct=start_pct,
            soc_end_pct=end_pct,
            lost_kwh=lost,
            awake_kwh=awake,
            preheating_kwh=preheating,
        )
        for (
            (start_ns, end_ns),
            location,
            start_pct,
            end_pct,
            lost,
            awake,
            preheating,
        ) in told
    ]


def _lost_kwh(
    columns: Columns,
    account: EnergyAccount,
    spans: Spans,
    charged: Spans,
    silences: Spans,
    has_moved: NDArray[np.bool_],
) -> tuple[Figures, Figures]:
    """What went out of the battery in all, and while the car was awake; NaN where unknown."""
    holes = np.concatenate((charged, silences))
    begins = np.sort(np.concatenate((spans[:, 0], holes[:, 1])))
    ends = np.sort(np.concatenate((holes[:, 0], spans[:, 1])))
    awake = np.column_stack((begins, ends))[ends > begins]
    awake_kwh, unknown_s = _summed(columns, spans, awake, account.between(awake).net_kwh)
    told_kwh = account.between(silences, is_silent=True).net_kwh
    asleep_kwh = np.where(has_moved, np.nan, told_kwh)
    silent_kwh, silent_s = _summed(columns, spans, silences, asleep_kwh)
    is_known = unknown_s + silent_s <= SILENT_MAX * seconds_of(columns, spans)
    return (
        np.where(is_known, awake_kwh + silent_kwh, np.nan),
        np.where(unknown_s > 0, np.nan, awake_kwh),
    )


def _summed(columns: Columns, spans: Spans, parts: Spans, kwh: Figures) -> tuple[Figures, Figures]:
    """Of the parts of each stand what is known, kWh, and for how long nothing is, s."""
    stand, is_unknown = places_in(parts, spans), np.isnan(kwh)
    sums, unknown_s = np.zeros(len(spans)), np.zeros(len(spans))
    np.add.at(sums, stand, np.where(is_unknown, 0.0, kwh))
    np.add.at(unknown_s, stand, np.where(is_unknown, seconds_of(columns, parts), 0.0))
    return sums, unknown_s


def _locations(columns: Columns, account: EnergyAccount, spans: Spans) -> list[Location | None]:
    found = first_locations(columns, account.loops, spans)
    if None not in found:
        return found
    later = last_locations(columns, account.loops, spans)
    return [one or other for one, other in zip(found, later, strict=True)]


def _preheating_kwh(
    columns: Columns, account: EnergyAccount, spans: Spans, charged: Spans
) -> Figures:
    """Warmth made while the cable is in and the battery is not charged, after the last charge."""
    if columns.heating_w is None or columns.is_plugged is None:
        return np.full(len(spans), np.nan)
    after = spans.copy()
    after[places_in(charged, spans), 0] = charged[:, 1]  # of several the last counts
    flags = columns.is_plugged
    heated_j, _, known_s, _ = account.loops.gated_flow(
        columns.ts, columns.heating_w, flags, after
    ).T
    return np.where(known_s > 0, heated_j / J_PER_KWH, np.nan)
