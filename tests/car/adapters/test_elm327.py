"""python-OBD, which others wrote, reads the running virtual car over the ELM327 socket."""

import asyncio
import socket
import time

import obd
import pytest

from contactor.car.adapters.elm327 import MAX_CLIENTS, MAX_LINE_BYTES, elm327_server
from contactor.car.adapters.virtual import VirtualSource
from contactor.car.profiles.profile import load_profile
from contactor.car.virtual.car import VirtualCar
from contactor.clock import NS_PER_S, SystemClock, from_iso
from contactor.errors import UsageError
from contactor.physics.plan import PlanKind

T0 = from_iso("2026-03-03T11:00:00Z")
DRIVEN_NS = 30 * NS_PER_S


class ClockOfThatNoon(SystemClock):
    """The time of day when the car drives, whenever the test runs."""

    def __init__(self):
        self._ahead_ns = T0 + DRIVEN_NS - time.monotonic_ns()

    def now_ns(self):
        return time.monotonic_ns() + self._ahead_ns


def made(plan=PlanKind.DRIVE):
    return VirtualCar(load_profile("contactor_ev"), start_ns=T0, plan=plan)


def with_tool(car, use):
    """What `use(port)` gives in a thread of its own, while the car lives."""

    async def run():
        source = VirtualSource(car, clock=ClockOfThatNoon())

        async def live():
            while True:
                await source.next()

        async with elm327_server(car) as port:
            while car.now_ns < T0 + DRIVEN_NS:
                await source.next()
            living = asyncio.create_task(live())
            try:
                return await asyncio.to_thread(use, port)
            finally:
                living.cancel()

    return asyncio.run(run())


def test_python_obd_reads_and_clears_the_running_car():
    car = made()
    car.set_fault("FrameLoss", 3)

    def use(port):
        tool = obd.OBD(f"socket://127.0.0.1:{port}", fast=True)
        try:
            assert tool.status() == obd.OBDStatus.CAR_CONNECTED
            assert tool.protocol_id() == "6"
            commands = obd.commands
            names = ("SPEED", "VIN", "HYBRID_BATTERY_REMAINING", "GET_DTC", "RUN_TIME", "STATUS")
            found = {name: tool.query(commands[name], force=True).value for name in names}
            found |= {name: tool.query(commands[name]).value for name in ("SPEED", "RUN_TIME")}
            car.set_fault("FrameLoss", 0)
            tool.query(commands.CLEAR_DTC)
            return found, tool.query(commands.GET_DTC).value, car.physics.state
        finally:
            tool.close()

    found, cleared, state = with_tool(car, use)
    assert found["SPEED"].to("km/h").magnitude == pytest.approx(state.speed_mps * 3.6, abs=20)
    assert found["SPEED"].magnitude > 5
    assert found["RUN_TIME"].magnitude >= 30
    assert bytes(found["VIN"]).decode() == car.vin
    percent = found["HYBRID_BATTERY_REMAINING"].magnitude
    assert percent == pytest.approx(state.state_of_charge * 100, abs=0.5)
    assert [code.upper() for code, _ in found["GET_DTC"]] == ["U0140"]
    assert found["STATUS"].MIL
    assert cleared == []


def read_until_prompt(connection, prompts=1):
    text = b""
    while text.count(b">") < prompts:
        piece = connection.recv(4096)
        assert piece, text
        text += piece
    return text.decode()


def connect(port):

    return socket.create_connection(("127.0.0.1", port), timeout=10)


def test_line_that_is_too_long_is_answered_and_the_next_is_heard():
    def use(port):
        with connect(port) as connection:
            connection.sendall(b"A" * (3 * MAX_LINE_BYTES) + b"\rATI\r")
            return read_until_prompt(connection, prompts=2)

    assert with_tool(made(PlanKind.PARKED), use).count("?\r?\r\r>ATI\rELM327 v1.5") == 1


def test_tools_have_settings_of_their_own_and_their_number_is_bounded():
    def use(port):
        first, *others = [connect(port) for _ in range(MAX_CLIENTS)]
        try:
            first.sendall(b"ATE0\r")
            read_until_prompt(first)
            for one in others:
                one.sendall(b"ATI\r")
            assert {read_until_prompt(one) for one in others} == {"ATI\rELM327 v1.5\r\r>"}
            with connect(port) as another:
                assert another.recv(10) == b""
            first.sendall(b"ATI\r")
            return read_until_prompt(first)
        finally:
            for one in (first, *others):
                one.close()

    assert with_tool(made(PlanKind.PARKED), use) == "ELM327 v1.5\r\r>"


def test_port_that_is_taken_is_named():
    async def run():
        car = made(PlanKind.PARKED)
        async with elm327_server(car) as port:
            with pytest.raises(UsageError, match=f"elm327 port {port} cannot be opened"):
                async with elm327_server(car, port=port):
                    pass

    asyncio.run(run())
