import pytest

from contactor.car.agent.floor import with_floor
from contactor.car.agent.guard import SPEED, CarNow, Guard, Seen
from contactor.car.profiles.entry import ActuatorEntry, MapEntry
from contactor.car.profiles.limits import GEAR, CarState, Limit, Limits
from contactor.car.profiles.mapping import SignalMap
from contactor.car.profiles.profile import load_profile
from contactor.clock import NS_PER_S
from contactor.signals.catalogue import VIRTUAL_BRANCH, catalogue
from contactor.signals.command import Command
from contactor.signals.groups import Group
from contactor.signals.record import Scalar

LOCK = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
CHARGE_LIMIT = "Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"
START_STOP = "Vehicle.Powertrain.TractionBattery.Charging.StartStopCharging"
WINDOW = "Vehicle.Cabin.Door.Row2.DriverSide.Window.Position"
CHILD_LOCK = "Vehicle.Cabin.IsWindowChildLockEngaged"
POWER = "Vehicle.LowVoltageSystemState"
STANDS = CarNow({SPEED: Seen(0.0, age_s=0.1)})
NOW_NS = 1_700_000_000 * NS_PER_S


def guard() -> Guard:
    limits = Limits(
        (
            Limit(LOCK, not_while_moving=True, rate_limit_s=1.0),
            Limit(CHARGE_LIMIT, minimum=50, maximum=100),
            Limit(START_STOP, allowed=("STOP",)),
        )
    )
    return Guard(limits, car=car(LOCK, CHARGE_LIMIT, START_STOP))


def car(*actuators: str, says: tuple[str, ...] = ()) -> SignalMap:
    entries = [
        MapEntry(catalogue()[path], ("A.B",), Group.EVENTS, is_mean=False, stale_s=1.0)
        for path in says
    ]
    asked = [ActuatorEntry(catalogue()[path], "A.B") for path in actuators]
    return SignalMap(tuple(entries), tuple(asked))


def command(path: str, value: Scalar, *, ends_in_s: float = 30) -> Command:
    end_ns = NOW_NS + round(ends_in_s * NS_PER_S)
    return Command(
        id="c",
        vehicle_id="leaf",
        path=path,
        value=value,
        issued_by="owner",
        issued_at=NOW_NS,
        expires_at=end_ns,
    )


def objection(asked: Command, now: CarNow = STANDS) -> str | None:
    return guard().objection(asked, now=now, now_ns=NOW_NS, monotonic_ns=0)


def test_guard_lets_a_standing_car_be_locked():
    assert objection(command(LOCK, value=True)) is None


def test_guard_refuses_a_lock_while_the_car_moves_and_says_how_fast():
    said = objection(command(LOCK, value=True), CarNow({SPEED: Seen(52.34, 0.1)}))
    assert said == "not while moving: speed is 52.3 km/h"


def test_guard_refuses_a_lock_when_nobody_knows_the_speed():
    for now in (CarNow(), CarNow({SPEED: Seen(0.0, 60.0)})):
        said = objection(command(LOCK, value=True), now)
        assert said == "not while moving: the speed is not known"


def test_guard_lets_a_sleeping_car_be_locked():
    asleep = CarNow({SPEED: Seen(0.0, 3600.0)}, is_asleep=True)
    assert objection(command(LOCK, value=True), asleep) is None


def test_guard_refuses_a_lock_of_a_sleeping_car_whose_speed_nobody_heard():
    said = objection(command(LOCK, value=True), CarNow(is_asleep=True))
    assert said == "not while moving: the speed is not known"


def test_guard_does_not_take_a_bus_that_fell_silent_in_motion_for_a_sleeping_car():
    said = objection(command(LOCK, value=True), CarNow({SPEED: Seen(80.0, 9.0)}, is_asleep=True))
    assert said == "not while moving: the bus fell silent at 80.0 km/h"


