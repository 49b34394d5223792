"""Identities as people and programs are asked and told of them; instants in ISO 8601.

    identity_now(office.find("leaf"))                   # IdentityNow
    identity_page(register, now_ns, limit=100, cursor=None)     # IdentityPage

Requests and certificates are DER, which JSON carries in base64.
"""

import msgspec

from contactor.clock import NS_PER_S, to_iso
from contactor.cloud.identities.office import GivenCode, Office
from contactor.cloud.identities.register import IdentityState, Register, VehicleIdentity

CODE_DAYS = 7.0


class IdentityNow(msgspec.Struct, frozen=True):
    """Where a vehicle stands.

    Fields:
        enrolled_at, expires_at: of its newest certificate; None without one.
        code_expires_at: of the newest code that is not used; None without one.
    """

    vehicle_id: str
    state: IdentityState
    enrolled_at: str | None
    expires_at: str | None
    code_expires_at: str | None


class IdentityPage(msgspec.Struct, frozen=True):
    """One page of vehicles; `next` is the cursor of the next page, or null."""

    items: list[IdentityNow]
    next: str | None


class CodesAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code for each of these vehicles, to be used within so many days."""

    vehicles: list[str]
    days: float = CODE_DAYS


class CodeNow(msgspec.Struct, frozen=True):
    """A code, said once: nobody can say it again."""

    vehicle_id: str
    code: str
    expires_at: str

    def __repr__(self) -> str:
        return f"CodeNow({self.vehicle_id!r})"


class Codes(msgspec.Struct, frozen=True):
    """The codes of those vehicles, in their order."""

    items: list[CodeNow]


class CertificateAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A vehicle whose key a factory has made, and its request (PKCS #10)."""

    vehicle_id: str
    request: bytes


class CertificatesAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate for each of these."""

    requests: list[CertificateAsked]


class Certificates(msgspec.Struct, frozen=True):
    """The certificates (X.509) in their order, and the one of who signed them, in PEM."""

    authority: str
    items: list[bytes]


def identity_now(identity: VehicleIdentity) -> IdentityNow:
    """A vehicle as it is told of."""
    return IdentityNow(
        identity.vehicle_id,
        identity.state,
        _instant(identity.enrolled_at),
        _instant(identity.expires_at),
        _instant(identity.code_expires_at),
    )


def identity_page(
    register: Register, now_ns: int, *, limit: int, cursor: str | None
) -> IdentityPage:
    """Vehicles by their ids, after the cursor."""
    found = register.page(now_ns, limit=limit + 1, after=cursor or "")
    items = [identity_now(one) for one in found[:limit]]
    return IdentityPage(items, items[-1].vehicle_id if len(found) > limit else None)


def code_now(given: GivenCode) -> CodeNow:
    """A code as it is said, once."""
    return CodeNow(given.vehicle_id, given.code.text, _whole_s(given.expires_at))


def certificates_of(office: Office, asked: CertificatesAsked) -> Certificates:
    """Have all of them certified.

    Raises:
        UsageError: too many, a wrong id, or one that stands twice.
        EnrolmentRefused: of one; none is given.
    """
    given = office.enrol_all([(one.vehicle_id, one.request) for one in asked.requests])
    return Certificates(office.authority_pem.decode(), [one.der for one in given])


def _instant(ts: int | None) -> str | None:
    return None if ts is None else _whole_s(ts)


def _whole_s(ts: int) -> str:
    return to_iso(ts - ts % NS_PER_S)
