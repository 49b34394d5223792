"""The virtual car: physics stepped in time, its frames out, command frames in.

    car = VirtualCar(load_profile("contactor_ev"), seed=1, start_ns=now_ns, live_from_ns=now_ns)
    car.advance(now_ns + 100 * NS_PER_MS)       # FrameTable
    car.receive(command_frames)                 # they act from the next step on
    car.diagnose(0x7DF, b"\\x01\\x0d")           # [(0x7E8, b"\\x41\\x0d\\x00")]

Awake it steps by `step_s`, and a step's values hold for all frames in it, so that the sum of
voltage times current over the frames is the physics' energy. Asleep it sends nothing and steps by a
minute. The same calls give the same frames.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import SignalColumn
from contactor.can.frames import FrameTable
from contactor.car.profiles.profile import Profile
from contactor.car.virtual import faults, override
from contactor.car.virtual.body import Body
from contactor.car.virtual.bus import Bus
from contactor.car.virtual.condition import Condition
from contactor.car.virtual.diagnostics.desk import DiagnosticDesk, by_time
from contactor.car.virtual.diagnostics.facts import CarFacts, vin_of
from contactor.car.virtual.hearing import Hearing
from contactor.car.virtual.kept import Kept, body_of
from contactor.car.virtual.loss import Loss
from contactor.car.virtual.override import Override
from contactor.car.virtual.report import SOURCES, Fields, Report, fields_of
from contactor.clock import NS_PER_S
from contactor.errors import UsageError
from contactor.physics.car import CarPhysics, Controls
from contactor.physics.plan import Plan, PlanKind, Situation

STEP_S = 0.1
HISTORY_STEP_NS = NS_PER_S
HISTORY_SPAN_NS = 6 * 3600 * NS_PER_S
CELLS_EVERY = 10
"""Every how many rows of a history the cells are told: the clock of their group, 10 s."""
SLEEP_STEP_NS = 60 * NS_PER_S


@dataclass(frozen=True, slots=True)
class _Step:
    """What was true in (start_ns, end_ns]."""

    start_ns: int
    end_ns: int
    fields: Fields
    cells: list[float]


class VirtualCar:
    """Owns one car that does not exist.

    Args:
        profile: with `physics.toml`, and a DBC whose signals the car knows (`report.SOURCES`).
        seed: another one is another car on other days.
        start_ns: ns UTC; its own time begins here.
        plan: what its days are like.
        live_from_ns: when somebody begins to watch, and it drives; None for `start_ns`.
        kept: what an earlier start left, instead of a car that is new.
        state_of_charge: of a new car, 0 to 1.
        step_s: of the physics while awake.

    Raises:
        UsageError: the profile has no physics, or signals that the car has no value for.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        seed: int = 1,
        start_ns: int,
        plan: PlanKind = PlanKind.DAY,
        live_from_ns: int | None = None,
        kept: Kept | None = None,
        state_of_charge: float = 0.7,
        step_s: float = STEP_S,
    ) -> None:
        if profile.physics is None:
            raise UsageError(f"profile {profile.name} has no physics.toml: no virtual car of it")
        if not profile.has_can:
            raise UsageError(
                f"profile {profile.name} has no car.dbc and no map.toml: its car speaks no CAN; "
                "`contactor simulate` drives it"
            )
        self.now_ns = start_ns
        self._plan = Plan(
            seed=seed, kind=plan, live_from_ns=start_ns if live_from_ns is None else live_from_ns
        )
        self._planned = self._situation = self._plan.at(start_ns)
        self.physics = CarPhysics(
            profile.physics,
            seed=seed,
            state_of_charge=state_of_charge if kept is None else kept.state_of_charge,
            temperature_degc=self._situation.ambient_degc
            if kept is None
            else kept.temperature_degc,
            state_of_health=None if kept is None else kept.state_of_health,
            distance_m=0.0 if kept is None else kept.distance_m,
        )
        self._body = Body() if kept is None else body_of(kept)
        self._bus = Bus(profile)
        self._check(profile)
        self._report = Report(self._bus.names, net_capacity_kwh=profile.physics.battery.energy_kwh)
        self._hearing = Hearing(profile.database)
        self.vin = vin_of(seed)
        self._desk = DiagnosticDesk(seed=seed)
        self._override = Override()
        self._loss = Loss(profile.database)
        broken: Mapping[str, float] = {}
        if kept is not None:
            self.physics.state.low_voltage_charge = kept.low_voltage_charge
            self._override = Override(plug=kept.plug, station_power_kw=kept.station_power_kw)
            self._desk.units.restore(kept.memories)
            broken = kept.faults
        self._condition = Condition(
            self._desk.units, profile.physics.driveline, self.physics.state, broken
        )
        self._awake_since_ns = start_ns
        self._wanted = frozenset(profile.map.plan_signals)
        self._step_ns = round(step_s * NS_PER_S)
        self._at_ns = start_ns
        self._last: _Step | None = None
        self.is_asleep = not self._is_awake()

    def _check(self, profile: Profile) -> None:
        mapped = set(profile.map.plan_signals) & set(self._bus.names)
        unknown = sorted(name for name in mapped if name not in SOURCES and ".Cell" not in name)
        if unknown:
            raise UsageError(
                f"profile {profile.name}: the virtual car has no value for {', '.join(unknown[:5])}"
            )

    @property
    def refused(self) -> Counter[str]:
        """How many command frames were refused, by reason."""
        return self._hearing.refused

    @property
    def dropped(self) -> Counter[str]:
        """How many diagnostic frames and transfers came to nothing, by cause."""
        return self._desk.dropped

    @property
    def low_voltage_v(self) -> float:
        """Of the 12 V system."""
        return self.physics.state.low_voltage_v

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
            faults=dict(self._condition.faults.values),
            plug=self._override.plug,
            station_power_kw=self._override.station_power_kw,
            memories=self._desk.units.keep(),
        )

    # ── frames ───────────────────────────────────────────────────────────────────────────────────

    def advance(self, until_ns: int) -> FrameTable:
        """All frames in (now_ns, until_ns], by time; none while it sleeps."""
        steps = [] if self._last is None else [self._last]
        while self._at_ns < until_ns:
            start_ns = self._at_ns
            if self._is_awake():
                self._live(start_ns + self._step_ns)
                cells = self.physics.cell_voltages_v()
                steps.append(_Step(start_ns, self._at_ns, self._fields(), cells))
            elif not self._sleep(until_ns, is_cut=False):
                break
        after_ns, self.now_ns = self.now_ns, max(until_ns, self.now_ns)
        self._last = steps[-1] if steps else None
        steps = [step for step in steps if step.end_ns > after_ns]
        answers = self._desk.frames(until_ns) if self._desk.is_busy else FrameTable.empty()
        if not steps:
            return answers
        said = self._bus.frames(
            self._report.values([one.fields for one in steps], [one.cells for one in steps]),
            np.array([step.start_ns for step in steps], np.int64),
            np.array([step.end_ns for step in steps], np.int64),
            after_ns=after_ns,
            until_ns=until_ns,
        )
        frames = by_time(said, answers) if len(answers) else said
        unit, part = self._condition.faults.lost
        return self._loss.without(frames, unit, part) if part else frames

    def is_asked(self, frames: FrameTable) -> bool:
        """Whether any of the frames is for this car, and should be received now."""
        return self._hearing.is_meant(frames) or self._desk.is_meant(frames)

    @property
    def is_answering(self) -> bool:
        """Whether a tester's request is under way, or its answer."""
        return self._desk.is_busy

    def receive(self, frames: FrameTable) -> None:
        """Hear frames; commands among them act from the next step on, and wake a sleeping car.

        Diagnostic requests wake it too; the answers are among the frames of the next `advance`.
        """
        for can_id, request in self._desk.requests(frames, now_ns=self.now_ns):
            self.wake()
            self._desk.answer(can_id, request, self._facts())
        for field, value in self._hearing.requests(frames, now_ns=self.now_ns):
            if self._ask(field, value):
                self._rouse()
            else:
                self._hearing.refused["value"] += 1

    def _ask(self, field: str, value: float) -> bool:
        """Do what a field of a command frame asks; False where it is beyond what can be."""
        message, state = field.partition(".")[0], self.physics.state
        if message == faults.MESSAGE:
            is_done = self._condition.ask(field, value, state)
        elif message == override.MESSAGE:
            is_done = self._override.ask(field, value, speed_mps=state.speed_mps)
        else:
            return self._body.ask(field, value, now_ns=self.now_ns)
        if is_done:
            self._body.stay_awake(self.now_ns)
        return is_done

    def wake(self) -> None:
        """Be awake for two minutes, as control units are that are powered up."""
        self._body.stay_awake(self.now_ns)
        self._rouse()

    def diagnose(self, can_id: int, request: bytes) -> list[tuple[int, bytes]]:
        """What the control units answer to a tester, as id and payload, without any frames.

        Args:
            can_id: of the request: 0x7DF for all, 0x7E0, 0x7E2 or 0x7E4 for one.
            request: a payload of UDS or OBD-II; it wakes a sleeping car.
        """
        self.wake()
        unit, part = self._condition.faults.lost
        return [
            (answer_id, payload)
            for answer_id, payload in self._desk.units.answers(can_id, request, self._facts())
            if not self._loss.is_silent(answer_id, unit, part)
        ]

    def set_fault(self, name: str, value: float) -> None:
        """Break or mend something, as the frame `VirtualFault` does.

        Args:
            name, value: of `faults.FAULTS`.

        Raises:
            UsageError: there is no such fault, or it cannot be set to that.
        """
        if not self._ask(f"{faults.MESSAGE}.{name}", value):
            raise UsageError(f"fault {name} = {value:g}; allowed: {faults.allowed(name)}")

    def _facts(self) -> CarFacts:
        return CarFacts(
            now_ns=self.now_ns,
            awake_since_ns=self._awake_since_ns,
            vin=self.vin,
            state=self._condition.shown(self.physics.state),
            cell_voltages_v=self.physics.cell_voltages_v,
            is_locked=self._body.is_locked,
            insulation_kohm=self._condition.insulation_kohm,
            link_v=self._condition.link_v,
        )

    def _fields(self) -> Fields:
        state = self.physics.state
        return fields_of(
            state,
            self._situation,
            self._body,
            plug=self._override.report(self._situation),
            condition=self._condition.report(state, now_ns=self._at_ns),
        )

    def _rouse(self) -> None:
        if not self.is_asleep:
            return
        if self._at_ns < self.now_ns:
            self._live(self.now_ns, is_awake=False)
        self._begin_cycle(self.now_ns)

    # ── values ───────────────────────────────────────────────────────────────────────────────────

    def history(
        self, until_ns: int, *, span_ns: int = HISTORY_SPAN_NS
    ) -> Iterator[tuple[NDArray[np.int64], list[SignalColumn]]]:
        """The time until `until_ns` as values: a row a second while awake, nothing while asleep.

        Afterwards the car's time is `until_ns`, and `advance` goes on from there.

        Args:
            span_ns: the most time that one part covers.

        Yields:
            ts, int64 (n,), and what `decode_columns` would give: columns whose rows point into it.
        """
        while self._at_ns < until_ns:
            ts: list[int] = []
            rows: list[Fields] = []
            cells: list[list[float]] = []
            end_ns = min(until_ns, self._at_ns + span_ns)
            while self._at_ns < end_ns:
                if not self._is_awake():
                    self._sleep(end_ns, is_cut=True)
                    continue
                self._live(min(self._at_ns + HISTORY_STEP_NS, end_ns))
                if len(ts) % CELLS_EVERY == 0:
                    cells.append(self.physics.cell_voltages_v())
                ts.append(self._at_ns)
                rows.append(self._fields())
            self.now_ns, self._last = self._at_ns, None
            if ts:
                yield np.array(ts, np.int64), self._columns(rows, cells)
        self.now_ns = max(self.now_ns, until_ns)

    def _columns(self, rows: list[Fields], cells: list[list[float]]) -> list[SignalColumn]:
        is_cell = {name for name in self._wanted if name.startswith("CellVoltages.")}
        often = self._bus.columns(
            self._report.values(rows, None),
            np.arange(len(rows), dtype=np.int64),
            self._wanted - is_cell,
        )
        seldom = self._bus.columns(
            self._report.values(rows[::CELLS_EVERY], cells),
            np.arange(0, len(rows), CELLS_EVERY, dtype=np.int64),
            frozenset(is_cell),
        )
        return [*often, *seldom]

    # ── time ─────────────────────────────────────────────────────────────────────────────────────

    def _look(self) -> Situation:
        """The situation now; one of the plan in which nobody drives stays until it says."""
        planned = self._planned
        if planned.is_driving or self._at_ns >= planned.next_change_ns:
            self._planned = planned = self._plan.at(self._at_ns)
        self._situation = situation = self._override.of(
            planned,
            speed_mps=self.physics.state.speed_mps,
            is_ready_refused=self._condition.restriction.is_ready_refused,
        )
        return situation

    def _is_awake(self) -> bool:
        state = self.physics.state
        return (
            self._look().is_awake
            or self._at_ns < self._body.awake_until_ns
            or state.is_charging
            or state.is_low_voltage_filling
        )

    def _sleep(self, until_ns: int, *, is_cut: bool) -> bool:
        """Sleep one step, until the plan says something new at the latest.

        A step is taken when all of it has passed, so that a command can still end it early. The
        first one is short: it shows whether a charge keeps the car awake after all.

        Args:
            is_cut: a step beyond `until_ns` ends there; else it is not taken, and False returned.
        """
        end_ns = self._at_ns + (SLEEP_STEP_NS if self.is_asleep else self._step_ns)
        if self._at_ns < self._situation.next_change_ns:
            end_ns = min(end_ns, self._situation.next_change_ns)
        if end_ns > until_ns:
            if not is_cut:
                return False
            end_ns = until_ns
        self._live(end_ns, is_awake=False)
        state = self.physics.state
        self.is_asleep = not (state.is_charging or state.is_low_voltage_filling)
        return True

    def _live(self, end_ns: int, *, is_awake: bool = True) -> None:
        """One step of everything."""
        situation, body, state = self._look(), self._body, self.physics.state
        condition = self._condition
        restriction = condition.restriction
        body.live(situation, speed_mps=state.speed_mps, now_ns=self._at_ns)
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
        dt_s = (end_ns - self._at_ns) / NS_PER_S
        self.physics.step(dt_s, controls)
        condition.live(dt_s, state, now_ns=end_ns, is_awake=is_awake)
        if is_awake and self.is_asleep:
            self._begin_cycle(self._at_ns)
        self._at_ns = end_ns

    def _begin_cycle(self, at_ns: int) -> None:
        """The control units are powered up."""
        self.is_asleep, self._awake_since_ns = False, at_ns
        self._desk.units.begin_cycle(now_ns=at_ns)
