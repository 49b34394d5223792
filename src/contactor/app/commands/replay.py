"""`contactor replay`: a recording down the whole road into a lake, once."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from contactor.app.cars import existing_file, vehicle_id
from contactor.app.commands.run import speed
from contactor.app.folder import DataFolder
from contactor.app.instants import parse_instant
from contactor.app.output import note, print_json
from contactor.app.progress import progress_bar
from contactor.app.send import Source, send
from contactor.app.settings import add_data_option, add_option
from contactor.car.adapters.recording import Recording, open_recording
from contactor.car.agent.playback import Playback
from contactor.car.agent.sampling import Sampling
from contactor.car.profiles.profile import load_profile
from contactor.clock import SystemClock, to_iso
from contactor.errors import LogError, UsageError
from contactor.signals.record import Rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("log", metavar="LOG", help="a CAN log of any known format")
    parser.add_argument("--car", required=True, metavar="PROFILE", help="profile name or folder")
    parser.add_argument("--vehicle", required=True, metavar="ID", help="whose data it becomes")
    add_data_option(parser)
    add_option(parser, "--speed", type=speed, default="max", help="times real time; default max")
    parser.add_argument("--start", metavar="ISO", help="instant of the first frame")
    parser.add_argument(
        "--sampling",
        choices=[sampling.value for sampling in Sampling],
        default=Sampling.EVERY.value,
        help="every instant of the source (default), or by the profile's rules",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Replay and print what was stored."""
    log = existing_file(args.log)
    vehicle = vehicle_id(args.vehicle)
    profile = load_profile(args.car)
    now_ns = SystemClock().now_ns()
    start_ns = start_instant(args.start, now_ns)
    recording = open_recording(log, start_ns=start_ns, now_ns=now_ns)
    if start_ns is not None:
        _check_end(recording, args.start, now_ns)
    playback = Playback(
        recording, profile, vehicle_id=vehicle, sampling=Sampling(args.sampling), start_ns=start_ns
    )
    folder = DataFolder.create(args.data)
    rows_read = 0

    def batches() -> Iterator[tuple[Rows, ...]]:
        nonlocal rows_read
        with progress_bar(f"replay {log.name}", "B") as on_progress:
            for batch in playback.batches(on_progress):
                rows_read += batch.row_count
                yield batch.groups

    name = Path(args.car).name
    source = Source(vehicle, name, playback.stream, batches, count_rows)
    sent = send(folder, source, speed=args.speed)
    refused = {refusal.reason: refusal.count for refusal in recording.refused}
    refused_lines = sum(refused.values())
    if recording.is_dated_by_file:
        note(f"{log} has no date: laid to end when it was last written; --start sets it")
    for refusal in recording.refused:
        note(
            f"{log}: {refusal.count} refused: {refusal.reason},"
            f" first in line {refusal.first_line}: {refusal.first_text}"
        )
    document = {
        "vehicle_id": vehicle,
        "stream": f"{playback.stream:016x}",
        "rows_read": rows_read + refused_lines,
        "rows_stored": sent.rows_stored,
        "rows_refused": refused_lines + sent.rows_quarantined,
        "refused": refused | dict(playback.road.refused) | sent.quarantined,
        "first_ts": _instant(sent.first_ts),
        "last_ts": _instant(sent.last_ts),
    }
    show(document, as_json=args.json)
    return 0


def count_rows(groups: tuple[Rows, ...]) -> int:
    """Of a recording each stored row counts."""
    return sum(len(rows) for rows in groups)


def start_instant(text: str | None, now_ns: int) -> int | None:
    """--start as ns UTC.

    Raises:
        UsageError: it is no instant, or not between 1970 and now.
    """
    if text is None:
        return None
    start_ns = parse_instant(text, now_ns=now_ns)
    if start_ns > now_ns:
        raise UsageError(f"--start {text} lies in the future")
    if start_ns < 0:
        raise UsageError(f"--start {text} lies before 1970")
    return start_ns


def _check_end(recording: Recording, start: str, now_ns: int) -> None:
    """No stamp ever lies in the future: what was recorded must have ended by now.

    Raises:
        LogError: from this start on it lasts until after now.
    """
    last_ts = max((int(frames.ts.max()) for frames in recording.frames()), default=0)
    if last_ts > now_ns:
        raise LogError(
            f"{recording.log.path} from --start {start} on lasts until {to_iso(last_ts)},"
            " in the future"
        )


def _instant(ts: int | None) -> str | None:
    return None if ts is None else to_iso(ts)


def show(document: dict[str, object], *, as_json: bool) -> None:
    """What a replay or import came to."""
    if as_json:
        print_json(document)
        return
    print(
        f"{document['vehicle_id']}: {document['rows_read']} rows read,"
        f" {document['rows_stored']} stored, {document['rows_refused']} refused"
    )
    if document["first_ts"]:
        print(f"from {document['first_ts']} to {document['last_ts']}")
    refused = document["refused"]
    assert isinstance(refused, dict)
    for reason, count in refused.items():
        print(f"  refused {count}: {reason}")
