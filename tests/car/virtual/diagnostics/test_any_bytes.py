"""Whatever a tester sends, it is answered in form or not at all; nothing breaks or grows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.frames import FrameTable
from contactor.car.adapters.elm327_interpreter import Interpreter
from contactor.car.virtual.car import VirtualCar
from contactor.car.virtual.diagnostics.ecus import REQUEST_IDS
from contactor.car.virtual.diagnostics.isotp import MAX_BYTES
from contactor.clock import NS_PER_MS
from contactor.physics.plan import PlanKind
from tests.car.virtual.conftest import NOON_NS

pytestmark = pytest.mark.fuzz

FIRST = st.sampled_from([0x01, 0x03, 0x09, 0x10, 0x11, 0x14, 0x19, 0x22, 0x27, 0x2E, 0x3E])
REQUESTS = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda first, rest: bytes([first]) + rest, FIRST, st.binary(max_size=20)),
)
FRAMES = st.tuples(st.sampled_from((*REQUEST_IDS, 0x7E8, 0x123)), st.binary(max_size=8))
LINES = st.one_of(st.text(max_size=40), st.from_regex(r"(AT)?[A-Z0-9@ ]{0,18}", fullmatch=True))


@pytest.fixture(scope="module")
def car(profile):
    return VirtualCar(profile, start_ns=NOON_NS, plan=PlanKind.PARKED)


@given(can_id=st.sampled_from(REQUEST_IDS), request_bytes=REQUESTS)
def test_any_request_is_answered_in_form(car, can_id, request_bytes):
    for answer_id, answer in car.diagnose(can_id, request_bytes):
        assert answer_id in {0x7E8, 0x7EA, 0x7EC}
        assert 0 < len(answer) <= MAX_BYTES
        is_refusal = answer[:2] == bytes([0x7F, request_bytes[0]]) and len(answer) == 3
        assert is_refusal or answer[0] == request_bytes[0] + 0x40


@given(st.lists(FRAMES, max_size=12))
def test_any_frames_are_heard(car, frames):
    ids, data = [one for one, _ in frames], [one for _, one in frames]
    car.receive(FrameTable.of(ts=[0] * len(frames), can_id=ids, data=data))
    told = car.advance(car.now_ns + 100 * NS_PER_MS)
    assert (told.ts[1:] >= told.ts[:-1]).all()
    assert told.ts[-1] <= car.now_ns


@given(st.lists(LINES, max_size=6))
def test_any_line_ends_in_a_prompt(car, lines):
    interpreter = Interpreter(car)
    for line in lines:
        answer = interpreter.answer(line)
        assert answer.endswith(("\r\r>", "\r>", "\r\n\r\n>", "\r\n>"))
