"""`contactor consent`: what a third party may read of whose vehicles, what for, and until when.

contactor consent give "Grid Ltd" --kind energy --purpose "charge when power is cheap"
    --vehicle leaf --signal Vehicle.Powertrain.TractionBattery --days 90
contactor consent list
contactor consent show 5f0c9a3e7b124d68
contactor consent withdraw 5f0c9a3e7b124d68
"""

import argparse
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from contactor.app.output import print_json, print_table
from contactor.app.settings import add_data_option
from contactor.clock import NS_PER_DAY, to_iso

if TYPE_CHECKING:
    from contactor.cloud.access.consents_told import ConsentNow
    from contactor.cloud.access.records import Record

KINDS: Final = ("insurance", "charging", "service", "research", "energy", "other")
HISTORY: Final = ("trips", "charges", "battery")
MAX_DAYS: Final = 366
SHOWN: Final = 50
LISTED: Final = ("id", "receiver", "kind", "vehicles", "until", "state")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    given = actions.add_parser("give", help="give one; its receiver's token is shown this once")
    given.add_argument("receiver", metavar="RECEIVER", help="who may read")
    given.add_argument("--kind", required=True, choices=KINDS, help="what kind of purpose")
    given.add_argument("--purpose", required=True, metavar="TEXT", help="what for")
    given.add_argument(
        "--vehicle", action="append", required=True, metavar="ID", help="of which; may be repeated"
    )
    given.add_argument(
        "--signal",
        action="append",
        default=[],
        metavar="PATH",
        help="a VSS path, or a branch; may be repeated",
    )
    given.add_argument(
        "--history",
        action="append",
        default=[],
        choices=HISTORY,
        help="what is found in the rows, too; may be repeated",
    )
    given.add_argument(
        "--days", type=_days, required=True, metavar="N", help=f"for how long; {MAX_DAYS} at most"
    )
    given.add_argument("--user", metavar="NAME", help="who gives it; default nobody by name")
    listed = actions.add_parser("list", help="all, also those that have ended, newest first")
    shown = actions.add_parser("show", help="one, and what its receiver has read")
    another = actions.add_parser("token", help="make its receiver another token")
    withdrawn = actions.add_parser("withdraw", help="refuse its receiver from now on")
    for action in (shown, another, withdrawn):
        action.add_argument("id", metavar="ID", help="as list says it")
    for action in (given, listed, shown, another, withdrawn):
        add_data_option(action)
        action.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Do one action."""
    from contactor.app.consents import open_consents

    if args.action == "give":
        return _give(args)
    consents = open_consents(args.data)
    if args.action == "list":
        return _list(consents.all(), is_json=args.json)
    if args.action == "show":
        found, accesses = consents.find(args.id), consents.accesses(args.id, SHOWN)
        return _show(found, accesses, is_json=args.json)
    if args.action == "token":
        made = consents.make_token(args.id)
        if args.json:
            print_json(made)
        else:
            print(made.token)
        return 0
    ended = consents.withdraw(args.id)
    if args.json:
        print_json(ended)
    else:
        print(f"{ended.id}: withdrawn, {ended.receiver} is refused")
    return 0


def _give(args: argparse.Namespace) -> int:
    from contactor.app.consents import open_consents
    from contactor.cloud.access.consent_scope import HistoryKind
    from contactor.cloud.access.consents import ConsentKind
    from contactor.cloud.access.consents_told import NewConsent

    given = open_consents(args.data).give(
        NewConsent(
            receiver=args.receiver,
            purpose=args.purpose,
            kind=ConsentKind(args.kind),
            vehicles=args.vehicle,
            signals=args.signal,
            history=[HistoryKind(one) for one in args.history],
            until=to_iso(time.time_ns() + args.days * NS_PER_DAY),
            given_by=args.user,
        )
    )
    if args.json:
        print_json(given)
        return 0
    _print_one(given.consent)
    print(f"token     {given.token.token}")
    return 0


def _list(found: "Sequence[ConsentNow]", *, is_json: bool) -> int:
    if is_json:
        print_json(found)
    elif not found:
        print("no consents")
    else:
        rows = [
            [one.id, one.receiver, one.kind, ", ".join(one.vehicles), one.until, one.state]
            for one in found
        ]
        print_table(LISTED, rows)
    return 0


def _show(found: "ConsentNow", accesses: "Sequence[Record]", *, is_json: bool) -> int:
    if is_json:
        print_json({"consent": found, "accesses": accesses})
        return 0
    _print_one(found)
    if not accesses:
        print("nothing was read")
        return 0
    rows = [
        [one.ts, one.vehicle_id, one.detail.get("route", one.what), one.outcome] for one in accesses
    ]
    print()
    print_table(("ts", "vehicle_id", "what", "outcome"), rows)
    return 0


def _print_one(found: "ConsentNow") -> None:
    lines = {
        "consent": found.id,
        "receiver": found.receiver,
        "purpose": f"{found.kind}: {found.purpose}",
        "vehicles": ", ".join(found.vehicles),
        "signals": ", ".join(found.signals) or "none",
        "history": ", ".join(found.history) or "none",
        "given by": found.given_by,
        "until": found.until,
        "state": found.state,
    }
    for name, text in lines.items():
        print(f"{name:<9} {text}")


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MAX_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} days; allowed: 1 to {MAX_DAYS}")
    return int(text)
