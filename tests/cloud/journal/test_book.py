import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from contactor.clock import FakeClock
from contactor.cloud.database.database import Database
from contactor.cloud.database.sqlite import MEMORY
from contactor.cloud.journal.area import JOURNAL
from contactor.cloud.journal.book import Book
from contactor.cloud.journal.entries import Change, page_of
from contactor.cloud.journal.sheet import month_sheet, month_span
from contactor.cloud.journal.store import Journal
from contactor.errors import UnknownPlace, UnknownTrip, UnknownVehicle, UsageError
from contactor.history.journal import Purpose, Words
from tests.cloud.journal.facts import HOME, HOUR_NS, WORK, GivenFacts, a_charge, a_trip

VADUZ = ZoneInfo("Europe/Vaduz")
MAY = int(datetime(2024, 5, 2, 6, tzinfo=UTC).timestamp()) * 1_000_000_000
OUT, BACK = a_trip(MAY, 0.5), a_trip(MAY + 4 * HOUR_NS, 0.5, WORK, HOME, km=12.0)
NIGHT = a_charge(MAY + 13 * HOUR_NS, 12, 18.0)
TARIFFS = {
    "version": 1,
    "currency": "CHF",
    "time_zone": "Europe/Vaduz",
    "tariffs": [{"name": "home", "place": "Home", "per_kwh": 0.25}],
}


@pytest.fixture
def facts() -> GivenFacts:
    return GivenFacts({"leaf": ([OUT, BACK], [NIGHT]), "idle": ([], [])})


@pytest.fixture
def book(facts: GivenFacts) -> Book:
    journal = Journal(Database.open(MEMORY, [JOURNAL]))
    return Book(journal, facts, clock=FakeClock(start_ns=MAY + 100 * HOUR_NS))


def id_of(start_ns: int) -> str:
    return f"t{start_ns}"


def test_journal_tells_trips_and_charges_newest_first(book: Book) -> None:
    told = book.entries("leaf")
    assert [(one.subject, one.distance_km, one.energy_kwh) for one in told] == [
        ("charge", None, 18.0),
        ("trip", 12.0, pytest.approx(2.16)),
        ("trip", 10.0, pytest.approx(1.8)),
    ]
    assert book.entries("leaf", MAY, MAY + HOUR_NS) == told[-1:]
    assert book.entries("idle") == []
    with pytest.raises(UnknownVehicle):
        book.entries("none")


def test_what_is_said_is_told_and_what_is_left_out_stays(book: Book) -> None:
    mine = id_of(OUT.start_ns)
    book.change("leaf", mine, Change(purpose=Purpose.BUSINESS, add_tags=["north", "client"]))
    told = book.change("leaf", mine, Change(note="to the lake", remove_tags=["client"]))
    assert (told.purpose, told.tags, told.note) == ("business", ("north",), "to the lake")
    told = book.change("leaf", mine, Change(purpose=None, tags=[]))
    assert (told.purpose, told.tags, told.note) == (None, (), "to the lake")
    with pytest.raises(UnknownTrip, match="no trip or charge 'x' of vehicle 'leaf'"):
        book.change("leaf", "x", Change())
    with pytest.raises(UsageError, match="driver"):
        book.change("leaf", mine, Change(driver=" "))


