"""Consents as the API and the commands tell them, and as they are asked for."""

from typing import Annotated, Self

import msgspec

from contactor.clock import to_iso
from contactor.cloud.access.consent_scope import MAX_BRANCHES, HistoryKind
from contactor.cloud.access.consents import (
    MAX_VEHICLES,
    Consent,
    ConsentAsked,
    ConsentKind,
    ConsentState,
)
from contactor.cloud.access.sessions import Opened
from contactor.cloud.access.told import instant

_Text = Annotated[str, msgspec.Meta(max_length=512)]
LOCAL_GIVER = "local"


class NewConsent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A consent to be given; from now on where no begin is said.

    Fields:
        signals: VSS paths, or branches of them.
        given_by: on whose behalf a command on the data folder gives it.
    """

    receiver: _Text
    purpose: _Text
    kind: ConsentKind
    vehicles: Annotated[list[_Text], msgspec.Meta(max_length=MAX_VEHICLES)]
    until: str
    signals: Annotated[list[_Text], msgspec.Meta(max_length=MAX_BRANCHES)] = []
    history: Annotated[list[HistoryKind], msgspec.Meta(max_length=len(HistoryKind))] = []
    begin: str | None = None
    given_by: str | None = None

    def asked(self) -> ConsentAsked:
        """It, as it is kept.

        Raises:
            UsageError: an instant is none.
        """
        return ConsentAsked(
            receiver=self.receiver,
            purpose=self.purpose,
            kind=self.kind,
            vehicles=tuple(self.vehicles),
            signals=tuple(self.signals),
            history=tuple(self.history),
            until_ns=instant(self.until),
            begin_ns=None if self.begin is None else instant(self.begin),
        )


class ConsentTokenNow(msgspec.Struct, frozen=True):
    """A token of a receiver's."""

    id: str
    made: str


class ConsentNow(msgspec.Struct, frozen=True):
    """A consent, and where it stands.

    Fields:
        given_by: the giver's name; `local` of commands on the data folder.
        withdrawn_at: when it was taken back; null where it was not.
    """

    id: str
    given_by: str
    receiver: str
    purpose: str
    kind: ConsentKind
    vehicles: list[str]
    signals: list[str]
    history: list[HistoryKind]
    made: str
    begin: str
    until: str
    state: ConsentState
    withdrawn_at: str | None
    tokens: list[ConsentTokenNow]

    @classmethod
    def of(cls, consent: Consent, now_ns: int, *, seen: frozenset[str] | None = None) -> Self:
        """A consent as the API tells it.

        Args:
            seen: the vehicles that who asks may know of; None for every one.
        """
        withdrawn_ns = consent.withdrawn_ns
        return cls(
            id=consent.id,
            given_by=LOCAL_GIVER if consent.giver is None else consent.giver.name,
            receiver=consent.receiver,
            purpose=consent.purpose,
            kind=consent.kind,
            vehicles=[one for one in consent.vehicles if seen is None or one in seen],
            signals=list(consent.signals),
            history=list(consent.history),
            made=to_iso(consent.made_ns),
            begin=to_iso(consent.begin_ns),
            until=to_iso(consent.until_ns),
            state=consent.state(now_ns),
            withdrawn_at=None if withdrawn_ns is None else to_iso(withdrawn_ns),
            tokens=[ConsentTokenNow(one.id, to_iso(one.made_ns)) for one in consent.tokens],
        )


class ConsentPage(msgspec.Struct, frozen=True):
    """Consents, also those that have ended, the newest first."""

    items: list[ConsentNow]


class GivenToken(msgspec.Struct, frozen=True):
    """A token that was just made for a receiver; it is not told again."""

    id: str
    token: str
    expires_at: str

    @classmethod
    def of(cls, opened: Opened) -> Self:
        """It, with its secret."""
        assert opened.until_ns is not None
        return cls(opened.id, opened.secret, to_iso(opened.until_ns))


class GivenConsent(msgspec.Struct, frozen=True):
    """A consent that was just given, and its receiver's token."""

    consent: ConsentNow
    token: GivenToken
