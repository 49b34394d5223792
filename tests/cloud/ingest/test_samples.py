"""Samples in JSON of a shape that is known are read as one by one, whatever their bytes."""

import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contactor.can.kernels import SWITCH
from contactor.cloud.ingest import intake as intake_module
from contactor.cloud.ingest.arrays.sample_scan import read_number, scaled
from contactor.cloud.ingest.arrays.samples import read_known
from contactor.cloud.ingest.intake import Intake
from contactor.cloud.ingest.shapes import MAX_SHAPES, Shapes, shape_of
from contactor.signals.batch import RowsBatch
from tests.cloud.ingest.test_take_many import left_by
from tests.cloud.lake.samples import GEAR, SPEED, VIN

NOW_NS = 2**61
MOVING = "Vehicle.IsMoving"
# RFC 8259, section 6.
NUMBER = re.compile(rb"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
DECIMAL = st.from_regex(
    rb"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?", fullmatch=True
)
CELLS: dict[str, st.SearchStrategy[object]] = {
    SPEED: st.none() | st.floats(0, 200) | st.integers(0, 200),
    GEAR: st.none() | st.integers(-1, 5),
    MOVING: st.none() | st.booleans(),
    VIN: st.sampled_from(["", "A", "AB", "ABC", "AÄ", 'A"', "A\\", "A\n"]),
}
# In this order: in another they have another shape.
VALUES = st.tuples(*CELLS.values()).map(lambda cells: dict(zip(CELLS, cells, strict=True)))
SAMPLE = st.tuples(st.integers(0, 2**41), VALUES).map(lambda one: {"ts": one[0], "values": one[1]})
WRONG = st.sampled_from(
    [
        ("ts", -1),
        ("ts", 2**43),
        *((SPEED, one) for one in (-1.5, 1e40, True, "1")),
        *((GEAR, one) for one in (128, -129, 10**19, 2.0, False)),
        (MOVING, 1),
        *((VIN, one) for one in (None, 7)),
    ]
)


def number_of(text: bytes) -> float | None:
    """What the kernel reads of a text that is a number as a whole."""
    data = np.frombuffer(text, np.uint8)
    end, digits, power, is_whole = read_number(data, 0, len(data))
    if end != len(text):
        return None
    value, is_exact = scaled(digits, power)
    if not (is_whole and is_exact):
        return float(text)
    return -value if text.startswith(b"-") else value


@given(
    DECIMAL | st.floats(allow_nan=False, allow_infinity=False).map(lambda one: repr(one).encode())
)
@example(b"9007199254740993")
@example(b"-0.0")
@example(b"123456789012345678e-22")
@example(b"5e-324")
@example(b"93000000.00000000000")
@example(b"0.00000000000000000000093000000000000000000")
def test_a_number_is_the_nearest_float(text: bytes) -> None:
    found = number_of(text)
    assert found is not None
    assert np.float64(found).tobytes() == np.float64(float(text)).tobytes()


@given(st.text("0123456789.eE+-", max_size=8).map(str.encode))
def test_what_is_no_number_is_none(text: bytes) -> None:
    assert (number_of(text) is not None) == (NUMBER.fullmatch(text) is not None)


@given(st.integers(2**53, 10**18), st.integers(-22, 0))
def test_most_numbers_of_eighteen_digits_need_nobody_else(digits: int, power: int) -> None:
    value, is_exact = scaled(digits, power)
    assert not is_exact or value == float(f"{digits}e{power}")


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    """Samples of one shape, some of them wrong, written otherwise or damaged."""
    one: Any = draw(SAMPLE | st.lists(SAMPLE, max_size=3))
    if one and draw(st.integers(0, 3)) == 0:
        sample = one if isinstance(one, dict) else one[-1]
        name, value = draw(WRONG)
        (sample if name == "ts" else sample["values"])[name] = value
    is_ascii, indent = draw(st.booleans()), draw(st.sampled_from([None, 1]))
    payload = bytearray(json.dumps(one, ensure_ascii=is_ascii, indent=indent).encode())
    if draw(st.integers(0, 9)) == 0:
        payload[draw(st.integers(0, len(payload) - 1))] = draw(st.integers(0, 255))
    if draw(st.integers(0, 19)) == 0:
        del payload[draw(st.integers(1, len(payload))) :]
    return bytes(payload)


def test_they_are_read_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "1")
    monkeypatch.setattr(intake_module, "MANY_BYTES", 1)
    values = dict(zip(CELLS, (1.5, 2, True, "A"), strict=True))
    learnt = [{"ts": 5, "values": values}, [{"ts": 6, "values": values}]]
    taught = [("a", json.dumps(one, indent=by).encode()) for one in learnt for by in (None, 1)]

    @settings(max_examples=300)
    @given(st.lists(st.tuples(st.sampled_from("ab"), payloads()), max_size=6))
    def check(some: Sequence[tuple[str, bytes]]) -> None:
        told: tuple[list[RowsBatch], list[RowsBatch]] = ([], [])
        alone = Intake([], number=1, on_batch=told[0].append)
        for vehicle_id, payload in [*taught, *some]:
            alone.take(vehicle_id, payload, now_ns=NOW_NS)
        together = Intake([], number=1, on_batch=told[1].append)
        together.take_many(taught, now_ns=NOW_NS)
        together.take_many(some, now_ns=NOW_NS)
        assert left_by(together, told[1]) == left_by(alone, told[0])

    check()


