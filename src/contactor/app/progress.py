"""Progress of long work: a bar on a terminal, plain lines or nothing elsewhere.

with progress_bar("replay drive.log", "B") as on_progress:
    on_progress(done, total)
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn, Self

from tqdm import tqdm


@contextmanager
def progress_bar(title: str, unit: str) -> "Iterator[Bar]":
    """A bar that shows itself after half a second of work."""
    with tqdm(
        desc=title, unit=unit, unit_scale=True, delay=0.5, disable=not sys.stderr.isatty()
    ) as bar:
        yield Bar(bar)


class Bar:
    """What work reports to: how much is done, and what may stand beside it."""

    def __init__(self, bar: "tqdm[NoReturn]") -> None:
        self._bar = bar
        self._began_s = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """So much of so much is done; a total of 0 is unknown."""
        self._bar.total = total or None
        self._bar.update(done - self._bar.n)

    def tell_rate(self, count: int, unit: str) -> None:
        """Show how many of something there were a second."""
        rate = count / max(time.monotonic() - self._began_s, 1e-3)
        self._bar.set_postfix_str(f"{rate:,.0f} {unit}/s", refresh=False)


class Steps:
    """Long work of a running instance, told on stdout: a bar on a terminal, else two lines."""

    def __init__(self, title: str, *, unit: str) -> None:
        self._title, self._unit = title, unit
        self._done = 0
        self._began_s = time.monotonic()
        self._bar = None
        if sys.stdout.isatty():
            self._bar = tqdm(desc=title, unit=f" {unit}", file=sys.stdout, leave=False)
        else:
            print(f"{title} ...", flush=True)

    def update(self, done: int) -> None:
        """So much is done by now."""
        if self._bar is not None:
            self._bar.update(done - self._done)
        self._done = done

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
        if kind is not None:
            return
        took_s = time.monotonic() - self._began_s
        print(f"{self._title}: {self._done} {self._unit} in {took_s:.1f} s", flush=True)
