"""What counts as what: every threshold of `find`, with its unit and its reason.

All durations are ns where a name says so, so that a row costs no conversion.
"""

S = 1_000_000_000
MIN = 60 * S
HOUR = 60 * MIN

# ── rows ─────────────────────────────────────────────────────────────────────────────────────────
# A car's clock that was never set says 1970, 1980 or 2000; no car was connected then.
TS_MIN_NS = 946_771_200 * S  # 2000-01-02
TS_MAX_NS = 4_102_444_800 * S  # 2100-01-01
# A clock may be a little ahead of ours.
FUTURE_NS = 24 * HOUR
# A quiet car tells its state each minute: two of those may be lost before it counts as silent.
GAP_NS = 180 * S
# A reading speaks for so long where the next row does not repeat it.
FRESH_NS = 10 * S
# Readings so near to each other are of one instant.
TOGETHER_NS = S
# A flow of energy at one row a minute, with jitter.
FLOW_FRESH_NS = 90 * S
# Ignition, gear and plug are told on change, and at least each hour.
FLAG_FRESH_NS = 130 * MIN

# ── movement ─────────────────────────────────────────────────────────────────────────────────────
# Wheel speed sensors tell nothing below.
MOVING_KMH = 1.0
# 250 km/h and a little: what is faster is no car, but a spike or a reset.
MAX_MPS = 75.0
# A count in whole kilometres may tick at once.
ODOMETER_TICK_M = 1_000.0
# Below, a count may creep by rounding.
ODOMETER_MOVED_M = 10.0
# A receiver at rest among houses wanders so far.
POSITION_MOVED_M = 60.0
# A slow receiver repeats its last fix for so long before it tells the next one.
POSITION_SLOW_NS = 60 * S
# After so many fixes that agree with each other, the ones before were wrong.
POSITION_AGREED = 3
# Over a silence a receiver is farther off, and a count in whole units is later.
GAP_ODOMETER_MOVED_M = 100.0
GAP_POSITION_MOVED_M = 300.0
# The very same speed for so long, while the car is off or its odometer stands, is a frozen sensor.
FROZEN_NS = 5 * MIN
# Each time after so long with one speed it is asked what else the car tells.
STEADY_NS = 90 * S

# ── trips ────────────────────────────────────────────────────────────────────────────────────────
# Off for less: a stalled start, a gate, a ferry's deck that lets one on at once.
OFF_CUT_NS = 3 * MIN
# A stop of a car that does not tell whether it is on: a level crossing, a queue; longer is a stay.
STOP_CUT_NS = 10 * MIN
# A stop with the car on: a jam, a ferry queue with the heating on.
ON_STOP_CUT_NS = 60 * MIN
# Silence in which the car moved on: a tunnel, a valley without network.
BRIDGE_NS = 30 * MIN
# The same where nothing tells whether it moved.
BLIND_BRIDGE_NS = 20 * MIN
# A car made ready longer before it moves was not made ready for the drive.
READY_MAX_NS = 30 * MIN
# Rows that begin so shortly before the car moves began for the drive.
UNKNOWN_READY_MAX_NS = 10 * MIN
# Less is parking again, or a push.
TRIP_MIN_KM = 0.05

# A car that tells no speed stands once it has not moved for so long: what flows into its battery
# before may be what it brakes.
STANDING_NS = 2 * MIN

# ── charging ─────────────────────────────────────────────────────────────────────────────────────
# The least that a wallbox gives is 1.4 kW; a sensor at rest is off by less than this.
CHARGE_MIN_A = 1.0
CHARGE_MIN_W = 300.0
# A session that gave less has failed.
CHARGE_MIN_KWH = 0.05
# A session whose mean is less is a sensor that is off, or a battery that is balanced.
CHARGE_MIN_KW = 0.3
# So much charges for sure: it ends a trip.
PIECE_MIN_KWH = 0.03
# Without energies: a flag or a current for so long.
PIECE_MIN_NS = 60 * S
# A session is one over a pause: a station that balances, one that waits for the sun.
PAUSE_NS = 10 * MIN
PLUGGED_PAUSE_NS = 60 * MIN
UNPLUGGED_PAUSE_NS = 60 * S
# A silence within a session, of a car that charges before and after.
CHARGE_BRIDGE_NS = 30 * MIN
# A rise of the state of charge over a silence, or while standing, that only a charger makes.
RISE_GAP_PCT = 2.0
# The same over a silence in which it drove as well: no mountain gives back so much in half an hour.
RISE_MOVED_PCT = 5.0
RISE_PCT = 0.05
RISE_FRESH_NS = 20 * MIN
# One car's charger on alternating current gives 22 kW at most, 43 kW in one old model.
AC_MAX_KW = 23.0

# ── energy ───────────────────────────────────────────────────────────────────────────────────────
# Up to here a row speaks for the time since the row before, as the mean that an agent's rows are
# and as well for instants; over a longer time both ends speak alike.
HOLD_NS = 5 * S
# Rows farther apart are means of much: a mean of power knows what moved within, voltage times
# current does not (1 % of net energy on real trips at 1 Hz).
MEANS_NS = S // 2
# A silence is so much longer than a car's rows are usually apart, and at least so long.
HOLE_TIMES, HOLE_NS = 3, 15 * S
# Levels and counters tell of a silence if they stand so near to its ends.
HOLE_NEAR_NS = 10 * S
# A counter tells something in so many of its steps.
COUNTED_STEPS = 2
# Rows so far apart, if they are instants, tell less of a trip than a counter that counted steps.
SPARSE_NS = 20 * S
# A source that spoke for less gives way to one that spoke for more.
KNOWN_MIN = 0.95
# Counters that run faster were reset.
COUNTER_MAX_KW = 1_000.0
COUNTER_TICK_KWH = 2.0

# ── means and extremes ───────────────────────────────────────────────────────────────────────────
# An odometer whose steps are this part of a trip, or finer, is the best measure of it.
ODOMETER_FINE = 0.005
# A higher ground is counted once it is so much higher: barometers and receivers waver.
CLIMB_MIN_M = 5.0
# A car is outside where it is in this range; what lies beyond is no reading.
AMBIENT_MIN_DEGC, AMBIENT_MAX_DEGC = -50.0, 60.0
# No car gains speed faster: 0 to 100 km/h in 1.4 s, twice.
SPEED_GAIN_MAX_KMH_PER_S = 150.0
SPEED_MAX_KMH = 420.0
