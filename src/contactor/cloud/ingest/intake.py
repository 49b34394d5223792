"""Messages as they come: size, form, right, meaning; then buffer or quarantine. No I/O.

What can be read is either stored or quarantined with its reason, so that one bad message never
holds up a stream: a record with a value that is not allowed as a whole, of a record with signals
that the catalogue lacks those. What cannot even name its record is quarantined without one.

    intake = Intake(store.streams(), number=1)
    intake.take_many([("leaf", payload)], now_ns=clock.now_ns())
    cut = intake.cut()              # what to commit; the next messages go into the next flush
    store.commit(cut.flush())
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from contactor.can import kernels
from contactor.clock import NS_PER_DAY
from contactor.cloud.ingest.buffer import Buffer
from contactor.cloud.ingest.codebooks import Known
from contactor.cloud.ingest.ledger import Ledger, StreamLedger
from contactor.cloud.ingest.reader import Message, Reader, strangeness
from contactor.cloud.ingest.samples import ManySamples, read_samples
from contactor.cloud.ingest.shapes import Shapes
from contactor.cloud.lake.reading import PendingFrame
from contactor.cloud.lake.schema import (
    Flush,
    Quarantined,
    StoredCodebook,
    StoredGap,
    StreamState,
)
from contactor.errors import InvalidValue, MalformedRecord
from contactor.signals.batch import RowsBatch
from contactor.signals.record import Gap, Record
from contactor.signals.validation import check_rows
from contactor.signals.wire.decode import body_of
from contactor.signals.wire.envelope import Envelope
from contactor.signals.wire.json_form import UNNUMBERED_STREAM, JsonMessage, unnumbered
from contactor.signals.wire.limits import MAX_MESSAGE_BYTES

MAX_QUARANTINED_BYTES = 4_096
MAX_NAMELESS = 1_000
"""Of a flush: messages that name no record of ours. Beyond it they are counted and thrown away."""
FUTURE_NS = NS_PER_DAY
KEPT_REASONS = 50
MAX_INTRODUCED = 100_000
MANY_BYTES = 32 * 2**10
"""From so many on samples in JSON are read together."""
FRAMES_A_RECORD = 2_000
"""What a record is worth where the kernels are asked whether they are wanted."""
LEARNT_AT_ONCE = 8
"""Of messages taken together: those whose shape is looked at, where it is not known."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What one flush will commit; its frames are made when `flush` is called, in any thread."""

    buffer: Buffer
    streams: tuple[StreamState, ...]
    gaps: tuple[StoredGap, ...]
    quarantined: tuple[Quarantined, ...]
    codebooks: tuple[StoredCodebook, ...]

    def flush(self) -> Flush:
        """The flush in lake schema."""
        return Flush(
            number=self.buffer.number,
            tables=self.buffer.tables(),
            streams=self.streams,
            gaps=self.gaps,
            quarantined=self.quarantined,
            codebooks=self.codebooks,
        )


class _Arrived(NamedTuple):
    """A record that is new, to be read with others of its codebook."""

    account: StreamLedger
    envelope: Envelope
    payload: bytes


class _Sampled(NamedTuple):
    """A message of samples in JSON, to be read with others."""

    vehicle_id: str
    message: JsonMessage
    payload: bytes


