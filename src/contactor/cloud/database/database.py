"""A database of an instance: SQLite in a file by default, PostgreSQL by URL.

    database = Database.open(folder / "contactor.sqlite3", [JOURNAL, ALERTS])
    with database.writing() as connection:           # one transaction, on disk when the block ends
        connection.execute(insert(tags).values(...))
    with database.reading() as connection:           # one consistent view
        rows = connection.execute(select(tags)).all()

Calls block: code on an event loop calls from a thread (`asyncio.to_thread`). Any thread may use it,
several at once; each `with` has a connection of its own.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, inspect

from contactor.cloud.database.areas import Area, migrate, take_turn
from contactor.cloud.database.failures import our_errors
from contactor.cloud.database.sqlite import MEMORY, WRITES, check_file, sqlite_engine
from contactor.cloud.database.url import read_url, shown
from contactor.errors import FolderError, MissingPart

WAITS: Final = {"connect_timeout": 10, "tcp_user_timeout": 10_000}
"""What a silent server may take (s, ms), by the names of libpq; a URL may say otherwise."""


class Database:
    """An open database whose areas are up to date; `open` makes one."""

    def __init__(self, engine: Engine, name: str, areas: Sequence[Area]) -> None:
        self._engine = engine
        self._name = name
        self._areas = areas

    @classmethod
    def open(
        cls, place: Path | str, areas: Sequence[Area], *, is_derivable: bool = False
    ) -> "Database":
        """Open or make it, and bring the areas up to date in one transaction.

        Args:
            place: a file, ":memory:" (for one thread at a time), or a URL `postgresql://...`.
            is_derivable: whether its content can be found again: a damaged file is then set aside
                and a new one begun.

        Raises:
            UsageError: a URL that cannot be read, or of another kind of database.
            MissingPart: the driver of that kind is not installed.
            FolderError: it cannot be opened, is damaged, or a newer Contactor wrote it.
        """
        if isinstance(place, str) and place != MEMORY:
            engine, name = _engine_at(place)
        else:
            name = place if isinstance(place, str) else place.name
            with our_errors(name):
                if isinstance(place, Path):
                    check_file(place, is_derivable=is_derivable)
                engine = sqlite_engine(place)
        database = cls(engine, name, areas)
        try:
            with database.writing() as connection:
                migrate(connection, areas)
        except FolderError as error:
            database.close()
            raise FolderError(f"{name}: {str(error).removeprefix(f'{name}: ')}") from error
        return database

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A view of one moment, whoever writes meanwhile.

        Raises:
            FolderError: it cannot be read.
        """
        reader = self._engine
        if reader.dialect.name == "postgresql":
            reader = reader.execution_options(isolation_level="REPEATABLE READ")
        with our_errors(self._name), reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: committed and on disk when the block ends, undone when it raises.

        One at a time: who begins waits for the others, so that what it reads stays true.

        Raises:
            FolderFull: no space left; what was kept before is intact.
            FolderError: it cannot be written.
        """
        writer = self._engine.execution_options(**{WRITES: True})
        with our_errors(self._name), writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                take_turn(connection)
            yield connection

    def scrub(self) -> None:
        """After an erasure: rewrite the file, so that no byte of it holds what is gone.

        Of PostgreSQL our tables are rewritten; its log and its backups are its keeper's.
        """
        if self._engine.dialect.name == "postgresql":
            self._rewrite_tables()
            return
        with our_errors(self._name), closing(self._engine.raw_connection()) as connection:
            for statement in ("vacuum", "pragma wal_checkpoint(truncate)"):
                connection.cursor().execute(statement)

    def _rewrite_tables(self) -> None:
        alone = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with our_errors(self._name), alone.connect() as connection:
            for table in inspect(connection).get_table_names():
                if table.startswith(tuple(f"{area.name}_" for area in self._areas)):
                    connection.exec_driver_sql(f"vacuum full {table}")

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()


def _engine_at(text: str) -> tuple[Engine, str]:
    """An engine by URL, and the URL without its password."""
    url = read_url(text)
    waits = {name: limit for name, limit in WAITS.items() if name not in url.query}
    driver = url.set(drivername="postgresql+psycopg")
    try:
        return create_engine(driver, pool_pre_ping=True, connect_args=waits), shown(url)
    except ModuleNotFoundError as error:
        raise MissingPart(
            f"PostgreSQL needs {error.name}: pip install 'contactor[postgresql]'"
        ) from error
