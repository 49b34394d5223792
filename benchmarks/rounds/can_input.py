"""The log that the CAN benchmark reads: made once, and the same on every machine.

80 messages of a real car's database (Volkswagen's MQB, the e-Golf's platform, which comes with the
peer opendbc; our own car's where that is missing), each sent at a cycle of its own, 10 ms to 1 s
with some jitter, all on one bus. A signal rests, wanders or counts, in the range of its bits.

    logs = make_logs(Path(".bench/can"), 5_000_000)
    logs.text, logs.mf4, logs.blf, logs.database, logs.frames

`frames` holds what the logs hold, as columns: `ts` int64 ns, `slot` (message of the database),
`ids`, `lengths` per message, `payload` uint64 little endian.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import cantools
import numpy as np
from cantools.database.can import Database, Message, Signal
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "benchmarks/peers"
OWN_CAR = ROOT / "src/contactor/car/profiles/contactor_ev/car.dbc"
REAL_CAR = "lib/python3*/site-packages/opendbc/dbc/vw_mqb.dbc"
VERSION = 1  # another one makes all logs anew
MESSAGES = 80
START_US = 1_700_000_000 * 10**6
# How many of the messages are sent at which cycle (s); as in a car, few are fast and most slow.
CYCLES_S = np.repeat([0.01, 0.02, 0.05, 0.1, 0.5, 1.0], [10, 16, 8, 26, 8, 12])
BLOCK = 200_000
DIGITS = np.frombuffer(b"0123456789ABCDEF", np.uint8)


@dataclass(frozen=True, slots=True)
class Logs:
    """Where the input lies, and the database that its messages come from, by name."""

    folder: Path
    source: str = ""

    @property
    def contents(self) -> str:
        """What the logs hold, in words."""
        frames = np.load(self.frames)
        signals = [
            len(message.signals) for message in cantools.database.load_file(self.database).messages
        ]
        per_frame = np.array(signals)[frames["slot"]].mean()
        return f"{len(signals)} messages of {self.source}, {per_frame:.1f} signals a frame"

    def path(self, kind: str) -> Path:
        """The log of a kind: text, blf or mf4."""
        return {"text": self.text, "blf": self.blf, "mf4": self.mf4}[kind]

    @property
    def text(self) -> Path:
        return self.folder / "drive.log"

    @property
    def blf(self) -> Path:
        return self.folder / "drive.blf"

    @property
    def mf4(self) -> Path:
        return self.folder / "drive.mf4"

    @property
    def frames(self) -> Path:
        return self.folder / "frames.npz"

    @property
    def database(self) -> Path:
        return self.folder / "car.dbc"


def make_logs(folder: Path, count: int, *, python: Path, database: Path | None = None) -> Logs:
    """Make the logs of `count` frames, or take those that are there.

    Args:
        folder: where they go.
        python: the peers' Python: python-can writes the BLF, asammdf the MF4.
        database: another car's.
    """
    found = [database] if database else sorted(python.parents[1].glob(REAL_CAR))
    logs = Logs(folder, found[0].name if found else f"our own {OWN_CAR.parent.name}")
    stamp = folder / "made.json"
    made = {"version": VERSION, "frames": count, "source": logs.source}
    if stamp.exists() and json.loads(stamp.read_text()) == made:
        return logs
    folder.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    messages = _messages(found[0] if found else OWN_CAR)
    logs.database.write_text(Database(messages=messages).as_dbc_string(sort_signals=None))
    frames = _frames(messages, count)
    np.savez(logs.frames, **frames)
    with logs.text.open("wb") as file:
        for block in text_blocks(frames):
            file.write(block)
    for script, target in (("python_can_write.py", logs.blf), ("asammdf_write.py", logs.mf4)):
        subprocess.run([python, PEERS / script, logs.frames, target], check=True)
    stamp.write_text(json.dumps(made))
    return logs


def text_blocks(frames: dict[str, NDArray[Any]]) -> Iterator[bytes]:
    """Frames as the lines that `candump -L` writes, some megabytes at a time."""
    for start in range(0, len(frames["ts"]), BLOCK):
        part = slice(start, start + BLOCK)
        slots = frames["slot"][part]
        yield _lines(
            frames["ts"][part] // 1000,
            frames["ids"][slots],
            frames["lengths"][slots].astype(np.int64),
            frames["payload"][part],
        )


def _messages(path: Path) -> list[Message]:
    """The first classic messages without multiplexers whose signals have bits of their own."""
    database = cantools.database.load_file(path, strict=False)
    plain = (message for message in database.messages if _is_plain(message))
    return list(islice(plain, MESSAGES))


def _is_plain(message: Message) -> bool:
    try:
        message.refresh(strict=True)  # raises where signals overlap or stick out
    except cantools.database.Error:
        return False
    return (
        bool(message.signals)
        and message.length <= 8
        and not message.is_multiplexed()
        and not message.is_extended_frame
    )


def _end(signal: Signal) -> int:
    """The bit after the signal's last, counted in the signal's own byte order."""
    if signal.byte_order == "little_endian":
        return signal.start + signal.length
    return 8 * (signal.start // 8) + 7 - signal.start % 8 + signal.length


def _frames(messages: list[Message], count: int) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(1)
    cycles_s = CYCLES_S[: len(messages)]
    duration_s = 1.01 * count / (1 / cycles_s).sum()
    stamps, slots, payloads = [], [], []
    for slot, (message, cycle_s) in enumerate(zip(messages, cycles_s, strict=True)):
        sent = int(duration_s / cycle_s)
        jitter_s = rng.normal(0, 0.01 * cycle_s, sent)
        stamps.append(np.arange(sent) * cycle_s + rng.uniform(0, cycle_s) + jitter_s)
        slots.append(np.full(sent, slot, np.uint8))
        payloads.append(_payloads(message, sent, rng))
    micros = (np.concatenate(stamps) * 1e6).round().astype(np.int64)
    order = np.argsort(micros, kind="stable")[:count]
    return {
        "ts": 1000 * (START_US + micros[order] - micros[order[0]]),
        "slot": np.concatenate(slots)[order],
        "payload": np.concatenate(payloads)[order],
        "ids": np.array([message.frame_id for message in messages], np.uint32),
        "lengths": np.array([message.length for message in messages], np.uint8),
    }


def _payloads(message: Message, count: int, rng: np.random.Generator) -> NDArray[np.uint64]:
    """The payloads of one message, byte 0 lowest."""
    little = np.zeros(count, np.uint64)
    big = np.zeros(count, np.uint64)
    for signal in message.signals:
        patterns = _patterns(signal.length, count, rng)
        if signal.byte_order == "little_endian":
            little |= patterns << np.uint64(signal.start)
        else:
            big |= patterns << np.uint64(64 - _end(signal))
    return little | big.byteswap()


def _patterns(bits: int, count: int, rng: np.random.Generator) -> NDArray[np.uint64]:
    """A signal's bits in each frame: it rests (45 in 100), wanders (40), or counts (15)."""
    top = 2 ** min(bits, 62) - 1
    kind = rng.random()
    if bits == 1 or kind < 0.45:
        changes = np.sort(rng.integers(0, max(count, 1), 4))
        values = rng.integers(0, top + 1, 5).astype(np.uint64)
        return values[np.searchsorted(changes, np.arange(count))]
    if kind < 0.85:
        step = max(1, top // 4096)
        walk = np.cumsum(rng.integers(-step, step + 1, count)) + top // 2
        return np.abs(walk).astype(np.uint64) & np.uint64(top)
    return np.arange(count, dtype=np.uint64) & np.uint64(top)


def _lines(
    micros: NDArray[np.int64],
    ids: NDArray[np.uint32],
    lengths: NDArray[np.int64],
    payload: NDArray[np.uint64],
) -> bytes:
    """`(1700000000.123456) can0 123#0102030405060708`, the bytes past the length left out."""
    stamp = _decimal(micros, 16)
    data = payload.astype("<u8").view(np.uint8).reshape(-1, 8)
    text = np.empty((len(micros), 45), np.uint8)
    text[:, 0] = ord("(")
    text[:, 1:11], text[:, 11], text[:, 12:18] = stamp[:, :10], ord("."), stamp[:, 10:]
    text[:, 18:25] = np.frombuffer(b") can0 ", np.uint8)
    for place in range(3):
        text[:, 25 + place] = DIGITS[(ids >> np.uint32(8 - 4 * place)) & 15]
    text[:, 28] = ord("#")
    text[:, 29:45:2], text[:, 30:45:2] = DIGITS[data >> 4], DIGITS[data & 15]
    rows = np.concatenate((text, np.full((len(micros), 1), ord("\n"), np.uint8)), axis=1)
    is_kept = np.arange(46) < 29 + 2 * lengths[:, None]
    is_kept[:, 45] = True
    return rows[is_kept].tobytes()


def _decimal(values: NDArray[np.int64], digits: int) -> NDArray[np.uint8]:
    powers = 10 ** np.arange(digits - 1, -1, -1, dtype=np.int64)
    return DIGITS[values[:, None] // powers % 10]
