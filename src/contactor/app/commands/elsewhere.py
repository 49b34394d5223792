"""`contactor elsewhere`: how others reach the instance on a folder, and a QR code for a phone."""

import argparse

import msgspec

from contactor.app.elsewhere import qr_code
from contactor.app.folder import DataFolder
from contactor.app.output import print_json
from contactor.app.settings import add_data_option
from contactor.errors import InstanceError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_data_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Print it."""
    folder = DataFolder.existing(args.data)
    instance = folder.running()
    if instance is None:
        raise InstanceError(f"no instance runs on {folder.root}")
    elsewhere = instance.elsewhere
    if elsewhere is msgspec.UNSET:
        raise InstanceError(
            f"the instance on {folder.root} answers this machine only; allowed beyond it:"
            " run --host 0.0.0.0, or a proxy (--public-url)"
        )
    if args.json:
        print_json(elsewhere)
        return 0
    print("\n".join([*elsewhere.lines(), qr_code(elsewhere.scanned)]))
    return 0
