"""How long rows are kept, from options to the processes that are started, by their environment.

tell_environment(args)
ages_of_environment()           # in the process that keeps the lake in order

`CONTACTOR_KEEP_ROWS_DAYS` and so on say it, so that a supervisor's roles inherit it; `run` and
`serve` set them from their options.
"""

import argparse
import os

from contactor.app.settings import add_upkeep_options, kept_days
from contactor.cloud.lake.upkeep.ages import Ages


def ages_of_environment() -> Ages:
    """What the environment says of how long rows and sums are kept.

    Raises:
        UsageError: it makes no sense.
    """
    parser = argparse.ArgumentParser(add_help=False)
    add_upkeep_options(parser)
    return Ages(*kept_days(parser.parse_args([])))


def tell_environment(args: argparse.Namespace) -> None:
    """Let the processes that are started from here know what the options say.

    Raises:
        UsageError: it makes no sense.
    """
    rows, minutes, hours = kept_days(args)
    Ages(rows, minutes, hours)
    for name, days in (("ROWS", rows), ("MINUTES", minutes), ("HOURS", hours)):
        if days is not None:
            os.environ[f"CONTACTOR_KEEP_{name}_DAYS"] = str(days)
