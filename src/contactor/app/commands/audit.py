"""`contactor audit`: what was done and refused, and whether the log of it is whole.

contactor audit list
contactor audit verify
contactor audit verify /media/copies/audit.jsonl --head 5f0c…
"""

import argparse
from pathlib import Path
from typing import Final

from contactor.app.folder import DataFolder
from contactor.app.output import print_json, print_table
from contactor.app.settings import add_data_option

MAX_SHOWN: Final = 1_000
LISTED: Final = ("number", "ts", "who", "what", "vehicle_id", "outcome")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="the newest entries")
    listed.add_argument(
        "--limit", type=_limit, default=50, metavar="N", help="how many; default 50"
    )
    verified = actions.add_parser("verify", help="check every line against the one before")
    verified.add_argument("file", nargs="?", type=Path, metavar="FILE", help="default: DIR's own")
    verified.add_argument("--head", metavar="HASH", help="a hash noted once, that must be in it")
    for action in (listed, verified):
        add_data_option(action)
        action.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Do one action."""
    if args.action == "verify":
        return _verify(args)
    from contactor.app.people import open_people

    found = open_people(args.data).audit(args.limit)
    if args.json:
        print_json(found)
    elif not found:
        print("nothing yet")
    else:
        print_table(LISTED, [[getattr(one, name) or "" for name in LISTED] for one in found])
    return 0


def _verify(args: argparse.Namespace) -> int:
    from contactor.cloud.access.audit import verify

    path = args.file or DataFolder.existing(args.data).audit
    chain = verify(path, head=args.head)
    if args.json:
        print_json({"file": str(path), "count": chain.count, "head": chain.head})
    else:
        print(f"{path}: {chain.count} entries, whole; head {chain.head}")
    return 0


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MAX_SHOWN:
        raise argparse.ArgumentTypeError(f"{text!r} entries; allowed: 1 to {MAX_SHOWN}")
    return int(text)
