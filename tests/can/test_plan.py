from dataclasses import replace

import pytest

from contactor.can.database import Database, MessageFormat, SignalFormat
from contactor.can.plan import NO_PARENT, DecodePlan, LeftOut, compile_plan
from contactor.errors import InvalidValue, UsageError
from tests.can.plain_signal import PLAIN

SPEED = replace(PLAIN, name="Speed", length=10, unit="km/h")


def database(*signals: SignalFormat, name: str = "ABS", can_id: int = 0x123) -> Database:
    return Database((MessageFormat(name, can_id, False, 8, None, signals, "car.dbc"),))


def names(plan: DecodePlan) -> list[str]:
    return [signal.name for message in plan.messages for signal in message.signals]


def test_multiplexers_come_before_what_depends_on_them() -> None:
    leaf = replace(SPEED, name="Leaf", multiplexer="Page", multiplexer_ids=(1, 2))
    page = replace(
        SPEED, name="Page", multiplexer="Book", multiplexer_ids=(0,), is_multiplexer=True
    )
    book = replace(SPEED, name="Book", is_multiplexer=True)
    signals = compile_plan(database(leaf, page, book)).messages[0].signals
    assert [signal.name for signal in signals] == ["Book", "Page", "Leaf"]
    assert [signal.parent for signal in signals] == [NO_PARENT, 0, 1]
    assert signals[2].parent_ids == (1, 2)


def test_signal_with_the_name_of_its_own_multiplexer_hangs_nothing() -> None:
    page = replace(SPEED, name="Page", is_multiplexer=True)
    twin = replace(SPEED, name="Page", multiplexer="Page", multiplexer_ids=(1,))
    signals = compile_plan(database(page, twin)).messages[0].signals
    assert [signal.parent for signal in signals] == [NO_PARENT, 0]


def test_bits_and_bytes_of_both_byte_orders() -> None:
    little = compile_plan(database(replace(SPEED, start=13, length=10))).messages[0].signals[0]
    assert (little.is_little, little.first_bit, little.bytes_needed) == (True, 13, 3)
    motorola = replace(SPEED, start=5, length=10, byte_order="big_endian")
    big = compile_plan(database(motorola)).messages[0].signals[0]
    assert (big.is_little, big.first_bit, big.bytes_needed) == (False, 2, 2)


def test_signals_are_chosen_by_full_name_message_or_signal() -> None:
    doors = MessageFormat("Doors", 0x60D, False, 8, None, (replace(SPEED, name="Open"),), "car.dbc")
    both = Database((*database(SPEED, replace(SPEED, name="Odometer")).messages, doors))
    assert names(compile_plan(both)) == ["Speed", "Odometer", "Open"]
    assert names(compile_plan(both, signals=["ABS.Speed"])) == ["Speed"]
    assert names(compile_plan(both, signals=["ABS"])) == ["Speed", "Odometer"]
    assert names(compile_plan(both, signals=["Open", "Odometer"])) == ["Odometer", "Open"]
    assert names(compile_plan(both, signals=[])) == []
    assert len(compile_plan(both, signals=[]).messages) == 2


def test_multiplexer_of_a_chosen_signal_is_decoded_but_not_wanted() -> None:
    mux = replace(SPEED, name="Page", is_multiplexer=True)
    leaf = replace(SPEED, name="Leaf", multiplexer="Page", multiplexer_ids=(1,))
    signals = compile_plan(database(mux, leaf), signals=["Leaf"]).messages[0].signals
    assert [(signal.name, signal.is_wanted) for signal in signals] == [
        ("Page", False),
        ("Leaf", True),
    ]


def test_unknown_signal_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match=r"no signal 'ABS\.Sped'; near: ABS\.Speed"):
        compile_plan(database(SPEED), signals=["ABS.Sped"])
    with pytest.raises(UsageError, match=r"no signal 'spd'; near: Speed"):
        compile_plan(database(SPEED), signals=["spd"])
    with pytest.raises(UsageError, match=r"no signal 'ABS\.Sped'"):
        compile_plan(database(SPEED), unavailable={"ABS.Sped": [1]})


def test_unavailable_values_are_numbers_or_bit_patterns() -> None:
    signed = database(replace(SPEED, is_signed=True))
    for raw in (-1, 0x3FF):
        plan = compile_plan(signed, unavailable={"ABS.Speed": [raw]})
        assert plan.messages[0].signals[0].unavailable == (0x3FF,)


def test_unavailable_value_that_does_not_fit_is_refused() -> None:
    for raw in (0x400, -513):
        with pytest.raises(InvalidValue, match=f"{raw} does not fit 10 bits"):
            compile_plan(database(SPEED), unavailable={"ABS.Speed": [raw]})


@pytest.mark.parametrize("text", ["Not available", "Not_Available", "SNA", "signal unavailable"])
def test_value_labelled_not_available_is_known(text: str) -> None:
    labelled = replace(
        SPEED, labels={0: "Stopped", 1: "Invalid", 2: "Unavailable soon", 1023: text}
    )
    assert compile_plan(database(labelled)).messages[0].signals[0].unavailable == (1023,)


def test_signals_that_cannot_be_decoded_are_left_out_by_name() -> None:
    plan = compile_plan(
        database(
            replace(SPEED, name="Wide", length=65),
            replace(SPEED, name="Real", length=24, is_float=True),
            replace(SPEED, name="Huge", scale=10**308, length=64),
            replace(SPEED, name="Beyond", scale=0.5, offset=-(10**400)),
            replace(SPEED, name="Lost", multiplexer="Wide", multiplexer_ids=(1,)),
            SPEED,
        )
    )
    assert names(plan) == ["Speed"]
    assert plan.left_out == (
        LeftOut("ABS.Wide", "65 bits do not fit a number of 64"),
        LeftOut("ABS.Real", "no IEEE 754 number has 24 bits"),
        LeftOut("ABS.Huge", "its values are beyond the largest float64"),
        LeftOut("ABS.Beyond", "its values are beyond the largest float64"),
        LeftOut("ABS.Lost", "its multiplexer Wide is not there"),
    )


def test_name_in_two_databases_is_shared() -> None:
    (message,) = database(SPEED).messages
    plan = compile_plan(Database((message,), frozenset({"ABS"})))
    assert plan.messages[0].is_shared_name
    assert not compile_plan(Database((message,))).messages[0].is_shared_name


def test_all_bits_set_is_not_available_where_a_j1939_database_has_a_range_below_it() -> None:
    ranged = replace(SPEED, maximum=1000)
    (truck,) = database(ranged).messages

    def unavailable(signal: SignalFormat, *, is_j1939: bool = True) -> tuple[int, ...]:
        message = replace(truck, signals=(signal,), is_j1939=is_j1939)
        return compile_plan(Database((message,))).messages[0].signals[0].unavailable

    assert unavailable(ranged) == (1023,)
    assert unavailable(ranged, is_j1939=False) == ()
    assert unavailable(SPEED) == ()
    assert unavailable(replace(SPEED, maximum=1023)) == ()
    assert unavailable(replace(ranged, labels={1023: "All"})) == ()
    assert unavailable(replace(ranged, is_signed=True)) == ()
    assert unavailable(replace(ranged, scale=0.5, maximum=511)) == (1023,)
    assert unavailable(replace(SPEED, length=1, maximum=0)) == ()
