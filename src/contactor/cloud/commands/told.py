"""Commands as subscribers and people are told of them."""

from contactor.clock import to_iso
from contactor.cloud.twin.events import CommandEvent
from contactor.signals.command import Command, CommandState


def told(command: Command) -> CommandEvent:
    """A command as subscribers hear of it."""
    return CommandEvent(
        vehicle_id=command.vehicle_id,
        id=command.id,
        path=command.path,
        value=command.value,
        issued_by=command.issued_by,
        issued_at=to_iso(command.issued_at),
        expires_at=to_iso(command.expires_at),
        state=command.state,
        reason=command.reason,
    )


def why_expired(command: Command) -> str:
    """Why a command whose time is over came to nothing."""
    end = to_iso(command.expires_at)
    if command.state is CommandState.ACCEPTED:
        return f"no proof from the bus before {end}"
    return f"no answer from the car before {end}"
