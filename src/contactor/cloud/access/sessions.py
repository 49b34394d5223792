"""Sessions, as rows: begun for somebody, within a transaction of others.

opened = insert_session(connection, person_id, Way("127.0.0.1", "Firefox"), now_ns=now_ns)
opened.secret               # what the cookie holds; its hash is kept
"""

import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert

from contactor.clock import NS_PER_DAY
from contactor.cloud.access import area
from contactor.cloud.access.credentials import SecretKind, fingerprint, new_secret
from contactor.cloud.access.rows import MAX_NAME

SESSION_NS: Final = 30 * NS_PER_DAY
"""From the last time that it was used."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session or a token that was just made, and its secret, which is not kept."""

    id: str
    secret: str
    until_ns: int | None


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody comes in.

    Fields:
        address: from where; what fails is counted by it.
        device: what the browser calls itself.
    """

    address: str
    device: str


def insert_session(connection: Connection, person_id: str, way: Way, *, now_ns: int) -> Opened:
    """Begin a session of somebody."""
    secret, number = new_secret(SecretKind.SESSION), secrets.token_hex(8)
    until_ns = now_ns + SESSION_NS
    connection.execute(
        insert(area.sessions).values(
            id=number,
            fingerprint=fingerprint(secret),
            person_id=person_id,
            made_ns=now_ns,
            seen_ns=now_ns,
            until_ns=until_ns,
            address=way.address,
            device=way.device[:MAX_NAME],
        )
    )
    return Opened(number, secret, until_ns)
