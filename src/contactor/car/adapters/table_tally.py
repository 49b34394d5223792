"""What an import counts: rows read and refused, and the reasons why.

tally = Tally()
tally.refuse(Refusal("Vehicle.Speed: not a number", 2, "fast"))
tally.refused()         # {"Vehicle.Speed: not a number ('fast')": 2}
"""

from collections import Counter
from dataclasses import dataclass

_SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Refusal:
    """So many cells or rows were not taken, for one reason; `example` is the first of them."""

    reason: str
    count: int
    example: str | None = None


@dataclass(frozen=True, slots=True)
class TableCounts:
    """What an import has met so far.

    Fields:
        rows_read: rows of the tables; a line with nothing in it is no row.
        rows_refused: rows without a usable instant.
        rows_empty: rows with an instant of which no mapped signal is known: nothing to store.
        rows_reordered: rows older than one before them in their table; put in time order.
        tables_overlapping: tables that begin before the one before them in time has ended.
        refused: how often each reason kept a row or a single cell out.
        first_ts, last_ts: of the rows that were given on, int64 ns UTC.
    """

    rows_read: int
    rows_refused: int
    rows_empty: int
    rows_reordered: int
    tables_overlapping: int
    refused: dict[str, int]
    first_ts: int | None
    last_ts: int | None


class Tally:
    """Collects what `TableCounts` tells."""

    def __init__(self) -> None:
        self.rows_read = 0
        self.rows_refused = 0
        self.rows_empty = 0
        self.rows_reordered = 0
        self.tables_overlapping = 0
        self._first_ts: int | None = None
        self._last_ts: int | None = None
        self._refused: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def refuse(self, refusal: Refusal) -> None:
        """Count it; of each reason the first example is kept."""
        if not refusal.count:
            return
        self._refused[refusal.reason] += refusal.count
        if refusal.example is not None:
            self._examples.setdefault(refusal.reason, refusal.example)

    def stored(self, first_ts: int, last_ts: int) -> None:
        """Rows from `first_ts` to `last_ts` were given on."""
        self._first_ts = first_ts if self._first_ts is None else min(self._first_ts, first_ts)
        self._last_ts = last_ts if self._last_ts is None else max(self._last_ts, last_ts)

    def refused(self) -> dict[str, int]:
        """How often each reason kept a row or a cell out."""
        return {self._shown(reason): count for reason, count in self._refused.items()}

    def _shown(self, reason: str) -> str:
        example = self._examples.get(reason)
        return reason if example is None else f"{reason} ({example[:_SHOWN_CHARACTERS]!r})"

    def counts(self) -> TableCounts:
        """Everything so far."""
        return TableCounts(
            rows_read=self.rows_read,
            rows_refused=self.rows_refused,
            rows_empty=self.rows_empty,
            rows_reordered=self.rows_reordered,
            tables_overlapping=self.tables_overlapping,
            refused=self.refused(),
            first_ts=self._first_ts,
            last_ts=self._last_ts,
        )
