"""What the upkeep asks of a store besides `LakeStore`. Drivers: `MemoryStore`, `LocalStore`.

store.rewrite(parts, tables)        # these rows now lie in those tables
store.vacuum(older_than_s=1800)     # what nobody needs any more is deleted
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Protocol

from contactor.cloud.lake.ports import LakeStore, Part
from contactor.cloud.lake.tables import Table


class LakeKeeper(LakeStore, Protocol):
    """A store whose files can be put in order beside the ingest that writes it."""

    def rewrite(
        self,
        replaced: Sequence[Part],
        tables: Iterable[Table],
        *,
        is_packed: bool = True,
        is_change: bool = False,
        kept_from: Mapping[str, date] | None = None,
    ) -> bool:
        """Put `tables` in the place of `replaced`, all at once; it survives a power cut.

        It is no flush: the number of the newest stays. What was replaced can be read on by those
        who took their snapshot before, until `vacuum`.

        Args:
            replaced: at least one part.
            tables: each is asked for when the one before is written, so they may be many.
            is_packed: whether the new parts are small, and their rows in the tiers: for good.
            is_change: whether the rows are others than before.
            kept_from: from now on rows of that tier (or `raw`) are kept from that day on only.

        Returns:
            False if one of `replaced` is not there any more; then nothing has changed.

        Raises:
            FolderFull: no space left.
            StaleWriter: another ingest writes this lake.
            LakeError: it could not be stored.
            After any of these nothing has changed.
        """
        ...

    def vacuum(self, *, older_than_s: float) -> int:
        """Delete what is replaced, or was left behind by a crash, for that long.

        Args:
            older_than_s: 0 for at once: those who read an older snapshot lose it.

        Returns:
            how many files of rows.
        """
        ...
