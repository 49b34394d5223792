"""The vocabulary: every leaf of COVESA VSS 6.0, and a small branch of our own for what it lacks.

`vss_6_0.csv` is a table of facts (names, types, figures) with the group of each leaf; `own.csv`
has the same columns for `Vehicle.Contactor.*`; `descriptions.csv` has our own words for the
signals that the built-in profiles use.

    signal = catalogue()["Vehicle.Speed"]
    signal.unit, signal.datatype, signal.group      # ('km/h', <Datatype.FLOAT>, <Group.DRIVE>)

Source: COVESA Vehicle Signal Specification 6.0.
"""

import csv
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from contactor.errors import UnknownSignal
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import GROUP_RULES, Group

VIRTUAL_BRANCH = "Vehicle.Contactor.VirtualCar."
"""What only a car that does not exist can be asked for: to break, to be plugged in by no hand."""


class Kind(StrEnum):
    """What may happen to a leaf: it is measured, it can be set, or it is fixed."""

    SENSOR = "sensor"
    ACTUATOR = "actuator"
    ATTRIBUTE = "attribute"


@dataclass(frozen=True, slots=True)
class Signal:
    """A leaf of the catalogue.

    `minimum`, `maximum` and `allowed` bound each value (each element of an array). `mean` marks
    signals whose sampled value is the mean of every frame since the previous row.
    """

    path: str
    kind: Kind
    datatype: Datatype
    unit: str | None
    minimum: float | None
    maximum: float | None
    allowed: tuple[str, ...]
    group: Group
    mean: bool
    description: str

    @property
    def stale_s(self) -> float:
        """How long a reading stays known, in seconds; the limit of its group."""
        return GROUP_RULES[self.group].stale_s


class Catalogue(Mapping[str, Signal]):
    """Signals by path; an unknown path raises `UnknownSignal` naming the nearest ones."""

    def __init__(self, signals: Mapping[str, Signal]) -> None:
        self._signals = dict(signals)

    def __getitem__(self, path: str) -> Signal:
        try:
            return self._signals[path]
        except KeyError:
            raise UnknownSignal(self._unknown(path)) from None

    def __contains__(self, path: object) -> bool:
        return path in self._signals

    def __iter__(self) -> Iterator[str]:
        return iter(self._signals)

    def __len__(self) -> int:
        return len(self._signals)

    def _unknown(self, path: str) -> str:
        near = difflib.get_close_matches(path, self._signals, n=3, cutoff=0.7)
        tail = path.rpartition(".")[2].lower()
        near = near or [known for known in self._signals if tail and known.lower().endswith(tail)]
        hint = f"; nearest: {', '.join(near[:3])}" if near else f"; {len(self)} paths of VSS 6.0"
        return f"unknown signal {path[:120]!r}{hint}"


@cache
def catalogue() -> Catalogue:
    """The catalogue that ships with Contactor; read once per process."""
    descriptions = {row["path"]: row["description"] for row in _rows("descriptions.csv")}
    signals = [
        _signal(row, descriptions.get(row["path"], ""))
        for table in ("vss_6_0.csv", "own.csv")
        for row in _rows(table)
    ]
    return Catalogue({signal.path: signal for signal in signals})


def _rows(table: str) -> list[dict[str, str]]:
    text = files("contactor.signals").joinpath(table).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _signal(row: Mapping[str, str], description: str) -> Signal:
    return Signal(
        path=row["path"],
        kind=Kind(row["kind"]),
        datatype=Datatype(row["datatype"]),
        unit=row["unit"] or None,
        minimum=float(row["minimum"]) if row["minimum"] else None,
        maximum=float(row["maximum"]) if row["maximum"] else None,
        allowed=tuple(row["allowed"].split("|")) if row["allowed"] else (),
        group=Group(row["group"]),
        mean=bool(row["mean"]),
        description=description,
    )
