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
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import SignalColumn
from contactor.can.frames import FrameTable
from contactor.car.profiles.profile import Profile
from contactor.car.virtual import faults
from contactor.car.virtual.bus import Bus
from contactor.car.virtual.diagnostics.desk import DiagnosticDesk, by_time
from contactor.car.virtual.diagnostics.facts import CarFacts, vin_of
from contactor.car.virtual.hearing import Hearing
from contactor.car.virtual.kept import Kept
from contactor.car.virtual.life import Life
from contactor.car.virtual.loss import Loss
from contactor.car.virtual.report import SOURCES, Fields, Report
from contactor.clock import NS_PER_S
from contactor.errors import UsageError
from contactor.physics.plan import PlanKind

STEP_S = 0.1
HISTORY_STEP_NS = NS_PER_S
HISTORY_SPAN_NS = 6 * 3600 * NS_PER_S
CELLS_EVERY = 10
"""Every how many rows of a history the cells are told: the clock of their group, 10 s."""


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
        self._bus = Bus(profile)
        self._check(profile)
        self._report = Report(self._bus.names, net_capacity_kwh=profile.physics.battery.energy_kwh)
        self._hearing = Hearing(profile.database)
        self.vin = vin_of(seed)
        self._desk = DiagnosticDesk(seed=seed)
        self._loss = Loss(profile.database)
        self._life = Life(
            profile.physics,
            self._desk.units,
            seed=seed,
            start_ns=start_ns,
            plan=plan,
            live_from_ns=start_ns if live_from_ns is None else live_from_ns,
            kept=kept,
            state_of_charge=state_of_charge,
            step_ns=round(step_s * NS_PER_S),
        )
        self.physics = self._life.physics
        self._wanted = frozenset(profile.map.plan_signals)
        self._last: _Step | None = None

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
    def is_asleep(self) -> bool:
        """Whether it sends nothing."""
        return self._life.is_asleep

    @property
    def low_voltage_v(self) -> float:
        """Of the 12 V system."""
        return self.physics.state.low_voltage_v

    def keep(self) -> Kept:
        """What the next start needs to know."""
        return self._life.keep()

    # ── frames ───────────────────────────────────────────────────────────────────────────────────

    def advance(self, until_ns: int) -> FrameTable:
        """All frames in (now_ns, until_ns], by time; none while it sleeps."""
        steps = [] if self._last is None else [self._last]
        life = self._life
        while life.at_ns < until_ns:
            start_ns = life.at_ns
            if life.is_awake():
                life.live(start_ns + life.step_ns)
                cells = self.physics.cell_voltages_v()
                steps.append(_Step(start_ns, life.at_ns, life.fields(), cells))
            elif not life.sleep(until_ns, is_cut=False):
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
        unit, part = self._life.condition.faults.lost
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
            if self._life.ask(field, value, now_ns=self.now_ns):
                self._life.rouse(self.now_ns)
            else:
                self._hearing.refused["value"] += 1

    def wake(self) -> None:
        """Be awake for two minutes, as control units are that are powered up."""
        self._life.wake(self.now_ns)

    def diagnose(self, can_id: int, request: bytes) -> list[tuple[int, bytes]]:
        """What the control units answer to a tester, as id and payload, without any frames.

        Args:
            can_id: of the request: 0x7DF for all, 0x7E0, 0x7E2 or 0x7E4 for one.
            request: a payload of UDS or OBD-II; it wakes a sleeping car.
        """
        self.wake()
        unit, part = self._life.condition.faults.lost
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
        field = f"{faults.MESSAGE}.{name}"
        if not self._life.ask(field, value, now_ns=self.now_ns):
            raise UsageError(f"fault {name} = {value:g}; allowed: {faults.allowed(name)}")

    def _facts(self) -> CarFacts:
        return self._life.facts(self.vin, now_ns=self.now_ns)

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
        life = self._life
        while life.at_ns < until_ns:
            ts: list[int] = []
            rows: list[Fields] = []
            cells: list[list[float]] = []
            end_ns = min(until_ns, life.at_ns + span_ns)
            while life.at_ns < end_ns:
                if not life.is_awake():
                    life.sleep(end_ns, is_cut=True)
                    continue
                life.live(min(life.at_ns + HISTORY_STEP_NS, end_ns))
                if len(ts) % CELLS_EVERY == 0:
                    cells.append(self.physics.cell_voltages_v())
                ts.append(life.at_ns)
                rows.append(life.fields())
            self.now_ns, self._last = life.at_ns, None
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
