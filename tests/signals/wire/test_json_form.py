"""JSON from anybody: nothing but our errors comes of it."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.errors import InvalidValue, MalformedRecord
from contactor.signals.validation import check_rows
from contactor.signals.wire.json_form import is_json, read_json
from tests.signals.wire.records import PATHS

NOW_NS = 1_714_550_400 * 10**9
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
)
VALUES = st.dictionaries(
    st.sampled_from(PATHS) | st.text(max_size=300), SCALARS | st.lists(SCALARS, max_size=3)
)
INSTANTS = st.integers() | st.datetimes().map(lambda when: when.isoformat() + "Z") | st.text()
SAMPLES = st.fixed_dictionaries({"values": VALUES}, optional={"ts": INSTANTS})
NUMBERED = st.fixed_dictionaries(
    {
        "stream": st.integers(0, 2**65),
        "sequence": st.integers(0, 2**63),
        "samples": st.lists(SAMPLES, max_size=4),
    }
)


@given(SAMPLES | st.lists(SAMPLES, max_size=5) | NUMBERED)
def test_what_looks_like_ours_is_read_or_is_our_error(message: object) -> None:
    payload = json.dumps(message).encode()
    assert is_json(payload)
    with suppress(MalformedRecord, InvalidValue):
        found = read_json(payload).rows(now_ns=NOW_NS)
        for rows in found.groups:
            check_rows(rows)
            assert all(len(column.values) == len(rows) for column in rows.columns)
            assert (rows.ts[1:] >= rows.ts[:-1]).all()


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: ("{" + text).encode()))
def test_anything_else_is_our_error(payload: bytes) -> None:
    with suppress(MalformedRecord, InvalidValue):
        read_json(payload).rows(now_ns=NOW_NS)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"values": {"' + "V" * 256 + '": 1}}',
        '{"values": {"Vehicle.LowVoltageSystemState": "\\ud800"}}',
        '{"ts": 1.5, "values": {}}',
        " " * 1_000_001,
    ],
)
def test_what_is_beyond_a_bound_is_refused(text: str) -> None:
    with pytest.raises(MalformedRecord):
        read_json(text.encode())
