"""Bits of 64 bytes at a time, for kernels of `curation.jit`: what LLVM has and numba has not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from curation.text import Bytes

BLOCK = 64  # bytes of which `within` tells


def _within(context: Any, data: Any, at: Any, first: Any, last: Any, ignored: Any) -> Any:
    """Bit i of the result: first <= data[at + i] | ignored <= last; 64 bytes must be there.

    A few vector instructions, on any processor.
    """

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        eight, vector = ir.IntType(8), ir.VectorType(ir.IntType(8), BLOCK)
        array = context.make_array(signature.args[0])(context, builder, given[0])
        place = builder.bitcast(builder.gep(array.data, [given[1]]), vector.as_pointer())
        loaded = builder.load(place)
        loaded.align = 1
        lowest, highest, bits = (_splat(builder, value, eight) for value in given[2:])
        from_first = builder.sub(builder.or_(loaded, bits), lowest)
        found = builder.icmp_unsigned("<=", from_first, builder.sub(highest, lowest))
        return builder.bitcast(found, ir.IntType(BLOCK))

    byte = types.uint8
    return types.uint64(data, types.uint64, byte, byte, byte), generate


def _splat(builder: Any, value: Any, element: Any) -> Any:
    vector = ir.VectorType(element, BLOCK)
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, cgutils.int32_t(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), BLOCK), None)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)


def _lowest_bit(context: Any, bits: Any) -> Any:
    """The place of the lowest bit that is set; 64 if none is."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.cttz(given[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


def _count_bits(context: Any, bits: Any) -> Any:
    """How many bits are set."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.ctpop(given[0])

    return types.int64(types.uint64), generate


within = cast(Callable[[Bytes, np.uint64, int, int, int], np.uint64], intrinsic(_within))
lowest_bit = cast(Callable[[np.uint64], int], intrinsic(_lowest_bit))
count_bits = cast(Callable[[np.uint64], int], intrinsic(_count_bits))
