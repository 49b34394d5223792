"""zlib streams unpacked whole: by igzip where it is installed, in half the time, else by zlib.

inflated(packed, expected=131_072)      # bytes, or None where they are damaged or cut off
"""

import zlib
from typing import cast

_decompress = zlib.decompress
_damaged: type[Exception] = zlib.error
try:
    from isal import igzip_lib, isal_zlib
except ImportError:  # no wheel for this processor
    pass
else:
    _decompress = isal_zlib.decompress
    _damaged = cast("type[Exception]", igzip_lib.IsalError)


def inflated(packed: bytes | memoryview, *, expected: int) -> bytes | None:
    """What a whole zlib stream holds, its checksum compared; None where it is none.

    Args:
        expected: about how many bytes that will be.
    """
    try:
        return _decompress(packed, bufsize=max(expected, 1))
    except _damaged:
        return None
