"""A few frames at once are decoded to the very same columns as signal by signal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contactor.can.decode import decode_group
from contactor.can.few import columns_of, few_plan_of
from contactor.can.frames import FrameTable
from contactor.can.groups import group_frames
from contactor.can.plan import compile_plan
from contactor.car.profiles.profile import load_profile

PROFILES = ("contactor_ev", "nissan_leaf_ze0", "nissan_leaf_ze1")
PLANS = {
    name: compile_plan(profile.database, unavailable=profile.map.unavailable)
    for name, profile in ((one, load_profile(one)) for one in PROFILES)
}


def assert_same(frames, plan):
    groups = group_frames(frames, plan).groups
    few = columns_of(frames, plan, groups)
    for number, columns in few.items():
        group = groups[number]
        slow = [one for _, one in decode_group(frames, group.label, group.message, group.rows)]
        assert [one.name for one in columns] == [one.name for one in slow]
        for one, other in zip(columns, slow, strict=True):
            for what in ("rows", "raw", "values", "is_unavailable"):
                made, expected = getattr(one, what), getattr(other, what)
                assert made.dtype == expected.dtype, (one.name, what)
                assert np.array_equal(made, expected), (one.name, what)
            assert (one.unit, one.labels) == (other.unit, other.labels)
    return few


@pytest.mark.parametrize("name", PROFILES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_few_frames_are_decoded_as_one_by_one(name, data):
    plan = PLANS[name]
    ids = [message.can_id for message in plan.messages]
    length = st.one_of(st.just(8), st.integers(0, 8))
    frame = st.tuples(
        st.sampled_from(ids), length.flatmap(lambda n: st.binary(min_size=n, max_size=n))
    )
    some = data.draw(st.lists(frame, min_size=1, max_size=30))
    can_id, payloads = zip(*some, strict=True)
    assert_same(FrameTable.of(ts=range(len(some)), can_id=can_id, data=payloads), plan)


def test_all_of_our_own_car_is_simple():
    plan = PLANS["contactor_ev"]
    assert len(few_plan_of(plan).messages) == len(plan.messages)
    frames = FrameTable.of(ts=range(3), can_id=[0x100, 0x120, 0x120], data=[bytes(8)] * 3)
    found = assert_same(frames, plan)
    assert [len(columns) for columns in found.values()] == [5, 5]


def test_longer_frames_are_left_to_others():
    frames = FrameTable.of(ts=[0], can_id=[0x100], data=[bytes(16)], is_fd=True)
    plan = PLANS["contactor_ev"]
    assert columns_of(frames, plan, group_frames(frames, plan).groups) == {}
