"""The map of a car: which decoded numbers are which signals of the catalogue.

    plan = compile_plan(database, signals=map.plan_signals, unavailable=map.unavailable)
    for reading in map.read(decode_columns(frames, plan)):
        reading.path, frames.ts[reading.rows], reading.values, reading.state

What a raw value of a DBC signal means "not available" is a fact of that signal: declared for one
entry, it holds for every entry that reads the signal. `map_file` reads maps from TOML.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contactor.can.columns import SignalColumn
from contactor.car.profiles.entry import ActuatorEntry, MapEntry, Reading, read_entry
from contactor.errors import UnknownSignal
from contactor.signals.groups import Group

__all__ = ["ActuatorEntry", "MapEntry", "Reading", "SignalMap"]


@dataclass(frozen=True, slots=True)
class SignalMap:
    """All that a car says, and all that it may be asked, each signal at most once."""

    entries: tuple[MapEntry, ...]
    actuators: tuple[ActuatorEntry, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The signals that are read, in the order of the map."""
        return tuple(entry.path for entry in self.entries)

    @property
    def plan_signals(self) -> tuple[str, ...]:
        """The DBC signals to decode, as "Message.Signal", once each."""
        return tuple(dict.fromkeys(name for entry in self.entries for name in entry.sources))

    @property
    def unavailable(self) -> Mapping[str, tuple[int, ...]]:
        """For each DBC signal the raw values that mean "not available"."""
        merged: dict[str, set[int]] = {}
        for entry in self.entries:
            for name, raws in zip(entry.sources, entry.unavailable, strict=False):
                merged.setdefault(name, set()).update(raws)
        return {name: tuple(sorted(raws)) for name, raws in merged.items() if raws}

    @property
    def lists(self) -> tuple[MapEntry, ...]:
        """The arrays, whose elements a `ListCollector` puts together."""
        return tuple(entry for entry in self.entries if entry.is_list)

    def entry(self, path: str) -> MapEntry:
        """How `path` is read.

        Raises:
            UnknownSignal: the map does not have it.
        """
        for entry in self.entries:
            if entry.path == path:
                return entry
        raise UnknownSignal(f"the map has no signal {path!r}; it has {len(self.entries)} others")

    def group_of(self, path: str) -> Group:
        """The clock that `path` is stored by."""
        return self.entry(path).group

    def stale_s_of(self, path: str) -> float:
        """How long a reading of `path` stays known, in seconds."""
        return self.entry(path).stale_s

    def is_mean(self, path: str) -> bool:
        """Whether a row holds the mean of every frame since the row before."""
        return self.entry(path).is_mean

    def read(self, columns: Sequence[SignalColumn]) -> list[Reading]:
        """The readings of every signal that has any but the lists, in the order of the map.

        Args:
            columns: decoded with `plan_signals` and `unavailable`, in any order.
        """
        by_name = {column.name: column for column in columns}
        readings = []
        for entry in self.entries:
            if entry.is_list:
                continue
            found = [by_name[name] for name in entry.sources if name in by_name]
            if len(found) == len(entry.sources):
                readings.append(read_entry(entry, found))
        return readings
