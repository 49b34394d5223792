"""What subscribers of the twin are told; each is its own JSON on the live stream.

    {"type": "change", "vehicle_id": ..., "ts": ..., "values": {PATH: value}}
    {"type": "stale", "vehicle_id": ..., "paths": [PATH]}
    {"type": "desired", "vehicle_id": ..., "values": {PATH: value or null}}
    {"type": "connectivity", "vehicle_id": ..., "connectivity": "online"}
    {"type": "command", ...}

An event is frozen and encoded once, however many hear of it: `change.wire`.
"""

from collections.abc import Mapping, Set
from functools import cached_property
from typing import Self

import msgspec

from contactor.clock import to_iso
from contactor.cloud.ingest.presence import Connectivity
from contactor.signals.record import Value

_encoder = msgspec.json.Encoder()


class Event(msgspec.Struct, frozen=True, dict=True, tag_field="type"):
    """Something about one vehicle."""

    vehicle_id: str

    @cached_property
    def wire(self) -> str:
        """Its JSON text."""
        return _encoder.encode(self).decode()


class Change(Event, frozen=True, dict=True, tag_field="type", tag="change"):
    """Values that came in; null is "not available". They are not stale until it is said."""

    ts: str
    values: Mapping[str, Value | None]

    @classmethod
    def of(cls, vehicle_id: str, ts: int, values: Mapping[str, Value | None]) -> Self:
        """A change at `ts`, ns UTC."""
        return cls(vehicle_id, to_iso(ts), values)

    def only(self, paths: Set[str]) -> "Change | None":
        """What of it is about `paths`."""
        kept = {path: value for path, value in self.values.items() if path in paths}
        if len(kept) == len(self.values):
            return self
        return Change(self.vehicle_id, self.ts, kept) if kept else None


class Stale(Event, frozen=True, dict=True, tag_field="type", tag="stale"):
    """Signals whose last value is no longer known to hold."""

    paths: tuple[str, ...]

    def only(self, paths: Set[str]) -> "Stale | None":
        """What of it is about `paths`."""
        kept = tuple(path for path in self.paths if path in paths)
        return Stale(self.vehicle_id, kept) if kept else None


class Desired(Event, frozen=True, dict=True, tag_field="type", tag="desired"):
    """What actuators are asked to be; null once that is settled."""

    values: Mapping[str, Value | None]

    def only(self, paths: Set[str]) -> "Desired | None":
        """What of it is about `paths`."""
        kept = {path: value for path, value in self.values.items() if path in paths}
        return Desired(self.vehicle_id, kept) if kept else None


class ConnectivityChange(Event, frozen=True, dict=True, tag_field="type", tag="connectivity"):
    """Whether the vehicle is heard of."""

    connectivity: Connectivity


class CommandEvent(Event, frozen=True, dict=True, tag_field="type", tag="command"):
    """Where a command stands; the command as the API tells it."""

    id: str
    path: str
    value: Value
    issued_by: str
    issued_at: str
    expires_at: str
    state: str
    reason: str | None
