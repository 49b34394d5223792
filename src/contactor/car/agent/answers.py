"""What a car answered to commands: kept, so that a command is done once, and never after a newer.

    answers = Answers("leaf", actuators=paths, outbox=outbox, clock=clock)
    answers.of(command.id)                          # None: never heard
    answers.note(command, CommandState.ACCEPTED)    # on disk when it returns None
    answers.newest(path)                            # when the newest one was made that was accepted
    answers.unproven()                              # after a new start: the proof is still to come

Answers are kept for some time after a command's end, the last `MAX_KEPT` of them, and each whose
proof is still to come. One that finds no room leaves behind when it was made: the same command,
heard again, is no newer than the newest.
"""

import logging
from collections.abc import Collection

import msgspec

from contactor.car.agent.outbox import Outbox
from contactor.clock import NS_PER_S, Clock
from contactor.errors import OutboxError
from contactor.signals.command import MAX_REASON_CHARACTERS, Command, CommandState

MAX_KEPT = 256
NOBODY = ""
KEPT_NS = 600 * NS_PER_S
"""After a command's end: a clock that was set forward and back does not make it new again."""

_log = logging.getLogger(__name__)


class Answer(msgspec.Struct, frozen=True):
    """What was answered to a command.

    Fields:
        issued_at: ns UTC; 0 where an older Contactor noted it.
        command: while it waits for its proof; who asked is not kept in the car.
    """

    expires_at: int
    state: CommandState
    reason: str | None = None
    path: str = ""
    issued_at: int = 0
    command: Command | None = None


class _Kept(msgspec.Struct, frozen=True):
    answers: dict[str, Answer]
    newest: dict[str, int]


_kept = msgspec.json.Decoder(_Kept)
_of_before = msgspec.json.Decoder(dict[str, Answer])


class Answers:
    """Owns them, for one car.

    Args:
        actuators: the paths that may be asked for something.
    """

    def __init__(
        self, vehicle_id: str, *, actuators: Collection[str], outbox: Outbox, clock: Clock
    ) -> None:
        self._note = f"answers:{vehicle_id}"
        self._actuators = frozenset(actuators)
        self._outbox = outbox
        self._clock = clock
        self._answers: dict[str, Answer] = {}
        self._newest: dict[str, int] = {}
        noted, before = outbox.noted(self._note), outbox.noted(f"commands:{vehicle_id}")
        if noted is not None:
            kept = _kept.decode(noted)
            self._answers, self._newest = dict(kept.answers), dict(kept.newest)
        elif before is not None:
            self._answers = dict(_of_before.decode(before))

    def of(self, command_id: str) -> Answer | None:
        """What was answered to a command; None where it was never heard."""
        return self._answers.get(command_id)

    def newest(self, path: str) -> int | None:
        """When the newest command for an actuator was made; None where there was none."""
        return self._newest.get(path)

    @property
    def latest(self) -> int:
        """When the newest command for any actuator was made, ns UTC; 0 where there was none."""
        return max(self._newest.values(), default=0)

    def unproven(self) -> list[Command]:
        """Commands that were accepted, and nothing more is known of them."""
        return [one.command for one in self._answers.values() if one.command is not None]

    def note(self, command: Command, state: CommandState, reason: str | None = None) -> str | None:
        """Note where a command stands; why it could not be noted, None where it was."""
        _log.info("command %s id=%s path=%s", state, command.id, command.path)
        reason = reason and reason[:MAX_REASON_CHARACTERS]
        is_accepted = state is CommandState.ACCEPTED
        answers, newest = dict(self._answers), dict(self._newest)
        answers.pop(command.id, None)
        answers[command.id] = Answer(
            command.expires_at,
            state,
            reason,
            command.path,
            command.issued_at,
            msgspec.structs.replace(command, issued_by=NOBODY) if is_accepted else None,
        )
        if is_accepted:
            newest[command.path] = max(command.issued_at, newest.get(command.path, 0))
        oldest_ns = self._clock.now_ns() - KEPT_NS
        live = {key: one for key, one in answers.items() if one.expires_at > oldest_ns}
        final = [key for key, one in live.items() if one.command is None]
        for key in final[: max(len(live) - MAX_KEPT, 0)]:
            one = live.pop(key)
            if one.path in self._actuators:
                newest[one.path] = max(one.issued_at, newest.get(one.path, 0))
        self._answers = live
        try:
            kept = _Kept(self._answers, newest)
            self._outbox.note(self._note, msgspec.json.encode(kept).decode())
        except OutboxError as error:
            _log.error("command not noted id=%s reason=%s", command.id, error)
            failure = f"not noted: {error}"[:MAX_REASON_CHARACTERS]
            if is_accepted:
                refused = Answer(command.expires_at, CommandState.REFUSED, failure, command.path)
                self._answers[command.id] = refused
            return failure
        self._newest = newest
        return None
