"""Numbers that every part of the physics shares: standard gravity and exact conversions."""

import math

GRAVITY_MPS2 = 9.80665  # standard, CGPM 1901
ZERO_DEGC_K = 273.15
KMH_PER_MPS = 3.6
RPM_PER_RAD_PER_S = 30 / math.pi
S_PER_HOUR = 3600.0
S_PER_DAY = 86_400.0
J_PER_KWH = 3.6e6
