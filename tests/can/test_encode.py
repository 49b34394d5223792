"""Encoding against cantools, whose payloads it must equal, and against our own decoding."""

import math
import random
from dataclasses import replace

import bitstruct
import cantools
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contactor.can.checksum import Checksum
from contactor.can.database import SignalRole, load_database
from contactor.can.decode import decode_columns
from contactor.can.encode import MessageEncoder
from contactor.can.frames import FrameTable
from contactor.can.plan import compile_plan
from contactor.errors import InvalidValue
from tests.can.against_cantools import CAN_ID, databases, loaded, on_a_branch

DBC = """VERSION ""

BU_: X

BO_ 272 Pack: 8 X
 SG_ Checksum : 7|8@0+ (1,0) [0|0] "" X
 SG_ Counter : 11|4@0+ (1,0) [0|0] "" X
 SG_ Voltage : 23|16@0+ (0.1,0) [0|0] "V" X
 SG_ Current : 32|12@1- (0.5,-10) [0|0] "A" X
 SG_ Mode : 44|4@1+ (1,0) [0|0] "" X
 SG_ Fine : 48|16@1- (1,0) [0|0] "" X

BO_ 273 Cells: 4 X
 SG_ Group M : 0|8@1+ (1,0) [0|0] "" X
 SG_ One m0 : 8|12@1+ (0.001,0) [0|0] "V" X
 SG_ Two m1 : 8|12@1+ (0.001,0) [0|0] "V" X
 SG_ Three m1 : 20|12@1+ (0.001,0) [0|0] "V" X

BA_DEF_ SG_ "SignalRole" STRING ;
BA_DEF_DEF_ "SignalRole" "";
BA_ "SignalRole" SG_ 272 Checksum "crc8_j1850";
BA_ "SignalRole" SG_ 272 Counter "counter";
BA_ "SignalRole" SG_ 272 Fine "whatever";
VAL_ 272 Mode 1 "On" 15 "Not available" ;
"""


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "car.dbc"
    path.write_text(DBC, encoding="utf-8")
    return load_database([path])


@pytest.fixture
def pack(database):
    return MessageEncoder(database.message("Pack"), unavailable={"Pack.Voltage": [0xFFFF]})


def column(*values):
    return np.array(values, np.float64)


def theirs(message, values, *, strict=False):
    """cantools' payload, None where it refuses the values."""
    try:
        return message.encode(values, strict=strict)
    except (cantools.database.EncodeError, bitstruct.Error, OverflowError, ValueError):
        return None


def encoded_every_way(encoder, columns, **options):
    """Our payload, None where we refuse: alone, among many by NumPy, and by compiled code."""
    found = []
    for rows, switch in ((1, "0"), (1, "1"), (11, "0"), (11, "1")):
        many = {name: np.repeat(values, rows) for name, values in columns.items()}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CONTACTOR_KERNELS", switch)
            try:
                payloads = encoder.encode(many, **options)
            except InvalidValue as refusal:
                found.append(str(refusal))
            else:
                assert (payloads == payloads[0]).all()
                found.append(payloads[0].tobytes())
    assert len(set(found)) == 1, found
    return found[0] if isinstance(found[0], bytes) else None


def values_of(message, data, draw):
    """Physical values that cantools reads in a payload, some of them moved; None if it does not."""
    data = on_a_branch(message, data, random.Random(draw.draw(st.integers(0, 1 << 16))))
    try:
        values = message.decode_simple(data, decode_choices=False)
    except cantools.database.DecodeError:
        return None
    if not values or any(math.isnan(value) for value in values.values()):
        return None
    shift = draw.draw(st.sampled_from([0, 0, 0.3, -0.49, 1e9]))
    kept = {signal.name for signal in message.signals if signal.is_multiplexer}
    return {
        name: value if name in kept or not shift else value + shift
        for name, value in values.items()
    }


def columns_of(values):
    """Whole numbers as they are, others as float64."""
    return {
        name: np.array([value], object if isinstance(value, int) else np.float64)
        for name, value in values.items()
    }


