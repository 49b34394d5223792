"""What a file is when no reader knows it, for one clear line to the user.

The message says what to do where there is something to do.

    what_it_is(b"version https://git-lfs.github.com/spec/v1\\n")     # "a Git-LFS pointer, ..."
"""

import re

UNREAD = "which is not read yet"

# What the first bytes show, and what such a file is; the first row that is found counts.
_SIGNS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), meaning)
    for pattern, meaning in (
        (
            rb"\Aversion https://git-lfs",
            "a Git-LFS pointer, not the log itself: run `git lfs pull`",
        ),
        (rb"\A\s*(<!--.*?-->\s*)?<(!doctype html|html)", "an HTML page, not a log"),
        (rb"\A\s*<\?xml|\A\s*<autosar", "XML, not a log"),
        (
            rb"\A\W{0,3}SECONDS\W{1,3}PID\W{1,3}VALUE\W{1,3}UNITS",
            "a Car Scanner table of values (SECONDS;PID;VALUE;UNITS) that are decoded already: it "
            "holds no frames; record the bus itself, for instance with SavvyCAN or candump",
        ),
        (
            rb"\A(?:[0-9A-F]{20,64}\r?\n){3}",
            "raw records of an adapter in hexadecimal, without times, not a log of frames; export "
            "it from the tool that wrote it, for instance as CSV or ASC",
        ),
        (rb"\A\x1f\x8b", f"gzip, {UNREAD}: unpack it first"),
        (rb"\APK\x03\x04", f"a zip archive, {UNREAD}: unpack it first"),
        (rb"\A\x28\xb5\x2f\xfd", f"zstd, {UNREAD}: unpack it first"),
        (rb"\APAR1", "a Parquet table, not a log of frames"),
        (rb"\A%PDF-|\A\x89PNG|\A\xff\xd8\xff|\ASQLite format 3", "no log of frames"),
        (rb"\A\xff\xfe|\A\xfe\xff", f"UTF-16 text, {UNREAD}: save it as UTF-8"),
        (rb"(?m)^BO_ \d+ \w+ *:", "a CAN database, not a log: give it with --dbc"),
    )
)


def what_it_is(head: bytes) -> str:
    """Name what a file that begins with `head` is, as the end of "PATH is ..."."""
    if not head:
        return "empty"
    for sign, meaning in _SIGNS:
        if sign.search(head):
            return meaning
    if b"\0" in head:
        return "binary and of no kind that is known"
    return "text without a line that is a CAN frame in a known format"
