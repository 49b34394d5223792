"""Progress bars on stderr, on a terminal only.

with progress_bar("replay drive.log", "B") as on_progress:
    on_progress(done, total)
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def progress_bar(title: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that shows itself after half a second of work."""
    with tqdm(
        desc=title, unit=unit, unit_scale=True, delay=0.5, disable=not sys.stderr.isatty()
    ) as bar:

        def on_progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield on_progress
