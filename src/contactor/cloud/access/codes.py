"""One-time codes, as rows: what each is for, and its end; within a transaction of others.

    insert_code(connection, code, Purpose.RESET, until_ns=until_ns, person_id=person_id)
    row = use_code(connection, code, Purpose.RESET, now_ns=now_ns)  # AccessRefused: used

A code has 256 bits and is kept as its hash. It travels behind the `#` of a link, which a browser
tells no server and no log.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Row, and_, delete, insert, select

from contactor.cloud.access import area
from contactor.cloud.access.credentials import MAX_SECRET_CHARACTERS, fingerprint
from contactor.errors import AccessRefused

NO_CODE: Final = "the code is none of ours, was used, or has ended"
_codes = area.codes


class Purpose(StrEnum):
    """What a code is for."""

    FIRST_OWNER = "first-owner"
    INVITE = "invite"
    RESET = "reset"
    RESET_ALL = "reset-all"
    """The password, and the second factors with it."""


@dataclass(frozen=True, slots=True)
class CodeMade:
    """A code that was just made; it is not kept."""

    code: str
    until_ns: int
    id: str = ""


def insert_code(
    connection: Connection,
    code: str,
    purpose: Purpose,
    *,
    until_ns: int,
    **values: str | int | None,
) -> None:
    """Keep a code until its end, ns UTC; `values` are further columns of its row."""
    connection.execute(
        insert(_codes).values(
            fingerprint=fingerprint(code), purpose=purpose.value, until_ns=until_ns, **values
        )
    )


def row_of_code(
    connection: Connection, code: str, *purposes: Purpose, now_ns: int
) -> Row[tuple[object, ...]]:
    """The row of a code that is good.

    Raises:
        AccessRefused: it is none, was used, or has ended.
    """
    wanted = and_(
        _codes.c.fingerprint == fingerprint(code[:MAX_SECRET_CHARACTERS]),
        _codes.c.purpose.in_([purpose.value for purpose in purposes]),
        _codes.c.until_ns > now_ns,
    )
    row = connection.execute(select(_codes).where(wanted)).one_or_none()
    if row is None:
        raise AccessRefused(NO_CODE)
    return row


def use_code(
    connection: Connection, code: str, *purposes: Purpose, now_ns: int
) -> Row[tuple[object, ...]]:
    """End a code; raises as `row_of_code`."""
    row = row_of_code(connection, code, *purposes, now_ns=now_ns)
    connection.execute(delete(_codes).where(_codes.c.fingerprint == row.fingerprint))
    return row
