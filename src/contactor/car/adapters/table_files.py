"""Table files, told by content: Parquet, or delimited text; each also compressed with gzip.

A text table is read as text, cell by cell: what a cell means is the map's affair. Its first line
names the columns. UTF-8 and UTF-16 are told by content, anything else is taken as Windows-1252.

    with open_table(path, layout=TextLayout(), wanted=("t", "speed")) as table:
        for frame in table.batches(("t", "speed"), rows=20_000): ...
"""

import codecs
import csv
import difflib
import gzip
import io
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

from contactor.car.adapters.table_map import TextLayout
from contactor.car.adapters.table_polars import pl
from contactor.errors import TableError

Result = TypeVar("Result")

OVERLONG = "\0overlong"
"""The column of a batch that tells which rows have more cells than the header (True)."""

_HEAD_BYTES = 1_000_000
_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_DELIMITERS = ",;\t|"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SHOWN_COLUMNS = 40


@dataclass(frozen=True, slots=True)
class Table:
    """An open table: its column names in file order, and a lazy frame with columns "0", "1", ...

    A text table has one column more than names: what stands beyond the header's last cell.
    """

    path: Path
    names: tuple[str, ...]
    frame: pl.LazyFrame
    is_text: bool

    def dtype(self, name: str) -> pl.DataType:
        """What the column holds; text for every column of a text table."""
        return self.schema()[str(self.names.index(name))]

    def schema(self) -> pl.Schema:
        return _guarded(self.path, self.frame.collect_schema)

    def batches(self, names: Sequence[str], rows: int) -> Iterator[pl.DataFrame]:
        """The columns `names` and `OVERLONG`, `rows` rows at a time (fewer in the last batch)."""
        columns = [pl.col(str(self.names.index(name))).alias(name) for name in names]
        overlong = pl.col(str(len(self.names))).is_not_null() if self.is_text else pl.lit(False)
        frame = self.frame.select(*columns, overlong.alias(OVERLONG))
        batches = iter(frame.collect_batches(chunk_size=rows, maintain_order=True))
        pending: list[pl.DataFrame] = []
        while (batch := _guarded(self.path, lambda: next(batches, None))) is not None:
            pending.append(batch)
            if sum(one.height for one in pending) < rows:
                continue
            whole = pl.concat(pending)
            full = whole.height - whole.height % rows
            yield from whole.head(full).iter_slices(rows)
            pending = [whole.tail(whole.height - full)]
        rest = pl.concat(pending) if pending else None
        if rest is not None and rest.height:
            yield rest


@contextmanager
def open_table(path: Path, *, layout: TextLayout, wanted: Sequence[str]) -> Iterator[Table]:
    """The table in the file `path`, having the `wanted` columns.

    Raises:
        TableError: no table, one without a wanted column or with it twice, or unreadable.
    """
    with ExitStack() as stack:
        try:
            table = _open(path, layout, wanted, stack)
        except OSError as error:
            raise TableError(f"cannot read {path}: {error.strerror or error}") from error
        _check_columns(table, wanted)
        yield table


def _open(path: Path, layout: TextLayout, wanted: Sequence[str], stack: ExitStack) -> Table:
    plain, head = _decompressed(path, stack)
    if not head.strip():
        raise TableError(f"{path}: no table: the file is empty")
    if head.startswith(_PARQUET):
        frame = pl.scan_parquet(plain, glob=False)
        names = tuple(_guarded(path, frame.collect_schema).names())
        columns = [pl.col(name).alias(str(place)) for place, name in enumerate(names)]
        return Table(path, names, frame.select(columns), is_text=False)
    encoding = _encoding(path, head)
    text = head.decode(encoding, errors="replace")
    if encoding != "utf-8-sig" or ("\r" in text and "\n" not in text):
        plain = _rewritten(plain, encoding, stack)
    return _text_table(path, plain, text.replace("\r\n", "\n").replace("\r", "\n"), layout, wanted)


def _decompressed(path: Path, stack: ExitStack) -> tuple[Path, bytes]:
    """A file with the plain content, and its first bytes."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.startswith(_GZIP):
        return path, head
    try:
        with gzip.open(path) as source:
            plain = _spooled(stack, lambda target: shutil.copyfileobj(source, target, 1 << 20))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TableError(f"{path}: damaged gzip: {error}") from error
    with plain.open("rb") as file:
        return plain, file.read(_HEAD_BYTES)


def _spooled(stack: ExitStack, write: Callable[[IO[bytes]], None]) -> Path:
    """A temporary file that lives as long as the table is open."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="contactor-table-"))
    spooled = Path(folder) / "table"
    with spooled.open("wb") as target:
        write(target)
    return spooled


def _encoding(path: Path, head: bytes) -> str:
    if head.startswith(_UTF16):
        return "utf-16"
    if b"\0" in head:
        raise TableError(f"{path}: no table: neither Parquet nor delimited text (.csv, .tsv, .gz)")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=False)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _rewritten(plain: Path, encoding: str, stack: ExitStack) -> Path:
    """The same text as UTF-8 with plain line ends."""

    def write(target: IO[bytes]) -> None:
        with plain.open(encoding=encoding, errors="replace", newline=None) as source:
            while block := source.read(1 << 20):
                target.write(block.encode())

    return _spooled(stack, write)


def _text_table(
    path: Path, plain: Path, head: str, layout: TextLayout, wanted: Sequence[str]
) -> Table:
    blank = len(head) - len(head.lstrip("\n"))
    candidates = layout.delimiter or _DELIMITERS
    headers = {one: _header(path, head[blank:], one) for one in candidates}
    # The delimiter under which the map's columns are there; then the one that cuts finest.
    delimiter = max(
        headers, key=lambda one: (len(set(wanted) & set(headers[one])), len(headers[one]))
    )
    names = headers[delimiter]
    frame = pl.scan_csv(
        plain,
        has_header=False,
        skip_rows=blank + 1,
        separator=delimiter,
        schema={str(place): pl.String() for place in range(len(names) + 1)},
        encoding="utf8-lossy",
        truncate_ragged_lines=True,
        missing_columns="insert",
        raise_if_empty=False,
        glob=False,
    )
    # A line with nothing in it is no row.
    frame = frame.filter(pl.any_horizontal(pl.all().is_not_null()))
    return Table(path, names, frame, is_text=True)


def _header(path: Path, head: str, delimiter: str) -> tuple[str, ...]:
    try:
        cells = next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), [])
    except csv.Error as error:
        raise TableError(f"{path}: the first line names no columns: {error}") from error
    return tuple(cell.strip() for cell in cells)


def _check_columns(table: Table, wanted: Sequence[str]) -> None:
    for name in wanted:
        times = table.names.count(name)
        if times > 1:
            raise TableError(f"{table.path}: column {name!r} is there {times} times")
        if not times:
            near = difflib.get_close_matches(name, table.names, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ";"
            raise TableError(
                f"{table.path}: no column {name!r}{hint} columns: {_shown(table.names)}"
            )


def _shown(names: Sequence[str]) -> str:
    shown = [name if name.isprintable() else ascii(name) for name in names[:_SHOWN_COLUMNS]]
    more = len(names) - len(shown)
    return ", ".join(one[:80] for one in shown) + (f" and {more} more" if more else "")


def _guarded(path: Path, read: Callable[[], Result]) -> Result:
    """What `read` gives, with the errors of Polars turned into ours."""
    try:
        return read()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise TableError(f"{path}: no readable table: {first[:200]}") from error
