"""Write docs/reference/commands.md: every command and option, as argparse knows them.

.venv/bin/python -P tools/make_commands.py
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from contactor.app.main import COMMANDS, parser_of

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "commands.md"
LEFT_OUT = ("help", "verbose")
HEAD = """\
# Commands

Made from the program itself by `tools/make_commands.py`. Every command takes `--help`, and
`--verbose` to log more. What stands in brackets is the variable that sets the same.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(line for name in COMMANDS for line in _command(name))])


def _command(name: str) -> Iterator[str]:
    yield from (f"## contactor {name}", "", f"{_sentence(COMMANDS[name])}.", "")
    yield from _table(parser_of(name), "")


def _table(parser: argparse.ArgumentParser, before: str) -> Iterator[str]:
    """What a command or one of its actions takes; then each of its actions."""
    rows, inner = [], []
    for action in parser._actions:  # argparse tells them in no other way
        if isinstance(action, argparse._SubParsersAction):
            helps = {one.dest: one.help or "" for one in action._choices_actions}
            inner += [(name, helps.get(name, ""), one) for name, one in action.choices.items()]
        elif action.dest not in LEFT_OUT:
            rows.append(f"| `{_written(action)}` | {_told(action)} |")
    if rows:
        yield from ("| | |", "| --- | --- |", *rows, "")
    for name, words, one in inner:
        yield from (f"**`{before}{name}`**: {words}", "")
        yield from _table(one, f"{before}{name} ")


def _written(action: argparse.Action) -> str:
    """As it is typed: `--since T`, `LOG ...`."""
    metavar = action.metavar if isinstance(action.metavar, str) else None
    if action.choices is not None and metavar is None:
        metavar = "|".join(map(str, action.choices)).replace("|", "\\|")
    value = "" if action.nargs == 0 else metavar or action.dest.upper()
    many = " ..." if action.nargs in ("*", "+") or "Append" in type(action).__name__ else ""
    return f"{' '.join([*action.option_strings[-1:], value]).strip()}{many}"


def _told(action: argparse.Action) -> str:
    words = (action.help or "") % {**vars(action), "prog": "contactor"}
    return " ".join(words.split()).replace("|", "\\|").strip()


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
