"""A command: a request to set an actuator, with an end, and the states it goes through.

    queued ──► sent ──► accepted ──► done          read back from the car's bus
       │         │          └──────► expired       no proof before its end
       │         ├─────────────────► refused       by the guard in the car, with its reason
       └─────────┴─────────────────► expired       the car did not answer before its end

A state only ever moves to the right: `may_follow` says which word may come after which, so that a
late or repeated answer never turns a command back.

    may_follow(CommandState.DONE, CommandState.SENT)        # True
    may_follow(CommandState.SENT, CommandState.EXPIRED)     # False
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from contactor.signals.record import Scalar

MAX_REASON_CHARACTERS = 400

_VehicleId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
_CommandId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
_Path = Annotated[str, Meta(max_length=256)]
_Instant = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class CommandState(StrEnum):
    """Where a command stands."""

    QUEUED = "queued"
    SENT = "sent"
    ACCEPTED = "accepted"
    DONE = "done"
    REFUSED = "refused"
    EXPIRED = "expired"

    @property
    def is_final(self) -> bool:
        """Whether nothing comes after it."""
        return self in (CommandState.DONE, CommandState.REFUSED, CommandState.EXPIRED)


_ORDER = {state: place for place, state in enumerate(CommandState)}


def may_follow(later: CommandState, earlier: CommandState) -> bool:
    """Whether a command that is `earlier` may become `later`."""
    return not earlier.is_final and _ORDER[later] > _ORDER[earlier]


class Command(Struct, frozen=True, forbid_unknown_fields=True):
    """A request to set one actuator of one vehicle.

    Args:
        id: given by the cloud; a car does the same id once.
        path, value: an actuator of the catalogue, and a value of its type.
        issued_by: who asked.
        issued_at, expires_at: ns UTC; the car does nothing after `expires_at`.
        reason: why it was refused or expired.
    """

    id: _CommandId
    vehicle_id: _VehicleId
    path: _Path
    value: Scalar
    issued_by: Annotated[str, Meta(max_length=128)]
    issued_at: _Instant
    expires_at: _Instant
    state: CommandState = CommandState.QUEUED
    reason: Annotated[str, Meta(max_length=MAX_REASON_CHARACTERS)] | None = None
