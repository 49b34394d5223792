"""The numbers of a car model as the kernel reads them: rows of cars, numbers of all, tables."""

import numpy as np
from numpy.typing import NDArray

from contactor.physics import ageing
from contactor.physics.charger import Charger
from contactor.physics.constants import GRAVITY_MPS2, KMH_PER_MPS, S_PER_HOUR
from contactor.physics.fleet import layout as at
from contactor.physics.fleet.lanes import Lives
from contactor.physics.fleet.schedule import Schedule
from contactor.physics.losses import LossMap
from contactor.physics.pack import Pack
from contactor.physics.parameters import CarParameters
from contactor.physics.resistance import REFERENCE_DEGC, drag_kg_per_m, rolling_resistance

Floats = NDArray[np.float64]

PLUGS = {"none": at.UNPLUGGED, "ac": at.AC, "dc": at.DC}
# Written down at no time.
NEVER_S = 2**40


def cars_of(model: CarParameters, mass_kg: Floats, auxiliary_w: Floats) -> Floats:
    """What of the cars neither weather, age nor the step changes, (PARAMETERS, cars)."""
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
        at.PER_HEAT_CAPACITY: 1 / battery.heat_capacity_j_per_k,
        at.COOLING: battery.cooling_w_per_k,
        at.ACCELERATION_MAX: model.driver.acceleration_max_mps2,
        at.DECELERATION_MAX: model.driver.deceleration_max_mps2,
        at.SPEED_MAX: line.speed_max_kmh / KMH_PER_MPS,
    }
    cars = np.zeros((at.PARAMETERS, len(mass_kg)))
    for row, values in rows.items():
        cars[row] = values
    return cars


def set_health(cars: Floats, model: CarParameters, health: Floats) -> None:
    """Make batteries of a state of health of them."""
    battery = model.battery
    cars[at.CAPACITY] = battery.capacity_ah * S_PER_HOUR * health
    cars[at.RESISTANCE_OF_AGE] = 1 + battery.resistance_growth * (1 - health)


def set_step(cars: Floats, model: CarParameters, dt_s: float) -> None:
    """Make ready for steps of this length."""
    cars[at.REACTION] = max(model.driver.time_constant_s, dt_s)
    polarisation, diffusion = Pack(model.battery).pairs(dt_s)
    cars[at.PAIRS_OHM] = polarisation.share_ohm + diffusion.share_ohm
    for first, pair in ((at.POLARISATION_OHM, polarisation), (at.DIFFUSION_OHM, diffusion)):
        cars[first : first + len(pair)] = np.array(pair)[:, None]


def set_weather(
    cars: Floats, model: CarParameters, ambient_degc: Floats, rolling: Floats, drag: Floats
) -> None:
    """Make ready for this weather; `rolling` and `drag` are ratios to the model's."""
    cars[at.ROLLING] = cars[at.WEIGHT] * rolling_resistance(model.body, ambient_degc) * rolling
    cars[at.DRAG] = drag_kg_per_m(model.body, ambient_degc) * drag
    cars[at.AMBIENT] = ambient_degc


def shared_of(model: CarParameters, losses: LossMap) -> Floats:
    """The numbers that all cars share, (SHARED,)."""
    pack, line, climate = Pack(model.battery), model.driveline, model.climate
    battery, charging, auxiliaries = model.battery, model.charging, model.auxiliaries
    rows: dict[int, float] = {
        at.TORQUE_MOST: losses.torque_max_nm,
        at.PER_TORQUE: losses.per_nm,
        at.PER_SHAFT: losses.per_rad_per_s,
        at.VOLTAGE_MIN: pack.voltage_min_v,
        at.VOLTAGE_MAX: pack.voltage_max_v,
        at.DISCHARGE_CURRENT_MAX: pack.discharge_current_max_a,
        at.CHARGE_CURRENT_MAX: pack.charge_current_max_a,
        at.CELLS: pack.cells,
        at.NEW_CAPACITY: pack.capacity_as,
        at.RESISTANCE_GROWTH: battery.resistance_growth,
        at.CALENDAR_AGEING: battery.calendar_ageing**ageing.CALENDAR_POWER,
        at.CYCLE_AGEING: battery.cycle_ageing**2,
        at.POLARISATION_S: battery.polarisation_time_s,
        at.DIFFUSION_S: battery.diffusion_time_s,
        at.MOTOR_DERATE_FROM: line.motor_derate_from_degc,
        at.MOTOR_TEMPERATURE_MAX: line.motor_temperature_max_degc,
        at.MOTOR_COOLING: line.motor_cooling_w_per_k,
        at.MOTOR_PER_HEAT_CAPACITY: 1 / line.motor_heat_capacity_j_per_k,
        at.CABIN_HEAT_CAPACITY: climate.cabin_heat_capacity_j_per_k,
        at.CABIN_LOSS: climate.cabin_loss_w_per_k,
        at.CABIN_GAIN: climate.cabin_gain_w,
        at.HEATING_MAX: climate.heating_max_kw * 1000,
        at.COOLING_MAX: climate.cooling_max_kw * 1000,
        at.FAN: climate.fan_w,
        at.HEATING_COP: climate.heating_cop,
        at.HEATING_COP_PER_DEGC: climate.heating_cop_per_degc,
        at.COOLING_COP: climate.cooling_cop,
        at.BATTERY_COOL_FROM: climate.battery_cool_from_degc,
        at.BATTERY_HEAT_TO: climate.battery_heat_to_degc,
        at.BATTERY_THERMAL_MAX: climate.battery_thermal_max_kw * 1000,
        at.AC_EFFICIENCY: charging.ac_efficiency,
        at.AC_CONSTANT: charging.ac_constant_w,
        at.RAMP: charging.ramp_kw_per_s * 1000,
        at.LIGHTS: auxiliaries.lights_w,
        at.LOW_VOLTAGE_CAPACITY: auxiliaries.low_voltage_capacity_wh * S_PER_HOUR,
        at.LOW_VOLTAGE_CHARGE_MAX: auxiliaries.low_voltage_charge_max_w,
        at.LOW_VOLTAGE_WAKE_AT: auxiliaries.low_voltage_wake_at,
        at.DCDC_EFFICIENCY: auxiliaries.dcdc_efficiency,
        at.SLEEP_DRAIN: auxiliaries.sleep_drain_w,
    }
    shared = np.zeros(at.SHARED)
    for row, value in rows.items():
        shared[row] = value
    return shared


