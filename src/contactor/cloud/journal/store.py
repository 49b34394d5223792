"""The journal of an instance: what people say of trips and charges, their places, their tariffs.

    journal = Journal(Database.open(folder / "contactor.sqlite3", [JOURNAL]))
    journal.say("leaf", Subject.TRIP, remark)
    journal.remarks("leaf", Subject.TRIP)
    found = find_places(stops, known=journal.places())
    journal.keep_places("leaf", found)

Calls block, and may come from any thread. Nothing here is found again in the lake.
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, Row, and_, delete, exists, insert, select, update

from contactor.cloud.database.database import Database
from contactor.cloud.journal import area
from contactor.cloud.journal.fences import FenceJson, fence_json, fence_of
from contactor.errors import InvalidValue, UnknownPlace
from contactor.history.geofence import Fence
from contactor.history.journal import Purpose, Remark, Subject, Words, check_word, check_words
from contactor.history.places import Found, Place

_remarks, _places, _stops, _tariffs = area.remarks, area.places, area.stops, area.tariffs


class Journal:
    """Reads and writes the journal in an open database, which it closes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ── remarks ──────────────────────────────────────────────────────────────────────────────────

    def say(self, vehicle_id: str, subject: Subject, remark: Remark) -> None:
        """Keep a remark; one of the very same span is replaced.

        Raises:
            InvalidValue: words that are none.
        """
        words = check_words(remark.words)
        same = and_(
            _remarks.c.vehicle_id == vehicle_id,
            _remarks.c.subject == subject.value,
            _remarks.c.start_ns == remark.start_ns,
            _remarks.c.end_ns == remark.end_ns,
        )
        row = insert(_remarks).values(
            vehicle_id=vehicle_id,
            subject=subject.value,
            start_ns=remark.start_ns,
            end_ns=remark.end_ns,
            said_ns=remark.said_ns,
            purpose=None if words.purpose is None else words.purpose.value,
            driver=words.driver,
            tags=msgspec.json.encode(words.tags).decode(),
            note=words.note,
        )
        with self._database.writing() as connection:
            connection.execute(delete(_remarks).where(same))
            connection.execute(row)

    def remarks(self, vehicle_id: str, subject: Subject) -> list[Remark]:
        """What was said of a vehicle's trips or charges, in the order in which it was said."""
        query = (
            select(_remarks)
            .where(_remarks.c.vehicle_id == vehicle_id, _remarks.c.subject == subject.value)
            .order_by(_remarks.c.said_ns, _remarks.c.number)
        )
        with self._database.reading() as connection:
            return [_remark(row) for row in connection.execute(query)]

    # ── places ───────────────────────────────────────────────────────────────────────────────────

    def places(self) -> list[Place]:
        """Every place that is known, in the order in which they were found."""
        with self._database.reading() as connection:
            return [_place(row) for row in _all_places(connection)]

    def keep_places(self, vehicle_id: str, found: Found) -> None:
        """Keep the places that were new, and that the vehicle stops at those it stops at.

        Places that another thread kept meanwhile stay as they are.
        """
        with self._database.writing() as connection:
            known = {row.id for row in _all_places(connection)}
            for place in found.new:
                if place.id not in known:
                    _add_place(connection, place)
            known |= {place.id for place in found.new}
            told = set(
                connection.scalars(
                    select(_stops.c.place_id).where(_stops.c.vehicle_id == vehicle_id)
                )
            )
            for place_id in _once(place.id for place in found.at):
                if place_id in known and place_id not in told:
                    connection.execute(
                        insert(_stops).values(place_id=place_id, vehicle_id=vehicle_id)
                    )

    def name_place(self, place_id: str, name: str | None) -> Place:
        """Give a place a name, or take it.

        Raises:
            InvalidValue: a name that is none, or that another place has.
            UnknownPlace: there is none of that id.
        """
        with self._database.writing() as connection:
            _check_name(connection, name, place_id)
            connection.execute(update(_places).where(_places.c.id == place_id).values(name=name))
            return _find_place(connection, place_id)

    def draw_place(self, place_id: str, name: str, fence: Fence) -> Place:
        """Draw a place, or draw one anew: its fence is the owner's from now on.

        Raises:
            InvalidValue: a name that is none, or that another place has.
        """
        place = Place(id=place_id, fence=fence, name=name, is_drawn=True)
        check_word("id", place_id)
        drawn = update(_places).where(_places.c.id == place_id).values(**_place_values(place))
        with self._database.writing() as connection:
            _check_name(connection, name, place_id)
            if connection.execute(drawn).rowcount == 0:
                _add_place(connection, place)
            return place

    def forget_place(self, place_id: str) -> None:
        """Remove a place; stops there make one anew when places are next asked for.

        Raises:
            UnknownPlace: there is none of that id.
        """
        with self._database.writing() as connection:
            _find_place(connection, place_id)
            connection.execute(delete(_places).where(_places.c.id == place_id))

    # ── tariffs ──────────────────────────────────────────────────────────────────────────────────

    def set_tariffs(self, body: str, now_ns: int) -> None:
        """Keep what charging costs from now on, as `history.tariff` reads it."""
        with self._database.writing() as connection:
            connection.execute(delete(_tariffs))
            connection.execute(insert(_tariffs).values(said_ns=now_ns, body=body))

    def tariffs(self) -> str | None:
        """What charging costs, or None where nobody said."""
        with self._database.reading() as connection:
            return connection.scalar(select(_tariffs.c.body))

    # ── all of it ────────────────────────────────────────────────────────────────────────────────

    def erase(self, vehicle_id: str) -> int:
        """Remove what was said of a vehicle, and unnamed places where only it stopped.

        Returns:
            How many rows went; no byte of the file holds them.
        """
        is_stopped_at = exists().where(_stops.c.place_id == _places.c.id)
        was_its = _places.c.id.in_(
            select(_stops.c.place_id).where(_stops.c.vehicle_id == vehicle_id)
        )
        with self._database.writing() as connection:
            its = set(connection.scalars(select(_places.c.id).where(was_its)))
            gone = connection.execute(
                delete(_remarks).where(_remarks.c.vehicle_id == vehicle_id)
            ).rowcount
            gone += connection.execute(
                delete(_stops).where(_stops.c.vehicle_id == vehicle_id)
            ).rowcount
            gone += connection.execute(
                delete(_places).where(
                    _places.c.id.in_(its),
                    ~is_stopped_at,
                    _places.c.name.is_(None),
                    _places.c.is_drawn == 0,
                )
            ).rowcount
        self._database.scrub()
        return gone

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _remark(row: Row[tuple[object, ...]]) -> Remark:
    words = Words(
        purpose=None if row.purpose is None else Purpose(row.purpose),
        driver=row.driver,
        tags=msgspec.json.decode(row.tags, type=tuple[str, ...]),
        note=row.note,
    )
    return Remark(start_ns=row.start_ns, end_ns=row.end_ns, said_ns=row.said_ns, words=words)


