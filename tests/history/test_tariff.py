import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.errors import InvalidValue
from contactor.history.facts import Charge, ChargeKind, Energy, EnergySource, Location
from contactor.history.geofence import Circle
from contactor.history.places import Place
from contactor.history.tariff import Band, Day, HourPrices, Tariff, Tariffs, decode_tariffs
from contactor.history.tariff_cost import Costs, Session, session_of
from contactor.history.tariff_prices import EnergyCurve

AMSTERDAM = "Europe/Amsterdam"
HOUR_NS = 3_600_000_000_000
HOME = Place(id="1a2b", fence=Circle(Location(52.0, 4.9), 100.0), name="Home")


def tariffs(*some: Tariff, zone: str = AMSTERDAM, efficiency: float = 0.9) -> Tariffs:
    return Tariffs(1, "EUR", zone, some, efficiency)


def ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000


def session(start: datetime, hours: float, kwh: float = 10.0, **more: object) -> Session:
    start_ns = ns(start)
    given_fields = {"battery_kwh": 0.9 * kwh, "wall_kwh": kwh, **more}
    return Session(start_ns=start_ns, end_ns=start_ns + int(hours * HOUR_NS), **given_fields)  # type: ignore[arg-type]  # fields by name


def amount(some: Tariffs, charge: Session) -> float | None:
    cost = Costs(some).of(charge)
    assert cost is not None
    return cost.amount


NIGHT = Band(per_kwh=0.1, start="22:00", until="06:00")
HOUR_AFTER_TWO = Band(per_kwh=1.0, start="02:00", until="03:00")


def test_a_night_band_ends_on_the_next_day() -> None:
    one = tariffs(Tariff("t", per_kwh=0.3, bands=(NIGHT,)))
    evening = datetime(2024, 5, 1, 20, tzinfo=ZoneInfo(AMSTERDAM))
    assert amount(one, session(evening, 4)) == pytest.approx(5 * 0.3 + 5 * 0.1)
    assert amount(one, session(evening, 10)) == pytest.approx(2 * 0.3 + 8 * 0.1)
    assert amount(one, session(evening, 20)) == pytest.approx((12 * 0.3 + 8 * 0.1) / 2)


def test_a_band_of_some_days_belongs_to_the_day_on_which_it_starts() -> None:
    one = tariffs(Tariff("t", per_kwh=0.3, bands=(Band(0.0, "22:00", "06:00", (Day.FRIDAY,)),)))
    friday = datetime(2024, 5, 3, 23, tzinfo=ZoneInfo(AMSTERDAM))
    assert amount(one, session(friday, 7)) == pytest.approx(0.0)
    assert amount(one, session(friday - timedelta(days=1), 7)) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("day", "hours_after_two"),
    [(date(2021, 3, 28), 0), (date(2021, 6, 1), 1), (date(2021, 10, 31), 2)],
)
def test_the_hour_after_two_comes_as_often_as_the_clock_shows_it(
    day: date, hours_after_two: int
) -> None:
    one = tariffs(Tariff("t", bands=(HOUR_AFTER_TWO,)))
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(AMSTERDAM))
    noon = midnight.replace(hour=12)
    hours = (ns(noon) - ns(midnight)) / HOUR_NS
    charge = session(midnight, hours, kwh=hours)
    assert amount(one, charge) == pytest.approx(hours_after_two)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2021, 3, 28), 0.0), (date(2021, 6, 1), 32 / 60), (date(2021, 10, 31), 64 / 60)],
)
def test_a_band_within_the_hour_that_comes_twice_comes_twice(day: date, hours: float) -> None:
    one = tariffs(Tariff("t", bands=(Band(per_kwh=1.0, start="02:05", until="02:37"),)))
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(AMSTERDAM))
    lasted = (ns(midnight.replace(hour=12)) - ns(midnight)) / HOUR_NS
    assert amount(one, session(midnight, lasted, kwh=lasted)) == pytest.approx(hours)


WALLS = st.tuples(st.integers(0, 23), st.sampled_from([0, 15, 30, 37])).map(
    lambda wall: f"{wall[0]:02}:{wall[1]:02}"
)
BANDS = st.lists(
    st.builds(
        Band,
        st.floats(-1, 1),
        WALLS,
        WALLS | st.just("24:00"),
        st.lists(st.sampled_from(list(Day)), min_size=1, unique=True).map(tuple),
    ),
    max_size=3,
).map(tuple)
STARTS = st.integers(0, 3 * 24 * 60).map(
    lambda minute: datetime(2021, 10, 29, tzinfo=UTC) + timedelta(minutes=minute)
) | st.integers(0, 3 * 24 * 60).map(
    lambda minute: datetime(2021, 3, 26, tzinfo=UTC) + timedelta(minutes=minute)
)


