"""A battery report as JSON, and back."""

import json

from contactor.history.battery import BatteryReport, as_json
from contactor.history.battery.from_json import from_json
from tests.history.battery.test_certificate import made_report


def test_report_comes_back_out_of_its_json() -> None:
    report = made_report(77.3, state_of_health_pct=94.2, capacity_uncertainty_kwh=2.25)
    told = json.loads(json.dumps(as_json("demo", report), allow_nan=False))
    found = from_json(told)
    assert found.cells == report.cells
    assert found.use == report.use
    assert found.forecast == report.forecast
    assert [one.ts_ns for one in found.history] == [one.ts_ns for one in report.history]
    assert as_json("demo", found) == as_json("demo", report)


def test_what_is_unknown_stays_so() -> None:
    told = json.loads(json.dumps(as_json("demo", BatteryReport())))
    assert told["capacity_kwh"] is None
    assert from_json(told) == BatteryReport()


def test_json_names_what_the_contract_does() -> None:
    told = as_json("demo", made_report())
    names = ("vehicle_id", "capacity_kwh", "capacity_uncertainty_kwh", "state_of_health_pct")
    assert all(name in told for name in (*names, "method", "sessions_used", "history"))


def test_a_small_cell_keeps_its_digits() -> None:
    told = as_json("cell", made_report(0.00669123))
    assert told["capacity_kwh"] == 0.00669123
