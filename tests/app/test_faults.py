"""Cars that run are broken by command over HTTP; tools that others wrote find out, and clear it."""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import obd
import pytest

from contactor.car.virtual.diagnostics.facts import vin_of
from tests.app.processes import RunningInstance, running, wait_for
from tests.ports import free_ports

pytestmark = pytest.mark.processes

FAULT = "Vehicle.Contactor.VirtualCar.Fault"
PLUG = "Vehicle.Contactor.VirtualCar.Plug"
BATTERY = "Vehicle.Powertrain.TractionBattery"
COOLANT = "Vehicle.Powertrain.ElectricMotor.EngineCoolant.Level"
ANSWER_S = 5
STEADY_S = 480
"""A speed that is stuck shows when the car drives another one: on a motorway, minutes later."""
CONNECTED = f"{BATTERY}.Charging.ChargingPort.AnyPosition.IsChargingCableConnected"


def signals_of(instance: RunningInstance, vehicle: str) -> dict[str, dict[str, object]]:
    url = f"{instance.document()['url']}/api/v1/vehicles/{vehicle}"
    return httpx.get(url, trust_env=False, timeout=60).json()["signals"]


def command(instance: RunningInstance, vehicle: str, path: str, value: object) -> None:
    """Ask for it, and wait until the car's bus has said so."""
    url = f"{instance.document()['url']}/api/v1/vehicles/{vehicle}/commands"
    asked = {"path": path, "value": value, "expires_in_s": 60}
    answer = httpx.post(url, json=asked, trust_env=False, timeout=60)
    assert answer.status_code == 202, answer.text
    one = f"{url}/{answer.json()['id']}"
    wait_for(
        lambda: httpx.get(one, trust_env=False, timeout=60).json()["state"] == "done",
        timeout_s=60,
        why=f"{path} {value}: {httpx.get(one, trust_env=False, timeout=60).text}",
    )


@contextlib.contextmanager
def scan_tool(port: int) -> Iterator[obd.OBD]:
    tool = obd.OBD(f"socket://127.0.0.1:{port}", baudrate=38_400, fast=False, timeout=ANSWER_S)
    try:
        assert tool.is_connected()
        yield tool
    finally:
        tool.close()


def codes(tool: obd.OBD) -> set[str]:
    return {code.upper() for code, _ in tool.query(obd.commands.GET_DTC).value or []}


@pytest.fixture(scope="module")
def cars(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningInstance, dict]]:
    """A car that drives and one that is parked, in one instance, each with a scan tool."""
    ports = free_ports(2)
    arguments = ["--history-days", "0"]
    for plan, port in zip(("drive", "parked"), ports, strict=True):
        car = f"virtual:contactor_ev?vehicle={plan}&plan={plan}&elm327_port={port}"
        arguments += ["--car", car]
    data: Path = tmp_path_factory.mktemp("faults") / "data"
    with (
        running(data, *arguments) as instance,
        scan_tool(ports[0]) as driving,
        scan_tool(ports[1]) as parked,
    ):
        yield instance, {"drive": driving, "parked": parked}


Signals = dict[str, dict[str, object]]


def cells_apart(signals: Signals) -> bool:
    low, high = (signals[f"{BATTERY}.CellVoltage.{one}"]["value"] for one in ("Min", "Max"))
    return high - low > 0.1


def is_limited(signals: Signals) -> bool:
    return signals["Vehicle.Contactor.BatteryDischargePowerLimit"]["value"] < 100


def is_live_behind(signals: Signals) -> bool:
    is_connected = signals[f"{BATTERY}.IsPowerConnected"]["value"]
    return is_connected is False and signals["Vehicle.Contactor.LinkVoltage"]["value"] > 300


def is_leaking(signals: Signals) -> bool:
    return signals["Vehicle.Contactor.InsulationResistance"]["value"] < 200


def is_dry(signals: Signals) -> bool:
    return signals[COOLANT]["value"] == "CRITICALLY_LOW" and is_limited(signals)


def has_codes(signals: Signals) -> bool:
    is_lamp_on = signals["Vehicle.Contactor.IsWarningLampOn"]["value"]
    return is_lamp_on is True and signals["Vehicle.Diagnostics.DTCCount"]["value"] > 0


def has_code(tool: obd.OBD, code: str) -> bool:
    return code in codes(tool)


