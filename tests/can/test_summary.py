import numpy as np

from contactor.can.columns import SignalColumn
from contactor.can.frames import FrameTable
from contactor.can.summary import SignalFacts, SignalTally, SummaryBuilder
from tests.can.identify.facts_of import identifier_facts


def column(values: list[float], unavailable: list[bool]) -> SignalColumn:
    return SignalColumn(
        message="HVBAT",
        signal="Voltage",
        unit="V",
        rows=np.arange(len(values)),
        raw=np.array(values),
        values=np.array(values),
        is_unavailable=np.array(unavailable, np.bool_),
        labels={},
    )


def signal_facts(*columns: SignalColumn) -> SignalFacts:
    tally = SignalTally("V")
    with np.errstate(over="ignore"):
        for one in columns:
            tally.add(one)
    return tally.facts()


def test_signal_facts_leave_out_what_is_not_available() -> None:
    facts = signal_facts(column([511.5, 380.0, 390.0, np.nan], [True, False, False, True]))
    assert facts == {
        "unit": "V",
        "count": 2,
        "unavailable": 2,
        "first": 380.0,
        "last": 390.0,
        "min": 380.0,
        "max": 390.0,
        "mean": 385.0,
    }


def test_signal_without_a_value_has_unknown_facts() -> None:
    facts = signal_facts(column([511.5], [True]))
    assert (facts["count"], facts["unavailable"]) == (0, 1)
    assert [facts[name] for name in ("first", "last", "min", "max", "mean")] == [None] * 5


def test_mean_beyond_a_float64_is_unknown() -> None:
    assert signal_facts(column([1.7e308, 1.7e308], [False, False]))["mean"] is None
    large = column([1.7e308], [False])
    assert signal_facts(large, large)["mean"] is None


def test_mean_loses_nothing_to_a_large_chunk_between_small_ones() -> None:
    chunks = [column([value], [False]) for value in (1.0, 1e17, 1.0, -1e17)]
    assert signal_facts(*chunks)["mean"] == 0.5


def test_signal_facts_add_up_chunk_by_chunk() -> None:
    chunks = column([390.0, 1.0], [False, True]), column([1.0], [True]), column([380.0], [False])
    assert signal_facts(*chunks) == {
        "unit": "V",
        "count": 2,
        "unavailable": 2,
        "first": 390.0,
        "last": 380.0,
        "min": 380.0,
        "max": 390.0,
        "mean": 385.0,
    }


def test_duration_is_from_the_earliest_to_the_latest_stamp() -> None:
    builder = SummaryBuilder(None)
    assert builder.summary([], [])["duration_s"] is None
    for ts in ([10**9, 5 * 10**8], [3 * 10**9, 2 * 10**9]):
        builder.add_frames(FrameTable.of(ts=ts, can_id=[1] * 2, data=[b""] * 2), None)
    assert builder.summary([], [])["duration_s"] == 2.5


def test_duration_leaves_out_frames_from_before_the_clock_was_set() -> None:
    builder = SummaryBuilder(None)
    for ts in ([0, 10**18], [10**18 + 10**9, 10**18 + 2 * 10**9]):
        builder.add_frames(FrameTable.of(ts=ts, can_id=[1] * 2, data=[b""] * 2), None)
    assert builder.summary([], [])["duration_s"] == 2.0


def test_identifiers_show_cycle_time_length_and_changing_bits() -> None:
    frames = FrameTable.of(
        ts=[0, 10_000_000, 20_000_000, 25_000_000, 30_000_000, 40_000_000],
        can_id=[0x1DB, 0x1DB, 0x1DB, 0x50, 0x1DB, 0x7],
        is_error=[False] * 5 + [True],
        data=[b"\x0f\x00", b"\x0e\x00", b"\x0f", b"\x01", b"\x0f\x80", b""],
    )
    names = ("frames", "cycle_time_ms", "length", "changing_bits")
    facts = identifier_facts(frames)
    assert {name: tuple(facts[name][key] for key in names) for name in facts} == {
        "0x050": (1, None, 1, "00"),
        "0x1db": (4, 10.0, 2, "0180"),
    }


def test_identifiers_are_told_apart_by_kind_and_bus() -> None:
    frames = FrameTable.of(
        ts=range(4),
        can_id=[0x1DB, 0x1DB, 0x1DB, 0x1DC],
        bus=[0, 1, 0, 1],
        is_extended=[False, False, True, False],
        data=[b""] * 4,
    )
    assert list(identifier_facts(frames)) == ["0:0x1db", "1:0x1db", "0x1dc", "0x000001db"]


def test_no_frames_have_no_identifiers() -> None:
    assert identifier_facts(FrameTable.empty()) == {}
