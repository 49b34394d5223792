"""Our contenders of the CAN benchmark, and the limits; each a process of its own.

    can_ours.py PART FOLDER WARM    the part on the logs of FOLDER, warmed on those of WARM first

    read-text read-blf read-mf4             a log to frames
    decode                                  frames in memory to columns
    columns-text columns-blf columns-mf4    a log to columns in memory: `contactor.decode`, with
                                            the database loaded before
    parquet                                 text to Parquet files: `contactor decode --output`
    limit-copy       memory to memory: the text once, and its columns once
    limit-parquet    the same columns, in memory already, written by pyarrow as zstd 1
    limit-inflate    the blocks of the BLF log unpacked by zlib, and no more

What a part is given is made before the clock starts; so are imports and compiled kernels, by the
warming.
"""

import contextlib
import io
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.append(str(Path(__file__).parents[1] / "peers"))

import numpy as np
from can_input import Logs
from measured import begin, tell
from numpy.typing import NDArray

if TYPE_CHECKING:
    from contactor.can.frames import FrameTable

BLF_CONTAINER = 10


class Done(NamedTuple):
    """What a part has done: how many frames, and the values of each signal."""

    frames: int
    columns: Mapping[str, NDArray[np.float64]] | None = None


Part = Callable[[Logs], Callable[[], Done]]


def read(kind: str) -> Part:
    from contactor.can.log import open_log

    def prepare(logs: Logs) -> Callable[[], Done]:
        return lambda: Done(sum(len(table) for table in open_log(logs.path(kind)).chunks()))

    return prepare


def columns(kind: str) -> Part:
    from contactor.can.job import open_job
    from contactor.can.recording import recorded

    def prepare(logs: Logs) -> Callable[[], Done]:
        job = open_job(logs.path(kind), logs.database)

        def run() -> Done:
            recording = recorded(job)
            return Done(len(recording.frames), {one.name: one.values for one in recording.columns})

        return run

    return prepare


def decode(logs: Logs) -> Callable[[], Done]:
    from contactor.can.database import load_database
    from contactor.can.decode import decode_columns
    from contactor.can.plan import compile_plan

    plan = compile_plan(load_database([logs.database]))
    frames = frame_table(logs)
    return lambda: Done(len(frames), {one.name: one.values for one in decode_columns(frames, plan)})


def frame_table(logs: Logs) -> "FrameTable":
    """The frames of the logs, as our readers give them."""
    from contactor.can.frames import FrameTable

    frames = np.load(logs.frames)
    slot = frames["slot"]
    no = np.zeros(len(slot), np.bool_)
    return FrameTable(
        ts=frames["ts"],
        bus=np.zeros(len(slot), np.uint8),
        can_id=frames["ids"][slot],
        is_extended=no,
        is_fd=no,
        is_remote=no,
        is_error=no,
        length=frames["lengths"][slot],
        data=frames["payload"].astype("<u8").view(np.uint8).reshape(-1, 8),
    )


def parquet(logs: Logs) -> Callable[[], Done]:
    from contactor.app.main import main

    count = len(np.load(logs.frames)["ts"])

    def run() -> Done:
        with tempfile.TemporaryDirectory(dir=logs.folder) as folder:
            output = ["--output", f"{folder}/out/"]
            with contextlib.redirect_stdout(io.StringIO()):
                failed = main(["decode", str(logs.text), "--dbc", str(logs.database), *output])
        if failed:
            sys.exit("contactor decode --output failed")
        return Done(count)

    return run


def limit_copy(logs: Logs) -> Callable[[], Done]:
    """Into pages that are there already: no other program can be faster."""
    import contactor

    recording = contactor.decode(logs.text, dbc=logs.database)
    made = [(np.ones_like(one.values), one.values) for one in recording.columns]
    text = np.fromfile(logs.text, np.uint8)
    made.append((np.ones_like(text), text))

    def run() -> Done:
        for target, source in made:
            target[:] = source
        return Done(len(recording.frames))

    return run


def limit_parquet(logs: Logs) -> Callable[[], Done]:
    """A file per message, as ours; `ts`, `bus`, and a column per signal."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    import contactor

    recording = contactor.decode(logs.text, dbc=logs.database)
    frames, by_message = recording.frames, {}
    for one in recording.columns:
        by_message.setdefault(one.message, []).append(one)
    tables = {
        message: pa.table(
            {"ts": frames.ts[some[0].rows], "bus": frames.bus[some[0].rows]}
            | {one.signal: one.values for one in some}
        )
        for message, some in by_message.items()
    }

    def run() -> Done:
        with tempfile.TemporaryDirectory(dir=logs.folder) as folder:
            for message, table in tables.items():
                path = Path(folder) / f"{message}.parquet"
                pq.write_table(table, path, compression="zstd", compression_level=1)
        return Done(len(frames))

    return run


def limit_inflate(logs: Logs) -> Callable[[], Done]:
    blocks = list(blf_blocks(logs.blf.read_bytes()))
    count = len(np.load(logs.frames)["ts"])

    def run() -> Done:
        for block in blocks:
            zlib.decompress(block)
        return Done(count)

    return run


def blf_blocks(log: bytes) -> Iterator[bytes]:
    """The packed content of a BLF log's containers."""
    place = struct.unpack_from("<I", log, 4)[0]
    while place + 32 <= len(log):
        signature, header, _, size, kind = struct.unpack_from("<4sHHII", log, place)
        if signature != b"LOBJ" or kind != BLF_CONTAINER:
            raise ValueError(f"no container at byte {place} of the BLF log")
        yield log[place + header + 16 : place + size]
        place += size + size % 4


PARTS: Mapping[str, Callable[[], Part]] = {
    **{f"read-{kind}": (lambda kind=kind: read(kind)) for kind in ("text", "blf", "mf4")},
    **{f"columns-{kind}": (lambda kind=kind: columns(kind)) for kind in ("text", "blf", "mf4")},
    "decode": lambda: decode,
    "parquet": lambda: parquet,
    "limit-copy": lambda: limit_copy,
    "limit-parquet": lambda: limit_parquet,
    "limit-inflate": lambda: limit_inflate,
}


def main(name: str, folder: str, warm: str) -> None:
    part = PARTS[name]()
    part(Logs(Path(warm)))()
    run = part(Logs(Path(folder)))
    began = begin()
    done = run()
    seconds = time.perf_counter() - began
    tell(seconds, done.frames, (lambda: done.columns) if done.columns is not None else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