def _all_places(connection: Connection) -> Iterable[Row[tuple[object, ...]]]:
    return connection.execute(select(_places).order_by(_places.c.number))


def _place(row: Row[tuple[object, ...]]) -> Place:
    fence = fence_of(msgspec.json.decode(row.fence, type=FenceJson))
    return Place(id=row.id, fence=fence, name=row.name, is_drawn=bool(row.is_drawn))


def _place_values(place: Place) -> dict[str, object]:
    return {
        "id": place.id,
        "name": place.name,
        "fence": msgspec.json.encode(fence_json(place.fence)).decode(),
        "is_drawn": int(place.is_drawn),
    }


def _add_place(connection: Connection, place: Place) -> None:
    connection.execute(insert(_places).values(**_place_values(place)))


def _find_place(connection: Connection, place_id: str) -> Place:
    row = connection.execute(select(_places).where(_places.c.id == place_id)).first()
    if row is None:
        raise UnknownPlace(f"no place {place_id[:80]!r}; contactor places lists them")
    return _place(row)


def _check_name(connection: Connection, name: str | None, place_id: str) -> None:
    if name is None:
        return
    check_word("name", name)
    other = connection.scalar(
        select(_places.c.id).where(_places.c.name == name, _places.c.id != place_id)
    )
    if other is not None:
        raise InvalidValue(f"name {name!r} is that of place {other!r}")


def _once(ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(ids))
