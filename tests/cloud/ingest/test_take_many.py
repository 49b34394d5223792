"""Messages taken in together leave what they leave one by one: rows, accounts and quarantine."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.kernels import SWITCH
from contactor.cloud.ingest import intake as intake_module
from contactor.cloud.ingest.intake import Intake
from contactor.signals.batch import RowsBatch
from contactor.signals.record import Gap, Record
from contactor.signals.wire.codebook import Codebook
from contactor.signals.wire.encode import encode_codebook, encode_gap, encode_record
from tests.cloud.lake.samples import GEAR, SPEED, VIN
from tests.signals.wire.records import records

NOW_NS = 2**61
CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
DOORS = "Vehicle.Cabin.DoorCount"
CELL = st.one_of(st.none(), st.booleans(), st.integers(-300, 300), st.floats(-200, 200), st.text())
SAMPLE = st.fixed_dictionaries(
    {"values": st.dictionaries(st.sampled_from((SPEED, CHARGE, DOORS, "Vehicle.Flux")), CELL)},
    optional={"ts": st.integers(-5, 2**43) | st.just("2024-05-01T08:00:00Z") | st.just("noon")},
)
GOOD = st.fixed_dictionaries(
    {
        "values": st.fixed_dictionaries(
            {SPEED: st.floats(0, 200), GEAR: st.integers(0, 5), VIN: st.sampled_from("AB")}
        ),
        "ts": st.integers(0, 2**43),
    }
)


@st.composite
def messages(draw: st.DrawFn) -> list[tuple[str, bytes]]:
    codebook, made = Codebook(), list[tuple[str, bytes]]()
    for record in draw(st.lists(records(), max_size=4)):
        name = draw(st.sampled_from("ab"))
        sequence = draw(st.integers(1, 4))
        if draw(st.integers(0, 4)):
            payload = encode_record(Record(name, 7, sequence, record.groups), codebook)
        else:
            payload = encode_gap(Gap(name, 7, sequence, sequence + 1, "full", 3, 1, 2))
        if not draw(st.integers(0, 5)):
            payload = payload[:-1] + bytes([draw(st.integers(0, 255))])
        made.append((name, payload))
    for _ in range(draw(st.integers(0, 5))):
        sample = draw(GOOD | SAMPLE | st.lists(GOOD | SAMPLE, max_size=3))
        made.append((draw(st.sampled_from("ab")), json.dumps(sample).encode()))
    made = draw(st.permutations(made))
    # Known from the first, or told in their midst.
    for name in "ab":
        told = (name, encode_codebook(name, 7, codebook)) if len(codebook) else (name, b"{")
        made.insert(draw(st.integers(0, len(made))), told)
    return made


def left_by(intake: Intake, told: list[RowsBatch]) -> tuple[object, ...]:
    flush = intake.cut().flush()
    rows = Counter(
        (group, path, row["vehicle_id"], row["ts"], repr(row[path]))
        for group, frame in flush.tables.items()
        for path in frame.columns
        for row in frame.to_dicts()
        if row[path] is not None
    )
    accounts = sorted(
        (
            (one.vehicle_id, one.stream, one.watermark, one.above, one.rows_stored),
            (one.rows_refused, sorted(one.refused.items()), one.paths, one.first_ts, one.last_ts),
        )
        for one in flush.streams
    )
    aside = sorted((str(one.vehicle_id), one.reason, one.payload) for one in flush.quarantined)
    counts = (intake.records, intake.rows, intake.repeats, sum(map(len, told)))
    return rows, accounts, aside, counts, sorted(one.body for one in flush.codebooks)


@pytest.mark.parametrize("switch", ["0", "1"])
def test_together_they_leave_what_they_leave_one_by_one(
    switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SWITCH, switch)
    monkeypatch.setattr(intake_module, "MANY_BYTES", 1)

    @given(messages())
    def check(some: list[tuple[str, bytes]]) -> None:
        told: tuple[list[RowsBatch], list[RowsBatch]] = ([], [])
        alone = Intake([], number=1, on_batch=told[0].append)
        for vehicle_id, payload in some:
            alone.take(vehicle_id, payload, now_ns=NOW_NS)
        together = Intake([], number=1, on_batch=told[1].append)
        together.take_many(some, now_ns=NOW_NS)
        assert left_by(together, told[1]) == left_by(alone, told[0])

    check()