def test_what_is_said_survives_a_history_that_is_found_anew(book: Book, facts: GivenFacts) -> None:
    book.change("leaf", id_of(OUT.start_ns), Change(purpose=Purpose.BUSINESS))
    book.change("leaf", id_of(BACK.start_ns), Change(purpose=Purpose.PRIVATE, note="swim"))
    facts.kept["leaf"] = ([a_trip(MAY - HOUR_NS // 20, 4.6)], [NIGHT])
    (merged,) = book.entries("leaf", None, MAY + HOUR_NS)
    assert (merged.purpose, merged.disputed, merged.note) == (None, True, "swim")
    facts.kept["leaf"] = ([a_trip(MAY + 50 * HOUR_NS, 1)], [NIGHT])
    assert [one.note for one in book.loose("leaf")] == [None, "swim"]
    facts.kept["leaf"] = ([OUT, BACK], [NIGHT])
    assert book.loose("leaf") == []
    assert [one.purpose for one in book.entries("leaf")] == [None, "private", "business"]


def test_a_place_can_be_named_before_anybody_asked_for_places(book: Book) -> None:
    spot = book.entries("leaf")[0].start_spot
    assert spot is not None
    assert spot.place_id is not None
    assert spot.name is None
    book.name_place(spot.place_id, "Home")
    told = book.entries("leaf")
    assert [one.start_spot.name for one in told if one.start_spot] == ["Home", None, "Home"]
    with pytest.raises(UnknownPlace):
        book.name_place("nowhere", "Hut")


def test_a_charge_costs_what_the_tariff_of_its_place_says(book: Book) -> None:
    book.journal.set_tariffs(json.dumps(TARIFFS), MAY)
    assert book.entries("leaf")[0].cost is None
    spot = book.entries("leaf")[0].start_spot
    assert spot is not None
    book.name_place(str(spot.place_id), "Home")
    told = book.entries("leaf")[0]
    assert (told.cost, told.currency) == (5.0, "CHF")


def test_pages_hold_every_entry_once(book: Book) -> None:
    entries = book.entries("leaf")
    first = page_of(entries, limit=2, cursor=None)
    second = page_of(entries, limit=2, cursor=first.next)
    assert [*first.items, *second.items] == entries
    assert second.next is None


def test_change_is_read_from_json_with_null_for_nothing() -> None:
    read = msgspec.json.decode(b'{"purpose": null, "note": "x"}', type=Change)
    before = Words(purpose=Purpose.BUSINESS, driver="Ada")
    assert read.applied(before) == Words(driver="Ada", note="x")


def test_a_month_is_a_month_on_the_wall() -> None:
    start, end = month_span("2024-03", VADUZ)
    assert (end - start) / HOUR_NS == 31 * 24 - 1
    assert month_span("2024-12", VADUZ)[1] == month_span("2025-01", VADUZ)[0]
    for wrong in ("2024-13", "2024", "may", "0001-01"):
        with pytest.raises(UsageError, match="as 2024-05"):
            month_span(wrong, VADUZ)


def test_a_month_is_told_by_time_with_its_sums(book: Book) -> None:
    book.journal.set_tariffs(json.dumps(TARIFFS), MAY)
    book.name_place(str(book.entries("leaf")[0].start_spot.place_id), "Home")  # type: ignore[union-attr]  # there is one
    book.change("leaf", id_of(OUT.start_ns), Change(purpose=Purpose.BUSINESS, driver="Ada"))
    sheet = month_sheet("leaf", book.entries("leaf"), month="2024-05", zone=VADUZ)
    assert sheet.rows == (
        ("2024-05-02", "08:00", "08:30", "trip", "Home", "47.2000, 9.5000", 10.0, 1.8, None,
         "business", "Ada", None, None),
        ("2024-05-02", "12:00", "12:30", "trip", "47.2000, 9.5000", "Home", 12.0, 2.16, None,
         None, None, None, None),
        ("2024-05-02", "21:00", "2024-05-03 09:00", "charge", None, "Home", None, 18.0, 5.0,
         None, None, None, None),
    )  # fmt: skip
    assert dict(sheet.sums) == {
        "trips": "2",
        "distance": "22.0 km",
        "business": "10.0 km",
        "private": "0.0 km",
        "without purpose": "12.0 km",
        "charges": "1",
        "charged": "18.00 kWh",
        "cost": "5.00 CHF",
    }
    assert month_sheet("leaf", book.entries("leaf"), month="2024-06", zone=VADUZ).rows == ()