def test_guard_refuses_what_has_no_limit_entry():
    said = objection(command("Vehicle.Cabin.Door.Row2.DriverSide.IsLocked", value=True))
    assert said is not None
    assert said.startswith("no limit entry")


def test_guard_refuses_values_outside_the_limits_naming_them():
    assert objection(command(CHARGE_LIMIT, 50)) is None
    assert objection(command(CHARGE_LIMIT, 49)) == "out of range: 49; allowed: 50..100"
    said = objection(command(CHARGE_LIMIT, 101))
    assert said is not None
    assert said.startswith("out of range")
    assert objection(command(START_STOP, "START")) == "out of range: 'START'; allowed: STOP"


def test_guard_refuses_a_value_of_another_type():
    for wrong in (1, "true", 1.0):
        said = objection(command(LOCK, wrong))
        assert said is not None
        assert said.startswith("out of range")


def test_guard_refuses_a_command_whose_end_has_passed():
    for ends_in_s in (0, -1):
        said = objection(command(LOCK, value=True, ends_in_s=ends_in_s))
        assert said is not None
        assert said.startswith("expired")


def test_guard_keeps_two_commands_for_one_actuator_apart():
    one = guard()
    one.note_sent(LOCK, 0)
    asked = command(LOCK, value=False)
    early = one.objection(asked, now=STANDS, now_ns=NOW_NS, monotonic_ns=NS_PER_S // 2)
    assert early == "rate limit: one in 1 s; the last was 0.5 s ago"
    assert one.objection(asked, now=STANDS, now_ns=NOW_NS, monotonic_ns=NS_PER_S) is None


def test_guard_lets_only_a_virtual_car_be_broken_whatever_the_profile_allows():
    profile = load_profile("contactor_ev")
    paths = [one.path for one in profile.limits.entries if one.path.startswith(VIRTUAL_BRANCH)]
    asked = command(f"{VIRTUAL_BRANCH}Fault.ContactorWeld", value=True)
    assert asked.path in paths
    for is_virtual, said in (
        (True, None),
        (False, f"virtual only: {asked.path} is of virtual cars, and this is none"),
    ):
        one = Guard(profile.limits, car=profile.map, is_virtual=is_virtual)
        assert one.objection(asked, now=STANDS, now_ns=NOW_NS, monotonic_ns=0) == said
    by_default = Guard(profile.limits, car=profile.map)
    for path in paths:
        found = by_default.objection(
            command(path, value=True), now=STANDS, now_ns=NOW_NS, monotonic_ns=0
        )
        assert found is not None
        assert found.startswith("virtual only: ")


# ── states of the car ────────────────────────────────────────────────────────────────────────────


def said_of(limit: Limit, now: CarNow, value: Scalar, *, says: tuple[str, ...] = ()) -> str | None:
    one = Guard(Limits((limit,)), car=car(limit.path, says=says))
    asked = command(limit.path, value)
    return one.objection(asked, now=now, now_ns=NOW_NS, monotonic_ns=0)


def with_state(path: str, value: Scalar, age_s: float = 0.1, **how: bool) -> CarNow:
    return CarNow({SPEED: Seen(0.0, 0.1), path: Seen(value, age_s)}, **how)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (with_state(GEAR, 126), None),
        (with_state(GEAR, 127), f"only while: {GEAR} is 127; allowed: 126, 0"),
        (with_state(GEAR, 126, 5.1), f"only while: {GEAR} is not known"),
        (STANDS, f"only while: {GEAR} is not known"),
        (with_state(GEAR, 126, 3600, is_asleep=True), None),
        (
            with_state(GEAR, 127, 3600, is_asleep=True),
            f"only while: {GEAR} is 127; allowed: 126, 0",
        ),
        (CarNow({SPEED: Seen(0.0, 9.0)}, is_asleep=True), f"only while: {GEAR} is not known"),
    ],
)
def test_guard_looks_at_the_gear(now: CarNow, said: str | None):
    limit = Limit(LOCK, only_while=(CarState(GEAR, (126, 0)),))
    assert said_of(limit, now, value=True) == said


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (with_state(POWER, "OFF"), None),
        (with_state(POWER, "ON"), f"not while: {POWER} is ON"),
        (with_state(POWER, "OFF", 5.1), f"not while: {POWER} is not known"),
        (STANDS, f"not while: {POWER} is not known"),
        (with_state(POWER, "OFF", 3600, is_asleep=True), None),
        (CarNow(is_asleep=True), f"not while: {POWER} is not known"),
    ],
)
def test_guard_refuses_in_a_state_that_the_profile_names(now: CarNow, said: str | None):
    assert said_of(Limit(CHARGE_LIMIT, not_while=(CarState(POWER, ("ON",)),)), now, 70) == said


