import pytest

from contactor.app.ids import show_ids
from contactor.can.frames import FrameTable
from contactor.can.identify import IdentifierFactsBuilder


def shown(capsys: pytest.CaptureFixture[str], ids: int) -> str:
    builder = IdentifierFactsBuilder()
    builder.add(FrameTable.of(ts=range(ids), can_id=range(ids), is_extended=True, data=[b""] * ids))
    show_ids(builder.facts(), builder.buses())
    return capsys.readouterr().out


def test_ids_tells_of_frames_that_have_too_many_ids(capsys: pytest.CaptureFixture[str]) -> None:
    words = "904 frames carry more ids than the 4096 above, and are only counted"
    assert words in shown(capsys, 5000).splitlines()
    assert "only counted" not in shown(capsys, 4096)
