"""What a certificate says, from reports that are made up."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.history.battery.certificate import Bars, Curve, certificate_of
from contactor.history.battery.report import (
    BatteryReport,
    CapacityPoint,
    CellOutlier,
    CellSpread,
    ForecastPoint,
    Method,
    Use,
)
from contactor.history.battery.words import ENGLISH

DAY_NS = 86_400 * 10**9
START_NS = 1_760_000_000 * 10**9


def made_report(capacity_kwh: float = 77.3, **changes: object) -> BatteryReport:
    points = tuple(
        CapacityPoint(
            ts_ns=START_NS + day * DAY_NS,
            capacity_kwh=capacity_kwh,
            low_kwh=0.97 * capacity_kwh,
            high_kwh=1.03 * capacity_kwh,
            capacity_ah=210.0,
            sessions=day + 1,
        )
        for day in range(40)
    )
    fields = {
        "capacity_kwh": capacity_kwh,
        "capacity_uncertainty_kwh": 0.03 * capacity_kwh,
        "new_capacity_kwh": 82.0,
        "state_of_health_pct": 100 * capacity_kwh / 82.0,
        "method": Method.CHARGE_COUNTED,
        "sessions_used": 40,
        "since_ns": START_NS,
        "until_ns": START_NS + 39 * DAY_NS,
        "history": points,
        "cells": CellSpread(
            cells=4,
            spread_mv=14.0,
            deviation_mv=5.0,
            away_mv=(0.0, 1.0, -13.0, 0.5),
            outliers=(CellOutlier(cell=3, away_mv=-13.0, change_mv_per_year=None),),
            history=((START_NS, 14.0),),
        ),
        "use": Use(
            days=40,
            given_kwh=400.0,
            taken_kwh=410.0,
            full_cycles=5.1,
            charge_share=(0.0, 0.1, 0.6, 0.2, 0.1),
            charge_mean_pct=66.0,
            warmth_share=(0.1, 0.4, 0.5, 0.0, 0.0),
        ),
        "forecast": tuple(
            ForecastPoint(
                ts_ns=START_NS + 39 * DAY_NS + int(years * 365.25 * DAY_NS),
                capacity_kwh=75.0,
                low_kwh=70.0,
                high_kwh=80.0,
            )
            for years in (0.5, 2.0)
        ),
    }
    return BatteryReport(**{**fields, **changes})  # type: ignore[arg-type]  # by name


def test_certificate_says_the_capacity_with_its_band() -> None:
    one = certificate_of("demo", made_report(), made_ns=START_NS + 40 * DAY_NS)
    assert one.headlines[0].value == "77.3 kWh"
    assert one.headlines[0].note == "95 % band 75.0 to 79.6"
    assert one.headlines[1].value == "94.3 %"
    assert ("Expected in 2 years", "75.0 kWh (70.0 to 80.0)") in one.figures
    assert any("2025-10-09" in limit for limit in one.limits)


def test_certificate_marks_the_cell_that_stands_out() -> None:
    one = certificate_of("demo", made_report(), made_ns=START_NS)
    bars = [chart for chart in one.charts if isinstance(chart, Bars)]
    assert bars[0].marked == (2,)
    assert "Cell 3 stands out." in bars[0].note
    curve = next(chart for chart in one.charts if isinstance(chart, Curve))
    assert curve.ahead == 1


def test_certificate_of_nothing_says_so() -> None:
    one = certificate_of("demo", BatteryReport(), made_ns=START_NS)
    assert "could not be measured" in one.verdict[0]
    assert one.charts == ()
    assert one.headlines[0].value == "not known"


@pytest.mark.parametrize("method", list(Method))
def test_every_method_is_told_in_plain_words(method: Method) -> None:
    one = certificate_of("demo", made_report(method=method), made_ns=START_NS)
    assert "40" in one.method[0]


@given(capacity_kwh=st.floats(1e-3, 500.0))
def test_no_text_has_an_unfilled_place(capacity_kwh: float) -> None:
    one = certificate_of("demo", made_report(capacity_kwh), made_ns=START_NS)
    for text in (*one.verdict, *one.method, *one.limits, one.foot, *dict(one.figures).values()):
        assert "{" not in text


def test_words_name_their_places() -> None:
    for text in ENGLISH.values():
        assert all(name != "" for _, name, _, _ in string.Formatter().parse(text))
