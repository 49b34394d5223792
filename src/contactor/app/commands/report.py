"""`contactor report`: a car's history in figures: how far, how much, and how far it goes now."""

import argparse
from collections.abc import Mapping

from contactor.app.fact_options import add_fact_options, asked_of, duration, print_told, sparkline
from contactor.app.query import only_vehicle, open_query


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_fact_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print the sums; as CSV a row per day."""
    asked, query = asked_of(args), open_query(args.data)
    told = query.report(asked.vehicle or only_vehicle(query), asked.since, asked.until)
    print_told(args, told, "days", _show)
    return 0


def _show(told: Mapping[str, object], days: list[Mapping[str, float]]) -> None:
    print(f"{told['vehicle_id']}  {_day(told['since'])} to {_day(told['until'])}")
    trips, charges, stands = (told[name] for name in ("trips", "charges", "stands"))
    assert isinstance(trips, Mapping)
    assert isinstance(charges, Mapping)
    assert isinstance(stands, Mapping)
    took = duration(trips["duration_s"])
    _line(
        "driven",
        f"{trips['count']} trips, {trips['distance_km']:.1f} km in {took} h",
        [day["distance_km"] for day in days],
    )
    _line(
        "consumed",
        _known(trips["energy_kwh"], "kWh") + _known(trips["consumption_wh_per_km"], "Wh/km", ", "),
        [day["energy_kwh"] for day in days],
    )
    _line(
        "charged",
        f"{charges['count']} times"
        + _known(charges["energy_battery_kwh"], "kWh", ", ")
        + _known(charges["energy_wall_kwh"], "kWh from the wall", ", "),
        [day["charged_kwh"] for day in days],
    )
    _line("standing", _known(stands["lost_kwh"], "kWh lost") or "loss not known", [])
    hours = told["hours"]
    assert isinstance(hours, Mapping)
    _line("hours", ", ".join(f"{state} {value:.1f}" for state, value in hours.items()), [])
    battery, reach = told["battery"], told["range"]
    if isinstance(battery, Mapping) and battery["capacity_kwh"] is not None:
        width = battery["capacity_uncertainty_kwh"]
        _line("battery", f"{battery['capacity_kwh']:.2f} ± {width:.2f} kWh", [])
    if isinstance(reach, Mapping):
        _line(
            "range",
            f"{reach['km']:.0f} km now ({reach['low_km']:.0f} to {reach['high_km']:.0f}, 80 %)",
            [],
        )


def _line(title: str, text: str, days: list[float]) -> None:
    print(f"  {title:<10} {text:<44} {sparkline(days)}".rstrip())


def _known(value: object, unit: str, before: str = "") -> str:
    return f"{before}{value:.1f} {unit}" if isinstance(value, int | float) else ""


def _day(instant: object) -> str:
    return "—" if instant is None else str(instant)[: len("2024-05-01")]
