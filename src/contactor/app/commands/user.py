"""`contactor user`: who may come in, and what they are to which vehicle.

contactor user add Mia --role owner --password-stdin < password.txt
contactor user role Mia driver@leaf guest@kona
contactor user list
contactor user password Mia --password-stdin < password.txt
contactor user export Mia --output mia.zip
contactor user remove Mia
contactor user invite Ben --role driver --vehicle leaf
contactor user invitations
contactor user uninvite 5f0c9a3e7b124d68
contactor user reset Mia
"""

import argparse
import getpass
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from contactor.app.output import print_json, print_table
from contactor.app.settings import add_data_option
from contactor.errors import UsageError

if TYPE_CHECKING:
    from contactor.app.people import AskedPeople
    from contactor.cloud.access.told import PersonNow, RoleNow
    from contactor.cloud.access.told_links import InvitationNow, NewLink

ROLES: Final = ("owner", "operator", "driver", "guest", "viewer", "workshop", "maker")
MAX_PASSWORD_BYTES: Final = 1_024
INVITED: Final = ("id", "role", "vehicle_id", "until", "name", "expires_at")
LINKS: Final = ("invite", "invitations", "uninvite", "reset")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="everybody, and what they are")
    added = actions.add_parser("add", help="add somebody")
    roles = actions.add_parser("role", help="let somebody be this, and nothing else")
    password = actions.add_parser("password", help="give somebody another password")
    removed = actions.add_parser("remove", help="remove somebody, with all sessions and tokens")
    exported = actions.add_parser("export", help="everything that is kept of somebody, as a zip")
    for action in (added, roles, password, removed, exported):
        action.add_argument("name", metavar="NAME")
    exported.add_argument("--output", required=True, metavar="FILE.zip", help="the archive")
    added.add_argument("--role", required=True, choices=ROLES, help="what they are to be")
    added.add_argument("--vehicle", metavar="ID", default="*", help="of which; default all")
    roles.add_argument(
        "roles", nargs="+", metavar="ROLE[@VEHICLE]", help=f"{'|'.join(ROLES)}, of one or of all"
    )
    others = _add_link_actions(actions)
    for action in (added, password):
        action.add_argument(
            "--password-stdin", action="store_true", help="read it there; default: ask for it"
        )
    for action in (listed, added, roles, password, removed, exported, *others):
        add_data_option(action)
        action.add_argument("--json", action="store_true", help="one JSON document on stdout")


