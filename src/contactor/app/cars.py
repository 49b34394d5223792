"""CAR urls: which cars to run, and from what.

    recording:drive.log?profile=nissan_leaf_ze1&vehicle=leaf&sampling=every

Form: `KIND:SOURCE?KEY=VALUE&...`; the keys allowed depend on the kind.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from contactor.car.agent.road import Sampling
from contactor.errors import MalformedCar, UsageError
from contactor.signals.codec import VEHICLE_ID

KINDS = ("recording",)
LATER = ("virtual", "can", "obd")


@dataclass(frozen=True, slots=True)
class RecordingCar:
    """A car that plays a recording."""

    log: Path
    profile: str
    vehicle_id: str
    sampling: Sampling


def parse_car(url: str, *, is_checked: bool = False) -> RecordingCar:
    """Read a CAR url.

    Args:
        is_checked: it was sound when the run began, and its file may be gone since.

    Raises:
        MalformedCar: naming the part that is wrong and what is allowed.
        UsageError: the recording does not exist.
    """
    kind, colon, rest = url.partition(":")
    if not colon or kind not in KINDS:
        later = f"; {kind}: cars are not in this version" if kind in LATER else ""
        raise MalformedCar(f"car {url!r}: a CAR is recording:FILE?profile=PROFILE{later}")
    source, _, query = rest.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise MalformedCar(f"car {url!r}: {query!r} is not KEY=VALUE&...") from error
    options = dict(pairs)
    if len(options) != len(pairs):
        raise MalformedCar(f"car {url!r}: a key stands twice in {query!r}")
    unknown = sorted(set(options) - {"profile", "vehicle", "sampling"})
    if unknown:
        raise MalformedCar(
            f"car {url!r}: unknown key {unknown[0]!r}; allowed: profile, vehicle, sampling"
        )
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
