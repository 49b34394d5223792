"""The agent's cars: one that cannot be read does not end the others."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

import contactor
from contactor.app.car import open_players, play
from contactor.app.cars import RecordingCar
from contactor.car.agent.outbox import Outbox
from contactor.car.agent.player import Player
from contactor.car.agent.sampling import Sampling
from contactor.car.agent.uplink import Uplink
from contactor.clock import SystemClock
from contactor.errors import ContactorError, LogError
from contactor.link.memory import MemoryBroker, MemoryTransport
from tests.app.counting import COUNT, make_log, make_profile
from tests.app.processes import running, wait_for

T = TypeVar("T")


def car(folder: Path, name: str, *, is_there: bool = True) -> RecordingCar:
    log = folder / f"{name}.log"
    if is_there:
        make_log(log, 100)
    return RecordingCar(log, str(folder / "counting"), name, Sampling.EVERY)


def with_players(cars: list[RecordingCar], use: Callable[[list[Player]], Awaitable[T]]) -> T:
    async def run() -> T:
        outbox, clock = Outbox(":memory:"), SystemClock()
        transport = MemoryTransport(MemoryBroker())
        uplink = Uplink(outbox=outbox, transport=transport, clock=clock)
        try:
            return await use(
                await open_players(
                    cars,
                    outbox=outbox,
                    uplink_of=lambda _: uplink,
                    clock=clock,
                    speed=float("inf"),
                )
            )
        finally:
            outbox.close()

    return asyncio.run(run())


async def names(players: list[Player]) -> list[str]:
    return [player.stream.vehicle_id for player in players]


def test_car_that_cannot_be_opened_is_logged_once_and_the_others_play(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_profile(tmp_path)
    (tmp_path / "words.log").write_text("no log\n")
    cars = [
        car(tmp_path, "gone", is_there=False),
        car(tmp_path, "leaf"),
        car(tmp_path, "words", is_there=False),
    ]
    with caplog.at_level(logging.WARNING):
        assert with_players(cars, names) == ["leaf"]
    assert len(caplog.records) == 2
    assert "gone.log" in caplog.records[0].message
    assert "words.log" in caplog.records[1].message


def test_cars_of_which_none_can_be_opened_end_with_the_first_reason(tmp_path: Path) -> None:
    make_profile(tmp_path)
    cars = [car(tmp_path, name, is_there=False) for name in ("gone", "lost")]
    with pytest.raises(LogError, match=r"gone\.log") as failure:
        with_players(cars, names)
    assert failure.value.exit_code == 1


def test_car_that_can_no_longer_be_read_is_logged_and_is_no_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_profile(tmp_path)

    async def lose(players: list[Player]) -> None:
        (tmp_path / "leaf.log").unlink()
        await play(players[0])

    with caplog.at_level(logging.WARNING):
        with_players([car(tmp_path, "leaf")], lose)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "vehicle=leaf" in caplog.text


@pytest.mark.processes
def test_agent_started_anew_without_one_of_its_files_plays_the_others(tmp_path: Path) -> None:
    profile, data = make_profile(tmp_path), tmp_path / "data"
    make_log(tmp_path / "long.log", 1_000)
    make_log(tmp_path / "short.log", 50)
    options = ("--speed", "2")
    for name in ("long", "short"):
        url = f"recording:{tmp_path / name}.log?profile={profile}&vehicle={name}&sampling=every"
        options += ("--car", url)
    with running(data, *options) as instance:
        (tmp_path / "short.log").unlink()
        instance.kill("agent")

        def is_stored() -> bool:
            with contextlib.suppress(ContactorError):
                return contactor.open_lake(data).signals("long", [COUNT]).height == 1_000
            return False

        wait_for(is_stored, timeout_s=60, why="the other car's numbers are stored")
        wait_for(lambda: "car not played" in instance.logs(), timeout_s=60, why="it is told")
