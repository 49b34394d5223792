"""Charges: what is told of the stretches of rows in which energy went into the battery."""

import numpy as np
from numpy.typing import NDArray

from contactor.history.columns import Columns
from contactor.history.energy import LEVEL, NOBODY, EnergyAccount, Flows
from contactor.history.facts import Charge, ChargeKind, Location
from contactor.history.loops import Loops
from contactor.history.rows import (
    Figures,
    Spans,
    first_locations,
    known,
    last_locations,
    levels_at_ends,
)
from contactor.history.rules import AC_MAX_KW, CHARGE_MIN_KW, CHARGE_MIN_KWH, RISE_GAP_PCT
from contactor.history.trips import means_degc

W_PER_KW = 1000.0
S_PER_HOUR = 3600.0
# A session with pauses may give little on the mean, once it gave this many hours' worth.
LONG_HOURS = 4.0
# What a household's line gives; up to AC_MAX_KW both are possible, and only a meter tells.
SURELY_AC_KW = 11.5


def charges_of(
    columns: Columns, loops: Loops, account: EnergyAccount, spans: Spans, stands: Spans
) -> tuple[Spans, list[Charge]]:
    """The charges of stretches of rows: those of them that were one, and what is told of each.

    Args:
        spans: first and last row in which the battery was charged, (n, 2).
        stands: first and last row of the stand that each lies in: where the cable was, and the car.
    """
    flows = account.whole(spans)
    levels = levels_at_ends(columns.state_of_charge_pct, loops, spans)
    is_charge = _is_charge(flows, levels)
    energies = [one for one, is_one in zip(flows.energies(), is_charge, strict=True) if is_one]
    spans, stands, levels = spans[is_charge], stands[is_charge], levels[is_charge]
    power_kw = known(_power_max_kw(columns, loops, spans))
    wall_kwh = known(account.taken_kwh(columns.wall_w, spans))
    station_kwh = known(account.taken_kwh(columns.station_w, spans))
    told = zip(
        columns.ts[spans].tolist(),
        energies,
        known(levels[:, 0]),
        known(levels[:, 1]),
        power_kw,
        [one or None for one in wall_kwh],
        [one or None for one in station_kwh],
        means_degc(columns.battery_degc, loops, spans),
        _locations(columns, loops, spans, stands),
        _plugged_ns(columns, loops, spans, stands),
        strict=True,
    )
    return spans, [
        Charge(
            start_ns=start_ns,
            end_ns=end_ns,
            kind=_kind(greatest_kw, wall, station),
            energy=energy,
            wall_kwh=wall or station,
            soc_start_pct=soc_start_pct,
            soc_end_pct=soc_end_pct,
            power_max_kw=greatest_kw,
            battery_mean_degc=battery_degc,
            location=location,
            plugged_start_ns=plugged_start_ns,
            plugged_end_ns=plugged_end_ns,
        )
        for (
            (start_ns, end_ns),
            energy,
            soc_start_pct,
            soc_end_pct,
            greatest_kw,
            wall,
            station,
            battery_degc,
            location,
            (plugged_start_ns, plugged_end_ns),
        ) in told
    ]


def _is_charge(flows: Flows, levels: Figures) -> NDArray[np.bool_]:
    """Whether enough went into the battery, as far as anything tells."""
    given_kwh = -flows.net_kwh
    hours = np.minimum(flows.known_s / S_PER_HOUR, LONG_HOURS)
    is_little = given_kwh < np.where(flows.is_of_flow, CHARGE_MIN_KW * hours, 0.0)
    rose = levels[:, 1] - levels[:, 0] >= RISE_GAP_PCT / 2
    is_by_level = (flows.source == NOBODY) | (flows.source == LEVEL)
    charged: NDArray[np.bool_] = ~((given_kwh < CHARGE_MIN_KWH) | is_little | (is_by_level & ~rose))
    return charged


def _power_max_kw(columns: Columns, loops: Loops, spans: Spans) -> Figures:
    """The greatest power into the battery that was not a lone spike; NaN where unknown."""
    if columns.voltage_v is not None and columns.current_a is not None:
        return loops.greatest(columns.voltage_v, columns.current_a, spans) / W_PER_KW
    if columns.power_w is not None:
        return loops.greatest(np.empty(0, np.float32), columns.power_w, spans) / W_PER_KW
    return np.full(len(spans), np.nan)


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


def _locations(
    columns: Columns, loops: Loops, spans: Spans, stands: Spans
) -> list[Location | None]:
    """Where each charge began; where it tells nothing, the last place before."""
    found = first_locations(columns, loops, spans)
    if None not in found:
        return found
    before = np.column_stack((stands[:, 0], spans[:, 0]))
    earlier = last_locations(columns, loops, before)
    return [one or other for one, other in zip(found, earlier, strict=True)]


def _plugged_ns(
    columns: Columns, loops: Loops, spans: Spans, stands: Spans
) -> list[tuple[int | None, int | None]]:
    """Between which instants the cable was in, around each charge; None where nothing tells."""
    if columns.is_plugged is None:
        return [(None, None)] * len(spans)
    rows = loops.cable_in(columns.is_plugged, spans, stands)
    instants = zip(columns.ts[rows].tolist(), rows[:, 0].tolist(), strict=True)
    return [(begin, end) if row >= 0 else (None, None) for (begin, end), row in instants]
