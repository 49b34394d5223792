import math
import random

from hypothesis import given
from hypothesis import strategies as st

from contactor.history.facts import Location
from contactor.history.geofence import Circle, Polygon, distance_m
from contactor.history.places import BLOCK, RADIUS_M, Place, PlaceIndex, find_places
from tests.history.test_geofence import moved

JITTER_M = 49.0
MIDDLES = (Location(47.14, 9.52), Location(-16.8, 179.9995), Location(89.9985, 40.0))

seeds = st.integers(0, 2**32)


def spots(middle: Location, rng: random.Random, count: int) -> list[Location]:
    """Places on a grid of 250 m, at random."""
    cells = rng.sample([(x, y) for x in range(6) for y in range(6)], count)
    return [moved(moved(middle, 0.5 * math.pi, 250.0 * x), 0.0, 250.0 * y) for x, y in cells]


def stop_at(spot: Location, rng: random.Random) -> Location:
    return moved(spot, rng.uniform(0, 2 * math.pi), JITTER_M * math.sqrt(rng.random()))


def partition(labels: list[object]) -> set[frozenset[int]]:
    groups: dict[object, set[int]] = {}
    for number, label in enumerate(labels):
        groups.setdefault(label, set()).add(number)
    return {frozenset(group) for group in groups.values()}


@given(seeds, st.sampled_from(MIDDLES[:2]), st.integers(1, 12), st.integers(1, 60))
def test_places_are_the_true_ones_where_the_receiver_jitters(
    seed: int, middle: Location, places: int, stops: int
) -> None:
    rng = random.Random(seed)
    true = spots(middle, rng, places)
    at = [rng.randrange(places) for _ in range(stops)]
    found = find_places([stop_at(true[number], rng) for number in at])
    assert partition([place.id for place in found.at]) == partition(list(at))
    assert len(found.places) == len(set(at))


@given(seeds, st.sampled_from(MIDDLES), st.integers(1, 40))
def test_places_keep_their_stops_and_ids_when_more_stops_come(
    seed: int, middle: Location, stops: int
) -> None:
    rng = random.Random(seed)
    first = [moved(middle, rng.uniform(0, 7), rng.uniform(0, 1_500)) for _ in range(stops)]
    more = [moved(middle, rng.uniform(0, 7), rng.uniform(0, 1_500)) for _ in range(stops)]
    before = find_places(first)
    after = find_places([*first, *more], known=before.places)
    assert after.at[:stops] == before.at
    assert after.places[: len(before.places)] == before.places
    again = find_places([*first, *more], known=after.places)
    assert (again.new, again.at) == ((), after.at)


@given(seeds, st.integers(1, 40))
def test_places_do_not_depend_on_the_order_of_stops(seed: int, stops: int) -> None:
    rng = random.Random(seed)
    some = [moved(MIDDLES[0], rng.uniform(0, 7), rng.uniform(0, 900)) for _ in range(stops)]
    mixed = rng.sample(some, stops)
    assert set(find_places(mixed).new) == set(find_places(some).new)


@given(seeds, st.sampled_from(MIDDLES), st.integers(1, 80))
def test_every_stop_is_in_the_oldest_place_that_holds_it(
    seed: int, middle: Location, stops: int
) -> None:
    rng = random.Random(seed)
    some = [moved(middle, rng.uniform(0, 7), rng.uniform(0, 1_000)) for _ in range(stops)]
    found = find_places(some)
    for location, place in zip(some, found.at, strict=True):
        ways_m = [distance_m(one.location, location) for one in found.places]
        assert place == found.places[[way_m <= RADIUS_M for way_m in ways_m].index(True)]
    assert {place.id for place in found.at} == {place.id for place in found.places}


def test_a_street_of_stops_is_not_one_place() -> None:
    street = [moved(MIDDLES[0], 0.3, 15.0 * number) for number in range(200)]
    found = find_places(street)
    assert 10 <= len(found.places) <= 25
    for location, place in zip(street, found.at, strict=True):
        assert distance_m(location, place.location) <= RADIUS_M + 0.01


def test_what_the_owner_drew_wins_and_the_smaller_of_two() -> None:
    middle = MIDDLES[0]
    found = find_places([middle] * 3)
    town = Place(id="town", fence=Circle(middle, 3_000.0), name="town", is_drawn=True)
    corners = tuple(moved(middle, math.pi / 2 * n, 70.0) for n in range(4))
    yard = Place(id="yard", fence=Polygon(corners), name="yard", is_drawn=True)
    index = PlaceIndex([*found.places, town, yard])
    assert index.place_at(middle) == yard
    assert index.place_at(moved(middle, 1.0, 90.0)) == town
    assert index.place_at(moved(middle, 1.0, 4_000.0)) is None


def test_a_drawn_place_takes_stops_over_and_the_others_keep_theirs() -> None:
    here, there = MIDDLES[0], moved(MIDDLES[0], 0.0, 2_000.0)
    before = find_places([here, there])
    home = Place(id="home", fence=Circle(here, 150.0), name="home", is_drawn=True)
    after = find_places([here, there], known=[*before.places, home])
    assert [place.id for place in after.at] == ["home", before.at[1].id]


def test_ids_are_the_same_again_when_all_is_lost() -> None:
    stops = [moved(MIDDLES[0], 0.0, 700.0 * number) for number in range(5)]
    assert find_places(stops).at == find_places(stops).at


def test_thousands_of_stops_take_a_moment() -> None:
    rng = random.Random(1)
    true = spots(MIDDLES[0], rng, 30)
    at = [rng.randrange(30) for _ in range(2 * BLOCK)]
    found = find_places([stop_at(true[number], rng) for number in at])
    assert len(found.places) == 30
