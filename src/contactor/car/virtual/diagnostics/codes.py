"""The trouble codes that each control unit can find, and their names.

    number_of("P0AA6")          # 0x0AA6
    code_of(0xC100)             # "U0100"

Source: SAE J2012-DA (also ISO 15031-6).
"""

import re

from contactor.errors import UsageError

VEHICLE_CODES = {
    "P0500": "Vehicle Speed Sensor A",
    "P0501": "Vehicle Speed Sensor A Range/Performance",
    "P0562": "System Voltage Low",
    "P0A05": "Motor Electronics Coolant Pump A Control Circuit/Open",
    "P0A2A": "Drive Motor A Temperature Sensor Circuit",
    "P0A2B": "Drive Motor A Temperature Sensor Circuit Range/Performance",
    "P0A3C": "Drive Motor A Inverter Over Temperature",
    "P0A3F": "Drive Motor A Position Sensor Circuit",
    "P0A78": "Drive Motor A Inverter Performance",
    "P0A93": "Inverter A Cooling System Performance",
    "P2122": "Throttle/Pedal Position Sensor/Switch D Circuit Low",
    "P2560": "Engine Coolant Level Low",
    "U0111": "Lost Communication With Battery Energy Control Module A",
    "U0140": "Lost Communication With Body Control Module",
    "U0412": "Invalid Data Received From Battery Energy Control Module A",
    "U0422": "Invalid Data Received From Body Control Module",
}
BATTERY_CODES = {
    "P0A7E": "Hybrid/EV Battery Pack Over Temperature",
    "P0A7F": "Hybrid/EV Battery Pack Deterioration",
    "P0A9B": "Hybrid/EV Battery Temperature Sensor A Circuit",
    "P0A9C": "Hybrid/EV Battery Temperature Sensor A Circuit Range/Performance",
    "P0AA1": "Hybrid/EV Battery Positive Contactor Circuit Stuck Closed",
    "P0AA4": "Hybrid/EV Battery Negative Contactor Circuit Stuck Closed",
    "P0AA6": "Hybrid/EV Battery Voltage System Isolation",
    "P0ABC": "Hybrid/EV Battery Pack Voltage Sense A Circuit Range/Performance",
    "P0AC0": "Hybrid/EV Battery Pack Current Sensor A Circuit Range/Performance",
    "P0BBD": "Hybrid/EV Battery Pack Voltage Variation Exceeded Limit",
    "U0100": "Lost Communication With ECM/PCM A",
    "U0401": "Invalid Data Received From ECM/PCM A",
}
BODY_CODES = {
    "U0155": "Lost Communication With Instrument Panel Cluster Control Module",
    "U0164": "Lost Communication With HVAC Control Module",
}

_CODE = re.compile(r"[PCBU][0-3][0-9A-F]{3}")


def number_of(code: str) -> int:
    """A code as its two bytes: P0AA6 is 0x0AA6, U0100 is 0xC100.

    Source: ISO 15031-6: the letter is the upper two bits, the first digit the next two.
    """
    if not _CODE.fullmatch(code):
        raise UsageError(f"trouble code {code!r}; allowed: P, C, B or U, then 0 to 3, then 3 hex")
    return "PCBU".index(code[0]) << 14 | int(code[1:], 16)


def code_of(number: int) -> str:
    """Two bytes as a code: 0x0AA6 is P0AA6."""
    return f"{'PCBU'[number >> 14 & 3]}{number & 0x3FFF:04X}"