@pytest.mark.fuzz
@given(databases(), st.booleans(), st.data())
def test_payloads_are_those_of_cantools_for_any_database_and_values(generated, strict, draw):
    text, length = generated
    database, message = loaded(text)
    encoder = MessageEncoder(database.messages[0])
    for data in draw.draw(st.lists(st.binary(min_size=length, max_size=length), max_size=4)):
        values = values_of(message, data, draw)
        if values is None:
            continue
        expected = theirs(message, values, strict=strict)
        payload = encoded_every_way(encoder, columns_of(values), is_strict=strict)
        if payload is None and expected is not None:
            assert_beyond(message, values)
        elif expected is not None or payload is None or strict:
            assert payload == expected


def assert_beyond(message, values):
    """A value that cantools lets through although its signal cannot hold it: infinite floats."""
    raws = {
        signal.name: signal.conversion.numeric_scaled_to_raw(values[signal.name])
        for signal in message.signals
        if signal.name in values and signal.conversion.is_float
    }
    assert any(math.isinf(raw) or abs(raw) > 6e4 for raw in raws.values())


@pytest.mark.fuzz
@given(databases(), st.data())
def test_decoding_what_was_encoded_gives_the_same_values_again(generated, draw):
    text, length = generated
    database, message = loaded(text)
    signals = database.messages[0].signals
    # scaled floats round twice, and a float64 does not tell apart more than 53 bits
    assume(all(not signal.is_float and signal.length <= 50 for signal in signals))
    encoder, plan = MessageEncoder(database.messages[0]), compile_plan(database)
    data = draw.draw(st.binary(min_size=length, max_size=length))
    data = on_a_branch(message, data, random.Random(draw.draw(st.integers(0, 1 << 16))))
    first = decoded(plan, data)
    there = {signal.name: signal.name in first for signal in signals}
    assume(any(there.values()))
    again = decoded(plan, encoder.encode(first)[0].tobytes())
    assert again.keys() == first.keys()
    for name, value in first.items():
        assert again[name] == pytest.approx(value, rel=1e-12)


def decoded(plan, data):
    frames = FrameTable.of(ts=[0], can_id=[CAN_ID], data=[data])
    return {one.signal: one.values for one in decode_columns(frames, plan)}


def test_values_are_rounded_to_the_nearest_raw_half_to_even(pack):
    payloads = pack.encode(
        {
            "Voltage": column(371.24, 371.26),
            "Current": column(-10.25, -9.75),
            "Mode": column(1, 1),
            "Fine": column(2.5, -3.5),
        }
    )
    assert payloads[:, 2:4].tolist() == [[0x0E, 0x80], [0x0E, 0x81]]
    assert payloads[0, 4:].tolist() == [0x00, 0x10, 0x02, 0x00]
    assert payloads[1, 4:].tolist() == [0x00, 0x10, 0xFC, 0xFF]


def test_nan_and_a_missing_column_are_not_available(pack):
    payloads = pack.encode({"Voltage": column(math.nan), "Current": column(0), "Fine": column(0)})
    assert payloads[0, 2:4].tolist() == [0xFF, 0xFF]
    assert payloads[0, 5] >> 4 == 15


def test_nan_is_refused_where_no_raw_value_means_it(pack):
    with pytest.raises(InvalidValue, match=r"Pack\.Current: no value, and no raw value means"):
        pack.encode({"Voltage": column(1), "Current": column(math.nan), "Fine": column(0)})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("Voltage", 6553.5, r"Pack\.Voltage: 6553\.5 is outside 0\.\.6553\.4 V"),
        ("Voltage", -0.1, r"Pack\.Voltage: -0\.1 is outside 0\.\.6553\.4 V"),
        ("Current", 1014.0, r"Pack\.Current: 1014 is outside -1034\.\.1013\.5 A"),
        ("Current", math.inf, r"Pack\.Current: inf is outside"),
        ("Mode", 15, r"Pack\.Mode: 15 is outside 0\.\.14"),
    ],
)
def test_value_that_does_not_fit_is_refused_by_name_value_and_range(pack, name, value, message):
    columns = {"Voltage": column(1), "Current": column(0), "Fine": column(0)}
    with pytest.raises(InvalidValue, match=message):
        pack.encode({**columns, name: column(value)})


