"""Vehicles' identities of a data folder: through the instance that runs on it, else in its files.

asked = open_identities(Path("contactor-data"))
[given] = asked.give_codes(["leaf"], days=7)        # CodeNow
asked.revoke("leaf")                                # IdentityNow
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from contactor.app.folder import DataFolder
from contactor.app.instance_api import InstanceApi, quoted, way_to
from contactor.app.office import open_office
from contactor.clock import SystemClock
from contactor.cloud.identities.office import Office, check_codes
from contactor.cloud.identities.register import REVOKED, Register
from contactor.cloud.identities.told import (
    CertificateAsked,
    Certificates,
    CertificatesAsked,
    CodeNow,
    Codes,
    CodesAsked,
    IdentityNow,
    IdentityPage,
    certificates_of,
    code_now,
    identity_now,
    identity_page,
)
from contactor.errors import IdentityError, UnknownIdentity

TIMEOUT_S = 60.0


class Identities(Protocol):
    """What can be done with the identities of a data folder."""

    def all(self) -> list[IdentityNow]:
        """Every vehicle that is enrolled, was, or has a code; by their ids."""
        ...

    def give_codes(self, vehicles: Sequence[str], *, days: float) -> list[CodeNow]:
        """A new code for each vehicle.

        Raises:
            UsageError: a wrong or doubled id, or a time that is no good.
        """
        ...

    def certify(self, requests: Sequence[CertificateAsked]) -> Certificates:
        """Certificates for keys that were made elsewhere.

        Raises:
            UsageError: a wrong or doubled id.
            IdentityError: a vehicle is enrolled with another key.
        """
        ...

    def revoke(self, vehicle_id: str) -> IdentityNow:
        """End a vehicle's certificates, codes and connections.

        Raises:
            UnknownIdentity: it never had any.
        """
        ...


def open_identities(data: Path) -> Identities:
    """The way to the identities of a folder.

    Raises:
        UsageError: there is no such folder.
        FolderError: it is no data folder of ours.
    """
    return way_to(data, _OfFolder, _OfInstance)


class _OfFolder:
    """In the files; the folder is held while they are written.

    Looking or revoking does not make a new authority: one that was kept elsewhere may still come.
    """

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._clock = SystemClock()

    def all(self) -> list[IdentityNow]:
        if not self._folder.register.exists():
            return []
        with contextlib.closing(Register(self._folder.register)) as register:
            now_ns = self._clock.now_ns()
            return identity_page(register, now_ns, limit=2**31, cursor=None).items

    def give_codes(self, vehicles: Sequence[str], *, days: float) -> list[CodeNow]:
        check_codes(vehicles, days=days)  # before anything is made
        with self._office() as office:
            return [code_now(one) for one in office.give_codes(vehicles, days=days)]

    def certify(self, requests: Sequence[CertificateAsked]) -> Certificates:
        with self._office() as office:
            return certificates_of(office, CertificatesAsked(list(requests)))

    def revoke(self, vehicle_id: str) -> IdentityNow:
        if not self._folder.register.exists():
            raise UnknownIdentity(f"vehicle {vehicle_id[:80]!r} has no code and no certificate")
        now_ns = self._clock.now_ns()
        with self._folder.held(), contextlib.closing(Register(self._folder.register)) as register:
            register.revoke(vehicle_id, REVOKED, now_ns)
            return identity_now(register.find(vehicle_id, now_ns))

    @contextlib.contextmanager
    def _office(self) -> Iterator[Office]:
        with (
            self._folder.held(),
            contextlib.closing(open_office(self._folder, self._clock)) as office,
        ):
            yield office


class _OfInstance:
    """Through the running instance."""

    def __init__(self, url: str, secret: str | None) -> None:
        self._api = InstanceApi(
            f"{url}/api/v1",
            secret=secret,
            timeout_s=TIMEOUT_S,
            unknown=UnknownIdentity,
            otherwise=IdentityError,
        )

    def all(self) -> list[IdentityNow]:
        return self._api.items("/identities", IdentityPage)

    def give_codes(self, vehicles: Sequence[str], *, days: float) -> list[CodeNow]:
        body = msgspec.json.encode(CodesAsked(list(vehicles), days))
        return msgspec.convert(self._api.ask("POST", "/enrolment/codes", body), Codes).items

    def certify(self, requests: Sequence[CertificateAsked]) -> Certificates:
        body = msgspec.json.encode(CertificatesAsked(list(requests)))
        return msgspec.convert(self._api.ask("POST", "/enrolment/certificates", body), Certificates)

    def revoke(self, vehicle_id: str) -> IdentityNow:
        place = f"/identities/{quoted(vehicle_id)}"
        return msgspec.convert(self._api.ask("DELETE", place), IdentityNow)
