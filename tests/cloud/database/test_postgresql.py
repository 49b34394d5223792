"""The facts that people made in a real PostgreSQL: kept, copied both ways, erased, never told."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from contactor.cloud.alerts.tables import ALERTS, channels, keys
from contactor.cloud.database.areas import Area
from contactor.cloud.database.copying import copy_rows, count_rows, is_same
from contactor.cloud.database.database import Database
from contactor.cloud.database.sqlite import MEMORY
from contactor.cloud.database.url import bare, read_url, shown
from contactor.cloud.journal.area import JOURNAL, places, remarks, stops
from contactor.errors import FolderError, UsageError
from tests.cloud.database.postgresql import PASSWORD, Server
from tests.cloud.database.test_database import FIRST, PETS, add, add_bob, names

FACTS = [JOURNAL, ALERTS]


@pytest.fixture
def url(postgresql: Server) -> str:
    """An empty database."""
    return postgresql.new_url()


def fill(database: Database) -> None:
    """Rows of every kind of column, with numbers that are not those of their order."""
    with database.writing() as connection:
        for name in ("home", "work"):
            connection.execute(insert(places).values(id=name, fence="{}", is_drawn=0))
            connection.execute(insert(stops).values(place_id=name, vehicle_id="leaf"))
        for start in (5, 2**62):
            connection.execute(
                insert(remarks).values(
                    vehicle_id="leaf",
                    subject="trip",
                    start_ns=start,
                    end_ns=9,
                    said_ns=1,
                    tags="[]",
                )
            )
        connection.execute(remarks.delete().where(remarks.c.start_ns == 5))
        connection.execute(insert(channels).values(name="hook", body=b"\x00{}\xff"))
        connection.execute(insert(keys).values(name="vapid", value="a'b%:c"))


def test_it_keeps_what_was_written_and_undoes_what_failed(url: str) -> None:
    database = Database.open(url, [Area("pets", (FIRST,))])
    add(database, "Ada")
    with pytest.raises(FolderError, match=r"^postgresql://.*syntax"), database.writing() as wrong:
        add_bob(wrong, text("no sql"))
    database.close()
    newer = Database.open(url, [PETS])
    assert names(newer) == ["Ada"]
    with newer.writing() as connection:
        connection.execute(text("insert into toy values ('Ada', 'ball')"))
    newer.close()
    with pytest.raises(FolderError, match="newer than this Contactor"):
        Database.open(url, [Area("pets", (FIRST,))])


def test_a_view_is_of_one_moment_and_writers_take_turns(url: str) -> None:
    database, order = Database.open(url, [PETS]), list[str]()
    with database.reading() as before:
        before.scalar(text("select count(*) from pet"))
        add(database, "Ada")
        assert before.scalar(text("select count(*) from pet")) == 0
    second = threading.Thread(target=lambda: (add(database, "Bob"), order.append("second")))
    with database.writing() as first:
        second.start()
        first.execute(text("select pg_sleep(0.2)"))
        order.append("first")
    second.join()
    assert order == ["first", "second"]
    database.close()


def test_rows_are_copied_there_and_back(url: str, tmp_path: Path) -> None:
    source, target = Database.open(MEMORY, FACTS), Database.open(url, FACTS)
    fill(source)
    assert copy_rows(source, target, FACTS) == count_rows(target, FACTS) == 7
    assert is_same(source, target, FACTS)
    with pytest.raises(FolderError):
        copy_rows(source, target, FACTS)
    with target.writing() as connection:  # its numbers go on behind those that came
        connection.execute(insert(places).values(id="lake", fence="{}", is_drawn=1))
    assert not is_same(source, target, FACTS)
    back = Database.open(tmp_path / "back.sqlite3", FACTS)
    assert copy_rows(target, back, FACTS) == 8
    assert is_same(target, back, FACTS)
    for database in (source, target, back):
        database.close()


def test_scrubbed_tables_hold_no_byte_of_what_is_gone(url: str) -> None:
    database = Database.open(url, FACTS)
    fill(database)
    whole = text("select encode(pg_read_binary_file(pg_relation_filepath('alerts_key')), 'escape')")
    with database.writing() as connection:
        connection.execute(insert(keys).values(name="other", value="kept"))
        connection.execute(keys.delete().where(keys.c.name == "vapid"))
    with database.writing() as connection:
        connection.execute(text("checkpoint"))
        assert "vapid" in str(connection.scalar(whole))
    database.scrub()
    with database.reading() as connection:
        left = str(connection.scalar(whole))
    assert "kept" in left
    assert "vapid" not in left
    database.close()


@pytest.mark.parametrize("change", [("do-not-tell-7", "wrong-do-not-tell-7"), ("/facts", "/none")])
def test_a_refusal_never_tells_the_password(url: str, change: tuple[str, str]) -> None:
    with pytest.raises(FolderError) as told:
        Database.open(url.replace(*change), FACTS)
    assert PASSWORD not in str(told.value)
    assert "\n" not in str(told.value)
    assert str(told.value).startswith("postgresql://contactor@127.0.0.1")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "contactor",
        "postgresql:///",
        "postgresql://u:secret@host:port/name",
        "postgresql://u:secret@host",
        "mysql://u:secret@host/name",
        "postgresql+psycopg2://u:secret@host/name",
        "sqlite:///file",
    ],
)
def test_what_is_no_url_of_a_postgresql_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError, match=r"allowed: postgresql://user@host/name$") as told:
        read_url(wrong)
    assert "secret" not in str(told.value)


def test_a_url_is_shown_without_what_is_secret() -> None:
    url = read_url("postgresql://me:a%40secret@host:5/name?password=secret&sslmode=require")
    assert shown(url) == "postgresql://me@host:5/name"
    assert bare(url) == read_url("postgresql://me@host:5/name?sslmode=require")
