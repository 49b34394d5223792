import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.errors import MalformedRecord
from contactor.link.command_messages import (
    MAX_BYTES,
    Report,
    decode_command,
    decode_report,
    encode_command,
    encode_report,
)
from contactor.signals.command import Command, CommandState, may_follow

VALUES = st.one_of(
    st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text()
)


@given(value=VALUES, state=st.sampled_from(CommandState))
def test_command_comes_back_as_it_was_sent(value: bool | int | float | str, state: CommandState):
    command = Command(
        id="c-1",
        vehicle_id="leaf",
        path="Vehicle.Speed",
        value=value,
        issued_by="owner",
        issued_at=1,
        expires_at=2,
        state=state,
    )
    back = decode_command(encode_command(command))
    assert back == command
    assert type(back.value) is type(value)


@given(state=st.sampled_from(CommandState), reason=st.none() | st.text(max_size=400))
def test_report_comes_back_as_it_was_sent(state: CommandState, reason: str | None):
    report = Report("leaf", "c-1", state, reason)
    assert decode_report(encode_report(report)) == report


@given(payload=st.binary(max_size=200))
def test_bytes_that_are_no_command_are_refused(payload: bytes):
    for decode in (decode_command, decode_report):
        with pytest.raises(MalformedRecord):
            decode(payload)


def test_command_over_the_limit_is_refused_unread():
    with pytest.raises(MalformedRecord, match="the limit is"):
        decode_command(bytes(MAX_BYTES + 1))


def test_state_never_turns_back():
    for earlier in CommandState:
        assert not may_follow(earlier, earlier)
        for later in CommandState:
            assert not (may_follow(later, earlier) and may_follow(earlier, later))
            if earlier.is_final:
                assert not may_follow(later, earlier)
    assert may_follow(CommandState.DONE, CommandState.QUEUED)
