"""Frames to messages: as a plain search through the plan finds them, of any number of ids."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from contactor.can import matching
from contactor.can.database import Database, MessageFormat
from contactor.can.frames import FrameTable
from contactor.can.groups import group_frames
from contactor.can.j1939 import nearest, parameter_group, parameter_groups
from contactor.can.kernels import SWITCH, is_installed
from contactor.can.matching import FIRST_LANE, OTHER, UNKNOWN, Matcher, matcher_of
from contactor.can.plan import DecodePlan, MessagePlan, compile_plan


@pytest.fixture(
    autouse=True,
    params=[
        "0",
        pytest.param(
            "1", marks=pytest.mark.skipif(not is_installed(), reason="Numba is not installed")
        ),
    ],
)
def _path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, request.param)


def message(
    name: str,
    can_id: int,
    *,
    is_extended: bool = True,
    bus: int | None = None,
    is_j1939: bool = False,
) -> MessageFormat:
    return MessageFormat(
        name, can_id, is_extended, 8, None, (), "car.dbc", bus=bus, is_j1939=is_j1939
    )


def frames_of(can_id: NDArray[np.int64], bus: NDArray[np.int64], chance: float) -> FrameTable:
    """Frames of some ids; as many as `chance` of the short ones are extended."""
    count = len(can_id)
    none = np.zeros(count, np.bool_)
    return FrameTable(
        ts=np.arange(count, dtype=np.int64),
        bus=bus.astype(np.uint8),
        can_id=can_id.astype(np.uint32),
        is_extended=(can_id > 0x7FF) | (np.random.default_rng(9).random(count) < chance),
        is_fd=none,
        is_remote=np.arange(count) % 97 == 0,
        is_error=np.arange(count) % 101 == 0,
        length=np.zeros(count, np.uint8),
        data=np.zeros((count, 8), np.uint8),
    )


def random_plan() -> DecodePlan:
    """Messages of one bus and of all, of parameter groups and not, some of them twice."""
    random = np.random.default_rng(4)
    formats = []
    for number in range(300):
        can_id = int(random.integers(1 << 29))
        group = int(random.choice([0x18FEF100, 0x0CF00400, 0x18EA0000, 0x19FEF100]))
        bus = [None, None, 0, 1][number % 4]
        if number % 3 == 0:
            formats.append(message(f"M{number}", can_id, bus=bus))
        elif number % 3 == 1:
            can_id = group | int(random.choice([0xFE, 0x17, 0x21, 0x33]))
            can_id |= int(random.integers(4)) << 26
            formats.append(message(f"M{number}", can_id, bus=bus, is_j1939=True))
        else:
            formats.append(message(f"M{number}", can_id & 0x7FF, is_extended=False, bus=bus))
    return compile_plan(Database(tuple(formats), frozenset({"M1", "M2", "M3"})))


def searched(messages: Sequence[MessagePlan], bus: int, can_id: int, is_extended: bool) -> int:
    """The place of an id's message, -1 of none, found the slow way."""
    for wanted in (bus, None):
        for place, one in enumerate(messages):
            if (one.bus, one.can_id, one.is_extended) == (wanted, can_id, is_extended):
                return place
    for wanted in (bus, None) if is_extended else ():
        known = [
            one.can_id
            for one in messages
            if one.bus == wanted
            and one.is_j1939
            and parameter_group(one.can_id) == parameter_group(can_id)
        ]
        best = nearest(can_id, known)
        if best is not None:
            return next(
                place
                for place, one in enumerate(messages)
                if (one.bus, one.can_id, one.is_extended) == (wanted, best, True)
            )
    return -1


def labels_of(matcher: Matcher, frames: FrameTable) -> list[str | None]:
    """The label of each frame, None of none."""
    lanes = matcher.lanes_of(frames).tolist()
    assert all(
        (lane == OTHER) == bool(frames.is_error[row] | frames.is_remote[row])
        for row, lane in enumerate(lanes)
    )
    return [None if lane < FIRST_LANE else matcher.lane(lane).label for lane in lanes]


