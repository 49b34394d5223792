"""Codes and certificates of an instance in one SQLite file.

    register = Register(folder.register)
    register.add_codes([(digest, "leaf", expires_at)], now_ns)
    register.enrol(digest, certificate, now_ns)         # the code is used, older certificates end
    register.is_good(certificate.serial)
    register.revoke("leaf", "revoked", now_ns)          # serials that ended

No code is in it, only what `EnrolmentCode.digest` makes of it. Each write is on disk when it
returns.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from contactor.errors import FolderError, UnknownIdentity
from contactor.link.identities.certificates import Certificate
from contactor.sqlite_file import (
    FileFormat,
    OtherFormatError,
    folder_errors,
    open_sqlite,
    transaction,
)

SCHEMA = """
create table code (
    digest blob primary key, vehicle_id text not null, made_at integer not null,
    expires_at integer not null, serial text
) without rowid;
create index code_of on code (vehicle_id);
create table certificate (
    serial text primary key, vehicle_id text not null, der blob not null,
    issued_at integer not null, expires_at integer not null, is_own integer not null,
    ended_at integer, reason text
) without rowid;
create index certificate_of on certificate (vehicle_id);
pragma user_version = 1
"""
FORMAT = FileFormat("identities", SCHEMA, 1)
REPLACED = "replaced"
REVOKED = "revoked"
OTHER_AUTHORITY = "the authority is another"
_our_errors = partial(folder_errors, "identities.db")


class IdentityState(StrEnum):
    """Where a vehicle stands: it has a code, a certificate, or one that has ended."""

    WAITING = "waiting"
    ENROLLED = "enrolled"
    EXPIRED = "expired"
    REVOKED = "revoked"


class VehicleIdentity(msgspec.Struct, frozen=True):
    """A vehicle as the register has it; instants are ISO 8601 where they are told.

    Fields:
        enrolled_at, expires_at: of its newest certificate; None without one.
        code_expires_at: of the newest code that is not used; None without one.
    """

    vehicle_id: str
    state: IdentityState
    enrolled_at: int | None
    expires_at: int | None
    code_expires_at: int | None


class GivenCertificate(msgspec.Struct, frozen=True):
    """What is known of a certificate, without the certificate; instants in ns UTC."""

    serial: str
    issued_at: int
    expires_at: int
    ended_at: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class KnownCode:
    """What is known of a code; `serial` is of the certificate that it was used for."""

    vehicle_id: str
    expires_at: int
    serial: str | None


class Register:
    """Owns the file; used from one thread at a time.

    Args:
        path: the file, or ":memory:".

    Raises:
        FolderError: it cannot be opened, or a newer Contactor wrote it.
    """

    def __init__(self, path: Path | str) -> None:
        with _our_errors():
            try:
                self._database = open_sqlite(path, FORMAT)
            except OtherFormatError as error:
                raise FolderError(f"{path}: {error}") from error
            if path != ":memory:":
                Path(path).chmod(0o600)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # ── codes ────────────────────────────────────────────────────────────────────────────────────

    def add_codes(self, codes: Sequence[tuple[bytes, str, int]], now_ns: int) -> None:
        """Keep codes, each as digest, vehicle and end; an older unused one of a vehicle ends."""
        with self._transaction():
            self._database.executemany(
                "delete from code where vehicle_id = ? and serial is null",
                [(vehicle_id,) for _, vehicle_id, _ in codes],
            )
            self._database.executemany(
                "insert into code values (?, ?, ?, ?, null)",
                [(digest, vehicle_id, now_ns, until) for digest, vehicle_id, until in codes],
            )

    def code(self, digest: bytes) -> KnownCode | None:
        """What is known of a code; None where there is none."""
        rows = self._read(
            "select vehicle_id, expires_at, serial from code where digest = ?", digest
        )
        return KnownCode(*rows[0]) if rows else None

    # ── certificates ─────────────────────────────────────────────────────────────────────────────

    def enrol(self, digest: bytes, certificate: Certificate, now_ns: int) -> list[str]:
        """Use a code for a certificate; the serials of older ones of the vehicle, which end."""
        with self._transaction():
            ended = self._end(certificate.vehicle_id, REPLACED, now_ns)
            self._add(certificate, now_ns, is_own=False)
            self._database.execute(
                "update code set serial = ? where digest = ?", (certificate.serial, digest)
            )
        return ended

    def enrol_own(self, certificate: Certificate, now_ns: int) -> list[str]:
        """Give an instance's own car a certificate; the serials of older ones, which end."""
        with self._transaction():
            ended = self._end(certificate.vehicle_id, REPLACED, now_ns)
            self._add(certificate, now_ns, is_own=True)
        return ended

    def add_all(self, certificates: Sequence[Certificate], now_ns: int) -> None:
        """Give vehicles that have none a certificate each, all of them or none."""
        with self._transaction():
            for certificate in certificates:
                self._add(certificate, now_ns, is_own=False)

    def add(self, certificate: Certificate, now_ns: int) -> None:
        """Keep the next certificate of a vehicle; those before it go on to their end."""
        is_own = not self.is_others(certificate.vehicle_id)
        with self._transaction():
            self._add(certificate, now_ns, is_own=is_own)

    def is_others(self, vehicle_id: str) -> bool:
        """Whether another unit than the instance itself is enrolled as that."""
        rows = self._read(
            "select 1 from certificate where vehicle_id = ? and ended_at is null and not is_own"
            " limit 1",
            vehicle_id,
        )
        return bool(rows)

    def is_good(self, serial: str) -> bool:
        """Whether that certificate was given here and has not been ended."""
        rows = self._read("select ended_at is null from certificate where serial = ?", serial)
        return bool(rows and rows[0][0])

    def certificate(self, serial: str) -> Certificate:
        """One that was given here.

        Raises:
            UnknownIdentity: it was not.
        """
        rows = self._read("select der from certificate where serial = ?", serial)
        if not rows:
            raise UnknownIdentity(f"no certificate {serial[:80]}")
        return Certificate.of_der(rows[0][0])

    def newest(self, vehicle_id: str) -> Certificate | None:
        """The newest certificate of a vehicle that has not been ended."""
        rows = self._read(
            "select der from certificate where vehicle_id = ? and ended_at is null"
            " order by issued_at desc, expires_at desc limit 1",
            vehicle_id,
        )
        return Certificate.of_der(rows[0][0]) if rows else None

    def certificates(self, vehicle_id: str) -> list[GivenCertificate]:
        """Every certificate that a vehicle was given, the newest first."""
        rows = self._read(
            "select serial, issued_at, expires_at, ended_at, reason from certificate"
            " where vehicle_id = ? order by issued_at desc, expires_at desc",
            vehicle_id,
        )
        return [GivenCertificate(*row) for row in rows]

    def revoke(self, vehicle_id: str, reason: str, now_ns: int) -> list[str]:
        """End all certificates and codes of a vehicle; the serials that ended now.

        Raises:
            UnknownIdentity: it never had any.
        """
        self.find(vehicle_id, now_ns)
        with self._transaction():
            self._database.execute(
                "update code set expires_at = min(expires_at, ?)"
                " where vehicle_id = ? and serial is null",
                (now_ns, vehicle_id),
            )
            return self._end(vehicle_id, reason, now_ns)

    def expire_all(self, now_ns: int) -> int:
        """End all that another authority's key had made; how many vehicles had a certificate."""
        with self._transaction():
            self._database.execute(
                "update code set expires_at = min(expires_at, ?) where serial is null", (now_ns,)
            )
            rows = self._database.execute(
                "update certificate set ended_at = ?1, reason = ?2,"
                " expires_at = min(expires_at, ?1) where ended_at is null returning vehicle_id",
                (now_ns, OTHER_AUTHORITY),
            ).fetchall()
        return len(set(rows))

    # ── looking things up ────────────────────────────────────────────────────────────────────────

    def find(self, vehicle_id: str, now_ns: int) -> VehicleIdentity:
        """Where a vehicle stands.

        Raises:
            UnknownIdentity: no code was made and no certificate given for it.
        """
        codes = self._read(
            "select max(expires_at) from code"
            " where vehicle_id = ? and serial is null and expires_at > ?",
            vehicle_id,
            now_ns,
        )
        rows = self._read(
            "select issued_at, expires_at, reason from certificate where vehicle_id = ?"
            " order by ended_at is null desc, issued_at desc, expires_at desc limit 1",
            vehicle_id,
        )
        if not rows and not self._read("select 1 from code where vehicle_id = ?", vehicle_id):
            raise UnknownIdentity(f"vehicle {vehicle_id[:80]!r} has no code and no certificate")
        until = codes[0][0]
        if not rows:
            state = IdentityState.WAITING if until is not None else IdentityState.EXPIRED
            return VehicleIdentity(vehicle_id, state, None, None, until)
        issued_at, expires_at, reason = rows[0]
        state = IdentityState.ENROLLED if expires_at > now_ns else IdentityState.EXPIRED
        if reason == REVOKED:
            state = IdentityState.REVOKED
        return VehicleIdentity(vehicle_id, state, issued_at, expires_at, until)

    def count(self) -> int:
        """How many vehicles have a certificate that has not been ended."""
        query = "select count(distinct vehicle_id) from certificate where ended_at is null"
        return int(self._read(query)[0][0])

    def page(self, now_ns: int, *, limit: int, after: str = "") -> list[VehicleIdentity]:
        """Vehicles by their ids, those after `after`."""
        rows = self._read(
            "select vehicle_id from code where vehicle_id > ?1 union"
            " select vehicle_id from certificate where vehicle_id > ?1 order by 1 limit ?2",
            after,
            limit,
        )
        return [self.find(vehicle_id, now_ns) for (vehicle_id,) in rows]

    def erase(self, vehicle_id: str) -> int:
        """Remove a vehicle, so that no byte of the file names it; how many rows there were."""
        with _our_errors():
            self._database.execute("pragma secure_delete = on")
            gone = sum(
                self._database.execute(
                    f"delete from {table} where vehicle_id = ?", (vehicle_id,)
                ).rowcount
                for table in ("code", "certificate")
            )
            self._database.execute("vacuum")
            self._database.execute("pragma wal_checkpoint(truncate)")
            return gone

    # ── within ───────────────────────────────────────────────────────────────────────────────────

    def _add(self, certificate: Certificate, now_ns: int, *, is_own: bool) -> None:
        self._database.execute(
            "insert into certificate values (?, ?, ?, ?, ?, ?, null, null)",
            (
                certificate.serial,
                certificate.vehicle_id,
                certificate.der,
                now_ns,
                certificate.not_after,
                is_own,
            ),
        )

    def _end(self, vehicle_id: str, reason: str, now_ns: int) -> list[str]:
        rows = self._database.execute(
            "update certificate set ended_at = ?, reason = ?"
            " where vehicle_id = ? and ended_at is null returning serial",
            (now_ns, reason, vehicle_id),
        ).fetchall()
        return [serial for (serial,) in rows]

    def _read(self, query: str, *values: object) -> list[Any]:  # what SQLite holds, by our schema
        with _our_errors():
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _our_errors(), transaction(self._database):
            yield
