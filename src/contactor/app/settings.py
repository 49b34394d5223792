"""Options of the command line, each of which `CONTACTOR_*` in the environment sets too.

add_option(parser, "--port", type=int, default=8080)      # or CONTACTOR_PORT
"""

import argparse
import os
import re
from collections.abc import Sequence
from pathlib import Path

from contactor.errors import UsageError

DEFAULT_DATA = "contactor-data"
_PUBLIC_URL = re.compile(r"(https://[A-Za-z0-9.-]{1,253}(?::[1-9][0-9]{0,4})?)/?")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})|[0-9A-Fa-f.:]{2,45}")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
SWITCH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class _AppendOverDefault(argparse.Action):
    """Repeated options add up, and put what the environment says aside."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, [*([] if before is self.default else before), values])


def add_option(parser: argparse.ArgumentParser, flag: str, **settings: object) -> None:
    """An option whose default comes from the environment where that names it.

    A repeatable option (`action="append"`) takes one value per line there.

    Raises:
        UsageError: the environment sets a switch to what is neither yes nor no.
    """
    variable = f"CONTACTOR_{flag.strip('-').replace('-', '_').upper()}"
    text = os.environ.get(variable)  # an empty one is as good as none
    if settings.get("action") == "store_true":
        settings["default"] = _switch(variable, text or "no")
    elif settings.get("action") == "append":
        settings["action"] = _AppendOverDefault
        settings["default"] = text.splitlines() if text else []
    elif text:
        settings["default"] = text
    help_text = settings.pop("help", "")
    parser.add_argument(flag, help=f"{help_text} [{variable}]", **settings)  # type: ignore[arg-type]  # argparse takes what it knows


def _switch(variable: str, text: str) -> bool:
    try:
        return SWITCH[text.lower()]
    except KeyError:
        raise UsageError(f"{variable}={text}; allowed: {', '.join(SWITCH)}") from None


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """--data DIR."""
    add_option(
        parser,
        "--data",
        type=Path,
        default=DEFAULT_DATA,
        metavar="DIR",
        help=f"the data folder, default ./{DEFAULT_DATA}",
    )


def add_upkeep_options(parser: argparse.ArgumentParser) -> None:
    """--keep-rows-days, --keep-minutes-days, --keep-hours-days."""
    for flag, what in (
        ("--keep-rows-days", "rows as they came"),
        ("--keep-minutes-days", "their sums per minute"),
        ("--keep-hours-days", "their sums per hour"),
    ):
        add_option(
            parser,
            flag,
            type=_days,
            metavar="N",
            help=f"how long {what} are kept; default for ever",
        )


def kept_days(args: argparse.Namespace) -> tuple[int | None, int | None, int | None]:
    """What those options say: of rows, minutes and hours; None for ever."""
    return args.keep_rows_days, args.keep_minutes_days, args.keep_hours_days


def _days(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 36_500:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days; allowed: 1 to 36500")
    return int(text)


def host(text: str) -> str:
    """Where to listen."""
    if not _HOST.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no host; allowed: a name or an address of this machine"
        )
    return text


def port(text: str) -> int:
    """A TCP port."""
    if not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; allowed: 0 to 65535")
    return int(text)


def public_url(text: str) -> str:
    """Where a proxy of one's own serves the instance, without a path."""
    found = _PUBLIC_URL.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no such URL; allowed: https://NAME[:PORT]")
    return found[1].lower()
