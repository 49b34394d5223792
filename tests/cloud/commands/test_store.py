"""The file of commands: what it keeps, forgets, and what it does with one that is none."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from contactor.cloud.commands.store import CommandStore
from contactor.errors import FolderError, UnknownCommand
from contactor.signals.command import Command, CommandState
from tests.cloud.lake.samples import T0, S


def command(
    number: int, state: CommandState = CommandState.QUEUED, value: object = True, car: str = "demo"
) -> Command:
    return Command(
        id=f"c{number}",
        vehicle_id=car,
        path="Vehicle.Cabin.Door.Row1.DriverSide.IsLocked",
        value=value,  # type: ignore[arg-type]
        issued_by="test",
        issued_at=T0 + number * S,
        expires_at=T0 + number * S + 30 * S,
        state=state,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CommandStore]:
    store = CommandStore(tmp_path / "commands.db")
    yield store
    store.close()


@pytest.mark.parametrize("value", [True, 0, 80, 20.5, 21.0, "START", 2**62])
def test_command_is_kept_as_it_is(store: CommandStore, value: object) -> None:
    store.put(command(1, value=value))
    found = store.find("demo", "c1")
    assert found == command(1, value=value)
    assert type(found.value) is type(value)


def test_store_tells_what_is_unfinished_and_counts_all(store: CommandStore) -> None:
    for number, state in enumerate(CommandState):
        store.put(command(number))
        store.put(command(number, state))
    assert [one.state for one in store.unfinished()] == ["queued", "sent", "accepted"]
    assert store.counts() == {state.value: 1 for state in CommandState}


def test_page_is_newest_first_and_of_one_vehicle(store: CommandStore) -> None:
    for number in range(6):
        store.put(command(number, car="elm" if number == 3 else "demo"))
    store.put(command(0, CommandState.SENT))  # where it stands changes, not its place
    first = store.page("demo", limit=3)
    assert [one.id for one in first] == ["c5", "c4", "c2"]
    assert [one.id for one in store.page("demo", limit=3, before="c2")] == ["c1", "c0"]
    assert store.page("demo", limit=3, before="nothing") == []


def test_command_of_another_vehicle_is_unknown(store: CommandStore) -> None:
    store.put(command(1))
    with pytest.raises(UnknownCommand, match="'c1' of vehicle 'elm'"):
        store.find("elm", "c1")


def test_old_commands_are_forgotten_once_they_are_final(store: CommandStore) -> None:
    store.put(command(1, CommandState.DONE))
    store.put(command(2, CommandState.ACCEPTED))
    store.put(command(3, CommandState.REFUSED))
    assert store.forget(before=T0 + 3 * S) == 1
    assert [one.id for one in store.page("demo", limit=9)] == ["c3", "c2"]


def test_damaged_file_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "commands.db").write_bytes(b"no database" * 1000)
    store = CommandStore(tmp_path / "commands.db")
    store.put(command(1))
    store.close()
    assert len(list(tmp_path.glob("commands.damaged-*"))) == 1
    assert "set aside" in caplog.text


def test_what_a_car_gets_is_kept_as_it_was_signed(tmp_path: Path) -> None:
    store = CommandStore(tmp_path / "commands.db")
    store.put(command(1), signed=b"\x92signed")
    store.put(command(1, CommandState.SENT))
    store.put(command(2))
    store.close()
    again = CommandStore(tmp_path / "commands.db")
    assert (again.signed("c1"), again.signed("c2"), again.signed("c3")) == (
        b"\x92signed",
        None,
        None,
    )
    assert (again.has("c1"), again.has("c3")) == (True, False)
    again.close()


def test_file_of_before_signatures_is_taken_over(tmp_path: Path) -> None:
    store = CommandStore(tmp_path / "commands.db")
    store.put(command(1))
    store.close()
    database = sqlite3.connect(tmp_path / "commands.db")
    database.executescript("alter table command drop column signed; pragma user_version = 1")
    database.close()
    again = CommandStore(tmp_path / "commands.db")
    assert [one.id for one in again.unfinished()] == ["c1"]
    again.put(command(2), signed=b"s")
    assert (again.signed("c1"), again.signed("c2")) == (None, b"s")
    again.close()


def test_newer_file_is_refused(tmp_path: Path) -> None:
    CommandStore(tmp_path / "commands.db").close()
    database = sqlite3.connect(tmp_path / "commands.db")
    database.execute("pragma user_version = 3")
    database.close()
    with pytest.raises(FolderError, match="format 3; this Contactor reads 2"):
        CommandStore(tmp_path / "commands.db")


def test_file_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"commands\.db"):
        CommandStore(tmp_path / "nowhere" / "commands.db")
