import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.history.columns import Columns
from contactor.history.consumption import Part, fit_consumption
from contactor.history.drive_features import QUANTITIES, DriveFeatures, Quantity, drive_features
from contactor.history.facts import Trip
from tests.history.battery.living import month, told

SECOND_NS = 1_000_000_000
# All of it: CONTACTOR_TEST_CARS=6.
CARS = int(os.environ.get("CONTACTOR_TEST_CARS", "1"))
MODELS = ("nissan_leaf_ze1", "contactor_ev", "tesla_model_3")
# Wh per unit of each quantity, of a car that is not the one that the model begins with.
TRUE = {
    Quantity.DISTANCE: 60.0,
    Quantity.AIR: 0.3,
    Quantity.ACCELERATION: 900.0,
    Quantity.LAUNCHES: 1_200.0,
    Quantity.CLIMB: 0.0,
    Quantity.HEIGHT: 1_500.0,
    Quantity.TIME: 700.0,
    Quantity.HEATING: 90.0,
    Quantity.COOLING: 20.0,
    Quantity.COLD: 0.2,
}
TRUTH = np.array([TRUE[quantity] for quantity in QUANTITIES])


def a_drive(rng: np.random.Generator) -> DriveFeatures:
    hours = float(rng.uniform(0.1, 1.5))
    speed_mps = float(rng.uniform(6, 32))
    return DriveFeatures(
        distance_km=3.6 * speed_mps * hours,
        duration_h=hours,
        air=hours * speed_mps**3 * float(rng.uniform(1.0, 1.4)),
        acceleration=float(rng.uniform(0.2, 1.0)),
        launches=float(rng.uniform(0.0, 0.8)),
        climb_m=float(rng.uniform(0, 120)),
        height_m=float(rng.normal(0, 40)),
        ambient_degc=float(rng.uniform(-10, 35)),
    )


def a_trip(rng: np.random.Generator, spread_wh: float = 30.0) -> tuple[DriveFeatures, float]:
    drive = a_drive(rng)
    miss = spread_wh * math.sqrt(drive.distance_km) * float(rng.standard_t(4)) / math.sqrt(2)
    return drive, (float(drive.row() @ TRUTH) + miss) / 1000


@pytest.mark.parametrize("known", [0, 3, 8, 20, 60])
def test_band_holds_nine_of_ten_trips_not_seen(known: int) -> None:
    held, widths, asked = 0, [], 0
    for seed in range(40):
        rng = np.random.default_rng(1_000 * known + seed)
        model = fit_consumption([a_trip(rng) for _ in range(known)])
        for drive, net_kwh in (a_trip(rng) for _ in range(20)):
            expected = model.expect(drive)
            held += expected.low_kwh <= net_kwh <= expected.high_kwh
            widths.append((expected.high_kwh - expected.low_kwh) / net_kwh)
            asked += 1
    assert 0.84 <= held / asked <= (0.96 if known >= 20 else 1.0)
    if known >= 20:
        assert float(np.median(widths)) < 0.5


def test_coefficients_come_to_be_those_of_the_car() -> None:
    rng = np.random.default_rng(1)
    model = fit_consumption([a_trip(rng, spread_wh=5.0) for _ in range(400)])
    assert model.coefficients == pytest.approx(TRUTH, rel=0.15, abs=20)
    assert model.coefficients.min() >= 0


def test_a_few_trips_far_off_move_little() -> None:
    rng = np.random.default_rng(2)
    trips = [a_trip(rng) for _ in range(60)]
    towing = [(drive, 2.5 * net_kwh) for drive, net_kwh in trips[:4]]
    drives = [a_drive(rng) for _ in range(50)]
    plain, moved = fit_consumption(trips), fit_consumption([*towing, *trips[4:]])
    changes = [moved.expect(drive).kwh / plain.expect(drive).kwh for drive in drives]
    assert float(np.mean(changes)) == pytest.approx(1.0, abs=0.06)


