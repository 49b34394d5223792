"""How far unpacked bytes of a BLF log may be believed where no checksum vouches for them.

Of a container that the file ends within, the checksum is missing. Damage in its packed bytes shows
in what they unpack to: objects that do not follow each other, or whose head or time cannot be.

    certain_bytes(unpacked)      # len(unpacked), or less where an object is none

Source: as of `blf_objects.py`.
"""

import struct

from contactor.can.readers.blf_objects import (
    BASE_BYTES,
    HEAD_BYTES,
    MAX_FRAME_OBJECT,
    MAX_OBJECT,
    MAX_PADDING,
    ROWS,
    SIGNATURE,
    TEN_MICROSECONDS,
    TEN_MICROSECONDS_NS,
)
from contactor.clock import NS_PER_S

# Signature, head bytes, version, object bytes, type, flags, stamp.
HEAD = struct.Struct("<4sHHIIIxxxxQ")
HEADS = {version: size for version, size in enumerate(HEAD_BYTES) if version}
# No log is silent for longer, or has stamps that lie further apart in wrong order.
MAX_STEP_NS = 3600 * NS_PER_S


def certain_bytes(unpacked: bytes) -> int:
    """How many bytes come before the first object that cannot be; the first may begin anywhere."""
    place = unpacked.find(SIGNATURE)
    ts = -1
    while 0 <= place <= len(unpacked) - HEAD.size:
        signature, head, version, size, kind, flags, stamp = HEAD.unpack_from(unpacked, place)
        is_frame = ROWS[min(kind, len(ROWS) - 1)] >= 0
        limit = MAX_FRAME_OBJECT if is_frame else MAX_OBJECT
        if HEADS.get(version) != head and head != BASE_BYTES:
            return place
        if signature != SIGNATURE or not BASE_BYTES <= size <= limit:
            return place
        if is_frame:
            now = stamp * (TEN_MICROSECONDS_NS if flags & 3 == TEN_MICROSECONDS else 1)
            if ts >= 0 and abs(now - ts) > MAX_STEP_NS:
                return place
            ts = now
        end = place + size
        if end + MAX_PADDING + len(SIGNATURE) > len(unpacked):
            return len(unpacked)
        following = unpacked.find(SIGNATURE, end, end + MAX_PADDING + len(SIGNATURE))
        if following < 0:
            return place
        place = following
    return len(unpacked)
