"""The facts of every vehicle in an open database; replaced from an instant on, all or nothing.

    store = FactStore(Database.open(folder / "history.sqlite3", [HISTORY], is_derivable=True))
    store.known("leaf").dirty_ns
    store.facts("leaf", since_ns=None, until_ns=None)
    store.replace("leaf", known, facts_from_ns=r, evidence_from_ns=c, found=[...])

Calls block, and may come from any thread.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from contactor.cloud.database.database import Database
from contactor.cloud.history import area
from contactor.cloud.history.area import FINDING
from contactor.cloud.history.coding import (
    Coded,
    Fact,
    Kind,
    decoded,
    decoded_curve,
    decoded_evidence,
    facts_of,
)
from contactor.history.battery import Evidence
from contactor.history.facts import Facts
from contactor.history.tariff_prices import EnergyCurve

_vehicles, _facts = area.vehicles, area.facts
_FOUND: Final = (Kind.INTERVAL, Kind.TRIP, Kind.CHARGE, Kind.STAND)
_REPLACED: Final = (*_FOUND, Kind.CURVE)


@dataclass(frozen=True, slots=True)
class Known:
    """How much of the lake the facts of a vehicle speak for.

    Fields:
        flush: the newest flush of the lake that they have seen.
        parts: the names of the parts that they have seen, of those that may hold its rows.
        dirty_ns: rows from then on are still to be looked at; None where all were.
    """

    flush: int = 0
    parts: frozenset[str] = frozenset()
    dirty_ns: int | None = None


class FactStore:
    """Reads and writes facts in an open database, which it closes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, vehicle_id: str) -> Known | None:
        """What the facts speak for; None where there are none, or found in another way."""
        query = select(_vehicles).where(_vehicles.c.vehicle_id == vehicle_id)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None or row.finding != FINDING:
            return None
        parts = msgspec.json.decode(row.parts, type=frozenset[str])
        return Known(row.flush, parts, row.dirty_ns)

    def vehicles(self) -> list[str]:
        """Every vehicle of which facts are kept, by id."""
        query = select(_vehicles.c.vehicle_id).order_by(_vehicles.c.vehicle_id)
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def facts(
        self,
        vehicle_id: str,
        since_ns: int | None = None,
        until_ns: int | None = None,
        kinds: Collection[Kind] = _FOUND,
    ) -> Facts:
        """What ends after `since_ns` and begins before `until_ns`."""
        query = select(_facts.c.kind, _facts.c.body).where(
            _facts.c.vehicle_id == vehicle_id, _facts.c.kind.in_([kind.value for kind in kinds])
        )
        if since_ns is not None:
            query = query.where(_facts.c.end_ns > since_ns)
        if until_ns is not None:
            query = query.where(_facts.c.start_ns < until_ns)
        with self._database.reading() as connection:
            return facts_of(decoded(Kind(kind), body) for kind, body in connection.execute(query))

    def tail(self, vehicle_id: str, kind: Kind, until_ns: int | None, limit: int) -> list[Fact]:
        """The last `limit` facts of a kind that begin before `until_ns`, newest first."""
        query = select(_facts.c.body).where(
            _facts.c.vehicle_id == vehicle_id, _facts.c.kind == kind.value
        )
        if until_ns is not None:
            query = query.where(_facts.c.start_ns < until_ns)
        query = query.order_by(_facts.c.start_ns.desc()).limit(limit)
        with self._database.reading() as connection:
            return [decoded(kind, body) for body in connection.scalars(query)]

    def curves(
        self, vehicle_id: str, since_ns: int | None = None, until_ns: int | None = None
    ) -> dict[int, EnergyCurve]:
        """How the energy of charges grew that begin in [since_ns, until_ns), by their start, ns."""
        query = select(_facts.c.start_ns, _facts.c.body).where(
            _facts.c.vehicle_id == vehicle_id, _facts.c.kind == Kind.CURVE.value
        )
        if since_ns is not None:
            query = query.where(_facts.c.start_ns >= since_ns)
        if until_ns is not None:
            query = query.where(_facts.c.start_ns < until_ns)
        with self._database.reading() as connection:
            return {start: decoded_curve(body) for start, body in connection.execute(query)}

    def evidence(self, vehicle_id: str) -> list[Evidence]:
        """All that is kept of its battery, stretch by stretch."""
        query = (
            select(_facts.c.body)
            .where(_facts.c.vehicle_id == vehicle_id, _facts.c.kind == Kind.EVIDENCE.value)
            .order_by(_facts.c.start_ns)
        )
        with self._database.reading() as connection:
            return [decoded_evidence(body) for body in connection.scalars(query)]

    def all_coded(self, vehicle_id: str) -> list[Coded]:
        """Everything that is kept of a vehicle, as it is kept."""
        query = select(_facts).where(_facts.c.vehicle_id == vehicle_id)
        with self._database.reading() as connection:
            return [
                Coded(Kind(row.kind), row.start_ns, row.end_ns, row.body)
                for row in connection.execute(query)
            ]

    def stretch_of(self, vehicle_id: str, at_ns: int) -> int | None:
        """Where the stretch of evidence begins that holds an instant, or the last before it."""
        query = select(func.max(_facts.c.start_ns)).where(
            _facts.c.vehicle_id == vehicle_id,
            _facts.c.kind == Kind.EVIDENCE.value,
            _facts.c.start_ns <= at_ns,
        )
        with self._database.reading() as connection:
            found = connection.scalar(query)
        assert found is None or isinstance(found, int)
        return found

    def replace(
        self,
        vehicle_id: str,
        known: Known,
        *,
        facts_from_ns: int | None,
        evidence_from_ns: int | None,
        found: Iterable[Coded],
    ) -> None:
        """Let what was found take the place of what ends after those instants; in one go.

        Args:
            facts_from_ns, evidence_from_ns: None for all there are.
        """
        with self._database.writing() as connection:
            _drop(connection, vehicle_id, _REPLACED, facts_from_ns)
            _drop(connection, vehicle_id, (Kind.EVIDENCE,), evidence_from_ns)
            rows = [
                {
                    "vehicle_id": vehicle_id,
                    "kind": one.kind.value,
                    "start_ns": one.start_ns,
                    "end_ns": one.end_ns,
                    "body": one.body,
                }
                for one in found
            ]
            if rows:
                connection.execute(insert(_facts), rows)
            _keep(connection, vehicle_id, known)

    def note(self, vehicle_id: str, known: Known) -> None:
        """Keep how much of the lake the facts speak for; they stay as they are."""
        with self._database.writing() as connection:
            _keep(connection, vehicle_id, known)

    def erase(self, vehicle_id: str) -> int:
        """Remove all facts of a vehicle; no byte of the file holds them then.

        Returns:
            How many there were.
        """
        with self._database.writing() as connection:
            gone = connection.execute(delete(_facts).where(_facts.c.vehicle_id == vehicle_id))
            connection.execute(delete(_vehicles).where(_vehicles.c.vehicle_id == vehicle_id))
        self._database.scrub()
        return gone.rowcount

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _drop(
    connection: Connection, vehicle_id: str, kinds: Collection[Kind], from_ns: int | None
) -> None:
    gone = delete(_facts).where(
        _facts.c.vehicle_id == vehicle_id, _facts.c.kind.in_([kind.value for kind in kinds])
    )
    if from_ns is not None:
        gone = gone.where(_facts.c.end_ns > from_ns)
    connection.execute(gone)


def _keep(connection: Connection, vehicle_id: str, known: Known) -> None:
    connection.execute(delete(_vehicles).where(_vehicles.c.vehicle_id == vehicle_id))
    connection.execute(
        insert(_vehicles).values(
            vehicle_id=vehicle_id,
            finding=FINDING,
            flush=known.flush,
            parts=msgspec.json.encode(sorted(known.parts)),
            dirty_ns=known.dirty_ns,
        )
    )
