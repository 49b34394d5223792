"""What is found of a living virtual car's month, whose every drive and charge is known."""

from collections.abc import Sequence

import numpy as np
import pytest

from contactor.history.facts import Charge, Trip
from contactor.history.find import find
from tests.history.battery.living import Month, month, told

Spans = Sequence[Trip] | Sequence[Charge]
# An overlap of so much of both is the same drive.
SAME = 0.7


@pytest.fixture(scope="module")
def lived() -> Month:
    return month(2)


def matched(found: Spans, true: Spans, *, part: float = SAME) -> int:
    """How many of the true ones are found, each by one of its own."""
    free = list(found)
    count = 0
    for one in true:
        for other in free:
            shared = min(one.end_ns, other.end_ns) - max(one.start_ns, other.start_ns)
            longer = max(one.end_ns - one.start_ns, other.end_ns - other.start_ns)
            if shared > 0 and shared >= part * longer:
                free.remove(other)
                count += 1
                break
    return count


def test_every_drive_and_charge_of_a_month_is_found_and_no_other(lived: Month) -> None:
    facts = find(told(lived, np.random.default_rng(1), perfect=True))
    assert matched(facts.trips, lived.facts.trips) == len(lived.facts.trips) == len(facts.trips)
    assert matched(facts.charges, lived.facts.charges) == len(lived.facts.charges)
    assert len(facts.charges) == len(lived.facts.charges)
    for charge, true in zip(facts.charges, lived.facts.charges, strict=True):
        assert charge.kind is true.kind
    for trip, drive in zip(facts.trips, lived.facts.trips, strict=True):
        assert trip.distance_km == pytest.approx(drive.distance_km, rel=0.005)


def test_noise_and_lost_stretches_hide_few_of_them(lived: Month) -> None:
    facts = find(told(lived, np.random.default_rng(1)))
    trips = matched(facts.trips, lived.facts.trips, part=0.0)
    charges = matched(facts.charges, lived.facts.charges, part=0.0)
    true = len(lived.facts.trips) + len(lived.facts.charges)
    found = len(facts.trips) + len(facts.charges)
    assert trips + charges >= true - 2
    assert found <= true + 2
