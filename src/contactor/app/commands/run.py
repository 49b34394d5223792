"""`contactor run`: broker, cloud and cars in one go, under a supervisor."""

import argparse

from contactor.app.cars import parse_car
from contactor.app.folder import DataFolder
from contactor.app.instance import Instance, free_port, run_instance
from contactor.app.output import note
from contactor.app.settings import add_data_option, add_option, add_server_options, check_host
from contactor.car.agent.outbox import DEFAULT_LIMIT_BYTES, MIN_LIMIT_BYTES
from contactor.car.profiles.profile import load_profile
from contactor.errors import MalformedCar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_car_options(parser)
    add_data_option(parser)
    add_server_options(parser)


def add_car_options(parser: argparse.ArgumentParser) -> None:
    """--car, --speed, --outbox-bytes."""
    add_option(
        parser,
        "--car",
        action="append",
        metavar="CAR",
        help="recording:FILE?profile=PROFILE[&vehicle=ID][&sampling=every|profile]; repeatable",
    )
    add_option(parser, "--speed", type=speed, default="1", help="times real time, or max")
    add_option(
        parser,
        "--outbox-bytes",
        type=outbox_bytes,
        default=DEFAULT_LIMIT_BYTES,
        metavar="N",
        help=f"how much a car keeps while it has no link, default {DEFAULT_LIMIT_BYTES}",
    )


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


def outbox_bytes(text: str) -> int:
    """The outbox's bound."""
    if not text.isdigit() or int(text) < MIN_LIMIT_BYTES:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed are {MIN_LIMIT_BYTES} bytes or more")
    return int(text)


def check_cars(urls: list[str]) -> tuple[str, ...]:
    """The vehicles of CAR urls, each of which must be sound and name another vehicle."""
    vehicles: list[str] = []
    for url in urls:
        car = parse_car(url)
        load_profile(car.profile)
        if car.vehicle_id in vehicles:
            raise MalformedCar(
                f"car {url!r}: vehicle {car.vehicle_id} stands twice; add &vehicle=ID"
            )
        vehicles.append(car.vehicle_id)
    return tuple(vehicles)


def run(args: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM."""
    check_host(args.host)
    vehicles = check_cars(args.car)
    folder = DataFolder.create(args.data)
    with folder.held():
        instance = Instance(
            host=args.host,
            port=free_port(args.host, args.port),
            cars=tuple(args.car),
            vehicles=vehicles,
            speed=args.speed,
            outbox_bytes=args.outbox_bytes,
        )
        if not vehicles:
            note("no --car given: broker and cloud only")
        return run_instance(folder, instance)
