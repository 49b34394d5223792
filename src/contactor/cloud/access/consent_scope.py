"""What a consent lets its receiver read: signals and kinds of history, for a time. Pure.

    scope.allows("Vehicle.Powertrain.TractionBattery.StateOfCharge.Current")
    scope.reach(Right.SEE, now_ns)              # frozenset({"leaf"})

Where a car is, is named by a branch of that alone: `Vehicle` with all below it does not name it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from contactor.errors import UsageError
from contactor.signals.catalogue import catalogue
from contactor.signals.rights import Right, tells_where

MAX_BRANCHES: Final = 64


class HistoryKind(StrEnum):
    """What is derived of a vehicle's rows, and can be given besides signals."""

    TRIPS = "trips"
    CHARGES = "charges"
    BATTERY = "battery"


@dataclass(frozen=True, slots=True)
class ConsentScope:
    """How far somebody may read who is given a consent.

    Fields:
        vehicles: those of which whoever gave it may still say so.
        paths: every signal that it names, by its whole path.
        begin_ns, until_ns: when it may be read, ns UTC; the end is no part of it.
    """

    consent_id: str
    vehicles: frozenset[str]
    paths: frozenset[str]
    history: frozenset[HistoryKind]
    begin_ns: int
    until_ns: int

    @property
    def has_where(self) -> bool:
        """Whether it names where a car is."""
        return any(map(tells_where, self.paths))

    def allows(self, path: str) -> bool:
        """Whether it names a signal."""
        return path in self.paths

    def reach(self, right: Right, now_ns: int) -> frozenset[str]:
        """The vehicles of which something is allowed now."""
        is_named = {
            Right.SEE: True,
            Right.LOCATE: self.has_where,
            Right.HISTORY: bool(self.history),
        }.get(right, False)
        is_time = self.begin_ns <= now_ns < self.until_ns
        return self.vehicles if is_named and is_time else frozenset()


def checked_branches(branches: Iterable[str]) -> tuple[str, ...]:
    """Paths and branches as a consent keeps them, each once.

    Raises:
        UnknownSignal: one is no path of the catalogue, and no branch of it.
        UsageError: there are too many.
    """
    asked = tuple(dict.fromkeys(branches))
    if len(asked) > MAX_BRANCHES:
        raise UsageError(f"{len(asked)} signals; the limit is {MAX_BRANCHES}, a branch is one")
    for branch in asked:
        if not any(path.startswith(f"{branch}.") for path in catalogue()):
            catalogue()[branch]
    return asked


@lru_cache(maxsize=256)
def paths_of(branches: tuple[str, ...]) -> frozenset[str]:
    """Every path that the branches name."""
    return frozenset(
        path for path in catalogue() if any(_names(branch, path) for branch in branches)
    )


def _names(branch: str, path: str) -> bool:
    is_within = path == branch or path.startswith(f"{branch}.")
    return is_within and (tells_where(branch) or not tells_where(path))
