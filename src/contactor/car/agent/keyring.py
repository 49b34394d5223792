"""Whose signed commands a car goes by, and which keys hold no more; asks nobody.

    keyring = Keyring("leaf", verifier=CommandChecker(authority_pem), outbox=outbox)
    checked = keyring.check(signed, now_ns)     # the command, or CommandRefused
    keyring.objection(checked, now_ns)          # again, before each frame
    keyring.hear(payload)                       # a list of revocations: newer than the last, or not

The last list is noted in the outbox's file. A clock that was set back to before it was made does
not make a key that has ended good again.
"""

import logging
from collections.abc import Collection
from typing import Protocol

from contactor.car.agent.outbox import Outbox
from contactor.errors import IdentityError, MalformedRecord
from contactor.link.command_messages import RevocationsHeard, decode_sealed_revocations
from contactor.signals.revocations import Revocations, SealedRevocations
from contactor.signals.signed_command import CheckedCommand, SignedCommand

_log = logging.getLogger(__name__)


class CommandVerifier(Protocol):
    """Knows the authority's key."""

    def check(
        self,
        signed: SignedCommand,
        now_ns: int,
        *,
        vehicle_id: str | None = None,
        revoked: Collection[str] = (),
    ) -> CheckedCommand:
        """The command, if its signatures, grant and instants are right.

        Raises:
            MalformedRecord: it cannot be read.
            CommandRefused: the text is the reason, as `kind: words`.
        """
        ...

    def check_revocations(self, sealed: SealedRevocations, vehicle_id: str) -> Revocations:
        """A list, if the authority made it for that vehicle.

        Raises:
            MalformedRecord: it cannot be read.
            IdentityError: it is somebody else's.
        """
        ...


class Keyring:
    """Owns the list of revocations that one car goes by."""

    def __init__(self, vehicle_id: str, *, verifier: CommandVerifier, outbox: Outbox) -> None:
        self._vehicle_id = vehicle_id
        self._verifier = verifier
        self._outbox = outbox
        self._note = f"revocations:{vehicle_id}"
        self._list = self._noted() or Revocations(vehicle_id, 0, 0, ())
        self._is_kept = True
        self._revoked = frozenset(self._list.grants)
        self.refused_lists = 0

    def check(self, signed: SignedCommand, now_ns: int) -> CheckedCommand:
        """The command, if it is to be done as far as can be seen from itself.

        Raises:
            MalformedRecord: it cannot be read.
            CommandRefused: the text is the reason, as `kind: words`.
        """
        return self._verifier.check(
            signed, self._now(now_ns), vehicle_id=self._vehicle_id, revoked=self._revoked
        )

    def objection(self, checked: CheckedCommand, now_ns: int) -> str | None:
        """Why the grant of a command that was taken does not hold any more; None where it does."""
        return checked.objection(self._now(now_ns), self._revoked)

    def hear(self, payload: bytes) -> RevocationsHeard | None:
        """Go by a list if it is newer; by which one the car goes, None for what is no list of its.

        Raises:
            OutboxError: it cannot be noted; the car goes by it until it ends.
        """
        try:
            sealed = decode_sealed_revocations(payload)
            heard = self._verifier.check_revocations(sealed, self._vehicle_id)
        except (MalformedRecord, IdentityError) as error:
            self.refused_lists += 1
            _log.warning("list of revocations refused reason=%s", error)
            return None
        if heard.counter > self._list.counter:
            self._list, self._revoked = heard, frozenset(heard.grants)
            self._is_kept = False
            _log.info("keys revoked counter=%s count=%s", heard.counter, len(heard.grants))
        if not self._is_kept and heard == self._list:
            self._outbox.note(self._note, payload.hex())
            self._is_kept = True
        return RevocationsHeard(self._vehicle_id, self._list.counter) if self._is_kept else None

    def _now(self, now_ns: int) -> int:
        return max(now_ns, self._list.made_at)

    def _noted(self) -> Revocations | None:
        noted = self._outbox.noted(self._note)
        if noted is None:
            return None
        try:
            sealed = decode_sealed_revocations(bytes.fromhex(noted))
            return self._verifier.check_revocations(sealed, self._vehicle_id)
        except (MalformedRecord, IdentityError, ValueError) as error:
            # Of another authority: the car was enrolled anew, and its keys are others.
            _log.warning("noted list of revocations not used reason=%s", error)
            return None
