"""`contactor decode`: read CAN logs, decode them with databases, show or write the signals.

contactor decode drive.log --dbc car.dbc --json
contactor decode drive.log --dbc car.dbc --output signals/       # one Parquet per message
contactor decode drive.log                                       # what is on the bus
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from contactor.app.output import note, print_json, print_table
from contactor.errors import UsageError

if TYPE_CHECKING:
    from contactor.can.reading import Progress
    from contactor.can.recording import Recording
    from contactor.can.summary import Summary

LONG_FORMATS = (".parquet", ".csv")
# Less is read before a bar could be looked at.
PROGRESS_BYTES = 32 * 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("logs", nargs="+", metavar="LOG", help="a CAN log of any known format")
    parser.add_argument(
        "--dbc", action="append", metavar="FILE", help="a database: DBC, KCD, SYM, ARXML (repeat)"
    )
    parser.add_argument(
        "--output",
        metavar="PATH",
        help="a folder: one Parquet per message; FILE.parquet or FILE.csv: a row per reading",
    )
    parser.add_argument(
        "--signal",
        action="append",
        metavar="NAME",
        help="decode only this: Message.Signal, Message or Signal (repeat)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Decode, write what was asked for, and say what was found."""
    _check(args)
    from contactor.can.recording import decode

    with _progress(args.logs) as on_progress:
        recording = decode(args.logs, args.dbc, args.signal, on_progress=on_progress)
    for left_out in recording.left_out:
        note(f"{left_out.name} is left out: {left_out.reason}")
    if args.output:
        _write(recording, args.output)
    summary = recording.summary()
    if args.json:
        print_json(summary)
        return 0
    _show_frames(summary)
    if not args.output:
        print()
        _show_table(summary)
    return 0


def _check(args: argparse.Namespace) -> None:
    """Refuse what the arguments alone show to be wrong, before any work."""
    if args.signal and not args.dbc:
        raise UsageError("--signal needs a database: give --dbc FILE")
    if not args.output:
        return
    if not args.dbc:
        raise UsageError("--output writes decoded signals: give --dbc FILE")
    path = Path(args.output)
    if _is_folder(args.output):
        if path.is_file():
            raise UsageError(f"--output {path} is a file; a folder or {_long_names()} is expected")
    elif path.suffix not in LONG_FORMATS:
        raise UsageError(f"--output {path}: a folder or {_long_names()} is expected")
    elif not path.absolute().parent.is_dir():
        raise UsageError(f"--output {path}: there is no folder {path.parent}")


def _is_folder(output: str) -> bool:
    return output.endswith("/") or Path(output).is_dir() or not Path(output).suffix


def _long_names() -> str:
    return " or ".join(f"FILE{suffix}" for suffix in LONG_FORMATS)


def _write(recording: "Recording", output: str) -> None:
    from contactor.can.tables import write_long, write_messages

    if _is_folder(output):
        paths = write_messages(recording.messages, Path(output))
        note(f"{len(paths)} messages written to {output}")
    else:
        write_long(recording.long(), Path(output))
        note(f"readings written to {output}")


def _show_frames(summary: "Summary") -> None:
    """For people: the logs, and what became of their lines."""
    for log in summary["logs"]:
        print(f"{log['file']}: {log['format']}, time {log['time']}")
    print(
        f"{summary['frames']} frames in {summary['duration_s']} s: "
        f"{summary['frames_decoded']} decoded, {summary['frames_unknown']} unknown, "
        f"{summary['frames_other']} error or remote, {summary['frames_refused']} refused"
    )
    for refusal in summary["refused"]:
        print(
            f"refused {refusal['count']}: {refusal['reason']}, "
            f"first in line {refusal['first_line']}: {refusal['first_text']}"
        )


def _show_table(summary: "Summary") -> None:
    """For people: the signals, or without a database the ids."""
    if "ids" in summary:
        print_table(
            ("id", "frames", "cycle ms", "length", "changing bits"),
            [(name, *facts.values()) for name, facts in summary["ids"].items()],
        )
        return
    if not summary["signals"]:
        print("no signal decoded")
        return
    print_table(
        ("signal", "unit", "count", "unavailable", "min", "max", "mean", "last"),
        [
            (
                name,
                facts["unit"],
                facts["count"],
                facts["unavailable"],
                facts["min"],
                facts["max"],
                facts["mean"],
                facts["last"],
            )
            for name, facts in summary["signals"].items()
        ],
    )


@contextmanager
def _progress(logs: list[str]) -> "Iterator[Progress | None]":
    """A bar on a terminal while much is read; nothing otherwise."""
    paths = [Path(log) for log in logs]
    total = sum(path.stat().st_size for path in paths if path.is_file())
    if total < PROGRESS_BYTES or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(total=total, unit="B", unit_scale=True, file=sys.stderr, leave=False) as bar:
        yield lambda done, _: bar.update(done - bar.n)
