"""Other numbers in a `physics.toml`, whose comments and order stay.

    rewritten(text, {"body.mass_kg": 1850.0}, remark="fitted")

Each group must stand there as a table, `[body]`, with a number a line.
"""

import re
from collections.abc import Mapping

DIGITS = 6
_GROUP = re.compile(r"^\s*\[\s*([A-Za-z0-9_]+)\s*\]")
_LINE = re.compile(r"^(\s*)([A-Za-z0-9_]+)(\s*=\s*)([^#\n]*?)(\s*#.*)?$")


def rewritten(text: str, values: Mapping[str, float], *, remark: str) -> str:
    """The same file with some of its numbers changed; one that is missing comes first in its group.

    Args:
        values: by group and key, as "body.mass_kg".
        remark: the comment behind each changed number, in place of the one that was there.
    """
    left = dict(values)
    lines: list[str] = []
    group = ""
    heads: dict[str, int] = {}
    for line in text.splitlines():
        if (found := _GROUP.match(line)) is not None:
            group = found[1]
            heads[group] = len(lines) + 1
        entry = _LINE.match(line)
        value = left.pop(f"{group}.{entry[2]}", None) if entry is not None else None
        if entry is None or value is None:
            lines.append(line)
        else:
            lines.append(f"{entry[1]}{entry[2]}{entry[3]}{value:.{DIGITS}g}  # {remark}")
    # From the last group to the first, so that the places of those before stay.
    missing = [(heads.get(name.partition(".")[0], len(lines)), name) for name in left]
    for place, name in sorted(missing, reverse=True):
        key = name.partition(".")[2]
        lines.insert(place, f"{key} = {left[name]:.{DIGITS}g}  # {remark}")
    return "\n".join(lines) + "\n"
