"""A small random fleet whose truth is known; a large one is `make truth`."""

import pytest

from tests.history.truth.judge import Count, Verdict, judged
from tests.history.truth.lives import live
from tests.history.truth.spoil import SPOILS
from tests.history.truth.told import KITS

SEEDS, DAYS = (2000, 2002), 6


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    """Two lives, each told by every kit of signals, with whatever goes wrong."""
    told = []
    for place, seed in enumerate(SEEDS):
        life = live(seed, days=DAYS)
        for number, kit in enumerate(KITS):
            spoil = list(SPOILS)[(number + 4 * place) % len(SPOILS)]
            told.append(judged(life, seed, kit, spoil))
    return told


def shares(counts: list[Count]) -> tuple[float, float]:
    """Recall and precision."""
    true, wrong = sum(one.true for one in counts), sum(one.wrong for one in counts)
    found = true - sum(one.missed for one in counts)
    return found / true, found / (found + wrong)


def test_trips_and_charges_that_were_are_found_and_no_others(verdicts: list[Verdict]) -> None:
    trips, charges = [one.trips for one in verdicts], [one.charges for one in verdicts]
    assert sum(one.true for one in trips) > 100
    assert sum(one.true for one in charges) > 40
    assert min(*shares(trips), *shares(charges)) >= 0.98


def test_energy_is_what_the_sensors_had_without_a_silence(verdicts: list[Verdict]) -> None:
    for facts in ([one.trips for one in verdicts], [one.charges for one in verdicts]):
        energies = [energy for one in facts for energy in one.energies]
        sensed = sum(one.sensed for one in energies)
        assert sum(one.found for one in energies) == pytest.approx(sensed, rel=0.01)
    sources = {energy.sources for one in verdicts for energy in one.trips.energies}
    assert any("+" in one for one in sources)  # a silence was filled, and that is told


def test_late_rows_lead_to_what_is_found_from_scratch(verdicts: list[Verdict]) -> None:
    assert all(one.is_continued for one in verdicts)
