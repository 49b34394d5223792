"""`contactor car`: who may come in as which vehicle: codes, enrolment, a factory's batch, the end.

contactor car code leaf                                     # at the cloud: a code, said once
contactor car enrol 7K4M-Q2XP-9TD --link tls://HOST:PORT --authority KEY    # in the car
contactor car enrol-batch cars.csv --output units           # in a factory
contactor car list
contactor car revoke leaf                                   # it is off, and stays so
"""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contactor.app.output import note, print_json, print_table
from contactor.app.settings import add_data_option, add_option
from contactor.errors import UsageError

if TYPE_CHECKING:
    from contactor.cloud.identities.told import IdentityNow

DAYS = 7.0
LISTED = ("vehicle_id", "state", "enrolled_at", "expires_at", "code_expires_at")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    coded = actions.add_parser("code", help="at the cloud: a code to enrol with, said once")
    coded.add_argument("vehicle", metavar="VEHICLE", nargs="+", help="a code for each")
    coded.add_argument(
        "--days", type=_days, default=DAYS, metavar="N", help=f"how long it can be used, {DAYS:g}"
    )
    listed = actions.add_parser("list", help="at the cloud: every vehicle and where it stands")
    revoked = actions.add_parser(
        "revoke", help="at the cloud: put a vehicle out now, and keep it out"
    )
    revoked.add_argument("vehicle", metavar="VEHICLE", help="which")
    enrolled = actions.add_parser("enrol", help="in the car: make a key and have it certified")
    enrolled.add_argument("code", metavar="CODE", help="what `car code` said: XXXX-XXXX-XXX")
    add_option(
        enrolled, "--link", metavar="URL", help="the broker's url, tls://HOST:PORT, or nats:// here"
    )
    add_option(
        enrolled,
        "--authority",
        type=_authority,
        metavar="KEY",
        help="what `car code` said: by it the cloud is known before the code is told",
    )
    batch = actions.add_parser(
        "enrol-batch", help="in a factory: a key and a certificate for each vehicle of a file"
    )
    batch.add_argument("file", metavar="FILE", type=Path, help="CSV with a column vehicle_id")
    batch.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="DIR/VEHICLE is what belongs into agent/identity/VEHICLE of the car's data folder",
    )
    for action in (coded, listed, revoked, enrolled, batch):
        add_data_option(action)
        action.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Do one action."""
    actions: Mapping[str, Callable[[argparse.Namespace], int]] = {
        "code": _code,
        "list": _list,
        "revoke": _revoke,
        "enrol": _enrol,
        "enrol-batch": _enrol_batch,
    }
    return actions[args.action](args)


def _code(args: argparse.Namespace) -> int:
    from contactor.app.folder import DataFolder
    from contactor.app.identities import open_identities
    from contactor.link.broker import read_authority, read_bare_url

    codes = open_identities(args.data).give_codes(args.vehicle, days=args.days)
    broker = DataFolder.existing(args.data).broker
    link = read_bare_url(broker) if (broker / "link").exists() else "nats://HOST:PORT"
    authority = read_authority(broker) if link.startswith("tls:") else None
    if args.json:
        print_json({"link": link, "authority": authority, "codes": codes})
        return 0
    print_table(
        ("vehicle_id", "code", "until"), [(c.vehicle_id, c.code, c.expires_at) for c in codes]
    )
    code = codes[0].code if len(codes) == 1 else "CODE"
    known = "" if authority is None else f" --authority {authority}"
    print(f"\nin the car: contactor car enrol {code} --link {link}{known}")
    return 0


def _list(args: argparse.Namespace) -> int:
    from contactor.app.identities import open_identities

    found = open_identities(args.data).all()
    if args.json:
        print_json(found)
        return 0
    return _print(found)


def _revoke(args: argparse.Namespace) -> int:
    from contactor.app.identities import open_identities

    revoked = open_identities(args.data).revoke(args.vehicle)
    if args.json:
        print_json(revoked)
        return 0
    return _print([revoked])


def _print(found: "Sequence[IdentityNow]") -> int:
    if not found:
        print("no vehicle is enrolled")
        return 0
    print_table(LISTED, [[getattr(one, name) for name in LISTED] for one in found])
    return 0


def _enrol(args: argparse.Namespace) -> int:
    if not args.link:
        raise UsageError("no --link given: tls://HOST:PORT of the broker, or nats:// here")
    from contactor.app.enrolling import enrol_here
    from contactor.app.folder import DataFolder
    from contactor.link.identities.codes import EnrolmentCode
    from contactor.link.nats.address import read_addresses

    read_addresses(args.link)
    code = EnrolmentCode.read(args.code)
    folder = DataFolder.create(args.data)
    enrolled = enrol_here(code, folder, link=args.link, authority=args.authority)
    if args.json:
        print_json(enrolled)
    else:
        print(f"enrolled as {enrolled.vehicle_id} until {enrolled.expires_at}")
    if folder.holder() is not None:
        note(f"{folder.root} is in use: what runs there takes the new key when it is started again")
    return 0


def _enrol_batch(args: argparse.Namespace) -> int:
    from contactor.app.factory import enrol_batch, read_batch
    from contactor.app.identities import open_identities
    from contactor.app.progress import progress_bar

    vehicles = read_batch(args.file)
    asked = open_identities(args.data)
    with progress_bar(f"enrol {args.file.name}", "car") as on_progress:
        made = enrol_batch(vehicles, asked, args.output, on_progress)
    if args.json:
        print_json({"output": str(args.output), "vehicles": len(vehicles), "enrolled": made})
        return 0
    print(f"{args.output}: {made} vehicles enrolled, {len(vehicles) - made} were before")
    return 0


def _authority(text: str) -> bytes:
    """A public key, as 64 hex digits."""
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no key; allowed: 64 hex digits")
    return bytes.fromhex(text)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days <= 3650:
        raise argparse.ArgumentTypeError(f"{text!r} days; allowed: more than 0, to 3650")
    return days
