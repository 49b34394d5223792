"""`contactor signals`: count, extremes and mean of what is stored of a vehicle."""

import argparse
from collections.abc import Mapping

from contactor.app.cars import vehicle_id
from contactor.app.instants import parse_instant
from contactor.app.output import print_json, print_table
from contactor.app.query import only_vehicle, open_query
from contactor.app.settings import add_data_option
from contactor.clock import SystemClock
from contactor.errors import UsageError
from contactor.signals.catalogue import catalogue


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--signal", action="append", metavar="PATH", help="a VSS path; may be repeated; default all"
    )
    parser.add_argument("--vehicle", metavar="ID", help="default: the only one there is")
    parser.add_argument("--since", metavar="T", help="from then on: ISO 8601, or 7d, 12h ago")
    parser.add_argument("--until", metavar="T", help="before then")
    add_data_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Print the summary."""
    now_ns = SystemClock().now_ns()
    since = None if args.since is None else parse_instant(args.since, now_ns=now_ns)
    until = None if args.until is None else parse_instant(args.until, now_ns=now_ns)
    if since is not None and until is not None and since >= until:
        raise UsageError(f"--since {args.since} is not before --until {args.until}")
    paths = [catalogue()[path].path for path in args.signal] if args.signal else None
    wanted = None if args.vehicle is None else vehicle_id(args.vehicle)
    query = open_query(args.data)
    document = query.signals(wanted or only_vehicle(query), paths, since, until)
    if args.json:
        print_json(document)
    else:
        _show(document)
    return 0


def _show(document: Mapping[str, object]) -> None:
    signals = document["signals"]
    assert isinstance(signals, dict)
    columns = ("unit", "count", "unavailable", "first", "last", "min", "max", "mean")
    print_table(
        ["signal", *columns],
        [[path, *(facts[column] for column in columns)] for path, facts in signals.items()],
    )
