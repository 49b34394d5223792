"""Contactor: the open software side of a smart electric car.

Importing it imports nothing heavy; each name below is loaded when it is first used.

    import contactor

    recording = contactor.decode("drive.log", dbc="car.dbc")
    lake = contactor.open_lake("contactor-data")
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contactor.can.recording import Recording, decode
    from contactor.cloud.lake.lake import Lake, open_lake
    from contactor.errors import ContactorError

__version__ = "0.1.0"
version = __version__

__all__ = ["ContactorError", "Lake", "Recording", "__version__", "decode", "open_lake", "version"]

_HOMES = {
    "ContactorError": "contactor.errors",
    "Lake": "contactor.cloud.lake.lake",
    "Recording": "contactor.can.recording",
    "decode": "contactor.can.recording",
    "open_lake": "contactor.cloud.lake.lake",
}


def __getattr__(name: str) -> object:
    """Load a public name from its home on first use (PEP 562)."""
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'contactor' has no attribute {name!r}") from None
    return getattr(importlib.import_module(home), name)