@pytest.mark.parametrize("first", [matching.FIRST_FRAMES, 50])
@pytest.mark.parametrize("kept", [matching.MOST_KEPT, 20, 0])
def test_ids_are_matched_as_a_plain_search_matches_them(
    monkeypatch: pytest.MonkeyPatch, kept: int, first: int
) -> None:
    monkeypatch.setattr(matching, "MOST_KEPT", kept)
    monkeypatch.setattr(matching, "FIRST_FRAMES", first)
    plan = random_plan()
    random = np.random.default_rng(5)
    count = 1500
    own = np.array([one.can_id for one in plan.messages])
    groups = random.choice([0x18FEF100, 0x0CF00400, 0x18EA2100, 0x19FEF100, 0x18FFF100], count)
    of_group = groups | random.integers(256, size=count) | random.integers(8, size=count) << 26
    can_id = np.concatenate(
        (random.integers(1 << 29, size=count), random.choice(own, count), of_group & 0x1FFFFFFF)
    )
    random.shuffle(can_id)
    frames = frames_of(can_id, random.integers(3, size=len(can_id)), 0.2)
    expected: list[str | None] = []
    for frame in frames:
        place = searched(plan.messages, frame.bus, frame.can_id, frame.is_extended)
        is_none = place < 0 or frame.is_error or frame.is_remote
        one = plan.messages[place]
        name = f"{frame.bus}:{one.name}" if one.is_shared_name else one.name
        expected.append(None if is_none else name)
    assert len(set(expected)) > 200
    matcher = matcher_of(plan)
    found = [
        label
        for start in range(0, len(frames), 700)
        for label in labels_of(matcher, frames.take(slice(start, start + 700)))
    ]
    assert found == expected
    assert labels_of(matcher, frames) == expected


def test_ids_without_end_take_no_memory_without_end() -> None:
    """What a fuzzer sends on a bus of which one message, and one parameter group, is known."""
    plan = compile_plan(
        Database((message("Own", 0x1234567), message("Any", 0x18EA00FE, is_j1939=True)))
    )
    matcher = matcher_of(plan)
    random = np.random.default_rng(6)
    for _ in range(4):
        can_id = random.integers(0x800, 1 << 29, 100_000)
        can_id[::2] = 0x18EA0000 | random.integers(1 << 16, size=50_000)
        can_id[::2] |= random.integers(8, size=50_000) << 26
        can_id[7] = 0x1234567
        can_id &= 0x1FFFFFFF
        is_own = can_id == 0x1234567
        is_any = parameter_groups(can_id) == 0xEA00
        frames = frames_of(can_id, np.zeros(len(can_id), np.int64), 0)
        lanes = matcher.lanes_of(frames)
        is_data = ~(frames.is_error | frames.is_remote)
        groups = group_frames(frames, plan)
        assert groups.counts() == {
            "Own": int((is_own & is_data).sum()),
            "Any": int((is_any & is_data).sum()),
        }
        assert ((lanes == UNKNOWN) == (~is_own & ~is_any & is_data)).all()
    assert len(matcher._extended[0]) <= 2 * matching.MOST_KEPT
    assert (np.diff(matcher._extended[0]) > 0).all()


def test_standard_id_is_no_parameter_group() -> None:
    """Where a whole file is called J1939, its standard ids are."""
    plan = compile_plan(Database((message("M", 0x1DB, is_extended=False, is_j1939=True),)))
    frames = FrameTable.of(
        ts=range(2), can_id=[0x1DB, 0x1DB], is_extended=[False, True], data=[b""] * 2
    )
    groups = group_frames(frames, plan)
    assert (groups.counts(), groups.unknown) == ({"M": 1}, 1)


def test_parameter_groups_of_many_ids_are_those_of_each() -> None:
    ids = np.random.default_rng(7).integers(1 << 29, size=2000)
    assert parameter_groups(ids).tolist() == [parameter_group(one) for one in ids.tolist()]
