"""From a car's history to what is said of its battery, in two steps that may lie far apart.

evidence = gather(columns, find(columns))           # of a stretch; kept, joined
report = conclude(evidence, new_capacity_kwh=82.0)
report.capacity_kwh, report.capacity_uncertainty_kwh
"""

from contactor.history.battery.capacity import Capacity, from_windows
from contactor.history.battery.cells import CellVoltages, looks_of, spread_of
from contactor.history.battery.counting import count
from contactor.history.battery.discharges import discharges_of
from contactor.history.battery.evidence import Evidence
from contactor.history.battery.forecast import forecast_of
from contactor.history.battery.report import BatteryReport, CapacityPoint, Method
from contactor.history.battery.resistance import resistance_of, steps_of
from contactor.history.battery.stitching import Ends, from_discharges
from contactor.history.battery.use import days_of, use_of
from contactor.history.battery.voltages import voltages_of
from contactor.history.battery.windows import windows_of
from contactor.history.columns import Columns
from contactor.history.facts import Facts

DAY_NS = 86_400 * 10**9
# Half the width of a band of 95 %, in standard deviations.
BAND = 1.96
# The first capacity that may stand for the new one is known at least this well.
NEW_SIGMA_MAX = 0.015
POINTS_MAX = 400
# Full and empty are the highest rest and the lowest voltage that were seen.
SEEN_ENDS = Ends()


def gather(columns: Columns, facts: Facts, *, cells: CellVoltages | None = None) -> Evidence:
    """What a stretch tells of the battery.

    Args:
        facts: of the same stretch.
        cells: the voltages of the single cells, where the car gives them.
    """
    counted = count(columns)
    return Evidence(
        windows=tuple(windows_of(columns, facts, counted)),
        discharges=tuple(discharges_of(columns, counted)),
        steps=tuple(steps_of(columns, facts, counted)),
        cells=() if cells is None else tuple(looks_of(cells, columns, counted)),
        days=tuple(days_of(columns, counted)),
        voltages=voltages_of(columns, counted),
    )


def conclude(
    evidence: Evidence, *, new_capacity_kwh: float | None = None, ends: Ends = SEEN_ENDS
) -> BatteryReport:
    """What is to be said, from all the evidence there is.

    Args:
        new_capacity_kwh: usable when new, as the profile says; else the first that is known well.
        ends: where a battery is full and empty that gives no state of charge.
    """
    found = from_windows(evidence.windows, evidence.voltages) or _from_voltages(evidence, ends)
    resistance, cells = resistance_of(evidence.steps), spread_of(evidence.cells)
    if found is None or not found[1]:
        return BatteryReport(
            new_capacity_kwh=new_capacity_kwh,
            resistance=resistance,
            cells=cells,
            use=use_of(evidence.days, None, new_capacity_kwh),
        )
    method, points = found
    now = points[-1]
    new_kwh, is_measured = new_capacity_kwh, False
    if new_kwh is None:
        new_kwh, is_measured = _first_known(points), True
    health = None if new_kwh is None else 100 * now.kwh / new_kwh
    return BatteryReport(
        capacity_kwh=now.kwh,
        capacity_uncertainty_kwh=BAND * now.kwh_sigma,
        capacity_ah=now.ah,
        capacity_uncertainty_ah=None if now.ah_sigma is None else BAND * now.ah_sigma,
        new_capacity_kwh=new_kwh,
        is_new_measured=is_measured and new_kwh is not None,
        state_of_health_pct=health,
        state_of_health_uncertainty_pct=(
            None if health is None else health * BAND * now.kwh_sigma / now.kwh
        ),
        method=method,
        sessions_used=sum(point.is_used for point in points),
        sessions_set_aside=sum(not point.is_used for point in points),
        since_ns=points[0].ts_ns,
        until_ns=now.ts_ns,
        history=_by_day(points),
        resistance=resistance,
        cells=cells,
        use=use_of(evidence.days, now.ah, now.kwh),
        forecast=() if new_kwh is None else forecast_of(points, new_kwh),
    )


def battery_report(
    columns: Columns,
    facts: Facts,
    *,
    cells: CellVoltages | None = None,
    new_capacity_kwh: float | None = None,
    ends: Ends = SEEN_ENDS,
) -> BatteryReport:
    """Both steps at once, for a history that is held whole."""
    evidence = gather(columns, facts, cells=cells)
    return conclude(evidence, new_capacity_kwh=new_capacity_kwh, ends=ends)


def _from_voltages(evidence: Evidence, ends: Ends) -> tuple[Method, list[Capacity]] | None:
    points = from_discharges(evidence.discharges, ends)
    return (Method.VOLTAGE_CURVE, points) if points else None


def _first_known(points: list[Capacity]) -> float | None:
    for point in points:
        if point.kwh_sigma <= NEW_SIGMA_MAX * point.kwh:
            return point.kwh
    return None


def _by_day(points: list[Capacity]) -> tuple[CapacityPoint, ...]:
    """The last point of each day, at most POINTS_MAX of them, evenly taken; the last one always."""
    last: dict[int, tuple[int, Capacity]] = {}
    used = 0
    for point in points:
        used += point.is_used
        last[point.ts_ns // DAY_NS] = used, point
    every = -(-len(last) // POINTS_MAX)
    kept = list(last.values())[::-1][::every][::-1]
    return tuple(
        CapacityPoint(
            ts_ns=point.ts_ns,
            capacity_kwh=point.kwh,
            low_kwh=point.kwh - BAND * point.kwh_sigma,
            high_kwh=point.kwh + BAND * point.kwh_sigma,
            capacity_ah=point.ah,
            sessions=used,
        )
        for used, point in kept
    )


__all__ = ["Method", "battery_report", "conclude", "gather"]
