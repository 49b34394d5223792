"""Recordings as cars: a player for each one that can be read.

A car whose recording cannot be read, or can no longer, is logged once; the others go on.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from contactor.app.cars import RecordingCar
from contactor.car.adapters.recording import open_recording
from contactor.car.agent.outbox import Lane, Outbox
from contactor.car.agent.playback import Playback
from contactor.car.agent.player import Player
from contactor.car.agent.uplink import Uplink
from contactor.car.profiles.profile import load_profile
from contactor.clock import Clock
from contactor.errors import ContactorError, LogError, UsageError

_log = logging.getLogger(__name__)


async def open_players(
    cars: Sequence[RecordingCar],
    *,
    outbox: Outbox,
    uplink_of: Callable[[str], Uplink],
    clock: Clock,
    speed: float,
    has_others: bool = False,
) -> list[Player]:
    """A player for each car that can be read.

    Args:
        uplink_of: what sends for a vehicle.
        has_others: there are cars beside these, so none here is no failure.

    Raises:
        LogError: there is none; the message is the first car's.
    """
    players: list[Player] = []
    failures: list[ContactorError] = []
    for car in cars:
        try:
            playback = await asyncio.to_thread(_open, car, outbox, speed, clock.now_ns())
        except (LogError, UsageError) as error:
            failures.append(error)
            continue
        stream = outbox.open_stream(
            car.vehicle_id, Lane.LIVE, profile=Path(car.profile).name, stream=playback.stream
        )
        uplink = uplink_of(car.vehicle_id)
        players.append(
            Player(playback, stream, outbox=outbox, uplink=uplink, clock=clock, speed=speed)
        )
    if failures and not players and not has_others:
        raise LogError(str(failures[0])) from failures[0]
    for failure in failures:
        _log.error("car not played reason=%s", failure)
    return players


async def play(player: Player) -> None:
    """Play to the end, or as far as the recording can be read."""
    try:
        await player.run()
    except LogError as error:
        _log.error("car not played on vehicle=%s reason=%s", player.stream.vehicle_id, error)


def _open(car: RecordingCar, outbox: Outbox, speed: float, now_ns: int) -> Playback:
    """The recording; one without a date begins now, or when an earlier start of it began."""
    recording = open_recording(car.log, start_ns=None, now_ns=now_ns)
    profile = load_profile(car.profile)
    playback = Playback(recording, profile, vehicle_id=car.vehicle_id, sampling=car.sampling)
    if recording.duration_ns is None:
        return playback
    note = f"begun:{playback.stream:016x}"
    begun = outbox.noted(note)
    if begun is None:
        # Faster than life it begins in the past, so that it ends now and no stamp is ahead of time.
        ahead = recording.duration_ns * (1 - 1 / max(speed, 1.0))
        begun = str(now_ns - round(ahead))
        outbox.note(note, begun)
    playback.lay_from(int(begun))
    return playback
