"""One made-up day and all that is found in it: nothing of it changes unseen.

Written anew by `python -m tests.history.test_golden`, to be read before it is committed.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from contactor.history.find import find
from tests.history.made import START_NS, live

GOLDEN = Path(__file__).with_name("golden_day.json")
PLAN = [
    *("park 12", "wait 2", "drive 21", "park 2", "drive 9", "park 34", "plug 4", "charge 45"),
    *("plug 11", "wait 5", "drive 17", "wait 9", "drive 6", "park 20"),
]


def found() -> Any:
    """The facts with instants as seconds of the day and figures of six digits."""
    return _plain(msgspec.to_builtins(find(live(PLAN, seed=7).columns(every_s=2))))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: (one - START_NS) / 1e9 if name.endswith("_ns") and one else _plain(one)
            for name, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def test_a_made_up_day_is_found_as_ever() -> None:
    assert found() == json.loads(GOLDEN.read_text())


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(found(), indent=1) + "\n")
