"""People, sessions, tokens and records as the API and the commands tell them."""

from typing import Self

import msgspec

from contactor.clock import from_iso, to_iso
from contactor.cloud.access.logins import Session, Token
from contactor.cloud.access.rights import Role, Scope
from contactor.cloud.access.rows import Held, Person
from contactor.errors import UsageError
from contactor.signals.rights import EVERY_VEHICLE
from contactor.signals.wire.limits import VEHICLE_ID


class RoleNow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role for a vehicle, or all with `*`; until an instant, or for good with null."""

    role: Role
    vehicle_id: str = EVERY_VEHICLE
    until: str | None = None


class PersonNow(msgspec.Struct, frozen=True):
    """Somebody, and what they are to which vehicle."""

    name: str
    roles: list[RoleNow]
    has_password: bool

    @classmethod
    def of(cls, person: Person) -> Self:
        """A person as the API tells them."""
        return cls(person.name, [_role(held) for held in person.roles], person.has_password)


class PersonPage(msgspec.Struct, frozen=True):
    """Everybody, by name."""

    items: list[PersonNow]


class SessionNow(msgspec.Struct, frozen=True):
    """A login of somebody's."""

    id: str
    made: str
    seen: str
    until: str
    address: str
    device: str
    is_this: bool = False

    @classmethod
    def of(cls, session: Session, *, by: str = "") -> Self:
        """A session as the API tells it; `by` is who asks."""
        return cls(
            id=session.id,
            made=to_iso(session.made_ns),
            seen=to_iso(session.seen_ns),
            until=to_iso(session.until_ns),
            address=session.address,
            device=session.device,
            is_this=by == f"session {session.id}",
        )


class SessionPage(msgspec.Struct, frozen=True):
    """Sessions, the last used first."""

    items: list[SessionNow]


class TokenNow(msgspec.Struct, frozen=True):
    """What a program shows; its secret is kept nowhere."""

    id: str
    name: str
    scope: Scope
    vehicle_id: str
    made: str
    expires_at: str | None

    @classmethod
    def of(cls, token: Token) -> Self:
        """A token as the API tells it."""
        until = None if token.until_ns is None else to_iso(token.until_ns)
        return cls(
            token.id, token.name, token.scope, token.vehicle_id, to_iso(token.made_ns), until
        )


class TokenPage(msgspec.Struct, frozen=True):
    """Tokens, the newest first."""

    items: list[TokenNow]


class NewToken(msgspec.Struct, frozen=True):
    """A token that was just made; it is not told again."""

    id: str
    token: str
    expires_at: str | None


def held_of(asked: RoleNow) -> Held:
    """A role as it is kept.

    Raises:
        UsageError: its vehicle or its end is none.
    """
    if asked.vehicle_id != EVERY_VEHICLE and not VEHICLE_ID.fullmatch(asked.vehicle_id):
        raise UsageError(f"vehicle {asked.vehicle_id[:80]!r}; allowed: * or {VEHICLE_ID.pattern}")
    until_ns = None if asked.until is None else instant(asked.until)
    return Held(asked.vehicle_id, asked.role, until_ns)


def instant(text: str) -> int:
    """An instant that somebody wrote, ns UTC.

    Raises:
        UsageError: it is none.
    """
    try:
        return from_iso(text)
    except ValueError:
        raise UsageError(f"{text[:40]!r} is no ISO 8601 instant") from None


def _role(held: Held) -> RoleNow:
    return RoleNow(
        held.role, held.vehicle_id, None if held.until_ns is None else to_iso(held.until_ns)
    )
