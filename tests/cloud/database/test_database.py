import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, TextClause, text

from contactor.cloud.database.areas import Area
from contactor.cloud.database.database import Database
from contactor.cloud.database.sqlite import MEMORY
from contactor.errors import FolderError, UsageError

FIRST = ("create table pet (number {serial}, name text not null unique)",)
SECOND = (
    "alter table pet add column weight_g bigint",
    "create table toy (pet text not null references pet (name), name text not null)",
)
PETS = Area("pets", (FIRST, SECOND))


def add(database: Database, name: str) -> None:
    with database.writing() as connection:
        connection.execute(text("insert into pet (name) values (:name)"), {"name": name})


def names(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.scalars(text("select name from pet order by number")))


def add_bob(connection: Connection, then: TextClause) -> None:
    connection.execute(text("insert into pet (name) values ('Bob')"))
    connection.execute(then)


def test_database_keeps_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "pets.sqlite3"
    database = Database.open(path, [PETS])
    add(database, "Ada")
    database.close()
    again = Database.open(path, [PETS])
    assert names(again) == ["Ada"]
    again.close()


def test_database_writes_all_of_a_block_or_nothing(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "pets.sqlite3", [PETS])
    twice = text("insert into pet (name) values ('Ada'), ('Ada')")
    with pytest.raises(FolderError, match=r"pets\.sqlite3: UNIQUE"), database.writing() as wrong:
        add_bob(wrong, twice)
    assert names(database) == []
    database.close()


def test_database_holds_foreign_keys(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "pets.sqlite3", [PETS])
    with pytest.raises(FolderError, match="FOREIGN KEY"), database.writing() as connection:
        connection.execute(text("insert into toy values ('nobody', 'ball')"))
    database.close()


def test_migration_brings_an_older_file_up_to_date_and_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "pets.sqlite3"
    older = Database.open(path, [Area("pets", (FIRST,))])
    add(older, "Ada")
    older.close()
    newer = Database.open(path, [PETS])
    with newer.reading() as connection:
        assert connection.execute(text("select name, weight_g from pet")).all() == [("Ada", None)]
    newer.close()


def test_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "pets.sqlite3"
    older = Database.open(path, [Area("pets", (FIRST,))])
    add(older, "Ada")
    older.close()
    broken = Area("pets", (FIRST, (SECOND[0], "alter table nobody add column x bigint")))
    with pytest.raises(FolderError, match="no such table"):
        Database.open(path, [broken])
    again = Database.open(path, [PETS])
    assert names(again) == ["Ada"]
    again.close()


def test_migration_refuses_what_a_newer_contactor_wrote(tmp_path: Path) -> None:
    path = tmp_path / "pets.sqlite3"
    Database.open(path, [PETS]).close()
    with pytest.raises(FolderError, match=r"pets\.sqlite3: format 2 of pets is newer"):
        Database.open(path, [Area("pets", (FIRST,))])


def test_areas_share_a_file_without_knowing_each_other(tmp_path: Path) -> None:
    path = tmp_path / "both.sqlite3"
    Database.open(path, [PETS]).close()
    plants = Area("plants", (("create table plant (name text)",),))
    Database.open(path, [plants]).close()
    both = Database.open(path, [PETS, plants])
    assert names(both) == []
    both.close()


def test_threads_write_and_read_at_once_and_lose_nothing(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "pets.sqlite3", [PETS])

    def work(number: int) -> None:
        for turn in range(10):
            names(database)
            add(database, f"{number}.{turn}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names(database)) == 40
    database.close()


def test_a_reader_sees_one_moment_while_another_writes(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "pets.sqlite3", [PETS])
    count = text("select count(*) from pet")
    with database.reading() as connection:
        before = connection.scalar(count)
        add(database, "Ada")
        assert connection.scalar(count) == before == 0
    assert names(database) == ["Ada"]
    database.close()


def test_a_damaged_file_is_refused_when_precious_and_set_aside_when_not(tmp_path: Path) -> None:
    path = tmp_path / "pets.sqlite3"
    path.write_bytes(b"this was a database once" * 400)
    with pytest.raises(FolderError, match=r"is damaged .*restore it from a backup"):
        Database.open(path, [PETS])
    database = Database.open(path, [PETS], is_derivable=True)
    assert names(database) == []
    assert [found.name.rpartition("-")[0] for found in tmp_path.glob("pets.damaged*")] == [
        "pets.damaged"
    ]
    database.close()


def test_scrub_leaves_no_byte_of_what_was_deleted(tmp_path: Path) -> None:
    path = tmp_path / "pets.sqlite3"
    database = Database.open(path, [PETS])
    add(database, "Ada-of-the-deep-wood")
    with database.writing() as connection:
        connection.execute(text("delete from pet"))
    database.scrub()
    add(database, "Bob")
    assert names(database) == ["Bob"]
    for file in tmp_path.iterdir():
        assert b"Ada-of-the-deep-wood" not in file.read_bytes()
    database.close()


def test_memory_is_a_database_too() -> None:
    database = Database.open(MEMORY, [PETS])
    add(database, "Ada")
    assert names(database) == ["Ada"]
    database.close()


@pytest.mark.parametrize("url", ["pets.sqlite3", "mysql://somewhere/pets", "sqlite:///pets"])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match=r"postgresql://user@host/name"):
        Database.open(url, [PETS])


def test_a_file_in_no_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"pets\.sqlite3: unable to open"):
        Database.open(tmp_path / "none" / "pets.sqlite3", [PETS])
