from dataclasses import replace

import numpy as np
import pytest

from contactor.can.checks import Checker
from contactor.can.checksum import Checksum
from contactor.can.database import SignalRole, load_database
from contactor.can.frames import FrameTable
from contactor.can.groups import group_frames
from contactor.can.plan import compile_plan

DBC = """VERSION ""

BU_: X

BO_ 272 Pack: 8 X
 SG_ Checksum : 7|8@0+ (1,0) [0|0] "" X
 SG_ Counter : 11|4@0+ (1,0) [0|0] "" X
 SG_ Voltage : 23|16@0+ (0.1,0) [0|0] "V" X

BO_ 273 Wheel: 8 X
 SG_ Crc : 0|16@1+ (1,0) [0|0] "" X
 SG_ Count : 16|8@1+ (1,0) [0|0] "" X

BO_ 274 Plain: 8 X
 SG_ Level : 0|8@1+ (1,0) [0|0] "" X

BA_DEF_ SG_ "SignalRole" STRING ;
BA_DEF_ BO_ "DataIds" STRING ;
BA_DEF_DEF_ "SignalRole" "";
BA_DEF_DEF_ "DataIds" "";
BA_ "DataIds" BO_ 273 "0x1234";
BA_ "SignalRole" SG_ 272 Checksum "crc8_j1850";
BA_ "SignalRole" SG_ 272 Counter "counter";
BA_ "SignalRole" SG_ 273 Crc "e2e_p5";
BA_ "SignalRole" SG_ 273 Count "counter_full";
"""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "car.dbc"
    path.write_text(DBC, encoding="utf-8")
    return compile_plan(load_database([path]))


def packs(*counts: int) -> list[bytes]:
    """Payloads of Pack with these counts and right checksums."""
    payloads = np.zeros((len(counts), 8), np.uint8)
    payloads[:, 1] = counts
    payloads[:, 3] = 7
    Checksum(272, length=8, at_byte=0).write(payloads)
    return [payload.tobytes() for payload in payloads]


def table(data: list[bytes], can_id: int = 272, bus: list[int] | int = 0) -> FrameTable:
    return FrameTable.of(ts=range(len(data)), can_id=[can_id] * len(data), bus=bus, data=data)


def facts_of(plan, frames):
    (facts,) = Checker(plan).check(frames, group_frames(frames, plan))
    return facts


def test_sound_frames_have_nothing_bad(plan):
    facts = facts_of(plan, table(packs(*range(15), *range(15), 0)))
    assert (facts.label, facts.counter, facts.checksum) == ("Pack", "Counter", "Checksum")
    assert (facts.frames, facts.bad, facts.jumps, facts.repeated, facts.wrong) == (31, 0, 0, 0, 0)


def test_lost_and_repeated_frames_are_counted(plan):
    facts = facts_of(plan, table(packs(13, 14, 2, 2, 3, 1)))
    assert (facts.jumps, facts.lost, facts.repeated, facts.wrong) == (2, 2 + 12, 1, 0)
    assert facts.is_bad.tolist() == [False, False, True, True, False, True]


def test_count_that_is_never_sent_is_a_jump_and_the_next_goes_on(plan):
    facts = facts_of(plan, table(packs(3, 15, 4)))
    assert (facts.jumps, facts.lost) == (1, 0)
    assert facts.is_bad.tolist() == [False, True, False]


def test_wrong_checksum_is_counted_in_its_row(plan):
    data = packs(0, 1, 2)
    data[1] = data[1][:3] + b"\x09" + data[1][4:]
    facts = facts_of(plan, table(data))
    assert (facts.wrong, facts.jumps) == (1, 0)
    assert facts.rows[facts.is_bad].tolist() == [1]


def test_frame_that_is_too_short_is_bad_and_breaks_no_sequence(plan):
    data = packs(0, 1, 1)
    facts = facts_of(plan, table([data[0], data[1][:7], data[2]]))
    assert (facts.frames, facts.short, facts.wrong, facts.repeated, facts.jumps) == (3, 1, 0, 0, 0)
    assert facts.is_bad.tolist() == [False, True, False]


def test_each_bus_counts_by_itself(plan):
    assert facts_of(plan, table(packs(1, 9, 2, 10, 3), bus=[0, 1, 0, 1, 0])).bad == 0


def test_counts_go_on_from_piece_to_piece(plan):
    checker = Checker(plan)
    for piece in (packs(0, 1), packs(2, 3), packs(5)):
        frames = table(piece)
        checker.check(frames, group_frames(frames, plan))
    (total,) = checker.totals()
    assert (total.frames, total.jumps, total.lost, total.repeated) == (5, 1, 1, 0)


@pytest.mark.parametrize(
    ("seams", "jumps"),
    [((), 2), ((0,), 2), ((3,), 1), ((6,), 1), ((3, 6), 0), ((2,), 2), ((9,), 2)],
)
def test_counts_do_not_go_on_at_a_seam(plan, seams, jumps):
    frames = table(packs(0, 1, 2, 7, 8, 9, 3, 4))
    checker = Checker(plan)
    (facts,) = checker.check(frames, group_frames(frames, plan), seams)
    assert facts.jumps == jumps


def test_counter_that_ends_before_a_seam_is_forgotten(plan):
    checker = Checker(plan)
    other = table([bytes(8)], can_id=274)
    for frames, seams in ((table(packs(0, 1)), ()), (other, (0,)), (table(packs(9, 10)), ())):
        checker.check(frames, group_frames(frames, plan), seams)
    frames = table(packs(5, 11, 6), bus=[1, 0, 1])
    checker.check(frames, group_frames(frames, plan), (2,))
    frames = table(packs(2, 7), bus=[0, 1])
    checker.check(frames, group_frames(frames, plan))
    assert [facts.jumps for facts in checker.totals()] == [0]


def test_sixteen_bit_checksum_with_a_data_id_and_a_full_counter(plan):
    payloads = np.zeros((3, 8), np.uint8)
    payloads[:, 2] = [254, 255, 0]
    Checksum(0, length=8, at_byte=0, role=SignalRole.E2E_P5, data_ids=[0x1234]).write(payloads)
    data = [payload.tobytes() for payload in payloads]
    assert payloads[2].tobytes().hex() == "1cca000000000000"
    assert facts_of(plan, table(data, 273)).bad == 0
    assert facts_of(plan, table([*data, bytes(8)], 273)).wrong == 1


def test_signals_that_are_not_wanted_are_checked_all_the_same(tmp_path, plan):
    path = tmp_path / "car.dbc"
    chosen = compile_plan(load_database([path]), signals=["Voltage"])
    assert [signal.name for signal in chosen.messages[0].signals] == ["Voltage"]
    assert facts_of(chosen, table(packs(0, 2))).lost == 1


def test_message_without_roles_has_no_facts(plan):
    frames = table([bytes(8)], 274)
    assert Checker(plan).check(frames, group_frames(frames, plan)) == []


def test_checksum_that_cannot_be_checked_says_why(plan):
    pack, *others = plan.messages
    protection = pack.protection
    moved = replace(protection, checksum=replace(protection.checksum, first_bit=3))
    other = replace(plan, messages=(replace(pack, protection=moved), *others))
    facts = facts_of(other, table(packs(0, 1)))
    assert facts.checksum is None
    assert facts.unchecked == ("Checksum: a checksum is 1 whole byte",)
    assert facts.bad == 0
