"""`contactor places`: where a car stops again and again; places are named, drawn and forgotten.

contactor places
contactor places name 9143ef05 Office
contactor places draw yard Yard --latitude-deg 47.14 --longitude-deg 9.52 --radius-m 250
contactor places draw site "Building site" --polygon site.geojson
contactor places known
contactor places forget yard
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from contactor.app.fact_options import add_fact_options, asked_of, print_facts
from contactor.app.output import print_json
from contactor.app.query import Topic, only_vehicle, open_query
from contactor.errors import InvalidValue, UsageError

if TYPE_CHECKING:
    from contactor.cloud.journal.fences import FenceJson, KnownPlace

_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "id": "id",
        "name": "name",
        "stops": "stops",
        "charges": "charges",
        "kWh": "energy_kwh",
        "last": "last_seen",
        "location": "location",
    }
)
_KNOWN: Final[Mapping[str, str]] = MappingProxyType(
    {"id": "id", "name": "name", "drawn": "drawn", "fence": "shape"}
)
_ACTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {"name": "ID NAME", "draw": "ID NAME", "forget": "ID", "known": ""}
)
_CIRCLE: Final = ("latitude_deg", "longitude_deg", "radius_m")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "action",
        nargs="*",
        metavar="ACTION",
        help="name ID NAME, draw ID NAME, forget ID, or known: every place there is;"
        " default: where the vehicle stops",
    )
    add_fact_options(parser)
    drawn = parser.add_argument_group("the fence of a place that is drawn")
    drawn.add_argument("--latitude-deg", metavar="DEG", type=float, help="of a circle's centre")
    drawn.add_argument("--longitude-deg", metavar="DEG", type=float, help="of its centre")
    drawn.add_argument("--radius-m", metavar="M", type=float, help="how far it goes")
    drawn.add_argument(
        "--polygon", metavar="FILE", type=Path, help="GeoJSON with one polygon, for no circle"
    )


def run(args: argparse.Namespace) -> int:
    """Print the places, the most visited first, or change one."""
    verb, words = _action(args)
    if verb != "draw" and any(getattr(args, name) is not None for name in (*_CIRCLE, "polygon")):
        raise UsageError("a fence is for places draw ID NAME")
    if verb:
        return _do(args, verb, words)
    asked, query = asked_of(args), open_query(args.data)
    vehicle = asked.vehicle or only_vehicle(query)
    print_facts(args, query.history(Topic.PLACES, vehicle, asked.since, asked.until), _COLUMNS)
    return 0


def _action(args: argparse.Namespace) -> tuple[str, list[str]]:
    """What is to be done, and its words; "" is to list where a vehicle stops."""
    verb, *words = args.action or [""]
    if verb and (verb not in _ACTIONS or len(words) != len(_ACTIONS[verb].split())):
        allowed = ", ".join(f"places {name} {its}".rstrip() for name, its in _ACTIONS.items())
        raise UsageError(f"places {' '.join(args.action)[:80]!r}; allowed: {allowed}")
    return verb, words


def _do(args: argparse.Namespace, verb: str, words: list[str]) -> int:
    from contactor.app.journal import open_book

    fence = _fence(args) if verb == "draw" else None
    book = open_book(args.data)
    if verb == "known":
        _print_known(args, book.places())
    elif verb == "forget":
        book.forget_place(words[0])
        if args.json:
            print_json({"id": words[0]})
        else:
            print(f"{words[0]} is forgotten")
    else:
        place_id, name = words
        named = (
            book.name_place(place_id, name)
            if fence is None
            else book.draw_place(place_id, name, fence)
        )
        if args.json:
            print_json(named)
        else:
            print(f"{named.id} is {named.name}")
    return 0


def _fence(args: argparse.Namespace) -> "FenceJson":
    """The circle or the polygon that is drawn.

    Raises:
        UsageError: it is neither, both, or none on the Earth.
    """
    from contactor.app.fence_file import read_fence
    from contactor.cloud.journal.fences import FenceJson, fence_of

    circle = [getattr(args, name) for name in _CIRCLE]
    is_circle = None not in circle and args.polygon is None
    if not is_circle and (args.polygon is None or circle != [None] * len(circle)):
        raise UsageError(
            "a fence is --latitude-deg, --longitude-deg and --radius-m, or --polygon FILE alone"
        )
    fence = FenceJson(*circle) if is_circle else read_fence(args.polygon)
    try:
        fence_of(fence)
    except InvalidValue as error:
        raise UsageError(str(error)) from error
    return fence


def _print_known(args: argparse.Namespace, places: "list[KnownPlace]") -> None:
    documents = [msgspec.to_builtins(place) for place in places]
    if not (args.json or args.csv):
        documents = [
            {
                **document,
                "drawn": "yes" if place.is_drawn else "no",
                "shape": _shape(place.fence),
            }
            for document, place in zip(documents, places, strict=True)
        ]
    print_facts(args, documents, _KNOWN)


def _shape(fence: "FenceJson") -> str:
    if fence.points is not None:
        latitude, longitude = fence.points[0]
        return f"{len(fence.points)} points from {latitude:.5f},{longitude:.5f}"
    return f"{fence.radius_m:g} m round {fence.latitude_deg:.5f},{fence.longitude_deg:.5f}"
