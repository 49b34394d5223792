"""The commands of an instance in one SQLite file, so that they outlive the process.

    store = CommandStore(folder.root / "commands.db")
    store.put(command)                      # new, or where it stands now
    store.unfinished()                      # what a new start goes on with
    store.page("leaf", limit=50)            # newest first

Each write is on disk when it returns. A damaged file is set aside and a new one begun: what was
asked of a car is then forgotten, which is safe, as a car does nothing after a command's end.
"""

from functools import partial
from pathlib import Path

import msgspec

from contactor.errors import FolderError, UnknownCommand
from contactor.signals.command import Command, CommandState
from contactor.sqlite_file import FileFormat, OtherFormatError, folder_errors, open_sqlite

VERSION = 2
SCHEMA = f"""
create table command (
    number     integer primary key autoincrement,  -- in the order in which they were given
    id         text not null unique,
    vehicle_id text not null,
    state      text not null,
    issued_at  integer not null,
    body       blob not null,                      -- the Command as JSON
    signed     blob                                -- what its car gets, if a key's holder signed it
);
create index command_vehicle on command (vehicle_id, number);
create index command_state on command (state, issued_at);
pragma user_version = {VERSION}
"""
MIGRATIONS = {1: "alter table command add column signed blob; pragma user_version = 2"}
SOMEBODY = "somebody"
_ISSUER = "json_extract(cast(body as text), '$.issued_by')"
_FINAL = tuple(state.value for state in CommandState if state.is_final)
_FINAL_SQL = ", ".join(f"'{state}'" for state in _FINAL)

_decoder = msgspec.json.Decoder(Command)
_errors = partial(folder_errors, "commands.db")


class CommandStore:
    """Owns the file; used from one thread at a time.

    Args:
        path: the file, or ":memory:".

    Raises:
        FolderError: it cannot be opened, or a newer Contactor wrote it.
    """

    def __init__(self, path: Path | str) -> None:
        with _errors():
            try:
                self._database = open_sqlite(
                    path, FileFormat("commands", SCHEMA, VERSION, MIGRATIONS)
                )
            except OtherFormatError as error:
                raise FolderError(f"{path}: {error}") from error

    def put(self, command: Command, *, signed: bytes | None = None) -> None:
        """Keep a command, or where it stands now.

        Args:
            signed: what its car gets; kept with a new command, and not changed after.

        Raises:
            FolderFull: no space left; what was kept before is intact.
            FolderError: it cannot be written.
        """
        body = msgspec.json.encode(command)
        with _errors():
            self._database.execute(
                "insert into command (id, vehicle_id, state, issued_at, body, signed)"
                " values (?, ?, ?, ?, ?, ?)"
                " on conflict (id) do update set state = excluded.state, body = excluded.body",
                (
                    *(command.id, command.vehicle_id, command.state.value),
                    *(command.issued_at, body, signed),
                ),
            )

    def signed(self, command_id: str) -> bytes | None:
        """What a command's car gets; None where nobody signed it."""
        with _errors():
            row = self._database.execute(
                "select signed from command where id = ?", (command_id,)
            ).fetchone()
        return None if row is None else row[0]

    def has(self, command_id: str) -> bool:
        """Whether a command of that id is kept, whichever vehicle's."""
        with _errors():
            found = self._database.execute("select 1 from command where id = ?", (command_id,))
            return found.fetchone() is not None

    def unfinished(self) -> list[Command]:
        """Every command that is not final, oldest first."""
        return self._read(
            f"select body from command where state not in ({_FINAL_SQL}) order by number"
        )

    def find(self, vehicle_id: str, command_id: str) -> Command:
        """One command.

        Raises:
            UnknownCommand: there is none of that id for that vehicle.
        """
        found = self._read(
            "select body from command where id = ? and vehicle_id = ?", command_id, vehicle_id
        )
        if not found:
            raise UnknownCommand(f"no command {command_id[:80]!r} of vehicle {vehicle_id!r}")
        return found[0]

    def page(self, vehicle_id: str, *, limit: int, before: str | None = None) -> list[Command]:
        """Commands of a vehicle, newest first, those given before the one of id `before`."""
        earlier = "" if before is None else "number < (select number from command where id = ?) and"
        return self._read(
            f"select body from command where {earlier} vehicle_id = ? order by number desc limit ?",
            *([] if before is None else [before]),
            vehicle_id,
            limit,
        )

    def of_issuer(self, name: str) -> list[Command]:
        """What somebody asked for, of whichever vehicle, newest first."""
        return self._read(
            f"select body from command where {_ISSUER} = ? order by number desc", name
        )

    def forget_issuer(self, name: str) -> int:
        """Let somebody else have asked for what a person did, so that no byte names them; how many.

        What was signed names them, too, and goes: a command that is open is not sent again after
        another start.
        """
        asked = self.of_issuer(name)
        with _errors():
            self._database.execute("pragma secure_delete = on")
            for one in asked:
                body = msgspec.json.encode(msgspec.structs.replace(one, issued_by=SOMEBODY))
                self._database.execute(
                    "update command set body = ?, signed = null where id = ?", (body, one.id)
                )
            self._database.execute("vacuum")
            self._database.execute("pragma wal_checkpoint(truncate)")
        return len(asked)

    def counts(self) -> dict[str, int]:
        """How many commands stand where."""
        with _errors():
            rows = self._database.execute("select state, count(*) from command group by state")
            return dict(rows.fetchall())

    def forget(self, *, before: int) -> int:
        """Remove what is final and was given before an instant, ns; how many."""
        with _errors():
            return self._database.execute(
                f"delete from command where state in ({_FINAL_SQL}) and issued_at < ?", (before,)
            ).rowcount

    def erase(self, vehicle_id: str) -> int:
        """Remove every command of a vehicle, so that no byte of the file names it; how many."""
        with _errors():
            self._database.execute("pragma secure_delete = on")
            gone = self._database.execute(
                "delete from command where vehicle_id = ?", (vehicle_id,)
            ).rowcount
            self._database.execute("vacuum")
            self._database.execute("pragma wal_checkpoint(truncate)")
            return gone

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _read(self, query: str, *values: object) -> list[Command]:
        with _errors():
            rows = self._database.execute(query, values).fetchall()
        return [_decoder.decode(body) for (body,) in rows]
