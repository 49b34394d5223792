from xml.etree import ElementTree as ET

import pytest

from contactor.can.databases.xml_place import place_of

TEXT = """\
<AUTOSAR xmlns="x">
 <PACKAGE><SHORT-NAME>Methods</SHORT-NAME>
  <SCALE><SHORT-NAME>Speed</SHORT-NAME></SCALE>
  <SCALE>
   <SHORT-NAME>Power</SHORT-NAME>
   <!-- none -->
   <V>x</V></SCALE>
 </PACKAGE>
</AUTOSAR>
"""


def parse(text: str) -> float:
    """A parser that fails at the first value."""
    root = ET.fromstring(text)
    for value in root.iter("{x}V"):
        return float(value.text or "")
    raise ValueError("no value")


@pytest.mark.parametrize(
    ("text", "place"),
    [(TEXT, "line 7: V in /Methods/Power"), (TEXT.replace("V>", "W>"), "line 1: AUTOSAR")],
)
def test_place_is_the_element_in_hand_when_the_parser_failed(text: str, place: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse(text)
    assert place_of(raised.value, text) == place


def test_error_before_any_element_has_no_place() -> None:
    with pytest.raises(ET.ParseError) as raised:
        parse("<AUTOSAR")
    assert place_of(raised.value, "<AUTOSAR") == ""
