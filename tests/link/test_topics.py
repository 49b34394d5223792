import pytest

from contactor.errors import MalformedRecord, UsageError
from contactor.link import topics


@pytest.mark.parametrize("make", [topics.uplink, topics.hello, topics.watermark])
@pytest.mark.parametrize("vehicle_id", ["leaf", "a", "A-b_9", "x" * 64])
def test_subject_names_its_vehicle(make, vehicle_id: str) -> None:
    assert topics.vehicle_of(make(vehicle_id)) == vehicle_id


def test_subjects_are_those_of_the_contract() -> None:
    assert topics.uplink("leaf") == "contactor.v1.up.leaf"
    assert topics.hello("leaf") == "contactor.v1.hello.leaf"
    assert topics.watermark("leaf") == "contactor.v1.watermark.leaf"
    assert topics.campaign("leaf") == "contactor.v1.campaign.leaf"
    assert topics.campaign_report("leaf") == "contactor.v1.campaign-report.leaf"
    assert topics.vehicle_of("contactor.v1.campaign-report.leaf") == "leaf"


@pytest.mark.parametrize("vehicle_id", ["", "a.b", "*", ">", "a b", "é", "x" * 65, "leaf\n"])
def test_subject_refuses_what_is_no_vehicle_id(vehicle_id: str) -> None:
    with pytest.raises(UsageError, match="allowed"):
        topics.uplink(vehicle_id)


@pytest.mark.parametrize(
    "subject",
    ["", "leaf", "contactor.v1.up", "contactor.v1.up.", "contactor.v2.up.leaf", "x.v1.up.leaf",
     "contactor.v1.up.a.b", "contactor.v1.up.é", "contactor.v1.up." + "x" * 65],
)  # fmt: skip
def test_vehicle_of_refuses_foreign_subjects(subject: str) -> None:
    with pytest.raises(MalformedRecord):
        topics.vehicle_of(subject)


@pytest.mark.parametrize(
    ("pattern", "subject", "is_match"),
    [
        (topics.ALL_UPLINKS, topics.uplink("leaf"), True),
        (topics.ALL_UPLINKS, topics.hello("leaf"), False),
        (topics.ALL_UPLINKS, "contactor.v1.up.a.b", False),
        (topics.ALL_HELLOS, topics.hello("leaf"), True),
        (topics.ALL_WATERMARKS, topics.watermark("leaf"), True),
        (topics.watermark("leaf"), topics.watermark("leaf"), True),
        (topics.watermark("leaf"), topics.watermark("zoe"), False),
    ],
)
def test_pattern_stands_for_one_whole_token(pattern: str, subject: str, is_match: bool) -> None:
    assert topics.matches(pattern, subject) is is_match
