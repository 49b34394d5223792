"""The command line: `contactor COMMAND ...`.

Only the module of the command that was asked for is imported. Exit codes: 0 done, 2 what the
arguments alone show to be wrong, 1 everything else. An error is one line on stderr.

    contactor replay drive.log --car nissan_leaf_ze1 --vehicle leaf --speed max
"""

import argparse
import contextlib
import importlib
import logging
import os
import re
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Final, NoReturn

from contactor import __version__
from contactor.errors import ContactorError, MissingPart, UsageError

COMMANDS = {
    "run": "start broker, cloud and cars in one go",
    "agent": "the car alone: outbox and uplink",
    "serve": "the cloud alone: ingest, lake and API",
    "ingest": "one of several ingests of a fleet, beside others",
    "decode": "read CAN logs into named signals",
    "replay": "send a recording down the whole road into a lake",
    "import": "bring tables into a lake",
    "elsewhere": "how a phone or computer elsewhere reaches an instance",
    "car": "who may come in as which vehicle: codes, enrolment, revocation",
    "vehicles": "list the vehicles of a data folder",
    "signals": "sum up the stored signals of a vehicle",
    "trips": "where a car went, and what that took",
    "charges": "when a car was charged, and with how much",
    "battery": "what a car's battery still holds, and how sure that is",
    "places": "where a car stops again and again",
    "report": "a car's history in figures, and how far it goes now",
    "history": "find trips, charges and the rest anew",
    "alerts": "be told when something happens to a car",
    "campaign": "have cars record more than their usual rows",
    "journal": "what people say of trips and charges, and a month of it as a file",
    "user": "who may come in, and what they are to which vehicle",
    "token": "what a program shows instead of a password",
    "consent": "what a third party may read, what for, and until when",
    "audit": "what was done and refused, and whether the log of it is whole",
    "export": "the stored values of a vehicle as Parquet or CSV",
    "compact": "put the files of a lake in order, by hand",
    "erase": "remove everything of one vehicle, for good",
    "backup": "a data folder, in use or not, as one file",
    "restore": "make a data folder of a backup",
    "simulate": "let a car of physics drive a cycle: energy, speed, charge",
    "profile": "list, show, check and fit car profiles",
}
"""Command → what it does; its module is `contactor.app.commands.COMMAND` (`import_` for import)."""

PARTS = {
    "polars": "cloud",
    "deltalake": "cloud",
    "litestar": "cloud",
    "sqlalchemy": "cloud",
    "reportlab": "report",
    "xlsxwriter": "report",
    "uvicorn": "cloud",
    "nats_server": "cloud",
    "numba": "fast",
    "argon2": "cloud",
    "cryptography": "identity",
    "segno": "cloud",
    "paho": "alerts",
    "psycopg": "postgresql",
}
"""Package → the installation size that brings it."""
_PASSWORD: Final = re.compile(r"(://[^\s:/@\[]*:)[^\s/]*@")
"""What a url must not show when it is repeated: an option that is not known may hold one."""


class _Parser(argparse.ArgumentParser):
    """Errors in one line, exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(
            f"{message} (contactor {self.prog.partition(' ')[2]} --help)".replace(" ()", "")
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        exit_code = _run(arguments)
        print(end="", flush=True)  # what cannot be written is told now, not at the very end
        return exit_code
    except ContactorError as error:
        return _fail(str(error), error.exit_code)
    except ModuleNotFoundError as error:
        size = PARTS.get((error.name or "").partition(".")[0])
        if size is None:
            raise
        return _fail(
            f"this needs {error.name}: pip install 'contactor[{size}]'", MissingPart.exit_code
        )
    except KeyboardInterrupt:
        return _fail("interrupted", 1)
    except BrokenPipeError:
        _drop_output()
        return 1
    except OSError as error:
        _drop_output()
        place = f": {error.filename}" if error.filename else ""
        return _fail(f"{error.strerror or error}{place}", 1)


def _run(arguments: list[str]) -> int:
    parser = _parser()
    name = next((word for word in arguments if not word.startswith("-")), None)
    if name is not None and name not in COMMANDS:
        raise UsageError(f"unknown command {name!r}; commands: {', '.join(COMMANDS)}")
    if name is None or arguments[0] != name:
        parser.parse_args(arguments)
        parser.print_help()
        return 0
    args = parser_of(name).parse_args(arguments[1:])
    _set_up_logging(verbose=args.verbose)
    return int(_imported(name).run(args))


def parser_of(name: str) -> argparse.ArgumentParser:
    """What a command takes."""
    command = _Parser(prog=f"contactor {name}", description=COMMANDS[name])
    _imported(name).add_arguments(command)
    command.add_argument("--verbose", action="store_true", help="log more to stderr")
    return command


def _imported(name: str) -> ModuleType:
    return importlib.import_module(f"contactor.app.commands.{module_of(name)}")


def module_of(command: str) -> str:
    """The module that a command lives in; `import` is a word of the language."""
    return "import_" if command == "import" else command


def _parser() -> _Parser:
    lines = [f"  {name:<10}{help_text}" for name, help_text in COMMANDS.items()]
    parser = _Parser(
        prog="contactor",
        usage="contactor COMMAND [options]",
        description="The open software side of a smart electric car.",
        epilog="\n".join(["commands:", *lines, "", "contactor COMMAND --help tells more."]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"contactor {__version__}")
    return parser


def _set_up_logging(*, verbose: bool) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    if os.environ.get("CONTACTOR_SUPERVISED"):
        logging.getLogger("contactor").setLevel(logging.INFO)


def _drop_output() -> None:
    """Let go of what could not be written: the interpreter would try it again at its end."""
    with contextlib.suppress(OSError):
        print(end="", flush=True)
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, exit_code: int) -> int:
    told = _PASSWORD.sub(r"\1***@", " ".join(message.split()))
    print(f"contactor: {told}", file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
