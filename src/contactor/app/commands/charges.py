"""`contactor charges`: when a car was charged, and with how much."""

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
        "kind": "kind",
        "kWh": "energy_battery_kwh",
        "wall kWh": "energy_wall_kwh",
        "%": "soc_start_pct",
        "to %": "soc_end_pct",
        "max kW": "power_max_kw",
        "cost": "cost",
        "": "currency",
        "place": "place",
    }
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_fact_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print the charges, by vehicle and time."""
    print_timed(args, Topic.CHARGES, _COLUMNS)
    return 0
