"""What Contactor weighs in each size: the wheel in an empty environment, in megabytes.

    python tools/sizes.py                     all sizes, of a wheel built now
    python tools/sizes.py base fast           some
    python tools/sizes.py --wheel FILE.whl    of this wheel

An environment is made outside the clone, from the locked versions, byte code included. What the
same environment weighed empty is not counted. Exit code 1: a command failed, or the size for the
car passed its limit.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
SIZES = ("base", "fast", "cloud", "all")
BASE_LIMIT_MB = 120


@dataclass(frozen=True, slots=True)
class Size:
    """One installed size: its name, what it weighs and how many packages it holds."""

    name: str
    megabytes: float
    packages: int


def build_wheel(folder: Path) -> Path:
    """Build the wheel by way of the source distribution, as a release does."""
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)], cwd=REPOSITORY)
    (wheel,) = folder.glob("*.whl")
    return wheel


def measure(name: str, *, wheel: Path, folder: Path) -> Size:
    """Install one size in an empty environment in the folder, weigh it and try its commands.

    Args:
        name: one of SIZES.
        wheel: the built wheel.
        folder: where the environment is made, outside the clone.

    Raises:
        subprocess.CalledProcessError: an installation or a command failed.
    """
    environment = folder / name
    python = environment / "bin" / "python"
    uv = str(Path(sys.executable).parent / "uv")
    run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)], cwd=folder)
    empty = megabytes(environment)
    extra = "" if name == "base" else f"[{name}]"
    run(
        [
            *(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)),
            *("--constraint", str(REPOSITORY / "requirements.txt")),
            f"contactor{extra} @ {wheel.resolve().as_uri()}",
        ],
        cwd=folder,
    )
    try_commands(environment / "bin" / "contactor", folder)
    packages = sum(1 for _ in environment.glob("lib/python*/site-packages/*.dist-info"))
    return Size(name, megabytes(environment) - empty, packages)


def try_commands(contactor: Path, folder: Path) -> None:
    """Every size answers --help and lists its profiles."""
    if "usage" not in run([str(contactor), "--help"], cwd=folder).lower():
        raise RuntimeError(f"{contactor} --help shows no usage")
    if not json.loads(run([str(contactor), "profile", "list", "--json"], cwd=folder)):
        raise RuntimeError(f"{contactor} profile list names no profile: its data are not packed")


def megabytes(folder: Path) -> float:
    """The bytes of all files of a folder, in millions; a link weighs nothing."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e6


def run(command: Sequence[str], *, cwd: Path) -> str:
    """The standard output of a command that sees nothing of the clone."""
    names = ("PYTHONPATH", "VIRTUAL_ENV")
    environ = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        done.check_returncode()
    return done.stdout


def main() -> int:
    """Measure the sizes asked for and print them as a table."""
    parser = argparse.ArgumentParser(description="what Contactor weighs in each size")
    parser.add_argument("sizes", nargs="*", metavar="SIZE", help=", ".join(SIZES))
    parser.add_argument("--wheel", type=Path, help="a built wheel; default: build one")
    arguments = parser.parse_args()
    if unknown := set(arguments.sizes) - set(SIZES):
        parser.error(f"unknown size {unknown.pop()!r}; sizes: {', '.join(SIZES)}")
    with tempfile.TemporaryDirectory(prefix="contactor-sizes-") as name:
        folder = Path(name)
        wheel = arguments.wheel or build_wheel(folder / "dist")
        print(f"{'size':8}{'packages':>10}{'MB':>8}")
        print(f"{'wheel':8}{1:10}{wheel.stat().st_size / 1e6:8.1f}")
        for wanted in arguments.sizes or SIZES:
            size = measure(wanted, wheel=wheel, folder=folder)
            print(f"{size.name:8}{size.packages:10}{size.megabytes:8.1f}", flush=True)
            if wanted == "base" and size.megabytes >= BASE_LIMIT_MB:
                print(f"base is over its limit of {BASE_LIMIT_MB} MB", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
