from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.cloud.database.database import Database
from contactor.cloud.database.sqlite import MEMORY
from contactor.cloud.journal.area import JOURNAL
from contactor.cloud.journal.fences import FenceJson, fence_json, fence_of
from contactor.cloud.journal.store import Journal
from contactor.errors import InvalidValue, UnknownPlace
from contactor.history.facts import Location
from contactor.history.geofence import Circle, Polygon
from contactor.history.journal import Purpose, Remark, Subject, Words
from contactor.history.places import find_places

HOME, WORK, SHOP = Location(47.14, 9.52), Location(47.20, 9.50), Location(47.25, 9.55)
WORDS = Words(purpose=Purpose.BUSINESS, driver="Ada", tags=("a", "ö"), note="two\nlines")


@pytest.fixture
def journal(place: Path | str) -> Iterator[Journal]:
    found = Journal(Database.open(place, [JOURNAL]))
    yield found
    found.close()


def remark(start: int, end: int, said: int, words: Words = WORDS) -> Remark:
    return Remark(start_ns=start, end_ns=end, said_ns=said, words=words)


def test_journal_keeps_what_was_said(journal: Journal, place: Path | str) -> None:
    said = [remark(0, 10, 1), remark(20, 30, 2, Words())]
    for one in said:
        journal.say("leaf", Subject.TRIP, one)
    journal.say("leaf", Subject.CHARGE, remark(10, 20, 3))
    journal.say("other", Subject.TRIP, remark(0, 10, 4))
    again = Journal(Database.open(place, [JOURNAL]))
    assert again.remarks("leaf", Subject.TRIP) == said
    again.close()


def test_journal_replaces_what_was_said_of_the_same_span(journal: Journal) -> None:
    journal.say("leaf", Subject.TRIP, remark(0, 10, 1))
    later = remark(0, 10, 2, Words(note="no"))
    journal.say("leaf", Subject.TRIP, later)
    assert journal.remarks("leaf", Subject.TRIP) == [later]


def test_journal_refuses_words_that_are_none(journal: Journal) -> None:
    with pytest.raises(InvalidValue, match="tag"):
        journal.say("leaf", Subject.TRIP, remark(0, 1, 1, Words(tags=("",))))


def test_places_keep_their_ids_order_and_names(journal: Journal, place: Path | str) -> None:
    first = find_places([HOME, WORK, HOME])
    journal.keep_places("leaf", first)
    journal.name_place(first.at[0].id, "Home")
    again = Journal(Database.open(place, [JOURNAL]))
    second = find_places([HOME, SHOP, WORK, HOME], known=again.places())
    assert [place.name for place in second.at] == ["Home", None, None, "Home"]
    assert [second.at[0].id, second.at[2].id] == [first.at[0].id, first.at[1].id]
    again.keep_places("leaf", second)
    assert again.places() == list(second.places)
    again.close()


def test_places_kept_twice_are_kept_once(journal: Journal) -> None:
    found = find_places([HOME, WORK])
    journal.keep_places("leaf", found)
    journal.keep_places("other", found)
    assert journal.places() == list(found.places)


def test_a_name_belongs_to_one_place(journal: Journal) -> None:
    found = find_places([HOME, WORK])
    journal.keep_places("leaf", found)
    assert journal.name_place(found.at[0].id, "Home").name == "Home"
    assert journal.name_place(found.at[0].id, "Home").name == "Home"
    with pytest.raises(InvalidValue, match="name 'Home' is that of place"):
        journal.name_place(found.at[1].id, "Home")
    with pytest.raises(UnknownPlace, match="no place 'nowhere'"):
        journal.name_place("nowhere", "Hut")
    assert journal.name_place(found.at[0].id, None).name is None


def test_a_place_that_is_drawn_wins_over_the_one_that_was_found(journal: Journal) -> None:
    found = find_places([HOME])
    journal.keep_places("leaf", found)
    journal.draw_place("yard", "Yard", Circle(HOME, 500.0))
    assert find_places([HOME], known=journal.places()).at[0].id == "yard"
    journal.draw_place("yard", "Yard", Circle(WORK, 50.0))
    assert find_places([HOME], known=journal.places()).at[0].id == found.at[0].id
    journal.forget_place("yard")
    with pytest.raises(UnknownPlace):
        journal.forget_place("yard")


def test_erase_leaves_nothing_of_a_vehicle_but_what_the_owner_named(
    journal: Journal, place: Path | str
) -> None:
    journal.say("leaf", Subject.TRIP, remark(0, 10, 1, Words(note="to the secret lake")))
    journal.say("other", Subject.TRIP, remark(0, 10, 1))
    mine = find_places([HOME, WORK, SHOP])
    journal.keep_places("leaf", mine)
    journal.keep_places("other", find_places([WORK], known=mine.places))
    journal.name_place(mine.at[2].id, "Shop")
    assert journal.erase("leaf") == 1 + 3 + 1
    assert [place.id for place in journal.places()] == [
        place.id for place in mine.places if place.id != mine.at[0].id
    ]
    assert journal.remarks("leaf", Subject.TRIP) == []
    assert len(journal.remarks("other", Subject.TRIP)) == 1
    if isinstance(place, Path):
        for file in place.parent.iterdir():
            assert b"secret lake" not in file.read_bytes()


def test_tariffs_are_those_that_were_said_last(journal: Journal) -> None:
    assert journal.tariffs() is None
    journal.set_tariffs("one", 1)
    journal.set_tariffs("two", 2)
    assert journal.tariffs() == "two"


points = st.builds(Location, st.floats(40, 50), st.floats(5, 15))


@given(
    st.builds(Circle, points, st.floats(1, 1e6))
    | st.lists(points, min_size=3, max_size=9).map(lambda some: Polygon(tuple(some)))
)
def test_fences_are_the_same_when_read_again(fence: Circle | Polygon) -> None:
    assert fence_of(fence_json(fence)) == fence


@pytest.mark.parametrize(
    "form", [FenceJson(), FenceJson(latitude_deg=1.0), FenceJson(1.0, 2.0, 3.0, [(1.0, 2.0)] * 3)]
)
def test_a_fence_is_a_circle_or_a_polygon(form: FenceJson) -> None:
    with pytest.raises(InvalidValue, match="or points alone"):
        fence_of(form)


def test_journal_is_empty_where_there_is_no_file() -> None:
    journal = Journal(Database.open(MEMORY, [JOURNAL]))
    assert (journal.places(), journal.remarks("leaf", Subject.TRIP)) == ([], [])
    journal.close()
