"""Scan tools that others wrote ask a car in real processes: over the bus, and over a socket."""

import socket
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
from contactor.car.virtual.diagnostics.facts import vin_of
from tests.app.processes import running


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_cars_of_one_url_have_ports_one_after_another() -> None:
    cars = parse_car("virtual:contactor_ev?count=2&elm327_port=35000")
    ports = [car.elm327_port for car in cars if isinstance(car, VirtualCarUrl)]
    assert ports == [35000, 35001]
    (car,) = parse_car("virtual:contactor_ev")
    assert isinstance(car, VirtualCarUrl)
    assert car.elm327_port is None


def vin_over_the_bus() -> str:
    address = isotp.Address(isotp.AddressingMode.Normal_11bits, txid=0x7E0, rxid=0x7E8)
    config = {
        **udsoncan.configs.default_client_config,
        "data_identifiers": {0xF190: udsoncan.AsciiCodec(17)},
        "request_timeout": 10,
        "p2_timeout": 5,
    }
    with can.Bus(interface="udp_multicast", channel=MULTICAST_GROUP, hop_limit=0) as bus:
        stack = isotp.CanStack(bus=bus, address=address)
        with Client(PythonIsoTpConnection(stack), config=config) as client:
            return client.read_data_by_identifier(0xF190).service_data.values[0xF190]


@pytest.mark.processes
def test_strangers_read_the_number_of_a_running_car(tmp_path: Path) -> None:
    port = free_port()
    car = f"virtual:contactor_ev?vehicle=demo&plan=parked&seed=5&elm327_port={port}"
    arguments = ("--history-days", "0", "--bus", "udp_multicast", "--car", car)
    with running(tmp_path / "data", *arguments):
        assert vin_over_the_bus() == vin_of(5)
        tool = obd.OBD(f"socket://127.0.0.1:{port}")
        try:
            assert bytes(tool.query(obd.commands.VIN).value).decode() == vin_of(5)
            assert tool.query(obd.commands.SPEED).value.magnitude == 0
        finally:
            tool.close()
