"""The transport protocol of the car's side, frame by frame (ISO 15765-2)."""

import itertools

import pytest

from contactor.car.virtual.diagnostics.isotp import MAX_BYTES, Transport
from contactor.clock import NS_PER_MS, NS_PER_S

REQUEST, ANSWER = 0x7E4, 0x7EC
PAYLOAD = bytes(range(1, 61))


@pytest.fixture
def transport():
    return Transport()


def hear(transport, frame, *, now_ms=0, can_id=REQUEST):
    return transport.hear(can_id, bytes.fromhex(frame), now_ns=now_ms * NS_PER_MS)


def sent(transport, until_ms):
    return [(can_id, data.hex()) for _, can_id, data in transport.due(until_ms * NS_PER_MS)]


def test_single_frame_is_a_request(transport):
    assert hear(transport, "03220101cccccccc") == b"\x22\x01\x01"
    assert hear(transport, "02010d") == b"\x01\x0d"
    assert not transport.is_busy


def test_short_answer_is_one_padded_frame(transport):
    transport.answer(ANSWER, b"\x41\x0d\x32", now_ns=0)
    assert sent(transport, 1) == []
    assert sent(transport, 50) == [(ANSWER, "03410d32cccccccc")]
    assert not transport.is_busy


def test_long_request_is_put_together(transport):
    assert hear(transport, "100c2ef198414243") is None
    assert sent(transport, 1) == [(ANSWER, "300000cccccccccc")]
    assert hear(transport, "21444546474849cc") == bytes.fromhex("2ef198414243444546474849")
    assert not transport.is_busy


def test_long_answer_waits_for_flow_control(transport):
    transport.answer(ANSWER, PAYLOAD, now_ns=0)
    assert sent(transport, 100) == [(ANSWER, "103c010203040506")]
    assert sent(transport, 200) == []
    hear(transport, "300000", now_ms=200)
    frames = sent(transport, 300)
    assert [data[:2] for _, data in frames] == [f"2{number}" for number in range(1, 9)]
    assert bytes.fromhex("".join(data[2:] for _, data in frames))[:54] == PAYLOAD[6:]
    assert not transport.is_busy


def test_block_size_is_kept(transport):
    transport.answer(ANSWER, PAYLOAD, now_ns=0)
    transport.due(NS_PER_MS * 10)
    hear(transport, "300300", now_ms=10)
    assert len(sent(transport, 100)) == 3
    assert sent(transport, 200) == []
    hear(transport, "30ff00", now_ms=200)
    assert [data[:2] for _, data in sent(transport, 300)] == ["24", "25", "26", "27", "28"]


@pytest.mark.parametrize(
    ("code", "apart_ns"),
    [
        ("14", 20_000_000),
        ("f3", 300_000),
        ("00", 250_000),
        ("f1", 250_000),
        ("80", 127_000_000),
        ("ff", 127_000_000),
    ],
)
def test_least_time_between_frames_is_kept(transport, code, apart_ns):
    transport.answer(ANSWER, PAYLOAD, now_ns=0)
    transport.due(NS_PER_MS * 10)
    hear(transport, "3000" + code, now_ms=10)
    ts = [ts for ts, _, _ in transport.due(2 * NS_PER_S)]
    assert {after - before for before, after in itertools.pairwise(ts)} == {apart_ns}


def test_frames_that_are_due_later_come_later(transport):
    transport.answer(ANSWER, PAYLOAD, now_ns=0)
    transport.due(NS_PER_MS * 10)
    hear(transport, "300064", now_ms=10)
    assert [len(sent(transport, until_ms)) for until_ms in (100, 200, 300)] == [1, 1, 1]


def test_tester_may_ask_for_patience(transport):
    transport.answer(ANSWER, PAYLOAD, now_ns=0)
    transport.due(NS_PER_MS * 10)
    hear(transport, "310000", now_ms=900)
    assert sent(transport, 1800) == []
    hear(transport, "300000", now_ms=1800)
    assert len(sent(transport, 1900)) == 8


@pytest.mark.parametrize(
    ("frames", "cause"),
    [
        (["320000"], "too long"),
        (["350000"], "flow"),
        (["310000"] * 17, "flow"),
        (["3000"], "unexpected"),
    ],
)
def test_answer_ends_where_the_tester_will_not_have_it(transport, frames, cause):
    transport.answer(ANSWER, PAYLOAD, now_ns=0)
    transport.due(NS_PER_MS * 10)
    for frame in frames:
        hear(transport, frame, now_ms=10)
    assert transport.dropped[cause] == 1
    assert sent(transport, 500) == []
    transport.due(3 * NS_PER_S)
    assert not transport.is_busy


def test_silence_of_a_second_ends_a_transfer(transport):
    transport.answer(ANSWER, PAYLOAD, now_ns=0)
    hear(transport, "100c2ef198414243", can_id=0x7E0)
    transport.due(1_003 * NS_PER_MS)
    assert not transport.is_busy
    assert transport.dropped == {"timeout": 2}


@pytest.mark.parametrize(
    ("frames", "dropped"),
    [
        ([""], {"empty": 1}),
        (["00"], {"length": 1}),
        (["0722"], {"length": 1}),
        (["08" + "22" * 7], {"length": 1}),
        (["1005222222222222"], {"length": 1}),
        (["100c22"], {"length": 1}),
        (["1000000100002222"], {"too long": 1}),
        (["21222222"], {"unexpected": 1}),
        (["300000"], {"unexpected": 1}),
        (["4022"], {"kind": 1}),
        (["f022"], {"kind": 1}),
        (["100c2ef198414243", "22444546474849cc"], {"sequence": 1}),
        (["100c2ef198414243", "21444546"], {"length": 1}),
        (["100c2ef198414243", "100c2ef198414243"], {"replaced": 1}),
        (["100c2ef198414243", "023e"], {"length": 1}),
    ],
)
def test_frames_that_fit_nothing_are_counted(transport, frames, dropped):
    assert [hear(transport, frame) for frame in frames] == [None] * len(frames)
    assert transport.dropped == dropped


def test_what_goes_to_all_is_one_frame(transport):
    assert hear(transport, "100c2ef198414243", can_id=0x7DF) is None
    assert transport.dropped == {"kind": 1}


def test_new_request_ends_the_answer_before(transport):
    transport.answer(ANSWER, PAYLOAD, now_ns=0)
    transport.due(NS_PER_MS * 10)
    assert hear(transport, "02010d", now_ms=20) == b"\x01\x0d"
    assert transport.dropped == {"replaced": 1}
    assert not transport.is_busy


@pytest.mark.parametrize("size", [0, MAX_BYTES + 1])
def test_payload_that_no_transfer_holds_is_refused(transport, size):
    with pytest.raises(ValueError, match=f"payload of {size} bytes; allowed: 1 to 4095"):
        transport.answer(ANSWER, bytes(size), now_ns=0)
