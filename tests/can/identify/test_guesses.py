import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.frames import FrameTable
from contactor.can.identify.bits import Field
from contactor.can.identify.checksums import find_checksums
from contactor.can.identify.counters import find_counters
from contactor.can.identify.multiplexers import find_multiplexer
from contactor.can.identify.texts import VinFinder, text_of
from tests.can.identify.facts_of import identifier_facts

ROWS = 300
NONE = np.zeros(8, np.uint8)


def glide(*, seed: int = 1, low: int = 100, high: int = 60_000) -> np.ndarray:
    """A walk that stays within bounds."""
    steps = np.random.default_rng(seed).normal(0, (high - low) / 40, ROWS)
    middle = (low + high) / 2
    walk = middle + np.cumsum(steps - steps.mean())
    return np.clip(walk, low, high).astype(np.int64)


def random_payloads(width: int = 8, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (ROWS, width), np.uint8)


def crc8(data: bytes, polynomial: int, *, start: int, reflected: bool = False) -> int:
    """Bit by bit, as a text book has it."""
    state = start
    for byte in data:
        state ^= int(f"{byte:08b}"[::-1], 2) if reflected else byte
        for _ in range(8):
            state = (state << 1 ^ polynomial if state & 0x80 else state << 1) & 0xFF
    return int(f"{state:08b}"[::-1], 2) if reflected else state


def facts_of(payloads: np.ndarray) -> dict:
    data = [row.tobytes() for row in payloads]
    frames = FrameTable.of(
        ts=[row * 10_000_000 for row in range(len(data))], can_id=[0x123] * len(data), data=data
    )
    return identifier_facts(frames)["0x123"]


@given(st.integers(0, 3), st.integers(1, 16), st.integers(0, 7), st.booleans())
def test_field_is_what_its_name_says(byte: int, length: int, shift: int, is_little: bool) -> None:
    from cantools.database.can import Message, Signal
    from cantools.database.conversion import BaseConversion

    field = Field(3 + byte, shift, length, is_little)
    start, size = field.name()[:-3].split("|")
    signal = Signal(
        "s",
        int(start),
        int(size),
        byte_order="little_endian" if is_little else "big_endian",
        conversion=BaseConversion.factory(),
    )
    message = Message(1, "m", 9, [signal])
    payloads = random_payloads(width=9)[:5]
    wanted = [message.decode(row.tobytes())["s"] for row in payloads]
    assert field.of(payloads).tolist() == wanted


@pytest.mark.parametrize(("shift", "length"), [(0, 4), (4, 4), (2, 2), (0, 8), (3, 5)])
@pytest.mark.parametrize("step", [1, -1])
def test_counter_is_found_with_its_bits(shift: int, length: int, step: int) -> None:
    payloads = random_payloads()
    payloads[:, 3] = (np.arange(ROWS) * step % (1 << length)) << shift
    counters = find_counters(payloads)
    assert [(c.field.name(), c.step, c.modulo) for c in counters] == [
        (f"{24 + shift}|{length}@1+", step, 1 << length)
    ]
    assert counters[0].held(payloads) == ROWS - 1


@pytest.mark.parametrize(("first", "modulo"), [(0, 15), (1, 15), (0, 3), (0, 10)])
def test_counter_that_leaves_values_out_is_found(first: int, modulo: int) -> None:
    payloads = random_payloads()
    payloads[:, 0] = first + np.arange(ROWS) % modulo
    (counter,) = find_counters(payloads)
    assert (counter.step, counter.modulo) == (1, modulo)


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_counter_of_two_bytes_is_found(order: str) -> None:
    payloads = np.zeros((ROWS, 8), np.uint8)
    payloads[:, 2:4] = np.arange(700, 700 + ROWS).astype(order).view(np.uint8).reshape(ROWS, 2)
    (counter,) = find_counters(payloads)
    assert counter.modulo == 65536
    assert counter.field.name() == ("16|16@1+" if order == "<u2" else "23|16@0+")


