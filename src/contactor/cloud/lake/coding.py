"""How the columns of a packed file are coded: the smallest of a few ways, tried on a sample.

    coding_of(frame["Vehicle.Speed"])       # Coding.SPLIT

    DICTIONARY  each distinct value once, and short numbers: words, few values, steps
    SPLIT       the first bytes of all values, then the second ...: what changes smoothly
    DELTA       differences: instants, counters
    PLAIN       as they are

All are compressed afterwards, so the sizes compared are those of the compressed sample.

Source: Apache Parquet encodings: BYTE_STREAM_SPLIT, DELTA_BINARY_PACKED, RLE_DICTIONARY, PLAIN.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import numpy as np
import polars as pl
import zstandard
from numpy.typing import NDArray

_SAMPLE: Final = 32_768
_LEVEL: Final = 3
_MAX_WORDS: Final = 65_536  # a dictionary that outgrows a page is given up by the writer
_DELTA: Final = (pl.Int32, pl.Int64)
_SPLIT: Final = (pl.Float32, pl.Float64)


class Coding(StrEnum):
    """The ways to code a column."""

    DICTIONARY = "dictionary"
    SPLIT = "split"
    DELTA = "delta"
    PLAIN = "plain"


def codings_of(frame: pl.DataFrame) -> Mapping[str, Coding]:
    """The coding of each column."""
    return {column.name: coding_of(column) for column in frame.iter_columns()}


def coding_of(column: pl.Series) -> Coding:
    """The coding that makes the column small."""
    if not column.dtype.is_numeric():
        return Coding.DICTIONARY
    start = max((len(column) - _SAMPLE) // 2, 0)
    values = column.slice(start, _SAMPLE).drop_nulls().to_numpy()
    sizes = {Coding.DICTIONARY: _dictionary(values), Coding.PLAIN: _size(values.tobytes())}
    if column.dtype in _SPLIT:
        width = values.dtype.itemsize
        planes = values.view(np.uint8).reshape(-1, width).T
        sizes[Coding.SPLIT] = _size(planes.tobytes())
    if column.dtype in _DELTA:
        sizes[Coding.DELTA] = _delta(values)
    return min(sizes, key=lambda coding: sizes[coding])


def _size(content: bytes) -> int:
    return len(zstandard.compress(content, _LEVEL))


def _dictionary(values: NDArray[np.generic]) -> int:
    words, places = np.unique(values, return_inverse=True)
    if len(words) > _MAX_WORDS:
        return _size(values.tobytes()) + 1
    bits = max(int(len(words) - 1).bit_length(), 1)
    packed = np.unpackbits(places.astype(">u4").view(np.uint8).reshape(-1, 4), axis=1)
    return _size(words.tobytes()) + _size(np.packbits(packed[:, 32 - bits :]).tobytes())


def _delta(values: NDArray[np.generic]) -> int:
    """About what blocks of 32 differences, each as wide as its widest, come to."""
    steps = np.diff(values.astype(np.int64))
    if not len(steps):
        return 0
    blocks = np.resize(steps, (-(-len(steps) // 32), 32))
    spread = (blocks.max(axis=1) - blocks.min(axis=1)).astype(np.float64)
    bits = np.ceil(np.log2(np.maximum(spread, 0) + 1))
    return int(bits.sum() * 32 / 8) + len(blocks)
