"""What commands on a car's history share: options, whom and when they ask about, how they print.

add_fact_options(parser)
asked = asked_of(args)              # vehicles, since, until
print_facts(args, documents, COLUMNS)
"""

import argparse
import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from contactor.app.cars import vehicle_id
from contactor.app.instants import parse_instant
from contactor.app.output import print_json, print_table
from contactor.app.query import Query, Topic, open_query
from contactor.app.settings import add_data_option
from contactor.clock import SystemClock
from contactor.errors import UnknownVehicle, UsageError

_BARS: Final = "▁▂▃▄▅▆▇█"
_MINUTE: Final = len("2024-05-01T08:00")


def add_fact_options(parser: argparse.ArgumentParser, *, has_span: bool = True) -> None:
    """--vehicle --since --until --data --json --csv."""
    parser.add_argument("--vehicle", metavar="ID", help="default: the only one, or all")
    if has_span:
        parser.add_argument("--since", metavar="T", help="from then on: ISO 8601, or 7d, 12h ago")
        parser.add_argument("--until", metavar="T", help="before then")
    add_data_option(parser)
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="one JSON document on stdout")
    forms.add_argument("--csv", action="store_true", help="a table for programs on stdout")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for; None is all, or no bound."""

    vehicle: str | None
    since: int | None
    until: int | None


def asked_of(args: argparse.Namespace) -> Asked:
    """Whom and when.

    Raises:
        UsageError: a vehicle or an instant that is none, or no time between two.
    """
    now_ns = SystemClock().now_ns()
    wanted = None if args.vehicle is None else vehicle_id(args.vehicle)
    bounds = (getattr(args, "since", None), getattr(args, "until", None))
    since, until = (None if one is None else parse_instant(one, now_ns=now_ns) for one in bounds)
    if since is not None and until is not None and since >= until:
        raise UsageError(f"--since {args.since} is not before --until {args.until}")
    return Asked(wanted, since, until)


def vehicles_of(query: Query, wanted: str | None) -> list[str]:
    """The vehicle that is wanted, or all.

    Raises:
        UnknownVehicle: none is stored.
    """
    if wanted is not None:
        return [wanted]
    found = [str(item["vehicle_id"]) for item in query.vehicles()]
    if not found:
        raise UnknownVehicle("no vehicle is stored yet")
    return found


def print_timed(args: argparse.Namespace, topic: Topic, columns: Mapping[str, str]) -> None:
    """What has a duration, of the vehicles and the time asked for; `duration` is one more field.

    Raises:
        UnknownVehicle: there is no such vehicle, or none at all.
    """
    asked, query = asked_of(args), open_query(args.data)
    found = [
        one
        for vehicle in vehicles_of(query, asked.vehicle)
        for one in query.history(topic, vehicle, asked.since, asked.until)
    ]
    if not (args.json or args.csv):
        found = [{**one, "duration": duration(one["duration_s"])} for one in found]
    print_facts(args, found, columns)


def print_facts(
    args: argparse.Namespace,
    documents: Sequence[Mapping[str, object]],
    columns: Mapping[str, str],
) -> None:
    """As JSON, as CSV with every field, or as a table of some.

    Args:
        columns: heading → field, of the table.
    """
    if args.json:
        print_json(documents)
    elif args.csv:
        print_csv(documents)
    else:
        print_table(
            list(columns),
            [[cell(one[field]) for field in columns.values()] for one in documents],
        )


def print_told(
    args: argparse.Namespace,
    told: Mapping[str, object],
    rows: str,
    show: Callable[[Mapping[str, object], list[Any]], None],
) -> None:
    """One document: as JSON, the list in it as CSV, or as `show` writes both.

    Args:
        rows: the field with the list.
    """
    listed = told[rows]
    assert isinstance(listed, list)
    if args.json:
        print_json(told)
    elif args.csv:
        print_csv(listed)
    else:
        show(told, listed)


def print_csv(documents: Sequence[Mapping[str, object]]) -> None:
    """Every field of every document; what is no plain value is JSON; unknown is empty."""
    if not documents:
        return
    rows = [_flat(document) for document in documents]
    every = dict.fromkeys(name for row in rows for name in row)
    inner = {name.rpartition(".")[0] for name in every}
    names = [name for name in every if name not in inner]
    writer = csv.DictWriter(sys.stdout, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def cell(value: object) -> object:
    """A value as a table shows it: instants to the minute, places by name, four digits."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, Mapping):
        if "latitude_deg" in value:
            return f"{value['latitude_deg']:.5f},{value['longitude_deg']:.5f}"
        return value.get("name") or value.get("id")
    if isinstance(value, str) and value.endswith("Z") and value[10:11] == "T":
        return value[:_MINUTE].replace("T", " ")
    return value


def sparkline(values: Sequence[float]) -> str:
    """Bars for numbers from 0 up; a dot for 0.

    >>> sparkline([0, 5, 10])
    '·▅█'
    """
    most = max(values, default=0.0)
    if most <= 0:
        return "·" * len(values)
    steps = [min(int(value / most * len(_BARS)), len(_BARS) - 1) for value in values]
    return "".join(
        "·" if value <= 0 else _BARS[step] for value, step in zip(values, steps, strict=True)
    )


def duration(seconds: object) -> str | None:
    """Hours and minutes.

    >>> duration(4000.0)
    '1:07'
    """
    if not isinstance(seconds, int | float):
        return None
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours}:{minutes:02d}"


def _flat(document: Mapping[str, object]) -> dict[str, object]:
    """A document without inner ones: `start_location` becomes `start_location.latitude_deg`."""
    found: dict[str, object] = {}
    for name, value in document.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": one for inner, one in _flat(value).items()}
        elif isinstance(value, list):
            found[name] = msgspec.json.encode(value).decode() if value else None
        else:
            found[name] = value
    return found
