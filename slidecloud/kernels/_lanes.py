"""Vectors of pixels for numba: one value stands for `WIDTH` pixels, and code reads as if it were written for one.

Numba turns a loop into vector code only where it can prove that its arrays do not overlap, which it gives up on beyond
a few of them, and then every intermediate result goes through memory. Here nothing need be proved: a vector is an LLVM
vector, lives in registers, and an operation on it is the same IEEE or integer operation in each lane, so a pixel's bits
depend neither on its lane nor on its neighbours. LLVM splits the vectors for processors with narrower registers.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import wraps
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import lower_builtin, models, register_model

WIDTH = 32
"""Lanes of a vector: two of the widest registers, so that one may be computed while the other waits."""
_ELEMENT: dict[Any, Any] = {
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
    types.int32: ir.IntType(32),
    types.int16: ir.IntType(16),
    types.boolean: ir.IntType(1),
}
_CASES: dict[Any, list[Any]] = {}
_SUFFIX = {types.float32: f"v{WIDTH}f32", types.float64: f"v{WIDTH}f64"}


class LanesType(types.Type):
    """`WIDTH` numbers of one type."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype}, {WIDTH})")


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, vector(fe_type.dtype))  # type: ignore[no-untyped-call]


FLOAT, DOUBLE, MASK = (LanesType(dtype) for dtype in (types.float32, types.float64, types.boolean))
WHOLE, SHORT = (LanesType(dtype) for dtype in (types.int32, types.int16))


def vector(dtype: Any) -> Any:
    return ir.VectorType(_ELEMENT[dtype], WIDTH)


