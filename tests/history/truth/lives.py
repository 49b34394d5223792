"""Random lives of virtual cars: what each truly did, step by step.

    life = live(seed=7, days=30)
    life.power_w[100], life.is_charging[100]        # of the step that ended at life.seconds[100]
    life.capacity_kwh

A car drives short ways, long ones, waits in queues with the motor ready, is switched off at a gate,
is parked for minutes or for weeks, is charged in part, with pauses, at a wallbox or at a fast
charger, is made ready at the cable, and begins sessions that fail. Every step is of a second while
somebody sits in it.
"""

from dataclasses import dataclass, fields, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from contactor.car.profiles.profile import load_profile
from contactor.physics.car import CarPhysics
from contactor.physics.cycles.standard import standard_cycle
from contactor.physics.state import Controls

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MODELS = ("contactor_ev", "nissan_leaf_ze1", "tesla_model_3")
TOWN, ROAD, MOTORWAY = ("UDDS", "CLTC-P"), ("WLTC3b", "HWFET"), ("US06", "HWFET")
SLOWS_MPS2 = 1.5
HOUR_S, DAY_S = 3600, 86_400
# A driver does not set out with less, and goes to a charger below.
RESERVE, LOW = 0.15, 0.35
WH_PER_KM = 260.0
# How a car is used: drives a day, the chances of short, middling and long ones, days left alone.
USES = {
    "commuter": (2.5, (0.4, 0.5, 0.1), 0.05),
    "errands": (5.0, (0.8, 0.2, 0.0), 0.1),
    "traveller": (2.0, (0.1, 0.4, 0.5), 0.2),
    "second car": (1.5, (0.6, 0.3, 0.1), 0.6),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One car's steps, each field (n,): what held over the step, or what is at its end.

    Fields:
        seconds: when the step ended, whole seconds since the life began.
        distance_m, out_j, in_j, charge_as: summed since the life began; positive into the battery.
        is_on: somebody sits in a car that is ready to drive; in_gear: it is not in park.
        is_awake: it is on, charges, is made ready, or fell asleep only minutes ago.
        capacity_kwh: what the battery truly holds, at the end.
    """

    seconds: NDArray[np.int64]
    speed_kmh: Floats
    voltage_v: Floats
    current_a: Floats
    power_w: Floats
    state_of_charge_pct: Floats
    distance_m: Floats
    out_j: Floats
    in_j: Floats
    charge_as: Floats
    battery_degc: Floats
    ambient_degc: Floats
    wall_w: Floats
    is_on: Flags
    in_gear: Flags
    is_plugged: Flags
    is_charging: Flags
    is_dc: Flags
    is_awake: Flags
    capacity_kwh: float


STEP = tuple(one.name for one in fields(Life) if one.name not in ("charge_as", "capacity_kwh"))


def live(seed: int, *, days: int = 30) -> Life:
    """A life of some days; the same for the same seed."""
    car = _Car(seed, days * DAY_S)
    car.live()
    table = np.array(car.steps)
    named = dict(zip(STEP, table.T, strict=True))
    lasts_s = np.diff(named["seconds"], prepend=0.0)
    flags = {name: named.pop(name) > 0 for name in list(named) if name.startswith(("is_", "in_g"))}
    return Life(
        seconds=named.pop("seconds").astype(np.int64),
        charge_as=np.cumsum(named["current_a"] * lasts_s),
        capacity_kwh=car.physics.net_capacity_kwh,
        **named,
        **flags,
    )


class _Car:
    """A car in the middle of its life, and who drives it."""

    def __init__(self, seed: int, until_s: int) -> None:
        self._random = random = Random(f"truth {seed}")
        self._until_s = until_s
        model = load_profile(random.choice(MODELS)).physics
        body = replace(model.body, mass_kg=model.body.mass_kg * random.uniform(0.95, 1.15))
        self._degc = random.uniform(-6.0, 28.0)
        self.physics = CarPhysics(
            replace(model, body=body),
            seed=seed,
            state_of_charge=random.uniform(0.4, 0.9),
            state_of_health=random.uniform(0.75, 1.0),
            temperature_degc=self._degc,
        )
        self._usable_kwh = self.physics.net_capacity_kwh
        self._use = USES[random.choice(list(USES))]
        self._home_w = random.choice((2_300.0, 3_700.0, 7_400.0, 11_000.0))
        self._limit = random.choice((0.7, 0.8, 0.9, 1.0))
        self._stays_awake_s = random.choice((60, 180, 600))
        self._now_s = 0
        self._awake_until_s = 0
        self.steps: list[tuple[float, ...]] = []

    def live(self) -> None:
        """All of it."""
        per_day, ways, alone = self._use
        while self._now_s < self._until_s:
            if self._random.random() < alone / per_day:
                self._stay(self._random.uniform(1, 6 if alone < 0.5 else 14) * DAY_S)
            way = self._random.choices(("short", "middling", "long"), ways)[0]
            self._drive_out(way)
            self._stay(self._random.expovariate(per_day) * DAY_S * 0.7)

    # ── standing ─────────────────────────────────────────────────────────────────────────────────

    def _stay(self, seconds: float) -> None:
        """Stand somewhere for some time, at a cable or not."""
        random, left_s = self._random, int(max(seconds, 16 * 60))
        charge = self.physics.state.state_of_charge
        if charge < LOW or (random.random() < 0.45 and left_s > 1.5 * HOUR_S and charge < 0.9):
            if charge < LOW and (left_s < 3 * HOUR_S or random.random() < 0.3):
                self._charge_fast()
            else:
                self._charge_slowly(left_s)
        else:
            self._stand(left_s)

    def _charge_slowly(self, left_s: int) -> None:
        """Plugged in for a whole stay, with whatever happens there."""
        random = self._random
        limit = min(self._limit, self.physics.state.state_of_charge + random.uniform(0.1, 1.0))
        cable = Controls(
            plug="ac",
            station_power_w=self._home_w,
            charge_limit=limit,
            is_awake=False,
        )
        idle = replace(cable, is_charge_allowed=False)
        end_s = self._now_s + left_s
        self._stand(random.randint(20, 300))
        fate = random.random()
        if fate < 0.15:  # waits for the night
            self._stand(random.randint(30 * 60, 4 * HOUR_S), idle)
        elif fate < 0.25:  # begins, fails, and goes after a while
            self._stand(15, cable)
            self._stand(random.randint(5, 30), idle)
        elif fate < 0.5:  # is interrupted
            for _ in range(random.randint(1, 3)):
                self._stand(random.randint(15 * 60, 50 * 60), cable)
                pause = random.choice(((20, 8 * 60), (15 * 60, 45 * 60), (80 * 60, 150 * 60)))
                self._stand(random.randint(*pause), idle)
        is_readied = random.random() < 0.4
        ready_s = 15 * 60 if is_readied else 0
        self._stand(max(end_s - self._now_s - ready_s, 20 * 60), cable)
        if is_readied:
            self._stand(ready_s, replace(cable, is_preconditioning=True, is_climate_on=True))
        self._stand(random.randint(10, 90))

    def _charge_fast(self) -> None:
        """Stand at a fast charger and drive on."""
        random = self._random
        power_w = random.choice((50_000.0, 100_000.0, 150_000.0))
        limit = random.uniform(0.55, 0.85)
        station = Controls(plug="dc", station_power_w=power_w, charge_limit=limit, is_awake=True)
        self._stand(random.randint(30, 180))
        self._stand(10, station)
        while self.physics.state.is_charging:
            self._stand(10, station)
        self._stand(random.randint(10, 300), replace(station, is_charge_allowed=False))
        self._stand(random.randint(20, 120))

    def _stand(self, seconds: float, controls: Controls | None = None) -> None:
        controls = controls or Controls(is_awake=False)
        end_s = self._now_s + int(seconds)
        while self._now_s < end_s:
            state = self.physics.state
            is_watched = state.is_charging or controls.is_preconditioning or controls.is_awake
            step_s = 10 if is_watched or self._now_s < self._awake_until_s else 60
            if controls.plug != "none" and not state.is_charging and not state.is_charge_done:
                step_s = 5
            self._step(min(step_s, end_s - self._now_s), controls)

    # ── driving ──────────────────────────────────────────────────────────────────────────────────

    def _drive_out(self, way: str) -> None:
        """A drive from somewhere to somewhere, in parts that are no drives of their own."""
        random = self._random
        cycles, minutes = {
            "short": (TOWN, random.uniform(2, 12)),
            "middling": (ROAD, random.uniform(10, 45)),
            "long": (MOTORWAY, random.uniform(50, 150)),
        }[way]
        self._sit(random.randint(8, 100), in_gear=False)
        parts = 1 + (random.random() < 0.35) + (random.random() < 0.15)
        for part in range(parts):
            self._drive(cycles, 60 * minutes / parts)
            if part + 1 == parts:
                break
            if random.random() < 0.7:  # a level crossing, a queue, a jam
                waits = (12 * 60, 40 * 60) if random.random() < 0.1 else (20, 6 * 60)
                self._sit(random.randint(*waits), in_gear=True)
            else:  # off at a gate, and on again
                self._sit(random.randint(1, 20), in_gear=False)
                self._stand(random.randint(15, 120))
                self._sit(random.randint(2, 20), in_gear=False)
        self._sit(random.randint(2, 60), in_gear=False)

    def _sit(self, seconds: int, *, in_gear: bool) -> None:
        """Stand with the car ready to drive."""
        controls = Controls(is_driving=True, is_climate_on=True)
        for _ in range(seconds):
            self._step(1, controls, is_on=True, in_gear=in_gear)

    def _drive(self, cycles: tuple[str, ...], seconds: float) -> None:
        """Follow parts of standard cycles, up and down, for about so long or so far as it goes."""
        random, speeds = self._random, []
        while len(speeds) < seconds:
            whole = standard_cycle(random.choice(cycles)).speed_mps[1:]
            speeds.extend((whole * random.uniform(0.8, 1.05)).tolist())
        del speeds[int(seconds) :]
        pitch, wave_s = random.uniform(0.0, 0.025), random.uniform(60, 600)
        controls = Controls(is_driving=True, is_climate_on=random.random() < 0.9)
        controls.are_lights_on = random.random() < 0.3
        state = self.physics.state
        for second, speed in enumerate(speeds):
            left_s = len(speeds) - 1 - second
            if state.state_of_charge < RESERVE:
                left_s = min(left_s, 30)
            controls.target_speed_mps = min(speed, left_s * SLOWS_MPS2)
            controls.grade = pitch * np.sin(second / wave_s)
            self._step(1, controls, is_on=True, in_gear=True)
            if state.state_of_charge < RESERVE and state.speed_mps < 0.1:
                break
        controls.target_speed_mps = 0.0
        while state.speed_mps > 0.01:
            self._step(1, controls, is_on=True, in_gear=True)

    def _step(
        self, step_s: int, controls: Controls, *, is_on: bool = False, in_gear: bool = False
    ) -> None:
        hour = self._now_s / HOUR_S
        controls.ambient_degc = self._degc - 4 * float(np.cos(2 * np.pi * (hour - 3) / 24))
        state = self.physics.state
        self.physics.step(float(step_s), controls)
        self._now_s += step_s
        if is_on or state.is_charging or controls.is_preconditioning or controls.is_awake:
            self._awake_until_s = self._now_s + self._stays_awake_s
        self.steps.append(
            (
                self._now_s,
                state.speed_mps * 3.6,
                state.battery_voltage_v,
                state.battery_current_a,
                state.battery_power_w,
                state.state_of_charge * 100,
                state.distance_m,
                state.battery_energy_out_j,
                state.battery_energy_in_j,
                state.battery_temperature_degc,
                state.ambient_degc,
                state.charge_wall_power_w,
                is_on,
                in_gear,
                controls.plug != "none",
                state.is_charging,
                controls.plug == "dc",
                state.is_awake or self._now_s <= self._awake_until_s,
            )
        )
