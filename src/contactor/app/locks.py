"""Locks on a data folder for those who share it: several ingests, and who serves beside them."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from contactor.app.folder import LOCK_RETRY_S, LOCK_WAIT_S, DataFolder
from contactor.errors import FolderInUse


@contextlib.contextmanager
def shared(folder: DataFolder) -> Iterator[None]:
    """Hold the folder beside others who do so, while nobody holds it alone.

    Raises:
        FolderInUse: somebody does.
    """
    # Whoever is the first brings a folder of an older format up to date, which is done alone.
    with contextlib.suppress(FolderInUse), folder.held():
        pass
    with _locked(folder, "lock", fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def alone(folder: DataFolder, name: str) -> Iterator[None]:
    """Hold one file of the folder, of which there is to be one holder.

    Raises:
        FolderInUse: somebody else does.
    """
    with _locked(folder, name, fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def _locked(folder: DataFolder, name: str, kind: int) -> Iterator[None]:
    descriptor = os.open(folder.root / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait_locked(folder, descriptor, kind)
        yield
    finally:
        os.close(descriptor)


def _wait_locked(folder: DataFolder, descriptor: int, kind: int) -> None:
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise FolderInUse(
                    f"{folder.root} is in use by process {folder.holder() or 'unknown'}"
                ) from error
            time.sleep(LOCK_RETRY_S)
        else:
            return
