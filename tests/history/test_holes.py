"""What flowed in a silence on the way is told by what stands on both its sides, and named."""

from dataclasses import replace

import numpy as np
import pytest

from contactor.history.columns import Columns
from contactor.history.find import find
from tests.history.made import VOLTS, live

DAY = live(["park 20", "drive 50", "park 60"], seed=3)
TRUE_KWH = DAY.trips[0].kwh
# Eight minutes in the middle of the drive.
LOST = slice(40 * 60, 48 * 60)


def lost_rows(lost: slice = LOST) -> Columns:
    """The day without some of its rows, with counters as a car has them."""
    kept = np.ones(len(DAY.seconds["is_on"]), bool)
    kept[lost] = False
    columns = DAY.columns(kept=kept)
    kwh = -np.cumsum(DAY.seconds["current_a"] * VOLTS) / 3.6e6
    steps = np.diff(kwh, prepend=0.0)
    return replace(
        columns,
        consumed_kwh=np.round(np.cumsum(np.maximum(steps, 0.0)) + 4_000, 2)[kept],
        charged_kwh=np.round(np.cumsum(np.maximum(-steps, 0.0)) + 1_000, 2)[kept],
        state_of_charge_pct=np.round(columns.state_of_charge_pct, 1),
    )


@pytest.mark.parametrize(
    ("gone", "sources", "within"),
    [
        ((), "counters", 0.005),
        (("consumed_kwh", "charged_kwh"), "voltage_current+state_of_charge", 0.02),
        (("consumed_kwh", "charged_kwh", "state_of_charge_pct"), "voltage_current+rest", 0.1),
    ],
)
def test_silence_is_filled_by_the_best_that_is_left(
    gone: tuple[str, ...], sources: str, within: float
) -> None:
    columns = replace(lost_rows(), **dict.fromkeys(gone))
    (trip,) = find(columns).trips
    assert trip.energy is not None
    assert trip.energy.sources == sources
    assert trip.energy.net_kwh == pytest.approx(TRUE_KWH, rel=within)


def test_what_is_known_without_a_silence_is_filled_by_nothing() -> None:
    (trip,) = find(lost_rows(slice(0, 0))).trips
    assert trip.energy is not None
    assert trip.energy.filling is None
    assert trip.energy.sources == "voltage_current"


def test_values_that_are_not_there_are_a_silence_too() -> None:
    columns = lost_rows(slice(0, 0))
    assert columns.current_a is not None
    current = columns.current_a.copy()
    current[LOST] = np.nan
    (trip,) = find(replace(columns, current_a=current, consumed_kwh=None)).trips
    assert trip.energy is not None
    assert trip.energy.sources == "voltage_current+state_of_charge"
    assert trip.energy.known_s == pytest.approx(42 * 60, abs=5)
    assert trip.energy.net_kwh == pytest.approx(TRUE_KWH, rel=0.02)
