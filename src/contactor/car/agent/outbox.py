"""The durable outbox: what was recorded stays here until the cloud has stored it.

One SQLite file (WAL, synchronous=FULL) per agent holds streams and their messages. When `append`
returns, the messages survive a power cut. A stream counts its messages 1, 2, 3 without holes; what
the bound on size forces out is replaced by a gap message over the same sequences.

    sequence   1   2   3   4   5   6   7   8   9
               └ acknowledged ┘ └ gap ┘ └ held ┘
                    deleted      5..6

This file knows streams and where they stand; what is in one, and what of it goes where there is no
room, `outbox_messages` does.

    outbox = Outbox(path)
    stream = outbox.open_stream("leaf", Lane.LIVE, profile="nissan_leaf_ze1")
    outbox.append(stream, [(Rows(...),)])
    outbox.held(stream, after=0, limit=64)
    outbox.acknowledge(stream, watermark=1)
"""

import logging
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from contactor.car.agent.outbox_codebooks import OutboxCodebooks, stream_key
from contactor.car.agent.outbox_file import open_outbox_file
from contactor.car.agent.outbox_messages import HeldMessage, OutboxMessages
from contactor.errors import OutboxError
from contactor.signals.record import Gap, Record, Rows
from contactor.signals.wire.decode import codebook_id_of, decode_gap, decode_record
from contactor.signals.wire.encode import encode_codebook
from contactor.signals.wire.envelope import MAGIC, MessageKind, read_envelope
from contactor.signals.wire.limits import MAX_SEQUENCE
from contactor.signals.wire.version_1 import decode_version_1
from contactor.sqlite_file import transaction

DEFAULT_LIMIT_BYTES = 256 * 2**20
RESERVED_SENDS = 512
MIN_LIMIT_BYTES = 200_000
DROP_AT_ONCE = 256

_log = logging.getLogger(__name__)


class Lane(StrEnum):
    """Priorities, the most urgent first; what must be dropped is dropped from the last one up."""

    URGENT = "urgent"
    LIVE = "live"
    BACKLOG = "backlog"


@dataclass(frozen=True, slots=True)
class Stream:
    """One counted sequence of messages of one vehicle."""

    stream: int
    vehicle_id: str
    lane: Lane
    profile: str


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """Where a stream stands: the cloud's watermark, the lowest message held, the last made."""

    acknowledged: int
    first: int
    last: int


