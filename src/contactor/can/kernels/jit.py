"""How a kernel is compiled.

Kernels release the GIL, divide as NumPy does, and never reorder floating point arithmetic. Their
machine code is kept beside the sources, or in the user's cache where those cannot be written; it is
made anew when the kernel's own file changes, not when a constant that it takes from another does.

    @kernel
    def total(values: NDArray[np.float64]) -> float: ...
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a function at its first call, for the types it is called with."""
    try:
        compiled = numba.njit(function, nogil=True, error_model="numpy", cache=True)
    except RuntimeError:  # neither the package nor the home can be written: compile every time
        compiled = numba.njit(function, nogil=True, error_model="numpy")
    return cast("Function", compiled)


@intrinsic
def _load(typing_context: Any, text: Any, at: Any) -> Any:
    """One load of eight bytes, which need not be aligned; Numba would make eight of it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        word = builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()))
        word.align = 1
        return word

    return types.uint64(text, types.int64), generate


@kernel
def load(text: "NDArray[np.uint8]", at: int) -> "np.uint64":
    """Eight bytes from a place on, the first of them lowest; nothing checks that they are there."""
    return _load(text, at)  # type: ignore[call-arg]  # Numba gives the context
