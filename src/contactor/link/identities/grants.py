"""Grants and signed commands: who makes them, and how a car checks them without asking anybody.

    authority ── grant: this key may open leaf until ──► holder
    holder ── command, its signature, the grant ──► (cloud, unread or not) ──► car
    car: authority's key, own clock, last list of revocations ─► the command, or why not

    grant = grant_to(pair.public_bytes, authority=authority, vehicle_id="leaf", ...)
    signer = CommandSigner(pair, grant)
    checker = CommandChecker(authority.pem)
    checked = checker.check(signer.sign(command), now_ns, vehicle_id="leaf")
    checked.command, checked.grant

The authority's key is used for grants and revocations only: the cloud signs commands with a key of
its own, which has a grant like any other.

Source: RFC 8032 (Ed25519).
"""

import uuid
from collections.abc import Collection

from contactor.errors import CommandRefused, IdentityError, MalformedRecord
from contactor.link.identities.authority import Authority, authority_key
from contactor.link.identities.keys import KeyPair, has_signed
from contactor.signals.command import Command
from contactor.signals.grant import GRANT_WORDS, Grant, SealedGrant, decode_grant, encode_grant
from contactor.signals.revocations import (
    REVOCATION_WORDS,
    Revocations,
    SealedRevocations,
    decode_revocations,
    encode_revocations,
)
from contactor.signals.rights import Right
from contactor.signals.signed_command import (
    CheckedCommand,
    SignedCommand,
    decode_body,
    encode_body,
    freshness_objection,
    words_to_sign,
)


def grant_to(
    holder: bytes,
    *,
    authority: Authority,
    vehicle_id: str,
    rights: Collection[Right],
    not_before: int,
    not_after: int,
    issued_to: str,
    grant_id: str | None = None,
) -> SealedGrant:
    """A grant for whoever has the private key of `holder`.

    Args:
        holder: a public key (Ed25519).
        vehicle_id: one vehicle, or `EVERY_VEHICLE`.
        not_before, not_after: ns UTC.
        grant_id: None for one by chance.
    """
    words = tuple(sorted(right.value for right in rights))
    grant = Grant(
        grant_id or uuid.uuid4().hex, holder, vehicle_id, words, not_before, not_after, issued_to
    )
    body = encode_grant(grant)
    return SealedGrant(body, authority.sign_words(GRANT_WORDS + body))


def seal(revocations: Revocations, authority: Authority) -> SealedRevocations:
    """A list as a car accepts it."""
    body = encode_revocations(revocations)
    return SealedRevocations(body, authority.sign_words(REVOCATION_WORDS + body))


class CommandSigner:
    """Signs commands with one key, under its grant."""

    def __init__(self, pair: KeyPair, grant: SealedGrant) -> None:
        self._pair = pair
        self._grant = grant

    def sign(self, command: Command) -> SignedCommand:
        """A command as a car accepts it."""
        body = encode_body(command)
        signature = self._pair.sign(words_to_sign(body, self._grant.body))
        return SignedCommand(body, self._grant, signature)


class CommandChecker:
    """Checks what is signed against one authority; asks nobody and keeps nothing.

    Args:
        authority_pem: the authority's certificate.

    Raises:
        IdentityError: it is none of an authority of ours.
    """

    def __init__(self, authority_pem: bytes) -> None:
        self._authority = authority_key(authority_pem)

    def check(
        self,
        signed: SignedCommand,
        now_ns: int,
        *,
        vehicle_id: str | None = None,
        revoked: Collection[str] = (),
    ) -> CheckedCommand:
        """The command, if it is to be done as far as can be seen from itself.

        Args:
            now_ns: ns UTC, by a clock that is right.
            vehicle_id: who is asked; None for whichever the command names.
            revoked: ids of grants that hold no more.

        Raises:
            MalformedRecord: it cannot be read.
            CommandRefused: the text is the reason, as `kind: words`.
        """
        command, grant = decode_body(signed.body), decode_grant(signed.grant.body)
        if vehicle_id is not None and command.vehicle_id != vehicle_id:
            raise CommandRefused(f"wrong car: it is for {command.vehicle_id}")
        if not has_signed(self._authority, GRANT_WORDS + signed.grant.body, signed.grant.signature):
            raise CommandRefused("grant: not signed by this car's authority")
        words = words_to_sign(signed.body, signed.grant.body)
        if not has_signed(grant.holder, words, signed.signature):
            raise CommandRefused("signature: not that of the grant's holder")
        checked = CheckedCommand(command, grant)
        objection = checked.objection(now_ns, revoked) or freshness_objection(command, now_ns)
        if objection is not None:
            raise CommandRefused(objection)
        return checked

    def check_revocations(self, sealed: SealedRevocations, vehicle_id: str) -> Revocations:
        """A list, if the authority made it for that vehicle.

        Raises:
            MalformedRecord: it cannot be read.
            IdentityError: it is somebody else's.
        """
        if not has_signed(self._authority, REVOCATION_WORDS + sealed.body, sealed.signature):
            raise IdentityError("revocations: not signed by this car's authority")
        revocations = decode_revocations(sealed.body)
        if revocations.vehicle_id != vehicle_id:
            raise IdentityError(f"revocations: they are those of {revocations.vehicle_id}")
        return revocations

    def read_grant(self, sealed: SealedGrant) -> Grant:
        """A grant, if the authority made it.

        Raises:
            IdentityError: it is none of its.
        """
        if not has_signed(self._authority, GRANT_WORDS + sealed.body, sealed.signature):
            raise IdentityError("grant: not signed by this authority")
        try:
            return decode_grant(sealed.body)
        except MalformedRecord as error:
            raise IdentityError(f"grant: {error}") from error
