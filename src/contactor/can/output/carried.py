"""Messages that are not, or not only, frames of their own: in containers, or over several frames.

    carried = CarriedTables(plan)
    for chunk in chunks:
        carried.add(chunk, chunk.groups.rows())
    carried.table("7E4.7EC.220101")                       # ts, bus, and a column per signal
    carried.merged_with(tables_of_frames, "Battery")      # where there are frames as well

There are few of them, so their tables stay in memory.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import Rows, SignalColumn
from contactor.can.decode import decode_group
from contactor.can.plan import DecodePlan, name_in
from contactor.can.stream import Chunk
from contactor.can.tables import message_rows, message_table

if TYPE_CHECKING:
    import polars as pl

# The row among all frames of the recording, while tables are put together.
ROW = "row of the recording"


class CarriedTables:
    """Gathers the readings of carried messages, and where frames of the same message are."""

    def __init__(self, plan: DecodePlan) -> None:
        self._containers = {
            place: message for place, message in enumerate(plan.messages) if message.contained
        }
        names = {inner.name for message in plan.messages for inner in message.contained}
        # Frames of messages without signals may be shares of a payload that has them.
        names |= {message.name for message in plan.messages if not message.signals}
        self._names = names
        self._tables: dict[str, list[pl.DataFrame]] = {}
        self._frame_rows: dict[str, list[NDArray[np.int64]]] = {}
        self._seen = 0

    @property
    def labels(self) -> set[str]:
        """The messages that were carried."""
        return set(self._tables)

    def add(self, chunk: Chunk, rows_of: Mapping[str, Rows]) -> list[SignalColumn]:
        """Take in a chunk, its frames by message; gives the readings that are carried."""
        import polars as pl

        for label, rows in rows_of.items():
            if name_in(label, self._names) in self._names:
                self._frame_rows.setdefault(label, []).append(rows + self._seen)
        columns = [*chunk.carried, *self._contained(chunk)]
        for label, rows in message_rows({}, columns).items():
            own = [column for column in columns if column.message == label]
            table = message_table(chunk.frames, rows, label, own)
            table = table.with_columns(pl.Series(ROW, rows + self._seen))
            self._tables.setdefault(label, []).append(table)
        self._seen += len(chunk.frames)
        return columns

    def table(self, label: str) -> "pl.DataFrame":
        """The table of a message."""
        import polars as pl

        return pl.concat(self._tables[label], how="diagonal").drop(ROW)

    def merged_with(self, frames: "Sequence[pl.DataFrame]", label: str) -> "pl.DataFrame":
        """The table of a message that is frames as well, in the order of the recording."""
        import polars as pl

        rows = pl.Series(ROW, np.concatenate(self._frame_rows[label]))
        own = pl.concat(frames, how="diagonal").with_columns(rows)
        both = pl.concat([own, *self._tables[label]], how="diagonal")
        last = pl.all().exclude("ts", "bus").drop_nulls().last()
        merged = both.group_by(ROW, maintain_order=True).agg(
            pl.col("ts").first(), pl.col("bus").first(), last
        )
        return merged.sort(ROW).drop(ROW)

    def _contained(self, chunk: Chunk) -> Iterator[SignalColumn]:
        """What the containers of a chunk hold."""
        for group in chunk.groups.groups if chunk.groups else ():
            container = self._containers.get(group.place)
            if container is not None:
                for row, column in decode_group(chunk.frames, group.label, container, group.rows):
                    if row >= len(container.signals):
                        yield column
