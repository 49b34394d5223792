"""How much is tried: a sample in the suite, the whole of it by `make flow`.

CONTACTOR_TEST_FLOW=whole    the whole
CONTACTOR_TEST_SEED=7        what is chosen by chance, and when
"""

import os

IS_WHOLE = os.environ.get("CONTACTOR_TEST_FLOW") == "whole"
SEED = int(os.environ.get("CONTACTOR_TEST_SEED", "1"))
KILLS = 100 if IS_WHOLE else 8
WORKER_KILLS = 40 if IS_WHOLE else 5
LIVE_KILLS = 30 if IS_WHOLE else 4
CUTS = 150 if IS_WHOLE else 18
ROUNDS = 6 if IS_WHOLE else 2
"""How often what is lost on purpose is lost."""
