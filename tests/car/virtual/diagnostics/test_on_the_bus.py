"""Testers that others wrote ask the running car: udsoncan, can-isotp."""

import pytest
from udsoncan.exceptions import NegativeResponseException

from contactor.can.frames import FrameTable
from contactor.clock import NS_PER_MS
from contactor.physics.plan import PlanKind
from tests.car.virtual.conftest import drive
from tests.car.virtual.wire import STEP_NS, read


@pytest.mark.parametrize("transport", [{}, {"block_size": 4, "stmin": 5}])
def test_udsoncan_reads_vin_speed_and_charge(make_car, tester, transport):
    car = make_car()
    drive(car, 30)
    client = tester(car, **transport)
    assert read(client, 0xF190).decode() == car.vin
    assert int.from_bytes(read(client, 0x0103)) / 1e4 == pytest.approx(
        car.physics.state.state_of_charge, abs=1e-3
    )
    kmh = car.physics.state.speed_mps * 3.6
    assert kmh > 10
    assert int.from_bytes(read(client, 0x0100)) / 100 == pytest.approx(kmh, abs=10)


def test_udsoncan_reads_every_cell(make_car, tester):
    car = make_car(PlanKind.PARKED)
    drive(car, 1)
    data = read(tester(car, 0x7E4, block_size=8, stmin=0), 0x0200)
    cells = [int.from_bytes(data[place : place + 2]) / 1e3 for place in range(0, len(data), 2)]
    assert cells == pytest.approx(car.physics.cell_voltages_v(), abs=0.02)
    assert len(cells) == 96


def test_udsoncan_reads_and_clears_a_fault(make_car, tester):
    car = make_car(PlanKind.PARKED)
    drive(car, 1)
    client = tester(car, 0x7E4)
    car.set_fault("IsolationLoss", 1)
    drive(car, 15)
    (found,) = client.get_dtc_by_status_mask(0x08).service_data.dtcs
    assert (found.id, found.status.confirmed, found.status.test_failed) == (0x0AA600, True, True)
    assert client.get_number_of_dtc_by_status_mask(0x08).service_data.dtc_count == 1
    client.clear_dtc()
    drive(car, 2)
    assert len(client.get_dtc_by_status_mask(0x08).service_data.dtcs) == 1
    car.set_fault("IsolationLoss", 0)
    client.clear_dtc()
    drive(car, 2)
    assert client.get_dtc_by_status_mask(0x08).service_data.dtcs == []
    assert len(client.get_supported_dtc().service_data.dtcs) > 5


def test_udsoncan_unlocks_and_writes(make_car, tester):
    car = make_car(PlanKind.PARKED)
    drive(car, 1)
    client = tester(car)
    with pytest.raises(NegativeResponseException, match="ServiceNotSupportedInActiveSession"):
        client.write_data_by_identifier(0xF198, b"0123456789abcdef")
    client.change_session(3)
    with pytest.raises(NegativeResponseException, match="SecurityAccessDenied"):
        client.write_data_by_identifier(0xF198, b"0123456789abcdef")
    client.unlock_security_access(1)
    client.write_data_by_identifier(0xF198, b"0123456789abcdef")
    assert read(client, 0xF198) == b"0123456789abcdef"
    client.tester_present()
    client.ecu_reset(1)
    assert read(client, 0xF186) == b"\x01"


def test_request_wakes_a_car_that_sleeps(make_car, tester):
    car = make_car(PlanKind.DAY, live_from_ns=None, start_ns=1_772_500_000 * 10**9)
    drive(car, 600)
    while not car.is_asleep:
        drive(car, 600)
    assert len(drive(car, 10)) == 0
    assert read(tester(car), 0xF190).decode() == car.vin
    assert not car.is_asleep


def test_answers_lie_among_the_other_frames_by_time(make_car):
    car = make_car(PlanKind.PARKED)
    drive(car, 1)
    asked_ns = car.now_ns
    car.receive(FrameTable.of(ts=[0], can_id=[0x7DF], data=[b"\x02\x01\x5b\0\0\0\0\0"]))
    frames = car.advance(car.now_ns + STEP_NS)
    assert (frames.ts[1:] >= frames.ts[:-1]).all()
    answers = frames.take(frames.can_id >= 0x7E8)
    assert answers.can_id.tolist() == [0x7E8, 0x7EC]
    assert (answers.ts - asked_ns).tolist() == [2 * NS_PER_MS] * 2
    assert answers[0].data[:3] == b"\x03\x41\x5b"


def test_frames_that_are_no_requests_are_counted_or_left(make_car):
    car = make_car(PlanKind.PARKED)
    data = b"\x02\x01\x5b\0\0\0\0\0"
    car.receive(
        FrameTable.of(
            ts=[0] * 4,
            can_id=[0x7E0, 0x7E0, 0x7E8, 0x7E0],
            data=[data] * 4,
            is_extended=[True, False, False, False],
            is_remote=[False, True, False, False],
            is_fd=[False, False, False, True],
        )
    )
    assert car.dropped == {"kind": 2}
    assert not (car.advance(car.now_ns + STEP_NS).can_id >= 0x7E0).any()
