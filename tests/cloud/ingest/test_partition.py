import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.cloud.ingest.partition import Partition
from contactor.errors import UsageError
from contactor.link.parts import PARTS

IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@given(st.integers(1, PARTS), IDS)
def test_every_vehicle_has_one_ingest_of_any_number(count: int, vehicle_id: str) -> None:
    owners = [one for one in Partition(1, count).all if one.owns(vehicle_id)]
    assert len(owners) == 1


@pytest.mark.parametrize("count", range(1, PARTS + 1))
def test_parts_are_shared_evenly(count: int) -> None:
    shares = [len(one.parts) for one in Partition(1, count).all]
    assert sum(shares) == PARTS
    assert max(shares) - min(shares) <= 1


def test_partition_is_read_from_its_text() -> None:
    partition = Partition.parse("2/4")
    assert (str(partition), partition.name) == ("2/4", "ingest-2-of-4")
    assert partition.parts == frozenset(range(16, 32))
    assert partition.owns("leaf")


@pytest.mark.parametrize("text", ["", "2", "0/2", "3/2", "1/65", "1/100", "-1/2", "1/2 ", "a/b"])
def test_text_that_names_no_partition_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="allowed: k/n with 1 <= k <= n <= 64"):
        Partition.parse(text)
