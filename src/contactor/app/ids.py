"""For people: what is on a bus that nobody has a database of; a table of ids, then hints.

show_ids(summary["ids"], summary["buses"])
"""

from collections.abc import Iterable, Iterator, Mapping

from contactor.app.output import print_table
from contactor.can.identify.facts import (
    BusFacts,
    ChecksumFacts,
    CounterFacts,
    IdentifierFacts,
)

HEAD = ("id", "frames", "cycle ms", "± ms", "length", "changing bits", "found")
# Beyond, a line is no longer read; --json has all.
MOST_NUMBERS, MOST_IDS = 4, 12
BIT_RATE = 500_000


def show_ids(ids: Mapping[str, IdentifierFacts], buses: Mapping[str, BusFacts]) -> None:
    """Print the table and the hints."""
    print_table(HEAD, [_row(name, facts) for name, facts in ids.items()])
    hints = [*_hints(ids, buses)]
    if hints:
        print()
    for hint in hints:
        print(hint)


def _row(name: str, facts: IdentifierFacts) -> tuple[object, ...]:
    return (
        name,
        facts["frames"],
        _rounded(facts["cycle_time_ms"]),
        _rounded(facts["jitter_ms"]),
        facts["length"],
        facts["changing_bits"],
        "; ".join(_found(facts)),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _found(facts: IdentifierFacts) -> Iterator[str]:
    if facts["is_diagnostic"]:
        yield "diagnosis"
    if facts["sending"] == "event":
        yield "event"
    for counter in facts["counters"]:
        yield _counter(counter)
    for checksum in facts["checksums"]:
        yield _checksum(checksum)
    multiplexer = facts["multiplexer"]
    if multiplexer:
        yield f"multiplexer byte {multiplexer['byte']}, {len(multiplexer['values'])} values"
    numbers = [signal["bits"] for signal in facts["signals"]]
    if numbers:
        more = " …" if len(numbers) > MOST_NUMBERS else ""
        yield f"numbers {' '.join(numbers[:MOST_NUMBERS])}{more}"
    if facts["text"]:
        yield f"text {facts['text']!r}"


def _counter(counter: CounterFacts) -> str:
    step = counter["step"]
    by = "" if step == 1 else f" by {step}"
    return f"counter {counter['bits']} modulo {counter['modulo']}{by}"


def _checksum(checksum: ChecksumFacts) -> str:
    kind = checksum["kind"]
    if checksum["polynomial"]:
        kind = f"{kind} {checksum['polynomial']}{' reflected' if checksum['is_reflected'] else ''}"
    held, checked = checksum["held"], checksum["checked"]
    return f"{kind} {checksum['bits']} {'in all' if held == checked else f'in {held} of {checked}'}"


def _hints(ids: Mapping[str, IdentifierFacts], buses: Mapping[str, BusFacts]) -> Iterator[str]:
    for number, bus in buses.items():
        yield _load(number, bus)
    left_out = sum(bus["left_out"] for bus in buses.values())
    if left_out:
        yield f"{left_out} frames carry more ids than the {len(ids)} above, and are only counted"
    shared = sorted({name.partition(":")[2] for name in ids if ":" in name})
    named = {
        "on several buses": shared,
        "never change": [
            name
            for name, facts in ids.items()
            if facts["frames"] > 1 and not facts["changing_bits"].strip("0")
        ],
        "come when something happens": [
            name for name, facts in ids.items() if facts["sending"] == "event"
        ],
    }
    for what, names in named.items():
        if names:
            yield f"{len(names)} ids {what}: {_list(names)}"
    if any(facts["signals"] or facts["counters"] for facts in ids.values()):
        yield "bits are written as in a DBC: START|LENGTH@ORDER and the sign; --json tells all"


def _load(number: str, bus: BusFacts) -> str:
    line = f"bus {number}: {bus['ids']} ids"
    if bus["frames_per_s"] is None or bus["bits_per_s"] is None:
        return line
    share = 100 * bus["bits_per_s"] / BIT_RATE
    return (
        f"{line}, {bus['frames_per_s']:.0f} frames/s, {bus['bits_per_s'] / 1000:.0f} kbit/s "
        f"without stuff bits: {share:.0f} % of {BIT_RATE // 1000} kbit/s"
    )


def _list(names: Iterable[str]) -> str:
    known = list(names)
    return " ".join(known[:MOST_IDS]) + (" …" if len(known) > MOST_IDS else "")
