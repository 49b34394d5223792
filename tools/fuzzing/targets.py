"""What an input goes through, and what must be true of what comes out.

    read_case(case, path)       # "read" or "refused"; raises Fault, or whatever went wrong

An input is read as its kind, then taken further as a user would: decoded, summed up. What is
refused must be refused in one line. Compiled code and NumPy must agree.
"""

import io
import os
import random
from pathlib import Path

import numpy as np

from contactor.can.database import Database, load_database
from contactor.can.decode import decode_columns
from contactor.can.diagnostics import ANSWER, DiagnosticDecoder
from contactor.can.frames import FrameTable
from contactor.can.isotp import Addressing, reassemble
from contactor.can.kernels import SWITCH
from contactor.can.log import open_logs
from contactor.can.plan import compile_plan
from contactor.can.recording import decode
from contactor.can.signal_set import load_obd2, load_signal_set
from contactor.can.writers.table import FORMATS, write_log
from contactor.errors import ContactorError
from tools.fuzzing.cases import Case
from tools.fuzzing.samples import FOLDER, Kind

MAX_MESSAGE = 4_000
MAX_SHOWN = 400
# Databases: frames for so many messages are decoded, so many of each.
MESSAGES_TRIED, FRAMES_TRIED = 40, 3
# Every so many inputs are read by compiled code and by NumPy, and compared.
COMPARED = 4


class Fault(Exception):
    """What came out is wrong."""


def read_case(case: Case, path: Path) -> str:
    """Read an input that lies at a path; "read" or "refused"."""
    try:
        READERS[case.sample.kind](case, path)
    except ContactorError as error:
        _check_message(str(error))
        return "refused"
    return "read"


def _check_message(text: str) -> None:
    if not text or len(text) > MAX_MESSAGE or any(end in text for end in "\r\n"):
        raise Fault(f"no message of one line: {text[:MAX_SHOWN]!r}")


def _with_kernels(has_kernels: bool) -> None:
    os.environ[SWITCH] = "1" if has_kernels else "0"


# ── logs ─────────────────────────────────────────────────────────────────────────────────────────


def read_log(case: Case, path: Path) -> None:
    _with_kernels(case.has_kernels)
    tables, refused = _frames(path)
    if case.has_kernels and case.number % COMPARED == 0:
        _with_kernels(False)
        other, other_refused = _frames(path)
        _compare(FrameTable.concat(tables), FrameTable.concat(other))
        if refused != other_refused:
            raise Fault(f"compiled code refuses {refused}, NumPy {other_refused}")
        _with_kernels(True)
    if tables:
        FURTHER[case.number % len(FURTHER)](path, tables)


def _frames(path: Path) -> tuple[list[FrameTable], list[object]]:
    tables: list[FrameTable] = []
    refused: list[object] = []
    for log in open_logs([path]):
        for table in log.chunks():
            _check_frames(table)
            tables.append(table)
        for refusal in log.refused:
            if refusal.count < 1 or refusal.first_line < 1 or len(refusal.first_text) > MAX_SHOWN:
                raise Fault(f"an odd refusal: {refusal}")
        refused += log.refused
    return tables, refused


def _check_frames(table: FrameTable) -> None:
    """The promises of `FrameTable`."""
    rows = len(table)
    types = {"ts": "int64", "bus": "uint8", "can_id": "uint32", "length": "uint8", "data": "uint8"}
    for name, dtype in types.items():
        if getattr(table, name).dtype != dtype:
            raise Fault(f"column {name} is {getattr(table, name).dtype}")
    if table.data.shape not in ((rows, 8), (rows, 64)):
        raise Fault(f"payloads of shape {table.data.shape}")
    if (table.length > table.data.shape[1]).any():
        raise Fault("a length beyond the payload")
    is_past = np.arange(table.data.shape[1]) >= table.length[:, None]
    if table.data[is_past].any():
        raise Fault("bytes past the length")
    if (table.can_id > np.where(table.is_extended | table.is_error, 2**29 - 1, 0x7FF)).any():
        raise Fault("an id out of range")


