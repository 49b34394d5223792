from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can import isotp
from contactor.can.frames import FrameTable
from contactor.can.isotp import Addressing, IsoTpReassembler, Transfers, reassemble
from contactor.can.isotp_segments import TransferFault
from tests.can.isotp_sender import MS, segmented, table

ANSWER = bytes(range(62))


def payloads(transfers: Transfers, *, complete: bool = True) -> list[bytes]:
    return [
        transfers.payload_of(number)
        for number in range(len(transfers))
        if transfers.is_complete[number] == complete
    ]


def everything(transfers: Transfers) -> list[bytes]:
    return [transfers.payload_of(number) for number in range(len(transfers))]


def frames_of(payload: bytes, can_id: int = 0x7EC) -> list[tuple[int, bytes]]:
    return [(can_id, frame) for frame in segmented(payload)]


def test_single_frame_is_a_transfer() -> None:
    transfers = reassemble(table([(0x7E8, bytes.fromhex("0341 0D 32 AAAAAAAA"))]))
    assert payloads(transfers) == [b"\x41\x0d\x32"]
    assert (transfers.row.tolist(), transfers.can_id.tolist()) == ([0], [0x7E8])
    assert transfers.faults == {}


def test_answer_in_many_frames_ends_with_its_last() -> None:
    frames = [(0x7E4, b"\x03\x22\x01\x01"), *frames_of(ANSWER)]
    frames.insert(2, (0x7E4, bytes.fromhex("300000")))
    transfers = reassemble(table(frames))
    assert payloads(transfers) == [b"\x22\x01\x01", ANSWER]
    assert transfers.first_row.tolist() == [0, 1]
    assert transfers.row.tolist() == [0, 10]
    assert transfers.ts.tolist() == [0, 10 * MS]
    assert transfers.flow_controls == 1
    assert transfers.faults == {}


def test_long_answer_has_a_length_of_32_bits() -> None:
    payload = bytes(number % 251 for number in range(5000))
    assert payloads(reassemble(table(frames_of(payload)))) == [payload]


@pytest.mark.parametrize("size", [1, 7, 8, 9, 10, 20, 62, 63, 64, 65, 300, 4095, 4096])
@pytest.mark.parametrize("frame_bytes", [8, 12, 64])
@pytest.mark.parametrize("address", [b"", b"\xf1"])
def test_every_length_comes_back(size: int, frame_bytes: int, address: bytes) -> None:
    payload = bytes(number % 256 for number in range(size))
    sent = segmented(payload, frame_bytes=frame_bytes, address=address)
    addressing = Addressing.EXTENDED if address else Addressing.NORMAL
    transfers = reassemble(table([(0x612, frame) for frame in sent]), addressing=addressing)
    assert payloads(transfers) == [payload]
    assert transfers.address.tolist() == list(address or b"\0")
    assert transfers.faults == {}


