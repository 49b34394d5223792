"""Signal sets: what to ask a car's control units, and how to read their answers.

The files are those of the OBDb project (https://github.com/OBDb, schema `signals.json` of its
`.schemas` repository): one JSON with commands, each with the signals of its answer.

    { "commands": [ { "hdr": "7E4", "rax": "7EC", "cmd": {"22": "0101"}, "freq": 1,
        "signals": [ {"id": "SOC", "name": "State of charge",
                      "fmt": {"bix": 32, "len": 8, "max": 100, "div": 2, "unit": "percent"}} ] } ] }

Bits are counted from the highest of the answer's first byte after service and identifier. Rules:
a file is read whole or refused with the place of what is wrong; what is well said but cannot be
read from CAN is left out by name, with its reason.

    cars = load_signal_set(Path("ioniq5.json"))
    cars.commands[0].label, cars.commands[0].answer_ids     # ("7E4.7EC.220101", (0x7EC,))
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from contactor.can.isotp import Addressing
from contactor.can.json_fields import Field, parsed
from contactor.can.plan import WORD_BITS, LeftOut
from contactor.can.signal_set_addresses import Route, is_for_year, route_of, years_of
from contactor.errors import DatabaseError, UsageError

MAX_FILE_BYTES = 32 << 20
# The longest payload that ISO 15765-2 carries with a 12 bit length.
MAX_BITS = 8 * 4095
OBD2 = Path(__file__).parent / "data" / "obd2.json"
# Members of a format; those from "omin" on say what is usual and change no value.
FORMAT_MEMBERS = frozenset(
    (
        *("bix", "len", "blsb", "sign", "mul", "div", "add", "unit", "map"),
        *("min", "max", "nullmin", "nullmax", "omin", "omax", "oval"),
    )
)
# What tells a signal set from other JSON, in the first bytes of the file.
BEGINS_OBJECT = re.compile(r"\ufeff?\s*\{")
HAS_MEMBERS = re.compile(r'"commands"\s*:\s*\[|"(hdr|cmd|diagnosticLevel|signalGroups)"\s*:')


@dataclass(frozen=True, slots=True)
class AnswerSignal:
    """One signal of an answer.

    Fields:
        name: its id in the file; `title` is for people, `path` where it belongs in the car.
        first_bit, length: counted from the highest bit of the data; at most 64 bits.
        is_reversed: the bytes that hold it come lowest first.
        mul, div, add: physical = raw · mul / div + add.
        minimum, maximum: what the value is held to, None where it is not.
        null_minimum, null_maximum: at or past these the car has no value.
        is_text: the bits are characters.
        labels: raw value to text.
    """

    name: str
    title: str
    path: str
    first_bit: int
    length: int
    is_reversed: bool
    is_signed: bool
    mul: int | float
    div: int | float
    add: int | float
    minimum: float | None
    maximum: float | None
    null_minimum: float | None
    null_maximum: float | None
    unit: str
    is_text: bool
    labels: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Command:
    """A request and the signals of its answer.

    Fields:
        id: as the project writes it: `7E4.7EC.220101|fc=1`.
        label: the same without what matters to the asking alone; it names the message.
        service, identifier: what is asked: 0x22 and b"\\x01\\x01".
        route: who asks and who answers.
        period_s: how often to ask.
    """

    id: str
    label: str
    service: int
    identifier: bytes
    route: Route
    period_s: float
    signals: tuple[AnswerSignal, ...]

    @property
    def answer_ids(self) -> tuple[int, ...]:
        """The CAN ids that may answer."""
        return self.route.answer_ids

    @property
    def request(self) -> str:
        """Service and identifier: `220101`."""
        return f"{self.service:02X}{self.identifier.hex().upper()}"


@dataclass(frozen=True, slots=True, eq=False)
class SignalSet:
    """The commands of one file, and what was left out of it."""

    source: str
    commands: tuple[Command, ...]
    left_out: tuple[LeftOut, ...]

    def answer_ids(self, addressing: Addressing) -> frozenset[int]:
        """All ids that may answer with that addressing."""
        return frozenset(
            can_id
            for command in self.commands
            if command.route.addressing is addressing
            for can_id in command.answer_ids
        )


def is_signal_set(head: str) -> bool:
    """Whether a file that begins so is a signal set.

    Args:
        head: its first characters; some hundred are enough.
    """
    return bool(BEGINS_OBJECT.match(head) and HAS_MEMBERS.search(head))


def load_signal_set(path: Path, *, model_year: int | None = None) -> SignalSet:
    """Read a signal set.

    Args:
        path: the file.
        model_year: leave out what the file says other years have; None takes everything.

    Raises:
        UsageError: there is no such file.
        DatabaseError: it cannot be read as a signal set; the message names the place.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"no such file: {path}")
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise DatabaseError(f"{path} has {size} bytes, allowed are {MAX_FILE_BYTES}")
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise DatabaseError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DatabaseError(f"{path} is not UTF-8: {error.reason} at {error.start}") from error
    return signal_set_of(path.name, text, model_year=model_year)


def load_obd2() -> SignalSet:
    """The signals that every car with OBD-II may answer (SAE J1979, service 01): our own file."""
    return load_signal_set(OBD2)