def _define(symbol: Any, result: Any, operands: tuple[Any, ...], generate: Callable[..., Any]) -> None:
    """Let numba know an operator or function of lanes: ``generate`` turns a builder and LLVM values into a value."""

    _CASES.setdefault(symbol, []).append(signature(result, *operands))

    def lower(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return generate(builder, *values)

    lower_builtin(symbol, *operands)(lower)


def _intrinsic(name: str, dtype: Any, operands: int) -> Callable[..., Any]:
    """The LLVM intrinsic ``name`` of vectors."""

    def generate(builder: Any, *values: Any) -> Any:
        kind = ir.FunctionType(vector(dtype), [vector(dtype)] * operands)
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.{_SUFFIX[dtype]}")
        return builder.call(function, values)

    return generate


def _spread(builder: Any, value: Any) -> Any:
    empty = ir.Constant(ir.VectorType(value.type, WIDTH), ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, empty, _constant(ir.VectorType(ir.IntType(32), WIDTH), 0))


def _compiled(described: Callable[..., Any]) -> Callable[..., Any]:
    """A function that stands for instructions: its name and signature are what compiled code calls."""

    @wraps(described)
    def refuse(*_: Any) -> Any:
        raise TypeError(f"{described.__name__}: found a call from Python, expected one in a function compiled by numba")

    return refuse


@_compiled
def splat(value: Any) -> Any:
    """A scalar in every lane."""


@_compiled
def fused(a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, rounded once."""


@_compiled
def root(a: Any) -> Any:
    """Square root."""


@_compiled
def magnitude(a: Any) -> Any:
    """Absolute value."""


@_compiled
def whole(a: Any) -> Any:
    """The largest whole number not above."""


@_compiled
def choose(mask: Any, a: Any, b: Any) -> Any:
    """``a`` where the mask is true, else ``b``."""


@_compiled
def least(a: Any, b: Any) -> Any:
    """The smaller; ``a`` where ``b`` is not a number."""


@_compiled
def most(a: Any, b: Any) -> Any:
    """The larger; ``a`` where ``b`` is not a number."""


@_compiled
def somewhere(mask: Any) -> Any:
    """Whether the mask is true in any lane."""


@_compiled
def widen(a: Any) -> Any:
    """float32 to float64."""


@_compiled
def narrow(a: Any) -> Any:
    """float64 to float32."""


@_compiled
def real(a: Any) -> Any:
    """int32 to float32, rounded to nearest."""


@_compiled
def exponent(a: Any) -> Any:
    """Of normal positive numbers ``mantissa * 2^exponent``."""


@_compiled
def mantissa(a: Any) -> Any:
    """Of normal positive numbers, in [1, 2)."""


@_compiled
def power_of_two(a: Any) -> Any:
    """``2^a`` of whole float64, from -1022 to 1023."""


def _choose_smaller(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", b, a), b, a)


def _choose_larger(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", b, a), b, a)


def _any(builder: Any, mask: Any) -> Any:
    bits = builder.bitcast(mask, ir.IntType(WIDTH))
    return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))


def _bits(dtype: Any) -> tuple[Any, int, int]:
    """The vector of integers that holds numbers of a type, how far left their exponent stands, and its bias."""
    width, shift, bias = (32, 23, 127) if dtype == types.float32 else (64, 52, 1023)
    return ir.VectorType(ir.IntType(width), WIDTH), shift, bias


def _constant(kind: Any, number: int) -> Any:
    return ir.Constant(kind, [number] * WIDTH)


def _exponent(dtype: Any) -> Callable[..., Any]:
    kind, shift, bias = _bits(dtype)

    def generate(builder: Any, value: Any) -> Any:
        raised = builder.lshr(builder.bitcast(value, kind), _constant(kind, shift))
        return builder.sitofp(builder.sub(raised, _constant(kind, bias)), vector(dtype))

    return generate


def _mantissa(dtype: Any) -> Callable[..., Any]:
    kind, shift, bias = _bits(dtype)

    def generate(builder: Any, value: Any) -> Any:
        fraction = builder.and_(builder.bitcast(value, kind), _constant(kind, (1 << shift) - 1))
        return builder.bitcast(builder.or_(fraction, _constant(kind, bias << shift)), vector(dtype))

    return generate


def _power_of_two(builder: Any, value: Any) -> Any:
    kind, shift, bias = _bits(types.float64)
    raised = builder.add(builder.fptosi(value, kind), _constant(kind, bias))
    return builder.bitcast(builder.shl(raised, _constant(kind, shift)), vector(types.float64))


for _kind in (FLOAT, DOUBLE):
    _two = (_kind, _kind)
    _define(operator.add, _kind, _two, lambda builder, a, b: builder.fadd(a, b))
    _define(operator.sub, _kind, _two, lambda builder, a, b: builder.fsub(a, b))
    _define(operator.mul, _kind, _two, lambda builder, a, b: builder.fmul(a, b))
    _define(operator.truediv, _kind, _two, lambda builder, a, b: builder.fdiv(a, b))
    _define(operator.neg, _kind, (_kind,), lambda builder, a: builder.fneg(a))
    _define(operator.gt, MASK, _two, lambda builder, a, b: builder.fcmp_ordered(">", a, b))
    _define(operator.ge, MASK, _two, lambda builder, a, b: builder.fcmp_ordered(">=", a, b))
    _define(operator.lt, MASK, _two, lambda builder, a, b: builder.fcmp_ordered("<", a, b))
    _define(operator.eq, MASK, _two, lambda builder, a, b: builder.fcmp_ordered("==", a, b))
    _define(least, _kind, _two, _choose_smaller)
    _define(most, _kind, _two, _choose_larger)
    _define(splat, _kind, (_kind.dtype,), _spread)
    _define(choose, _kind, (MASK, _kind, _kind), lambda builder, mask, a, b: builder.select(mask, a, b))
    _define(fused, _kind, (_kind,) * 3, _intrinsic("fma", _kind.dtype, 3))
    _define(root, _kind, (_kind,), _intrinsic("sqrt", _kind.dtype, 1))
    _define(magnitude, _kind, (_kind,), _intrinsic("fabs", _kind.dtype, 1))
    _define(exponent, _kind, (_kind,), _exponent(_kind.dtype))
    _define(mantissa, _kind, (_kind,), _mantissa(_kind.dtype))
    _define(whole, _kind, (_kind,), _intrinsic("floor", _kind.dtype, 1))
for _kind in (WHOLE, SHORT):
    _two = (_kind, _kind)
    _define(operator.add, _kind, _two, lambda builder, a, b: builder.add(a, b))
    _define(operator.sub, _kind, _two, lambda builder, a, b: builder.sub(a, b))
    _define(operator.mul, _kind, _two, lambda builder, a, b: builder.mul(a, b))
    _define(splat, _kind, (_kind.dtype,), _spread)
_define(real, FLOAT, (WHOLE,), lambda builder, a: builder.sitofp(a, vector(types.float32)))
_define(operator.and_, MASK, (MASK, MASK), lambda builder, a, b: builder.and_(a, b))
_define(operator.or_, MASK, (MASK, MASK), lambda builder, a, b: builder.or_(a, b))
_define(somewhere, types.boolean, (MASK,), _any)
_define(widen, DOUBLE, (FLOAT,), lambda builder, a: builder.fpext(a, vector(types.float64)))
_define(narrow, FLOAT, (DOUBLE,), lambda builder, a: builder.fptrunc(a, vector(types.float32)))
_define(power_of_two, DOUBLE, (DOUBLE,), _power_of_two)
for _symbol, _signatures in _CASES.items():
    infer_global(_symbol)(type("LanesTemplate", (ConcreteTemplate,), {"cases": _signatures}))
