"""CAR urls: which cars to run, and from what.

    virtual:contactor_ev?vehicle=demo&seed=1&count=1&plan=day
    recording:drive.log?profile=nissan_leaf_ze1&vehicle=leaf&sampling=every

Form: `KIND:SOURCE?KEY=VALUE&...`; the keys allowed depend on the kind. `count=N` makes N cars,
`ID-1` to `ID-N`, each with the next seed, and the next port where `elm327_port=` gives one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from contactor.car.agent.sampling import Sampling
from contactor.errors import MalformedCar, UsageError
from contactor.physics.plan import PlanKind
from contactor.signals.wire.limits import VEHICLE_ID

LATER = ("can", "obd")
MAX_COUNT = 100
MAX_SEED = 2**31 - 1
MIN_PORT, MAX_PORT = 1024, 65535
"""Ports that need no rights of an administrator."""


@dataclass(frozen=True, slots=True)
class RecordingCar:
    """A car that plays a recording."""

    log: Path
    profile: str
    vehicle_id: str
    sampling: Sampling


@dataclass(frozen=True, slots=True)
class VirtualCarUrl:
    """A car made of physics.

    Fields:
        elm327_port: where scan tools ask it, on this machine; None for nowhere.
    """

    profile: str
    vehicle_id: str
    seed: int
    plan: PlanKind
    elm327_port: int | None = None


Car = RecordingCar | VirtualCarUrl

_FORMS = {
    "virtual": "virtual:PROFILE",
    "recording": "recording:FILE?profile=PROFILE",
}
_KEYS = {
    "virtual": ("vehicle", "count", "seed", "plan", "elm327_port"),
    "recording": ("profile", "vehicle", "sampling"),
}


def parse_car(url: str, *, is_checked: bool = False) -> tuple[Car, ...]:
    """The cars of a CAR url: one, or as many as it counts.

    Args:
        is_checked: it was sound when the run began, and its file may be gone since.

    Raises:
        MalformedCar: naming the part that is wrong and what is allowed.
        UsageError: the recording does not exist.
    """
    kind, colon, rest = url.partition(":")
    if not colon or kind not in _FORMS:
        later = f"; {kind}: cars are not in this version" if kind in LATER else ""
        raise MalformedCar(f"car {url!r}: a CAR is {' or '.join(_FORMS.values())}{later}")
    source, _, query = rest.partition("?")
    options = _options(url, query, _KEYS[kind])
    if kind == "virtual":
        return _virtual(url, source, options)
    return (_recording(url, source, options, is_checked=is_checked),)


def _options(url: str, query: str, allowed: tuple[str, ...]) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise MalformedCar(f"car {url!r}: {query!r} is not KEY=VALUE&...") from error
    options = dict(pairs)
    if len(options) != len(pairs):
        raise MalformedCar(f"car {url!r}: a key stands twice in {query!r}")
    unknown = sorted(set(options) - set(allowed))
    if unknown:
        raise MalformedCar(
            f"car {url!r}: unknown key {unknown[0]!r}; allowed: {', '.join(allowed)}"
        )
    return options


def _virtual(url: str, profile: str, options: Mapping[str, str]) -> tuple[VirtualCarUrl, ...]:
    if not profile:
        raise MalformedCar(f"car {url!r}: no profile after virtual:")
    name = options.get("vehicle", Path(profile).name)
    count = _number(url, "count", options.get("count", "1"), 1, MAX_COUNT)
    seed = _number(url, "seed", options.get("seed", "1"), 0, MAX_SEED)
    plan = _word(url, "plan", options.get("plan", PlanKind.DAY))
    most_port = MAX_PORT + 1 - count
    port = options.get("elm327_port")
    first = None if port is None else _number(url, "elm327_port", port, MIN_PORT, most_port)
    names = [name] if count == 1 else [f"{name}-{number}" for number in range(1, count + 1)]
    return tuple(
        VirtualCarUrl(
            profile,
            vehicle_id(one),
            seed + place,
            plan,
            elm327_port=None if first is None else first + place,
        )
        for place, one in enumerate(names)
    )


def _recording(
    url: str, source: str, options: Mapping[str, str], *, is_checked: bool
) -> RecordingCar:
    if not source:
        raise MalformedCar(f"car {url!r}: no file after recording:")
    if not options.get("profile"):
        raise MalformedCar(f"car {url!r}: profile=PROFILE is missing")
    return RecordingCar(
        log=Path(source) if is_checked else existing_file(source),
        profile=options["profile"],
        vehicle_id=vehicle_id(options.get("vehicle", Path(options["profile"]).name)),
        sampling=_sampling(url, options.get("sampling", Sampling.PROFILE)),
    )


def vehicle_id(text: str) -> str:
    """The text, if it can name a vehicle."""
    if not VEHICLE_ID.fullmatch(text):
        raise MalformedCar(f"vehicle {text!r}: allowed are 1 to 64 of A-Z a-z 0-9 _ -")
    return text


def existing_file(text: str) -> Path:
    """The path, if it is a file."""
    path = Path(text)
    if path.is_dir():
        raise UsageError(f"{path} is a folder; a file is needed")
    if not path.exists():
        raise UsageError(f"no file {path}")
    return path


def _sampling(url: str, text: str) -> Sampling:
    try:
        return Sampling(text)
    except ValueError:
        raise MalformedCar(f"car {url!r}: sampling={text}; allowed: every, profile") from None


def _word(url: str, key: str, text: str) -> PlanKind:
    try:
        return PlanKind(text)
    except ValueError:
        allowed = ", ".join(PlanKind)
        raise MalformedCar(f"car {url!r}: {key}={text}; allowed: {allowed}") from None


def _number(url: str, key: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise MalformedCar(f"car {url!r}: {key}={text}; allowed: {least} to {most}")
    return int(text)
