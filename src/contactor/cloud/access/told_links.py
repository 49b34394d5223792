"""Invitations, links and what lets people in, as the API and the commands tell them."""

from typing import Self

import msgspec

from contactor.clock import to_iso
from contactor.cloud.access.codes import CodeMade
from contactor.cloud.access.invitations import Invitation
from contactor.cloud.access.passkeys import Passkey
from contactor.cloud.access.rights import Role


class InvitationNow(msgspec.Struct, frozen=True):
    """An invitation that nobody has used yet: what it gives, and until when it is good.

    Fields:
        until: when the role ends; null for good.
        name: what who is invited is expected to be called.
    """

    id: str
    role: Role
    vehicle_id: str
    until: str | None
    name: str | None
    made: str
    expires_at: str

    @classmethod
    def of(cls, invitation: Invitation) -> Self:
        """An invitation as the API tells it."""
        held = invitation.held
        return cls(
            id=invitation.id,
            role=held.role,
            vehicle_id=held.vehicle_id,
            until=None if held.until_ns is None else to_iso(held.until_ns),
            name=invitation.name,
            made=to_iso(invitation.made_ns),
            expires_at=to_iso(invitation.until_ns),
        )


class InvitationPage(msgspec.Struct, frozen=True):
    """Invitations that are open, the newest first."""

    items: list[InvitationNow]


class NewLink(msgspec.Struct, frozen=True):
    """A link that was just made; it is good once, and is not told again."""

    link: str
    expires_at: str
    id: str = ""

    @classmethod
    def of(cls, made: CodeMade, page: str) -> Self:
        """A link to a page, with the code where a browser tells it to nobody."""
        return cls(f"{page}#{made.code}", to_iso(made.until_ns), made.id)


class PasskeyNow(msgspec.Struct, frozen=True):
    """A passkey of somebody's.

    Fields:
        host: for which page it is.
        used: when it last let them in; null: never yet.
    """

    id: str
    name: str
    host: str
    made: str
    used: str | None

    @classmethod
    def of(cls, passkey: Passkey) -> Self:
        """A passkey as the API tells it."""
        used = None if passkey.used_ns is None else to_iso(passkey.used_ns)
        return cls(passkey.id, passkey.name, passkey.host, to_iso(passkey.made_ns), used)


class PasskeyPage(msgspec.Struct, frozen=True):
    """Passkeys, the newest first."""

    items: list[PasskeyNow]