class Intake:
    """Owns the accounts of all streams and what is not yet committed.

    Args:
        states: the streams as last committed.
        number: the number of the first flush.
        on_batch: told the rows that will be stored, once.
        codebooks: the codebooks as last committed.
    """

    def __init__(
        self,
        states: Iterable[StreamState],
        *,
        number: int,
        on_batch: Callable[[RowsBatch], None] | None = None,
        codebooks: Iterable[StoredCodebook] = (),
    ) -> None:
        self.ledger = Ledger(states)
        self._reader = Reader(codebooks)
        self._shapes = Shapes()
        self.buffered_bytes = 0
        self.records = 0
        self.rows = 0
        self.repeats = 0
        self.out_of_order = 0
        self.thrown_away = 0
        self._nameless = 0
        self._on_batch = on_batch
        self._buffer = Buffer(number=number)
        self._gaps: list[StoredGap] = []
        self._quarantined: list[Quarantined] = []
        self._touched: dict[tuple[str, int], StreamLedger] = {}
        self._introduced: dict[tuple[str, int], tuple[str, str]] = {}

    @property
    def is_empty(self) -> bool:
        return not (self._touched or self._quarantined)

    def introduce(self, vehicle_id: str, stream: int, profile: str, lane: str) -> None:
        """Note what a car says of a stream; an account begins with its first message only."""
        while len(self._introduced) >= MAX_INTRODUCED:
            del self._introduced[next(iter(self._introduced))]
        self._introduced[vehicle_id, stream] = (profile, lane)

    def pending(self) -> Sequence[PendingFrame]:
        """The rows that the next flush will commit."""
        return self._buffer.pending()

    def take_many(self, messages: Sequence[tuple[str, bytes]], *, now_ns: int) -> None:
        """Take in messages, each with the vehicle of its subject, in the order in which they came.

        Many records of one codebook are read at once, in machine code, and so are many samples in
        JSON; few, and what is out of the ordinary, one by one. All give the same.
        """
        are_many = sum(len(payload) for _, payload in messages) >= MANY_BYTES
        is_compiled = kernels.are_wanted(FRAMES_A_RECORD * len(messages))
        if are_many and is_compiled and self._shapes:
            messages = self._take_known(messages, now_ns)
        arrived: dict[Known, list[_Arrived]] = defaultdict(list)
        sampled: list[_Sampled] = []
        for vehicle_id, payload in messages:
            if (reason := strangeness(payload)) is not None:
                self.buffered_bytes += len(payload)
                self._quarantine((vehicle_id, None, None), reason, payload, now_ns)
                continue
            if are_many and (message := unnumbered(payload)) is not None:
                sampled.append(_Sampled(vehicle_id, message, payload))
                continue
            told = self._reader.peek(vehicle_id, payload, now_ns) if is_compiled else None
            if told is None:
                self.take(vehicle_id, payload, now_ns=now_ns)
                continue
            envelope, known = told
            account = self._account(envelope.identity, now_ns)
            if self._settle(account, envelope.sequence, envelope.sequence):
                self.buffered_bytes += len(payload)
                arrived[known].append(_Arrived(account, envelope, payload))
        for known, records in arrived.items():
            self._read_at_once(known, records, now_ns)
        if sampled:
            self._read_samples(sampled, now_ns)
        if is_compiled:
            for one in sampled[:LEARNT_AT_ONCE]:
                self._shapes.learn(one.payload)

    def take(self, vehicle_id: str, payload: bytes, *, now_ns: int) -> None:
        """Take in one message that came on the subject of `vehicle_id`."""
        self.buffered_bytes += len(payload)
        try:
            for message in self._reader.read(vehicle_id, payload, self.ledger, now_ns=now_ns):
                self._keep(message, now_ns)
        except MalformedRecord as error:
            self._refuse(error, vehicle_id, payload, now_ns)
            return
        for waited in self._reader.released(payload):
            self.take(vehicle_id, waited, now_ns=now_ns)

    def asks(self, now_ns: int) -> Sequence[tuple[str, int]]:
        """The vehicles and streams whose codebook is to be asked for now."""
        return self._reader.parked.asks(now_ns)

    def take_stranger(self, subject: str, payload: bytes, *, now_ns: int) -> None:
        """Take in a message on a subject that names no vehicle: it can only be quarantined."""
        self._quarantine((None, None, None), f"subject {subject[:120]!r}", payload, now_ns)

    def cut(self) -> "Cut":
        """Everything taken in since the last cut; a new flush begins."""
        cut = Cut(
            buffer=self._buffer,
            streams=tuple(account.state() for account in self._touched.values()),
            gaps=tuple(self._gaps),
            quarantined=tuple(self._quarantined),
            codebooks=self._reader.codebooks.cut(),
        )
        self._buffer = Buffer(number=self._buffer.number + 1)
        self.buffered_bytes = 0
        self._touched = {}
        self._gaps, self._quarantined = [], []
        self._nameless = 0
        return cut

    def _read_at_once(self, known: Known, records: Sequence[_Arrived], now_ns: int) -> None:
        """Keep records of one codebook, whose sequences are settled."""
        from contactor.cloud.ingest.arrays.decode import Raw, decode  # Numba

        raw = [Raw(one.envelope.vehicle_id, one.payload, body_of(one.envelope)) for one in records]
        found = decode(raw, known.table, latest_ns=now_ns + FUTURE_NS)
        counts = found.rows.tolist()
        spans = zip(found.first_ts.tolist(), found.last_ts.tolist(), strict=True)
        for (account, *_), count, span, paths in zip(
            records, counts, spans, found.paths, strict=True
        ):
            if count:
                account.rows_stored += count
                account.span(*span)
                account.name(paths)
        for batch in found.batches:
            self._keep_rows(batch)
        self.records += len(records) - len(found.odd)
        for number in found.odd:
            account, envelope, payload = records[number]
            try:
                message = self._reader.read_record(envelope, payload, known.codebook)
            except MalformedRecord as error:
                account.refuse(_short(account, str(error)))
                self._quarantine(envelope.identity, str(error), payload, now_ns)
            else:
                self._keep_record(account, message, now_ns)

    def _take_known(
        self, messages: Sequence[tuple[str, bytes]], now_ns: int
    ) -> Sequence[tuple[str, bytes]]:
        """Take in the samples in JSON whose shape is known; the messages that are left."""
        from contactor.cloud.ingest.arrays.samples import read_known  # Numba

        some, left = list[tuple[str, bytes]](), list[tuple[str, bytes]]()
        for one in messages:
            is_text = one[1][:1] in (b"{", b"[") and len(one[1]) <= MAX_MESSAGE_BYTES
            (some if is_text else left).append(one)
        if not some:
            return messages
        found = read_known(some, self._shapes, now_ns=now_ns, latest_ns=now_ns + FUTURE_NS)
        self._keep_samples(found, now_ns)
        return [*left, *(some[number] for number in found.odd)] if found.odd else left

    def _read_samples(self, sampled: Sequence[_Sampled], now_ns: int) -> None:
        """Keep samples in JSON without numbers."""
        found = read_samples(
            [(one.vehicle_id, one.message) for one in sampled],
            now_ns=now_ns,
            latest_ns=now_ns + FUTURE_NS,
        )
        self._keep_samples(found, now_ns)
        for number in found.odd:
            self.take(sampled[number].vehicle_id, sampled[number].payload, now_ns=now_ns)

    def _keep_samples(self, found: ManySamples, now_ns: int) -> None:
        """Keep what was read of messages: each counts in its car's own stream."""
        cars = len(found.vehicles)
        rows, first = np.zeros(cars, np.int64), np.full(cars, np.iinfo(np.int64).max)
        last = np.full(cars, -1)
        named = list[tuple[tuple[str, ...], set[int]]]()
        for batch in found.batches:
            starts = np.flatnonzero(np.diff(batch.vehicle, prepend=-1))
            ends = np.append(starts[1:], len(batch))
            cars_here = batch.vehicle[starts]
            rows[cars_here] += ends - starts
            first[cars_here] = np.minimum(first[cars_here], batch.ts[starts])
            last[cars_here] = np.maximum(last[cars_here], batch.ts[ends - 1])
            paths = _once(tuple(column.path for column in batch.columns))
            named.append((paths, set(cars_here.tolist())))
            self._keep_rows(batch)
        facts = zip(rows.tolist(), first.tolist(), last.tolist(), strict=True)
        messages = zip(found.vehicles, found.read.tolist(), facts, strict=True)
        for place, (vehicle_id, count, (row_count, *span)) in enumerate(messages):
            if not count:
                continue
            account = self._account((vehicle_id, UNNUMBERED_STREAM, 0), now_ns)
            account.take_next(count)
            if row_count:
                account.rows_stored += row_count
                account.span(*span)
                account.name(paths for paths, vehicles in named if place in vehicles)
        self.records += int(found.read.sum())

    def _settle(self, account: StreamLedger, first: int, last: int) -> Sequence[tuple[int, int]]:
        """What of first..last is new, and taken in with this."""
        parts = account.news(first, last)
        if parts is None:
            self.out_of_order += 1
            return ()
        if not parts:
            self.repeats += 1
        account.take(parts)
        return parts

    def _keep(self, message: Message, now_ns: int) -> None:
        content = message.content
        account = self._account(content.identity, now_ns)
        parts = self._settle(account, content.sequence, content.last)
        if parts and isinstance(content, Gap):
            self._keep_gap(content, parts)
        elif parts:
            self._keep_record(account, message, now_ns)

    def _account(self, identity: tuple[str, int, int], now_ns: int) -> StreamLedger:
        key = identity[0], identity[1]
        account = self.ledger.of(*key)
        introduced = self._introduced.get(key)
        if introduced is not None:
            account.profile, account.lane = introduced
        account.received_at = now_ns
        self._touched[key] = account
        return account

    def _keep_gap(self, gap: Gap, parts: Sequence[tuple[int, int]]) -> None:
        is_whole = parts == [(gap.sequence, gap.last)]
        for first, last in parts:
            self._gaps.append(
                StoredGap(
                    vehicle_id=gap.vehicle_id,
                    stream=gap.stream,
                    first=first,
                    last=last,
                    reason=gap.reason,
                    row_count=gap.row_count if is_whole else 0,
                    first_ts=gap.first_ts,
                    last_ts=gap.last_ts,
                )
            )

    def _keep_record(self, account: StreamLedger, message: Message, now_ns: int) -> None:
        """Store or quarantine a record whose sequence is settled."""
        record = message.content
        assert isinstance(record, Record)
        problem = message.problem or _problem(record, now_ns)
        if problem:
            account.refuse(_short(account, problem), max(record.row_count, 1))
            self._quarantine(record.identity, problem, message.evidence, now_ns)
            return
        for reason, count in message.unknown.items():
            account.refuse(_short(account, reason), count)
        if message.unknown:
            reason = next(iter(message.unknown))
            self._quarantine(record.identity, reason, message.unknown_payload, now_ns)
        account.name(tuple(column.path for column in rows.columns) for rows in record.groups)
        account.rows_stored += record.row_count
        for rows in record.groups:
            if len(rows):
                account.span(int(rows.ts[0]), int(rows.ts[-1]))
                self._keep_rows(RowsBatch.of(record.vehicle_id, rows))
        self.records += 1

    def _keep_rows(self, batch: RowsBatch) -> None:
        """Let checked rows wait for the next commit."""
        self._buffer.add(batch)
        self.buffered_bytes += batch.nbytes
        self.rows += len(batch)
        if self._on_batch:
            self._on_batch(batch)

    def _refuse(self, error: MalformedRecord, vehicle_id: str, payload: bytes, now_ns: int) -> None:
        """Quarantine what could not be read; if it named its own record, that one is settled."""
        identity = error.identity
        if identity is None or identity[0] != vehicle_id:
            self._quarantine((vehicle_id, None, None), str(error), payload, now_ns)
            return
        account = self._account(identity, now_ns)
        if self._settle(account, identity[2], identity[2]):
            account.refuse(_short(account, str(error)))
            self._quarantine(identity, str(error), payload, now_ns)

    def _quarantine(
        self,
        identity: tuple[str | None, int | None, int | None],
        reason: str,
        payload: bytes,
        now_ns: int,
    ) -> None:
        vehicle_id, stream, sequence = identity
        if stream is None:
            self._nameless += 1
            if self._nameless > MAX_NAMELESS:
                self.thrown_away += 1
                return
        kept = payload[:MAX_QUARANTINED_BYTES] if stream is None else payload
        self._quarantined.append(
            Quarantined(
                vehicle_id=vehicle_id,
                stream=stream,
                sequence=sequence,
                reason=reason,
                payload=kept,
                received_at=now_ns,
            )
        )


def _problem(record: Record, now_ns: int) -> str:
    """The first value or instant of a record that is not allowed; "" if all are."""
    for rows in record.groups:
        try:
            check_rows(rows)
        except InvalidValue as error:
            return str(error)
        if len(rows) and (int(rows.ts[0]) < 0 or int(rows.ts[-1]) > now_ns + FUTURE_NS):
            # Without the instant, so that many such records are counted under one reason.
            return f"{rows.group}: ts is not between 1970 and tomorrow"
    return ""


@lru_cache(maxsize=1_000)
def _once(paths: tuple[str, ...]) -> tuple[str, ...]:
    """The same object for the same signals: it is found by identity, not word by word."""
    return paths


def _short(account: StreamLedger, reason: str) -> str:
    """The reason under which to count, of which a stream has only so many."""
    known = len(account.refused) < KEPT_REASONS or reason in account.refused
    return reason if known else "other reasons"
