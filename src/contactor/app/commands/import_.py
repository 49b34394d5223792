"""`contactor import`: tables into a lake, once."""

import argparse
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from contactor.app.cars import existing_file, vehicle_id
from contactor.app.commands.replay import show, start_instant
from contactor.app.folder import DataFolder
from contactor.app.send import Source, send
from contactor.app.settings import add_data_option
from contactor.car.adapters.table import TableSource
from contactor.car.adapters.table_map import load_table_map
from contactor.car.agent.recorder import CUT_VERSION, cut_batches
from contactor.car.agent.sampling import Sampling
from contactor.car.agent.table_sampling import sampled
from contactor.clock import NS_PER_S, SystemClock, to_iso
from contactor.signals.record import Rows

BATCH_NS = 60 * NS_PER_S


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("tables", nargs="+", metavar="TABLE", help="Parquet, CSV or TSV")
    parser.add_argument("--map", required=True, metavar="MAP.toml", help="which column is what")
    parser.add_argument("--vehicle", required=True, metavar="ID", help="whose data it becomes")
    add_data_option(parser)
    parser.add_argument("--start", metavar="ISO", help="origin of the clock, over the map's")
    parser.add_argument(
        "--sampling",
        choices=[sampling.value for sampling in Sampling],
        default=Sampling.EVERY.value,
        help="every instant of the source (default), or by the rules of the signals' groups",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """Import and print what was stored."""
    vehicle = vehicle_id(args.vehicle)
    tables = [existing_file(table) for table in args.tables]
    table_map = load_table_map(Path(args.map))
    now_ns = SystemClock().now_ns()
    source = TableSource(
        tables,
        table_map=table_map,
        now_ns=now_ns,
        start_ns=start_instant(args.start, now_ns),
    )
    sampling = Sampling(args.sampling)
    stream = _stream_of(source, vehicle, sampling)
    reading = source.read()
    if sampling is Sampling.PROFILE:
        reading = sampled(reading, {one.path: one.stored_group for one in table_map.signals})
    begun = list(islice(reading, 1))  # what is no table is refused before a folder is made
    folder = DataFolder.create(args.data)

    def batches() -> Iterator[tuple[Rows, ...]]:
        for groups in chain(begun, reading):
            first_ts = min(int(rows.ts[0]) for rows in groups)
            yield from cut_batches(groups, origin_ns=first_ts, batch_ns=BATCH_NS)

    sent = send(folder, Source(vehicle, "", stream, batches, count_instants), speed=float("inf"))
    counts = source.counts
    document = {
        "vehicle_id": vehicle,
        "stream": f"{stream:016x}",
        "rows_read": counts.rows_read,
        "rows_stored": sent.rows_stored,
        "rows_refused": counts.rows_refused + sent.rows_quarantined,
        "refused": dict(counts.refused) | sent.quarantined,
        "first_ts": None if sent.first_ts is None else to_iso(sent.first_ts),
        "last_ts": None if sent.last_ts is None else to_iso(sent.last_ts),
    }
    show(document, as_json=args.json)
    return 0


def count_instants(groups: tuple[Rows, ...]) -> int:
    """Of a table each of its rows counts, also one that is stored in several groups."""
    return max(len(rows) for rows in groups)


def _stream_of(source: TableSource, vehicle: str, sampling: Sampling) -> int:
    """The stream's number: a hash of the tables, the map, the start, vehicle and sampling."""
    import hashlib

    words = f"cut {CUT_VERSION} {vehicle}"
    words += "" if sampling is Sampling.EVERY else f" {sampling}"
    digest = hashlib.sha256(source.source_hash + words.encode()).digest()
    return int.from_bytes(digest[:8], "big")
