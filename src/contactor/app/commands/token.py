"""`contactor token`: what a program shows instead of a password.

contactor token create --user Mia --scope read --vehicle leaf --days 90 --json
contactor token list --user Mia
contactor token end 5f0c9a3e7b124d68 --user Mia
"""

import argparse
import time
from typing import Final

from contactor.app.output import print_json, print_table
from contactor.app.settings import add_data_option
from contactor.clock import NS_PER_DAY, to_iso

SCOPES: Final = ("read", "command", "admin")
MAX_DAYS: Final = 3_650
LISTED: Final = ("id", "name", "scope", "vehicle_id", "made", "expires_at")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    made = actions.add_parser("create", help="make one; it is shown this once")
    made.add_argument(
        "--scope", required=True, choices=SCOPES, help="how much of its user's rights"
    )
    made.add_argument("--vehicle", metavar="ID", default="*", help="for one; default for all")
    made.add_argument("--name", metavar="TEXT", default="token", help="what it is for")
    made.add_argument(
        "--days", type=_days, metavar="N", help="how long it is good; default until it is ended"
    )
    listed = actions.add_parser("list", help="somebody's, the newest first")
    ended = actions.add_parser("end", help="end one at once")
    ended.add_argument("id", metavar="ID", help="as list says it")
    for action in (made, listed, ended):
        action.add_argument("--user", required=True, metavar="NAME", help="whose")
        add_data_option(action)
        action.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Do one action."""
    from contactor.app.people import open_people
    from contactor.cloud.access.rights import Scope

    people = open_people(args.data)
    if args.action == "create":
        until = None if args.days is None else to_iso(time.time_ns() + args.days * NS_PER_DAY)
        made = people.make_token(
            args.user,
            name=args.name,
            scope=Scope(args.scope),
            vehicle_id=args.vehicle,
            until=until,
        )
        if args.json:
            print_json(made)
        else:
            print(made.token)
        return 0
    if args.action == "end":
        people.end(args.user, args.id)
        if args.json:
            print_json({"id": args.id})
        else:
            print(f"{args.id}: ended")
        return 0
    found = people.tokens(args.user)
    if args.json:
        print_json(found)
    elif not found:
        print("no tokens")
    else:
        print_table(LISTED, [[getattr(one, name) or "never" for name in LISTED] for one in found])
    return 0


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MAX_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} days; allowed: 1 to {MAX_DAYS}")
    return int(text)
