"""`contactor export`: what is stored of a vehicle as Parquet or CSV, or everything as a zip."""

import argparse
from pathlib import Path

from contactor.app.cars import vehicle_id
from contactor.app.folder import DataFolder
from contactor.app.instants import parse_instant
from contactor.app.lake_place import lake_at
from contactor.app.output import note, print_json
from contactor.app.progress import progress_bar
from contactor.app.settings import add_data_option
from contactor.can.output.whole import whole_file
from contactor.clock import SystemClock, to_iso
from contactor.errors import UsageError
from contactor.signals.catalogue import catalogue

FORMS = (".parquet", ".csv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--vehicle", required=True, metavar="ID", help="whose values")
    parser.add_argument(
        "--signal", action="append", metavar="PATH", help="a VSS path; may be repeated; default all"
    )
    parser.add_argument("--since", metavar="T", help="from then on: ISO 8601, or 7d, 12h ago")
    parser.add_argument("--until", metavar="T", help="before then")
    parser.add_argument(
        "--output",
        required=True,
        metavar="PATH",
        help="FILE.parquet, FILE.csv, or a folder that gets one Parquet file a day",
    )
    parser.add_argument(
        "--everything",
        action="store_true",
        help="all that is kept of it, as FILE.zip: values, history, commands, who did what",
    )
    add_data_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Export, and say what."""
    if args.everything:
        return _everything(args)
    now_ns = SystemClock().now_ns()
    since = None if args.since is None else parse_instant(args.since, now_ns=now_ns)
    until = None if args.until is None else parse_instant(args.until, now_ns=now_ns)
    if since is not None and until is not None and since >= until:
        raise UsageError(f"--since {args.since} is not before --until {args.until}")
    paths = tuple(catalogue()[path].path for path in args.signal) if args.signal else None
    vehicle, output = vehicle_id(args.vehicle), Path(args.output)
    form = _form(args.output, output)
    folder = DataFolder.existing(args.data)

    from contactor.cloud.lake.export import Wanted, export_file, export_folder
    from contactor.cloud.lake.lake import open_lake

    lake = open_lake(lake_at(folder))
    lake.paths(vehicle)  # an unknown vehicle is told before a file is made
    wanted = Wanted(vehicle, paths, since, until)
    with progress_bar(f"export {vehicle}", "day") as on_progress:
        if form is None:
            exported = export_folder(lake, wanted, output, on_progress)
        else:
            with whole_file(output) as part:
                exported = export_file(lake, wanted, part, form, on_progress)
    kept_from = lake.view.snapshot.kept_from.get("raw")
    if kept_from is not None:
        note(f"rows from before {kept_from} are not kept any more")
    document = {
        "vehicle_id": vehicle,
        "output": str(output),
        "rows": exported.rows,
        "signals": exported.signals,
        "first_ts": None if exported.first_ts is None else to_iso(exported.first_ts),
        "last_ts": None if exported.last_ts is None else to_iso(exported.last_ts),
    }
    if args.json:
        print_json(document)
    else:
        print(f"{output}: {exported.rows} rows of {exported.signals} signals of {vehicle}")
        if exported.rows:
            print(f"from {document['first_ts']} to {document['last_ts']}")
    return 0


def _everything(args: argparse.Namespace) -> int:
    """All of it in one archive.

    Raises:
        UsageError: something else is asked for, too, or the file is no zip.
    """
    if args.signal or args.since is not None or args.until is not None:
        raise UsageError("--everything goes with no --signal, --since or --until")
    output = zip_path(args.output)
    vehicle = vehicle_id(args.vehicle)

    from contactor.app.everything import save_vehicle

    save_vehicle(args.data, vehicle, output)
    size = output.stat().st_size
    if args.json:
        print_json({"vehicle_id": vehicle, "output": str(output), "bytes": size})
    else:
        print(f"{output}: everything of {vehicle}, {size} bytes; README.md in it names each file")
    return 0


def zip_path(text: str) -> Path:
    """A file that an archive can become.

    Raises:
        UsageError: it can be none.
    """
    output = Path(text)
    if output.suffix != ".zip" or output.is_dir():
        raise UsageError(f"--output {text}; allowed: FILE.zip")
    if not output.absolute().parent.is_dir():
        raise UsageError(f"--output {text}: there is no folder {output.parent}")
    return output


def _form(text: str, output: Path) -> str | None:
    """The form of the one file; None for a folder.

    Raises:
        UsageError: it can be neither.
    """
    if output.suffix in FORMS and not text.endswith("/") and not output.is_dir():
        if not output.absolute().parent.is_dir():
            raise UsageError(f"--output {output}: there is no folder {output.parent}")
        return output.suffix
    if output.is_file():
        raise UsageError(f"--output {output} is a file; allowed: {', '.join(FORMS)} or a folder")
    if output.suffix and not text.endswith("/") and not output.is_dir():
        raise UsageError(
            f"--output {output}: unknown form '{output.suffix}'; allowed: {', '.join(FORMS)},"
            " or a folder, named with a / at its end"
        )
    return None
