"""How the arrays lie that the kernel works on: a row a quantity, a column a car.

Cars are taken LANES at a time, so that all of one step stays in the processor's nearest cache. The
tables lie one after another in one array, each on even steps.
"""

from contactor.physics.losses import SPEEDS, TORQUES

LANES = 128
# So many steps at most are made in one go; as many of rest lie behind the last trace, for the lanes
# whose cars have nothing left to do.
REST = 512

# What a car is; SI units, and reciprocals where the kernel would divide. The last four are of the
# drive that it is on.
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
    BASE,
    CLIMATE,
    CABIN_TARGET,
    HEAT_TO,
) = range(36)
PARAMETERS = 36

# What changes from step to step; from CABIN on only over a life.
(
    SPEED,
    TARGET,
    CHARGE,
    TEMPERATURE,
    POLARISATION_V,
    DIFFUSION_V,
    CABIN,
    MOTOR,
    LOW_VOLTAGE,
    CHARGE_POWER,
    TURN_CHARGE,
    IS_CHARGING,
    IS_DONE,
    IS_FILLING,
) = range(14)
STATES = 14

# What is summed up, up to SUMS; then the most and the least there was.
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
    UNSERVED_J,
    CLIMATE_J,
    CABIN_HEAT_J,
    STRANDED_M,
    CYCLE_AGE,
    CALENDAR_AGE,
    AC_WALL_J,
    DC_WALL_J,
    CHARGER_LOSS_J,
    SPEED_ERROR_MPS,
    CHARGE_MIN,
    CHARGE_MAX,
) = range(21)
# What a drive alone adds up; what a drive of a life does; all sums; all.
SUMS_OF_DRIVE, SUMS_OF_LIFE, SUMS, TOTALS = 10, 14, 18, 21

# Numbers that all cars of a fleet share.
(
    TORQUE_MOST,
    PER_TORQUE,
    PER_SHAFT,
    VOLTAGE_MIN,
    VOLTAGE_MAX,
    DISCHARGE_CURRENT_MAX,
    CHARGE_CURRENT_MAX,
    CELLS,
    NEW_CAPACITY,
    RESISTANCE_GROWTH,
    CALENDAR_AGEING,
    CYCLE_AGEING,
    POLARISATION_S,
    DIFFUSION_S,
    MOTOR_DERATE_FROM,
    MOTOR_TEMPERATURE_MAX,
    MOTOR_COOLING,
    MOTOR_PER_HEAT_CAPACITY,
    CABIN_HEAT_CAPACITY,
    CABIN_LOSS,
    CABIN_GAIN,
    HEATING_MAX,
    COOLING_MAX,
    FAN,
    HEATING_COP,
    HEATING_COP_PER_DEGC,
    COOLING_COP,
    BATTERY_COOL_FROM,
    BATTERY_HEAT_TO,
    BATTERY_THERMAL_MAX,
    AC_EFFICIENCY,
    AC_CONSTANT,
    RAMP,
    LIGHTS,
    LOW_VOLTAGE_CAPACITY,
    LOW_VOLTAGE_CHARGE_MAX,
    LOW_VOLTAGE_WAKE_AT,
    DCDC_EFFICIENCY,
    SLEEP_DRAIN,
) = range(39)
SHARED = 39

# What a schedule says of a span, see `schedule.Setting`; OFFERED is on the high-voltage side.
(
    PLUG,
    IS_READY,
    OFFERED,
    CHARGE_LIMIT,
    IS_AWAKE,
    HAS_CLIMATE,
    IS_PRECONDITIONING,
    CABIN_TARGET_DEGC,
    ARE_LIGHTS_ON,
) = range(9)
SETTINGS = 9
UNPLUGGED, AC, DC = range(3)

# What the weather is from time to time: of the air, and what it makes of tyres and drag at 20 °C.
AMBIENT_DEGC, ROLLING_FACTOR, DRAG_FACTOR = range(3)
WEATHER = 3

# What of a car is written down at even times: of its state, then sums.
RECORD_CHARGE, RECORD_TEMPERATURE = range(2)
RECORDED_SUMS = (
    DISTANCE_M,
    BATTERY_OUT_J,
    BATTERY_IN_J,
    CLIMATE_J,
    AC_WALL_J,
    DC_WALL_J,
    STRANDED_M,
)
RECORDS = 9

# Points of what depends on the state of charge, 0 to 1, and on the battery's temperature.
CHARGES = 201
TEMPERATURES, COLDEST_DEGC, DEGC_PER_STEP = 561, -50.0, 0.25

# Where the tables begin: the losses first, then these; and how long they are together.
OPEN_CIRCUIT = TORQUES * SPEEDS
RESISTANCE = OPEN_CIRCUIT + CHARGES
WARMTH = RESISTANCE + CHARGES
CHARGE_FACTOR = WARMTH + TEMPERATURES
ACCEPTED = CHARGE_FACTOR + TEMPERATURES
TABLE_SIZE = ACCEPTED + CHARGES
