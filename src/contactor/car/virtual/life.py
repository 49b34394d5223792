"""The life of a virtual car in time: situation, driver's wishes and faults, put to its physics.

    Plan ─► Override ─► Situation ─┐
    Body, Condition ───────────────┴─► Controls ─► CarPhysics ─► Condition

Awake it lives in short steps, asleep in steps of a minute, until the plan says something new at the
latest. Nothing here knows of frames.

    life = Life(parameters, units, seed=1, start_ns=now_ns, live_from_ns=now_ns)
    life.live(now_ns + 100 * NS_PER_MS)
    life.fields()
"""

from contactor.car.virtual import faults, override
from contactor.car.virtual.body import Body
from contactor.car.virtual.condition import Condition
from contactor.car.virtual.diagnostics.ecus import ControlUnits
from contactor.car.virtual.diagnostics.facts import CarFacts
from contactor.car.virtual.kept import Kept, body_of
from contactor.car.virtual.override import Override
from contactor.car.virtual.report import Fields, fields_of
from contactor.clock import NS_PER_S
from contactor.physics.car import CarPhysics, Controls
from contactor.physics.parameters import CarParameters
from contactor.physics.plan import Plan, PlanKind, Situation

SLEEP_STEP_NS = 60 * NS_PER_S


class Life:
    """Owns what a car is, and what its time brings.

    Args:
        units: its control units, which it powers up and whose trouble codes it sets.
        plan, live_from_ns, kept, state_of_charge: as `VirtualCar` has them.
        step_ns: of the physics while awake.

    Fields:
        at_ns: until when it has lived.
        is_asleep: it sends nothing.
    """

    def __init__(
        self,
        parameters: CarParameters,
        units: ControlUnits,
        *,
        seed: int,
        start_ns: int,
        plan: PlanKind,
        live_from_ns: int,
        kept: Kept | None,
        state_of_charge: float,
        step_ns: int,
    ) -> None:
        self._plan = Plan(seed=seed, kind=plan, live_from_ns=live_from_ns)
        self._planned = self._situation = self._plan.at(start_ns)
        self.physics = CarPhysics(
            parameters,
            seed=seed,
            state_of_charge=state_of_charge if kept is None else kept.state_of_charge,
            temperature_degc=self._situation.ambient_degc
            if kept is None
            else kept.temperature_degc,
            state_of_health=None if kept is None else kept.state_of_health,
            distance_m=0.0 if kept is None else kept.distance_m,
        )
        self._units = units
        self._body, self._override = Body(), Override()
        if kept is not None:
            self.physics.state.low_voltage_charge = kept.low_voltage_charge
            self._body = body_of(kept)
            self._override = Override(plug=kept.plug, station_power_kw=kept.station_power_kw)
            units.restore(kept.memories)
        self.condition = Condition(
            units, parameters.driveline, self.physics.state, {} if kept is None else kept.faults
        )
        self.step_ns = step_ns
        self.at_ns = self._awake_since_ns = start_ns
        self.is_asleep = not self.is_awake()

    def keep(self) -> Kept:
        """What the next start needs to know."""
        state, body = self.physics.state, self._body
        return Kept(
            distance_m=state.distance_m,
            state_of_charge=state.state_of_charge,
            temperature_degc=state.battery_temperature_degc,
            is_locked=tuple(body.is_locked),
            charge_limit_pct=body.charge_limit_pct,
            is_charge_allowed=body.is_charge_allowed,
            cabin_target_degc=body.cabin_target_degc,
            state_of_health=state.state_of_health,
            low_voltage_charge=state.low_voltage_charge,
            faults=dict(self.condition.faults.values),
            plug=self._override.plug,
            station_power_kw=self._override.station_power_kw,
            memories=self._units.keep(),
        )

    # ── what is asked and told ───────────────────────────────────────────────────────────────────

    def ask(self, field: str, value: float, *, now_ns: int) -> bool:
        """Do what a field of a command frame asks; False where it is beyond what can be."""
        message, state = field.partition(".")[0], self.physics.state
        if message == faults.MESSAGE:
            is_done = self.condition.ask(field, value, state)
        elif message == override.MESSAGE:
            is_done = self._override.ask(field, value, speed_mps=state.speed_mps)
        else:
            is_done = self._body.ask(field, value, now_ns=now_ns)
        if is_done:
            self._body.stay_awake(now_ns)
        return is_done

    def fields(self) -> Fields:
        """What is true after the last step."""
        state = self.physics.state
        return fields_of(
            state,
            self._situation,
            self._body,
            plug=self._override.report(self._situation),
            condition=self.condition.report(state, now_ns=self.at_ns),
        )

    def facts(self, vin: str, *, now_ns: int) -> CarFacts:
        """What the control units see."""
        return CarFacts(
            now_ns=now_ns,
            awake_since_ns=self._awake_since_ns,
            vin=vin,
            state=self.condition.shown(self.physics.state),
            cell_voltages_v=self.physics.cell_voltages_v,
            is_locked=self._body.is_locked,
            insulation_kohm=self.condition.insulation_kohm,
            link_v=self.condition.link_v,
        )

    # ── time ─────────────────────────────────────────────────────────────────────────────────────

    def _look(self) -> Situation:
        """The situation now; one of the plan in which nobody drives stays until it says."""
        planned = self._planned
        if planned.is_driving or self.at_ns >= planned.next_change_ns:
            self._planned = planned = self._plan.at(self.at_ns)
        self._situation = situation = self._override.of(
            planned,
            speed_mps=self.physics.state.speed_mps,
            is_ready_refused=self.condition.restriction.is_ready_refused,
        )
        return situation

    def is_awake(self) -> bool:
        """Whether anything keeps it awake now."""
        state = self.physics.state
        return (
            self._look().is_awake
            or self.at_ns < self._body.awake_until_ns
            or state.is_charging
            or state.is_low_voltage_filling
        )

    def rouse(self, now_ns: int) -> None:
        """Wake up, if it sleeps, and live until now."""
        if not self.is_asleep:
            return
        if self.at_ns < now_ns:
            self.live(now_ns, is_awake=False)
        self._begin_cycle(now_ns)

    def wake(self, now_ns: int) -> None:
        """Be awake for two minutes, as control units are that are powered up."""
        self._body.stay_awake(now_ns)
        self.rouse(now_ns)

    def sleep(self, until_ns: int, *, is_cut: bool) -> bool:
        """Sleep one step, until the plan says something new at the latest.

        A step is taken when all of it has passed, so that a command can still end it early. The
        first one is short: it shows whether a charge keeps the car awake after all.

        Args:
            is_cut: a step beyond `until_ns` ends there; else it is not taken, and False returned.
        """
        end_ns = self.at_ns + (SLEEP_STEP_NS if self.is_asleep else self.step_ns)
        if self.at_ns < self._situation.next_change_ns:
            end_ns = min(end_ns, self._situation.next_change_ns)
        if end_ns > until_ns:
            if not is_cut:
                return False
            end_ns = until_ns
        self.live(end_ns, is_awake=False)
        state = self.physics.state
        self.is_asleep = not (state.is_charging or state.is_low_voltage_filling)
        return True

    def live(self, end_ns: int, *, is_awake: bool = True) -> None:
        """One step of everything."""
        situation, body, state = self._look(), self._body, self.physics.state
        condition = self.condition
        restriction = condition.restriction
        body.live(situation, speed_mps=state.speed_mps, now_ns=self.at_ns)
        controls = Controls(
            target_speed_mps=situation.target_speed_mps,
            grade=situation.grade,
            ambient_degc=situation.ambient_degc,
            plug=situation.plug,
            is_charge_allowed=body.is_charge_allowed and not restriction.is_charge_refused,
            charge_limit=min(body.charge_limit_pct / 100, restriction.charge_limit),
            station_power_w=situation.station_power_w,
            station_phases=situation.station_phases,
            is_awake=is_awake and (situation.is_driving or not condition.must_open),
            is_driving=situation.is_driving,
            is_climate_on=body.is_climate_on,
            cabin_target_degc=body.cabin_target_degc,
            are_lights_on=situation.are_lights_on,
            impairments=condition.impairments,
        )
        dt_s = (end_ns - self.at_ns) / NS_PER_S
        self.physics.step(dt_s, controls)
        condition.live(dt_s, state, now_ns=end_ns, is_awake=is_awake)
        if is_awake and self.is_asleep:
            self._begin_cycle(self.at_ns)
        self.at_ns = end_ns

    def _begin_cycle(self, at_ns: int) -> None:
        """The control units are powered up."""
        self.is_asleep, self._awake_since_ns = False, at_ns
        self._units.begin_cycle(now_ns=at_ns)
