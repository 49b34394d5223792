"""What the libraries under the lake raise, in one line of ours.

    is_full(error)      # no space, over quota, or over a file-size limit, however it is wrapped
    one_line(error)     # no colours, no back trace

Polars and deltalake wrap the operating system's errors in types of their own; a panic in Rust
arrives as `PanicException`, which is no `Exception`.
"""

import re

from contactor.whole_files import FULL

_FULL_TEXTS = tuple(f"(os error {code})" for code in FULL)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_MAX_CHARACTERS = 300


def is_full(error: BaseException) -> bool:
    """Whether `error` says that no space was left."""
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    return any(text in str(error) for text in _FULL_TEXTS)


def is_panic(error: BaseException) -> bool:
    """Whether `error` is a panic of a Rust library."""
    return type(error).__name__ == "PanicException"


def one_line(error: BaseException) -> str:
    """The error's text on one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = _COLOUR.sub("", str(error)).partition("\n   0: ")[0]
    return " ".join(text.replace("↳", ":").split())[:_MAX_CHARACTERS]
