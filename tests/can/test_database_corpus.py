"""Databases that other people wrote: what cantools reads is read so, the rest put right.

The same truths on small files of our own: test_database.py, databases/test_dbc_repair.py.
"""

import logging
import random
from contextlib import suppress
from pathlib import Path

import cantools
import pytest
from cantools.database.can import Database as CanDatabase
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.database import MessageFormat, load_database
from contactor.can.databases.kinds import kind_of
from contactor.can.databases.text import read_text
from contactor.errors import ContactorError, DatabaseError

SUFFIXES = {".dbc", ".kcd", ".sym", ".arxml", ".cdd"}
CHANGES = 400

SEED = """\
VERSION ""
BU_: VCM
BO_ 475 Battery: 8 VCM
 SG_ Current M : 7|11@0- (0.5,0) [-400|200] "A" VCM
 SG_ Gear m0 : 16|3@1+ (1,0) [0|0] "°" VCM
CM_ SG_ 475 Gear "a // b; \\" c";
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_ "GenMsgCycleTime" BO_ 475 10;
VAL_ 475 Gear 0 "Park" 1 "Drive" ;
SIG_VALTYPE_ 475 Gear : 0;
SG_MUL_VAL_ 475 Gear Current 0-3, 7-7;
"""
PIECES = (
    *('"', ";", ":", "|", "@", ",", "(", ")", "[", "]", "//", "\\", "\n", "\r", "\t", "\0", "é"),
    *(
        "BO_",
        "SG_",
        "VAL_",
        "CM_",
        "NS_",
        "BU_",
        "4294967295",
        "-1",
        "0-4294967295",
        "1e999",
        "m1M",
    ),
)


@pytest.fixture
def corpus(shared_data: Path) -> list[Path]:
    folders = shared_data / "dbc_corpus", shared_data / "can"
    paths = [path for folder in folders for path in sorted(folder.rglob("*"))]
    return [path for path in paths if path.suffix.lower() in SUFFIXES]


def by_cantools(path: Path) -> list[object] | None:
    """What cantools reads of a file by itself; None where it fails."""
    content = read_text(path).content
    logging.getLogger("cantools").setLevel(logging.ERROR)
    try:
        loaded = cantools.database.load_string(
            content, database_format=kind_of(content), strict=False
        )
    except (cantools.Error, ValueError):
        return None
    if not isinstance(loaded, CanDatabase):
        return None
    return [
        (
            *(message.name, message.frame_id, message.is_extended_frame, message.length),
            [
                (
                    *(one.name, one.start, one.length, one.byte_order, one.is_signed),
                    *(one.conversion.is_float, one.conversion.scale, one.conversion.offset),
                    *(one.unit or "", one.multiplexer_signal, one.is_multiplexer),
                    tuple(one.multiplexer_ids or ()),
                    {int(raw): str(text) for raw, text in (one.conversion.choices or {}).items()},
                )
                for one in message.signals
            ],
        )
        for message in loaded.messages
    ]


def as_read(messages: tuple[MessageFormat, ...]) -> list[object]:
    return [
        (
            *(message.name, message.can_id, message.is_extended, message.length),
            [
                (
                    *(one.name, one.start, one.length, one.byte_order, one.is_signed),
                    *(one.is_float, one.scale, one.offset),
                    *(one.unit, one.multiplexer, one.is_multiplexer),
                    *(one.multiplexer_ids, one.labels),
                )
                for one in message.signals
            ],
        )
        for message in messages
    ]


def test_what_cantools_reads_is_read_so(corpus: list[Path]) -> None:
    exact, told = 0, []
    for path in corpus:
        expected = by_cantools(path)
        if expected is None:
            continue
        database = load_database([path])
        if database.repairs:
            told.append(path.name)
        else:
            assert as_read(database.messages) == expected, path.name
            exact += 1
    assert exact > 100
    # Signals beyond their messages; a "°" that is lost; one id on two buses.
    assert told == [
        "bad_message_length.dbc",
        "issue_63.dbc",
        "bad_message_length.kcd",
        "message_layout.kcd",
        "the_homer.kcd",
        "bad_message_length.sym",
    ]


@pytest.mark.parametrize("name", ["missing-denominator", "missing-factor"])
def test_arxml_without_a_number_is_refused_with_line_element_and_path(
    corpus: list[Path], name: str
) -> None:
    path = next(path for path in corpus if path.name == f"system-{name}-4.2.arxml")
    place = "line 83: COMPU-RATIONAL-COEFFS in /CompuMethod/Signal1: Expected"
    assert place in (refusal(path) or "")


def test_text_of_all_windows_1252_characters_is_read_as_such(corpus: list[Path]) -> None:
    text = read_text(next(path for path in corpus if path.name == "cp1252.dbc"))
    assert text.encoding == "cp1252"
    assert "\ufffd" not in text.content


def test_every_file_is_read_or_refused_in_one_line(corpus: list[Path]) -> None:
    reasons = {path.name: reason for path in corpus if (reason := refusal(path))}
    assert not any("\n" in reason for reason in reasons.values())
    assert [name for name in reasons if name.lower().endswith(".dbc")] == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("incorrect-sig_valtype.dbc", 45),
        ("incorrect-val.dbc", 45),
        ("issue_199.dbc", 45),
        ("issue_199_extended.dbc", 45),
    ],
)
def test_what_cantools_refuses_is_put_right_and_told(
    corpus: list[Path], name: str, line: int
) -> None:
    path = next(path for path in corpus if path.name == name)
    assert by_cantools(path) is None
    database = load_database([path])
    assert database.messages
    assert database.repairs[0].line == line


def refusal(path: Path) -> str | None:
    try:
        load_database([path])
    except DatabaseError as error:
        return str(error)
    return None


def changed(text: str, source: random.Random) -> str:
    """A text with some pieces cut out, put in, doubled or moved."""
    for _ in range(source.randint(1, 4)):
        start = source.randrange(len(text) + 1)
        end = min(len(text), start + source.choice((0, 1, 1, 2, 5, 20)))
        piece = source.choice(("", "", text[start:end] * 2, source.choice(PIECES)))
        text = text[:start] + piece + text[end:]
    return text


def test_changed_database_is_read_or_refused(tmp_path: Path) -> None:
    source = random.Random(20261125)
    path = tmp_path / "a.dbc"
    refused = 0
    for _ in range(CHANGES):
        path.write_bytes(changed(SEED, source).encode())
        try:
            load_database([path])
        except ContactorError:
            refused += 1
    assert 0 < refused < CHANGES


@given(st.text(alphabet='BOSG_VALCM 0189:|@+-(),[]".;\n\r\0é', max_size=200))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.dbc"
    path.write_text("BU_: A\n" + text, encoding="utf-8")
    with suppress(ContactorError):
        load_database([path])
