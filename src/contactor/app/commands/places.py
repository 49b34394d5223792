"""`contactor places`: where a car stops again and again; `places name ID NAME` names one."""

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from contactor.app.fact_options import add_fact_options, asked_of, print_facts
from contactor.app.query import Topic, only_vehicle, open_query
from contactor.errors import UsageError

_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "id": "id",
        "name": "name",
        "stops": "stops",
        "charges": "charges",
        "kWh": "energy_kwh",
        "last": "last_seen",
        "location": "location",
    }
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "action", nargs="*", metavar="name ID NAME", help="give a place a name; default: list them"
    )
    add_fact_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print the places, the most visited first, or name one."""
    if args.action:
        return _name(args)
    asked, query = asked_of(args), open_query(args.data)
    vehicle = asked.vehicle or only_vehicle(query)
    print_facts(args, query.history(Topic.PLACES, vehicle, asked.since, asked.until), _COLUMNS)
    return 0


def _name(args: argparse.Namespace) -> int:
    from contactor.app.journal import open_book

    verb, *words = args.action
    if verb != "name" or len(words) != 2:
        raise UsageError(f"places {' '.join(args.action)[:80]!r}; allowed: places name ID NAME")
    place_id, name = words
    open_book(args.data).name_place(place_id, name)
    print(f"{place_id} is {name}")
    return 0
