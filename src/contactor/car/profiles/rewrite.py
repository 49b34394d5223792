"""Other numbers in a `physics.toml`, whose comments and order stay.

rewritten(text, {"body.mass_kg": 1850.0}, remark="fitted")
"""

import re
from collections.abc import Mapping

DIGITS = 6
_GROUP = re.compile(r"^\s*\[([A-Za-z0-9_]+)\]")
_LINE = re.compile(r"^(\s*)([A-Za-z0-9_]+)(\s*=\s*)([^#\n]*?)(\s*#.*)?$")


def rewritten(text: str, values: Mapping[str, float], *, remark: str) -> str:
    """The same file with some of its numbers changed; one that is missing comes after its group.

    Args:
        values: by group and key, as "body.mass_kg"; each group is there.
        remark: the comment behind each changed number.
    """
    left = dict(values)
    lines: list[str] = []
    group, heads = "", {}
    for line in text.splitlines():
        if (found := _GROUP.match(line)) is not None:
            group = found[1]
        entry = _LINE.match(line)
        value = left.pop(f"{group}.{entry[2]}", None) if entry is not None else None
        if entry is not None and value is not None:
            lines.append(f"{entry[1]}{entry[2]}{entry[3]}{value:.{DIGITS}g}  # {remark}")
        else:
            lines.append(line)
        if found is not None:
            heads[group] = len(lines)
    for name, value in sorted(left.items(), key=lambda one: -heads[one[0].split(".")[0]]):
        group, key = name.split(".")
        lines.insert(heads[group], f"{key} = {value:.{DIGITS}g}  # {remark}")
    return "\n".join(lines) + "\n"
