"""How the arrays lie that the kernel works on: a row a quantity, a column a car.

Cars are taken LANES at a time, so that all of one step stays in the processor's nearest cache. The
tables lie one after another in one array, each on even steps.
"""

from contactor.physics.losses import SPEEDS, TORQUES

LANES = 128

# What a car is; SI units, and reciprocals where the kernel would divide.
(
    INERTIA,
    ROLLING,
    ROLLING_PER_MPS,
    DRAG,
    WEIGHT,
    RATIO,
    GEAR_EFFICIENCY,
    TORQUE_MAX,
    POWER_MAX,
    REGENERATION_MAX,
    FADE_FROM,
    FADE_PER_MPS,
    BRAKE_MAX,
    AUXILIARY,
    CAPACITY,
    PER_HEAT_CAPACITY,
    COOLING,
    AMBIENT,
    ACCELERATION_MAX,
    DECELERATION_MAX,
    REACTION,
    SPEED_MAX,
    RESISTANCE_OF_AGE,
    PAIRS_OHM,
    POLARISATION_OHM,
    POLARISATION_KEPT,
    POLARISATION_MEAN,
    POLARISATION_STORED,
    DIFFUSION_OHM,
    DIFFUSION_KEPT,
    DIFFUSION_MEAN,
    DIFFUSION_STORED,
) = range(32)
PARAMETERS = 32

# What changes from step to step.
SPEED, TARGET, CHARGE, TEMPERATURE, POLARISATION_V, DIFFUSION_V = range(6)
STATES = 6

# What is summed up over a drive, and the worst miss of the trace.
(
    DISTANCE_M,
    BATTERY_OUT_J,
    BATTERY_IN_J,
    MOTOR_LOSS_J,
    GEAR_LOSS_J,
    FRICTION_J,
    ROAD_J,
    BATTERY_LOSS_J,
    AUXILIARY_J,
    SPEED_ERROR_MPS,
) = range(10)
TOTALS = 10

# Numbers that all cars of a fleet share.
(
    TORQUE_MOST,
    PER_TORQUE,
    PER_SHAFT,
    VOLTAGE_MIN,
    VOLTAGE_MAX,
    DISCHARGE_MAX,
    CHARGE_MAX,
) = range(7)
SHARED = 7

# Points of what depends on the state of charge, 0 to 1, and on the battery's temperature.
CHARGES = 201
TEMPERATURES, COLDEST_DEGC, DEGC_PER_STEP = 141, -50.0, 1.0

# Where the tables begin: the losses first, then these; and how long they are together.
OPEN_CIRCUIT = TORQUES * SPEEDS
RESISTANCE = OPEN_CIRCUIT + CHARGES
WARMTH = RESISTANCE + CHARGES
CHARGE_FACTOR = WARMTH + TEMPERATURES
TABLE_SIZE = CHARGE_FACTOR + TEMPERATURES