def _add_link_actions(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> list[argparse.ArgumentParser]:
    invited = actions.add_parser("invite", help="print a link by which somebody comes in")
    invited.add_argument("name", metavar="NAME", nargs="?", help="what they may be called")
    invited.add_argument("--role", required=True, choices=ROLES, help="what they are to be")
    invited.add_argument("--vehicle", metavar="ID", default="*", help="of which; default all")
    invited.add_argument("--until", metavar="ISO", help="when the role ends; default never")
    invitations = actions.add_parser("invitations", help="those that nobody has used yet")
    uninvited = actions.add_parser("uninvite", help="take an invitation back")
    uninvited.add_argument("id", metavar="ID", help="as invitations says it")
    reset = actions.add_parser("reset", help="print a link for choosing another password")
    reset.add_argument("name", metavar="NAME")
    reset.add_argument(
        "--second-factors-too", action="store_true", help="with the codes and passkeys they had"
    )
    return [invited, invitations, uninvited, reset]


def run(args: argparse.Namespace) -> int:
    """Do one action."""
    from contactor.app.people import open_people
    from contactor.cloud.access.rights import Role
    from contactor.cloud.access.told import RoleNow

    if args.action in LINKS:
        return _run_link(args, open_people(args.data))
    if args.action == "export":
        return _export(args)
    if args.action == "list":
        return _print(open_people(args.data).all(), is_json=args.json)
    if args.action == "add":
        role = RoleNow(Role(args.role), args.vehicle)
        password = _password(is_stdin=args.password_stdin)
        added = open_people(args.data).add(args.name, password, [role])
        return _print([added], is_json=args.json)
    if args.action == "role":
        roles = [_role(text) for text in args.roles]
        return _print([open_people(args.data).set_roles(args.name, roles)], is_json=args.json)
    if args.action == "password":
        password = _password(is_stdin=args.password_stdin)
        open_people(args.data).set_password(args.name, password)
    else:
        open_people(args.data).remove(args.name)
    if args.json:
        print_json({"name": args.name})
    else:
        done = "password changed, every session ended" if args.action == "password" else "removed"
        print(f"{args.name}: {done}")
    return 0


def _run_link(args: argparse.Namespace, people: "AskedPeople") -> int:
    from contactor.cloud.access.rights import Role
    from contactor.cloud.access.told import RoleNow

    if args.action == "invite":
        role = RoleNow(Role(args.role), args.vehicle, args.until)
        return _print_link(people.invite(role, args.name), is_json=args.json)
    if args.action == "reset":
        made = people.reset(args.name, has_all=args.second_factors_too)
        return _print_link(made, is_json=args.json)
    if args.action == "invitations":
        return _print_invitations(people.invitations(), is_json=args.json)
    people.take_back(args.id)
    if args.json:
        print_json({"id": args.id})
    else:
        print(f"{args.id}: taken back")
    return 0


def _print_link(made: "NewLink", *, is_json: bool) -> int:
    if is_json:
        print_json(made)
    else:
        print(made.link)
        print(f"good once, until {made.expires_at}")
    return 0


def _print_invitations(found: "Sequence[InvitationNow]", *, is_json: bool) -> int:
    if is_json:
        print_json(found)
    elif not found:
        print("no invitations")
    else:
        print_table(INVITED, [[getattr(one, name) or "" for name in INVITED] for one in found])
    return 0


def _export(args: argparse.Namespace) -> int:
    from contactor.app.commands.export import zip_path
    from contactor.app.everything import save_person

    output = zip_path(args.output)
    save_person(args.data, args.name, output)
    size = output.stat().st_size
    if args.json:
        print_json({"name": args.name, "output": str(output), "bytes": size})
    else:
        print(f"{output}: everything of {args.name}, {size} bytes; README.md in it names each file")
    return 0


def _role(text: str) -> "RoleNow":
    from contactor.cloud.access.rights import Role
    from contactor.cloud.access.told import RoleNow
    from contactor.signals.rights import EVERY_VEHICLE

    role, at, vehicle_id = text.partition("@")
    if role not in ROLES or (at and not vehicle_id):
        raise UsageError(f"role {text!r}; allowed: {', '.join(ROLES)}, or ROLE@VEHICLE")
    return RoleNow(Role(role), vehicle_id or EVERY_VEHICLE)


def _password(*, is_stdin: bool) -> str:
    """The password: a line of stdin, or typed twice.

    Raises:
        UsageError: there is none, it is too long, or typed unlike.
    """
    if is_stdin:
        text = sys.stdin.readline(MAX_PASSWORD_BYTES).rstrip("\r\n")
        if not text:
            raise UsageError("--password-stdin: no password comes in")
        return text
    if not sys.stdin.isatty():
        raise UsageError("no terminal to ask for a password; --password-stdin reads it")
    text = getpass.getpass("password: ")
    if text != getpass.getpass("again: "):
        raise UsageError("the two passwords are unlike")
    return text


def _print(people: "Sequence[PersonNow]", *, is_json: bool) -> int:
    if is_json:
        print_json(people)
        return 0
    if not people:
        print("nobody yet")
        return 0
    rows = [
        [one.name, ", ".join(_shown(role) for role in one.roles) or "nothing"] for one in people
    ]
    print_table(("name", "roles"), rows)
    return 0


def _shown(role: "RoleNow") -> str:
    where = "" if role.vehicle_id == "*" else f"@{role.vehicle_id}"
    until = "" if role.until is None else f" until {role.until}"
    return f"{role.role}{where}{until}"