def test_ids_and_buses_interleave() -> None:
    first, second = segmented(ANSWER), segmented(ANSWER[::-1])
    pairs = [frame for pair in zip(first, second, strict=True) for frame in pair]
    size = len(pairs)
    for can_ids, buses in ((0x7EC, [0, 1]), ([0x7EC, 0x18DAF110], 0)):
        transfers = reassemble(
            FrameTable.of(
                ts=range(size),
                can_id=[can_ids] * size if isinstance(can_ids, int) else can_ids * (size // 2),
                bus=buses * (size // 2) if isinstance(buses, list) else buses,
                is_extended=[isinstance(can_ids, list) and n % 2 == 1 for n in range(size)],
                data=pairs,
            )
        )
        assert payloads(transfers) == [ANSWER, ANSWER[::-1]]


def test_addresses_of_one_id_interleave() -> None:
    first = segmented(ANSWER, address=b"\x40")
    second = segmented(ANSWER[::-1], address=b"\xe0")
    pairs = [(0x758, frame) for pair in zip(first, second, strict=True) for frame in pair]
    transfers = reassemble(table(pairs), addressing=Addressing.EXTENDED)
    assert payloads(transfers) == [ANSWER, ANSWER[::-1]]
    assert transfers.address.tolist() == [0x40, 0xE0]


def test_only_wanted_ids_are_taken() -> None:
    frames = [*frames_of(ANSWER, 0x7EC), *frames_of(ANSWER, 0x18DAF110), (0x123, b"\xff")]
    transfers = reassemble(table(frames), ids=[0x18DAF110])
    assert transfers.can_id.tolist() == [0x18DAF110]
    assert transfers.faults == {}


def test_error_and_remote_frames_carry_nothing() -> None:
    frames = FrameTable.of(
        ts=[0, 1],
        can_id=[0x7E8] * 2,
        data=[b"\x01\x3e"] * 2,
        is_error=[True, False],
        is_remote=[False, True],
    )
    assert len(reassemble(frames)) == 0


@pytest.mark.parametrize(
    ("order", "fault", "good"),
    [
        ([0, 1, 3, 4], TransferFault.LOST, 1),
        ([0, 1, 1, 2], TransferFault.WRONG_SEQUENCE, 1),
        ([0, 2, 1, 3], TransferFault.LOST, 0),
        ([0, 1, 2], TransferFault.UNFINISHED, 2),
    ],
)
def test_what_breaks_is_counted_and_cut(
    order: Sequence[int], fault: TransferFault, good: int
) -> None:
    sent = frames_of(ANSWER)
    transfers = reassemble(table([sent[number] for number in order] + frames_of(b"next")))
    assert payloads(transfers) == [b"next"]
    assert payloads(transfers, complete=False) == [ANSWER[: 6 + 7 * good]]
    assert transfers.length.tolist() == [62, 4]
    assert transfers.faults == {fault: 1}


def test_frames_without_a_first_one_are_unexpected() -> None:
    sent = frames_of(ANSWER)
    transfers = reassemble(table([*sent[2:], *frames_of(b"next"), *sent[1:3]]))
    assert payloads(transfers) == [b"next"]
    assert transfers.faults == {TransferFault.UNEXPECTED: len(sent)}


def test_next_frame_after_a_long_time_belongs_to_something_else() -> None:
    sent = frames_of(ANSWER)
    later = [number * MS for number in range(4)] + [10**11 + n for n in range(len(sent) - 4)]
    transfers = reassemble(table(sent, ts=later))
    assert payloads(transfers, complete=False) == [ANSWER[:27]]
    assert transfers.faults == {TransferFault.LATE: 1}


def test_short_frame_in_the_middle_breaks() -> None:
    sent = frames_of(ANSWER)
    sent[2] = (0x7EC, sent[2][1][:5])
    transfers = reassemble(table(sent))
    assert payloads(transfers, complete=False) == [ANSWER[: 6 + 7 + 4]]
    assert transfers.faults == {TransferFault.SHORT: 1}


def test_payload_longer_than_any_cars_is_not_taken() -> None:
    giant = bytes.fromhex("1000FFFFFFFF0102")
    transfers = reassemble(table([(0x7EC, giant), (0x7EC, b"\x21" + bytes(7))]))
    assert len(transfers) == 0
    assert transfers.faults == {TransferFault.TOO_LONG: 1}


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x00" * 8,  # a single frame of nothing
        b"\x07\x01\x02",  # of more than there is
        b"\x08" + b"\x01" * 7,
        b"\x05" + b"\x01" * 63,  # CAN FD has its own form
        b"\x00\x3f" + b"\x01" * 62,
        b"\x10\x14\x01",  # a first frame fills its frame
        b"\x10\x06" + b"\x01" * 6,  # and has a second
        b"\x10\x00\x00\x00\x00\x40" + b"\x01" * 2,  # 32 bits are for long ones
        b"\x21",
        b"\x33\x00\x00",
        b"\x30\x00",
        b"\x40" + b"\x01" * 7,
        b"\xff" * 8,
    ],
)
def test_frame_that_the_standard_ignores_is_malformed(frame: bytes) -> None:
    sent = frames_of(ANSWER)
    transfers = reassemble(table([*sent[:3], (0x7EC, frame), *sent[3:]]))
    assert payloads(transfers) == [ANSWER]
    assert transfers.faults == {TransferFault.MALFORMED: 1}


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_chunks_give_what_the_whole_gives(size: int) -> None:
    sent = frames_of(ANSWER)
    log = [*sent, (0x7E4, b"\x30\x00\x00"), *sent[:4], *frames_of(b"next"), *sent[:2]]
    whole = reassemble(table(log))
    reassembler, found = IsoTpReassembler(), []
    for begin in range(0, len(log), size):
        part = reassembler.feed(table(log[begin : begin + size]))
        assert ((part.row >= 0) & (part.row < size)).all()
        found += everything(part)
    found += everything(reassembler.finish())
    assert found == everything(whole) == [ANSWER, ANSWER[:27], b"next", ANSWER[:13]]
    assert whole.row.tolist() == [8, 13, 14, 16]
    assert payloads(reassembler.finish()) == []


