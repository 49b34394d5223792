"""Consents of a data folder: through the instance that runs on it, else in its database.

asked = open_consents(Path("contactor-data"))
given = asked.give(NewConsent(receiver="Grid Ltd", ...))        # its token is told this once
asked.withdraw(given.consent.id)
"""

import itertools
from pathlib import Path
from typing import Final, Protocol

import msgspec

from contactor.app.folder import DataFolder
from contactor.app.instance_api import InstanceApi, quoted, way_to
from contactor.app.people import held_people
from contactor.clock import SystemClock
from contactor.cloud.access.consents import Consent
from contactor.cloud.access.consents_told import (
    ConsentNow,
    ConsentPage,
    GivenConsent,
    GivenToken,
    NewConsent,
)
from contactor.cloud.access.door import LOCAL
from contactor.cloud.access.records import AuditPage, Record, read_by
from contactor.errors import UnknownConsent

TIMEOUT_S: Final = 60.0


class AskedConsents(Protocol):
    """What can be done with the consents of a data folder."""

    def all(self) -> list[ConsentNow]:
        """Every consent, also those that have ended, the newest first."""
        ...

    def give(self, asked: NewConsent) -> GivenConsent:
        """Give one.

        Raises:
            UsageError: something of it cannot be meant.
            UnknownPerson: nobody has the name of who is to give it.
        """
        ...

    def find(self, consent_id: str) -> ConsentNow:
        """One consent.

        Raises:
            UnknownConsent: there is none of that id.
        """
        ...

    def accesses(self, consent_id: str, limit: int) -> list[Record]:
        """What its receiver has read and was refused, newest first; raises as `find`."""
        ...

    def make_token(self, consent_id: str) -> GivenToken:
        """Make its receiver another token.

        Raises:
            UnknownConsent: there is none of that id.
            UsageError: it has ended.
        """
        ...

    def withdraw(self, consent_id: str) -> ConsentNow:
        """Refuse its receiver from now on; raises as `find`."""
        ...


def open_consents(data: Path) -> AskedConsents:
    """The way to the consents of a folder.

    Raises:
        UsageError: there is no such folder.
        FolderError: it is no data folder of ours.
    """
    return way_to(data, _OfFolder, _OfInstance)


class _OfFolder:
    """In the database; the folder is held meanwhile."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder

    def all(self) -> list[ConsentNow]:
        with held_people(self._folder) as (people, _):
            return [_told(one) for one in people.consents.all()]

    def give(self, asked: NewConsent) -> GivenConsent:
        with held_people(self._folder) as (people, records):
            consent, opened = people.consents.give(asked.asked(), by=asked.given_by)
            detail = {"consent": consent.id}
            records.note(LOCAL, "POST /consents", "done", about=asked.given_by, detail=detail)
        return GivenConsent(_told(consent), GivenToken.of(opened))

    def find(self, consent_id: str) -> ConsentNow:
        with held_people(self._folder) as (people, _):
            return _told(people.consents.find(consent_id))

    def accesses(self, consent_id: str, limit: int) -> list[Record]:
        with held_people(self._folder) as (people, records):
            since_ns = people.consents.find(consent_id).made_ns
            found = records.select(read_by(consent_id), since_ns=since_ns)
            return list(itertools.islice(found, limit))

    def make_token(self, consent_id: str) -> GivenToken:
        with held_people(self._folder) as (people, records):
            opened = people.consents.make_token(consent_id)
            detail = {"consent": consent_id}
            records.note(LOCAL, "POST /consents/{consent_id}/tokens", "done", detail=detail)
        return GivenToken.of(opened)

    def withdraw(self, consent_id: str) -> ConsentNow:
        with held_people(self._folder) as (people, records):
            ended = people.consents.withdraw(consent_id)
            detail = {"consent": consent_id}
            records.note(LOCAL, "DELETE /consents/{consent_id}", "done", detail=detail)
        return _told(ended)


class _OfInstance:
    """Through the running instance."""

    def __init__(self, url: str, secret: str | None) -> None:
        self._api = InstanceApi(
            f"{url}/api/v1/consents", secret=secret, timeout_s=TIMEOUT_S, unknown=UnknownConsent
        )

    def all(self) -> list[ConsentNow]:
        return msgspec.convert(self._api.ask("GET"), ConsentPage).items

    def give(self, asked: NewConsent) -> GivenConsent:
        return msgspec.convert(self._api.ask("POST", "", msgspec.json.encode(asked)), GivenConsent)

    def find(self, consent_id: str) -> ConsentNow:
        return msgspec.convert(self._api.ask("GET", f"/{quoted(consent_id)}"), ConsentNow)

    def accesses(self, consent_id: str, limit: int) -> list[Record]:
        place, query = f"/{quoted(consent_id)}/accesses", {"limit": limit}
        return msgspec.convert(self._api.ask("GET", place, query=query), AuditPage).items

    def make_token(self, consent_id: str) -> GivenToken:
        place = f"/{quoted(consent_id)}/tokens"
        return msgspec.convert(self._api.ask("POST", place), GivenToken)

    def withdraw(self, consent_id: str) -> ConsentNow:
        return msgspec.convert(self._api.ask("DELETE", f"/{quoted(consent_id)}"), ConsentNow)


def _told(consent: Consent) -> ConsentNow:
    return ConsentNow.of(consent, SystemClock().now_ns())