class Outbox:
    """Owns the file; one process at a time.

    Args:
        path: the file, made where it is missing; ":memory:" for a source that can be read again.
        limit_bytes: how much it may hold before it drops the oldest of the least urgent lane.
    """

    def __init__(self, path: Path | str, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        self._database = open_outbox_file(path)
        self._codebooks = OutboxCodebooks(self._database)
        self._messages = OutboxMessages(self._database, self._codebooks)
        with self._transaction():
            self._messages.count()

    def close(self) -> None:
        """Close the file; what it holds stays."""
        self._database.close()

    @property
    def is_half_full(self) -> bool:
        """Whether a source that can wait should."""
        return self.room_bytes <= 0

    @property
    def room_bytes(self) -> int:
        """What a source that can wait may add before it should."""
        return self._limit_bytes // 2 - self._messages.held_bytes

    def open_stream(
        self, vehicle_id: str, lane: Lane, *, profile: str, stream: int | None = None
    ) -> Stream:
        """The stream of a vehicle's lane, made when it is new.

        Args:
            stream: its number, for a source that can be read again and so always makes the same
                messages; by default a random one, kept for the life of this file.
        """
        with self._transaction():
            if stream is None:
                row = self._database.execute(
                    "select stream from stream where vehicle_id = ? and lane = ? and random",
                    (vehicle_id, lane),
                ).fetchone()
                number = int(row[0], 16) if row else secrets.randbits(64)
            else:
                number = stream
            self._database.execute(
                "insert into stream (stream, vehicle_id, lane, profile, random)"
                " values (?, ?, ?, ?, ?) on conflict do update set profile = excluded.profile",
                (stream_key(number), vehicle_id, lane, profile, stream is None),
            )
        return Stream(number, vehicle_id, lane, profile)

    def streams(self) -> list[Stream]:
        """Every stream that holds messages or may get some, the most urgent first."""
        with self._reading():
            rows = self._database.execute(
                "select stream, vehicle_id, lane, profile from stream"
            ).fetchall()
        found = [Stream(int(row[0], 16), row[1], Lane(row[2]), row[3]) for row in rows]
        return sorted(found, key=lambda one: list(Lane).index(one.lane))

    def position(self, stream: Stream) -> StreamPosition:
        """Where the stream stands."""
        with self._reading():
            acknowledged, made = self._counts(stream)
            first = self._messages.first(stream.stream)
        return StreamPosition(acknowledged, made + 1 if first is None else first, made)

    def append(self, stream: Stream, batches: Sequence[tuple[Rows, ...]]) -> StreamPosition:
        """Add one record per batch; all survive a power cut when this returns, or none was added.

        Records that the cloud has already (a source read again) are counted and not kept.

        Raises:
            OutboxError: the file cannot be written; nothing was added.
        """
        stream = self._current(stream)
        with self._transaction():
            acknowledged, made = self._counts(stream)
            for sequence, groups in enumerate(batches, made + 1):
                if sequence > acknowledged:
                    self._messages.add(Record(stream.vehicle_id, stream.stream, sequence, groups))
                else:
                    self._codebooks.learn(stream.stream, groups)
            self._set_made(stream, made + len(batches))
            if self._messages.held_bytes > self._limit_bytes:
                lanes = list(reversed(Lane))
                self._messages.drop_oldest(lanes, limit_bytes=self._limit_bytes)
        return self.position(stream)

    def held(self, stream: Stream, *, after: int, limit: int) -> list[HeldMessage]:
        """Up to `limit` messages that account for sequences above `after`, in order.

        Marks them as possibly sent before it returns them.
        """
        with self._reading():
            messages = self._messages.held(stream.stream, after=after, limit=limit)
        if messages:
            self._reserve(stream, messages[-1].last)
        return messages

    def codebooks(self, stream: Stream) -> dict[int, bytes]:
        """The codebooks that held messages of a stream may need, as messages, by id."""
        with self._reading():
            found = self._codebooks.held(stream.stream)
        return {one.id: encode_codebook(stream.vehicle_id, stream.stream, one) for one in found}

    def read(self, message: HeldMessage) -> Record | Gap:
        """The content of a held message, of whatever version.

        Raises:
            OutboxError: its codebook is not there.
            MalformedRecord: it cannot be read.
        """
        if not message.payload.startswith(MAGIC):
            return decode_version_1(message.payload)
        envelope = read_envelope(message.payload)
        if envelope.kind is MessageKind.GAP:
            return decode_gap(envelope, message.payload)
        with self._reading():
            codebook = self._codebooks.find(
                envelope.stream, codebook_id_of(envelope, message.payload)
            )
        return decode_record(envelope, message.payload, codebook)

    def acknowledge(self, stream: Stream, watermark: int) -> None:
        """Delete what the cloud has stored."""
        with self._transaction():
            acknowledged, _ = self._counts(stream)
            if watermark <= acknowledged:
                return
            self._messages.delete(stream.stream, watermark)
            self._codebooks.prune(stream.stream, watermark)
            self._database.execute(
                "update stream set acknowledged = ? where stream = ?",
                (watermark, stream_key(stream.stream)),
            )

    def renew(self, stream: Stream) -> Stream:
        """Go on under another number: the cloud has more of the stream than this file ever made.

        So the file is an older copy, and the numbers that it would give are taken. What it holds
        is numbered anew. A source that can be read again keeps its number: it repeats itself.
        """
        with self._transaction():
            return self._renew(stream) if self._is_random(stream) else stream

    def drop_older(self, stream: Stream, before_ns: int, reason: str) -> int:
        """Replace up to `DROP_AT_ONCE` records with no row since `before_ns` by gaps; how many.

        A source that can be read again keeps what it has: its rows are as old as it is.
        """
        with self._transaction():
            return self._messages.drop_older(
                stream.stream, before_ns, limit=DROP_AT_ONCE, reason=reason
            )

    def declare_lost(self, stream: Stream, first: int, last: int, reason: str) -> None:
        """Add a gap over `first`..`last`: messages that the cloud lacks and nobody has any more."""
        with self._transaction():
            self._messages.add(Gap(stream.vehicle_id, stream.stream, first, last, reason, 0, 0, 0))

    def note(self, key: str, value: str) -> None:
        """Keep a small fact about a source, such as the instant its replay began."""
        with self._transaction():
            self._database.execute("insert or replace into note values (?, ?)", (key, value))

    def noted(self, key: str) -> str | None:
        """A fact kept by `note`, or None."""
        with self._reading():
            row = self._database.execute("select value from note where key = ?", (key,)).fetchone()
        return row[0] if row else None

    def _is_random(self, stream: Stream) -> bool:
        row = self._database.execute(
            "select random from stream where stream = ?", (stream_key(stream.stream),)
        ).fetchone()
        return bool(row[0])

    def _renew(self, stream: Stream) -> Stream:
        """Go on under another number, with what is held numbered anew."""
        key = stream_key(stream.stream)
        held = [self.read(message) for message in self._messages.held(stream.stream)]
        renewed = replace(stream, stream=secrets.randbits(64))
        self._messages.delete(stream.stream, MAX_SEQUENCE)
        self._codebooks.drop(stream.stream)
        self._database.execute(
            "update stream set random = 0, made = acknowledged, renewed = ? where stream = ?",
            (stream_key(renewed.stream), key),
        )
        self._database.execute(
            "insert into stream (stream, vehicle_id, lane, profile, random) values (?, ?, ?, ?, 1)",
            (stream_key(renewed.stream), stream.vehicle_id, stream.lane, stream.profile),
        )
        made = 0
        for message in held:
            first, made = made + 1, made + 1 + message.last - message.sequence
            if isinstance(message, Gap):
                self._messages.add(
                    replace(message, stream=renewed.stream, sequence=first, last=made)
                )
            else:
                self._messages.add(replace(message, stream=renewed.stream, sequence=first))
        self._set_made(renewed, made)
        _log.warning("outbox is an older copy, its stream begins anew held=%s", made)
        return renewed

    def _current(self, stream: Stream) -> Stream:
        """The stream that a renewed one goes on in."""
        with self._reading():
            row = self._database.execute(
                "select renewed from stream where stream = ?", (stream_key(stream.stream),)
            ).fetchone()
        if row is None or row[0] is None:
            return stream
        return self._current(replace(stream, stream=int(row[0], 16)))

    def _reserve(self, stream: Stream, last: int) -> None:
        """Mark sequences up to `last`, and some beyond, as possibly sent."""
        with self._reading():
            sent_upto = self._database.execute(
                "select sent_upto from stream where stream = ?", (stream_key(stream.stream),)
            ).fetchone()[0]
        if last <= sent_upto:
            return
        with self._transaction():
            self._database.execute(
                "update stream set sent_upto = ? where stream = ?",
                (last + RESERVED_SENDS, stream_key(stream.stream)),
            )

    def _counts(self, stream: Stream) -> tuple[int, int]:
        row = self._database.execute(
            "select acknowledged, made from stream where stream = ?", (stream_key(stream.stream),)
        ).fetchone()
        if row is None:
            raise OutboxError(f"outbox {self._path}: no stream {stream_key(stream.stream)}")
        return row[0], row[1]

    def _set_made(self, stream: Stream, made: int) -> None:
        self._database.execute(
            "update stream set made = ? where stream = ?", (made, stream_key(stream.stream))
        )

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OutboxError(f"outbox {self._path}: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing; the count of bytes follows."""
        held_bytes = self._messages.held_bytes
        try:
            with transaction(self._database):
                yield
        except BaseException as error:
            self._messages.held_bytes = held_bytes
            self._codebooks.forget()
            if isinstance(error, sqlite3.Error):
                if self._database.in_transaction:
                    self._database.execute("rollback")
                raise OutboxError(f"outbox {self._path}: {error}") from error
            raise