def test_value_that_does_not_fit_saturates_on_request(pack):
    payloads = pack.encode(
        {"Voltage": column(9e9, -5), "Current": column(math.inf, -1e9), "Fine": column(0, 0)},
        saturate=True,
    )
    assert payloads[:, 2:4].tolist() == [[0xFF, 0xFE], [0, 0]]
    assert (payloads[:, 4] | (payloads[:, 5] & 0xF).astype(int) << 8).tolist() == [0x7FF, 0x800]


def test_words_are_the_raw_values_that_the_database_labels_so(pack):
    columns = {"Voltage": column(1, 1), "Current": column(0, 0), "Fine": column(0, 0)}
    payloads = pack.encode({**columns, "Mode": np.array(["On", "Not available"])})
    assert (payloads[:, 5] >> 4).tolist() == [1, 15]
    mixed = pack.encode({**columns, "Mode": np.array(["On", 3], object)})
    assert (mixed[:, 5] >> 4).tolist() == [1, 3]
    with pytest.raises(InvalidValue, match=r"Pack\.Mode has no label 'Off'; it has 'On', 'Not"):
        pack.encode({**columns, "Mode": np.array(["On", "Off"])})


def test_whole_numbers_of_64_bits_are_exact_in_columns_of_an_integer_type(tmp_path):
    path = tmp_path / "wide.dbc"
    path.write_text(
        'VERSION ""\n\nBU_: X\n\nBO_ 291 Test: 16 X\n'
        ' SG_ Plain : 0|64@1+ (1,0) [0|0] "" X\n SG_ Signed : 71|64@0- (3,-1) [0|0] "" X\n'
    )
    encoder = MessageEncoder(load_database([path]).messages[0])
    plain, signed = 2**64 - 3, -(2**61) - 1
    payloads = encoder.encode(
        {"Plain": np.array([plain, 1], np.uint64), "Signed": np.array([3 * signed - 1, 2], object)}
    )
    assert payloads[0].tobytes() == plain.to_bytes(8, "little") + signed.to_bytes(
        8, "big", signed=True
    )
    assert payloads[1].tobytes() == (1).to_bytes(8, "little") + (1).to_bytes(8, "big")
    with pytest.raises(InvalidValue, match=r"Test\.Plain: -?1\.\d+e\+19 is outside"):
        encoder.encode({"Plain": np.array([2**64], object), "Signed": column(2)})


def test_declared_range_counts_where_it_is_asked_for(tmp_path):
    path = tmp_path / "range.dbc"
    path.write_text(
        'VERSION ""\n\nBU_: X\n\nBO_ 291 Test: 8 X\n'
        ' SG_ Speed : 0|16@1+ (0.01,0) [0|250] "km/h" X\n\nVAL_ 291 Speed 65535 "Unknown" ;\n'
    )
    encoder = MessageEncoder(load_database([path]).messages[0])
    encoder.encode({"Speed": column(300)})
    encoder.encode({"Speed": column(0, 250, 655.35)}, is_strict=True)
    with pytest.raises(InvalidValue, match=r"Test\.Speed: 250\.01 is outside 0\.\.250 km/h"):
        encoder.encode({"Speed": column(250.01)}, is_strict=True)


def test_scale_of_zero_is_refused(database):
    (fine,) = (one for one in database.message("Pack").signals if one.name == "Fine")
    message = replace(database.message("Pack"), signals=(replace(fine, scale=0),))
    for value in (0.0, 1.0):
        with pytest.raises(InvalidValue, match=r"Pack\.Fine: \d is outside 0\.\.0"):
            MessageEncoder(message).encode({"Fine": column(value)})


