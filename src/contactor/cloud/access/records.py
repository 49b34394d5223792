"""Who did what, noted in the audit log under names that can be forgotten.

    records = Records(AuditLog.open(folder / "audit.jsonl"), database, clock=clock)
    records.note(principal, "command", "accepted", vehicle_id="leaf", detail={"path": path})
    records.is_new(principal, Right.LOCATE, "leaf")     # once an hour
    records.page(limit=100, before=None)
    records.select(read_by(consent.id), since_ns=consent.made_ns)   # what its receiver has read

A line of the log cannot be taken out of its chain. So people stand in it by their number, vehicles
by an alias, a third party by its consent, and what these mean stands in the database: who or what
is erased there stays in the log as somebody.
"""

import itertools
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, Self, TypeAlias

import msgspec
from sqlalchemy import Connection, insert, select

from contactor.clock import NS_PER_S, Clock, to_iso
from contactor.cloud.access import area
from contactor.cloud.access.audit import AuditLog, Entry, newest
from contactor.cloud.access.consents import receivers
from contactor.cloud.access.logins import Principal
from contactor.cloud.access.rows import key_of
from contactor.cloud.database.database import Database
from contactor.errors import FolderError

SEEN_NS: Final = 3_600 * NS_PER_S
REMEMBERED: Final = 10_000
ABOUT: Final = "about"
"""Under what an entry's detail has the number of the person whom it is about."""
NOTHING: Mapping[str, str | float | bool | None] = MappingProxyType({})

Wanted: TypeAlias = Callable[[Entry], bool]

_log = logging.getLogger(__name__)


class Record(msgspec.Struct, frozen=True):
    """An entry of the log as it is told: with names, where they are still known."""

    number: int
    ts: str
    who: str
    by: str
    what: str
    vehicle_id: str | None
    outcome: str
    detail: dict[str, str | float | bool | None]


class AuditPage(msgspec.Struct, frozen=True):
    """Entries of the audit log, newest first; `next` is the cursor of the next page, or null."""

    items: list[Record]
    next: str | None

    @classmethod
    def of(cls, found: list[Record], limit: int) -> Self:
        """The first `limit` of what was found, of which one more was asked for."""
        page = found[:limit]
        return cls(page, str(page[-1].number) if len(found) > limit else None)


class Records:
    """Notes what is done; calls block, any thread may call."""

    def __init__(self, log: AuditLog, database: Database, *, clock: Clock) -> None:
        self._log, self._database, self._clock = log, database, clock
        self._aliases: dict[str, str] = {}
        self._seen: OrderedDict[tuple[str, str, str | None], int] = OrderedDict()

    def note(
        self,
        who: Principal | None,
        what: str,
        outcome: str,
        *,
        vehicle_id: str | None = None,
        about: str | None = None,
        detail: Mapping[str, str | float | bool | None] = NOTHING,
    ) -> None:
        """Note something; where that fails, the instance's log says so and work goes on.

        Args:
            about: the name of a person whom it is about, where somebody has it.
        """
        try:
            person_id = None if about is None else self._number(about)
            told = {} if person_id is None else {ABOUT: person_id}
            if who is not None and who.consent is not None:
                told["consent"] = who.consent.consent_id
            entry = Entry(
                ts=self._clock.now_ns(),
                who="nobody" if who is None else who.person.id,
                what=what,
                outcome=outcome,
                vehicle_id=None if vehicle_id is None else self._alias(vehicle_id),
                detail={"by": "" if who is None else who.by, **told, **detail},
            )
            self._log.append(entry)
        except FolderError as error:
            _log.error("not noted in the audit log what=%s reason=%s", what, error)

    def is_new(self, who: Principal, what: str, vehicle_id: str | None) -> bool:
        """Whether somebody looks at something for the first time in an hour; on one thread."""
        key, now_ns = (who.by, what, vehicle_id), self._clock.now_ns()
        if now_ns - self._seen.get(key, now_ns - SEEN_NS) < SEEN_NS:
            return False
        self._seen.pop(key, None)
        self._seen[key] = now_ns
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def page(self, *, limit: int, before: int | None) -> list[Record]:
        """The newest entries, those before a number.

        Raises:
            AuditBroken: the log is not as it was written.
            FolderError: it cannot be read.
        """
        return list(itertools.islice(self.select(lambda _: True, before=before), limit))

    def select(
        self, wanted: Wanted, *, before: int | None = None, since_ns: int = 0
    ) -> Iterator[Record]:
        """The newest entries that are wanted, read as they are taken.

        Args:
            before: only those of a lower number.
            since_ns: it ends at the first one that is older, ns UTC.

        Raises:
            AuditBroken: the log is not as it was written.
            FolderError: it cannot be read.
        """
        with self._database.reading() as connection:
            names, vehicles = _names(connection)
        for number, entry in newest(self._log.path, before=before):
            if entry.ts < since_ns:
                return
            if wanted(entry):
                yield _record(number, entry, names, vehicles)

    def of_vehicle(self, vehicle_id: str) -> Wanted:
        """The entries about a vehicle."""
        mine = area.aliases.c.vehicle_id == vehicle_id
        with self._database.reading() as connection:
            alias = connection.scalar(select(area.aliases.c.alias).where(mine))
        return lambda entry: alias is not None and entry.vehicle_id == alias

    def _number(self, name: str) -> str | None:
        mine = area.people.c.key_name == key_of(name)
        with self._database.reading() as connection:
            return connection.scalar(select(area.people.c.id).where(mine))

    def _alias(self, vehicle_id: str) -> str:
        if vehicle_id in self._aliases:
            return self._aliases[vehicle_id]
        mine = area.aliases.c.vehicle_id == vehicle_id
        with self._database.writing() as connection:
            alias = connection.scalar(select(area.aliases.c.alias).where(mine))
            if alias is None:
                alias = f"v{secrets.token_hex(6)}"
                values = {"vehicle_id": vehicle_id, "alias": alias}
                connection.execute(insert(area.aliases).values(values))
        self._aliases[vehicle_id] = alias
        return alias


def read_by(consent_id: str) -> Wanted:
    """The entries of what the receiver of a consent did."""
    return lambda entry: entry.who == consent_id


def of_person(person_id: str) -> Wanted:
    """The entries of what somebody did, and of what was done about them."""
    return lambda entry: person_id in (entry.who, entry.detail.get(ABOUT))


def _names(connection: Connection) -> tuple[dict[str, str], dict[str, str]]:
    """By number who people and receivers are, and by alias which vehicle it is."""
    people = connection.execute(select(area.people.c.id, area.people.c.name)).all()
    aliases = connection.execute(select(area.aliases)).all()
    names = {row.id: row.name for row in people}
    return names | receivers(connection), {row.alias: row.vehicle_id for row in aliases}


def _record(
    number: int, entry: Entry, people: Mapping[str, str], vehicles: Mapping[str, str]
) -> Record:
    detail = dict(entry.detail)
    by = detail.pop("by", "")
    if ABOUT in detail:
        detail[ABOUT] = people.get(str(detail[ABOUT]), detail[ABOUT])
    known = vehicles.get(entry.vehicle_id or "", entry.vehicle_id)
    return Record(
        number=number,
        ts=to_iso(entry.ts),
        who=people.get(entry.who, entry.who),
        by=str(by),
        what=entry.what,
        vehicle_id=known,
        outcome=entry.outcome,
        detail=detail,
    )