def is_cleared(tool: obd.OBD) -> bool:
    tool.query(obd.commands.CLEAR_DTC)
    return codes(tool) == set()


def says(instance: RunningInstance, vehicle: str, what: Callable[[Signals], bool]) -> bool:
    """Whether its signals say so; they do not while one of them is not known yet."""
    with contextlib.suppress(KeyError):
        return what(signals_of(instance, vehicle))
    return False


def says_not(instance: RunningInstance, vehicle: str, what: Callable[[Signals], bool]) -> bool:
    return says(instance, vehicle, lambda signals: not what(signals))


# vehicle, fault, its value, the code, what the signals say at the same time
FAULTS: list[tuple[str, str, object, str, Callable[[Signals], bool]]] = [
    ("drive", "StuckSensor", "SPEED", "P0501", has_codes),
    ("parked", "IsolationLoss", True, "P0AA6", is_leaking),
    ("parked", "ContactorWeld", True, "P0AA1", is_live_behind),
    ("parked", "FrameLoss", "BODY", "U0140", has_codes),
    ("drive", "CellImbalance", True, "P0BBD", cells_apart),
    ("drive", "CoolantLoss", True, "P0A93", is_dry),
]


def test_faults_are_found_by_scan_tools_seen_in_the_signals_and_cleared(
    cars: tuple[RunningInstance, dict[str, obd.OBD]],
) -> None:
    instance, tools = cars
    for vehicle, tool in tools.items():
        assert codes(tool) == set()
        wait_for(partial(says_not, instance, vehicle, has_codes), timeout_s=60, why="no codes")
    for vehicle, fault, value, _, _ in FAULTS:
        command(instance, vehicle, f"{FAULT}.{fault}", value)
    for vehicle, _, _, code, is_seen in FAULTS:
        wait_for(partial(has_code, tools[vehicle], code), timeout_s=STEADY_S, why=code)
        wait_for(partial(says, instance, vehicle, is_seen), timeout_s=60, why=code)
    for vehicle, fault, value, _, _ in FAULTS:
        command(instance, vehicle, f"{FAULT}.{fault}", False if value is True else "NONE")
    for tool in tools.values():
        wait_for(partial(is_cleared, tool), timeout_s=60, why="cleared")
    for vehicle, fault, _, _, is_seen in FAULTS:
        wait_for(partial(says_not, instance, vehicle, is_seen), timeout_s=60, why=fault)


def test_scan_tool_reads_the_car_that_drives(
    cars: tuple[RunningInstance, dict[str, obd.OBD]],
) -> None:
    instance, tools = cars
    ask = tools["drive"].query
    wait_for(lambda: ask(obd.commands.SPEED).value.magnitude > 5, timeout_s=120, why="it drives")
    assert bytes(ask(obd.commands.VIN).value).decode() == vin_of(1)
    charge_pct = ask(obd.commands.HYBRID_BATTERY_REMAINING, force=True).value.magnitude

    def is_shown(signals: Signals) -> bool:
        shown = signals[f"{BATTERY}.StateOfCharge.Current"]["value"]
        return shown == pytest.approx(charge_pct, abs=1.0)

    wait_for(partial(says, instance, "drive", is_shown), timeout_s=60, why="the same charge")


def test_plug_is_pulled_and_put_in_by_command(
    cars: tuple[RunningInstance, dict[str, obd.OBD]],
) -> None:
    instance, _ = cars
    command(instance, "parked", PLUG, "NONE")
    wait_for(
        partial(says, instance, "parked", lambda signals: signals[CONNECTED]["value"] is False),
        timeout_s=60,
        why="pulled",
    )
    command(instance, "parked", PLUG, "DC")
    wait_for(
        lambda: signals_of(instance, "parked")[f"{BATTERY}.CurrentPower"]["value"] > 20_000,
        timeout_s=60,
        why="it charges fast",
    )
    command(instance, "parked", PLUG, "PLAN")


def test_fault_of_no_kind_is_refused(cars: tuple[RunningInstance, dict[str, obd.OBD]]) -> None:
    instance, _ = cars
    url = f"{instance.document()['url']}/api/v1/vehicles/parked/commands"
    asked = {"path": f"{FAULT}.StuckSensor", "value": "HORN", "expires_in_s": 30}
    answer = httpx.post(url, json=asked, trust_env=False, timeout=60)
    assert answer.status_code in {400, 409}
    assert "BATTERY_TEMPERATURE" in answer.text
