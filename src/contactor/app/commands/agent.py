"""`contactor agent`: the car alone: its sources, outbox and uplink; no lake."""

import argparse
import contextlib
import os

from contactor.app.car import CarOptions, run_cars
from contactor.app.cars import parse_car
from contactor.app.commands.run import add_car_options, check_bus, check_cars, days_behind
from contactor.app.folder import DataFolder
from contactor.app.links import identities_of, names_user
from contactor.app.settings import add_data_option, add_option
from contactor.car.agent.outbox import Outbox
from contactor.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_car_options(parser)
    add_option(
        parser,
        "--link",
        metavar="URL",
        help="the broker's url, tls://..., or nats:// here; of a cluster, all with a comma between",
    )
    add_data_option(parser)


def run(args: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM."""
    if not args.car:
        raise UsageError("no --car given (contactor agent --help)")
    if not args.link:
        raise UsageError("no --link given: nats://[USER:PASSWORD@]HOST:PORT of the broker")
    is_supervised = bool(os.environ.get("CONTACTOR_SUPERVISED"))
    if not is_supervised:
        check_cars(args.car)
        check_bus(args.bus, args.car)
    is_by_user = names_user(args.link)
    folder = DataFolder.create(args.data)
    with contextlib.nullcontext() if is_supervised else folder.held():
        cars = [car for url in args.car for car in parse_car(url, is_checked=is_supervised)]
        identities = None
        if not is_by_user:
            vehicles = [car.vehicle_id for car in cars]
            identities = identities_of(
                folder, vehicles, link=args.link, is_strict=not is_supervised
            )
            # An instance's own car that was revoked, or went to another unit, is told by `run`.
            cars = [car for car in cars if car.vehicle_id in identities]
        options = CarOptions(
            speed=args.speed,
            history_days=days_behind(args.history_days, is_new=folder.is_new),
            bus=args.bus,
            outbox_days=args.outbox_days,
        )
        outbox = Outbox(folder.outbox, limit_bytes=args.outbox_bytes)
        return run_cars(cars, outbox=outbox, link=args.link, identities=identities, options=options)
