"""Why a control unit refuses: the codes of negative answers.

    name_of(0x31)     # "request out of range"

Source: ISO 14229-1:2020, table A.1 (negative response codes).
"""

PENDING = 0x78

NAMES = {
    0x10: "general reject",
    0x11: "service not supported",
    0x12: "sub-function not supported",
    0x13: "incorrect message length or invalid format",
    0x14: "response too long",
    0x21: "busy, repeat request",
    0x22: "conditions not correct",
    0x24: "request sequence error",
    0x25: "no response from subnet component",
    0x26: "failure prevents execution of requested action",
    0x31: "request out of range",
    0x33: "security access denied",
    0x34: "authentication required",
    0x35: "invalid key",
    0x36: "exceeded number of attempts",
    0x37: "required time delay not expired",
    0x38: "secure data transmission required",
    0x39: "secure data transmission not allowed",
    0x3A: "secure data verification failed",
    0x70: "upload or download not accepted",
    0x71: "transfer data suspended",
    0x72: "general programming failure",
    0x73: "wrong block sequence counter",
    PENDING: "response pending",
    0x7E: "sub-function not supported in active session",
    0x7F: "service not supported in active session",
    0x81: "engine speed too high",
    0x82: "engine speed too low",
    0x83: "engine is running",
    0x84: "engine is not running",
    0x85: "engine run time too low",
    0x86: "temperature too high",
    0x87: "temperature too low",
    0x88: "vehicle speed too high",
    0x89: "vehicle speed too low",
    0x8A: "throttle or pedal too high",
    0x8B: "throttle or pedal too low",
    0x8C: "transmission not in neutral",
    0x8D: "transmission not in gear",
    0x8F: "brake switch not closed",
    0x90: "shifter lever not in park",
    0x91: "torque converter clutch locked",
    0x92: "voltage too high",
    0x93: "voltage too low",
    0x94: "resource temporarily not available",
}


def name_of(code: int) -> str:
    """The standard's name of a code, or the code where it has none."""
    return NAMES.get(code, f"code {code:02X}")
