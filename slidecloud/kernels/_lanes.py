"""Neighbouring elements of a row as one numba value of 64 bytes, for loops that combine many rows.

numba vectorises a loop over rows only where it can rule out that they overlap, which it gives up on beyond a few rows;
such loops write every intermediate to memory, and each of them costs as much to start as to run over a few hundred
pixels. `take` reads 16 float32 or int32, 32 int16 or 8 float64 from anywhere in a row; ``+ - * /``, `root` and the
comparisons act on each of them by the integer or IEEE operation of their name, never contracted; `put` writes them
back. Everything between stays in registers. Bounds are the caller's: rows are padded.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

REALS = WHOLES = 16
SHORTS, DOUBLES = 32, 8
"""Elements of a vector of float32, int32, int16 and float64."""


class Lanes(types.Type):
    """Type of a vector of ``count`` elements of a numba scalar type."""

    def __init__(self, scalar: Any, count: int, vector: Any) -> None:
        self.scalar, self.count, self.vector = scalar, count, ir.VectorType(vector, count)
        super().__init__(name=f"{scalar}x{count}")


_REAL = Lanes(types.float32, REALS, ir.FloatType())
_WHOLE = Lanes(types.int32, WHOLES, ir.IntType(32))
_SHORT = Lanes(types.int16, SHORTS, ir.IntType(16))
_DOUBLE = Lanes(types.float64, DOUBLES, ir.DoubleType())
_OF = {kind.scalar: kind for kind in (_REAL, _WHOLE, _SHORT, _DOUBLE)}


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, kind.vector)  # type: ignore[no-untyped-call]


def _define(operation: Any, of_reals: str, of_integers: str) -> None:
    """Make ``operation`` of two vectors of one type the LLVM instruction of that name."""

    class Template(AbstractTemplate):
        def generic(self, args: Any, _keywords: Any) -> Any:
            same = len(args) == 2 and isinstance(args[0], Lanes) and args[0] == args[1]
            return signature(args[0], *args) if same else None

    def generate(_context, builder, sig, args):  # type: ignore[no-untyped-def]
        return getattr(builder, of_reals if isinstance(sig.return_type.scalar, types.Float) else of_integers)(*args)

    infer_global(operation)(Template)
    lower_builtin(operation, Lanes, Lanes)(generate)


_define(operator.add, "fadd", "add")
_define(operator.sub, "fsub", "sub")
_define(operator.mul, "fmul", "mul")
_define(operator.truediv, "fdiv", "sdiv")


def _read(context: Any, builder: Any, kind: Any, place: Any, count: int) -> Any:
    row, index = place
    pointer = builder.gep(context.make_array(kind)(context, builder, row).data, [index])
    vector = ir.VectorType(context.get_value_type(kind.dtype), count).as_pointer()
    return builder.load(builder.bitcast(pointer, vector), align=kind.dtype.bitwidth // 8)


def _take(_typing: Any, row: Any, index: Any) -> Any:
    kind = _OF[row.dtype]

    def generate(context, builder, sig, args):  # type: ignore[no-untyped-def]
        return _read(context, builder, sig.args[0], args, kind.count)

    return kind(row, index), generate


def _widen(_typing: Any, row: Any, index: Any) -> Any:
    def generate(context, builder, sig, args):  # type: ignore[no-untyped-def]
        values = _read(context, builder, sig.args[0], args, WHOLES)
        return (builder.sext if sig.args[0].dtype.signed else builder.zext)(values, _WHOLE.vector)

    return _WHOLE(row, index), generate


def _real(_typing: Any, _values: Any) -> Any:
    def generate(_context, builder, _signature, args):  # type: ignore[no-untyped-def]
        return builder.sitofp(args[0], _REAL.vector)

    return _REAL(_WHOLE), generate


def _put(_typing: Any, row: Any, index: Any, values: Any) -> Any:
    def generate(context, builder, sig, args):  # type: ignore[no-untyped-def]
        pointer = builder.gep(context.make_array(sig.args[0])(context, builder, args[0]).data, [args[1]])
        place = builder.bitcast(pointer, sig.args[2].vector.as_pointer())
        builder.store(args[2], place, align=sig.args[0].dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(row, index, values) if _OF[row.dtype] == values else None, generate


def _splat(_typing: Any, value: Any) -> Any:
    kind = _OF[value]

    def generate(_context, builder, _signature, args):  # type: ignore[no-untyped-def]
        index = ir.IntType(32)
        nothing = ir.Constant(kind.vector, ir.Undefined)
        first = builder.insert_element(nothing, args[0], ir.Constant(index, 0))
        return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(index, kind.count), [0] * kind.count))

    return kind(value), generate


def _compare(condition: str) -> Any:
    def typed(_typing: Any, _first: Any, _second: Any) -> Any:
        def generate(_context, builder, _signature, args):  # type: ignore[no-untyped-def]
            return builder.uitofp(builder.fcmp_ordered(condition, *args), _REAL.vector)

        return _REAL(_REAL, _REAL), generate

    return typed


def _where_positive(_typing: Any, _sign: Any, _values: Any) -> Any:
    def generate(_context, builder, _signature, args):  # type: ignore[no-untyped-def]
        zero = ir.Constant(_REAL.vector, None)
        return builder.select(builder.fcmp_ordered(">", args[0], zero), args[1], zero)

    return _REAL(_REAL, _REAL), generate


def _root(_typing: Any, values: Any) -> Any:
    def generate(_context, builder, _signature, args):  # type: ignore[no-untyped-def]
        kind = ir.FunctionType(_REAL.vector, [_REAL.vector])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{REALS}f32"), args)

    return _REAL(values), generate


def _prefetch(_typing: Any, row: Any, index: Any) -> Any:
    def generate(context, builder, sig, args):  # type: ignore[no-untyped-def]
        pointer = builder.gep(context.make_array(sig.args[0])(context, builder, args[0]).data, [args[1]])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        read, second_level, data = (ir.Constant(number, value) for value in (0, 2, 1))
        builder.call(function, [builder.bitcast(pointer, byte), read, second_level, data])
        return context.get_dummy_value()

    return types.void(row, index), generate


take: Any = intrinsic(_take)
"""``take(row, j)``: 64 bytes of a row of float32, int32 or int16 from element j on."""
widen: Any = intrinsic(_widen)
"""``widen(row, j)``: 16 elements of a row of smaller integers from j on, as int32."""
real: Any = intrinsic(_real)
"""``real(values)``: int32 as float32, rounded to nearest."""
put: Any = intrinsic(_put)
"""``put(row, j, values)``: write a vector to a row of its own type from element j on."""
splat: Any = intrinsic(_splat)
"""``splat(value)``: a vector of one value of any of the four types."""
root: Any = intrinsic(_root)
"""``root(values)``: square roots of float32."""
at_least: Any = intrinsic(_compare(">="))
"""``at_least(a, b)``: float32 1 where a >= b, else 0."""
equal: Any = intrinsic(_compare("=="))
"""``equal(a, b)``: float32 1 where a == b, else 0."""
where_positive: Any = intrinsic(_where_positive)
"""``where_positive(sign, values)``: values where sign > 0, else 0, whatever they are there."""
prefetch: Any = intrinsic(_prefetch)
"""``prefetch(row, j)``: have the cache line of element j ready in the second-level cache."""
