"""How a kernel is compiled.

Kernels release the GIL, divide as NumPy does, and never reorder floating point arithmetic. Their
machine code is kept beside the sources, or in the user's cache where those cannot be written.

    @kernel
    def total(values: NDArray[np.float64]) -> float: ...
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a function at its first call, for the types it is called with."""
    try:
        compiled = numba.njit(function, nogil=True, error_model="numpy", cache=True)
    except RuntimeError:  # neither the package nor the home can be written: compile every time
        compiled = numba.njit(function, nogil=True, error_model="numpy")
    return cast("Function", compiled)