def test_counter_is_found_though_frames_are_lost() -> None:
    payloads = np.zeros((ROWS, 8), np.uint8)
    payloads[:, 1] = np.arange(ROWS) % 16
    kept = payloads[np.random.default_rng(4).random(ROWS) > 0.04]
    (counter,) = find_counters(kept)
    assert counter.field.name() == "8|4@1+"


def test_noise_is_no_counter() -> None:
    assert find_counters(random_payloads()) == []


@pytest.mark.parametrize("own", [0, 7])
@pytest.mark.parametrize("kind", ["xor", "sum", "negative sum"])
def test_byte_checksum_is_found(kind: str, own: int) -> None:
    payloads = random_payloads()
    payloads[:, own] = 0
    rest = payloads.astype(np.int64)
    value = np.bitwise_xor.reduce(rest, axis=1) if kind == "xor" else rest.sum(axis=1)
    payloads[:, own] = ((-value if kind == "negative sum" else value) + 0x23) % 256
    if kind == "xor":
        payloads[:, own] = value ^ 0x23
    (checksum,) = find_checksums(payloads, NONE)
    assert (checksum.kind, checksum.constant) == (kind, 0x23)
    assert checksum.held(payloads) == ROWS
    if kind == "sum":  # elsewhere every place explains the same
        assert checksum.field.name() == f"{8 * own}|8@1+"


@given(
    st.sampled_from([0x1D, 0x2F, 0x07, 0x85, 0x9B, 0x31]),
    st.sampled_from([0, 7]),
    st.integers(0, 255),
    st.booleans(),
)
def test_crc_is_found_with_any_start_and_polynomial(
    polynomial: int, own: int, start: int, reflected: bool
) -> None:
    payloads = random_payloads()[:40]
    for row in payloads:
        others = np.delete(row, own).tobytes()
        row[own] = crc8(others, polynomial, start=start, reflected=reflected)
    (checksum,) = find_checksums(payloads, NONE)
    assert (checksum.kind, checksum.polynomial) == ("crc8", polynomial)
    assert (checksum.is_reflected, checksum.field.byte) == (reflected, own)
    assert checksum.held(payloads) == len(payloads)


def test_crc_over_nothing_but_a_counter_is_told_from_it() -> None:
    payloads = np.zeros((ROWS, 8), np.uint8)
    payloads[:, 1] = np.arange(ROWS) % 15
    for row in payloads:
        row[0] = crc8(row[1:].tobytes(), 0x1D, start=0xFF)
    facts = facts_of(payloads)
    assert [counter["bits"] for counter in facts["counters"]] == ["8|4@1+"]
    assert [(c["bits"], c["polynomial"]) for c in facts["checksums"]] == [("0|8@1+", "0x1d")]


def test_nibble_sum_is_found() -> None:
    payloads = random_payloads()
    payloads[:, 7] &= 0xF0
    nibbles = (payloads >> 4).sum(axis=1) + (payloads & 15).sum(axis=1)
    payloads[:, 7] |= ((nibbles + 2) % 16).astype(np.uint8)
    (checksum,) = find_checksums(payloads, NONE)
    assert (checksum.field.name(), checksum.kind, checksum.constant) == ("56|4@1+", "sum", 2)


def test_noise_has_no_checksum() -> None:
    for seed in range(20):
        assert find_checksums(random_payloads(seed=seed), NONE) == []


def test_checksum_that_fails_later_is_not_told() -> None:
    payloads = random_payloads()
    payloads[:, 7] = np.bitwise_xor.reduce(payloads[:, :7], axis=1)
    later = random_payloads(seed=2)
    facts = facts_of(np.concatenate([payloads, payloads, later, later]))
    assert facts["checksums"] == []


def test_multiplexer_is_found() -> None:
    pages = random_payloads()[:5]
    pages[:, 0] = [0, 1, 2, 5, 9]
    payloads = pages[np.arange(ROWS) % 5]
    found = find_multiplexer(payloads, counted=NONE, summed=NONE)
    assert found is not None
    assert (found.byte, found.values) == (0, (0, 1, 2, 5, 9))
    assert found.depending == (1, 2, 3, 4, 5, 6, 7)


