"""`contactor restore`: a backup becomes a data folder again."""

import argparse
import contextlib
from pathlib import Path

from contactor.app.backup.restore import restore_backup
from contactor.app.folder import DataFolder
from contactor.app.output import note, print_json
from contactor.app.progress import progress_bar
from contactor.app.settings import add_data_option

AUTHORITY = "authority.pem"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("file", metavar="FILE", type=Path, help="what `contactor backup` made")
    add_data_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Restore it and say what it was."""
    with progress_bar(f"restore {args.file.name}", "B") as on_progress:
        manifest = restore_backup(args.file, args.data, on_progress)
    document = {
        "data": str(args.data),
        "files": len(manifest.files),
        "bytes": manifest.total_bytes,
        "created_at": manifest.created_at,
        "format": manifest.format,
        "flush": manifest.lake_flush,
    }
    if args.json:
        print_json(document)
    else:
        print(
            f"{args.data}: {document['files']} files, {manifest.total_bytes:,} bytes,"
            f" as it was at {manifest.created_at}"
        )
    _tell_enrolled(DataFolder(args.data))
    return 0


def _tell_enrolled(folder: DataFolder) -> None:
    """Say that cars will not come in by themselves: the authority's key is in no backup."""
    if not folder.register.exists():
        return
    from contactor.cloud.identities.register import Register

    with contextlib.closing(Register(folder.register)) as register:
        count = register.count()
    if count:
        note(
            f"vehicles enrolled: {count}; the key that certified them is in no backup. Put your"
            f" own copy of {AUTHORITY} into {folder.authority} before the first start, or give"
            " each of them a new code: contactor car code VEHICLE"
        )
