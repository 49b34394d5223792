"""The codebooks of the outbox's streams: written with the first message that uses them.

A stream's codebook only grows; each time it does, the longer one is a row of its own, kept until
every message that was written with the shorter one is acknowledged.

    codebooks = OutboxCodebooks(database)
    payload = codebooks.encode(record)          # in the transaction that adds the message
    codebooks.forget()                          # after one that was rolled back
"""

import sqlite3
from collections.abc import Iterable

from contactor.errors import OutboxError
from contactor.signals.record import Record, Rows
from contactor.signals.wire.codebook import Codebook
from contactor.signals.wire.encode import encode_record


class OutboxCodebooks:
    """Owns the table `codebook`; runs in the transactions of the outbox."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._codebooks: dict[str, Codebook] = {}
        self._stored: dict[str, int] = {}

    def encode(self, record: Record) -> bytes:
        """The bytes of a record; what they need of the codebook is stored."""
        key = stream_key(record.stream)
        codebook = self._current(key)
        payload = encode_record(record, codebook)
        if len(codebook) > self._stored[key]:
            self._database.execute(
                "insert into codebook (stream, id, first, body) values (?, ?, ?, ?)",
                (key, codebook.id, record.sequence, codebook.body),
            )
            self._stored[key] = len(codebook)
        return payload

    def learn(self, stream: int, groups: Iterable[Rows]) -> None:
        """Allot the codes that `encode` would, for a record that is not kept."""
        codebook = self._current(stream_key(stream))
        for rows in groups:
            for column in rows.columns:
                codebook.code(column.path, column.datatype)

    def held(self, stream: int) -> list[Codebook]:
        """The codebooks that messages of a stream may need, the shortest first."""
        rows = self._database.execute(
            "select body from codebook where stream = ? order by rowid", (stream_key(stream),)
        ).fetchall()
        return [Codebook.read(body) for (body,) in rows]

    def find(self, stream: int, codebook_id: int) -> Codebook:
        """The codebook that a message was written with.

        Raises:
            OutboxError: it is not there, so the file is damaged.
        """
        row = self._database.execute(
            "select body from codebook where stream = ? and id = ?",
            (stream_key(stream), codebook_id),
        ).fetchone()
        if row is None:
            key = stream_key(stream)
            raise OutboxError(f"outbox: stream {key} lacks its codebook {codebook_id:08x}")
        return Codebook.read(row[0])

    def prune(self, stream: int, acknowledged: int) -> None:
        """Drop the codebooks that only acknowledged messages were written with."""
        self._database.execute(
            "delete from codebook where stream = ?1 and rowid < ("
            " select max(rowid) from codebook where stream = ?1 and first <= ?2 + 1)",
            (stream_key(stream), acknowledged),
        )

    def drop(self, stream: int) -> None:
        """Drop all codebooks of a stream that holds no messages any more."""
        key = stream_key(stream)
        self._database.execute("delete from codebook where stream = ?", (key,))
        self._codebooks.pop(key, None)

    def forget(self) -> None:
        """What was allotted since the last transaction is void."""
        self._codebooks.clear()
        self._stored.clear()

    def _current(self, key: str) -> Codebook:
        if key not in self._codebooks:
            row = self._database.execute(
                "select body from codebook where stream = ? order by rowid desc limit 1", (key,)
            ).fetchone()
            self._codebooks[key] = codebook = Codebook.read(row[0]) if row else Codebook()
            self._stored[key] = len(codebook)
        return self._codebooks[key]


def stream_key(stream: int) -> str:
    """SQLite's integers are signed: a stream is kept as sixteen hexadecimal digits."""
    return f"{stream:016x}"
