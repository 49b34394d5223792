"""`contactor trips`: where a car went, and what that took."""

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from contactor.app.fact_options import add_fact_options, print_timed
from contactor.app.query import Topic

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


def run(args: argparse.Namespace) -> int:
    """Print the trips, by vehicle and time."""
    print_timed(args, Topic.TRIPS, _COLUMNS)
    return 0
