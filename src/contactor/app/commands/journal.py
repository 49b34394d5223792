"""`contactor journal`: what people say of trips and charges, and a month of it as a file.

contactor journal list --since 30d
contactor journal tag 5f0c9a3e7b12 client north --purpose business --driver Ada
contactor journal note 5f0c9a3e7b12 "to the lake"
contactor journal export 2024-05 --output may.pdf
contactor journal tariff tariffs.toml
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contactor.app.output import note, print_json, print_table
from contactor.app.settings import add_data_option

if TYPE_CHECKING:
    from contactor.cloud.journal.entries import Change, Entry, LooseRemark, Spot

PURPOSES = ("business", "private", "none")
FORMATS = ("csv", "xlsx", "pdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="trips and charges with what was said, newest first")
    listed.add_argument("--since", metavar="T", help="ISO 8601, or 7d, 12h before now")
    listed.add_argument("--until", metavar="T", help="likewise; not included")
    tagged = actions.add_parser("tag", help="say for whom, who drove, tags")
    tagged.add_argument("id", metavar="ID", help="as list, trips and charges say it")
    tagged.add_argument("tags", metavar="TAG", nargs="*", help="tags to add")
    tagged.add_argument("--remove", metavar="TAG", nargs="+", default=[], help="tags to take")
    tagged.add_argument("--purpose", choices=PURPOSES)
    tagged.add_argument("--driver", metavar="NAME", help='"" for nobody')
    noted = actions.add_parser("note", help="say something in words")
    noted.add_argument("id", metavar="ID", help="as list, trips and charges say it")
    noted.add_argument("text", metavar="TEXT", help='"" for nothing')
    exported = actions.add_parser("export", help="a month as a file")
    exported.add_argument("month", metavar="MONTH", help="as 2024-05")
    exported.add_argument("--output", metavar="FILE", type=Path, required=True)
    exported.add_argument("--to", choices=FORMATS, help="default: by the name of the file")
    exported.add_argument(
        "--time-zone", metavar="ZONE", help="as Europe/Vaduz; default that of the tariffs, else UTC"
    )
    priced = actions.add_parser("tariff", help="what charging costs: shown, or read from a file")
    priced.add_argument("file", metavar="FILE", type=Path, nargs="?", help="TOML")
    for action in (listed, exported):
        action.add_argument("--vehicle", metavar="ID", help="default: the only one")
    for action in (listed, tagged, noted, exported, priced):
        add_data_option(action)
        action.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Do one action."""
    if args.action == "list":
        return _list(args)
    if args.action == "export":
        return _export(args)
    if args.action == "tariff":
        return _tariff(args)
    return _say(args)


def _list(args: argparse.Namespace) -> int:
    from contactor.app.instants import parse_instant
    from contactor.app.journal import open_book, vehicle_of
    from contactor.clock import SystemClock

    now_ns = SystemClock().now_ns()
    since, until = (
        None if text is None else parse_instant(text, now_ns=now_ns)
        for text in (args.since, args.until)
    )
    vehicle_id = vehicle_of(args.data, args.vehicle)
    journal = open_book(args.data)
    entries, loose = journal.entries(vehicle_id, since, until), journal.loose(vehicle_id)
    if args.json:
        print_json({"items": entries, "loose": loose})
        return 0
    return _print(entries, loose)


def _say(args: argparse.Namespace) -> int:
    from contactor.app.journal import open_book, owner_of

    change = _change(args)
    journal = open_book(args.data)
    entry = journal.change(owner_of(args.data, journal, args.id), args.id, change)
    if args.json:
        print_json(entry)
        return 0
    return _print([entry], [])


def _change(args: argparse.Namespace) -> "Change":
    from msgspec import UNSET

    from contactor.cloud.journal.entries import Change
    from contactor.history.journal import Purpose

    if args.action == "note":
        return Change(note=args.text or None)
    purpose = None if args.purpose in (None, "none") else Purpose(args.purpose)
    return Change(
        purpose=UNSET if args.purpose is None else purpose,
        driver=UNSET if args.driver is None else args.driver or None,
        add_tags=args.tags,
        remove_tags=args.remove,
    )


def _export(args: argparse.Namespace) -> int:
    from contactor.app.journal import open_book, vehicle_of
    from contactor.errors import UsageError
    from contactor.faces.report.month import MonthFormat
    from contactor.whole_files import write_whole

    to = args.to or args.output.suffix.removeprefix(".").lower()
    if to not in FORMATS:
        raise UsageError(f"{args.output.name} is none of {', '.join(FORMATS)}; --to says which")
    vehicle_id = vehicle_of(args.data, args.vehicle)
    content = open_book(args.data).month(vehicle_id, args.month, MonthFormat(to), args.time_zone)
    write_whole(args.output, content)
    if args.json:
        print_json({"vehicle_id": vehicle_id, "month": args.month, "file": str(args.output)})
    else:
        note(f"{args.output}: {len(content)} bytes")
    return 0


def _tariff(args: argparse.Namespace) -> int:
    from contactor.app.journal import open_book, tariff_document
    from contactor.app.tariff_file import read_tariffs

    if args.file is not None:
        read = read_tariffs(args.file)
        open_book(args.data).set_tariffs(read)
    tariffs = open_book(args.data).tariffs()
    if args.json:
        print_json(None if tariffs is None else tariff_document(tariffs))
        return 0
    if tariffs is None:
        print("nobody has said what charging costs")
        return 0
    heads = ("tariff", "place", "kind", "from", "until", "per kWh", "bands", "prices", "session")
    print_table(
        heads,
        [
            [
                one.name,
                one.place,
                one.kind,
                one.since,
                one.until,
                one.per_kwh,
                len(one.bands) or None,
                None if one.prices is None else len(one.prices.starts_s),
                one.session or None,
            ]
            for one in tariffs.tariffs
        ],
    )
    return 0


def _print(entries: "Sequence[Entry]", loose: "Sequence[LooseRemark]") -> int:
    if not entries and not loose:
        print("no trips and no charges")
        return 0
    heads = ("id", "start", "what", "from", "to", "km", "kWh", "cost", "purpose", "driver")
    rows = [
        [
            one.id,
            one.start.partition(".")[0].removesuffix("Z") + "Z",
            one.subject.value,
            _named(one.start_spot),
            _named(one.end_spot),
            _rounded(one.distance_km, 1),
            _rounded(one.energy_kwh, 2),
            _rounded(one.cost, 2),
            "disputed" if one.disputed else one.purpose,
            one.driver,
            ", ".join(one.tags) or None,
            one.note,
        ]
        for one in entries
    ]
    if rows:
        print_table((*heads, "tags", "note"), rows)
    if loose:
        print(f"{len(loose)} remarks on what is not found any more (--json shows them)")
    return 0


def _rounded(value: float | None, digits: int) -> str | None:
    return None if value is None else f"{value:.{digits}f}"


def _named(spot: "Spot | None") -> str | None:
    if spot is None:
        return None
    return spot.name or f"{spot.latitude_deg:.4f}, {spot.longitude_deg:.4f}"
