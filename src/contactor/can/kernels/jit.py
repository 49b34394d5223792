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
from numba.extending import intrinsic, register_jitable

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


def part(function: Function) -> Function:
    """Let kernels call a plain function: it becomes a part of theirs, and stays what it is."""
    registered: Function = register_jitable(function)
    return registered


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


@intrinsic
def _sixteen_digits(typing_context: Any, text: Any, at: Any) -> Any:
    """Sixteen characters at once, in vectors of bytes; LLVM makes what the processor has of it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        byte, pair = ir.IntType(8), ir.IntType(16)
        many = ir.VectorType(byte, 16)

        def all_of(number: int) -> Any:
            return ir.Constant(many, [number] * 16)

        characters = builder.load(builder.bitcast(place, many.as_pointer()))
        characters.align = 1
        digit = builder.sub(characters, all_of(ord("0")))
        is_digit = builder.icmp_unsigned("<", digit, all_of(10))
        letter = builder.sub(builder.or_(characters, all_of(0x20)), all_of(ord("a")))
        is_letter = builder.icmp_unsigned("<", letter, all_of(6))
        value = builder.select(is_digit, digit, builder.add(letter, all_of(10)))
        known = builder.bitcast(builder.or_(is_digit, is_letter), pair)
        # One bit a character; the lowest that is none is where digits end, bit 16 if nowhere.
        wrong = builder.xor(
            builder.zext(known, ir.IntType(64)), ir.Constant(ir.IntType(64), 0x1FFFF)
        )
        count = builder.cttz(wrong, ir.Constant(ir.IntType(1), 1))
        pairs = builder.bitcast(value, ir.VectorType(pair, 8))
        by = ir.Constant(pairs.type, [4] * 8), ir.Constant(pairs.type, [8] * 8)
        joined = builder.or_(builder.shl(pairs, by[0]), builder.lshr(pairs, by[1]))
        word = builder.bitcast(builder.trunc(joined, ir.VectorType(byte, 8)), ir.IntType(64))
        return context.make_tuple(builder, signature.return_type, (word, count))

    made = types.Tuple((types.uint64, types.int64))  # type: ignore[no-untyped-call]  # Numba's
    return made(text, types.int64), generate


@kernel
def sixteen_digits(text: "NDArray[np.uint8]", at: int) -> "tuple[np.uint64, int]":
    """The bytes that up to sixteen hexadecimal digits write, and how many digits there are.

    The first byte is the lowest; bytes past the digits are of any value. Nothing checks that
    sixteen characters are there.
    """
    return _sixteen_digits(text, at)  # type: ignore[call-arg]  # Numba gives the context


@kernel
def load(text: "NDArray[np.uint8]", at: "int | np.signedinteger[Any]") -> "np.uint64":
    """Eight bytes from a place on, the first of them lowest; nothing checks that they are there."""
    return _load(text, at)  # type: ignore[call-arg]  # Numba gives the context
