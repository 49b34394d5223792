"""How long rows and their sums are kept.

Ages(raw_days=90, minute_days=730)
"""

import math
from dataclasses import dataclass

from contactor.errors import UsageError


@dataclass(frozen=True, slots=True)
class Ages:
    """How many days rows are kept; None for ever.

    Fields:
        raw: rows as they came. minute, hour: their sums.
    """

    raw_days: int | None = None
    minute_days: int | None = None
    hour_days: int | None = None

    def __post_init__(self) -> None:
        days = (self.raw_days, self.minute_days, self.hour_days)
        known = [math.inf if count is None else count for count in days]
        if known != sorted(known) or known[0] < 1:
            named = ", ".join("for ever" if count is None else str(count) for count in days)
            raise UsageError(
                f"kept days of rows, minutes and hours are {named};"
                " allowed: 1 or more each, none less than the one before"
            )
