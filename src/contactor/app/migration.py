"""An older data folder becomes one of today: a backup, then one step per format, in place.

    backup ──► format.json says 2, reached 1 ──► step 1 → 2 ──► format.json says 2

A step can be done again, also halfway, so one that was killed goes on where the next start finds
it; the backup was whole before anything was changed. The folder is held by the caller.

    bring_up_to_date(folder)
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contactor.app.format import FORMAT, read_format, write_format
from contactor.app.output import note
from contactor.app.progress import progress_bar
from contactor.clock import NS_PER_S, to_iso
from contactor.whole_files import sync_folder

if TYPE_CHECKING:
    from contactor.app.folder import DataFolder

Step = Callable[["DataFolder"], None]


def _to_2(folder: "DataFolder") -> None:
    """Codebooks: a table of the outbox, columns of the lake."""
    from contactor.car.agent.outbox_file import open_outbox_file

    if folder.outbox.exists():
        open_outbox_file(folder.outbox).close()
    if folder.has_lake:
        from contactor.cloud.lake.local import LocalStore

        LocalStore(folder.root)


STEPS: Final[Mapping[int, Step]] = {1: _to_2}
"""What makes a folder of that format one of the next; each may be done again at any point."""


def bring_up_to_date(folder: "DataFolder", steps: Mapping[int, Step] = STEPS) -> None:
    """Make `folder`, which the caller holds, one of this Contactor's format.

    Raises:
        FolderFull: no space left, for the backup or for a step.
        ContactorError: the backup or a step failed; the next start tries it again.
    """
    found = read_format(folder.root)
    if found.is_current:
        return
    reached, backup = found.reached, found.backup
    if reached is None or backup is None:
        reached = found.format
        backup = _back_up(folder, reached)
        note(f"{folder.root} has format {reached}; it becomes {FORMAT}, backup in {backup}")
    for number in range(reached, FORMAT):
        write_format(folder.root, reached=number, backup=backup)
        steps[number](folder)
    write_format(folder.root)


def _back_up(folder: "DataFolder", number: int) -> str:
    """A backup in the folder itself; its name below it."""
    from contactor.app.backup.contents import BACKUPS
    from contactor.app.backup.make import make_backup

    backups = folder.root / BACKUPS
    backups.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.root)
    now_ns = time.time_ns()
    stamp = to_iso(now_ns - now_ns % NS_PER_S).replace("-", "").replace(":", "")
    path = _unused(backups, f"format-{number}-{stamp}")
    with progress_bar(f"backup {path.name}", "B") as on_progress:
        make_backup(folder, path, on_progress)
    return str(path.relative_to(folder.root))


def _unused(backups: Path, stem: str) -> Path:
    path, count = backups / f"{stem}.tar.zst", 1
    while path.exists():
        count += 1
        path = backups / f"{stem}-{count}.tar.zst"
    return path