@given(st.integers(0, 2**32), st.integers(0, 30), st.floats(-5, 60))
def test_parts_add_up_to_the_energy_of_the_trip(seed: int, known: int, net_kwh: float) -> None:
    rng = np.random.default_rng(seed)
    model = fit_consumption([a_trip(rng) for _ in range(known)])
    parts = model.explain(a_drive(rng), net_kwh).parts
    assert [share.part for share in parts] == list(Part)
    assert math.fsum(share.kwh for share in parts) == pytest.approx(net_kwh, abs=1e-12)
    assert all(share.low_kwh <= share.kwh <= share.high_kwh for share in parts)


def test_the_same_trips_in_any_order_make_the_same_model() -> None:
    rng = np.random.default_rng(3)
    trips = [a_trip(rng) for _ in range(20)]
    one, other = fit_consumption(trips), fit_consumption(trips[::-1])
    assert one.coefficients == pytest.approx(other.coefficients, rel=1e-6)
    assert one.band == pytest.approx(other.band, rel=1e-6)


def a_recording(rate_hz: float, speed_kmh: np.ndarray, **more: object) -> tuple[Columns, Trip]:
    """A drive given second by second, as a source of some rate tells it."""
    seconds = np.arange(0, len(speed_kmh) - 1 + 1e-9, 1 / rate_hz)
    told = np.interp(seconds, np.arange(len(speed_kmh)), speed_kmh)
    columns = Columns(ts=(seconds * SECOND_NS).astype(np.int64), speed_kmh=told, **more)  # type: ignore[arg-type]  # fields by name
    trip = Trip(
        start_ns=0, end_ns=len(speed_kmh) * SECOND_NS, distance_km=float(speed_kmh.sum() / 3600),
        moving_s=0.0, energy=None, soc_start_pct=None, soc_end_pct=None, speed_max_kmh=None,
        ambient_mean_degc=10.0, battery_mean_degc=None, elevation_gain_m=None,
        start_location=None, end_location=None,
    )  # fmt: skip
    return columns, trip


STOP_AND_GO = np.concatenate(
    [[0.0] * 5, np.linspace(0, 72, 11), [72] * 20, [36] * 5, [72] * 5, [0]]
)


def test_launches_and_other_accelerations_are_told_apart() -> None:
    features = drive_features(*a_recording(1.0, STOP_AND_GO))
    assert features is not None
    assert features.launches == pytest.approx(20**2 / 2 / 3600)
    assert features.acceleration == pytest.approx((20**2 - 10**2) / 2 / 3600)


@pytest.mark.parametrize("rate_hz", [20.0, 2.0, 1.0])
def test_features_do_not_depend_on_the_rate_of_the_source(rate_hz: float) -> None:
    one = drive_features(*a_recording(rate_hz, STOP_AND_GO))
    assert one == drive_features(*a_recording(1.0, STOP_AND_GO))


def test_features_take_what_is_unknown_for_nothing() -> None:
    columns, trip = a_recording(1.0, STOP_AND_GO)
    none = np.full(len(columns), np.nan)
    assert drive_features(Columns(ts=columns.ts), trip) is None
    assert drive_features(Columns(ts=columns.ts, speed_kmh=none), trip) is None
    height = drive_features(Columns(ts=columns.ts, speed_kmh=none + 50, altitude_m=none), trip)
    assert height is None
    flat = drive_features(
        Columns(ts=columns.ts, speed_kmh=columns.speed_kmh, altitude_m=none), trip
    )
    assert flat is not None
    assert (flat.climb_m, flat.height_m) == (0.0, 0.0)


def test_the_noise_of_a_receiver_is_no_climb() -> None:
    rng = np.random.default_rng(4)
    hill = 60 * np.sin(np.linspace(0, math.pi, 600)) + np.linspace(0, 20, 600)
    columns, trip = a_recording(1.0, np.full(600, 50.0), altitude_m=hill + rng.uniform(-2, 2, 600))
    features = drive_features(columns, trip)
    assert features is not None
    assert features.climb_m == pytest.approx(hill.max() - hill[0], abs=8)
    assert features.height_m == pytest.approx(20, abs=5)


