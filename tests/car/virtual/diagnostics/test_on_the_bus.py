"""Testers that others wrote ask the running car: udsoncan, can-isotp."""

from collections import deque

import isotp
import pytest
import udsoncan
from udsoncan.client import Client
from udsoncan.connections import BaseConnection
from udsoncan.exceptions import NegativeResponseException, TimeoutException

from contactor.can.frames import FrameTable
from contactor.car.virtual.diagnostics.security import default_key
from contactor.clock import NS_PER_MS
from contactor.physics.plan import PlanKind
from tests.car.virtual.conftest import drive

STEP_NS = 100 * NS_PER_MS
MAX_STEPS = 50


class Hex(udsoncan.DidCodec):
    """Data of any length, as they are."""

    def encode(self, data):
        return data

    def decode(self, payload):
        return payload

    def __len__(self):
        raise udsoncan.DidCodec.ReadAllRemainingData


class Wire(BaseConnection):
    """can-isotp's transport on one end, the car's frames on the other, in the car's own time."""

    def __init__(self, car, *, can_id, block_size=0, stmin=0):
        super().__init__("wire")
        self.car = car
        self.seen = []
        self._to_tester = deque()
        self._is_open = False
        address = isotp.Address(isotp.AddressingMode.Normal_11bits, txid=can_id, rxid=can_id + 8)
        self.transport = isotp.TransportLayerLogic(
            rxfn=lambda _timeout: self._to_tester.popleft() if self._to_tester else None,
            txfn=self._put,
            address=address,
            params={"blocksize": block_size, "stmin": stmin, "tx_padding": 0},
        )

    def _put(self, message):
        frame = {"can_id": [message.arbitration_id], "data": [bytes(message.data)]}
        self.car.receive(FrameTable.of(ts=[self.car.now_ns], **frame))

    def _step(self):
        self.transport.process()
        frames = self.car.advance(self.car.now_ns + STEP_NS)
        for row in (frames.can_id >= 0x7E8).nonzero()[0].tolist():
            frame = frames[row]
            self.seen.append(frame)
            self._to_tester.append(isotp.CanMessage(arbitration_id=frame.can_id, data=frame.data))
        while self._to_tester:
            self.transport.process()

    def open(self):
        self._is_open = True
        return self

    def close(self):
        self._is_open = False

    def is_open(self):
        return self._is_open

    def empty_rxqueue(self):
        self._to_tester.clear()

    def specific_send(self, payload, timeout=None):
        self.transport.send(payload)

    def specific_wait_frame(self, timeout=None):
        for _ in range(MAX_STEPS):
            self._step()
            if self.transport.available():
                return bytes(self.transport.recv())
        raise TimeoutException("no answer")


@pytest.fixture
def tester():
    """A tester of one control unit; closed at the end."""
    clients = []

    def open_client(car, can_id=0x7E0, **transport):
        config = {
            **udsoncan.configs.default_client_config,
            "data_identifiers": {"default": Hex},
            "security_algo": lambda level, seed, params: default_key(seed),
        }
        client = Client(Wire(car, can_id=can_id, **transport), config=config)
        clients.append(client)
        client.open()
        return client

    yield open_client
    for client in clients:
        client.close()


def read(client, identifier):
    return client.read_data_by_identifier(identifier).service_data.values[identifier]


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
    car.set_fault("P0AA6", True)
    (found,) = client.get_dtc_by_status_mask(0x08).service_data.dtcs
    assert (found.id, found.status.confirmed, found.status.test_failed) == (0x0AA600, True, True)
    assert client.get_number_of_dtc_by_status_mask(0x08).service_data.dtc_count == 1
    client.clear_dtc()
    drive(car, 2)
    assert len(client.get_dtc_by_status_mask(0x08).service_data.dtcs) == 1
    car.set_fault("P0AA6", False)
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
