"""The messages of the outbox: added, deleted, and replaced by gaps where there is no room.

A message that may have been sent already is replaced for itself; one that was certainly never sent
is joined to the gap before it.

    messages = OutboxMessages(database, codebooks)
    messages.add(record)                        # in a transaction of the outbox
    messages.drop_oldest(lanes, limit_bytes=limit)
    messages.held_bytes
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from contactor.car.agent.outbox_codebooks import OutboxCodebooks, stream_key
from contactor.signals.record import Gap, Record
from contactor.signals.wire.decode import codebook_id_of
from contactor.signals.wire.encode import encode_gap
from contactor.signals.wire.envelope import MAGIC, MessageKind, read_envelope

OVERHEAD_BYTES = 100
"""What one message costs besides its payload."""
_REPLACED_AT_ONCE = 64
_RECORDS = (
    "select m.stream, sequence, length(payload), rows, first_ts, last_ts, vehicle_id, sent_upto"
    " from message m join stream s using (stream) where not is_gap"
)


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """A message on its way: it accounts for `sequence`..`last`."""

    sequence: int
    last: int
    payload: bytes

    @property
    def codebook_id(self) -> int | None:
        """The codebook without which it cannot be read; None for a gap or one of version 1."""
        if not self.payload.startswith(MAGIC):
            return None
        envelope = read_envelope(self.payload)
        if envelope.kind is not MessageKind.RECORD:
            return None
        return codebook_id_of(envelope, self.payload)


class OutboxMessages:
    """Owns the table `message`; runs in the transactions of the outbox.

    Fields:
        held_bytes: what all messages take; whoever rolls back puts it back.
    """

    def __init__(self, database: sqlite3.Connection, codebooks: OutboxCodebooks) -> None:
        self._database, self._codebooks = database, codebooks
        self.held_bytes = 0

    def count(self) -> None:
        """Find out how much is held: of a file that was just opened."""
        self.held_bytes = self._size("true")

    def add(self, message: Record | Gap) -> None:
        """Add a record or a gap, or put it in the place of the one of its first sequence."""
        if isinstance(message, Gap):
            payload = encode_gap(message)
            first_ts, last_ts = message.first_ts, message.last_ts
        else:
            payload = self._codebooks.encode(message)
            filled = [rows.ts for rows in message.groups if len(rows)]
            first_ts = min((int(ts[0]) for ts in filled), default=0)
            last_ts = max((int(ts[-1]) for ts in filled), default=0)
        self._database.execute(
            "insert or replace into message values (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                stream_key(message.stream),
                message.sequence,
                message.last,
                isinstance(message, Gap),
                payload,
                message.row_count,
                first_ts,
                last_ts,
            ),
        )
        self.held_bytes += len(payload) + OVERHEAD_BYTES

    def first(self, stream: int) -> int | None:
        """The lowest sequence held of a stream."""
        row = self._database.execute(
            "select min(sequence) from message where stream = ?", (stream_key(stream),)
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def held(self, stream: int, *, after: int = 0, limit: int = -1) -> list[HeldMessage]:
        """Up to `limit` messages that account for sequences above `after`, in order; -1 for all."""
        rows = self._database.execute(
            "select sequence, last, payload from message"
            " where stream = ? and last > ? order by sequence limit ?",
            (stream_key(stream), after, limit),
        ).fetchall()
        return [HeldMessage(*row) for row in rows]

    def delete(self, stream: int, upto: int) -> None:
        """Delete the messages of a stream that account for nothing above `upto`."""
        which = ("stream = ? and last <= ?", stream_key(stream), upto)
        self.held_bytes -= self._size(*which)
        self._database.execute(f"delete from message where {which[0]}", which[1:])

    def drop_oldest(self, lanes: Sequence[str], *, limit_bytes: int) -> None:
        """Replace the oldest records by gaps until there is some room below the limit.

        Args:
            lanes: the first one's go first.
        """
        target = limit_bytes * 9 // 10
        for lane in lanes:
            while self.held_bytes > target:
                oldest = self._database.execute(
                    f"{_RECORDS} and lane = ? order by m.rowid limit ?", (lane, _REPLACED_AT_ONCE)
                ).fetchall()
                if not oldest:
                    break
                for row in oldest:
                    self._replace(*row, reason=f"outbox full at {limit_bytes} bytes")
                    if self.held_bytes <= target:
                        break

    def drop_older(self, stream: int, before_ns: int, *, limit: int, reason: str) -> int:
        """Replace up to `limit` records with no row since `before_ns` by gaps; how many."""
        oldest = self._database.execute(
            f"{_RECORDS} and m.stream = ? and (random or renewed is not null)"
            " order by sequence limit ?",
            (stream_key(stream), limit),
        ).fetchall()
        old = list(takewhile(lambda row: row[5] < before_ns, oldest))
        for row in old:
            self._replace(*row, reason=reason)
        return len(old)

    def _replace(
        self,
        key: str,
        sequence: int,
        size: int,
        rows: int,
        first_ts: int,
        last_ts: int,
        vehicle_id: str,
        sent_upto: int,
        *,
        reason: str,
    ) -> None:
        """Put a gap in the place of one record, joined to a gap before it that was never sent."""
        self._database.execute(
            "delete from message where stream = ? and sequence = ?", (key, sequence)
        )
        self.held_bytes -= size + OVERHEAD_BYTES
        before = None
        if sequence > sent_upto:
            before = self._database.execute(
                "select sequence, rows, first_ts, last_ts, length(payload) from message"
                " where stream = ? and last = ? and is_gap and sequence > ?",
                (key, sequence - 1, sent_upto),
            ).fetchone()
        first = sequence
        if before is not None:
            first, rows = before[0], rows + before[1]
            first_ts, last_ts = min(first_ts, before[2]), max(last_ts, before[3])
            self.held_bytes -= before[4] + OVERHEAD_BYTES
        gap = Gap(vehicle_id, int(key, 16), first, sequence, reason, rows, first_ts, last_ts)
        self.add(gap)

    def _size(self, which: str, *values: object) -> int:
        size, count = self._database.execute(
            f"select coalesce(sum(length(payload)), 0), count(*) from message where {which}", values
        ).fetchone()
        return int(size) + int(count) * OVERHEAD_BYTES
