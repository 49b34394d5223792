"""Cars of FASTSim 3.1 with its own numbers, and what it computes for them.

Parameters are those of the vehicle files that come with fastsim 3.1.0 (US NREL, Apache-2.0); the
consumption is what its SimDrive gives at the battery's terminals, in Wh/km over UDDS and HWFET.
FASTSim looks the motor's efficiency up by power, braking always at no power; its gravity is 9.8 and
its air weighs 1.17285 kg/m³.
"""

from bisect import bisect_right
from dataclasses import dataclass

from contactor.physics.constants import GRAVITY_MPS2
from contactor.physics.losses import RPM_PER_RAD_PER_S, LossMap
from contactor.physics.parameters import (
    Auxiliaries,
    Battery,
    Body,
    CarParameters,
    Charging,
    Climate,
    Driveline,
    Driver,
)
from contactor.physics.resistance import AIR_DENSITY_K

FASTSIM_GRAVITY_MPS2, FASTSIM_AIR_KG_PER_M3 = 9.8, 1.17284769
WHEEL_INERTIA_KG_M2, WHEELS = 0.815, 4
POWERS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
EFFICIENCIES = (0.84, 0.86, 0.88, 0.90, 0.91, 0.92, 0.94, 0.95, 0.95, 0.94, 0.93)
GEAR_RATIO, TORQUE_MAX_NM, FASTEST_MPS = 9.0, 220.0, 40.0  # FASTSim has no shaft: any will do


@dataclass(frozen=True)
class FastsimCar:
    """A vehicle file; `steps` is whether its efficiency stays until the next point."""

    name: str
    mass_kg: float
    drag_area_m2: float
    rolling_resistance: float
    wheel_radius_m: float
    gear_efficiency: float
    power_max_kw: float
    steps: bool
    wh_per_km: dict[str, float]

    def efficiency(self, power_w: float) -> float:
        """Of the motor, at a mechanical power."""
        part = min(max(power_w, 0.0) / self.power_max_kw / 1000, 1.0)
        place = min(bisect_right(POWERS, part) - 1, len(POWERS) - 2)
        low, high = EFFICIENCIES[place], EFFICIENCIES[place + 1]
        if self.steps:
            return low
        return low + (high - low) * (part - POWERS[place]) / (POWERS[place + 1] - POWERS[place])

    @property
    def losses(self) -> LossMap:
        """What the motor loses."""

        def loss_w(torque: float, shaft: float) -> float:
            power_w = torque * shaft
            efficiency = self.efficiency(power_w)
            return power_w / efficiency - power_w if power_w > 0 else power_w * (efficiency - 1)

        return LossMap(loss_w, torque_max_nm=TORQUE_MAX_NM, speed_max=self._shaft_max)

    @property
    def _shaft_max(self) -> float:
        return FASTEST_MPS / self.wheel_radius_m * GEAR_RATIO

    @property
    def parameters(self) -> CarParameters:
        """The car, with a battery that loses nothing: terminals are compared."""
        return CarParameters(
            body=Body(
                mass_kg=self.mass_kg,
                rotating_mass=WHEELS * WHEEL_INERTIA_KG_M2 / self.wheel_radius_m**2 / self.mass_kg,
                drag_area_m2=self.drag_area_m2 * FASTSIM_AIR_KG_PER_M3 / (AIR_DENSITY_K / 293.15),
                rolling_resistance=self.rolling_resistance * FASTSIM_GRAVITY_MPS2 / GRAVITY_MPS2,
                rolling_resistance_per_degc=0.0,
                wheel_radius_m=self.wheel_radius_m,
            ),
            driveline=Driveline(
                gear_ratio=GEAR_RATIO,
                motor_speed_max_rpm=self._shaft_max * RPM_PER_RAD_PER_S,
                gear_efficiency=self.gear_efficiency,
                torque_max_nm=TORQUE_MAX_NM,
                power_max_kw=self.power_max_kw,
                regeneration_power_max_kw=self.power_max_kw,
                regeneration_from_kmh=0.0,
                regeneration_full_kmh=0.001,
                copper_w_per_nm2=0.1,
                iron_w_s=0.0,
                windage_w_s3=0.0,
                constant_w=0.0,
                inverter_loss=0.0,
            ),
            battery=Battery(
                cells_in_series=96,
                capacity_ah=160.0,
                open_circuit_state_of_charge=(0.0, 1.0),
                open_circuit_v=(3.6, 3.61),
                cell_voltage_min_v=1.5,
                cell_voltage_max_v=5.0,
                resistance_ohm=0.0001,
                polarisation_resistance_ohm=0.0001,
                discharge_current_max_a=5000.0,
                charge_current_max_a=5000.0,
                charge_factor_degc=(-60.0, 100.0),
                charge_factor=(1.0, 1.0),
                heat_capacity_j_per_k=400_000.0,
            ),
            climate=Climate(
                cabin_heat_capacity_j_per_k=80_000.0,
                cabin_loss_w_per_k=50.0,
                heating_max_kw=0.0,
                cooling_max_kw=0.0,
                heating_cop=1.0,
                cooling_cop=1.0,
            ),
            charging=Charging(
                ac_power_max_kw=7.0,
                ac_efficiency=0.9,
                ac_constant_w=0.0,
                dc_state_of_charge=(0.0, 1.0),
                dc_power_kw=(50.0, 50.0),
            ),
            auxiliaries=Auxiliaries(base_w=250.0),
            driver=Driver(acceleration_max_mps2=10.0, deceleration_max_mps2=10.0),
        )


CARS = (
    FastsimCar(
        name="2022_Renault_Zoe_ZE50_R135.yaml",
        mass_kg=1600.0,
        drag_area_m2=0.33 * 2.5121646,
        rolling_resistance=0.009,
        wheel_radius_m=0.31045,
        gear_efficiency=0.92,
        power_max_kw=100.0,
        steps=False,
        wh_per_km={"UDDS": 113.1817, "HWFET": 136.2693},
    ),
    FastsimCar(
        name="2022 Tesla Model 3 RWD thrml.yaml",
        mass_kg=1752.0,
        drag_area_m2=0.23 * 2.22,
        rolling_resistance=0.007,
        wheel_radius_m=0.33435,
        gear_efficiency=0.98,
        power_max_kw=239.0,
        steps=True,
        wh_per_km={"UDDS": 91.1432, "HWFET": 97.8476},
    ),
    FastsimCar(
        name="2016 Nissan Leaf 30 kWh thrml.yaml",
        mass_kg=1636.03,
        drag_area_m2=0.315 * 2.755,
        rolling_resistance=0.008,
        wheel_radius_m=0.336,
        gear_efficiency=0.98,
        power_max_kw=80.0,
        steps=True,
        wh_per_km={"UDDS": 99.6200, "HWFET": 127.1793},
    ),
)
