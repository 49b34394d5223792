"""Our own car, and the time passing for it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from contactor.car.profiles.profile import load_profile
from contactor.physics.car import CarPhysics, CarState, Controls
from contactor.physics.parameters import CarParameters
from contactor.physics.plan import Plan, Situation

NS_PER_S = 1_000_000_000


@pytest.fixture(scope="session")
def parameters() -> CarParameters:
    loaded = load_profile("contactor_ev").physics
    assert loaded is not None
    return loaded


@pytest.fixture
def make_car(parameters: CarParameters) -> Callable[..., CarPhysics]:
    def make(**given: float) -> CarPhysics:
        return CarPhysics(parameters, **given)  # type: ignore[arg-type]

    return make


def controls_of(situation: Situation, **more: object) -> Controls:
    """What a plan's situation asks of the car."""
    controls = Controls(
        target_speed_mps=situation.target_speed_mps,
        grade=situation.grade,
        ambient_degc=situation.ambient_degc,
        plug=situation.plug,
        station_power_w=situation.station_power_w,
        is_awake=situation.is_awake,
        is_driving=situation.is_driving,
        is_climate_on=situation.is_climate_on,
        are_lights_on=situation.are_lights_on,
    )
    return replace(controls, **more)  # type: ignore[arg-type]


@pytest.fixture
def live_through() -> Callable[..., None]:
    """Lets a car live by a plan; `watch` is called after each step with state, dt and controls."""

    def live(
        car: CarPhysics,
        plan: Plan,
        start_ns: int,
        *,
        hours: float,
        dt_s: float = 1.0,
        watch: Callable[[CarState, float, Controls], None] = lambda *_: None,
    ) -> None:
        ts, end_ns = start_ns, start_ns + int(hours * 3600 * NS_PER_S)
        while ts < end_ns:
            now = plan.at(ts)
            step_ns = int(dt_s * NS_PER_S)
            if not now.is_driving and not car.state.is_charging:
                step_ns = min(60 * NS_PER_S, now.next_change_ns - ts)
            after = plan.at(ts + step_ns)
            controls = controls_of(now)
            if now.is_driving and after.is_driving:
                controls = controls_of(now, target_speed_mps=after.target_speed_mps)
            elif now.is_driving:
                controls = controls_of(now, target_speed_mps=0.0)
            car.step(step_ns / NS_PER_S, controls)
            watch(car.state, step_ns / NS_PER_S, controls)
            ts += step_ns

    return live
