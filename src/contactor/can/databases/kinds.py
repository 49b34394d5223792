"""What a file is: a kind of CAN database, or something else that people take for one.

kind_of('VERSION ""\\n\\nBU_: VCM\\n')        # "dbc"
other_kind("<CANDELA DTDVERS='8.0'>")        # "a diagnostics database (CANdela CDD)"
"""

import re

# The first row that is found counts.
_DATABASES = (
    (re.compile(r"<(\w+:)?NetworkDefinition\b"), "kcd"),
    (re.compile(r"<(\w+:)?AUTOSAR\b"), "arxml"),
    (re.compile(r"^[ \t]*FormatVersion\s*=", re.MULTILINE), "sym"),
    (
        re.compile(
            r"^[ \t]*(VERSION\s*\"|BO_\s+\S+\s+\S|BU_\s*:|BS_\s*:|NS_\s*:|CM_\s|BA_DEF_\s)",
            re.MULTILINE,
        ),
        "dbc",
    ),
)
_OTHERS = (
    (re.compile(r"<(\w+:)?CANDELA\b"), "a diagnostics database (CANdela CDD)"),
    (re.compile(r"<(\w+:)?ODX\b"), "a diagnostics database (ODX)"),
    (re.compile(r"<(\w+:)?FIBEX\b"), "a FIBEX file"),
    (re.compile(r"^[ \t]*LIN_description_file\b", re.MULTILINE), "a LIN description file (LDF)"),
    (re.compile(r"^[ \t]*(ASAP2_VERSION\b|/begin\s+PROJECT\b)", re.MULTILINE), "an A2L file"),
    (re.compile(r"^[ \t]*\[DATABASE_VERSION\]", re.MULTILINE), "a Busmaster database (DBF)"),
    (re.compile(r"^[ \t]*\[(FileInfo|DeviceInfo)\]", re.MULTILINE), "a CANopen EDS or DCF file"),
    (re.compile(r"^version https://git-lfs"), "a Git LFS pointer; the file itself is elsewhere"),
    (re.compile(r"<(!DOCTYPE\s+html|html)\b", re.IGNORECASE), "a web page, not the file itself"),
    (re.compile(r"^\s*[{\[]\s*[\"{\[]"), "a JSON file"),
    (re.compile(r"^\s*<"), "an XML file of another kind"),
)
_MAGIC = (
    (b"PK\x03\x04", "a zip archive (XLSX and PDX files are such too); unpack it first"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"BZh", "a bzip2 archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document (XLS)"),
    (b"MDF     ", "a log of CAN frames (MDF): give it as LOG"),
    (b"LOGG", "a log of CAN frames (BLF): give it as LOG"),
    (b"SQLite format 3", "an SQLite file"),
    (b"\x89PNG", "a picture"),
)


def kind_of(text: str) -> str | None:
    """`"dbc"`, `"kcd"`, `"sym"`, `"arxml"`, or None."""
    return next((kind for form, kind in _DATABASES if form.search(text)), None)


def other_kind(text: str) -> str | None:
    """What else a text is, in words, or None where that is not known."""
    if not text.strip():
        return "empty"
    return next((kind for form, kind in _OTHERS if form.search(text)), None)


def binary_kind(content: bytes) -> str | None:
    """What a file is that is no text, in words, or None where it may be text."""
    return next((kind for magic, kind in _MAGIC if content.startswith(magic)), None)