def test_noise_has_no_multiplexer() -> None:
    payloads = random_payloads()
    payloads[:, 0] %= 4
    assert find_multiplexer(payloads, counted=NONE, summed=NONE) is None


@pytest.mark.parametrize(("order", "bits"), [(">u2", "15|16@0+"), ("<u2", "8|16@1+")])
def test_word_is_found_in_its_byte_order(order: str, bits: str) -> None:
    payloads = np.zeros((ROWS, 8), np.uint8)
    payloads[:, 1:3] = glide().astype(order).view(np.uint8).reshape(ROWS, 2)
    (signal,) = facts_of(payloads)["signals"]
    assert signal["bits"].split("@")[1] == bits.split("@")[1]
    start, length = map(int, signal["bits"].split("@")[0].split("|"))
    assert abs(length - 16) <= 1
    assert signal["roughness"] < 0.1
    assert start in (15, 14, 8)


def test_signed_word_is_told_from_an_unsigned_one() -> None:
    payloads = np.zeros((ROWS, 8), np.uint8)
    payloads[:, 1:3] = glide(low=-900, high=900).astype(">i2").view(np.uint8).reshape(ROWS, 2)
    (signal,) = facts_of(payloads)["signals"]
    assert signal["bits"] == "15|16@0-"
    assert signal["min"] < 0 < signal["max"]


def test_numbers_side_by_side_are_told_apart() -> None:
    payloads = np.zeros((ROWS, 8), np.uint8)
    first, second = glide(seed=1, high=4000), glide(seed=2, high=4000)
    payloads[:, 0] = first >> 4
    payloads[:, 1] = (first & 15) << 4 | second >> 8
    payloads[:, 2] = second & 255
    bits = [signal["bits"] for signal in facts_of(payloads)["signals"]]
    assert bits == ["7|12@0+", "11|12@0+"]


def test_noise_is_no_signal() -> None:
    assert facts_of(random_payloads())["signals"] == []


def test_vin_is_found_in_pages() -> None:
    vin = b"SJNFAAZE1U0012345"
    pages = [bytes([page]) + vin[page * 7 : page * 7 + 7].ljust(7, b"\0") for page in range(3)]
    payloads = np.frombuffer(b"".join(pages * 20), np.uint8).reshape(-1, 8)
    assert text_of(payloads) == vin.decode()


def test_text_is_found_and_numbers_are_none() -> None:
    payloads = np.frombuffer(b"EV-40kWh" * 20, np.uint8).reshape(-1, 8)
    assert text_of(payloads) == "EV-40kWh"
    assert text_of(random_payloads()) is None


@pytest.mark.parametrize("head", [b"\x62\xf1\x90", b"\x49\x02\x01"])
def test_vin_is_found_in_a_diagnostic_answer_across_tables(head: bytes) -> None:
    answer = head + b"WBY1Z21060V307861"
    payloads = [b"\x10\x14" + answer[:6], b"\x21" + answer[6:13], b"\x22" + answer[13:20]]
    noise = b"\x03\x7f\x22\x78\0\0\0\0"
    rows = np.frombuffer(b"".join([noise, *payloads, noise]), np.uint8).reshape(-1, 8)
    keys = np.array([0x7E8, 0x7E8, 0x7E8, 0x7E8, 0x7E9])
    finder = VinFinder()
    finder.add(keys[:3], rows[:3])
    finder.add(keys[3:], rows[3:])
    assert finder.found == {0x7E8: "WBY1Z21060V307861"}


def test_diagnostic_ids_are_named_and_not_guessed_at() -> None:
    request = b"\x03\x22\xf1\x90\0\0\0\0"
    frames = FrameTable.of(ts=range(30), can_id=[0x7E0] * 30, data=[request] * 30)
    facts = identifier_facts(frames)["0x7e0"]
    assert facts["is_diagnostic"]
    assert (facts["counters"], facts["signals"], facts["multiplexer"]) == ([], [], None)
