"""`contactor run`: broker, cloud and cars in one go, under a supervisor.

Without `--car` it runs a car of ours that is made of physics.
"""

import argparse

from contactor.app.ages import tell_environment
from contactor.app.cars import VirtualCarUrl, parse_car
from contactor.app.database_place import add_database_option, settle_database
from contactor.app.folder import DataFolder
from contactor.app.instance import Instance, run_instance
from contactor.app.lake_place import add_lake_option, settle_lake
from contactor.app.link_host import add_link_host_options, link_host_of
from contactor.app.listening import add_listening_options, check_listening, listening_of
from contactor.app.settings import add_data_option, add_option, add_upkeep_options
from contactor.car.adapters.canbus import INTERFACES
from contactor.car.agent.outbox import DEFAULT_LIMIT_BYTES, MIN_LIMIT_BYTES
from contactor.car.profiles.profile import load_profile
from contactor.errors import MalformedCar, UsageError

DEFAULT_CAR = "virtual:contactor_ev?vehicle=demo"
DEFAULT_HISTORY_DAYS = 7
MAX_OUTBOX_DAYS = 3650
MAX_HISTORY_DAYS = 400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_car_options(parser)
    add_data_option(parser)
    add_lake_option(parser)
    add_database_option(parser)
    add_listening_options(parser)
    add_link_host_options(parser)
    add_upkeep_options(parser)


def add_car_options(parser: argparse.ArgumentParser) -> None:
    """--car, --speed, --history-days, --bus, --outbox-bytes, --outbox-days."""
    add_option(
        parser,
        "--car",
        action="append",
        metavar="CAR",
        help="virtual:PROFILE[?vehicle=ID&seed=N&count=N&plan=day|drive|parked], or"
        " recording:FILE?profile=PROFILE[&vehicle=ID&sampling=every|profile]; repeatable",
    )
    add_option(parser, "--speed", type=speed, default="1", help="times real time, or max")
    add_option(
        parser,
        "--history-days",
        type=history_days,
        metavar="N",
        help="days that a new virtual car has behind it; default 7 in an empty folder, else 0",
    )
    add_option(
        parser,
        "--bus",
        choices=INTERFACES,
        help="a bus of python-can that virtual cars are on as well",
    )
    add_option(
        parser,
        "--outbox-bytes",
        type=outbox_bytes,
        default=DEFAULT_LIMIT_BYTES,
        metavar="N",
        help=f"how much a car keeps while it has no link, default {DEFAULT_LIMIT_BYTES}",
    )
    add_option(
        parser,
        "--outbox-days",
        type=outbox_days,
        metavar="N",
        help="how old rows may be that wait for the cloud; default as old as they are",
    )


def check_bus(bus: str | None, urls: list[str]) -> None:
    """A bus is one car's: two of one model would speak with the same ids.

    Raises:
        UsageError: there are several virtual cars.
    """
    cars = [car for url in urls for car in parse_car(url) if isinstance(car, VirtualCarUrl)]
    if bus is not None and len(cars) > 1:
        raise UsageError(f"--bus with {len(cars)} virtual cars; allowed: one")


def speed(text: str) -> float:
    """How many times faster than life; `max` is as fast as it goes."""
    if text == "max":
        return float("inf")
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no speed; allowed: a number above 0, or max")
    return factor


def history_days(text: str) -> int:
    """How many days."""
    if not (text.isascii() and text.isdigit()) or int(text) > MAX_HISTORY_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} days; allowed: 0 to {MAX_HISTORY_DAYS}")
    return int(text)


def days_behind(asked: int | None, *, is_new: bool) -> int:
    """The days that a new virtual car has behind it."""
    if asked is not None:
        return asked
    return DEFAULT_HISTORY_DAYS if is_new else 0


def outbox_days(text: str) -> int:
    """The outbox's bound by age."""
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MAX_OUTBOX_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} days; allowed: 1 to {MAX_OUTBOX_DAYS}")
    return int(text)


def outbox_bytes(text: str) -> int:
    """The outbox's bound."""
    if not text.isdigit() or int(text) < MIN_LIMIT_BYTES:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed are {MIN_LIMIT_BYTES} bytes or more")
    return int(text)


def check_cars(urls: list[str]) -> tuple[str, ...]:
    """The vehicles of CAR urls, each of which must be sound and name another vehicle."""
    vehicles: list[str] = []
    for url in urls:
        cars = parse_car(url)
        profile = load_profile(cars[0].profile)  # one url's cars are of one profile
        for car in cars:
            if isinstance(car, VirtualCarUrl) and profile.physics is None:
                raise MalformedCar(f"car {url!r}: profile {car.profile} has no physics.toml")
            if car.vehicle_id in vehicles:
                raise MalformedCar(
                    f"car {url!r}: vehicle {car.vehicle_id} stands twice; add vehicle=ID"
                )
            vehicles.append(car.vehicle_id)
    return tuple(vehicles)


def run(args: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM."""
    check_listening(args)
    link_host, link_port = link_host_of(args)
    tell_environment(args)
    cars = args.car or [DEFAULT_CAR]
    vehicles = check_cars(cars)
    check_bus(args.bus, cars)
    folder = DataFolder.create(args.data)
    with folder.held():
        settle_lake(folder, args.lake)
        settle_database(folder, args.database)
        instance = Instance(
            listening=listening_of(args),
            cars=tuple(cars),
            vehicles=vehicles,
            speed=args.speed,
            history_days=days_behind(args.history_days, is_new=folder.is_new),
            bus=args.bus,
            outbox_bytes=args.outbox_bytes,
            outbox_days=args.outbox_days,
            has_login=not args.no_auth,
            link_host=link_host,
            link_port=link_port,
        )
        return run_instance(folder, instance)
