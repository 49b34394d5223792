import pytest

from contactor.can.databases.kinds import binary_kind, kind_of, other_kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('VERSION ""\n', "dbc"),
        ("\n\nBO_ 1 A: 8 X\n", "dbc"),
        ("BU_: A B\n", "dbc"),
        ('CM_ "generated"\n', "dbc"),
        ('<?xml version="1.0"?>\n<NetworkDefinition xmlns="x">', "kcd"),
        ("<AUTOSAR xmlns='x'>", "arxml"),
        ("FormatVersion=6.0 // Do not edit this line!\n", "sym"),
        ("VERSION of something else\n", None),
        ("", None),
    ],
)
def test_kind_is_what_the_text_holds(text, kind):
    assert kind_of(text) == kind


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "empty"),
        ("<CANDELA DTDVERS='8.0'>", "CANdela CDD"),
        ('<ODX MODEL-VERSION="2.2.0">', "ODX"),
        ("LIN_description_file;\n", "LDF"),
        ("ASAP2_VERSION 1 60\n", "A2L"),
        ("[DATABASE_VERSION] 1.3\n", "Busmaster"),
        ("<!doctype html>", "web page"),
        ("version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        ('{"messages": []}', "JSON"),
        ("<other/>", "XML file of another kind"),
    ],
)
def test_what_else_is_given_is_said(text, what):
    assert what in (other_kind(text) or "")


def test_what_is_no_text_is_said():
    assert "zip" in (binary_kind(b"PK\x03\x04....") or "")
    assert "BLF" in (binary_kind(b"LOGG....") or "")
    assert binary_kind(b'VERSION ""') is None
