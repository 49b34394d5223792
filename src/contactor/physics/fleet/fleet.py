"""Cars of one model, driven along traces all at once, or living through a year.

    fleet = Fleet(parameters, 1000, mass_kg=masses)
    fleet.drive(speeds_mps, ambient_degc=20.0)          # (steps,) for all or (steps, cars)
    fleet.live(schedule)                                # drives, stands, charges: see `schedule`
    totals = fleet.totals
    totals.battery_out_j - totals.battery_in_j          # (cars,)

The equations are those of `CarPhysics`. `drive` leaves out cabin, plug, sleep and the motor's
warmth: what is not the motor's is `auxiliary_w`. `live` leaves out nothing that takes energy.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from contactor.can.kernels import cores, is_installed
from contactor.errors import InvalidValue, MissingPart
from contactor.physics import ageing
from contactor.physics.fleet import columns
from contactor.physics.fleet import layout as at
from contactor.physics.fleet.columns import NEVER_S, NO_LIVES
from contactor.physics.fleet.lanes import Lives
from contactor.physics.fleet.schedule import Schedule
from contactor.physics.losses import LossMap
from contactor.physics.parameters import CarParameters
from contactor.physics.resistance import REFERENCE_DEGC

Floats = NDArray[np.float64]

SHORTEST_S, LONGEST_S = 0.01, 1.0
FASTEST_MPS = 150.0
LIVING_S = 1.0
# The rows that totals show.
SHOWN = [row for row in range(at.TOTALS) if row not in (at.CALENDAR_AGE, at.CYCLE_AGE)]


class Totals(NamedTuple):
    """What each car did since it was made, (cars,); energies in joule.

        battery_out + wall + unserved = battery_in + auxiliary + climate + charger_loss
            + motor_loss + gear_loss + friction + road + kinetic energy

    Fields:
        battery_out_j, battery_in_j: at the battery's terminals.
        battery_loss_j: heat inside the battery; it is in none of the terms above.
        auxiliary_j: of all but motor and climate; climate_j: for the warmth of cabin and battery.
        unserved_j: what was asked of the battery beyond what it gives.
        cabin_heat_j: moved into the cabin or out of it, which takes less than that.
        stranded_m: what was not driven because the battery was empty.
        ac_wall_j, dc_wall_j: out of the station; charger_loss_j: of it, in the car's own charger.
        speed_error_mps: the most that a car was beside its trace.
        charge_min, charge_max: the least and the most state of charge.
    """

    distance_m: Floats
    battery_out_j: Floats
    battery_in_j: Floats
    motor_loss_j: Floats
    gear_loss_j: Floats
    friction_j: Floats
    road_j: Floats
    battery_loss_j: Floats
    auxiliary_j: Floats
    unserved_j: Floats
    climate_j: Floats
    cabin_heat_j: Floats
    stranded_m: Floats
    ac_wall_j: Floats
    dc_wall_j: Floats
    charger_loss_j: Floats
    speed_error_mps: Floats
    charge_min: Floats
    charge_max: Floats


class Records(NamedTuple):
    """What each car was at even times, (times, cars); energies and distances since it was made.

    Fields:
        end_s: these times, (times,), since the schedule began.
    """

    end_s: NDArray[np.int64]
    state_of_charge: Floats
    battery_temperature_degc: Floats
    distance_m: Floats
    battery_out_j: Floats
    battery_in_j: Floats
    climate_j: Floats
    ac_wall_j: Floats
    dc_wall_j: Floats
    stranded_m: Floats


class Fleet:
    """Cars of one model.

    Args:
        parameters: of the model.
        count: how many cars.
        mass_kg, drag_area_m2, rolling_resistance, auxiliary_w, state_of_health, state_of_charge,
            temperature_degc, speed_mps: a number for all or (count,); None as the model has it.
        losses: a map that stands in place of the model's.
        dtype: float64, or float32: half the memory, and energies then close to 1e-4.

    Raises:
        MissingPart: Numba is not installed.
        InvalidValue: a number is no number or of the wrong shape.
    """

    def __init__(
        self,
        parameters: CarParameters,
        count: int,
        *,
        mass_kg: ArrayLike | None = None,
        drag_area_m2: ArrayLike | None = None,
        rolling_resistance: ArrayLike | None = None,
        auxiliary_w: ArrayLike | None = None,
        state_of_health: ArrayLike = 1.0,
        state_of_charge: ArrayLike = 0.8,
        temperature_degc: ArrayLike = 20.0,
        speed_mps: ArrayLike = 0.0,
        losses: LossMap | None = None,
        dtype: type[np.floating[Any]] = np.float64,
    ) -> None:
        if not is_installed():
            raise MissingPart("a fleet needs compiled code: pip install 'contactor[fast]'")
        self._count = count
        self._padded = -(-count // at.LANES) * at.LANES
        self._model = parameters
        self._dtype = dtype
        body = parameters.body
        masses = self._column("mass_kg", body.mass_kg if mass_kg is None else mass_kg)
        drag = body.drag_area_m2 if drag_area_m2 is None else drag_area_m2
        rolling = body.rolling_resistance if rolling_resistance is None else rolling_resistance
        self._drag = self._column("drag_area_m2", drag) / body.drag_area_m2
        self._rolling = self._column("rolling_resistance", rolling) / body.rolling_resistance
        base_w = parameters.auxiliaries.base_w if auxiliary_w is None else auxiliary_w
        self._cars = columns.cars_of(parameters, masses, self._column("auxiliary_w", base_w))
        health = self._column("state_of_health", state_of_health)
        if not ((health > 0) & (health <= 1)).all():
            wrong = health[(health <= 0) | (health > 1)][0]
            raise InvalidValue(f"state_of_health holds {wrong:g}; above 0 to 1 is allowed")
        columns.set_health(self._cars, parameters, health)
        losses = losses or LossMap.of(parameters.driveline)
        self._shared = columns.shared_of(parameters, losses).astype(dtype)
        self._table = columns.tables_of(parameters, losses).astype(dtype)
        charge = self._column("state_of_charge", state_of_charge)
        degc = self._column("temperature_degc", temperature_degc)
        states = np.zeros((at.STATES, self._padded))
        states[at.CHARGE] = states[at.TURN_CHARGE] = charge
        states[at.TEMPERATURE] = states[at.CABIN] = states[at.MOTOR] = degc
        states[at.SPEED] = states[at.TARGET] = self._column("speed_mps", speed_mps)
        states[at.LOW_VOLTAGE] = 1.0
        self._states = states.astype(dtype)
        self._totals = np.zeros((at.TOTALS, self._padded))
        self._totals[at.CHARGE_MIN] = self._totals[at.CHARGE_MAX] = charge
        ages = np.array([ageing.ages_of(one) for one in health.tolist()])
        self._totals[at.CALENDAR_AGE], self._totals[at.CYCLE_AGE] = ages.T

    def drive(
        self,
        speeds_mps: ArrayLike,
        *,
        dt_s: float = 1.0,
        grades: ArrayLike = 0.0,
        ambient_degc: ArrayLike = 20.0,
        threads: int | None = None,
    ) -> None:
        """Follow a trace; what the cars cannot do, they miss.

        Args:
            speeds_mps: at the end of each step, (steps,) for all cars or (steps, cars).
            dt_s: of each step, 0.01 to 1 s.
            grades: rise per distance over each step: a number, (steps,) or (steps, cars).
            ambient_degc: a number or (cars,).
            threads: how many share the work; None for all cores.

        Raises:
            InvalidValue: a trace is no trace, or dt_s is beyond what the equations hold for.
        """
        from contactor.physics.fleet.kernel import drive

        if not SHORTEST_S <= dt_s <= LONGEST_S:
            raise InvalidValue(f"dt_s is {dt_s:g}; {SHORTEST_S:g} to {LONGEST_S:g} is allowed")
        speeds = self._trace("speeds_mps", speeds_mps, None, low=0.0, high=FASTEST_MPS)
        slopes = self._trace("grades", grades, len(speeds), low=-1.0, high=1.0)
        cars, ambient = self._cars, self._column("ambient_degc", ambient_degc)
        columns.set_weather(cars, self._model, ambient, self._rolling, self._drag)
        columns.set_step(cars, self._model, dt_s)
        self._run(
            drive,
            threads,
            len(speeds),
            dt_s,
            speeds.ravel(),
            slopes.ravel(),
            (speeds.shape[1], slopes.shape[1]),
            NO_LIVES,
            np.zeros((0, at.RECORDS, 0)),
        )

    def live(
        self, schedule: Schedule, *, record_s: int | None = None, threads: int | None = None
    ) -> Records:
        """Live by a schedule: drive in steps of 1 s, and stand and charge in longer ones.

        Args:
            schedule: of as many cars.
            record_s: write the cars down whenever so many seconds have passed; None never.
            threads: how many share the work; None for all cores.

        Returns:
            What was written down.

        Raises:
            InvalidValue: the schedule is of another number of cars, or record_s is not positive.
        """
        from contactor.physics.fleet.kernel import live

        if schedule.cars != self._count:
            raise InvalidValue(f"the schedule has {schedule.cars} cars; {self._count} are here")
        if record_s is not None and record_s < 1:
            raise InvalidValue(f"record_s is {record_s}; it is 1 or more")
        cars, steady = self._cars, np.full(self._padded, REFERENCE_DEGC)
        columns.set_weather(cars, self._model, steady, self._rolling, self._drag)
        columns.set_step(cars, self._model, LIVING_S)
        times = schedule.seconds // record_s if record_s else 0
        records = np.full((times, at.RECORDS, self._padded), np.nan)
        lives = columns.lives_of(
            self._model, schedule, padded=self._padded, record_s=record_s or NEVER_S
        )
        traces, rest = schedule.traces, np.zeros(at.REST)
        self._run(
            live,
            threads,
            0,
            LIVING_S,
            np.concatenate([traces.speeds_mps, rest]),
            np.concatenate([traces.grades, rest]),
            (1, 1),
            lives,
            records,
        )
        columns.set_health(cars, self._model, self._health())
        ends_s = np.arange(1, times + 1) * (record_s or 0)
        return Records(ends_s, *records.transpose(1, 0, 2)[:, :, : self._count])

    @property
    def totals(self) -> Totals:
        """What each car did so far."""
        return Totals(*self._totals[SHOWN, : self._count])

    @property
    def state_of_charge(self) -> Floats:
        """0 to 1, (cars,)."""
        return self._state(at.CHARGE)

    @property
    def state_of_health(self) -> Floats:
        """What is left of the battery's capacity, 0 to 1, (cars,); only living ages it."""
        return self._health()[: self._count]

    @property
    def speed_mps(self) -> Floats:
        """Now, (cars,)."""
        return self._state(at.SPEED)

    @property
    def battery_temperature_degc(self) -> Floats:
        """Now, (cars,)."""
        return self._state(at.TEMPERATURE)

    @property
    def cabin_temperature_degc(self) -> Floats:
        """Now, (cars,)."""
        return self._state(at.CABIN)

    @property
    def low_voltage_charge(self) -> Floats:
        """Of the 12 V battery, 0 to 1, (cars,)."""
        return self._state(at.LOW_VOLTAGE)

    @property
    def kinetic_j(self) -> Floats:
        """The energy of motion, rotating parts included, (cars,)."""
        return self._cars[at.INERTIA, : self._count] * self.speed_mps**2 / 2

    # ── arrays ───────────────────────────────────────────────────────────────────────────────────

    def _run(
        self,
        kernel: Callable[..., None],
        threads: int | None,
        steps: int,
        dt_s: float,
        speeds: Floats,
        grades: Floats,
        strides: tuple[int, int],
        lives: Lives,
        records: Floats,
    ) -> None:
        """Let the kernel run over all cars, a block of lanes at a time."""
        real = self._dtype
        arguments: list[Any] = [steps, real(dt_s), speeds.astype(real), grades.astype(real)]
        arguments += [strides, lives, self._cars.astype(real), self._shared, self._table]
        arguments += [self._states, self._totals, records]
        blocks = range(0, self._padded, at.LANES)
        count = max(1, min(threads or cores(), len(blocks)))
        if count == 1:
            kernel(0, self._padded, *arguments)
            return
        with ThreadPoolExecutor(count) as pool:
            parts = [pool.submit(kernel, one, one + at.LANES, *arguments) for one in blocks]
            for part in parts:
                part.result()

    def _health(self) -> Floats:
        by_time: Floats = self._totals[at.CALENDAR_AGE] ** (1 / ageing.CALENDAR_POWER)
        by_cycles: Floats = np.sqrt(self._totals[at.CYCLE_AGE])
        return 1 - by_time - by_cycles

    def _state(self, row: int) -> Floats:
        return self._states[row, : self._count].astype(np.float64)

    def _column(self, name: str, given: ArrayLike) -> Floats:
        """A number for each car; the lanes that no car takes have the last one's."""
        values = np.asarray(given, np.float64)
        if values.shape not in ((), (self._count,)):
            raise InvalidValue(
                f"{name} has the shape {values.shape}; a number or ({self._count},) is expected"
            )
        if not np.isfinite(values).all():
            raise InvalidValue(f"{name} holds {values[~np.isfinite(values)].flat[0]}")
        whole = np.broadcast_to(values, self._count)
        return np.concatenate([whole, np.repeat(whole[-1:], self._padded - self._count)])

    def _trace(
        self, name: str, given: ArrayLike, steps: int | None, *, low: float, high: float
    ) -> Floats:
        values = np.asarray(given, np.float64)
        if values.ndim == 0 and steps is not None:
            values = np.full(steps, float(values))
        if values.ndim == 1:
            values = values[:, None]
        if values.ndim != 2 or values.shape[1] not in (1, self._count):
            raise InvalidValue(
                f"{name} has the shape {np.shape(given)}; (steps,) or (steps, {self._count}) "
                "is expected"
            )
        if steps is not None and len(values) != steps:
            raise InvalidValue(f"{name} has {len(values)} steps, speeds_mps {steps}")
        wrong = ~((values >= low) & (values <= high))
        if wrong.any():
            step, value = int(wrong.argmax()) // values.shape[1], values[wrong][0]
            raise InvalidValue(
                f"{name} is {value:g} in step {step}; {low:g} to {high:g} is allowed"
            )
        if values.shape[1] == 1:
            return np.ascontiguousarray(values)
        return np.pad(values, ((0, 0), (0, self._padded - self._count)), mode="edge")
