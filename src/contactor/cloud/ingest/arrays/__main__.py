"""Compile the kernels, so that nobody waits: `python -m contactor.cloud.ingest.arrays`."""

import sys

from contactor.can.kernels import is_installed


def main() -> int:
    """Warm the kernels; nothing where Numba is not installed."""
    if not is_installed():
        print("Numba is not installed: records are read one by one", file=sys.stderr)
        return 0
    from contactor.cloud.ingest.arrays.warm import warm

    warm()
    return 0


if __name__ == "__main__":
    sys.exit(main())
