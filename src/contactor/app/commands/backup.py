"""`contactor backup`: a data folder, in use or not, as one file."""

import argparse
from pathlib import Path

from contactor.app.backup.make import make_backup
from contactor.app.folder import DataFolder
from contactor.app.lake_place import lake_url
from contactor.app.output import print_json
from contactor.app.progress import progress_bar
from contactor.app.settings import add_data_option


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "file", metavar="FILE", type=Path, help="the backup to be made: NAME.tar.zst or NAME.tar"
    )
    add_data_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Write the backup and say what is in it."""
    folder = DataFolder.existing(args.data)
    with progress_bar(f"backup {args.file.name}", "B") as on_progress:
        made = make_backup(folder, args.file, on_progress)
    document = {
        "file": str(made.path),
        "bytes": made.bytes,
        "files": len(made.manifest.files),
        "created_at": made.manifest.created_at,
        "format": made.manifest.format,
        "flush": made.manifest.lake_flush,
    }
    if args.json:
        print_json(document)
        return 0
    lake, url = "no lake", lake_url(folder)
    if made.manifest.lake_flush is not None:
        lake = f"flush {made.manifest.lake_flush}"
    elif url is not None:
        lake = f"its lake at {url} is not in it"
    print(f"{made.path}: {document['files']} files, {made.bytes:,} bytes, {lake}")
    return 0
