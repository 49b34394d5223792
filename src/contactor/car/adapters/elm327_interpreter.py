"""What an ELM327 says to what it is told: text in, text out; no socket.

    interpreter = Interpreter(car)
    interpreter.answer("ATZ")                # "ATZ\\r\\r\\rELM327 v1.5\\r\\r>"
    interpreter.answer("010D")               # "010D\\rSEARCHING...\\r41 0D 32 \\r\\r>"

    AT...         settings and questions: OK, an answer, or ? for what is not known
    hex digits    a request of at most 7 bytes to the id that ATSH set; one digit more says how
                  many frames are waited for
    nothing       the last line once more

Answers with headers off and on, of one frame and of several:

    41 0D 32                               7E8 03 41 0D 32 CC CC CC CC
    014                                    7E8 10 14 49 02 01 5A 5A 5A
    0: 49 02 01 5A 5A 5A                   7E8 21 43 45 56 30 30 30 54
    1: 43 45 56 30 30 30 54                7E8 22 43 30 30 30 30 30 31

Rules: the car has one protocol, 6 (CAN, 11 bit, 500 kbit/s); any other that is set cannot connect.
What only concerns wires is taken and has no effect: times, flow control, memory.

Source: ELM327 data sheet, version 1.4b: "AT Commands", "OBD Commands", "Interpreting a Response".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from contactor.car.virtual.diagnostics.ecus import FUNCTIONAL_ID
from contactor.car.virtual.diagnostics.isotp import FRAME_BYTES, frames_of

VERSION = "ELM327 v1.5"
DEVICE = "OBDII to RS232 Interpreter"
PROTOCOL = "6"
PROTOCOL_NAME = "ISO 15765-4 (CAN 11/500)"
MAX_REQUEST_BYTES = 7
UNKNOWN = "?"
_ID_BITS = 0x7FF

_SETTING = re.compile(r"(CAF|AT|[EHLSRDM])([0-9])")
_HEADER = re.compile(r"SH(?:[0-9A-F]{3}|[0-9A-F]{6})")
_ACCEPT = re.compile(r"CRA((?:[0-9A-FX]{3})?|[0-9A-FX]{8})")
_FILTER = re.compile(r"(CF|CM)([0-9A-F]{3}|[0-9A-F]{8})")
_PROTOCOL = re.compile(r"(?:SP|TP)(A?)([0-9A-C])")
_NO_EFFECT = re.compile(
    r"AL|NL|AR|BI|PC|FE|LP|SS|V[01]|J[ES]|JHF[01]|KW[01]|CFC[01]|CEA(?:[0-9A-F]{2})?|AMC|CSM[01]"
    r"|ST[0-9A-F]{2}|SW[0-9A-F]{2}|TA[0-9A-F]{2}|CP[0-9A-F]{2}|[RS]R[0-9A-F]{2}|IB(?:10|48|96)"
    r"|FCSM[012]|FCSD(?:[0-9A-F]{2}){1,5}|FCSH(?:[0-9A-F]{3}|[0-9A-F]{8})|WM(?:[0-9A-F]{2}){1,6}"
    r"|CV[0-9A-F]{4}|MP[0-9A-F]{4,6}"
)
_ALLOWED = {"AT": "012"}


class Diagnosed(Protocol):
    """A car that answers a tester."""

    def diagnose(self, can_id: int, request: bytes) -> Sequence[tuple[int, bytes]]:
        """Who answers what, as id and payload."""
        ...

    @property
    def low_voltage_v(self) -> float:
        """Of its 12 V system."""
        ...


@dataclass(slots=True)
class _Settings:
    """What AT commands set, as after ATD.

    Fields:
        echoes, linefeeds, spaces, headers, responses, formats, lengths: E, L, S, H, R, CAF, D.
        protocol: 0 finds it out; `is_automatic` may leave another that does not answer.
        accepted: the ids that are shown, a pattern of hexadecimal digits and X.
    """

    echoes: bool = True
    linefeeds: bool = False
    spaces: bool = True
    headers: bool = False
    responses: bool = True
    formats: bool = True
    lengths: bool = False
    header: int = FUNCTIONAL_ID
    protocol: str = "0"
    is_automatic: bool = True
    is_found: bool = False
    accepted: str = ""
    filter_id: int = 0
    filter_mask: int = 0


_SWITCHES = {
    "E": "echoes",
    "L": "linefeeds",
    "S": "spaces",
    "H": "headers",
    "R": "responses",
    "CAF": "formats",
    "D": "lengths",
}


class Interpreter:
    """Owns the settings of one ELM327.

    Args:
        car: what it is plugged into.
    """

    def __init__(self, car: Diagnosed) -> None:
        self._car = car
        self._settings = _Settings()
        self._last = ""
        self._told: Mapping[str, Callable[[], str]] = {
            "Z": self._reset,
            "WS": self._reset,
            "D": self._defaults,
            "I": lambda: VERSION,
            "@1": lambda: DEVICE,
            "DP": self._protocol_name,
            "DPN": self._protocol_number,
            "RV": lambda: f"{self._car.low_voltage_v:.1f}V",
            "IGN": lambda: "ON",
            "CS": lambda: "T:00 R:00",
        }

    def answer(self, line: str) -> str:
        """All that is printed for a line, echo and prompt included.

        Args:
            line: without the carriage return that ends it.
        """
        command = "".join(line.split()).replace("\0", "").upper() or self._last
        self._last = command
        echo = f"{line}\r" if self._settings.echoes else ""
        lines = self._at(command[2:]) if command.startswith("AT") else self._request(command)
        text = echo + "".join(f"{one}\r" for one in lines) + "\r>"
        return text.replace("\r", "\r\n") if self._settings.linefeeds else text

    # ── AT commands ──────────────────────────────────────────────────────────────────────────────

    def _at(self, command: str) -> list[str]:
        tell = self._told.get(command)
        if tell is not None:
            return tell().split("\r")
        is_done = self._switch(command) or self._address(command) or self._choose(command)
        return ["OK" if is_done or _NO_EFFECT.fullmatch(command) else UNKNOWN]

    def _switch(self, command: str) -> bool:
        found = _SETTING.fullmatch(command)
        if found is None or found[2] not in _ALLOWED.get(found[1], "01"):
            return False
        if found[1] in _SWITCHES:
            setattr(self._settings, _SWITCHES[found[1]], found[2] == "1")
        return True

    def _address(self, command: str) -> bool:
        """Headers and filters; of 29 bits the lower 11 are used, as protocol 6 has no more."""
        if _HEADER.fullmatch(command):
            self._settings.header = int(command[2:], 16) & _ID_BITS
        elif found := _ACCEPT.fullmatch(command):
            self._settings.accepted = found[1][-3:]
        elif found := _FILTER.fullmatch(command):
            value = int(found[2], 16) & _ID_BITS
            setattr(self._settings, "filter_id" if found[1] == "CF" else "filter_mask", value)
        else:
            return False
        return True

    def _choose(self, command: str) -> bool:
        found = _PROTOCOL.fullmatch(command)
        if found is None:
            return False
        self._settings.protocol = found[2]
        self._settings.is_automatic = found[2] == "0" or bool(found[1])
        self._settings.is_found = False
        return True

    def _reset(self) -> str:
        self._settings = _Settings()
        return f"\r\r{VERSION}"

    def _defaults(self) -> str:
        self._settings = _Settings()
        return "OK"

    def _protocol_name(self) -> str:
        settings = self._settings
        if settings.is_automatic:
            return f"AUTO, {PROTOCOL_NAME}" if settings.is_found else "AUTO"
        return PROTOCOL_NAME if settings.protocol == PROTOCOL else f"PROTOCOL {settings.protocol}"

    def _protocol_number(self) -> str:
        settings = self._settings
        if settings.is_automatic:
            return f"A{PROTOCOL if settings.is_found else settings.protocol}"
        return settings.protocol

    # ── requests ─────────────────────────────────────────────────────────────────────────────────

    def _request(self, command: str) -> list[str]:
        digits, frames = (command, "0") if len(command) % 2 == 0 else (command[:-1], command[-1])
        most = MAX_REQUEST_BYTES if self._settings.formats else FRAME_BYTES
        is_hex = bool(re.fullmatch(r"[0-9A-F]+", command))
        if not is_hex or not 0 < len(digits) // 2 <= most:
            return [UNKNOWN]
        settings, before = self._settings, []
        if not settings.is_found and settings.is_automatic:
            before = ["SEARCHING..."]
        if settings.protocol not in {"0", PROTOCOL} and not settings.is_automatic:
            return ["UNABLE TO CONNECT"]
        payload = bytes.fromhex(digits)
        if not settings.formats:
            payload = payload[1 : 1 + payload[0]] if payload[0] < len(payload) else b""
        answers = self._car.diagnose(settings.header, payload) if payload else ()
        settings.is_found = settings.is_found or bool(answers)
        if not settings.responses:
            return []
        shown = self._shown(answers, int(frames, 16))
        return before + (shown or ["NO DATA"])

    def _shown(self, answers: Sequence[tuple[int, bytes]], most: int) -> list[str]:
        """The lines of some answers; of all their frames where `most` is 0."""
        lines: list[str] = []
        left = most or None
        for can_id, payload in answers:
            if not self._is_accepted(can_id):
                continue
            frames = frames_of(payload)[:left]
            lines += self._lines(can_id, payload, frames)
            if left is not None:
                left -= len(frames)
                if not left:
                    break
        return lines

    def _lines(self, can_id: int, payload: bytes, frames: Sequence[bytes]) -> list[str]:
        settings = self._settings
        if settings.headers or not settings.formats:
            length = [str(FRAME_BYTES)] if settings.lengths else []
            head = [f"{can_id:03X}", *length] if settings.headers else []
            return [self._joined([*head, *_pairs(frame)]) for frame in frames]
        if len(payload) < FRAME_BYTES:
            return [self._joined(_pairs(payload))]
        lines = [f"{len(payload):03X}"]
        for place, frame in enumerate(frames):
            data = frame[1:] if place else frame[2:]
            lines.append(self._joined([f"{place & 0xF:X}:", *_pairs(data)]))
        return lines

    def _joined(self, words: Sequence[str]) -> str:
        return "".join(f"{word} " for word in words) if self._settings.spaces else "".join(words)

    def _is_accepted(self, can_id: int) -> bool:
        settings = self._settings
        if settings.accepted:
            digits = zip(settings.accepted, f"{can_id:03X}", strict=True)
            return all(wanted in {"X", digit} for wanted, digit in digits)
        return not (can_id ^ settings.filter_id) & settings.filter_mask


def _pairs(data: bytes) -> list[str]:
    return [f"{one:02X}" for one in data]
