"""Cars of one model, driven along traces all at once.

    fleet = Fleet(parameters, 1000, mass_kg=masses)
    fleet.drive(speeds_mps, ambient_degc=20.0)          # (steps,) for all or (steps, cars)
    totals = fleet.totals
    totals.battery_out_j - totals.battery_in_j          # (cars,)

The equations are those of `CarPhysics`; left out are the cabin, the plug and sleep: what is not the
motor's is `auxiliary_w`.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from contactor.can.kernels import cores, is_installed
from contactor.errors import InvalidValue, MissingPart
from contactor.physics.constants import GRAVITY_MPS2, KMH_PER_MPS
from contactor.physics.fleet import layout as at
from contactor.physics.losses import LossMap
from contactor.physics.pack import Pack
from contactor.physics.parameters import CarParameters
from contactor.physics.resistance import drag_kg_per_m, rolling_resistance

Floats = NDArray[np.float64]

SHORTEST_S, LONGEST_S = 0.01, 1.0
FASTEST_MPS = 150.0


class Totals(NamedTuple):
    """What each car did since it was made, (cars,); energies in joule.

    battery_out - battery_in = auxiliary + motor_loss + gear_loss + friction + road + kinetic energy

    Fields:
        battery_out_j, battery_in_j: at the battery's terminals.
        battery_loss_j: heat inside the battery; it is in none of the terms above.
        speed_error_mps: the most that a car was beside its trace.
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
    speed_error_mps: Floats


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
        body = parameters.body
        self._mass_kg = self._column("mass_kg", body.mass_kg if mass_kg is None else mass_kg)
        drag = body.drag_area_m2 if drag_area_m2 is None else drag_area_m2
        rolling = body.rolling_resistance if rolling_resistance is None else rolling_resistance
        self._drag = self._column("drag_area_m2", drag) / body.drag_area_m2
        self._rolling = self._column("rolling_resistance", rolling) / body.rolling_resistance
        base_w = parameters.auxiliaries.base_w if auxiliary_w is None else auxiliary_w
        health = self._column("state_of_health", state_of_health)
        self._parameters = self._cars(self._column("auxiliary_w", base_w), health)
        self._pack = Pack(parameters.battery)
        self._shared, self._table = _shared(self._pack, losses or LossMap.of(parameters.driveline))
        self._states = np.zeros((at.STATES, self._padded))
        self._states[at.CHARGE] = self._column("state_of_charge", state_of_charge)
        self._states[at.TEMPERATURE] = self._column("temperature_degc", temperature_degc)
        self._states[at.SPEED] = self._states[at.TARGET] = self._column("speed_mps", speed_mps)
        self._states = self._states.astype(dtype)
        self._totals = np.zeros((at.TOTALS, self._padded))
        self._dtype = dtype

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
        cars = self._at(self._column("ambient_degc", ambient_degc), dt_s)
        real = self._dtype
        arrays = [speeds, slopes, cars, self._shared, self._table]
        arguments: list[Any] = [real(dt_s), *(one.astype(real) for one in arrays)]
        arguments += [self._states, self._totals]
        count = max(1, min(threads or cores(), self._padded // at.LANES))
        bounds = [self._padded // at.LANES * part // count * at.LANES for part in range(count + 1)]
        if count == 1:
            drive(0, self._padded, *arguments)
            return
        with ThreadPoolExecutor(count) as pool:
            parts = [pool.submit(drive, *part, *arguments) for part in pairwise(bounds)]
            for part in parts:
                part.result()

    @property
    def totals(self) -> Totals:
        """What each car did so far."""
        return Totals(*self._totals[:, : self._count])

    @property
    def state_of_charge(self) -> Floats:
        """0 to 1, (cars,)."""
        return self._state(at.CHARGE)

    @property
    def speed_mps(self) -> Floats:
        """Now, (cars,)."""
        return self._state(at.SPEED)

    @property
    def battery_temperature_degc(self) -> Floats:
        """Now, (cars,)."""
        return self._state(at.TEMPERATURE)

    @property
    def kinetic_j(self) -> Floats:
        """The energy of motion, rotating parts included, (cars,)."""
        return self._parameters[at.INERTIA, : self._count] * self.speed_mps**2 / 2

    # ── arrays ───────────────────────────────────────────────────────────────────────────────────

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

    def _cars(self, auxiliary_w: Floats, health: Floats) -> Floats:
        """What of the cars neither weather nor the step changes."""
        model, mass_kg = self._model, self._mass_kg
        line, battery = model.driveline, model.battery
        width_kmh = line.regeneration_full_kmh - line.regeneration_from_kmh
        rows: dict[int, float | Floats] = {
            at.INERTIA: mass_kg * (1 + model.body.rotating_mass),
            at.ROLLING_PER_MPS: mass_kg * GRAVITY_MPS2 * model.body.rolling_resistance_per_mps,
            at.WEIGHT: mass_kg * GRAVITY_MPS2,
            at.RATIO: line.gear_ratio / model.body.wheel_radius_m,
            at.GEAR_EFFICIENCY: line.gear_efficiency,
            at.TORQUE_MAX: line.torque_max_nm,
            at.POWER_MAX: line.power_max_kw * 1000,
            at.REGENERATION_MAX: line.regeneration_power_max_kw * 1000,
            at.FADE_FROM: line.regeneration_from_kmh / KMH_PER_MPS,
            at.FADE_PER_MPS: KMH_PER_MPS / width_kmh,
            at.BRAKE_MAX: mass_kg * model.body.brake_deceleration_mps2,
            at.AUXILIARY: auxiliary_w,
            at.CAPACITY: battery.capacity_ah * 3600 * health,
            at.PER_HEAT_CAPACITY: 1 / battery.heat_capacity_j_per_k,
            at.COOLING: battery.cooling_w_per_k,
            at.ACCELERATION_MAX: model.driver.acceleration_max_mps2,
            at.DECELERATION_MAX: model.driver.deceleration_max_mps2,
            at.SPEED_MAX: line.speed_max_kmh / KMH_PER_MPS,
            at.RESISTANCE_OF_AGE: 1 + battery.resistance_growth * (1 - health),
        }
        cars = np.zeros((at.PARAMETERS, self._padded))
        for row, values in rows.items():
            cars[row] = values
        return cars

    def _at(self, ambient_degc: Floats, dt_s: float) -> Floats:
        """All of the cars, in this weather and for steps of this length."""
        model, cars = self._model, self._parameters
        rolling = rolling_resistance(model.body, ambient_degc) * self._rolling
        cars[at.ROLLING] = cars[at.WEIGHT] * rolling
        cars[at.DRAG] = drag_kg_per_m(model.body, ambient_degc) * self._drag
        cars[at.AMBIENT] = ambient_degc
        cars[at.REACTION] = max(model.driver.time_constant_s, dt_s)
        polarisation, diffusion = self._pack.pairs(dt_s)
        cars[at.PAIRS_OHM] = polarisation.share_ohm + diffusion.share_ohm
        for first, pair in ((at.POLARISATION_OHM, polarisation), (at.DIFFUSION_OHM, diffusion)):
            cars[first : first + len(pair)] = np.array(pair)[:, None]
        return cars


def _shared(pack: Pack, losses: LossMap) -> tuple[Floats, Floats]:
    """The numbers and the tables that all cars share."""
    shared = np.zeros(at.SHARED)
    shared[at.TORQUE_MOST] = losses.torque_max_nm
    shared[at.PER_TORQUE], shared[at.PER_SHAFT] = losses.per_nm, losses.per_rad_per_s
    shared[at.VOLTAGE_MIN], shared[at.VOLTAGE_MAX] = pack.voltage_min_v, pack.voltage_max_v
    shared[at.DISCHARGE_MAX] = pack.discharge_current_max_a
    shared[at.CHARGE_MAX] = pack.charge_current_max_a
    charges = [step / (at.CHARGES - 1) for step in range(at.CHARGES)]
    warmths = [at.COLDEST_DEGC + step * at.DEGC_PER_STEP for step in range(at.TEMPERATURES)]
    table = [
        *losses.values,
        *map(pack.open_circuit_v, charges),
        *map(pack.resistance_of_charge_ohm, charges),
        *map(pack.resistance_factor, warmths),
        *map(pack.charge_factor, warmths),
    ]
    return shared, np.array(table)
