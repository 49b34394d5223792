from contactor.car.agent.guard import Guard, SpeedNow
from contactor.car.profiles.entry import ActuatorEntry
from contactor.car.profiles.limits import Limit, Limits
from contactor.car.profiles.profile import load_profile
from contactor.clock import NS_PER_S
from contactor.signals.catalogue import VIRTUAL_BRANCH, catalogue
from contactor.signals.command import Command
from contactor.signals.record import Scalar

LOCK = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
CHARGE_LIMIT = "Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"
START_STOP = "Vehicle.Powertrain.TractionBattery.Charging.StartStopCharging"
STANDS = SpeedNow(0.0, age_s=0.1)
NOW_NS = 1_700_000_000 * NS_PER_S


def guard() -> Guard:
    limits = Limits(
        (
            Limit(LOCK, not_while_moving=True, rate_limit_s=1.0),
            Limit(CHARGE_LIMIT, minimum=50, maximum=100),
            Limit(START_STOP, allowed=("STOP",)),
        )
    )
    paths = (LOCK, CHARGE_LIMIT, START_STOP)
    return Guard(limits, actuators=[ActuatorEntry(catalogue()[path], "A.B") for path in paths])


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


def objection(asked: Command, speed: SpeedNow = STANDS) -> str | None:
    return guard().objection(asked, speed=speed, now_ns=NOW_NS, monotonic_ns=0)


def test_guard_lets_a_standing_car_be_locked():
    assert objection(command(LOCK, value=True)) is None


def test_guard_refuses_a_lock_while_the_car_moves_and_says_how_fast():
    said = objection(command(LOCK, value=True), SpeedNow(52.34, age_s=0.1))
    assert said == "not while moving: speed is 52.3 km/h"


def test_guard_refuses_a_lock_when_nobody_knows_the_speed():
    for speed in (SpeedNow(None, 0.0), SpeedNow(0.0, age_s=60.0)):
        said = objection(command(LOCK, value=True), speed)
        assert said == "not while moving: the speed is not known"


def test_guard_lets_a_sleeping_car_be_locked():
    assert objection(command(LOCK, value=True), SpeedNow(0.0, 3600.0, is_asleep=True)) is None


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
    early = one.objection(asked, speed=STANDS, now_ns=NOW_NS, monotonic_ns=NS_PER_S // 2)
    assert early == "rate limit: one in 1 s; the last was 0.5 s ago"
    assert one.objection(asked, speed=STANDS, now_ns=NOW_NS, monotonic_ns=NS_PER_S) is None


def test_guard_lets_only_a_virtual_car_be_broken_whatever_the_profile_allows():
    profile = load_profile("contactor_ev")
    paths = [one.path for one in profile.limits.entries if one.path.startswith(VIRTUAL_BRANCH)]
    asked = command(f"{VIRTUAL_BRANCH}Fault.ContactorWeld", value=True)
    assert asked.path in paths
    for is_virtual, said in (
        (True, None),
        (False, f"virtual only: {asked.path} is of virtual cars, and this is none"),
    ):
        one = Guard(profile.limits, actuators=profile.map.actuators, is_virtual=is_virtual)
        assert one.objection(asked, speed=STANDS, now_ns=NOW_NS, monotonic_ns=0) == said
    by_default = Guard(profile.limits, actuators=profile.map.actuators)
    for path in paths:
        found = by_default.objection(
            command(path, value=True), speed=STANDS, now_ns=NOW_NS, monotonic_ns=0
        )
        assert found is not None
        assert found.startswith("virtual only: ")
