"""A tester that others wrote (udsoncan, can-isotp) on one end of a wire, the car on the other."""

from collections import deque

import isotp
import udsoncan
from udsoncan.connections import BaseConnection
from udsoncan.exceptions import TimeoutException

from contactor.can.frames import FrameTable
from contactor.clock import NS_PER_MS

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


def read(client, identifier):
    """The data of an identifier, as they are."""
    return client.read_data_by_identifier(identifier).service_data.values[identifier]
