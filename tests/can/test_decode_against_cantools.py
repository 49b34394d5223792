"""The values of both decode paths against cantools, whose values they must equal exactly."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.plan import compile_plan
from tests.can.against_cantools import (
    CAN_ID,
    are_same,
    databases,
    decoded_by_peer,
    decoded_by_us,
    loaded,
    on_a_branch,
)


def check_values(generated: tuple[str, int], draw: st.DataObject) -> None:
    text, length = generated
    database, message = loaded(text)
    whole = draw.draw(st.lists(st.binary(min_size=length, max_size=length), max_size=8))
    chance = random.Random(draw.draw(st.integers(0, 1 << 16)))
    payloads = [
        *(on_a_branch(message, payload, chance) for payload in whole),
        *draw.draw(st.lists(st.binary(max_size=length), min_size=1, max_size=4)),
    ]
    plan = compile_plan(database)
    assert not plan.left_out
    readings = decoded_by_us(plan, CAN_ID, False, payloads)
    for payload, reading in zip(payloads, readings, strict=True):
        expected = decoded_by_peer(message, payload)
        assert expected is None or are_same(reading, expected)


@pytest.mark.fuzz
@given(databases(), st.data())
def test_values_are_those_of_cantools_for_any_database_and_payload(
    generated: tuple[str, int], draw: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTACTOR_KERNELS", "0")
        check_values(generated, draw)


@pytest.mark.fuzz
@given(databases(), st.data())
def test_compiled_values_are_those_of_cantools_for_any_database_and_payload(
    generated: tuple[str, int], draw: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTACTOR_KERNELS", "1")
        check_values(generated, draw)
