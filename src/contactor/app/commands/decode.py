"""`contactor decode`: read CAN logs, decode them with databases, show, write or draw the signals.

contactor decode drive.log --dbc car.dbc --json
contactor decode drive.log --dbc car.dbc --output signals/       # one Parquet per message
contactor decode drive.log --dbc car.dbc --plot drive.html
contactor decode drive.blf --to candump > drive.log              # the same frames, another format
contactor decode drive.log                                       # what is on the bus
"""

import argparse
import gc
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contactor.app.output import note, print_json, print_table
from contactor.app.progress import Bar, progress_bar
from contactor.errors import UsageError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from contactor.can.frames import FrameTable
    from contactor.can.job import Job
    from contactor.can.output.long import LongFile
    from contactor.can.output.messages import MessageFolder
    from contactor.can.plot import Plotter
    from contactor.can.stream import Chunk
    from contactor.can.summary import LogFacts, Summary, SummaryBuilder

LONG_FORMATS = (".parquet", ".csv")
MOST_NAMES = 3
STANDARD_INPUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "logs", nargs="+", metavar="LOG", help="a CAN log of any known format, `-` for stdin"
    )
    parser.add_argument(
        "--dbc",
        action="append",
        metavar="FILE",
        help="a database: DBC, KCD, SYM, ARXML; BUS=FILE for one bus alone (repeat)",
    )
    parser.add_argument(
        "--output",
        metavar="PATH",
        help="a folder: one Parquet per message; FILE.parquet or FILE.csv: a row per reading; "
        "with --to the log to write",
    )
    parser.add_argument(
        "--to",
        metavar="FORMAT",
        choices=("candump", "asc", "blf", "trc"),
        help="write the frames as another log: candump, asc, blf or trc",
    )
    parser.add_argument("--plot", metavar="FILE", help="draw the signals: FILE.png or FILE.html")
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
    from contactor.can.databases.argument import database_argument
    from contactor.can.job import open_job
    from contactor.can.summary import SummaryBuilder

    databases = [database_argument(text) for text in args.dbc] if args.dbc else None
    job = open_job(args.logs, databases, args.signal)
    for line in job.notes:
        note(line)
    for left_out in job.left_out:
        note(f"{left_out.name} is left out: {left_out.reason}")
    gc.freeze()  # databases live to the end: the collector need not walk them again and again
    builder = SummaryBuilder(job.plan, with_ids=not args.to)
    _work(args, job, builder)
    transport = job.transport.facts() if job.transport else None
    summary = builder.summary(job.sources, job.refused(), transport)
    if args.json:
        print_json(summary)
        return 0
    if args.to and not args.output:  # standard output is the log
        return 0
    _show_frames(summary)
    if not args.output and not args.plot:
        print()
        _show_table(summary)
    return 0


def _check_inputs_kept(args: argparse.Namespace) -> None:
    """Refuse to write over what is read, by whatever name."""
    from contactor.can.databases.argument import database_argument

    inputs = [Path(log) for log in args.logs if log != STANDARD_INPUT]
    inputs += [database_argument(text).path for text in args.dbc or ()]
    for option, output in (("--output", args.output), ("--plot", args.plot)):
        target = Path(output or "")
        if not output or output.endswith("/") or not target.is_file():
            continue
        for path in inputs:
            if path.is_file() and path.samefile(target):
                raise UsageError(f"{option} {output} would replace {path}, which is read")


def _check(args: argparse.Namespace) -> None:
    """Refuse what the arguments alone show to be wrong, before any work."""
    _check_inputs_kept(args)
    if args.signal and not args.dbc:
        raise UsageError("--signal needs a database: give --dbc FILE")
    if args.plot:
        if not args.dbc:
            raise UsageError("--plot draws decoded signals: give --dbc FILE")
        from contactor.can.plot import check_plot

        check_plot(args.plot)
    if args.to:
        _check_log(args)
        return
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


def _check_log(args: argparse.Namespace) -> None:
    """Refuse a log that could not be written."""
    from contactor.app.export import check_export

    if args.json and not args.output:
        raise UsageError("--json and --to both want standard output: give --output FILE")
    check_export(args.to, args.output)


def _is_folder(output: str) -> bool:
    return output.endswith("/") or Path(output).is_dir() or not Path(output).suffix