def test_guard_keeps_actuators_apart_that_exclude_each_other():
    limits = Limits((Limit(CHARGE_LIMIT, excludes=(START_STOP,)), Limit(START_STOP), Limit(LOCK)))
    one = Guard(limits, car=car(CHARGE_LIMIT, START_STOP, LOCK))
    values: dict[str, Scalar] = {CHARGE_LIMIT: 70, START_STOP: "STOP", LOCK: True}

    def said(path: str, *underway: str, at_s: float = 0.0) -> str | None:
        now = CarNow(STANDS.seen, underway=underway)
        at_ns = round(at_s * NS_PER_S)
        return one.objection(
            command(path, values[path]), now=now, now_ns=NOW_NS, monotonic_ns=at_ns
        )

    assert said(CHARGE_LIMIT) is None
    for path, other in ((CHARGE_LIMIT, START_STOP), (START_STOP, CHARGE_LIMIT)):
        assert said(path, other) == f"excluded: {other} is being asked for something"
        assert said(path, path, LOCK) is None
    one.note_sent(START_STOP, 0)
    early = f"excluded: {START_STOP} was asked for something 1.5 s ago; allowed: 2 s after it"
    assert said(CHARGE_LIMIT, at_s=1.5) == early
    assert said(LOCK, at_s=1.5) is None
    assert said(CHARGE_LIMIT, at_s=2.0) is None


# ── what holds whatever the profile says ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "is_strict"),
    [
        (LOCK, True),
        ("Vehicle.Cabin.Door.Row2.PassengerSide.IsOpen", True),
        ("Vehicle.Body.Hood.IsOpen", True),
        ("Vehicle.Body.Trunk.Rear.IsLocked", True),
        (
            "Vehicle.Powertrain.TractionBattery.Charging.ChargingPort.AnyPosition.IsFlapOpen",
            True,
        ),
        ("Vehicle.Powertrain.TractionBattery.IsPowerConnected", True),
        (GEAR, True),
        (WINDOW, False),
        (CHARGE_LIMIT, False),
    ],
)
def test_floor_holds_though_the_profile_says_nothing(path: str, is_strict: bool):
    assert with_floor(Limit(path), told=()).not_while_moving is is_strict


def test_guard_moves_no_window_while_a_child_lock_is_on_whatever_the_profile_says():
    says = (CHILD_LOCK,)
    assert said_of(Limit(WINDOW), with_state(CHILD_LOCK, value=False), 50, says=says) is None
    for now, why in (
        (with_state(CHILD_LOCK, value=True), "true"),
        (with_state(CHILD_LOCK, value=False, age_s=6.0), "not known"),
        (STANDS, "not known"),
    ):
        said = said_of(Limit(WINDOW), now, 50, says=says)
        assert said == f"not while: {CHILD_LOCK} is {why}"
    assert said_of(Limit(WINDOW), STANDS, 50) is None  # of a car that does not tell


def test_floor_counts_the_child_lock_of_each_door():
    lock = "Vehicle.Cabin.Door.Row2.DriverSide.IsChildLockActive"
    assert with_floor(Limit(WINDOW), told=(lock, LOCK)).not_while == (CarState(lock, (True,)),)
