"""The equations of motion and of the battery, once: for one car in floats, for fleets in arrays.

Each function takes numbers and gives numbers, without branches that skip work: a compiler turns
a loop over cars that calls them into vector instructions. What depends on a table (open circuit
voltage, resistance, losses of the motor) is read before and handed in.

    mean = mean_speed(speed, acceleration, dt)
    load = road_load_n(mean, rolling_n, rolling_n_s_per_m, drag_kg_per_m, slope_n)
    torque = torque_nm(inertia_kg * acceleration + load, mean * ratio_per_m, ...)

Units are SI; discharging currents and driving torques are positive.
"""

import math

# Slower than this is standing: no force is needed, and none is there.
STANDING_MPS = 1e-6


def asked_mps2(
    speed: float,
    target: float,
    target_before: float,
    dt: float,
    reaction_s: float,
    up: float,
    down: float,
) -> float:
    """What the driver asks for: the target's own acceleration, and the error driven out.

    Args:
        speed, target, target_before: now, wanted at the end of the step and at its beginning, m/s.
        reaction_s: how fast an error is driven out; not shorter than the step.
        up, down: the driver's most, m/s², both positive; nobody brakes beyond standing.
    """
    asked = (target - target_before) / dt + (target_before - speed) / reaction_s
    return max(min(max(asked, -down), up), -speed / dt)


def road_load_n(
    speed: float, rolling_n: float, rolling_n_s_per_m: float, drag_kg_per_m: float, slope_n: float
) -> float:
    """Rolling resistance, drag and slope against a car that moves at `speed`, in newton."""
    return rolling_n + slope_n + (rolling_n_s_per_m + drag_kg_per_m * speed) * speed


def torque_nm(
    force_n: float,
    shaft: float,
    ratio_per_m: float,
    efficiency: float,
    torque_max_nm: float,
    power_max_w: float,
    regeneration_max_w: float,
    fade: float,
) -> float:
    """The motor's torque for a force at the wheels, within what the motor may.

    Args:
        shaft: its speed, rad/s.
        ratio_per_m: shaft over road speed, rad/m; the gear loses a part of the power either way.
        fade: how much regeneration the speed allows, 0 to 1.
    """
    turning = max(shaft, 1.0)
    drive = min(force_n / (ratio_per_m * efficiency), torque_max_nm, power_max_w / turning)
    most = min(torque_max_nm, regeneration_max_w / turning) * fade
    brake = min(-force_n * efficiency / ratio_per_m, most)
    return drive if force_n >= 0.0 else -brake


def within_battery_nm(
    torque: float, shaft: float, loss_w: float, give_w: float, take_w: float
) -> float:
    """The torque that the battery can feed, or take in, where motor and inverter lose `loss_w`.

    The loss depends on the torque: done once with the loss of the torque asked for, and again with
    that of what came of it, the power stays within the battery's and the loss is right to a
    few watts.
    """
    turning = max(shaft, 1.0)
    most = max(give_w - loss_w, 0.0) / turning
    least = -(take_w + loss_w) / turning
    is_fed = torque * shaft + loss_w <= give_w
    return max(torque if is_fed else min(torque, most), least)


def wheel_force_n(torque: float, ratio_per_m: float, efficiency: float) -> float:
    """What a torque is at the wheels."""
    return torque * ratio_per_m * (efficiency if torque >= 0.0 else 1.0 / efficiency)


def reached_mps2(
    speed: float,
    force_n: float,
    motor_n: float,
    load_n: float,
    brake_max_n: float,
    inertia_kg: float,
    dt: float,
) -> tuple[float, float]:
    """The acceleration that comes of it, and the force of the friction brakes (0 or less).

    The brakes do what the motor may not; nobody pushes what the motor cannot.
    """
    rest_n = max(force_n - motor_n, -brake_max_n)
    friction_n = min(rest_n, 0.0) if force_n < 0.0 else 0.0
    acceleration = (motor_n + friction_n - load_n) / inertia_kg
    return max(acceleration, -speed / dt), friction_n


def current_limits_a(
    state_of_charge: float,
    source_v: float,
    resistance_ohm: float,
    factor: float,
    capacity_as: float,
    dt: float,
    voltage_min_v: float,
    voltage_max_v: float,
    discharge_max_a: float,
    charge_max_a: float,
) -> tuple[float, float]:
    """The most that the battery gives and takes in a step, both 0 or more.

    Args:
        source_v: open circuit less the slow part.
        factor: what the temperature allows of the charge current, 0 to 1.
    """
    conductance = 1.0 / resistance_ohm
    step_a = capacity_as / dt
    give = min(discharge_max_a, (source_v - voltage_min_v) * conductance, state_of_charge * step_a)
    take = min(
        charge_max_a * factor,
        (voltage_max_v - source_v) * conductance,
        (1.0 - state_of_charge) * step_a,
    )
    return max(give, 0.0), max(take, 0.0)


def derating(temperature_degc: float, from_degc: float, to_degc: float) -> float:
    """What a part gives of its most: all up to the first temperature, nothing from the second."""
    return min(max((to_degc - temperature_degc) / (to_degc - from_degc), 0.0), 1.0)


def pair_v(before_v: float, current_a: float, resistance_ohm: float, kept: float) -> float:
    """The voltage of an RC pair after a step of constant current.

    With the part of it that there is in the mean over the step for `kept`, the mean voltage.
    """
    return before_v * kept + current_a * resistance_ohm * (1.0 - kept)


def pair_loss_w(
    before_v: float, after_v: float, mean_v: float, current_a: float, stored_w_per_v2: float
) -> float:
    """What an RC pair turns into heat in a step: what it was given, less what it keeps."""
    return mean_v * current_a - stored_w_per_v2 * (after_v * after_v - before_v * before_v)


def current_at_a(power_w: float, source_v: float, resistance_ohm: float) -> float:
    """The current that gives `power_w` from a source behind a resistance.

    Where the power is more than the source can give, the current of the most that it can. Written
    so that small powers do not cancel: (E - sqrt(E² - 4 R P)) / 2R = 2P / (E + sqrt(...)).
    """
    root = max(source_v * source_v - 4.0 * resistance_ohm * power_w, 0.0)
    bounded_w = min(power_w, source_v * source_v / (4.0 * resistance_ohm))
    return 2.0 * bounded_w / (source_v + math.sqrt(root))
