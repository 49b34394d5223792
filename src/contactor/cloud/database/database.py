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

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from contactor.cloud.database.areas import WORDS, Area, migrate
from contactor.cloud.database.failures import our_errors
from contactor.cloud.database.sqlite import MEMORY, WRITES, check_file, sqlite_engine
from contactor.errors import FolderError, MissingPart, UsageError


class Database:
    """An open database whose areas are up to date; `open` makes one."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name

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
        database = cls(engine, name)
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
        with our_errors(self._name), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: committed and on disk when the block ends, undone when it raises.

        Raises:
            FolderFull: no space left; what was kept before is intact.
            FolderError: it cannot be written.
        """
        writer = self._engine.execution_options(**{WRITES: True})
        with our_errors(self._name), writer.begin() as connection:
            yield connection

    def scrub(self) -> None:
        """After an erasure: rewrite the file, so that no byte of it holds what is gone.

        PostgreSQL does so by its own vacuum.
        """
        if self._engine.dialect.name != "sqlite":
            return
        with our_errors(self._name), closing(self._engine.raw_connection()) as connection:
            for statement in ("vacuum", "pragma wal_checkpoint(truncate)"):
                connection.cursor().execute(statement)

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()


def _engine_at(text: str) -> tuple[Engine, str]:
    """An engine by URL, and the URL without its password."""
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise UsageError(
            "the database URL cannot be read; as postgresql://user@host/name"
        ) from error
    kind = url.get_backend_name()
    if kind not in WORDS or kind == "sqlite":
        raise UsageError(
            f"unknown kind of database {kind!r}; a file, or postgresql://user@host/name"
        )
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    try:
        return create_engine(url, pool_pre_ping=True), url.render_as_string(hide_password=True)
    except ModuleNotFoundError as error:
        raise MissingPart(
            f"PostgreSQL needs {error.name}: pip install 'psycopg[binary]'"
        ) from error
