"""What is mutated: a small sample of every format that is read, and of each way to pack it.

Text samples are the files in `samples/`, made by hand. BLF, MF4 and KCD are made here. Where the
shared recordings are, the beginnings of their files are samples too.

    samples = load_samples(data=Path("../shared/data"))
    samples[0]       # Sample(kind="log", name="candump.log", content=b"...")
"""

import bz2
import gzip
import io
import lzma
import random
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import zstandard

from tools.fuzzing.mf4 import Form, small_mf4

FOLDER = Path(__file__).parent / "samples"
MAX_SAMPLE_BYTES = 8 * 1024
# A binary log or a database cut short is refused early: those are taken whole or not at all, and
# databases take long.
MAX_BINARY_BYTES = 64 * 1024
MAX_DATABASE_BYTES = 16 * 1024
DATABASES = (".dbc", ".kcd", ".sym", ".arxml")
BINARY_LOGS = (".blf", ".mf4", ".gz")
SIGNAL_SETS = (".json",)


class Kind(StrEnum):
    """What a sample is, and so by what it is read."""

    LOG = "log"
    PACKED = "packed"
    DATABASE = "database"
    SIGNAL_SET = "signal-set"


@dataclass(frozen=True, slots=True)
class Sample:
    """A valid input, or one that is refused for a good reason."""

    kind: Kind
    name: str
    content: bytes


def load_samples(data: Path | None) -> list[Sample]:
    """All samples, always in the same order.

    Args:
        data: the shared recordings; None or missing where there are none.
    """
    samples = [_sample(path.name, path.read_bytes()) for path in sorted(FOLDER.iterdir())]
    samples += [Sample(Kind.LOG, f"{form}.mf4", small_mf4(form)) for form in Form]
    samples.append(Sample(Kind.LOG, "small.blf", small_blf()))
    samples.append(Sample(Kind.LOG, "stored.blf", small_blf(level=0)))
    samples.append(Sample(Kind.DATABASE, "small.kcd", small_kcd()))
    samples += _packed(samples)
    if data is not None and data.is_dir():
        samples += _recorded(data)
    return samples


def _sample(name: str, content: bytes) -> Sample:
    suffix = Path(name).suffix.lower()
    if suffix in DATABASES:
        return Sample(Kind.DATABASE, name, content)
    return Sample(Kind.SIGNAL_SET if suffix in SIGNAL_SETS else Kind.LOG, name, content)


def _recorded(data: Path) -> Iterator[Sample]:
    folders = (data / "can", data / "dbc_corpus", data / "obd_ioniq5/signalsets")
    for path in sorted(path for folder in folders for path in folder.rglob("*")):
        suffix = path.suffix.lower()
        if not path.is_file() or path.name in ("SOURCE.txt", "LICENSE", "COUNTS.csv"):
            continue
        name = str(path.relative_to(data))
        size = path.stat().st_size
        if suffix in BINARY_LOGS:
            if size <= MAX_BINARY_BYTES:
                yield _sample(name, path.read_bytes())
        elif suffix in (*DATABASES, *SIGNAL_SETS):
            if size <= MAX_DATABASE_BYTES:
                yield _sample(name, path.read_bytes())
        elif "can" in path.relative_to(data).parts:
            with path.open("rb") as file:
                yield Sample(Kind.LOG, name, file.read(MAX_SAMPLE_BYTES))


def small_blf(*, level: int = -1) -> bytes:
    """A BLF log with every kind of frame, by python-can."""
    import can

    rng = random.Random("blf")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.blf"
        with can.BLFWriter(path, compression_level=level) as writer:
            for number in range(24):
                is_fd = number % 5 == 4
                size = rng.choice((12, 64) if is_fd else (0, 3, 8, 8))
                writer.on_message_received(
                    can.Message(
                        timestamp=1_700_000_000 + 0.01 * number,
                        arbitration_id=rng.choice((0x1DB, 0x7E8)),
                        is_extended_id=number % 7 == 3,
                        is_remote_frame=number % 11 == 6 and not is_fd,
                        is_error_frame=number == 9,
                        is_fd=is_fd,
                        bitrate_switch=is_fd,
                        data=b"" if number % 11 == 6 and not is_fd else rng.randbytes(size),
                        channel=number % 2,
                    )
                )
        return path.read_bytes()


def small_kcd() -> bytes:
    """A KCD database, by cantools from one of another form."""
    import cantools

    database = cantools.database.load_file(FOLDER / "small.sym")
    return database.as_kcd_string().encode()


def _zipped(sample: Sample) -> bytes:
    with io.BytesIO() as buffer:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in (sample.name, "notes.txt"):
                info = zipfile.ZipInfo(name)
                archive.writestr(info, sample.content if name == sample.name else b"a drive")
        return buffer.getvalue()


PACKERS: dict[str, Callable[[Sample], bytes]] = {
    "gz": lambda sample: gzip.compress(sample.content, mtime=0),
    "zip": _zipped,
    "zst": lambda sample: zstandard.ZstdCompressor(write_checksum=True).compress(sample.content),
    "bz2": lambda sample: bz2.compress(sample.content),
    "xz": lambda sample: lzma.compress(sample.content),
}


def _packed(samples: list[Sample]) -> list[Sample]:
    """Some logs in every packing, and packings inside one another."""
    chosen = [
        sample for sample in samples if sample.name in ("candump.log", "savvycan.csv", "small.blf")
    ]
    packed = [
        Sample(Kind.PACKED, f"{sample.name}.{suffix}", pack(sample))
        for sample in chosen
        for suffix, pack in PACKERS.items()
    ]
    twice = [
        Sample(Kind.PACKED, f"{sample.name}.{suffix}", PACKERS[suffix](sample))
        for sample, suffix in zip(packed, ("zip", "gz", "gz", "zst", "zip"), strict=False)
    ]
    return packed + twice


def digest(samples: list[Sample]) -> str:
    """What the samples add up to: with it, a seed and a number, an input can be made again."""
    total = 0
    for sample in samples:
        total = zlib.crc32(sample.content, zlib.crc32(sample.name.encode(), total))
    return f"{total:08x}"
