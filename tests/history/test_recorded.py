"""What real recordings hold: forty trips, two charging sessions, a trip over five files."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from contactor.history.columns import Columns
from contactor.history.facts import ChargeKind, Facts
from contactor.history.find import find
from tests.history.recorded import five_files, i3, motives, net_kwh, twizy

Recorded = tuple[Columns, list[pl.DataFrame]]


@pytest.fixture(scope="module")
def drives(shared_data: Path) -> Recorded:
    return motives(shared_data / "motives")


@pytest.fixture(scope="module")
def facts(drives: Recorded) -> Facts:
    return find(drives[0])


def net_of(facts: Facts) -> list[float]:
    """Net energies of all trips."""
    energies = [trip.energy for trip in facts.trips]
    return [energy.net_kwh for energy in energies if energy is not None]


def by_profile(columns: Columns) -> Columns:
    """As an agent samples: a row a second, current and speed as the mean of all since."""
    second = columns.ts // 10**9
    last = np.flatnonzero(np.append(second[1:] != second[:-1], True))
    first = np.concatenate([[0], last[:-1] + 1])
    counts = np.diff(np.append(first, len(second)))

    def means(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values.astype(np.float64), first) / counts

    assert columns.speed_kmh is not None
    assert columns.current_a is not None
    assert columns.voltage_v is not None
    watts = columns.voltage_v.astype(np.float64) * columns.current_a
    return Columns(
        ts=columns.ts[last],
        speed_kmh=means(columns.speed_kmh),
        voltage_v=columns.voltage_v[last],
        power_w=means(watts),
    )


def test_forty_trips_of_motives_are_forty_trips(drives: Recorded, facts: Facts) -> None:
    assert len(facts.trips) == 40
    assert facts.charges == ()
    energies = net_of(facts)
    assert energies == pytest.approx([net_kwh(trip) for trip in drives[1]], rel=0.001)
    kilometres = [float(trip["DAActualSpeed"].sum()) * 0.05 / 3600 for trip in drives[1]]
    assert [one.distance_km for one in facts.trips] == pytest.approx(kilometres, rel=0.001)


def test_total_of_motives_is_what_the_cars_own_counters_say(drives: Recorded, facts: Facts) -> None:
    def counted(trip: pl.DataFrame) -> float:
        out, into = (trip[name][-1] - trip[name][0] for name in ("tot_disc", "tot_char"))
        return float(out - into)

    assert sum(net_of(facts)) == pytest.approx(sum(map(counted, drives[1])), rel=0.03)


def test_motives_as_an_agent_samples_it_has_the_same_energy(drives: Recorded) -> None:
    sampled = find(by_profile(drives[0]))
    energies = [net_kwh(trip) for trip in drives[1]]
    assert net_of(sampled) == pytest.approx(energies, rel=0.005)


def test_session_of_the_i3_is_found_as_dc(shared_data: Path) -> None:
    (charge,) = find(i3(shared_data / "can" / "i3", "2019_efacaec_mida.csv")).charges
    assert charge.kind is ChargeKind.DC
    assert charge.energy is not None
    assert charge.energy.in_kwh == pytest.approx(0.417, rel=0.01)
    assert charge.soc_start_pct == pytest.approx(48.2, abs=0.05)
    assert charge.soc_end_pct == pytest.approx(49.1, abs=0.05)


def test_failed_session_of_the_i3_is_no_charge(shared_data: Path) -> None:
    assert find(i3(shared_data / "can" / "i3", "circon_e46_fail1.csv")).charges == ()


def test_trip_over_five_files_is_one_without_what_came_before_lock(shared_data: Path) -> None:
    (trip,) = find(five_files(shared_data / "can" / "css_mf4")).trips
    assert trip.distance_km == pytest.approx(40.6, rel=0.01)


def test_trips_of_the_twizy_have_neither_spikes_nor_impossible_dates(shared_data: Path) -> None:
    for path in sorted((shared_data / "twizy_t3").glob("*.csv")):
        table = pl.read_csv(path)
        trips = find(twizy(path)).trips
        kilometres = float(table["Speed"].sum()) / 3600
        assert len(trips) == 1
        assert trips[0].distance_km == pytest.approx(kilometres, rel=0.03)
        assert trips[0].start_ns > 1_600_000_000 * 10**9
        moved = twizy(path)
        blind = Columns(
            ts=moved.ts, latitude_deg=moved.latitude_deg, longitude_deg=moved.longitude_deg
        )
        flown = sum(trip.distance_km for trip in find(blind).trips)
        assert flown == pytest.approx(kilometres, rel=0.12), path.name
