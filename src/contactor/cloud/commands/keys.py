"""The digital keys of an instance, in one SQLite file: which were given, which were taken back.

    keys = KeyBook(folder.root / "keys.db", authority=authority)
    grant = keys.give(holder, vehicle_id="leaf", rights={Right.OPEN}, not_before=..., not_after=...,
                      issued_to="guest")            # SealedGrant, for whoever holds the key
    signer = CommandSigner(pair, keys.own(pair, now_ns))    # the cloud, for whoever asks it
    keys.revoke(keys.given("leaf")[0].id, now_ns)    # the vehicle that is to be told
    keys.revocations("leaf", now_ns)                # SealedRevocations, as the car accepts it
    keys.check(signed, now_ns)                      # CheckedCommand, or CommandRefused

No private key is in it but the authority's, which lies elsewhere. Each write is on disk when it
returns.
"""

import hashlib
import uuid
from collections.abc import Collection
from functools import partial
from pathlib import Path

import msgspec

from contactor.clock import NS_PER_DAY
from contactor.errors import FolderError, UnknownIdentity, UsageError
from contactor.link.identities.authority import Authority
from contactor.link.identities.grants import CommandChecker, grant_to, seal
from contactor.link.identities.keys import KeyPair
from contactor.signals.grant import SealedGrant, decode_grant
from contactor.signals.revocations import MAX_REVOKED, Revocations, SealedRevocations
from contactor.signals.rights import EVERY_VEHICLE, Right
from contactor.signals.signed_command import CheckedCommand, SignedCommand
from contactor.sqlite_file import (
    FileFormat,
    OtherFormatError,
    folder_errors,
    open_sqlite,
    transaction,
)

SCHEMA = """
create table key (
    id text primary key, vehicle_id text not null, body blob not null, signature blob not null,
    not_after integer not null, revoked_at integer
) without rowid;
create index key_of on key (vehicle_id);
create table list (
    vehicle_id text primary key,    -- or '*', whose counter is added to each vehicle's
    counter    integer not null
) without rowid;
pragma user_version = 1
"""
FORMAT = FileFormat("keys", SCHEMA, 1)
LISTED_AFTER_NS = NS_PER_DAY
"""A key that was taken back stays on the list for so long after its end: clocks differ."""
MAX_COUNTER = 2**61
OWN_LIFE_NS = 4 * 365 * NS_PER_DAY

_errors = partial(folder_errors, "keys.db")


class DigitalKey(msgspec.Struct, frozen=True):
    """A key as the book has it; instants are ns UTC, `revoked_at` None while it holds."""

    id: str
    vehicle_id: str
    rights: tuple[str, ...]
    issued_to: str
    not_before: int
    not_after: int
    revoked_at: int | None


