"""Fills a twin from the newest values of the lake, before anything new is taken in.

    cells = await asyncio.to_thread(newest, store.snapshot(), store.streams())
    restore(twin, cells)

What was taken in and not committed before a crash comes again from the cars.
"""

from collections.abc import Iterable

from contactor.cloud.lake.newest import Newest
from contactor.cloud.twin.twin import Twin


def restore(twin: Twin, cells: Iterable[Newest]) -> None:
    """Put each cell into the twin; newer ones that it has already stay."""
    for cell in cells:
        twin.put(cell.vehicle_id, cell.path, cell.value, ts=cell.ts, group=cell.group)
