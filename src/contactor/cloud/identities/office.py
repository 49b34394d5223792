"""The rules of identity: who gets a code, a certificate, the next one, and who may come in.

    office = Office(register, authority, clock=SystemClock())
    [given] = office.give_codes(["leaf"], days=7)
    enrolled = office.enrol(given.code, request)        # once; again only for the same key
    office.admit(knock)                                 # whoever shows code or certificate
    office.revoke("leaf")

A certificate names one vehicle. A vehicle's second enrolment is that of another unit in it: the
first unit's certificates end. Renewal keeps the older certificate, lest an answer that was lost
leave a car without any.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from contactor.clock import NS_PER_DAY, NS_PER_S, Clock
from contactor.cloud.identities.guesses import Guesses
from contactor.cloud.identities.register import (
    REVOKED,
    IdentityState,
    Register,
    VehicleIdentity,
)
from contactor.errors import EnrolmentRefused, IdentityError, UnknownIdentity, UsageError
from contactor.link.identities.authority import VEHICLE_DAYS, Authority
from contactor.link.identities.certificates import Certificate
from contactor.link.identities.codes import LENGTH, EnrolmentCode
from contactor.link.nats.callout import Knock
from contactor.link.nats.gate import Admission
from contactor.link.rights import rights_of_enrolment, rights_of_vehicle
from contactor.link.topics import check_vehicle_id

MAX_AT_ONCE = 10_000
MAX_CERTIFIED_AT_ONCE = 500
"""Signing takes time, in which nobody else is answered."""
MAX_CODE_DAYS = 3650
ENROLMENT_S = 60
"""So long somebody with a code may stay to use it."""
LONGEST_CODE = 2 * LENGTH
ENROLMENT = "enrolment"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}:([0-9a-f]{1,64})")


@dataclass(frozen=True, slots=True)
class GivenCode:
    """A code, said once: nothing here can say it again."""

    vehicle_id: str
    code: EnrolmentCode = field(repr=False)
    expires_at: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What came of an enrolment: the certificate, and the connections that are to end."""

    certificate: Certificate
    ended: tuple[str, ...]