def tables_of(model: CarParameters, losses: LossMap) -> Floats:
    """The tables that all cars share, (TABLE_SIZE,)."""
    pack, charger = Pack(model.battery), Charger(model.charging)
    charges = [step / (at.CHARGES - 1) for step in range(at.CHARGES)]
    warmths = [at.COLDEST_DEGC + step * at.DEGC_PER_STEP for step in range(at.TEMPERATURES)]
    return np.array(
        [
            *losses.values,
            *map(pack.open_circuit_v, charges),
            *map(pack.resistance_of_charge_ohm, charges),
            *map(pack.resistance_factor, warmths),
            *map(pack.charge_factor, warmths),
            *(charger.accepted_w("dc", charge, 1.0) for charge in charges),
        ]
    )


def lives_of(model: CarParameters, schedule: Schedule, *, padded: int, record_s: int) -> Lives:
    """A schedule as the kernel reads it; the lanes that no car takes have no spans."""
    charger = Charger(model.charging)
    settings = np.zeros((len(schedule.settings), at.SETTINGS))
    for row, one in zip(settings, schedule.settings, strict=True):
        row[at.PLUG] = PLUGS[one.plug]
        row[at.IS_READY] = one.is_charge_allowed and one.station_power_w > 0
        row[at.OFFERED] = charger.offered_w(one.plug, one.station_power_w, one.station_phases)
        row[at.CHARGE_LIMIT] = one.charge_limit
        row[at.IS_AWAKE] = one.is_awake
        row[at.HAS_CLIMATE] = one.is_climate_on
        row[at.IS_PRECONDITIONING] = one.is_preconditioning
        row[at.CABIN_TARGET_DEGC] = one.cabin_target_degc
        row[at.ARE_LIGHTS_ON] = one.are_lights_on
    body, ambient = model.body, schedule.ambient_degc
    weather = np.zeros((*ambient.shape, at.WEATHER))
    weather[..., at.AMBIENT_DEGC] = ambient
    weather[..., at.ROLLING_FACTOR] = rolling_resistance(body, ambient)
    weather[..., at.ROLLING_FACTOR] /= rolling_resistance(body, REFERENCE_DEGC)
    weather[..., at.DRAG_FACTOR] = drag_kg_per_m(body, ambient)
    weather[..., at.DRAG_FACTOR] /= drag_kg_per_m(body, REFERENCE_DEGC)
    rest = padded - schedule.cars
    return Lives(
        first=np.pad(schedule.first, (0, rest), mode="edge"),
        end_s=schedule.end_s,
        trace=schedule.trace,
        setting=schedule.setting,
        settings=settings,
        trace_first=schedule.traces.first,
        weather=weather,
        place=np.pad(schedule.place, (0, rest)),
        weather_s=schedule.weather_s,
        record_s=record_s,
    )


# For a kernel that only drives.
NO_LIVES = Lives(
    first=np.zeros(1, np.int64),
    end_s=np.zeros(0, np.int32),
    trace=np.zeros(0, np.int32),
    setting=np.zeros(0, np.int32),
    settings=np.zeros((0, at.SETTINGS)),
    trace_first=np.zeros(1, np.int64),
    weather=np.zeros((0, 0, at.WEATHER)),
    place=np.zeros(0, np.int64),
    weather_s=1,
    record_s=NEVER_S,
)
