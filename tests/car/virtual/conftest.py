"""Virtual cars of our own profile, and what is read in their frames."""

from collections.abc import Callable

import pytest

from contactor.can.decode import SignalColumn, decode_columns
from contactor.can.frames import FrameTable
from contactor.can.plan import compile_plan
from contactor.car.profiles.profile import Profile, load_profile
from contactor.car.virtual.car import VirtualCar
from contactor.clock import NS_PER_S, from_iso
from contactor.physics.plan import PlanKind

NOON_NS = from_iso("2026-03-03T11:00:00Z") + 123_456_789


@pytest.fixture(scope="session")
def profile() -> Profile:
    return load_profile("contactor_ev")


@pytest.fixture
def make_car(profile: Profile) -> Callable[..., VirtualCar]:
    """A car that is watched from its start on; `**more` as `VirtualCar` takes it."""

    def make(plan: PlanKind = PlanKind.DRIVE, **more: object) -> VirtualCar:
        settings = {"seed": 1, "start_ns": NOON_NS, "plan": plan, "live_from_ns": NOON_NS}
        return VirtualCar(profile, **{**settings, **more})

    return make


@pytest.fixture
def columns_of(profile: Profile) -> Callable[[FrameTable], dict[str, SignalColumn]]:
    """Everything decoded, by "Message.Signal"."""
    plan = compile_plan(profile.database, unavailable=profile.map.unavailable)
    return lambda frames: {one.name: one for one in decode_columns(frames, plan)}


def drive(car: VirtualCar, seconds: float, *, step_s: float = 1.0) -> FrameTable:
    """The frames of the next seconds."""
    end_ns = car.now_ns + round(seconds * NS_PER_S)
    tables = []
    while car.now_ns < end_ns:
        tables.append(car.advance(min(car.now_ns + round(step_s * NS_PER_S), end_ns)))
    return FrameTable.concat(tables)