class Office:
    """Owns register and authority; used from one thread.

    Args:
        vehicle_days: how long a certificate is valid.
    """

    def __init__(
        self,
        register: Register,
        authority: Authority,
        *,
        clock: Clock,
        vehicle_days: float = VEHICLE_DAYS,
    ) -> None:
        self.register = register
        self.authority = authority
        self._clock = clock
        self._vehicle_days = vehicle_days
        self._guesses = Guesses()
        self._code_key = authority.secret("enrolment codes")

    @property
    def authority_pem(self) -> bytes:
        """The authority's certificate."""
        return self.authority.pem

    def close(self) -> None:
        """Close the register."""
        self.register.close()

    # ── what people ask for ──────────────────────────────────────────────────────────────────────

    def give_codes(self, vehicles: Sequence[str], *, days: float) -> list[GivenCode]:
        """A new code for each vehicle; an unused one that it had is none any more.

        Args:
            days: how long they can be used.

        Raises:
            UsageError: too many, a wrong or doubled id, or a time that is no good.
        """
        check_codes(vehicles, days=days)
        now_ns = self._clock.now_ns()
        until = now_ns + round(days * NS_PER_DAY)
        given = [GivenCode(vehicle_id, EnrolmentCode.make(), until) for vehicle_id in vehicles]
        self.register.add_codes(
            [(self._digest(one.code), one.vehicle_id, until) for one in given], now_ns
        )
        return given

    def revoke(self, vehicle_id: str) -> tuple[str, ...]:
        """End a vehicle's certificates and codes; the connections that are to end.

        Raises:
            UnknownIdentity: it never had any.
        """
        ended = self.register.revoke(vehicle_id, REVOKED, self._clock.now_ns())
        return tuple(_name(vehicle_id, serial) for serial in ended)

    def find(self, vehicle_id: str) -> VehicleIdentity:
        """Where a vehicle stands.

        Raises:
            UnknownIdentity: nobody was ever to enrol as that.
        """
        return self.register.find(vehicle_id, self._clock.now_ns())

    # ── what cars ask for ────────────────────────────────────────────────────────────────────────

    def enrol(self, code: EnrolmentCode, request: bytes) -> Enrolment:
        """Use a code: its vehicle's key is the one of the request.

        Raises:
            EnrolmentRefused: the code is none, used, or too old; or it is no request.
        """
        digest, now_ns = self._digest(code), self._clock.now_ns()
        known = self.register.code(digest)
        if known is None:
            raise EnrolmentRefused("the code is unknown")
        if known.serial is None and now_ns >= known.expires_at:
            raise EnrolmentRefused("the code has expired")
        try:
            certificate = self._sign(request, known.vehicle_id, now_ns)
        except IdentityError as error:
            raise EnrolmentRefused(str(error)) from error
        if known.serial is not None:
            before = self.register.certificate(known.serial)
            is_same = before.public_key == certificate.public_key
            if not is_same or not self.register.is_good(known.serial):
                raise EnrolmentRefused("the code was used")
            return Enrolment(before, ())  # the answer to the first time was lost
        ended = self.register.enrol(digest, certificate, now_ns)
        return Enrolment(certificate, tuple(_name(known.vehicle_id, one) for one in ended))

    def enrol_all(self, requests: Sequence[tuple[str, bytes]]) -> list[Certificate]:
        """Certificates without codes for vehicles that a factory makes, each with its request.

        A vehicle that has one gets the same for the same key: the answer may have been lost.

        Raises:
            UsageError: too many, a wrong id, or one that stands twice.
            EnrolmentRefused: one is no request, or its vehicle has a certificate of another key;
                none is given.
        """
        _check_vehicles([vehicle_id for vehicle_id, _ in requests], most=MAX_CERTIFIED_AT_ONCE)
        now_ns, made, given = self._clock.now_ns(), [], []
        for vehicle_id, request in requests:
            try:
                certificate = self._sign(request, vehicle_id, now_ns)
            except IdentityError as error:
                raise EnrolmentRefused(f"vehicle {vehicle_id}: {error}") from error
            newest = self.register.newest(vehicle_id)
            if newest is None:
                made.append(certificate)
            elif newest.public_key != certificate.public_key:
                raise EnrolmentRefused(f"vehicle {vehicle_id} is enrolled; revoke it first")
            given.append(newest or certificate)
        self.register.add_all(made, now_ns)
        return given

    def is_elsewhere(self, vehicle_id: str) -> bool:
        """Whether a vehicle was revoked, or is another unit's than the instance itself.

        Then it is not to be enrolled again without being asked for.
        """
        try:
            is_revoked = self.find(vehicle_id).state is IdentityState.REVOKED
        except UnknownIdentity:
            return False
        return is_revoked or self.register.is_others(vehicle_id)

    def enrol_own(self, vehicle_id: str, request: bytes) -> Certificate:
        """A certificate without a code, for a car of this very instance.

        Raises:
            IdentityError: it is no request.
        """
        now_ns = self._clock.now_ns()
        certificate = self._sign(request, vehicle_id, now_ns)
        self.register.enrol_own(certificate, now_ns)
        return certificate

    def renew(self, vehicle_id: str, request: bytes) -> Certificate:
        """The next certificate of a vehicle, for the key that it has.

        Raises:
            IdentityError: it has none, or asks with another key.
        """
        now_ns = self._clock.now_ns()
        newest = self.register.newest(vehicle_id)
        if newest is None:
            raise IdentityError(f"vehicle {vehicle_id} has no certificate to renew")
        certificate = self._sign(request, vehicle_id, now_ns)
        if certificate.public_key != newest.public_key:
            raise IdentityError(f"vehicle {vehicle_id} asks for a certificate of another key")
        if newest.not_after - now_ns > self._vehicle_days * NS_PER_DAY * 0.99:
            return newest  # the answer was lost
        self.register.add(certificate, now_ns)
        return certificate

    def is_good(self, certificate: Certificate) -> bool:
        """Whether a certificate would be accepted now."""
        try:
            self.authority.check(certificate, self._clock.now_ns())
        except IdentityError:
            return False
        return self.register.is_good(certificate.serial)

    # ── at the door ──────────────────────────────────────────────────────────────────────────────

    def admit(self, knock: Knock) -> Admission:
        """Who that is, and what he may.

        Raises:
            IdentityError: nobody who may come in; the text holds no secret.
        """
        if not knock.token:
            raise IdentityError("neither certificate nor code is presented")
        if len(knock.token) <= LONGEST_CODE:
            return self._admit_code(knock)
        return self._admit_certificate(knock)

    def is_welcome(self, name: str) -> bool:
        """Whether a connection admitted under that name may stay."""
        found = _NAME.fullmatch(name)
        if found is None:
            return False
        return name.startswith(f"{ENROLMENT}:") or self.register.is_good(found[1])

    def _admit_code(self, knock: Knock) -> Admission:
        now_ns = self._clock.now_ns()
        if not self._guesses.may_try(knock.host, now_ns):
            raise IdentityError(f"too many wrong codes from {knock.host}; try again later")
        try:
            code = EnrolmentCode.read(knock.token)
        except UsageError as error:
            raise IdentityError(str(error)) from error
        known = self.register.code(self._digest(code))
        if known is None:
            self._guesses.was_wrong(knock.host, now_ns)
            raise IdentityError("the code is unknown")
        # One that is used or too old is let in too: the car is told so.
        name = f"{ENROLMENT}:{code.ticket}"
        return Admission(name, rights_of_enrolment(code.ticket), now_ns + ENROLMENT_S * NS_PER_S)

    def _admit_certificate(self, knock: Knock) -> Admission:
        certificate = Certificate.of_token(knock.token)
        self.authority.check(certificate, self._clock.now_ns())
        if not self.register.is_good(certificate.serial):
            raise IdentityError(f"the certificate of {certificate.vehicle_id} was revoked")
        if not knock.nonce or not certificate.has_signed(knock.nonce.encode(), _bytes(knock)):
            raise IdentityError(f"{certificate.vehicle_id} did not sign with its key")
        return Admission(
            _name(certificate.vehicle_id, certificate.serial),
            rights_of_vehicle(certificate.vehicle_id, certificate.fingerprint),
            certificate.not_after,
        )

    def _sign(self, request: bytes, vehicle_id: str, now_ns: int) -> Certificate:
        return self.authority.sign(
            request, vehicle_id=vehicle_id, now_ns=now_ns, days=self._vehicle_days
        )

    def _digest(self, code: EnrolmentCode) -> bytes:
        return code.digest(self._code_key)