def test_other_counters_and_checksums_are_filled(tmp_path):
    path = tmp_path / "wheel.dbc"
    path.write_text(
        DBC.replace('272 Checksum "crc8_j1850"', '272 Checksum "sum8"').replace(
            '272 Counter "counter"', '272 Counter "counter_full"'
        )
    )
    encoder = MessageEncoder(load_database([path]).message("Pack"))
    for rows in (2, 40):
        columns = {name: np.zeros(rows) for name in ("Voltage", "Current", "Fine")}
        payloads = encoder.encode(columns, first_count=14)
        assert payloads[:, 1].tolist() == [(14 + row) % 16 for row in range(rows)]
        assert (payloads[:, 0] == payloads[:, 1:].sum(axis=1) % 256).all()
        assert encoder.is_sound(payloads).all()


def test_unknown_column_is_refused(pack):
    with pytest.raises(InvalidValue, match="Pack has no signal 'Volt'"):
        pack.encode({"Volt": column(1)})


def test_multiplexed_signals_lie_only_in_their_frames(database):
    cells = MessageEncoder(database.message("Cells"))
    payloads = cells.encode(
        {
            "Group": column(0, 1, 1),
            "One": column(3.7, math.nan, math.nan),
            "Two": column(math.nan, 0.001, 4.0),
            "Three": column(math.nan, 4.095, 0),
        }
    )
    assert [payload.tobytes().hex() for payload in payloads] == ["00740e00", "0101f0ff", "01a00f00"]
    with pytest.raises(InvalidValue, match=r"Cells\.Three: no value"):
        cells.encode({"Group": column(1), "Two": column(1)})


def test_counter_goes_on_and_never_says_15(pack):
    rows = 33
    payloads = pack.encode(
        {"Voltage": np.zeros(rows), "Current": np.zeros(rows), "Fine": np.zeros(rows)},
        first_count=7,
    )
    assert payloads[:, 1].tolist() == [(7 + row) % 15 for row in range(rows)]


def test_many_rows_count_on_across_pieces(pack):
    rows = 10_000
    payloads = pack.encode(
        {"Voltage": np.arange(rows) / 10, "Current": np.zeros(rows), "Fine": np.zeros(rows)}
    )
    assert payloads.shape == (rows, 8)
    assert (payloads[:, 1] == np.arange(rows) % 15).all()
    assert pack.is_sound(payloads).all()


def crc8(data):
    """The checksum bit by bit, as the standard words it."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1) ^ 0x11D if crc & 0x80 else crc << 1
    return crc


def test_checksum_is_that_of_the_example_in_the_specification():
    # data id 0x123, eight bytes of zero: AUTOSAR E2E protocol specification, Profile 1 examples
    assert Checksum(0x123, length=8, at_byte=0).of(np.zeros((1, 8), np.uint8)).tolist() == [0xCC]


@given(st.binary(min_size=1, max_size=16), st.integers(0, 0x7FF), st.data())
def test_checksum_covers_id_and_all_other_bytes(data, can_id, draw):
    at_byte = draw.draw(st.integers(0, len(data) - 1))
    payload = np.frombuffer(data, np.uint8)[np.newaxis]
    rest = data[:at_byte] + data[at_byte + 1 :]
    expected = crc8(bytes([can_id & 0xFF, can_id >> 8]) + rest)
    found = Checksum(can_id, length=len(data), at_byte=at_byte).of(payload)
    assert found.tolist() == [expected]


def test_changed_payload_is_not_sound(pack):
    payloads = pack.encode({"Voltage": column(1, 2), "Current": column(0, 0), "Fine": column(0, 0)})
    payloads[1, 3] ^= 1
    assert pack.is_sound(payloads).tolist() == [True, False]


def test_roles_are_read_and_an_unknown_word_is_none(database):
    roles = {signal.name: signal.role for signal in database.message("Pack").signals}
    assert roles["Checksum"] is SignalRole.CRC8_J1850
    assert roles["Counter"] is SignalRole.COUNTER
    assert roles["Voltage"] is None
    assert roles["Fine"] is None