@given(
    BANDS,
    st.sampled_from([AMSTERDAM, "UTC", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    STARTS,
    st.integers(1, 30 * 60),
    st.lists(st.floats(0, 3), min_size=2, max_size=5),
)
def test_cost_is_the_sum_over_minutes(
    bands: tuple[Band, ...], zone: str, start: datetime, minutes: int, steps: list[float]
) -> None:
    one = tariffs(Tariff("t", per_kwh=0.5, bands=bands), zone=zone)
    end = start + timedelta(minutes=minutes)
    edges = np.linspace(ns(start), ns(end), len(steps)).astype(np.int64)
    grown = np.cumsum(steps)
    curve = EnergyCurve(ts=edges, kwh=grown)
    charge = session(start, minutes / 60, curve=curve)
    at = np.arange(minutes + 1) * 60e9
    flowed = np.interp(at, edges - edges[0], grown)
    flat = flowed[-1] == flowed[0]
    flowed = at if flat else flowed
    shares = np.diff(flowed) / (flowed[-1] - flowed[0])
    prices = [price_on_the_wall(one, start + timedelta(minutes=n)) for n in range(minutes)]
    assert amount(one, charge) == pytest.approx(10 * float(shares @ np.array(prices)), abs=1e-6)


def price_on_the_wall(some: Tariffs, moment: datetime) -> float:
    """The price that holds in a minute, by the clock on the wall alone."""
    wall = moment.astimezone(ZoneInfo(some.time_zone))
    shown = f"{wall:%H:%M}"
    for band in some.tariffs[0].bands:
        today, yesterday = list(Day)[wall.weekday()], list(Day)[wall.weekday() - 1]
        if band.start < band.until:
            holds = today in band.days and band.start <= shown < band.until
        else:
            holds = (today in band.days and shown >= band.start) or (
                yesterday in band.days and shown < band.until
            )
        if holds:
            return band.per_kwh
    return some.tariffs[0].per_kwh


def test_energy_is_priced_when_it_flowed() -> None:
    one = tariffs(Tariff("t", per_kwh=0.3, bands=(NIGHT,)))
    start = datetime(2024, 5, 1, 20, tzinfo=ZoneInfo(AMSTERDAM))
    late = np.array([0, 3, 4]) * HOUR_NS + ns(start)
    curve = EnergyCurve(ts=late, kwh=np.array([0.0, 0.0, 1.0]))
    assert amount(one, session(start, 4, curve=curve)) == pytest.approx(1.0)


def test_prices_by_the_hour_may_be_under_nothing_and_are_multiplied() -> None:
    start = datetime(2024, 5, 1, 12, tzinfo=UTC)
    at = int(start.timestamp())
    prices = HourPrices((at, at + 3600, at + 7200), (0.1, -0.2, 0.4), factor=1.21)
    one = tariffs(Tariff("t", per_kwh=0.05, prices=prices))
    assert amount(one, session(start, 2)) == pytest.approx(10 * 0.05 + 1.21 * (0.5 - 1.0))


def test_a_cost_is_not_known_where_a_price_is_missing() -> None:
    start = datetime(2024, 5, 1, 12, tzinfo=UTC)
    at = int(start.timestamp())
    one = tariffs(Tariff("t", prices=HourPrices((at, at + 7200), (0.1, 0.2))))
    assert amount(one, session(start, 1)) == pytest.approx(1.0)
    assert amount(one, session(start, 2)) is None
    assert amount(tariffs(Tariff("t", prices=HourPrices((), ()))), session(start, 2)) is None


def test_what_is_not_metered_at_the_wall_is_computed_from_the_battery() -> None:
    start = datetime(2024, 5, 1, 12, tzinfo=UTC)
    one = tariffs(Tariff("t", per_kwh=1.0), efficiency=0.8)
    costs = Costs(one)
    ac = costs.of(session(start, 1, battery_kwh=8.0, wall_kwh=None, kind=ChargeKind.AC))
    dc = costs.of(session(start, 1, battery_kwh=8.0, wall_kwh=None, kind=ChargeKind.DC))
    none = costs.of(session(start, 1, battery_kwh=None, wall_kwh=None))
    assert ac
    assert dc
    assert none
    assert (ac.amount, ac.is_estimated) == (10.0, True)
    assert (dc.amount, dc.is_estimated) == (8.0, True)
    assert (none.amount, none.billed_kwh) == (None, None)
    battery = tariffs(Tariff("t", per_kwh=1.0, metered="battery"))
    assert amount(battery, session(start, 1)) == pytest.approx(9.0)


def test_the_first_tariff_that_fits_counts() -> None:
    start = datetime(2024, 5, 1, 0, 30, tzinfo=ZoneInfo(AMSTERDAM))
    one = tariffs(
        Tariff("home", place="Home", per_kwh=0.2),
        Tariff("by id", place="1a2b", per_kwh=9.0),
        Tariff("old", since=date(2023, 1, 1), until=date(2024, 5, 1), per_kwh=9.0),
        Tariff("dc", kind=ChargeKind.DC, per_kwh=0.7, session=1.0),
        Tariff("from today", since=date(2024, 5, 1), per_kwh=0.4),
    )
    costs = Costs(one)

    def named(charge: Session) -> str | None:
        cost = costs.of(charge)
        return None if cost is None else cost.tariff

    assert named(session(start, 1, place=HOME)) == "home"
    assert named(session(start, 1, kind=ChargeKind.DC)) == "dc"
    assert named(session(start, 1, kind=ChargeKind.AC)) == "from today"
    assert named(session(datetime(2020, 1, 1, tzinfo=UTC), 1)) is None


def test_time_is_paid_beyond_the_free_minutes_of_charging_or_of_the_cable() -> None:
    start = datetime(2024, 5, 1, tzinfo=UTC)
    charging = Tariff("t", session=0.5, per_minute=0.1, free_minutes=30)
    assert amount(tariffs(charging), session(start, 2)) == pytest.approx(0.5 + 9.0)
    assert amount(tariffs(charging), session(start, 0.25)) == pytest.approx(0.5)
    cable = Tariff("t", per_minute=0.1, free_minutes=30, minutes="plugged")
    assert amount(tariffs(cable), session(start, 2, plugged_ns=3 * HOUR_NS)) == pytest.approx(15.0)
    assert amount(tariffs(cable), session(start, 2)) == pytest.approx(9.0)


def test_a_charge_of_the_history_is_a_session() -> None:
    charge = Charge(
        start_ns=10, end_ns=20, kind=ChargeKind.AC,
        energy=Energy(out_kwh=0.0, in_kwh=7.0, source=EnergySource.POWER, known_s=1.0),
        wall_kwh=8.0, soc_start_pct=None, soc_end_pct=None, power_max_kw=None,
        battery_mean_degc=None, location=None, plugged_start_ns=5, plugged_end_ns=25,
    )  # fmt: skip
    assert session_of(charge, place=HOME) == Session(
        start_ns=10, end_ns=20, kind=ChargeKind.AC, battery_kwh=7.0, wall_kwh=8.0, place=HOME,
        plugged_ns=20,
    )  # fmt: skip


def test_tariffs_are_read_from_json_with_the_place_of_every_error() -> None:
    document = {
        "version": 1,
        "currency": "EUR",
        "time_zone": AMSTERDAM,
        "tariffs": [
            {"name": "home", "place": "Home", "from": "2024-01-01", "per_kwh": 0.3,
             "bands": [{"from": "22:00", "until": "06:00", "per_kwh": 0.1}]},
        ],
    }  # fmt: skip
    read = decode_tariffs(json.dumps(document))
    assert read.tariffs[0].bands == (NIGHT,)
    assert read.tariffs[0].since == date(2024, 1, 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time_zone": "Europe/Nowhere"}, "unknown time zone 'Europe/Nowhere'"),
        ({"time_zone": "../../etc/passwd"}, "unknown time zone"),
        ({"currency": "euro"}, r"\$.currency"),
        ({"tariffs": [{"name": "t", "bands": [{"per_kwh": 1, "from": "25:00"}]}]}, r"bands\[0\]"),
        ({"tariffs": [{"name": "t", "per_kw": 1}]}, "unknown field `per_kw`"),
        (
            {"tariffs": [{"name": "t", "prices": {"starts_s": [2, 1], "per_kwh": [1, 1]}}]},
            "do not rise",
        ),
        (
            {"tariffs": [{"name": "t", "prices": {"starts_s": [1], "per_kwh": []}}]},
            "1 starts, 0 prices",
        ),
    ],
)
def test_tariffs_that_are_none_are_refused(change: dict[str, object], words: str) -> None:
    document = {"version": 1, "currency": "EUR", "time_zone": "UTC", "tariffs": [], **change}
    with pytest.raises(InvalidValue, match=words):
        decode_tariffs(json.dumps(document))


def test_cost_of_real_sessions_at_real_prices(shared_data: Path) -> None:
    """Workplace charges at day-ahead prices, against a sum over seconds of each hour."""
    polars = pytest.importorskip("polars")
    hours = polars.read_parquet(shared_data / "energy" / "nl_day_ahead_2015_2021.parquet")
    starts = hours["utc"].dt.epoch("s").to_list()
    per_kwh = (hours["eur_mwh"] / 1000).to_list()
    price = dict(zip(starts, per_kwh, strict=True))
    assert min(per_kwh) < 0
    costs = Costs(tariffs(Tariff("t", prices=HourPrices(tuple(starts), tuple(per_kwh)))))
    sessions = polars.read_parquet(shared_data / "charging" / "california_ev_sessions.parquet")
    ends = [name for name in sessions.columns if name.startswith("ChargingEnd")]
    checked = 0
    for row in sessions.sample(300, seed=1).iter_rows(named=True):
        start, end = row["ChargingStartDateTime"], row[ends[0]]
        if start is None or end is None or end <= start or end.year > 2021:
            continue
        utc = start.replace(tzinfo=UTC)
        seconds = np.arange(ns(utc) // 10**9, ns(end.replace(tzinfo=UTC)) // 10**9, 10)
        known = [price.get(int(second) // 3600 * 3600) for second in seconds]
        cost = costs.of(session(utc, (end - start).total_seconds() / 3600))
        assert cost is not None
        if None in known:
            assert cost.amount is None
            continue
        checked += 1
        assert cost.amount == pytest.approx(10 * np.mean(known), abs=2e-3)
    assert checked > 100
