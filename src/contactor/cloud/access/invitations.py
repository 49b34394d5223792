"""Invitations: a link by which somebody who is not there yet comes in, with the role it gives.

    made = invitations.make(principal, Held("leaf", Role.DRIVER), name="Ben")
    invitations.shown(made.code, address="127.0.0.1")            # Invitation
    opened = invitations.accept(made.code, "Ben", "correct horse battery", way)

Nobody gives more than they have: when it is made, and again when it is used. Calls block.
"""

import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, select

from contactor.clock import NS_PER_DAY, Clock, to_iso
from contactor.cloud.access import area
from contactor.cloud.access.ceremonies import Credential, Party
from contactor.cloud.access.codes import CodeMade, Purpose, insert_code, row_of_code, use_code
from contactor.cloud.access.credentials import SecretKind, fingerprint, new_secret
from contactor.cloud.access.logins import Principal
from contactor.cloud.access.passkeys import Joining, Passkeys, insert_passkey
from contactor.cloud.access.passwords import check_password, hashed
from contactor.cloud.access.rights import RIGHTS, Role
from contactor.cloud.access.rows import (
    LOCAL_ID,
    Held,
    check_name_is_free,
    insert_person,
    new_person_id,
    person_by_id,
    person_name,
)
from contactor.cloud.access.sessions import Opened, Way, insert_session
from contactor.cloud.access.throttle import Throttle
from contactor.cloud.database.database import Database
from contactor.errors import AccessRefused, UsageError
from contactor.signals.rights import EVERY_VEHICLE, Right

INVITATION_NS: Final = 3 * NS_PER_DAY
MAX_INVITATIONS: Final = 1_000
"""Open at once."""
FOR_GOOD_NS: Final = 2**63 - 1
"""An instant at which only what has no end is held."""
_codes = area.codes


@dataclass(frozen=True, slots=True)
class Invitation:
    """What an invitation gives, and until when it is good.

    Fields:
        name: what who is invited is expected to be called.
    """

    id: str
    held: Held
    name: str | None
    made_ns: int
    until_ns: int


def missing(by: Principal, held: Held, now_ns: int) -> list[Right]:
    """The rights without which somebody cannot give a role: its own, and that of giving.

    They must be held for as long as the role is.
    """
    giving = Right.GOVERN if held.vehicle_id == EVERY_VEHICLE else Right.SHARE
    wanted = RIGHTS[held.role] | {giving}
    last_ns = FOR_GOOD_NS if held.until_ns is None else max(now_ns, held.until_ns - 1)
    return sorted(right for right in wanted if not by.may(right, held.vehicle_id, last_ns))


