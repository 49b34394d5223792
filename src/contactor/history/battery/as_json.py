"""A battery report as the JSON that the command, the API and Python give: plain values only."""

from contactor.clock import to_iso
from contactor.history.battery.evidence import CHARGE_EDGES_PCT, WARMTH_EDGES_DEGC
from contactor.history.battery.report import BatteryReport, CellSpread, Resistance, Use

Json = dict[str, object]
# Digits that no sensor of a car carries are not written.
DIGITS = 6


def as_json(vehicle_id: str, report: BatteryReport) -> Json:
    """Of one vehicle; instants are ISO 8601 in UTC, what is unknown is None."""
    return {
        "vehicle_id": vehicle_id,
        "capacity_kwh": _number(report.capacity_kwh),
        "capacity_uncertainty_kwh": _number(report.capacity_uncertainty_kwh),
        "capacity_ah": _number(report.capacity_ah),
        "capacity_uncertainty_ah": _number(report.capacity_uncertainty_ah),
        "new_capacity_kwh": _number(report.new_capacity_kwh),
        "is_new_measured": report.is_new_measured,
        "state_of_health_pct": _number(report.state_of_health_pct),
        "state_of_health_uncertainty_pct": _number(report.state_of_health_uncertainty_pct),
        "method": report.method,
        "sessions_used": report.sessions_used,
        "sessions_set_aside": report.sessions_set_aside,
        "since": _instant(report.since_ns),
        "until": _instant(report.until_ns),
        "history": [
            {
                "ts": _instant(point.ts_ns),
                "capacity_kwh": _number(point.capacity_kwh),
                "low_kwh": _number(point.low_kwh),
                "high_kwh": _number(point.high_kwh),
                "capacity_ah": _number(point.capacity_ah),
                "sessions": point.sessions,
            }
            for point in report.history
        ],
        "resistance": None if report.resistance is None else _resistance(report.resistance),
        "cells": None if report.cells is None else _cells(report.cells),
        "use": None if report.use is None else _use(report.use),
        "forecast": [
            {
                "ts": _instant(point.ts_ns),
                "capacity_kwh": _number(point.capacity_kwh),
                "low_kwh": _number(point.low_kwh),
                "high_kwh": _number(point.high_kwh),
            }
            for point in report.forecast
        ],
    }


def _resistance(one: Resistance) -> Json:
    return {
        "ohm": _number(one.ohm),
        "uncertainty_ohm": _number(one.uncertainty_ohm),
        "steps_used": one.steps_used,
        "change_pct_per_year": _number(one.change_pct_per_year),
        "history": [{"ts": _instant(ts_ns), "ohm": _number(ohm)} for ts_ns, ohm in one.history],
    }


def _cells(one: CellSpread) -> Json:
    return {
        "cells": one.cells,
        "spread_mv": _number(one.spread_mv),
        "deviation_mv": _number(one.deviation_mv),
        "outliers": [
            {
                "cell": cell.cell,
                "away_mv": _number(cell.away_mv),
                "change_mv_per_year": _number(cell.change_mv_per_year),
            }
            for cell in one.outliers
        ],
        "away_mv": _numbers(one.away_mv),
        "history": [{"ts": _instant(ts_ns), "spread_mv": _number(mv)} for ts_ns, mv in one.history],
    }


def _use(one: Use) -> Json:
    return {
        "days": one.days,
        "given_kwh": _number(one.given_kwh),
        "taken_kwh": _number(one.taken_kwh),
        "full_cycles": _number(one.full_cycles),
        "charge_mean_pct": _number(one.charge_mean_pct),
        "charge_edges_pct": list(CHARGE_EDGES_PCT),
        "charge_share": _numbers(one.charge_share),
        "warmth_edges_degc": list(WARMTH_EDGES_DEGC),
        "warmth_share": _numbers(one.warmth_share),
    }


def _numbers(values: tuple[float, ...] | None) -> list[float | None] | None:
    return None if values is None else [_number(value) for value in values]


def _number(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")


def _instant(ts_ns: int | None) -> str | None:
    return None if ts_ns is None else to_iso(ts_ns)
