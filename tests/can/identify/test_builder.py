from pathlib import Path

import numpy as np
import pytest

from contactor.can.frames import FrameTable
from contactor.can.identify import IdentifierFacts, IdentifierFactsBuilder
from contactor.can.log import read_log
from contactor.car.profiles.profile import load_profile
from contactor.car.virtual.car import VirtualCar
from contactor.clock import NS_PER_MS
from contactor.physics.plan import PlanKind
from tests.can.identify.facts_of import identifier_facts
from tests.car.virtual.conftest import NOON_NS, drive


def facts_of(payloads: list[bytes], *, can_id: int = 0x100, step_ms: float = 10) -> IdentifierFacts:
    frames = FrameTable.of(
        ts=[round(row * step_ms * NS_PER_MS) for row in range(len(payloads))],
        can_id=[can_id] * len(payloads),
        data=payloads,
    )
    return identifier_facts(frames)[f"0x{can_id:03x}"]


def in_tables(frames: FrameTable, rows: int) -> IdentifierFactsBuilder:
    builder = IdentifierFactsBuilder()
    for row in range(0, len(frames), rows):
        builder.add(frames.take(slice(row, row + rows)))
        builder.facts()  # telling between tables changes nothing
    return builder


def test_bytes_and_bits_are_counted() -> None:
    facts = facts_of([b"\x10\x00", b"\x12\x80", b"\x13\x80", b"\x10\x80"])
    assert (facts["bytes_min"], facts["bytes_max"]) == ([0x10, 0x00], [0x13, 0x80])
    assert facts["changing_bits"] == "0380"
    assert facts["bit_flips"] == [[0, 0, 0, 0, 0, 0, 2, 2], [1, 0, 0, 0, 0, 0, 0, 0]]


def test_a_byte_that_only_some_frames_have_is_compared_among_those() -> None:
    facts = facts_of([b"\x01\xff", b"\x01", b"\x01\xff", b"\x01\xfe"])
    assert (facts["length"], facts["lengths"]) == (2, [1, 2])
    assert facts["changing_bits"] == "0001"
    assert (facts["bytes_min"], facts["bytes_max"]) == ([1, 0xFE], [1, 0xFF])
    assert facts["bit_flips"][1] == [0, 0, 0, 0, 0, 0, 0, 1]


def test_pace_of_a_cyclic_id() -> None:
    facts = facts_of([b"\x00"] * 101, step_ms=20)
    assert (facts["cycle_time_ms"], facts["jitter_ms"], facts["longest_gap_ms"]) == (20, 0, 20)
    assert facts["rate_hz"] == 50
    assert facts["sending"] == "cyclic"


def test_an_id_with_lost_frames_is_cyclic_and_one_at_random_is_not() -> None:
    generator = np.random.default_rng(3)
    kept = np.flatnonzero(generator.random(500) < 0.7) * 10 * NS_PER_MS
    random = np.sort(generator.integers(0, 10_000 * NS_PER_MS, 300))
    frames = FrameTable.of(
        ts=[*kept.tolist(), *random.tolist()],
        can_id=[1] * len(kept) + [2] * len(random),
        data=[b""] * (len(kept) + len(random)),
    )
    facts = identifier_facts(frames)
    assert (facts["0x001"]["sending"], facts["0x002"]["sending"]) == ("cyclic", "event")


def test_frames_without_a_payload_have_facts() -> None:
    facts = facts_of([b""] * 3)
    assert (facts["frames"], facts["length"], facts["changing_bits"]) == (3, 0, "")


def test_ids_of_all_buses_are_told_apart_and_buses_counted() -> None:
    frames = FrameTable.of(
        ts=[0, 10**9, 2 * 10**9, 2 * 10**9],
        can_id=[0x1DB, 0x1DB, 0x1DB, 0x1DC],
        bus=[0, 1, 0, 1],
        is_extended=[False, False, True, False],
        data=[bytes(8), bytes(8), bytes(8), b""],
    )
    builder = IdentifierFactsBuilder()
    builder.add(frames)
    assert list(builder.facts()) == ["0:0x1db", "1:0x1db", "0x1dc", "0x000001db"]
    assert builder.facts()["1:0x1db"]["bus"] == 1
    # 47 bits and 67 bits without payload, over 2 s; ISO 11898-1.
    assert builder.buses()["0"] == {
        "frames": 2,
        "ids": 2,
        "left_out": 0,
        "frames_per_s": 1.0,
        "bits_per_s": (47 + 64 + 67 + 64) / 2,
    }


def test_tables_of_any_size_give_the_same_facts(shared_data: Path) -> None:
    frames = read_log(shared_data / "can" / "leaf" / "EV-CANeplus2.log").frames
    assert in_tables(frames, 1000).facts() == identifier_facts(frames)