def check_codes(vehicles: Sequence[str], *, days: float) -> None:
    """See that codes can be given to those vehicles, for so long.

    Raises:
        UsageError: too many, a wrong or doubled id, or a time that is no good.
    """
    _check_vehicles(vehicles, most=MAX_AT_ONCE)
    if not 0 < days <= MAX_CODE_DAYS:
        raise UsageError(f"codes for {days:g} days; allowed: more than 0, to {MAX_CODE_DAYS}")


def _check_vehicles(vehicles: Sequence[str], *, most: int) -> None:
    if not 1 <= len(vehicles) <= most:
        raise UsageError(f"{len(vehicles)} vehicles; allowed at once: 1 to {most}")
    seen: set[str] = set()
    for vehicle_id in vehicles:
        check_vehicle_id(vehicle_id)
        if vehicle_id in seen:
            raise UsageError(f"vehicle {vehicle_id} stands twice")
        seen.add(vehicle_id)


def _name(vehicle_id: str, serial: str) -> str:
    """What the broker calls a car's connection."""
    return f"{vehicle_id}:{serial}"


def _bytes(knock: Knock) -> bytes:
    try:
        signature = knock.signature + "=" * (-len(knock.signature) % 4)
        return base64.b64decode(signature, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise IdentityError("the signature is not base64") from error