@pytest.mark.parametrize("ts", ['"2024-05-01T08:00:00Z"', "1714550400000"])
def test_a_shape_that_was_learnt_is_read_without_help(ts: str) -> None:
    shapes = Shapes()
    text = f'[{{"values": {{"{SPEED}": %s, "{VIN}": "%s"}}, "ts": {ts}}}]'
    shapes.learn((text % (1, "A")).encode())
    some = [(name, (text % (number, "ä")).encode()) for number, name in enumerate("aba")]
    found = read_known(some, shapes, now_ns=NOW_NS, latest_ns=NOW_NS)
    assert (found.odd, found.vehicles, found.read.tolist()) == ([], ("a", "b"), [2, 1])
    drive = next(one for one in found.batches if one.columns[0].path == SPEED)
    assert drive.columns[0].values.tolist() == [0, 2, 1]
    assert set(drive.ts.tolist()) == {1_714_550_400 * 10**9}


def test_a_raw_line_break_in_a_text_is_no_json() -> None:
    shapes = Shapes()
    text = f'{{"values": {{"{VIN}": "A%s"}}}}'
    shapes.learn((text % "").encode())
    some = [("a", (text % letter).encode()) for letter in "B\n"]
    assert read_known(some, shapes, now_ns=NOW_NS, latest_ns=NOW_NS).odd == [1]


@pytest.mark.parametrize(
    "text",
    [
        '{"values": {}}',
        '{"values": {"Vehicle.Flux": 1}}',
        f'{{"values": {{"{SPEED}": [1]}}}}',
        f'{{"values": {{"{SPEED}": "1"}}}}',
        f'{{"values": {{"{SPEED}": 1, "{SPEED}": 2}}}}',
        f'{{"stream": 1, "sequence": 2, "samples": [{{"values": {{"{SPEED}": 1}}}}]}}',
        f'{{"values": {{"{SPEED}": 1}}, "ts": null}}',
        "[]",
    ],
)
def test_what_is_out_of_the_ordinary_has_no_shape(text: str) -> None:
    assert shape_of(text.encode()) is None


def test_so_many_shapes_are_known_and_no_more() -> None:
    shapes = Shapes()
    for spaces in range(MAX_SHAPES + 5):
        shapes.learn(f'{{"values": {{{" " * spaces}"{SPEED}": 1}}}}'.encode())
    assert len(shapes) == MAX_SHAPES
    assert max(len(one.literals[0]) for one in shapes) > MAX_SHAPES
