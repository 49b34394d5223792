"""Which role allows what there is to be allowed (`signals.rights`). Pure.

    may(Role.GUEST, Right.OPEN)                         # True

A role is held for one vehicle or for all (`EVERY_VEHICLE`). A token has a scope besides: it allows
what both do.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from contactor.signals.rights import Right


class Role(StrEnum):
    """What somebody is to a vehicle."""

    OWNER = "owner"
    OPERATOR = "operator"
    DRIVER = "driver"
    GUEST = "guest"
    VIEWER = "viewer"
    WORKSHOP = "workshop"
    MAKER = "maker"


class Scope(StrEnum):
    """How much of its person's rights a token has."""

    READ = "read"
    COMMAND = "command"
    ADMIN = "admin"


_READING: Final = frozenset({Right.SEE, Right.LOCATE, Right.HISTORY})
SETTING: Final = frozenset({Right.COMFORT, Right.OPEN})

RIGHTS: Final[Mapping[Role, frozenset[Right]]] = MappingProxyType(
    {
        Role.OWNER: frozenset(Right),
        Role.OPERATOR: frozenset(Right) - {Right.GOVERN},
        Role.DRIVER: _READING | SETTING | {Right.JOURNAL},
        Role.GUEST: SETTING | {Right.SEE},
        Role.VIEWER: _READING,
        Role.WORKSHOP: frozenset({Right.SEE, Right.DIAGNOSE}),
        Role.MAKER: frozenset({Right.DIAGNOSE}),
    }
)
"""The table: all that a role allows."""

SCOPES: Final[Mapping[Scope, frozenset[Right]]] = MappingProxyType(
    {
        Scope.READ: _READING,
        Scope.COMMAND: _READING | SETTING,
        Scope.ADMIN: frozenset(Right),
    }
)


def may(role: Role, right: Right) -> bool:
    """Whether a role allows something."""
    return right in RIGHTS[role]
