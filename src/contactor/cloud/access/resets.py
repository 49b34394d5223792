"""A password chosen anew, by a link: for who has forgotten theirs.

    made = resets.make("mia", by=principal)
    resets.shown(made.code, address="127.0.0.1").name                # 'Mia'
    resets.use(made.code, "purple monkey dishwasher", address="127.0.0.1")

Nobody is let in by it: they log in with the new password, and with their second factor where that
is to stay. Calls block.
"""

from typing import Final

from sqlalchemy import Connection, and_, delete, update

from contactor.clock import NS_PER_DAY, Clock
from contactor.cloud.access import area
from contactor.cloud.access.codes import CodeMade, Purpose, insert_code, row_of_code, use_code
from contactor.cloud.access.credentials import SecretKind, new_secret
from contactor.cloud.access.logins import Principal
from contactor.cloud.access.passwords import check_password, hashed
from contactor.cloud.access.rows import LOCAL_ID, Person, person_by_id, row_of
from contactor.cloud.access.second_factors import forget_factors
from contactor.cloud.access.throttle import Throttle
from contactor.cloud.database.database import Database
from contactor.errors import AccessRefused
from contactor.signals.rights import EVERY_VEHICLE, Right

RESET_NS: Final = NS_PER_DAY
_RESETS: Final = (Purpose.RESET, Purpose.RESET_ALL)
_people, _codes, _sessions, _passkeys = area.people, area.codes, area.sessions, area.passkeys


class Resets:
    """Reads and writes them in an open database, which is another's to close."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._failures = Throttle(burst=10, per_hour=60)

    def make(self, name: str, *, by: Principal, has_all: bool = False) -> CodeMade:
        """A code by which somebody chooses another password; the one before it ends.

        Args:
            has_all: whether the second factor and the passkeys go with the password.

        Raises:
            UnknownPerson: there is none of that name.
        """
        code, now_ns = new_secret(SecretKind.CODE), self._clock.now_ns()
        until_ns = now_ns + RESET_NS
        with self._database.writing() as connection:
            person_id = row_of(connection, name).id
            _end_resets(connection, person_id)
            insert_code(
                connection,
                code,
                Purpose.RESET_ALL if has_all else Purpose.RESET,
                until_ns=until_ns,
                person_id=person_id,
                made_by=by.person.id,
                made_ns=now_ns,
            )
        return CodeMade(code, until_ns)

    def shown(self, code: str, *, address: str) -> Person:
        """Whose password it is.

        Raises:
            AccessRefused: the code is none, was used, or has ended; or who made it governs no more.
            TooManyTries: too many were from there.
        """
        now_ns = self._clock.now_ns()
        with self._failures.trying(address, now_ns), self._database.reading() as connection:
            row = row_of_code(connection, code, *_RESETS, now_ns=now_ns)
            _check_giver(connection, str(row.made_by), now_ns)
            return person_by_id(connection, str(row.person_id))

    def use(self, code: str, password: str, *, address: str) -> None:
        """Choose the password; every session ends, and so does the code.

        Raises:
            AccessRefused: the code is none, was used, or has ended.
            TooManyTries: too many were from there.
            UsageError: the password is none.
        """
        check_password(password, name=self.shown(code, address=address).name)
        kept = hashed(password)
        now_ns = self._clock.now_ns()
        with self._database.writing() as connection:
            row = use_code(connection, code, *_RESETS, now_ns=now_ns)
            _check_giver(connection, str(row.made_by), now_ns)
            put_password(connection, str(row.person_id), kept)
            if row.purpose == Purpose.RESET_ALL:
                forget_factors(connection, str(row.person_id))
                gone = _passkeys.c.person_id == row.person_id
                connection.execute(delete(_passkeys).where(gone))


def put_password(connection: Connection, person_id: str, kept: str) -> None:
    """Give somebody another password: every session ends, and links that would choose one."""
    mine = _people.c.id == person_id
    connection.execute(update(_people).where(mine).values(password=kept))
    connection.execute(delete(_sessions).where(_sessions.c.person_id == person_id))
    _end_resets(connection, person_id)


def _end_resets(connection: Connection, person_id: str) -> None:
    """Have the links that somebody was sent choose no password any more."""
    theirs = and_(_codes.c.person_id == person_id, _codes.c.purpose.in_(_RESETS))
    connection.execute(delete(_codes).where(theirs))


def _check_giver(connection: Connection, made_by: str, now_ns: int) -> None:
    if made_by == LOCAL_ID:
        return
    giver = Principal(person_by_id(connection, made_by), "reset")
    if not giver.may(Right.GOVERN, EVERY_VEHICLE, now_ns):
        raise AccessRefused("who gave you this link may no longer do so")
