"""Options of the command line, each of which `CONTACTOR_*` in the environment sets too.

add_option(parser, "--port", type=int, default=8080)      # or CONTACTOR_PORT
"""

import argparse
import os
from pathlib import Path

from contactor.errors import UsageError

DEFAULT_DATA = "contactor-data"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def add_option(parser: argparse.ArgumentParser, flag: str, **settings: object) -> None:
    """An option whose default comes from the environment where that names it."""
    variable = f"CONTACTOR_{flag.strip('-').replace('-', '_').upper()}"
    text = os.environ.get(variable)
    help_text = settings.pop("help", "")
    if settings.get("action") == "store_true":
        settings["default"] = text is not None and text.lower() in ("1", "true", "yes")
    elif text is not None:
        settings["default"] = [text] if settings.get("action") == "append" else text
    parser.add_argument(flag, help=f"{help_text} [{variable}]", **settings)  # type: ignore[arg-type]  # argparse takes what it knows


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


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """--host, --port, --no-auth."""
    add_option(
        parser, "--host", default="localhost", help="address to listen on, default localhost"
    )
    add_option(parser, "--port", type=port, default=8080, help="port, 0 takes a free one")
    add_option(parser, "--no-auth", action="store_true", help="no login: on loopback only")


def port(text: str) -> int:
    """A TCP port."""
    if not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; allowed: 0 to 65535")
    return int(text)


def check_host(host: str) -> None:
    """Refuse to serve without login beyond this machine, now and for ever.

    Login comes with a later version; until then every server is one without.

    Raises:
        UsageError: `host` is not loopback.
    """
    if host not in LOOPBACK:
        raise UsageError(f"--host {host} without login is refused; allowed: {', '.join(LOOPBACK)}")
