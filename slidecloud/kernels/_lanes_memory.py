"""Vectors of pixels to and from arrays, for numba: see `_lanes`."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from slidecloud.kernels._lanes import FLOAT, WHOLE, WIDTH, LanesType, vector

ALIGNMENT = 64


def _pointer(context: Any, builder: Any, kind: Any, array: Any, *place: Any) -> Any:
    """Pointer to an element of an array, as one to a vector of the array's numbers."""
    view = context.make_array(kind)(context, builder, array)
    found = cgutils.get_item_pointer(context, builder, kind, view, list(place), wraparound=False)
    return builder.bitcast(found, ir.VectorType(context.get_data_type(kind.dtype), WIDTH).as_pointer())


def _take(_typing: Any, row: Any, _first: Any) -> Any:
    """Lanes of the row's own type from ``row[first:]``."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = signature.args[0]
        return builder.load(_pointer(context, builder, kind, *values), align=kind.dtype.bitwidth // 8)

    return LanesType(row.dtype)(row, types.intp), generate


def _take_whole(_typing: Any, row: Any, _first: Any) -> Any:
    """Lanes from ``row[first:]``, 16-bit integers, as int32."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        found = builder.load(_pointer(context, builder, signature.args[0], *values), align=2)
        return builder.sext(found, vector(types.int32))

    return WHOLE(row, types.intp) if row.dtype == types.int16 else None, generate


def _put(_typing: Any, row: Any, _first: Any, value: Any) -> Any:
    """Lanes to ``row[first:]``."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = signature.args[0]
        place = _pointer(context, builder, kind, *values[:2])
        builder.store(values[2], place, align=kind.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(row, types.intp, value), generate


def _load(_typing: Any, array: Any, _row: Any, _column: Any) -> Any:
    """Lanes from ``array[row, column:]``, contiguous along the row; 16-bit integers become float32."""
    short = array.dtype == types.int16
    result = FLOAT if short else LanesType(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = signature.args[0]
        place = _pointer(context, builder, kind, *values)
        found = builder.load(place, align=kind.dtype.bitwidth // 8)
        return builder.sitofp(found, vector(types.float32)) if short else found

    return result(array, types.intp, types.intp), generate


def _fetch(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    place = builder.bitcast(_pointer(context, builder, signature.args[0], *values), byte)
    builder.call(function, [place, *(ir.Constant(word, number) for number in (0, 3, 1))])
    return context.get_dummy_value()


def _prefetch(_typing: Any, array: Any, _row: Any, _column: Any) -> Any:
    """Have the cache line of ``array[row, column]`` fetched; nothing waits for it."""
    return types.void(array, types.intp, types.intp), _fetch


def _prefetch_row(_typing: Any, row: Any, _first: Any) -> Any:
    """Have the cache line of ``row[first]`` fetched; nothing waits for it."""
    return types.void(row, types.intp), _fetch


def _store(_typing: Any, array: Any, _row: Any, _column: Any, value: Any) -> Any:
    """Lanes to ``array[row, column:]``."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = signature.args[0]
        place = _pointer(context, builder, kind, *values[:3])
        builder.store(values[3], place, align=kind.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, value), generate


def _vector_pointer(context: Any, builder: Any, kind: Any, array: Any, number: Any) -> Any:
    """Pointer to a vector of a 1-D array of them."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(builder.bitcast(data, vector(kind.dtype).as_pointer()), [number])


def _peek(_typing: Any, array: Any, _number: Any) -> Any:
    """Vector ``number`` of a `scratch`."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_vector_pointer(context, builder, signature.args[0], *values), align=ALIGNMENT)

    return LanesType(array.dtype)(array, types.intp), generate


def _poke(_typing: Any, array: Any, _number: Any, value: Any) -> Any:
    """Replace vector ``number`` of a `scratch`."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _vector_pointer(context, builder, signature.args[0], *values[:2]), align=ALIGNMENT)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


def _look_up(builder: Any, data: Any, index: Any) -> Any:
    """Element of a table by an unsigned number."""
    return builder.load(builder.gep(data, [builder.zext(index, ir.IntType(64))]))


def _load_rated(_typing: Any, table: Any, array: Any, _row: Any, _column: Any) -> Any:
    """Lanes from ``array[row, column:]`` if float32, ``table[array[row, column:]]`` if uint8."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if array.dtype == types.float32:
            return builder.load(_pointer(context, builder, signature.args[1], *values[1:]), align=4)
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        indices = builder.load(_pointer(context, builder, signature.args[1], *values[1:]), align=1)
        found = ir.Constant(vector(types.float32), ir.Undefined)
        for lane in range(WIDTH):
            place = ir.Constant(ir.IntType(32), lane)
            found = builder.insert_element(
                found, _look_up(builder, data, builder.extract_element(indices, place)), place
            )
        return found

    return FLOAT(table, array, types.intp, types.intp), generate


def _rate(_typing: Any, table: Any, weight: Any) -> Any:
    """`load_rated` of one number: ``weight`` if it is a float32, ``table[weight]`` if uint8."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if weight == types.float32:
            return values[1]
        return _look_up(builder, context.make_array(signature.args[0])(context, builder, values[0]).data, values[1])

    return types.float32(table, weight), generate


load: Any = intrinsic(_load)
load_rated: Any = intrinsic(_load_rated)
peek: Any = intrinsic(_peek)
poke: Any = intrinsic(_poke)
prefetch: Any = intrinsic(_prefetch)
prefetch_row: Any = intrinsic(_prefetch_row)
put: Any = intrinsic(_put)
rate: Any = intrinsic(_rate)
store: Any = intrinsic(_store)
take: Any = intrinsic(_take)
take_whole: Any = intrinsic(_take_whole)


@njit(nogil=True, cache=True)
def scratch(vectors, like):  # type: ignore[no-untyped-def]
    """Room for ``vectors`` vectors of the type of the array ``like``, beginning where a cache line does."""
    size, spare = vectors * WIDTH, ALIGNMENT // like.itemsize
    room = np.empty(size + spare, like.dtype)
    start = (-room.ctypes.data % ALIGNMENT) // like.itemsize
    return room[start : start + size]


@njit(nogil=True, cache=True)
def table(rows, columns, like):  # type: ignore[no-untyped-def]
    """A `scratch` of ``rows`` rows of ``columns`` columns, a multiple of `WIDTH`."""
    return scratch(rows * columns // WIDTH, like).reshape(rows, columns)