def test_long_logs_keep_a_sample_of_their_steps() -> None:
    rows = 60_000
    steps = np.tile([8 * NS_PER_MS, 12 * NS_PER_MS, 10 * NS_PER_MS], rows // 3)
    frames = FrameTable(
        ts=np.cumsum(steps),
        bus=np.zeros(rows, np.uint8),
        can_id=np.full(rows, 0x1DB, np.uint32),
        is_extended=np.zeros(rows, np.bool_),
        is_fd=np.zeros(rows, np.bool_),
        is_remote=np.zeros(rows, np.bool_),
        is_error=np.zeros(rows, np.bool_),
        length=np.full(rows, 1, np.uint8),
        data=np.zeros((rows, 8), np.uint8),
    )
    facts = identifier_facts(frames)["0x1db"]
    assert (facts["frames"], facts["cycle_time_ms"], facts["jitter_ms"]) == (rows, 10, 2)
    assert facts["longest_gap_ms"] == 12


def test_more_ids_than_anybody_reads_are_counted() -> None:
    count = 5000
    frames = FrameTable.of(
        ts=range(count),
        can_id=[number % 2500 for number in range(count)],
        bus=[0 if number < 2500 else 2 for number in range(count)],
        is_extended=True,
        data=[b""] * count,
    )
    builder = IdentifierFactsBuilder()
    for _ in range(2):
        builder.add(frames)
        builder.facts()
    assert len(builder.facts()) == 4096
    buses = builder.buses()
    assert [bus["left_out"] for bus in buses.values()] == [0, 1808]
    assert sum(bus["ids"] for bus in buses.values()) == 4096


@pytest.fixture(scope="module")
def own_car() -> dict[str, IdentifierFacts]:
    """Half a minute of our own car, in motion."""
    car = VirtualCar(
        load_profile("contactor_ev"),
        seed=1,
        start_ns=NOON_NS,
        plan=PlanKind.DRIVE,
        live_from_ns=NOON_NS,
    )
    return identifier_facts(drive(car, 30))


@pytest.mark.parametrize("can_id", ["0x100", "0x104", "0x108", "0x10c", "0x110"])
def test_protected_frames_of_our_car_are_seen_through(
    own_car: dict[str, IdentifierFacts], can_id: str
) -> None:
    facts = own_car[can_id]
    assert [(c["bits"], c["step"], c["modulo"]) for c in facts["counters"]] == [("8|4@1+", 1, 15)]
    (checksum,) = facts["checksums"]
    assert (checksum["bits"], checksum["kind"]) == ("0|8@1+", "crc8")
    assert (checksum["polynomial"], checksum["is_reflected"]) == ("0x1d", False)
    assert checksum["held"] == checksum["checked"] == facts["frames"]


def test_the_pages_of_our_car_are_counted(own_car: dict[str, IdentifierFacts]) -> None:
    # Cell voltages move together in every page, so only the group's number tells of them.
    (counter,) = own_car["0x120"]["counters"]
    assert (counter["bits"], counter["modulo"]) == ("0|5@1+", 24)


# What EV-can_AZE0.dbc and EV-can_ZE1.dbc say of these ids.
LEAF_COUNTERS = {"0x1db": "48|2", "0x1dc": "48|2", "0x55b": "48|2", "0x1da": "48|2"}
LEAF_CRCS = ("0x1db", "0x1dc", "0x1da", "0x55b", "0x1d4", "0x1cb", "0x120")


def test_leaf_counters_and_crcs_are_where_its_databases_say(shared_data: Path) -> None:
    facts = identifier_facts(read_log(shared_data / "can" / "leaf" / "EV-CANeplus2.log").frames)
    for name, bits in LEAF_COUNTERS.items():
        counters = {counter["bits"]: counter for counter in facts[name]["counters"]}
        assert counters[f"{bits}@1+"]["modulo"] == 4
    for name in LEAF_CRCS:
        (crc,) = facts[name]["checksums"]
        assert (crc["kind"], crc["polynomial"], crc["constant"]) == ("crc8", "0x85", 0)
        assert crc["bits"] == f"{8 * (facts[name]['length'] - 1)}|8@1+"
        assert crc["held"] == crc["checked"] == facts[name]["frames"]
    # PackCurrent is 7|11@0-, PackVoltage 23|10@0+ (its highest bit never changes).
    assert {signal["bits"] for signal in facts["0x1db"]["signals"]} >= {"7|11@0+", "22|9@0+"}


def test_leaf_nibble_sums_have_the_constants_that_its_database_states(shared_data: Path) -> None:
    path = shared_data / "can" / "leaf" / "env200-2015-with-40kWh-startup-nobridge.crtd"
    facts = identifier_facts(read_log(path).frames)
    # CM_ SG_ 498 CSUM_498: all nibbles plus 2; CM_ SG_ 912 CSUM_390: sum of all nibbles - 4.
    for name, constant in (("0x1f2", 2), ("0x390", 12)):
        (checksum,) = facts[name]["checksums"]
        assert (checksum["bits"], checksum["kind"]) == ("56|4@1+", "sum")
        assert checksum["constant"] == constant


def test_j1850_crcs_of_other_makers_are_found(shared_data: Path) -> None:
    facts = identifier_facts(read_log(shared_data / "can/i3/2019_eacaec_enda.csv").frames)
    protected = [f for f in facts.values() if f["checksums"] and f["counters"]]
    assert len(protected) > 20
    assert {f["checksums"][0]["polynomial"] for f in protected} == {"0x1d"}
    assert all(f["counters"][0]["modulo"] in (8, 15) for f in protected)
