"""The guide's programs print what it says they do."""

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "fleets.md"


def test_programs_of_the_guide_print_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    text = GUIDE.read_text()
    names: dict[str, object] = {}
    programs = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", text, re.DOTALL)
    assert len(programs) == 2
    for program, printed in programs:
        exec(program, names)
        assert capsys.readouterr().out == printed
