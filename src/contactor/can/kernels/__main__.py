"""Compile all kernels, so that nobody waits for it later: `python -m contactor.can.kernels`."""

import importlib
import sys

from contactor.can.kernels import MODULES, is_installed


def main() -> int:
    """Warm every module; nothing where Numba is not installed."""
    if not is_installed():
        print("Numba is not installed: the engine takes its NumPy path", file=sys.stderr)
        return 0
    for name in MODULES:
        importlib.import_module(f"contactor.can.kernels.{name}").warm()
    return 0


if __name__ == "__main__":
    sys.exit(main())
