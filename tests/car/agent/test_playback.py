"""A recording as messages: the same ones each time, whatever its clock did."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from contactor.can.frames import FrameTable
from contactor.car.adapters.recording import open_recording
from contactor.car.agent.playback import Playback
from contactor.car.agent.recorder import CUT_VERSION
from contactor.car.agent.road import SET_BACK_NS, Road, between_set_backs
from contactor.car.agent.sampling import Sampling
from contactor.car.profiles.profile import load_profile
from contactor.clock import NS_PER_S
from contactor.signals.groups import Group
from contactor.signals.record import Record, Rows
from tests.signals.wire.version_1 import encode_version_1

GOLDEN = Path(__file__).parents[1] / "profiles" / "golden_nissan_leaf_ze1.log"
START_NS = 1_700_000_000_000_000_000
SPEED = "Vehicle.Speed"


def playback(path: Path, sampling: Sampling, **changes: object) -> Playback:
    start_ns = changes.pop("start_ns", START_NS)
    recording = open_recording(path, start_ns=start_ns, now_ns=2 * START_NS)
    profile = load_profile(changes.pop("profile", "nissan_leaf_ze1"))
    names = {"vehicle_id": "leaf", **changes}
    return Playback(recording, profile, sampling=sampling, start_ns=start_ns, **names)


def digest(played: Playback) -> str:
    made = hashlib.sha256()
    for sequence, batch in enumerate(played.batches(), 1):
        made.update(encode_version_1(Record("leaf", 1, sequence, batch.groups)))
    return made.hexdigest()[:16]


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [(Sampling.EVERY, "426b86fd7b98220a"), (Sampling.PROFILE, "ff2984a05c9afea6")],
)
def test_messages_of_a_known_recording_stay_the_same(sampling: Sampling, expected: str) -> None:
    # A change here doubles or loses rows of recordings that are played again: raise CUT_VERSION.
    assert CUT_VERSION == 1
    assert digest(playback(GOLDEN, sampling)) == expected


def test_stream_is_named_by_all_that_makes_its_messages(tmp_path: Path) -> None:
    longer = tmp_path / "longer.log"
    longer.write_text(GOLDEN.read_text() + GOLDEN.read_text().splitlines()[-1] + "\n")
    streams = [
        playback(GOLDEN, Sampling.EVERY).stream,
        playback(GOLDEN, Sampling.PROFILE).stream,
        playback(GOLDEN, Sampling.EVERY, vehicle_id="other").stream,
        playback(GOLDEN, Sampling.EVERY, start_ns=START_NS + 1).stream,
        playback(GOLDEN, Sampling.EVERY, profile="nissan_leaf_ze0").stream,
        playback(longer, Sampling.EVERY).stream,
    ]
    assert len(set(streams)) == len(streams)
    assert playback(GOLDEN, Sampling.EVERY).stream == streams[0]


def wheel_speeds(at_s: list[float]) -> FrameTable:
    """Frames 0x284 that say 1 km/h, 2 km/h, ... at these seconds."""
    speeds = [(100 * (number + 1)).to_bytes(2, "big") for number in range(len(at_s))]
    return FrameTable.of(
        ts=[round(at * 1e9) for at in at_s],
        can_id=[0x284] * len(at_s),
        data=[bytes(4) + speed + bytes(2) for speed in speeds],
    )


def test_clock_set_back_begins_anew_and_ends(tmp_path: Path) -> None:
    profile = load_profile("nissan_leaf_ze1")
    road = Road(profile, sampling=Sampling.PROFILE, origin_ns=0)
    frames = wheel_speeds([7200.5, 7201.5, 7202.5, 3600.5, 3601.5, 3602.5])
    parts = [rows for some in road.feed(frames) for rows in some] + road.finish()
    seconds = [
        ts // 10**9 for rows in parts if rows.group is Group.DRIVE for ts in rows.ts.tolist()
    ]
    assert seconds == [7201, 7202, 7203, 3601, 3602, 3603]


def test_clock_set_back_between_two_reads_begins_anew() -> None:
    road = Road(load_profile("nissan_leaf_ze1"), sampling=Sampling.PROFILE, origin_ns=0)
    first = list(road.feed(wheel_speeds([7200.5, 7201.5])))
    second = list(road.feed(wheel_speeds([3600.5, 3601.5])))
    assert [len(first), len(second)] == [1, 2]


def test_pieces_between_set_backs_hold_every_frame_in_order() -> None:
    jitter = -(SET_BACK_NS / 1e9) / 2
    frames = wheel_speeds([1000, 1001, 1001 + jitter, 1002, 500, 501, 10])
    pieces = list(between_set_backs(frames))
    assert [len(piece) for piece in pieces] == [4, 2, 1]
    assert np.concatenate([piece.ts for piece in pieces]).tolist() == frames.ts.tolist()
    assert list(between_set_backs(FrameTable.empty())) == []


def test_gathered_frames_make_the_same_rows() -> None:
    frames = wheel_speeds([100.0, 100.1, 100.2, 101.3, 101.4, 40.0, 40.1, 45.0])
    profile = load_profile("nissan_leaf_ze1")
    at_once = Road(profile, sampling=Sampling.PROFILE, origin_ns=0)
    gathering = Road(profile, sampling=Sampling.PROFILE, origin_ns=0, gather_ns=NS_PER_S // 4)
    rows = [one for some in at_once.feed(frames) for one in some] + at_once.finish()
    gathered = [
        one
        for row in range(len(frames))
        for some in gathering.feed(frames.take(slice(row, row + 1)))
        for one in some
    ]
    assert sum(map(len, gathered)) < sum(map(len, rows))
    gathered += [*gathering.settle(), *gathering.finish()]
    assert flat(gathered) == flat(rows)


def flat(rows: list[Rows]) -> list[tuple[object, ...]]:
    return [
        (one.group, ts, tuple(column.to_list()[row] for column in one.columns))
        for one in rows
        for row, ts in enumerate(one.ts.tolist())
    ]
