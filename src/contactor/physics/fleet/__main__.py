"""Compile the kernel, so that nobody waits for it later: `python -m contactor.physics.fleet`."""

import sys

from contactor.can.kernels import is_installed


def main() -> int:
    """Warm the kernel; nothing where Numba is not installed."""
    if not is_installed():
        print("Numba is not installed: there are no fleets", file=sys.stderr)
        return 0
    from contactor.physics.fleet.kernel import warm

    warm()
    return 0


if __name__ == "__main__":
    sys.exit(main())
