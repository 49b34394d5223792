"""A battery report out of its JSON, so that who asked for one over the network can draw it."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from contactor.clock import from_iso
from contactor.history.battery.report import (
    BatteryReport,
    CapacityPoint,
    CellOutlier,
    CellSpread,
    ForecastPoint,
    Method,
    Resistance,
    Use,
)

# What a decoder of JSON gives.
Document: TypeAlias = Mapping[str, Any]


def from_json(told: Document) -> BatteryReport:
    """The report that `as_json` made this of, to six digits.

    Raises:
        KeyError: it is no such document.
    """
    method = told["method"]
    return BatteryReport(
        capacity_kwh=told["capacity_kwh"],
        capacity_uncertainty_kwh=told["capacity_uncertainty_kwh"],
        capacity_ah=told["capacity_ah"],
        capacity_uncertainty_ah=told["capacity_uncertainty_ah"],
        new_capacity_kwh=told["new_capacity_kwh"],
        is_new_measured=told["is_new_measured"],
        state_of_health_pct=told["state_of_health_pct"],
        state_of_health_uncertainty_pct=told["state_of_health_uncertainty_pct"],
        method=None if method is None else Method(method),
        sessions_used=told["sessions_used"],
        sessions_set_aside=told["sessions_set_aside"],
        since_ns=None if told["since"] is None else from_iso(told["since"]),
        until_ns=None if told["until"] is None else from_iso(told["until"]),
        history=tuple(
            CapacityPoint(
                ts_ns=from_iso(one["ts"]),
                capacity_kwh=one["capacity_kwh"],
                low_kwh=one["low_kwh"],
                high_kwh=one["high_kwh"],
                capacity_ah=one["capacity_ah"],
                sessions=one["sessions"],
            )
            for one in told["history"]
        ),
        resistance=None if told["resistance"] is None else _resistance(told["resistance"]),
        cells=None if told["cells"] is None else _cells(told["cells"]),
        use=None if told["use"] is None else _use(told["use"]),
        forecast=tuple(
            ForecastPoint(
                ts_ns=from_iso(one["ts"]),
                capacity_kwh=one["capacity_kwh"],
                low_kwh=one["low_kwh"],
                high_kwh=one["high_kwh"],
            )
            for one in told["forecast"]
        ),
    )


def _resistance(told: Document) -> Resistance:
    return Resistance(
        ohm=told["ohm"],
        uncertainty_ohm=told["uncertainty_ohm"],
        steps_used=told["steps_used"],
        change_pct_per_year=told["change_pct_per_year"],
        history=tuple((from_iso(one["ts"]), one["ohm"]) for one in told["history"]),
    )


def _cells(told: Document) -> CellSpread:
    return CellSpread(
        cells=told["cells"],
        spread_mv=told["spread_mv"],
        deviation_mv=told["deviation_mv"],
        away_mv=tuple(told["away_mv"]),
        outliers=tuple(
            CellOutlier(
                cell=one["cell"],
                away_mv=one["away_mv"],
                change_mv_per_year=one["change_mv_per_year"],
            )
            for one in told["outliers"]
        ),
        history=tuple((from_iso(one["ts"]), one["spread_mv"]) for one in told["history"]),
    )


def _use(told: Document) -> Use:
    return Use(
        days=told["days"],
        given_kwh=told["given_kwh"],
        taken_kwh=told["taken_kwh"],
        full_cycles=told["full_cycles"],
        charge_share=_shares(told["charge_share"]),
        charge_mean_pct=told["charge_mean_pct"],
        warmth_share=_shares(told["warmth_share"]),
    )


def _shares(told: Sequence[float] | None) -> tuple[float, ...] | None:
    return None if told is None else tuple(told)