class Invitations:
    """Reads and writes them in an open database, which is another's to close."""

    def __init__(self, database: Database, *, passkeys: Passkeys, clock: Clock) -> None:
        self._database, self._passkeys, self._clock = database, passkeys, clock
        self._failures = Throttle(burst=10, per_hour=60)

    def make(self, by: Principal, held: Held, *, name: str | None = None) -> CodeMade:
        """A code that gives its holder a role, within 72 hours.

        Raises:
            UsageError: it gives more than `by` has, ends before it begins, or is one too many; or
                the name is none, or taken.
        """
        now_ns = self._clock.now_ns()
        more = missing(by, held, now_ns)
        if more:
            raise UsageError(f"to invite {held.role} you must hold, as long: {', '.join(more)}")
        if held.until_ns is not None and held.until_ns <= now_ns:
            raise UsageError(f"a role until {to_iso(held.until_ns)}, which is past")
        shown = None if name is None else person_name(name)
        code, number = new_secret(SecretKind.CODE), secrets.token_hex(8)
        with self._database.writing() as connection:
            connection.execute(delete(_codes).where(_codes.c.until_ns <= now_ns))
            if shown is not None:
                check_name_is_free(connection, shown)
            open_now = select(func.count()).select_from(_codes).where(_is_invitation())
            if (connection.scalar(open_now) or 0) >= MAX_INVITATIONS:
                raise UsageError(f"{MAX_INVITATIONS} invitations are open; take some back first")
            insert_code(
                connection,
                code,
                Purpose.INVITE,
                until_ns=now_ns + INVITATION_NS,
                id=number,
                vehicle_id=held.vehicle_id,
                role=held.role.value,
                role_until_ns=held.until_ns,
                name=shown,
                made_by=by.person.id,
                made_ns=now_ns,
            )
        return CodeMade(code, now_ns + INVITATION_NS, number)

    def all(self) -> list[Invitation]:
        """Those that are open, the newest first."""
        wanted = and_(_is_invitation(), _codes.c.until_ns > self._clock.now_ns())
        with self._database.reading() as connection:
            query = select(_codes).where(wanted).order_by(_codes.c.made_ns.desc())
            return [_invitation(row) for row in connection.execute(query)]

    def take_back(self, invitation_id: str) -> None:
        """Have one let nobody in; nothing, where there is none."""
        mine = and_(_is_invitation(), _codes.c.id == invitation_id)
        with self._database.writing() as connection:
            connection.execute(delete(_codes).where(mine))

    def shown(self, code: str, *, address: str) -> Invitation:
        """What a code gives.

        Raises:
            AccessRefused: it is none, was used, was taken back, or has ended.
            TooManyTries: too many were from there.
        """
        now_ns = self._clock.now_ns()
        with self._failures.trying(address, now_ns), self._database.reading() as connection:
            return _invitation(row_of_code(connection, code, Purpose.INVITE, now_ns=now_ns))

    def passkey_options(
        self, code: str, name: str, party: Party, *, address: str
    ) -> dict[str, object]:
        """What the browser of who is invited is asked for a passkey.

        Raises:
            AccessRefused: the code is none, was used, was taken back, or has ended.
            TooManyTries: too many were from there.
            UsageError: the name is none, or taken.
        """
        self.shown(code, address=address)
        shown = person_name(name)
        with self._database.reading() as connection:
            check_name_is_free(connection, shown)
        return self._passkeys.joining_options(
            party,
            person_id=new_person_id(),
            name=shown,
            key=fingerprint(code),
            address=address,
        )

    def accept(self, code: str, name: str, password: str, way: Way) -> Opened:
        """Come in by a code, with a password; the code has ended.

        Raises:
            AccessRefused: the code is none, was used, was taken back, or has ended; or who made it
                may no longer give that.
            TooManyTries: too many were from there.
            UsageError: name or password is none, or the name is taken.
        """
        shown = person_name(name)
        self.shown(code, address=way.address)
        check_password(password, name=shown)
        return self._join(code, shown, way, password=hashed(password))

    def accept_by_passkey(
        self, code: str, name: str, credential: Credential, way: Way, *, called: str
    ) -> Opened:
        """Come in by a code, with a passkey; raises as `accept`, and for another passkey."""
        shown = person_name(name)
        self.shown(code, address=way.address)
        joining = self._passkeys.made_by_joining(credential, key=fingerprint(code))
        return self._join(code, shown, way, joining=joining, called=called)

    def _join(
        self,
        code: str,
        name: str,
        way: Way,
        *,
        password: str | None = None,
        joining: Joining | None = None,
        called: str = "",
    ) -> Opened:
        now_ns = self._clock.now_ns()
        with self._database.writing() as connection:
            row = use_code(connection, code, Purpose.INVITE, now_ns=now_ns)
            held = _invitation(row).held
            self._check_giver(connection, str(row.made_by), held, now_ns)
            person = insert_person(
                connection,
                name,
                password,
                [held],
                now_ns=now_ns,
                person_id=None if joining is None else joining.person_id,
            )
            if joining is not None:
                insert_passkey(
                    connection,
                    person.id,
                    joining.party,
                    joining.made,
                    called=called,
                    now_ns=now_ns,
                )
            return insert_session(connection, person.id, way, now_ns=now_ns)

    def _check_giver(self, connection: Connection, made_by: str, held: Held, now_ns: int) -> None:
        if made_by == LOCAL_ID:
            return
        giver = Principal(person_by_id(connection, made_by), "invitation")
        if missing(giver, held, now_ns):
            raise AccessRefused("who invited you may no longer give that")


def _is_invitation() -> ColumnElement[bool]:
    return _codes.c.purpose == Purpose.INVITE.value


def _invitation(row: Row[tuple[object, ...]]) -> Invitation:
    held = Held(row.vehicle_id, Role(row.role), row.role_until_ns)
    return Invitation(row.id, held, row.name, row.made_ns, row.until_ns)
