"""`contactor restore`: a backup becomes a data folder again."""

import argparse
from pathlib import Path

from contactor.app.backup.restore import restore_backup
from contactor.app.output import print_json
from contactor.app.progress import progress_bar
from contactor.app.settings import add_data_option


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
        return 0
    print(
        f"{args.data}: {document['files']} files, {manifest.total_bytes:,} bytes,"
        f" as it was at {manifest.created_at}"
    )
    return 0
