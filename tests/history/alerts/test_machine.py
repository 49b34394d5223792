"""One rule and one car: what is told, when, and how often."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from contactor.clock import NS_PER_S
from contactor.history.alerts.events import (
    Acknowledged,
    Anomalies,
    Ended,
    Event,
    Found,
    Row,
    Silence,
    Tick,
)
from contactor.history.alerts.machine import Fired, RuleState, step
from contactor.history.alerts.quiet import sending_ns
from contactor.history.alerts.rules import (
    POSITION,
    AtMost,
    Crossing,
    FactKind,
    How,
    OnAnomaly,
    OnFact,
    OnFence,
    OnSignal,
    OnSilence,
    Quiet,
    Rule,
    Severity,
)
from contactor.signals.campaign import Claim

CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
LOW = OnSignal((Claim(CHARGE, below=15.0, rearm=20.0),))
HOME = OnFence(Crossing.ENTER, latitude_deg=52.5, longitude_deg=13.4, radius_m=100)
START = 1_700_000_000 * NS_PER_S  # 2023-11-14T22:13:20Z
NIGHT = Quiet("22:00", "07:00", "Europe/Berlin")


def at(seconds: float) -> int:
    return START + round(seconds * NS_PER_S)


def told(rule: Rule, *events: tuple[float, Event]) -> list[Fired]:
    state, found = RuleState.first(rule), []
    for seconds, event in events:
        state, fired = step(rule, state, event, at(seconds))
        found += fired
    return found


def charge(seconds: float, value: float) -> tuple[float, Event]:
    return seconds, Row(at(seconds), {CHARGE: value})


def here(seconds: float, north_m: float) -> tuple[float, Event]:
    degrees = north_m / 111_195
    return seconds, Row(at(seconds), {POSITION[0]: 52.5 + degrees, POSITION[1]: 13.4})


# ── triggers ─────────────────────────────────────────────────────────────────────────────────────


def test_fence_is_entered_once_the_car_stays() -> None:
    way = [here(0, 5000), here(10, 50), here(15, 40), here(25, 0), here(30, 0)]

    [fired] = told(Rule("home", HOME), *way)

    assert fired.at_ns == at(20)


def test_fence_is_not_entered_by_a_jump() -> None:
    assert (
        told(Rule("home", HOME), here(0, 5000), here(10, 0), here(11, 5000), here(60, 5000)) == []
    )


def test_fence_is_not_entered_by_a_car_that_was_there() -> None:
    assert told(Rule("home", HOME), here(0, 0), here(60, 10), here(120, 20)) == []


def test_fence_is_left_beyond_its_margin() -> None:
    leave = OnFence(Crossing.LEAVE, latitude_deg=52.5, longitude_deg=13.4, radius_m=100)
    rule = Rule("left", leave)

    assert told(rule, here(0, 0), here(20, 0), here(30, 110), here(60, 140)) == []
    assert len(told(rule, here(0, 0), here(20, 0), here(30, 160), here(60, 200))) == 1


def test_polygon_is_a_fence_too() -> None:
    corners = ((52.499, 13.399), (52.501, 13.399), (52.501, 13.401), (52.499, 13.401))
    rule = Rule("yard", OnFence(Crossing.LEAVE, points=corners))

    assert len(told(rule, here(0, 0), here(20, 0), here(30, 500), here(60, 500))) == 1


def test_fact_fires_once_however_often_it_is_told() -> None:
    rule = Rule("charged", OnFact(FactKind.CHARGE, How.FINISHED))
    charged = Ended(FactKind.CHARGE, "c1", at(-60), at(0), is_interrupted=False, words="20 kWh")
    broken = Ended(FactKind.CHARGE, "c2", at(-600), at(-300), is_interrupted=True)
    trip = Ended(FactKind.TRIP, "t1", at(-60), at(0), is_interrupted=False)

    [fired] = told(rule, (0, trip), (1, broken), (2, charged), (3, charged), (4, charged))

    assert (fired.key, fired.words) == ("c1", "20 kWh")


def test_fact_whose_start_has_moved_is_the_same() -> None:
    rule = Rule("driven", OnFact(FactKind.TRIP))
    first = Ended(FactKind.TRIP, "t1", at(-600), at(0), is_interrupted=False)
    moved = Ended(FactKind.TRIP, "t2", at(-660), at(30), is_interrupted=False)
    later = Ended(FactKind.TRIP, "t3", at(30), at(90), is_interrupted=False)

    assert [one.key for one in told(rule, (0, first), (1, moved), (200, later))] == ["t1", "t3"]


def test_interrupted_charge_fires_where_that_is_asked() -> None:
    rule = Rule("broken", OnFact(FactKind.CHARGE, How.INTERRUPTED))
    charged = Ended(FactKind.CHARGE, "c1", at(-60), at(0), is_interrupted=False)
    broken = Ended(FactKind.CHARGE, "c2", at(-600), at(-300), is_interrupted=True)

    assert [one.key for one in told(rule, (0, charged), (1, broken))] == ["c2"]


def test_anomaly_fires_once_until_it_is_over() -> None:
    rule = Rule("early", OnAnomaly(least=Severity.WARNING))
    weak = Found("drifting_cell", "17", at(0), Severity.WARNING)
    small = Found("frozen_sensor", "x", at(0), Severity.INFO)
    again = Found("drifting_cell", "17", at(500), Severity.CRITICAL)

    fired = told(
        rule,
        (0, Anomalies((weak, small))),
        (1, Anomalies((weak,))),
        (2, Anomalies(())),
        (600, Anomalies((again,))),
    )

    assert [one.severity for one in fired] == [Severity.WARNING, Severity.CRITICAL]


def test_silence_fires_once_it_is_long() -> None:
    rule = Rule("lost", OnSilence(lost_s=600))
    events: list[tuple[float, Event]] = [
        (0, Silence(at(0))),
        (300, Tick()),
        (700, Tick()),
        (900, Tick()),
        (1000, Silence(None)),
        (1100, Silence(at(1100))),
        (1200, Silence(None)),
        (1800, Tick()),
    ]

    [fired] = told(rule, *events)

    assert fired.at_ns == at(600)


# ── how often, and when ──────────────────────────────────────────────────────────────────────────


def test_too_many_are_kept_and_not_sent() -> None:
    rule = Rule("low", LOW, at_most=AtMost(2, 3600))
    rows = [charge(10 * n, 10 if n % 2 else 30) for n in range(10)]

    fired = told(rule, *rows, charge(5000, 30), charge(5010, 10))

    assert [one.send_at_ns is not None for one in fired] == [True, True, False, False, False, True]
    assert fired[-1].withheld == 3


def test_reminders_end_when_somebody_has_seen_it() -> None:
    rule = Rule("low", LOW, remind_s=60)
    first = charge(0, 10)
    key = told(rule, first)[0].key

    fired = told(rule, first, (61, Tick()), (62, Tick()), (130, Tick()), (140, Acknowledged(key)))
    assert [one.reminder for one in fired] == [0, 1, 2]

    events = (first, (61, Tick()), (90, Acknowledged(key)), (200, Tick()), (400, Tick()))
    assert [one.reminder for one in told(rule, *events)] == [0, 1]


def test_reminders_end_when_it_is_over() -> None:
    rule = Rule("low", LOW, remind_s=60)

    fired = told(rule, charge(0, 10), (61, Tick()), charge(70, 30), (200, Tick()), (400, Tick()))

    assert [one.reminder for one in fired] == [0, 1]


def test_critical_alerts_are_sent_at_night() -> None:
    assert told(Rule("low", LOW, quiet=NIGHT, severity=Severity.CRITICAL), charge(0, 10))[
        0
    ].send_at_ns == at(0)


def test_others_wait_until_the_morning() -> None:
    [fired] = told(Rule("low", LOW, quiet=NIGHT), charge(0, 10))

    assert fired.send_at_ns is not None
    local = datetime.fromtimestamp(fired.send_at_ns / NS_PER_S, ZoneInfo("Europe/Berlin"))
    assert (local.day, local.time()) == (15, time(7, 0))


times = st.times().map(lambda one: f"{one.hour:02}:{one.minute:02}")
zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])
instants = st.integers(1_672_531_200, 1_798_761_600).map(lambda one: one * NS_PER_S)  # 2023 to 2026


@given(at_ns=instants, start=times, end=times, zone=zones)
def test_what_is_sent_is_never_sent_in_the_quiet_hours(
    at_ns: int, start: str, end: str, zone: str
) -> None:
    assume(start != end)  # `check_rule` refuses it
    quiet = Quiet(start, end, zone)
    sent = sending_ns(quiet, at_ns)
    local = datetime.fromtimestamp(sent // NS_PER_S, UTC).astimezone(ZoneInfo(zone)).time()
    first, last = time.fromisoformat(start), time.fromisoformat(end)
    is_quiet = first <= local < last if first < last else local >= first or local < last

    assert at_ns <= sent <= at_ns + 26 * 3600 * NS_PER_S
    assert not is_quiet


@given(
    values=st.lists(st.sampled_from([10.0, 17.0, 30.0]), max_size=80),
    count=st.integers(1, 4),
    in_s=st.integers(1, 100),
)
def test_no_window_has_more_than_the_rule_allows(
    values: list[float], count: int, in_s: int
) -> None:
    rule = Rule("low", LOW, at_most=AtMost(count, in_s), remind_s=60)
    fired = told(rule, *(charge(7 * n, value) for n, value in enumerate(values)))
    sent = [one.send_at_ns for one in fired if one.send_at_ns is not None]

    for first in sent:
        assert sum(first <= one < first + in_s * NS_PER_S for one in sent) <= count
    assert len({one.key for one in fired}) == len(fired)
