"""What was gathered of one id, told as facts."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from contactor.can.identify.checksums import Checksum
from contactor.can.identify.counters import Counter
from contactor.can.identify.facts import (
    ChecksumFacts,
    CounterFacts,
    IdentifierFacts,
    MultiplexerFacts,
    SignalGuess,
)
from contactor.can.identify.multiplexers import Multiplexer
from contactor.can.identify.pace import Pace
from contactor.can.identify.signals import find_signals
from contactor.can.identify.tallies import Tallies
from contactor.can.identify.watch import Watch

VALUES = np.arange(256)
# Standard ids of diagnosis (ISO 15765-4, and what makers put beside), and the extended ones with
# their flag: 18DAxxxx, 18DBxxxx.
DIAGNOSTIC_IDS = range(0x700, 0x800)
EXTENDED_DIAGNOSTIC = (0x38DA_0000,)


class Gathered(Protocol):
    """What the builder keeps of one id."""

    key: int
    frames: int
    first_ts: int
    last_ts: int
    lengths: dict[int, int]
    pace: Pace
    watches: dict[int, Watch]


def facts_of(seen: Gathered, tallies: Tallies, slot: int, vin: str | None) -> IdentifierFacts:
    """The facts of one id."""
    length = max(seen.lengths)
    has_value = tallies.values(slot)[:length] > 0
    flips = tallies.bit_flips(slot)[:length]
    watch = seen.watches[max(seen.watches, key=lambda one: seen.lengths[one])].finished()
    is_diagnostic = _is_diagnostic(seen.key, has_value[0]) if length else False
    likely = [] if is_diagnostic else watch.told()
    return IdentifierFacts(
        frames=seen.frames,
        cycle_time_ms=seen.pace.median_ms(),
        length=length,
        changing_bits=_changing(has_value),
        bus=seen.key >> 30,
        first_ts=seen.first_ts,
        last_ts=seen.last_ts,
        jitter_ms=seen.pace.jitter_ms(),
        longest_gap_ms=seen.pace.longest_ms(),
        rate_hz=seen.pace.rate_hz(seen.first_ts, seen.last_ts),
        sending=seen.pace.sending(),
        lengths=sorted(seen.lengths),
        bytes_min=has_value.argmax(axis=1).tolist(),
        bytes_max=(255 - has_value[:, ::-1].argmax(axis=1)).tolist(),
        bit_flips=flips.tolist(),
        counters=[
            CounterFacts(
                bits=check.guess.field.name(),
                step=check.guess.step,
                modulo=check.guess.modulo,
                checked=check.checked,
                held=check.held,
            )
            for check in likely
            if isinstance(check.guess, Counter)
        ],
        checksums=[
            ChecksumFacts(
                bits=check.guess.field.name(),
                kind=check.guess.kind,
                polynomial=_polynomial(check.guess),
                is_reflected=check.guess.is_reflected,
                constant=check.guess.constant,
                checked=check.checked,
                held=check.held,
            )
            for check in likely
            if isinstance(check.guess, Checksum)
        ],
        multiplexer=None if is_diagnostic else _multiplexer(watch.multiplexer),
        signals=[] if is_diagnostic else _signals(watch, flips, tallies.values(slot)),
        is_diagnostic=is_diagnostic,
        text=vin or watch.text,
    )


def _is_diagnostic(key: int, has_value: NDArray[np.bool_]) -> bool:
    """Whether an id of diagnosis carries frames of ISO 15765-2: their kind is the high nibble."""
    identifier = key & 0x3FFF_FFFF
    is_id = identifier in DIAGNOSTIC_IDS or identifier & 0x3FFE_0000 in EXTENDED_DIAGNOSTIC
    kinds = VALUES[has_value] >> 4
    sizes = VALUES[has_value][kinds == 0]
    return is_id and bool((kinds <= 3).all()) and bool(((sizes >= 1) & (sizes <= 7)).all())


def likely_bits(watch: Watch) -> set[tuple[int, int]]:
    """The bits of what was found: counters, checksums, the multiplexer."""
    taken = {bit for check in watch.checks if check.is_likely() for bit in check.guess.field.bits()}
    if watch.multiplexer:
        taken |= {(watch.multiplexer.byte, bit) for bit in range(8)}
    return taken


def _signals(
    watch: Watch, flips: NDArray[np.int64], values: NDArray[np.int64]
) -> list[SignalGuess]:
    windows = watch.windows()
    if not windows or watch.multiplexer:
        return []
    window = np.concatenate(windows)
    return [
        SignalGuess(
            bits=signal.field.name(),
            min=signal.least,
            max=signal.most,
            roughness=round(signal.roughness, 4),
        )
        for signal in find_signals(window, flips, likely_bits(watch), values)
    ]


def _changing(has_value: NDArray[np.bool_]) -> str:
    """The bits of each byte that were not the same in all its values, in hex."""
    mask = bytearray()
    for seen in has_value:
        values = VALUES[seen]
        ever = int(np.bitwise_or.reduce(values, initial=0))
        always = int(np.bitwise_and.reduce(values, initial=0xFF))
        mask.append(ever & ~always & 0xFF)
    return mask.hex()


def _polynomial(checksum: Checksum) -> str | None:
    return None if checksum.polynomial is None else f"0x{checksum.polynomial:02x}"


def _multiplexer(found: Multiplexer | None) -> MultiplexerFacts | None:
    if found is None:
        return None
    return MultiplexerFacts(
        byte=found.byte, values=list(found.values), depending=list(found.depending)
    )
