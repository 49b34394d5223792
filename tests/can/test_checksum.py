"""Checksums against the check values that their specifications print."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contactor.can.checksum import KINDS, Checksum, counts_of
from contactor.can.database import SignalRole
from contactor.errors import InvalidValue

# AUTOSAR, "Specification of CRC Routines", 7.2: the bytes of its examples, and "123456789"
EXAMPLES = [
    "00000000",
    "F20183",
    "0FAA0055",
    "00FF5511",
    "332255AABBCCDDEEFF",
    "926B55",
    "FFFFFFFF",
    b"123456789".hex(),
]
CRC8 = [0x59, 0x37, 0x79, 0xB8, 0xCB, 0x8C, 0x74, 0x4B]
CRC8_H2F = [0x12, 0xC2, 0xC6, 0x77, 0x11, 0x33, 0x6C, 0xDF]
CRC16 = [0x84C0, 0xD374, 0x2023, 0xB8F9, 0xF53F, 0x0745, 0x1D0F, 0x29B1]
COUNT_IDS = tuple(range(0x11, 0x21))


def of(data: bytes, role: SignalRole, *, at_byte: int = 0, can_id: int = 0, **options) -> int:
    """The checksum of a payload whose other bytes are `data`."""
    size = KINDS[role].bits // 8
    payload = data[:at_byte] + bytes(size) + data[at_byte:]
    checksum = Checksum(can_id, length=len(payload), at_byte=at_byte, role=role, **options)
    return int(checksum.of(np.frombuffer(payload, np.uint8)[np.newaxis])[0])


def bitwise(data: bytes, *, bits: int, polynomial: int, start: int, final: int = 0) -> int:
    """A CRC bit by bit, as the standards word it."""
    crc = start
    for byte in data:
        crc ^= byte << (bits - 8)
        for _ in range(8):
            crc = (crc << 1) ^ (polynomial if crc >> (bits - 1) & 1 else 0)
            crc &= (1 << bits) - 1
    return crc ^ final


@pytest.mark.parametrize(
    ("role", "expected"),
    [(SignalRole.CRC8_SAE_J1850, CRC8), (SignalRole.CRC8_H2F, CRC8_H2F)],
)
def test_eight_bit_checksums_are_those_of_the_specification(role, expected):
    assert [of(bytes.fromhex(data), role) for data in EXAMPLES] == expected


def test_bitwise_check_is_that_of_the_specification():
    found = [
        bitwise(bytes.fromhex(data), bits=16, polynomial=0x1021, start=0xFFFF) for data in EXAMPLES
    ]
    assert found == CRC16


def test_profile_5_is_that_of_the_example_in_the_specification():
    # data id 0x1234, eight bytes of zero, counter 0: AUTOSAR E2E protocol specification, Profile 5
    checksum = Checksum(0x1234, length=8, at_byte=0, role=SignalRole.E2E_P5)
    payloads = np.zeros((1, 8), np.uint8)
    checksum.write(payloads)
    assert payloads.tobytes().hex() == "1cca000000000000"


@given(st.binary(min_size=2, max_size=20), st.integers(0, 0xFFFF), st.data())
def test_every_kind_is_its_definition_bit_by_bit(data, can_id, draw):
    at_byte = draw.draw(st.integers(0, len(data)))
    low, high = can_id & 0xFF, can_id >> 8

    def found(role, **options):
        return of(data, role, at_byte=at_byte, can_id=can_id, **options)

    h2f = {"bits": 8, "polynomial": 0x2F, "start": 0xFF, "final": 0xFF}
    assert found(SignalRole.CRC8_J1850) == bitwise(
        bytes([low, high]) + data, bits=8, polynomial=0x1D, start=0
    )
    assert found(SignalRole.CRC8_SAE_J1850) == bitwise(
        data, bits=8, polynomial=0x1D, start=0xFF, final=0xFF
    )
    assert found(SignalRole.CRC8_H2F) == bitwise(data, **h2f)
    assert found(SignalRole.E2E_P5) == bitwise(
        data + bytes([low, high]), bits=16, polynomial=0x1021, start=0xFFFF
    )
    assert found(SignalRole.SUM8) == sum(data) % 256
    assert found(SignalRole.XOR8) == int(np.bitwise_xor.reduce(np.frombuffer(data, np.uint8)))
    if at_byte == 1:
        return
    payload = data[:at_byte] + b"\0" + data[at_byte:]
    assert found(SignalRole.E2E_P2, data_ids=COUNT_IDS) == bitwise(
        data + bytes([COUNT_IDS[payload[1] & 15]]), **h2f
    )


@given(
    st.sampled_from(sorted(KINDS)),
    st.booleans(),
    st.lists(st.binary(min_size=9, max_size=9), min_size=1, max_size=4),
    st.integers(0, 7),
)
def test_what_is_written_is_read_again_in_columns_and_one_by_one(role, is_little, data, at_byte):
    assume(role != SignalRole.E2E_P2 or at_byte != 1)
    checksum = Checksum(
        0x123, length=9, at_byte=at_byte, role=role, is_little=is_little, data_ids=COUNT_IDS
    )
    payloads = np.frombuffer(b"".join(data), np.uint8).reshape(-1, 9).copy()
    found = []
    for switch in ("0", "1"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CONTACTOR_KERNELS", switch)
            checksum.write(payloads)
            found.append(checksum.of(payloads).tolist())
    assert found[0] == found[1] == checksum.read(payloads).tolist()
    for before, after in zip(data, payloads, strict=True):
        payload = bytearray(before)
        checksum.write_one(payload)
        assert payload == after.tobytes()


def test_sixteen_bits_are_written_in_the_byte_order_of_the_signal():
    payloads = np.zeros((1, 8), np.uint8)
    big = Checksum(0x1234, length=8, at_byte=6, role=SignalRole.E2E_P5, is_little=False)
    big.write(payloads)
    assert int.from_bytes(payloads[0, 6:].tobytes(), "big") == big.of(payloads)[0]


def test_checksum_that_cannot_be_worked_out_is_refused():
    with pytest.raises(InvalidValue, match="at byte 7 does not fit 8 bytes"):
        Checksum(0, length=8, at_byte=7, role=SignalRole.E2E_P5)
    with pytest.raises(InvalidValue, match="e2e_p2 needs 16 data ids, there are 1"):
        Checksum(0, length=8, at_byte=0, role=SignalRole.E2E_P2, data_ids=[1])
    with pytest.raises(InvalidValue, match="has its counter in the second byte"):
        Checksum(0, length=8, at_byte=1, role=SignalRole.E2E_P2, data_ids=COUNT_IDS)


def test_counters_take_so_many_values():
    assert counts_of(SignalRole.COUNTER, 4) == 15
    assert counts_of(SignalRole.COUNTER, 2) == 4
    assert counts_of(SignalRole.COUNTER_FULL, 4) == 16
    assert counts_of(SignalRole.COUNTER_FULL, 8) == 256
    assert counts_of(SignalRole.XOR8, 8) is None
