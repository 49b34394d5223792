"""What people said in a PostgreSQL: moved there, found by every command, backed up, erased."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from contactor.app.database_place import database_url, facts, settle_database
from contactor.app.folder import DataFolder
from contactor.cloud.database.copying import count_rows, tables_of
from contactor.cloud.database.database import Database
from contactor.errors import FolderError, UsageError
from tests.app.command_line import command_here, tree
from tests.app.processes import running
from tests.app.test_journal import MAP, Desk, rows
from tests.cloud.database.postgresql import PASSWORD, Server, server

pytestmark = pytest.mark.processes
RULES = """
version = 1
[[channels]]
name = "hook"
kind = "webhook"
url = "http://127.0.0.1:9/none"
[[rules]]
name = "back"
text = "The car is back"
on = { kind = "anomaly", anomalies = ["isolation"] }
"""


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Server]:
    with server() as running:
        yield running


@pytest.fixture
def url(postgresql: Server) -> str:
    return postgresql.new_url()


@pytest.fixture
def desk(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(tmp_path, capfd)
    table, names = made.written("car.csv", "\n".join(rows())), made.written("map.toml", MAP)
    assert made.command(f"import {table} --map {names} --vehicle leaf --json").exit_code == 0
    return made


def stored(url: str) -> str:
    """Every row of every table, as text."""
    database = Database.open(url, facts())
    with database.reading() as connection:
        found = [
            (table.name, tuple(row))
            for table in tables_of(connection, facts())
            for row in connection.execute(select(table))
        ]
    database.close()
    return str(found)


def test_what_people_said_moves_there_and_every_command_finds_it(
    desk: Desk, url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    data = desk.folder / "data"
    trip = desk.listed()[-1]
    assert desk.journal(f"note {trip['id']} 'to the lake'").exit_code == 0
    home = trip["start_spot"]["place_id"]  # type: ignore[index]
    before = desk.listed()

    monkeypatch.setenv("CONTACTOR_DATABASE", url)
    with running(data, command="serve") as instance:
        assert desk.listed() == before
        assert desk.command(f"places name {home} Home").exit_code == 0
        desk.written("rules.toml", RULES)
        assert desk.command(f"alerts add {desk.folder / 'rules.toml'}").exit_code == 0
        listed = [one.cmdline() for one in psutil.Process(instance.process.pid).children()]
        assert len(listed) >= 2
        assert PASSWORD not in str(listed)
        assert PASSWORD not in (data / "run.json").read_text() + instance.logs()
    monkeypatch.delenv("CONTACTOR_DATABASE")
    assert not list(data.glob("contactor.sqlite3*"))
    assert (data / "database.json").stat().st_mode & 0o777 == 0o600

    assert desk.listed()[-1]["note"] == "to the lake"
    assert desk.listed()[-1]["start_spot"]["name"] == "Home"  # type: ignore[index]
    assert desk.command("trips --vehicle leaf --json").document()[0]["note"] == "to the lake"  # type: ignore[index]
    assert "back" in desk.command("alerts rules").out
    assert desk.journal(f"tag {trip['id']} client").exit_code == 0
    assert all(word in stored(url) for word in ("to the lake", "Home", "client", "back", "hook"))
    with running(data, command="serve"):  # remembered
        assert desk.listed()[-1]["tags"] == ["client"]

    said, made = desk.listed(), desk.folder / "b.tar"
    assert desk.command(f"backup {made} --json").exit_code == 0
    assert PASSWORD.encode() not in made.read_bytes()
    again = Desk(desk.folder / "again", capfd)
    assert again.command(f"restore {made}").exit_code == 0
    assert again.listed() == said
    assert "hook" in again.command("alerts rules").out
    with closing(sqlite3.connect(again.folder / "data" / "contactor.sqlite3")) as file:
        assert file.execute("select count(*) from journal_remark").fetchone() == (1,)

    erased = desk.command("erase --vehicle leaf --yes --json").document()
    assert erased["facts"] > 1  # type: ignore[index,operator]
    assert erased["still_named_in"] == []  # type: ignore[index]
    assert not any(word in stored(url) for word in ("to the lake", "leaf", "client"))
    assert "back" in desk.command("alerts rules").out
    assert again.listed() == said


def test_a_folder_keeps_the_database_that_it_has(tmp_path: Path, url: str) -> None:
    folder = DataFolder.create(tmp_path / "data")
    settle_database(folder, None)
    assert database_url(folder) is None
    settle_database(folder, url)
    bare = url.replace(f":{PASSWORD}", "")
    for same in (url, bare, None):
        settle_database(folder, same)
        assert database_url(folder) == url
    with pytest.raises(
        UsageError, match=r"are at postgresql://contactor@.*; allowed: no other"
    ) as told:
        settle_database(folder, f"{url}x")
    assert PASSWORD not in str(told.value)
    with pytest.raises(FolderError) as refused:
        settle_database(folder, url.replace(PASSWORD, "wrong-word"))
    assert "wrong-word" not in str(refused.value)
    assert database_url(folder) == url


def test_facts_in_both_places_are_not_mixed(desk: Desk, tmp_path: Path, url: str) -> None:
    trip = desk.listed()[-1]
    desk.journal(f"note {trip['id']} mine")
    folder, other = DataFolder(desk.folder / "data"), DataFolder.create(tmp_path / "other")
    settle_database(folder, url)
    target = Database.open(url, facts())
    count = count_rows(target, facts())
    assert count > 0
    target.close()
    Database.open(other.database, facts()).close()
    settle_database(other, url)  # without facts of its own it takes those that are there
    assert not other.database.exists()

    (folder.root / "database.json").unlink()
    desk.journal(f"note {trip['id']} other")
    before = tree(folder.root)
    with pytest.raises(UsageError, match=r"holds facts, and so does .*move that file away"):
        settle_database(folder, url)
    assert tree(folder.root).keys() == before.keys()


def test_a_move_that_was_cut_short_is_ended(desk: Desk, url: str) -> None:
    desk.journal(f"note {desk.listed()[-1]['id']} mine")
    folder, said = DataFolder(desk.folder / "data"), desk.listed()
    kept = folder.database.read_bytes()
    settle_database(folder, url)
    (folder.root / "database.json").unlink()
    folder.database.write_bytes(kept)
    settle_database(folder, url)
    assert not folder.database.exists()
    assert desk.listed() == said


@pytest.mark.parametrize("line", ["serve --port 0", "run --port 0"])
def test_what_is_no_url_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], line: str
) -> None:
    for url in ("facts.db", "mysql://me:secret@host/facts", "postgresql://me:secret@host:x/facts"):
        ended = command_here(capfd, f"{line} --data {tmp_path / 'data'} --database {url}")
        ended.check_refused(2, "allowed: postgresql://user@host/name")
        assert "secret" not in ended.err


def test_a_server_that_is_away_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], url: str
) -> None:
    folder = DataFolder.create(tmp_path / "data")
    away = "postgresql://me:secret@127.0.0.1:1/facts"
    ended = command_here(capfd, f"serve --port 0 --data {folder.root} --database {away}")
    ended.check_refused(1, "postgresql://me@127.0.0.1:1/facts: connection")
    (folder.root / "database.json").write_text(f'{{"url": "{away}"}}')
    for line in ("alerts rules", f"backup {tmp_path / 'b.tar'}", "serve --port 0"):
        ended = command_here(capfd, f"{line} --data {folder.root}")
        ended.check_refused(1, "postgresql://me@127.0.0.1:1/facts: connection")
        assert "secret" not in ended.err
    assert not (tmp_path / "b.tar").exists()


def test_a_password_in_an_option_that_is_not_known_is_not_repeated(
    capfd: pytest.CaptureFixture[str],
) -> None:
    ended = command_here(capfd, "trips --database postgresql://me:se@cret@host/facts")
    ended.check_refused(2, "--database postgresql://me:***@host/facts")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": 1}'])
def test_a_place_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    folder = DataFolder.create(tmp_path / "data")
    (folder.root / "database.json").write_text(text)
    with pytest.raises(FolderError, match=r"database\.json cannot be read"):
        database_url(folder)