def signal_set_of(source: str, text: str, *, model_year: int | None = None) -> SignalSet:
    """A signal set from its text; `load_signal_set` for files.

    Args:
        source: what to call it in errors.
    """
    left_out: list[LeftOut] = []
    commands = [
        command
        for field in parsed(source, text).need("commands").items()
        if (command := _command(field, model_year, left_out))
    ]
    return SignalSet(source, tuple(_told_apart(commands)), tuple(left_out))


def _told_apart(commands: list[Command]) -> Iterator[Command]:
    """Commands whose labels differ; what asking alone tells apart keeps its whole id."""
    labels = Counter(command.label for command in commands)
    for command in commands:
        is_alone = labels[command.label] == 1
        yield command if is_alone else replace(command, label=command.id)


def _command(field: Field, model_year: int | None, left_out: list[LeftOut]) -> Command | None:
    asked = field.need("cmd").members()
    if len(asked) != 1:
        field.need("cmd").wrong('one service with its identifier, such as {"22": "0101"}')
    ((service_text, identifier_field),) = asked.items()
    service = Field(field.source, f"{field.place}.cmd", service_text).hexadecimal(2)
    identifier = identifier_field.hexadecimal(2, 4, 6, 8)
    header = field.need("hdr").hexadecimal(3, 4)
    answers = field.get("rax")
    written = "." + answers.hexadecimal(2, 3, 4, 6, 8) if answers else ""
    base = f"{header}{written}.{service}{identifier}"
    years = years_of(field)
    asking, being = _properties(field, str(years) if years else "")
    name = "|".join(filter(None, (base, ",".join(asking + being))))
    label = "|".join(filter(None, (base, ",".join(being))))
    if years and model_year is not None and not is_for_year(years, model_year):
        left_out.append(LeftOut(name, f"not of model year {model_year}"))
        return None
    route = route_of(field, header)
    if isinstance(route, str):
        left_out.append(LeftOut(name, route))
        return None
    if int(service, 16) > 0x3F:
        field.need("cmd").wrong("services from 01 to 3F")
    period = field.get("freq")
    return Command(
        id=name,
        label=label,
        service=int(service, 16),
        identifier=bytes.fromhex(identifier),
        route=route,
        period_s=float(period.number()) if period else 0.0,
        signals=tuple(_signals(field.need("signals"), name, left_out)),
    )


def _properties(field: Field, years: str) -> tuple[list[str], list[str]]:
    """What a command's id says after the bar: for asking alone, and to tell commands apart."""

    def told(key: str, member: str) -> list[str]:
        given = field.get(member)
        return [f"{key}={given.hexadecimal(2)}"] if given else []

    flow = field.get("fcm1")
    forced = ["fc=1"] if flow and flow.flag() else []
    asking = [*told("t", "tmo"), *forced]
    return asking, [
        *told("e", "eax"),
        *told("ta", "tst"),
        *told("c", "pri"),
        *([f"f={years}"] if years else []),
    ]


def _signals(field: Field, command: str, left_out: list[LeftOut]) -> Iterator[AnswerSignal]:
    for item in field.items():
        name = item.need("id").text()
        signal = _signal(item, name)
        if isinstance(signal, str):
            left_out.append(LeftOut(f"{command}.{name}", signal))
        else:
            yield signal


def _signal(field: Field, name: str) -> AnswerSignal | str:
    """A signal, or why it is left out."""
    form = field.need("fmt")
    members = form.members()
    if unknown := sorted(members.keys() - FORMAT_MEMBERS):
        return f"its format has {unknown[0]!r}, which is not known"
    length = form.need("len").whole(1, MAX_BITS)
    first_bit = members["bix"].whole(0, MAX_BITS) if "bix" in members else 0
    unit = "" if "unit" not in members else members["unit"].text()
    labels = _labels(members["map"]) if "map" in members else {}
    numbers = {
        key: members[key].number()
        for key in ("mul", "div", "add", "min", "max", "nullmin", "nullmax")
        if key in members
    }
    if numbers.get("div") == 0:
        members["div"].wrong("numbers other than 0")
    if length > WORD_BITS:
        return f"{length} bits do not fit a number of {WORD_BITS}"
    low, high = float(numbers.get("min", 0)), numbers.get("max")
    is_held = high is not None and high > low
    null_low, null_high = numbers.get("nullmin"), numbers.get("nullmax")
    title, path = field.get("name"), field.get("path")
    return AnswerSignal(
        name=name,
        title=title.text() if title else name,
        path=path.text() if path else "",
        first_bit=first_bit,
        length=length,
        is_reversed="blsb" in members and members["blsb"].flag() and length > 8,
        is_signed="sign" in members and members["sign"].flag(),
        mul=numbers.get("mul", 1),
        div=numbers.get("div", 1),
        add=numbers.get("add", 0),
        minimum=low if is_held else None,
        maximum=float(high) if high is not None and is_held else None,
        null_minimum=None if null_low is None else float(null_low),
        null_maximum=None if null_high is None else float(null_high),
        unit=unit,
        is_text=unit == "ascii" and length % 8 == 0,
        labels=labels,
    )


def _labels(field: Field) -> dict[int, str]:
    """Raw values to texts; a text may come with a description."""
    labels = {}
    for raw, text in field.members().items():
        if not re.fullmatch(r"-?[0-9]{1,20}", raw):
            text.wrong("whole numbers as names")
        if isinstance(text.value, dict):
            labels[int(raw)] = text.need("value").text()
        elif isinstance(text.value, bool | int | float):
            labels[int(raw)] = str(text.value)
        else:
            labels[int(raw)] = text.text()
    return labels
