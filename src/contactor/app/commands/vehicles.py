"""`contactor vehicles`: the vehicles of a data folder."""

import argparse

from contactor.app.cars import vehicle_id
from contactor.app.output import print_json, print_table
from contactor.app.query import open_query
from contactor.app.settings import add_data_option
from contactor.errors import UnknownVehicle


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--vehicle", metavar="ID", help="this one only")
    parser.add_argument(
        "--where",
        metavar="QUESTION",
        help='those of which it is true by their last values, as "Vehicle.Speed > 100"',
    )
    add_data_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Print the vehicles."""
    wanted = None if args.vehicle is None else vehicle_id(args.vehicle)
    found = open_query(args.data).vehicles(args.where)
    if wanted is not None:
        known = ", ".join(str(item["vehicle_id"]) for item in found) or "none"
        found = [item for item in found if item["vehicle_id"] == wanted]
        if not found:
            raise UnknownVehicle(f"no vehicle {wanted!r}; known: {known}")
    if args.json:
        print_json(found)
        return 0
    if args.where is not None and not found:
        print("none of which that is true")
        return 0
    columns = ("vehicle_id", "profile", "connectivity", "last_seen", "signals", "rows")
    print_table(
        [column.replace("_", " ") for column in columns],
        [[item[column] for column in columns] for item in found],
    )
    return 0