def _compare(one: FrameTable, other: FrameTable) -> None:
    if len(one) != len(other):
        raise Fault(f"compiled code reads {len(one)} frames, NumPy {len(other)}")
    for name in FrameTable.__slots__:
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine.shape != theirs.shape or (mine != theirs).any():
            raise Fault(f"compiled code and NumPy differ in column {name}")


def sum_up(path: Path, _: list[FrameTable]) -> None:
    decode(path).summary()


def decode_all(path: Path, _: list[FrameTable]) -> None:
    decode(path, dbc=FOLDER / "small.dbc").summary()


def write_again(_: Path, tables: list[FrameTable]) -> None:
    for form in FORMATS:
        write_log(tables, io.BytesIO(), form)


def decode_answers(_: Path, tables: list[FrameTable]) -> None:
    decoder = DiagnosticDecoder(load_obd2())
    for table in tables:
        decoder.feed(table)
    decoder.finish()
    for addressing in Addressing:
        reassemble(FrameTable.concat(tables), addressing=addressing)


def no_further(_: Path, __: list[FrameTable]) -> None:
    pass


# What is done with the frames of a log, in turn.
FURTHER = (no_further, sum_up, decode_all, write_again, decode_answers, no_further, no_further)


# ── databases ────────────────────────────────────────────────────────────────────────────────────


def read_database(case: Case, path: Path) -> None:
    database = load_database([path])
    plan = compile_plan(database)
    frames = _frames_for(database)
    _with_kernels(case.has_kernels)
    columns = decode_columns(frames, plan)
    if not case.has_kernels:
        return
    _with_kernels(False)
    others = decode_columns(frames, plan)
    if [one.name for one in columns] != [other.name for other in others]:
        raise Fault("compiled code and NumPy decode other signals")
    for one, other in zip(columns, others, strict=True):
        if not (
            np.array_equal(one.rows, other.rows)
            and np.array_equal(one.values, other.values, equal_nan=True)
            and np.array_equal(one.is_unavailable, other.is_unavailable)
        ):
            raise Fault(f"compiled code and NumPy differ in signal {one.name}")


def _frames_for(database: Database) -> FrameTable:
    """Frames of the database's messages, their payloads at random, now and then too short."""
    rng = random.Random(len(database.messages))
    messages = [one for one in database.messages[:MESSAGES_TRIED] for _ in range(FRAMES_TRIED)]
    ids = [message.can_id for message in messages]
    if any(can_id >= 2**29 for can_id in ids):
        raise Fault("a message has an id out of range")
    sizes = [max(0, min(64, one.length) - (rng.random() < 0.2)) for one in messages]
    return FrameTable.of(
        ts=list(range(len(messages))), can_id=ids, data=[rng.randbytes(size) for size in sizes]
    )


# ── signal sets ──────────────────────────────────────────────────────────────────────────────────


def read_signal_set(case: Case, path: Path) -> None:
    signal_set = load_signal_set(path)
    rng = random.Random(case.number)
    commands = [one for one in signal_set.commands[:MESSAGES_TRIED] if one.answer_ids]
    heads = [bytes([one.service + ANSWER & 0xFF]) + one.identifier for one in commands]
    frames = FrameTable.of(
        ts=list(range(len(commands))),
        can_id=[one.answer_ids[0] for one in commands],
        data=[bytes([rng.randrange(8)]) + (head + rng.randbytes(7))[:7] for head in heads],
    )
    DiagnosticDecoder(signal_set).feed(frames, is_last=True)


READERS = {
    Kind.LOG: read_log,
    Kind.PACKED: read_log,
    Kind.DATABASE: read_database,
    Kind.SIGNAL_SET: read_signal_set,
}


def warm() -> None:
    """Everything loaded and compiled, so that no input pays for it."""
    for has_kernels in (False, True):
        _with_kernels(has_kernels)
        for database in (None, FOLDER / "small.dbc"):
            decode(FOLDER / "candump.log", dbc=database).summary()
