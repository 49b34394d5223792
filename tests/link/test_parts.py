import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.link import topics
from contactor.link.parts import PARTS, kept_as, part_of, sent_as

IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@pytest.mark.parametrize(
    ("vehicle_id", "part"), [("leaf", 21), ("zoe", 57), ("a", 44), ("VIN-123_x", 28)]
)
def test_part_is_what_the_broker_takes_it_for(vehicle_id: str, part: int) -> None:
    # The numbers are those of nats-server 2.15; test_transport_contract asks the real one.
    assert part_of(vehicle_id) == part


def test_parts_share_a_fleet_evenly() -> None:
    counts = [0] * PARTS
    for number in range(64_000):
        counts[part_of(f"WVWZZZ{number:011d}")] += 1
    assert 850 < min(counts) <= max(counts) < 1150


@given(IDS, st.sets(st.integers(0, PARTS - 1), min_size=1, max_size=PARTS - 1))
def test_a_vehicle_is_kept_under_a_filter_of_its_own_part_only(
    vehicle_id: str, parts: set[int]
) -> None:
    subject = f"contactor.v1.up.{part_of(vehicle_id)}.{vehicle_id}"
    filters = kept_as(topics.ALL_UPLINKS, parts)
    is_wanted = any(topics.matches(one, subject) for one in filters)
    assert is_wanted == (part_of(vehicle_id) in parts)
    assert sent_as(subject) == topics.uplink(vehicle_id)


@given(IDS)
def test_subject_of_before_there_were_parts_is_still_read(vehicle_id: str) -> None:
    subject = topics.uplink(vehicle_id)
    assert topics.matches(kept_as(topics.ALL_UPLINKS, {7})[0], subject)
    assert sent_as(subject) == subject


def test_all_parts_are_one_filter() -> None:
    assert kept_as(topics.ALL_UPLINKS, None) == ["contactor.v1.up.>"]
    assert kept_as(topics.ALL_UPLINKS, range(PARTS)) == ["contactor.v1.up.>"]
    assert kept_as(topics.ALL_HELLOS, {1}) == [topics.ALL_HELLOS]
    assert kept_as(topics.uplink("leaf"), {1})[1] == "contactor.v1.up.21.leaf"
