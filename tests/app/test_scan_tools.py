"""Scan tools that others wrote ask a car in real processes: over the bus, and over a socket."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import can
import isotp
import obd
import pytest
import udsoncan
from udsoncan.client import Client
from udsoncan.connections import PythonIsoTpConnection

from contactor.app.cars import VirtualCarUrl, parse_car
from contactor.car.adapters.canbus import MULTICAST_GROUP
from contactor.car.agent.frame_maker import FrameMaker
from contactor.car.profiles.profile import load_profile
from contactor.car.virtual.diagnostics.facts import vin_of
from tests.app.processes import running, wait_for
from tests.ports import free_ports


def test_cars_of_one_url_have_ports_one_after_another() -> None:
    cars = parse_car("virtual:contactor_ev?count=2&elm327_port=35000")
    ports = [car.elm327_port for car in cars if isinstance(car, VirtualCarUrl)]
    assert ports == [35000, 35001]
    (car,) = parse_car("virtual:contactor_ev")
    assert isinstance(car, VirtualCarUrl)
    assert car.elm327_port is None


DIDS = {0xF190: udsoncan.AsciiCodec(17), 0x0100: ">H", 0x0103: ">H"}


@contextlib.contextmanager
def uds_client(bus: can.BusABC) -> Iterator[Client]:
    """udsoncan over can-isotp, with the car's vehicle control."""
    address = isotp.Address(isotp.AddressingMode.Normal_11bits, txid=0x7E0, rxid=0x7E8)
    config = {
        **udsoncan.configs.default_client_config,
        "data_identifiers": DIDS,
        "request_timeout": 60,
        "p2_timeout": 60,
    }
    stack = isotp.CanStack(bus=bus, address=address)
    with Client(PythonIsoTpConnection(stack), config=config) as client:
        yield client


def break_by_frame(maker: FrameMaker, words: str) -> None:
    """What a raw tool does: one frame `VirtualFault` on the bus."""
    path = "Vehicle.Contactor.VirtualCar.Fault.FrameLoss"
    frame = maker.frames(path, words, ts=0)[0]
    with can.Bus(interface="udp_multicast", channel=MULTICAST_GROUP, hop_limit=0) as bus:
        bus.send(can.Message(arbitration_id=frame.can_id, data=frame.data, is_extended_id=False))


def stays_clear(client: Client) -> bool:
    """Clear the codes; whether none has come back when its car has had the time for that."""
    client.clear_dtc()
    time.sleep(1.5)
    return codes(client) == []


def codes(client: Client) -> list[int]:
    return [one.id for one in client.get_dtc_by_status_mask(0x08).service_data.dtcs]


@pytest.mark.processes
def test_strangers_read_and_break_a_running_car_over_the_bus(tmp_path: Path) -> None:
    maker = FrameMaker(load_profile("contactor_ev"))
    car = "virtual:contactor_ev?vehicle=demo&plan=drive&seed=5"
    arguments = ("--history-days", "0", "--bus", "udp_multicast", "--car", car)
    with (
        running(tmp_path / "data", *arguments),
        can.Bus(interface="udp_multicast", channel=MULTICAST_GROUP, hop_limit=0) as bus,
        uds_client(bus) as client,
    ):

        def read(identifier: int) -> object:
            return client.read_data_by_identifier(identifier).service_data.values[identifier]

        assert read(0xF190) == vin_of(5)
        assert 0 < read(0x0103)[0] <= 10_000
        wait_for(lambda: read(0x0100)[0] > 500, timeout_s=120, why="it drives")
        assert codes(client) == []
        break_by_frame(maker, "BODY")
        wait_for(lambda: codes(client) == [0xC14000], timeout_s=60, why="U0140")
        break_by_frame(maker, "NONE")
        wait_for(lambda: stays_clear(client), timeout_s=60, why="cleared for good")


@pytest.mark.processes
def test_scan_tool_reads_the_number_of_a_running_car(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    car = f"virtual:contactor_ev?vehicle=demo&plan=parked&seed=5&elm327_port={port}"
    with running(tmp_path / "data", "--history-days", "0", "--car", car):
        tool = obd.OBD(f"socket://127.0.0.1:{port}", baudrate=38_400, timeout=5)
        try:
            assert bytes(tool.query(obd.commands.VIN).value).decode() == vin_of(5)
            assert tool.query(obd.commands.SPEED).value.magnitude == 0
        finally:
            tool.close()
