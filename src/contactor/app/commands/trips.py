"""`contactor trips`: where a car went, and what that took; `--explain ID` says why one took it."""

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from contactor.app.fact_options import (
    add_fact_options,
    asked_of,
    cell,
    print_timed,
    print_told,
    vehicles_of,
)
from contactor.app.output import print_table
from contactor.app.query import Topic, open_query
from contactor.errors import UnknownTrip, UsageError

_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "id": "id",
        "vehicle": "vehicle_id",
        "start": "start",
        "h:min": "duration",
        "km": "distance_km",
        "kWh": "energy_kwh",
        "Wh/km": "consumption_wh_per_km",
        "%": "soc_start_pct",
        "to %": "soc_end_pct",
        "max km/h": "speed_max_kmh",
        "°C": "ambient_mean_degc",
        "from": "start_place",
        "to": "end_place",
    }
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_fact_options(parser)
    parser.add_argument("--explain", metavar="ID", help="what drove the consumption of this trip")


def run(args: argparse.Namespace) -> int:
    """Print the trips, by vehicle and time, or what drove the consumption of one."""
    if args.explain is not None:
        return _explain(args)
    print_timed(args, Topic.TRIPS, _COLUMNS)
    return 0


def _explain(args: argparse.Namespace) -> int:
    if args.since is not None or args.until is not None:
        raise UsageError("--explain with --since or --until; the id says which trip")
    print_told(args, _explained(args), "parts", _show)
    return 0


def _explained(args: argparse.Namespace) -> Mapping[str, object]:
    """Of the vehicle that is named, or of whichever has the trip.

    Raises:
        UnknownTrip: none has it.
    """
    asked, query = asked_of(args), open_query(args.data)
    if asked.vehicle is not None:
        return query.consumption(asked.vehicle, args.explain)
    for vehicle in vehicles_of(query, None):
        try:
            return query.consumption(vehicle, args.explain)
        except UnknownTrip:
            continue
    raise UnknownTrip(f"no trip {args.explain[:80]!r}; contactor trips lists them")


def _show(told: Mapping[str, object], parts: list[Mapping[str, object]]) -> None:
    start, km, energy = cell(told["start"]), told["distance_km"], told["energy_kwh"]
    took = f"{energy:.4g} kWh" if isinstance(energy, float) else "energy not known"
    print(f"{told['id']}  {told['vehicle_id']}  {start}  {km:.4g} km  {took}")
    if told["expected_kwh"] is None:
        print("  no speed is known of it")
        return
    low, high = told["expected_low_kwh"], told["expected_high_kwh"]
    print(
        f"  expected {told['expected_kwh']:.4g} kWh ({low:.4g} to {high:.4g}, 90 %)"
        f" from {told['trips_used']} other trips"
    )
    if parts and isinstance(energy, float):
        rows = [_row(one, energy) for one in parts]
        print_table(("part", "kWh", "from", "to", "%"), rows)


def _row(part: Mapping[str, object], energy_kwh: float) -> list[object]:
    kwh = part["energy_kwh"]
    share = 100 * kwh / energy_kwh if isinstance(kwh, float) and energy_kwh > 0 else None
    named = [cell(part[name]) for name in ("part", "energy_kwh", "low_kwh", "high_kwh")]
    return [*named, None if share is None else f"{share:.0f}"]
