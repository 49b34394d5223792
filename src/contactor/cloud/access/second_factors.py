"""A second factor behind the password: codes that change with time, and recovery codes beside them.

    factors = SecondFactors(database, clock=clock)
    begun = factors.begin("mia", issuer="Contactor")
    codes = factors.confirm("mia", "287082")            # on from now; ten recovery codes
    factors.check(person_id, "081804", address="127.0.0.1")

The secret lies in the database as it is: it must be read to check a code, and an instance has no
key that lies apart from its data folder. Recovery codes are kept as hashes. Calls block.
"""

import base64
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from contactor.clock import Clock
from contactor.cloud.access import area
from contactor.cloud.access.credentials import MAX_SECRET_CHARACTERS, fingerprint
from contactor.cloud.access.rows import row_of
from contactor.cloud.access.throttle import Throttle, refuse_while
from contactor.cloud.access.totp import CODE, NO_STEP, accepted_step, new_totp_secret, totp_uri
from contactor.cloud.database.database import Database
from contactor.errors import AccessRefused, UsageError

RECOVERY_CODES: Final = 10
_RECOVERY_BYTES: Final = 10
"""80 bits each: nothing to guess, also not from their hashes."""
WRONG_CODE: Final = "the code is wrong, or was used"

_factors, _recovery = area.second_factors, area.recovery_codes


@dataclass(frozen=True, slots=True)
class FactorState:
    """Whether somebody's second factor is on, and how many recovery codes are left."""

    is_on: bool
    recovery_codes: int


@dataclass(frozen=True, slots=True)
class FactorBegun:
    """What an authenticator app takes in; shown once."""

    secret: str
    uri: str


class SecondFactors:
    """Reads and writes them in an open database, which is another's to close."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._by_person = Throttle(burst=5, per_hour=6)
        self._by_address = Throttle(burst=10, per_hour=60)

    def state(self, name: str) -> FactorState:
        """How it stands with somebody.

        Raises:
            UnknownPerson: there is none.
        """
        with self._database.reading() as connection:
            person_id = row_of(connection, name).id
            mine = _recovery.c.person_id == person_id
            left = connection.scalar(select(func.count()).select_from(_recovery).where(mine))
            return FactorState(is_on(connection, person_id), left or 0)

    def begin(self, name: str, *, issuer: str) -> FactorBegun:
        """A fresh secret; it is asked for once a code of it was confirmed.

        Args:
            issuer: what the app calls this instance.

        Raises:
            UnknownPerson: there is none of that name.
            UsageError: it is on already, or there is no password that it would stand behind.
        """
        secret = new_totp_secret()
        with self._database.writing() as connection:
            row = row_of(connection, name)
            if row.password is None:
                raise UsageError("choose a password first: a passkey is both factors by itself")
            if is_on(connection, row.id):
                raise UsageError("a second factor is on; end it first")
            forget_factors(connection, row.id)
            values = {"person_id": row.id, "secret": secret, "last_step": NO_STEP}
            connection.execute(insert(_factors).values(values))
            return FactorBegun(secret, totp_uri(secret, name=str(row.name), issuer=issuer))

    def confirm(self, name: str, code: str) -> list[str]:
        """Turn it on by a first code; the recovery codes, which are not told again.

        Raises:
            UnknownPerson: there is none of that name.
            UsageError: none was begun, or it is on.
            AccessRefused: the code is wrong.
            TooManyTries: too many were.
        """
        made = [_new_recovery_code() for _ in range(RECOVERY_CODES)]
        with self._database.writing() as connection:
            person_id = row_of(connection, name).id
            row = _row(connection, person_id)
            if row is None or row.confirmed_ns is not None:
                raise UsageError("no second factor was begun")
            self._use_step(connection, row, _plain(code))
            on = {"confirmed_ns": self._clock.now_ns()}
            connection.execute(update(_factors).where(_mine(person_id)).values(on))
            for one in made:
                values = {"fingerprint": fingerprint(_plain(one)), "person_id": person_id}
                connection.execute(insert(_recovery).values(values))
        return made

    def check(self, person_id: str, code: str, *, address: str) -> None:
        """Accept a code of somebody's, once.

        Args:
            code: of the app, or a recovery code.
            address: from where; recovery codes that are wrong are counted by it.

        Raises:
            AccessRefused: it is wrong, or was used; or there is no second factor.
            TooManyTries: too many were.
        """
        text = _plain(code)
        with self._database.writing() as connection:
            row = _row(connection, person_id)
            if row is None or row.confirmed_ns is None:
                raise AccessRefused(WRONG_CODE)
            if CODE.fullmatch(text):
                self._use_step(connection, row, text)
            else:
                self._use_recovery(connection, person_id, text, address)

    def end(self, name: str) -> None:
        """Turn it off, recovery codes and all.

        Raises:
            UnknownPerson: there is none of that name.
        """
        with self._database.writing() as connection:
            forget_factors(connection, row_of(connection, name).id)

    def _use_step(self, connection: Connection, row: Row[tuple[object, ...]], code: str) -> None:
        now_ns, person_id = self._clock.now_ns(), str(row.person_id)
        refuse_while(self._by_person.wait_ns(person_id, now_ns))
        step = accepted_step(str(row.secret), code, now_ns=now_ns, after=int(row.last_step))
        if step is None:
            self._by_person.count(person_id, now_ns)
            raise AccessRefused(WRONG_CODE)
        self._by_person.forget(person_id)
        connection.execute(update(_factors).where(_mine(person_id)).values(last_step=step))

    def _use_recovery(
        self, connection: Connection, person_id: str, text: str, address: str
    ) -> None:
        now_ns = self._clock.now_ns()
        wanted = delete(_recovery).where(
            _recovery.c.fingerprint == fingerprint(text), _recovery.c.person_id == person_id
        )
        with self._by_address.trying(address, now_ns):
            if connection.execute(wanted).rowcount != 1:
                raise AccessRefused(WRONG_CODE)


def is_on(connection: Connection, person_id: str) -> bool:
    """Whether somebody's second factor is asked for."""
    row = _row(connection, person_id)
    return row is not None and row.confirmed_ns is not None


def forget_factors(connection: Connection, person_id: str) -> None:
    """Remove a second factor, recovery codes and all."""
    for table in (_factors, _recovery):
        connection.execute(delete(table).where(table.c.person_id == person_id))


def _row(connection: Connection, person_id: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(_factors).where(_mine(person_id))).one_or_none()


def _mine(person_id: str) -> ColumnElement[bool]:
    return _factors.c.person_id == person_id


def _plain(code: str) -> str:
    """A code as it is compared, however it was written."""
    return code[:MAX_SECRET_CHARACTERS].replace(" ", "").replace("-", "").lower()


def _new_recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(text[place : place + 4] for place in range(0, len(text), 4))