class KeyBook:
    """Owns the file; used from one thread at a time.

    Args:
        path: the file, or ":memory:".

    Raises:
        FolderError: it cannot be opened, or a newer Contactor wrote it.
    """

    def __init__(self, path: Path | str, *, authority: Authority) -> None:
        self._authority = authority
        self._checker = CommandChecker(authority.pem)
        with _errors():
            try:
                self._database = open_sqlite(path, FORMAT)
            except OtherFormatError as error:
                raise FolderError(f"{path}: {error}") from error
            if path != ":memory:":
                Path(path).chmod(0o600)
            revoked = self._database.execute("select id from key where revoked_at is not null")
            self._revoked = {key_id for (key_id,) in revoked.fetchall()}

    @property
    def authority_pem(self) -> bytes:
        """The certificate by which cars check what is given here."""
        return self._authority.pem

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def give(
        self,
        holder: bytes,
        *,
        vehicle_id: str,
        rights: Collection[Right],
        not_before: int,
        not_after: int,
        issued_to: str,
    ) -> SealedGrant:
        """A new key for whoever holds the private key of `holder`.

        Raises:
            UsageError: it would end before it begins.
            FolderError: it cannot be kept.
        """
        if not_after <= not_before:
            raise UsageError("a key must end after it begins")
        key_id = uuid.uuid4().hex
        sealed = grant_to(
            holder,
            authority=self._authority,
            vehicle_id=vehicle_id,
            rights=rights,
            not_before=not_before,
            not_after=not_after,
            issued_to=issued_to,
            grant_id=key_id,
        )
        self._keep(key_id, vehicle_id, sealed, not_after)
        return sealed

    def own(self, pair: KeyPair, now_ns: int) -> SealedGrant:
        """The cloud's own key, for every vehicle and right: given once, and again near its end."""
        key_id = f"cloud-{hashlib.sha256(pair.public_bytes).hexdigest()[:16]}"
        with _errors():
            row = self._database.execute(
                "select body, signature from key where id = ? and not_after > ?",
                (key_id, now_ns + OWN_LIFE_NS // 2),
            ).fetchone()
        if row is not None:
            return SealedGrant(*row)
        sealed = grant_to(
            pair.public_bytes,
            authority=self._authority,
            vehicle_id=EVERY_VEHICLE,
            rights=tuple(Right),
            not_before=now_ns - NS_PER_DAY,
            not_after=now_ns + OWN_LIFE_NS,
            issued_to="cloud",
            grant_id=key_id,
        )
        self._keep(key_id, EVERY_VEHICLE, sealed, now_ns + OWN_LIFE_NS)
        return sealed

    def _keep(self, key_id: str, vehicle_id: str, sealed: SealedGrant, not_after: int) -> None:
        with _errors():
            self._database.execute(
                "insert into key values (?, ?, ?, ?, ?, null) on conflict (id) do update"
                " set body = excluded.body, signature = excluded.signature,"
                " not_after = excluded.not_after",
                (key_id, vehicle_id, sealed.body, sealed.signature, not_after),
            )

    def given(self, vehicle_id: str) -> list[DigitalKey]:
        """The keys of a vehicle, those of every vehicle included, by their end."""
        with _errors():
            rows = self._database.execute(
                "select body, revoked_at from key where vehicle_id in (?, ?)"
                " order by not_after, id",
                (vehicle_id, EVERY_VEHICLE),
            ).fetchall()
        return [_told(body, revoked_at) for body, revoked_at in rows]

    def revoke(self, key_id: str, now_ns: int) -> str:
        """Take a key back; the vehicle that is to be told, or `EVERY_VEHICLE`.

        Raises:
            UnknownIdentity: no key of that id was given.
            UsageError: too many keys of the vehicle are taken back and have not ended.
            FolderError: it cannot be kept.
        """
        with _errors(), transaction(self._database):
            row = self._database.execute(
                "select vehicle_id, revoked_at from key where id = ?", (key_id,)
            ).fetchone()
            if row is None:
                raise UnknownIdentity(f"no key {key_id[:80]!r} was given")
            vehicle_id: str = row[0]
            if row[1] is None:
                if len(self._listed(vehicle_id, now_ns)) >= MAX_REVOKED // 2:
                    raise UsageError(f"{MAX_REVOKED // 2} keys of {vehicle_id} are taken back")
                self._database.execute(
                    "update key set revoked_at = ? where id = ?", (now_ns, key_id)
                )
                self._count(vehicle_id, 1)
        self._revoked.add(key_id)
        return vehicle_id

    def counter(self, vehicle_id: str) -> int:
        """The counter of a vehicle's list; 0 where nothing was ever taken back."""
        with _errors():
            row = self._database.execute(
                "select coalesce(sum(counter), 0) from list where vehicle_id in (?, ?)",
                (vehicle_id, EVERY_VEHICLE),
            ).fetchone()
        return int(row[0])

    def overtake(self, vehicle_id: str, counter: int) -> None:
        """Go on above a counter that a vehicle has: this book was restored from an older one."""
        behind = counter - self.counter(vehicle_id)
        if behind >= 0 and counter < MAX_COUNTER:
            with _errors():
                self._count(vehicle_id, behind + 1)

    def vehicles(self) -> list[str]:
        """Those that have a list of their own."""
        with _errors():
            rows = self._database.execute(
                "select vehicle_id from list where vehicle_id <> ? order by 1", (EVERY_VEHICLE,)
            ).fetchall()
        return [vehicle_id for (vehicle_id,) in rows]

    def revocations(self, vehicle_id: str, now_ns: int) -> SealedRevocations:
        """The list as the vehicle accepts it."""
        with _errors():
            listed = {*self._listed(vehicle_id, now_ns), *self._listed(EVERY_VEHICLE, now_ns)}
        counter = self.counter(vehicle_id)
        return seal(
            Revocations(vehicle_id, counter, now_ns, tuple(sorted(listed))), self._authority
        )

    def erase(self, vehicle_id: str) -> int:
        """Remove every key of a vehicle alone, so that no byte of the file names it; how many.

        The car goes on by what it has: a key that has not ended is to be revoked first.
        """
        with _errors():
            self._database.execute("pragma secure_delete = on")
            gone = self._database.execute(
                "delete from key where vehicle_id = ?", (vehicle_id,)
            ).rowcount
            self._database.execute("delete from list where vehicle_id = ?", (vehicle_id,))
            self._database.execute("vacuum")
            self._database.execute("pragma wal_checkpoint(truncate)")
            return gone

    def check(self, signed: SignedCommand, now_ns: int) -> CheckedCommand:
        """A command that a key's holder has signed, if the key holds.

        Raises:
            MalformedRecord: it cannot be read.
            CommandRefused: the text is the reason, as `kind: words`.
        """
        return self._checker.check(signed, now_ns, revoked=self._revoked)

    def _listed(self, vehicle_id: str, now_ns: int) -> list[str]:
        rows = self._database.execute(
            "select id from key where vehicle_id = ? and revoked_at is not null and not_after > ?",
            (vehicle_id, now_ns - LISTED_AFTER_NS),
        ).fetchall()
        return [key_id for (key_id,) in rows]

    def _count(self, vehicle_id: str, by: int) -> None:
        self._database.execute(
            "insert into list values (?, ?)"
            " on conflict (vehicle_id) do update set counter = counter + excluded.counter",
            (vehicle_id, by),
        )


def _told(body: bytes, revoked_at: int | None) -> DigitalKey:
    grant = decode_grant(body)
    return DigitalKey(
        grant.id,
        grant.vehicle_id,
        grant.rights,
        grant.issued_to,
        grant.not_before,
        grant.not_after,
        revoked_at,
    )
