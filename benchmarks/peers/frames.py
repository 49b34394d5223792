"""The benchmark's frames as Python objects, for peers that want them so."""

from collections.abc import Iterator

import numpy as np


def first_frames(path: str, count: int) -> Iterator[tuple[int, int, bytes]]:
    """Stamp (ns), id and payload of the first frames."""
    frames = np.load(path)
    ids, lengths = frames["ids"].tolist(), frames["lengths"].tolist()
    slots, stamps = frames["slot"][:count].tolist(), frames["ts"][:count].tolist()
    payloads = frames["payload"][:count].astype("<u8").tobytes()
    for row, (ts, slot) in enumerate(zip(stamps, slots, strict=True)):
        yield ts, ids[slot], payloads[8 * row : 8 * row + lengths[slot]]
