"""What a file is when no reader knows it, for one clear line to the user.

The message says what to do where there is something to do; the formats that are read are listed
only where nothing is known of the file.

    what_it_is(b"version https://git-lfs.github.com/spec/v1\\n", "candump")
    # "a Git-LFS pointer, not the log itself: run `git lfs pull`"
    what_it_is(b"Dear diary,\\n", "candump, asc")
    # "text without a line that is a CAN frame in a known format; formats read: candump, asc"

Source: the magic numbers are those of each format's own description, and of the Linux `magic(5)`
table; pcap and pcapng: draft-ietf-opsawg-pcap and -pcapng.
"""

import re
from collections.abc import Sequence

UNREAD = "which is not read"
EXPORT = "export its frames as CSV or ASC with the tool that wrote it"


def _signs(*rows: tuple[bytes, str]) -> tuple[tuple[re.Pattern[bytes], str], ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), meaning) for pattern, meaning in rows)


# What the first bytes show, and what such a file is; the first row that is found counts. These
# are no text, even where a text that lies inside them looks like a log.
_BINARY = _signs(
    (rb"\A%PDF-", "a PDF document, not a log"),
    (rb"\A\x89PNG\r\n", "a picture (PNG), not a log"),
    (rb"\A\xff\xd8\xff", "a picture (JPEG), not a log"),
    (rb"\AGIF8[79]a", "a picture (GIF), not a log"),
    (rb"\ASQLite format 3\0", f"an SQLite database, {UNREAD}: {EXPORT}"),
    (rb"\A7z\xbc\xaf\x27\x1c", f"a 7z archive, {UNREAD}: unpack it first, or pack it as zip"),
    (rb"\ARar!\x1a\x07", f"a RAR archive, {UNREAD}: unpack it first, or pack it as zip"),
    (rb"(?s)\A.{257}ustar[\0 ]", f"a tar archive, {UNREAD}: unpack it first, or pack it as zip"),
    (
        rb"\A(\xd4\xc3\xb2\xa1|\xa1\xb2\xc3\xd4|\x4d\x3c\xb2\xa1|\xa1\xb2\x3c\x4d)",
        f"a capture of packets (pcap), {UNREAD}: open it with SavvyCAN and save it as CSV there",
    ),
    (
        rb"(?s)\A\n\r\r\n.{4}(\x1a\x2b\x3c\x4d|\x4d\x3c\x2b\x1a)",
        f"a capture of packets (pcapng), {UNREAD}: save it as pcap with Wireshark or `editcap -F "
        "pcap`, open that with SavvyCAN and save it as CSV there",
    ),
    (rb"(?s)\AMZ.{1,62}\0\0", "a Windows program (EXE or DLL), not a log"),
    (rb"\A\x7fELF", "a program (ELF), not a log"),
    (rb"\APAR1", "a Parquet table, not a log of frames"),
    (rb"(?s)\A(RIFF|RIFX|RF64).{4}WAVE", "a sound (WAV), not a log"),
    (rb"(?s)\A.{4}ftyp", "a video or sound (MP4), not a log"),
    (rb"\A\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (XLS): save it as CSV"),
    (rb"\A\x1f\x8b", f"gzip, {UNREAD}: unpack it first"),
    (rb"\APK\x03\x04", f"a zip archive, {UNREAD}: unpack it first"),
    (rb"\A\x28\xb5\x2f\xfd", f"zstd, {UNREAD}: unpack it first"),
)
_TEXT = _signs(
    (rb"\Aversion https://git-lfs", "a Git-LFS pointer, not the log itself: run `git lfs pull`"),
    (rb"\A\s*(<!--.*?-->\s*)?<(!doctype html|html)", "an HTML page, not a log"),
    (
        rb"(?m)^BO_ \d+ \w+ *:|^FormatVersion=\d|<(\w+:)?(NetworkDefinition|AUTOSAR)\b",
        "a CAN database, not a log: give it with --dbc",
    ),
    (rb"\A\s*<\?xml", "XML, not a log"),
    (
        rb"\A\s*\{(?s:.*)\"(commands\"\s*:\s*\[|(hdr|cmd|diagnosticLevel|signalGroups)\"\s*:)",
        "a signal set (JSON), not a log: give it with --dbc",
    ),
    (rb"\A\s*(\{\s*[\"}]|\[\s*[\[{\"\]\d-])", f"JSON, {UNREAD}: {EXPORT}"),
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
)
# Office documents are zip archives, told by one of their files.
_PACKED = (
    ("xl/workbook.xml", "an Excel workbook (XLSX), which is not read: save its sheet as CSV"),
    ("xl/workbook.bin", "an Excel workbook (XLSB), which is not read: save its sheet as CSV"),
    ("word/document.xml", "a Word document (DOCX), not a log"),
    ("META-INF/manifest.xml", "an OpenDocument file, which is not read: save its sheet as CSV"),
)


def what_it_is(head: bytes, formats: str) -> str:
    """Name what a file that begins with `head` is, as the end of "PATH is ...".

    Args:
        head: its first bytes, 64 KiB are plenty.
        formats: the names of the formats that are read, as they are listed.
    """
    if not head:
        return "empty"
    if binary := binary_kind(head):
        return binary
    for sign, meaning in _TEXT:
        if sign.search(head):
            return meaning
    known = f"formats read: {formats}"
    if b"\0" in head:
        return f"binary and of no kind that is known; {known}"
    return f"text without a line that is a CAN frame in a known format; {known}"


def binary_kind(head: bytes) -> str | None:
    """What a file is that is no log, whatever lines it may hold; None where it may be a log."""
    return next((meaning for sign, meaning in _BINARY if sign.search(head)), None)


def packed_kind(labels: Sequence[str]) -> str | None:
    """What the files of an archive make together, if it is a document.

    Args:
        labels: the files, each as "ARCHIVE: NAME".
    """
    for name, meaning in _PACKED:
        for archive in (one.removesuffix(name) for one in labels if one.endswith(f": {name}")):
            if all(one.startswith(archive) for one in labels):
                return meaning
    return None
