from contactor.can.database import Database, MessageFormat
from contactor.can.frames import FrameTable
from contactor.can.groups import group_frames
from contactor.can.plan import DecodePlan, compile_plan


def plan(*messages: tuple[str, int, bool], shared: str = "") -> DecodePlan:
    formats = tuple(
        MessageFormat(name, can_id, is_extended, 8, None, (), "car.dbc")
        for name, can_id, is_extended in messages
    )
    return compile_plan(Database(formats, frozenset({shared})))


def test_every_frame_is_counted_once() -> None:
    frames = FrameTable.of(
        ts=range(6),
        can_id=[1, 2, 1, 1, 0x1FFFFFFF, 0],
        is_extended=[False, False, False, True, True, False],
        is_error=[False, False, False, False, False, True],
        is_remote=[False, False, True, False, False, False],
        data=[b""] * 6,
    )
    groups = group_frames(frames, plan(("A", 1, False), ("B", 0x1FFFFFFF, True)))
    assert (groups.decoded, groups.unknown, groups.other) == (2, 2, 2)
    assert groups.counts() == {"A": 1, "B": 1}


def test_name_in_two_databases_is_told_apart_by_bus() -> None:
    frames = FrameTable.of(ts=range(4), can_id=[1, 1, 2, 3], bus=[0, 1, 1, 0], data=[b""] * 4)
    groups = group_frames(
        frames, plan(("A", 1, False), ("A", 2, False), ("B", 3, False), shared="A")
    )
    assert {label: rows.tolist() for label, rows in groups.rows().items()} == {
        "0:A": [0],
        "1:A": [1, 2],
        "B": [3],
    }


def test_more_messages_than_sixteen_bits_are_grouped() -> None:
    many = plan(*((f"M{n}", n, True) for n in range(70_000)))
    ids = [5000, 69_999, 70_000]
    frames = FrameTable.of(ts=range(3), can_id=ids, is_extended=True, data=[b""] * 3)
    groups = group_frames(frames, many)
    rows = {label: rows.tolist() for label, rows in groups.rows().items()}
    assert rows == {"M5000": [0], "M69999": [1]}
    assert groups.unknown == 1