@pytest.fixture(scope="session")
def real_trips(shared_data: Path) -> list[tuple[DriveFeatures, float]]:
    """40 real drives of one car: what each was, and its net energy by volts and amperes."""
    polars = pytest.importorskip("polars")
    found = []
    for file in sorted((shared_data / "motives").glob("real_*.parquet")):
        names = (
            "PhaseTime",
            "DAActualSpeed",
            "REESSVoltage",
            "REESSCurrent",
            "elevation",
            "tempAmb",
        )
        table = polars.read_parquet(file, columns=list(names))
        at, speed, volts, amperes, height, ambient = (
            table[name].to_numpy().astype(float) for name in names
        )
        net_kwh = -float(np.nansum((volts * amperes)[1:] * np.diff(at))) / 3.6e6
        ts = (at * SECOND_NS).astype(np.int64)
        columns, trip = a_recording(1.0, np.zeros(2))
        columns = Columns(ts=ts, speed_kmh=speed, altitude_m=height)
        trip = Trip(
            start_ns=int(ts[0]), end_ns=int(ts[-1]) + 1,
            distance_km=float(np.nansum(speed[1:] * np.diff(at))) / 3600,
            moving_s=0.0, energy=None, soc_start_pct=None, soc_end_pct=None, speed_max_kmh=None,
            ambient_mean_degc=float(np.nanmean(ambient)), battery_mean_degc=None,
            elevation_gain_m=None, start_location=None, end_location=None,
        )  # fmt: skip
        features = drive_features(columns, trip)
        assert features is not None
        found.append((features, net_kwh))
    return found


def test_real_trips_not_seen_are_expected_within_the_band(
    real_trips: list[tuple[DriveFeatures, float]],
) -> None:
    """Each of the 40 by the 39 others: 4.0 % off on average, 35 of 40 within 90 %."""
    misses, held = [], 0
    for left_out, (drive, net_kwh) in enumerate(real_trips):
        others = [trip for place, trip in enumerate(real_trips) if place != left_out]
        expected = fit_consumption(others).expect(drive)
        misses.append(abs(expected.kwh - net_kwh) / net_kwh)
        held += expected.low_kwh <= net_kwh <= expected.high_kwh
    assert float(np.mean(misses)) < 0.05
    assert 0.82 <= held / len(real_trips) <= 0.98


def test_band_of_real_trips_holds_with_few_trips_known(
    real_trips: list[tuple[DriveFeatures, float]],
) -> None:
    rng = np.random.default_rng(5)
    for known in (3, 10, 20, 30):
        held = []
        for _ in range(15):
            order = rng.permutation(len(real_trips))
            model = fit_consumption([real_trips[place] for place in order[:known]])
            for drive, net_kwh in (real_trips[place] for place in order[known:]):
                expected = model.expect(drive)
                held.append(expected.low_kwh <= net_kwh <= expected.high_kwh)
        assert np.mean(held) >= 0.84


def test_trips_of_living_cars_not_seen_are_expected_within_the_band() -> None:
    """Six cars: 92 % of the trips of the second half of a month lie in the band of 90 %."""
    held = []
    for car in range(CARS):
        lived = month(car, model=MODELS[car % len(MODELS)])
        columns = told(lived, np.random.default_rng(car), perfect=True)
        trips = [one for one in lived.facts.trips if one.distance_km > 1]
        known = [lived_trip(columns, trip) for trip in trips]
        for place in range(len(known) // 2, len(known)):
            drive, net_kwh = known[place]
            expected = fit_consumption(known[:place]).expect(drive)
            held.append(expected.low_kwh <= net_kwh <= expected.high_kwh)
    assert 0.84 <= np.mean(held) <= 0.99


def lived_trip(columns: Columns, trip: Trip) -> tuple[DriveFeatures, float]:
    """What a drive was, and its net energy by volts and amperes."""
    first, last = np.searchsorted(columns.ts, [trip.start_ns, trip.end_ns])
    assert columns.voltage_v is not None
    assert columns.current_a is not None
    power_w = columns.voltage_v[first + 1 : last] * columns.current_a[first + 1 : last]
    seconds = np.diff(columns.ts[first:last]) / SECOND_NS
    features = drive_features(columns, trip)
    assert features is not None
    return features, -float((power_w * seconds).sum()) / 3.6e6