def _some(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _long_names() -> str:
    return " or ".join(f"FILE{suffix}" for suffix in LONG_FORMATS)


def _work(args: argparse.Namespace, job: "Job", builder: "SummaryBuilder") -> None:
    """Read everything once; each part takes of every chunk what it needs."""
    from contactor.app.unknown import why_unknown
    from contactor.can.stream import threads_for

    with ExitStack() as stack:
        takers = _takers(args, job, builder, stack)
        executor = stack.enter_context(threads_for(job.logs))
        bar = stack.enter_context(progress_bar("decode", "B"))
        least_ts = _least_ts(args, job, executor)
        chunks = _shown_to(takers, job.chunks(on_progress=bar, executor=executor), bar)
        if args.to:
            _write_log(chunks, args.to, args.output, least_ts)
        else:
            for _ in chunks:
                pass
        for line in why_unknown(job):
            note(line)
        if takers.folder is not None:
            paths = takers.folder.finish(builder.add_columns)
            note(f"{len(paths)} messages written to {args.output}")
            if strangers := takers.folder.strangers(paths):
                others = f"{len(strangers)} Parquet files not of this run"
                note(f"{args.output} also holds {others}: {_some(strangers)}")
        if takers.long is not None:
            takers.long.finish()
    if takers.long is not None:
        note(f"readings written to {args.output}")
    if takers.plotter is not None:
        takers.plotter.write(Path(args.plot))
        names, left_out = takers.plotter.names(), takers.plotter.left_out()
        rest = f", {left_out} more are not: choose with --signal NAME" if left_out else ""
        note(f"{len(names)} signals drawn in {args.plot}{rest}")
        for line in (takers.plotter.note, *takers.plotter.beyond()):
            if line:
                note(line)


@dataclass(frozen=True, slots=True)
class _Takers:
    """Who looks at each chunk."""

    builder: "SummaryBuilder"
    folder: "MessageFolder | None" = None
    long: "LongFile | None" = None
    plotter: "Plotter | None" = None

    def take(self, chunk: "Chunk") -> None:
        """Show a chunk to all; it is decoded only if somebody needs its readings now."""
        seams = (0,) if chunk.begins_anew else ()
        self.builder.add_frames(chunk.frames, chunk.groups, claimed=chunk.claimed, seams=seams)
        if self.folder is not None:
            self.builder.add_columns(self.folder.add(chunk))
            if self.plotter is None:
                return
        columns = chunk.columns()
        if self.folder is None:
            self.builder.add_columns(columns)
        if self.long is not None:
            self.long.add(chunk, columns)
        if self.plotter is not None:
            self.plotter.add(columns, chunk.frames)


def _takers(
    args: argparse.Namespace, job: "Job", builder: "SummaryBuilder", stack: ExitStack
) -> _Takers:
    """Those that the options ask for."""
    folder, long = None, None
    if args.output and not args.to and job.plan is not None:
        from contactor.can.output.long import LongFile
        from contactor.can.output.messages import MessageFolder

        if _is_folder(args.output):
            folder = stack.enter_context(MessageFolder(Path(args.output), job.plan))
        else:
            long = stack.enter_context(LongFile(Path(args.output)))
    return _Takers(builder, folder, long, _plotter(args, job))


def _shown_to(takers: _Takers, chunks: "Iterator[Chunk]", bar: Bar) -> "Iterator[FrameTable]":
    """The frames of each chunk, after everybody has seen it."""
    frames = 0
    for chunk in chunks:
        takers.take(chunk)
        frames += len(chunk.frames)
        bar.tell_rate(frames, "frames")
        yield chunk.frames


def _plotter(args: argparse.Namespace, job: "Job") -> "Plotter | None":
    if not args.plot:
        return None
    from contactor.can.plot import Plotter

    title = ", ".join(log.name for log in job.logs[:3]) + (" ..." if len(job.logs) > 3 else "")
    is_dated = job.logs[0].has_date
    return Plotter(title=title, are_chosen=bool(args.signal), is_dated=is_dated)


def _least_ts(args: argparse.Namespace, job: "Job", executor: "Executor | None") -> int | None:
    """The least stamp, which a log to be written may have to start at; None from a pipe.

    candump needs it only where stamps are no instants.
    """
    from contactor.can.stream import stream_of
    from contactor.can.writers.start import least_stamp

    is_needed = args.to and (args.to != "candump" or not job.logs[0].has_date)
    if not is_needed or not all(log.size for log in job.logs):
        return None
    return least_stamp(chunk.frames for chunk in stream_of(job.logs, None, executor=executor))


def _write_log(
    tables: "Iterator[FrameTable]", form: str, output: str | None, least_ts: int | None
) -> None:
    """Write the frames to a file or to standard output."""
    from contactor.app.export import export

    written = export(tables, form, output, least_ts=least_ts)
    if output is not None:
        note(f"{written.frames} frames written to {output}")
    for loss in written.losses:
        note(loss)


def _show_frames(summary: "Summary") -> None:
    """For people: the logs, and what became of their lines."""
    for log in summary["logs"]:
        print(f"{log['file']}: {log['format']}, time {log['time']}{_off_clock(log)}")
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


def _off_clock(log: "LogFacts") -> str:
    """How many frames have stamps of another clock, where any have."""
    frames = log.get("frames_off_clock")
    if not frames:
        return ""
    if log["time"] == "utc":
        return f", but {frames} frames are from before the clock was set"
    return f", but {frames} frames have a date"


def _show_table(summary: "Summary") -> None:
    """For people: the signals, or without a database the ids."""
    if "ids" in summary:
        from contactor.app.ids import show_ids

        show_ids(summary["ids"], summary.get("buses", {}))
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
