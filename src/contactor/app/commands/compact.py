"""`contactor compact`: the lake's upkeep by hand, for a folder that is not in use."""

import argparse
from typing import TYPE_CHECKING

from contactor.app.folder import DataFolder
from contactor.app.lake_place import has_lake, open_store
from contactor.app.output import print_json
from contactor.app.progress import progress_bar
from contactor.app.settings import add_data_option, add_upkeep_options, kept_days
from contactor.clock import SystemClock
from contactor.errors import FolderInUse, UsageError

if TYPE_CHECKING:
    from contactor.cloud.lake.keeper import LakeKeeper


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_data_option(parser)
    add_upkeep_options(parser)
    parser.add_argument(
        "--now",
        action="store_true",
        help="delete what is replaced at once: who reads the lake meanwhile has to open it anew",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Put the lake in order, and say what that came to."""
    from contactor.cloud.lake.upkeep.ages import Ages
    from contactor.cloud.lake.upkeep.upkeep import KEPT_S, Upkeep

    ages = Ages(*kept_days(args))
    folder = DataFolder.existing(args.data)
    if folder.running() is not None:
        raise FolderInUse(
            f"{folder.root} is in use by a running instance, which does its upkeep by itself"
        )
    if not has_lake(folder):
        raise UsageError(f"{folder.root} holds no lake yet")
    with folder.held(), progress_bar("compact", "row") as on_progress:
        store = open_store(folder)
        before = _bytes(store)
        done = Upkeep(store, ages=ages, kept_s=0 if args.now else KEPT_S).run(
            now_ns=SystemClock().now_ns(), is_thorough=True, on_progress=on_progress
        )
    document = {
        "rewrites": done.rewrites,
        "files_before": done.parts_before,
        "files_after": done.parts_after,
        "files_deleted": done.files_deleted,
        "bytes_before": before,
        "bytes_after": _bytes(store),
    }
    if args.json:
        print_json(document)
        return 0
    print(
        f"{folder.root}: {done.parts_before} files, {before} bytes →"
        f" {done.parts_after} files, {document['bytes_after']} bytes"
    )
    if done.rewrites and not args.now:
        print("what was replaced is deleted half an hour later, for those who read it meanwhile")
    return 0


def _bytes(store: "LakeKeeper") -> int:
    """What the files that the lake names take."""
    from contactor.cloud.lake.object_store import ObjectStore
    from contactor.cloud.lake.parts import path_of

    if isinstance(store, ObjectStore):
        return store.stored_bytes()
    return sum(path_of(part).stat().st_size for part in store.snapshot().parts)