def test_what_began_in_an_earlier_chunk_has_a_row_before_this_one() -> None:
    sent = frames_of(ANSWER)
    reassembler = IsoTpReassembler()
    assert len(reassembler.feed(table(sent[:4]))) == 0
    assert len(reassembler.feed(table(sent[4:6]))) == 0
    rest = reassembler.feed(table(sent[6:]))
    assert (rest.first_row.tolist(), rest.row.tolist()) == ([-6], [2])


def test_endless_beginnings_take_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isotp, "MAX_WAITING_FRAMES", 100)
    reassembler = IsoTpReassembler()
    first = segmented(ANSWER)[0]
    unfinished = 0
    for block in range(5):
        ids = range(0x10000 + 100 * block, 0x10000 + 100 * block + 200)
        part = reassembler.feed(table([(can_id, first) for can_id in ids]))
        unfinished += part.faults[TransferFault.UNFINISHED]
    rest = reassembler.finish()
    assert rest.faults == {TransferFault.UNFINISHED: 100}
    assert unfinished + 100 == 5 * 200


def test_matrix_has_zeros_past_the_end() -> None:
    transfers = reassemble(table([(1, b"\x02\x05\x06"), (1, b"\x03\x07\x08\x09")]))
    numbers = np.array([1, 0])
    assert transfers.matrix(numbers, 1, 3).tolist() == [[8, 9, 0], [6, 0, 0]]
    assert transfers.matrix(numbers, np.array([0, 9]), 2).tolist() == [[7, 8], [0, 0]]


SENDERS = st.lists(
    st.tuples(
        st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=4),
        st.sampled_from([8, 64]),
    ),
    min_size=1,
    max_size=4,
)


@given(SENDERS, st.randoms(use_true_random=False))
def test_any_payloads_in_any_interleaving_come_back(senders, random) -> None:  # type: ignore[no-untyped-def]
    queues = {
        0x7E8 + number: [frame for load in loads for frame in segmented(load, frame_bytes=size)]
        for number, (loads, size) in enumerate(senders)
    }
    log = []
    while any(queues.values()):
        can_id = random.choice([can_id for can_id, queue in queues.items() if queue])
        log.append((can_id, queues[can_id].pop(0)))
    transfers = reassemble(table(log))
    for number, (loads, _) in enumerate(senders):
        mine = np.flatnonzero(transfers.can_id == 0x7E8 + number)
        assert [transfers.payload_of(int(row)) for row in mine] == loads
    assert transfers.faults == {}
    assert transfers.is_complete.all()


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=4), st.data())
def test_a_lost_frame_never_gives_a_wrong_payload(loads: list[bytes], data: st.DataObject) -> None:
    log = [(0x7E8, frame) for load in loads for frame in segmented(load)]
    lost = data.draw(st.integers(0, len(log) - 1))
    transfers = reassemble(table(log[:lost] + log[lost + 1 :]))
    left = list(loads)
    for payload in payloads(transfers):
        left = left[left.index(payload) + 1 :]
    assert len(payloads(transfers)) == len(loads) - 1
    for prefix in payloads(transfers, complete=False):
        assert any(load.startswith(prefix) for load in loads)


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=64)), max_size=60), st.booleans())
def test_any_frames_are_safe(frames: list[tuple[int, bytes]], has_address: bool) -> None:
    addressing = Addressing.EXTENDED if has_address else Addressing.NORMAL
    whole = reassemble(table(frames), addressing=addressing)
    assert (whole.sizes <= whole.length).all()
    reassembler = IsoTpReassembler(addressing=addressing)
    parts = [reassembler.feed(table(frames[at : at + 5])) for at in range(0, len(frames), 5)]
    parts.append(reassembler.finish())
    found = [load for part in parts for load in payloads(part)]
    assert sorted(found) == sorted(payloads(whole))
    assert sum(sum(part.faults.values()) for part in parts) == sum(whole.faults.values())
