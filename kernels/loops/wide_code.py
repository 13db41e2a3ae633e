"""What `kernels.loops.wide` is compiled to: loops over blocks of places held in vector registers."""
# ruff: noqa: ARG001 (Numba hands arguments by the names of what it compiles)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.core import cgutils as numba_cgutils
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BLOCK_BYTES = (512, 128, 64, 16)
"""Widths of blocks, widest first; what is left of a row is taken place by place.

512 bytes are eight registers of AVX-512, whose loads then hide each other's time, and sixteen of AVX2."""

cgutils: Any = numba_cgutils
"""Numba's builder of code, which is untyped."""


class _Blocks:
    """Code for blocks of rows [n, n_places], contiguous."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self.context, self.builder = context, builder
        self._kinds, self._arguments = signature.args, arguments
        self.scalar = context.get_value_type(signature.args[0].dtype)
        self.size = context.get_abi_sizeof(self.scalar)

    def item(self, position: int, index: Any) -> Any:
        """A value of an array argument of one dimension, which may be strided."""
        array, builder = self._array(position), self.builder
        shape, strides = (cgutils.unpack_tuple(builder, part, 1) for part in (array.shape, array.strides))
        layout = self._kinds[position].layout
        place = cgutils.get_item_pointer2(self.context, builder, array.data, shape, strides, layout, [index])
        return builder.load(place)

    def row(self, position: int, row: Any) -> Any:
        """Where a row of an array argument begins; all have as many places as the first."""
        return self.builder.gep(self._array(position).data, [self.builder.mul(row, self.n_places())])

    def n_places(self) -> Any:
        """Places of every row."""
        return self.builder.extract_value(self._array(0).shape, 1)

    def widths(self) -> Iterator[Any]:
        """For each width of a block, the place where a block begins, inside a loop over such places."""
        builder, intp = self.builder, self.context.get_value_type(types.intp)
        begin, n_places = ir.Constant(intp, 0), self.n_places()
        for n_bytes in (*BLOCK_BYTES, self.size):
            width = ir.Constant(intp, n_bytes // self.size)
            whole = builder.mul(builder.sdiv(builder.sub(n_places, begin), width), width)
            end = builder.add(begin, whole)
            with cgutils.for_range_slice(builder, begin, end, width, inc=True) as (place, _):
                self.vector = ir.VectorType(self.scalar, n_bytes // self.size)
                yield place
            begin = end

    def load(self, row: Any, place: Any) -> Any:
        """A block's values."""
        value = self.builder.load(self._pointer(row, place))
        value.align = self.size
        return value

    def store(self, value: Any, row: Any, place: Any) -> None:
        """Write a block's values."""
        self.builder.store(value, self._pointer(row, place)).align = self.size

    def spread(self, value: Any) -> Any:
        """A block of one value."""
        nothing, lanes = ir.Constant(self.vector, ir.Undefined), ir.VectorType(ir.IntType(32), self.vector.count)
        first = self.builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
        return self.builder.shuffle_vector(first, nothing, ir.Constant(lanes, None))

    def _array(self, position: int) -> Any:
        return self.context.make_array(self._kinds[position])(self.context, self.builder, self._arguments[position])

    def _pointer(self, row: Any, place: Any) -> Any:
        return self.builder.bitcast(self.builder.gep(row, [place]), self.vector.as_pointer())


def _emit_sum(blocks: _Blocks, arguments: Any) -> None:
    """One block after the other: all entries are added to it in registers."""
    _, row, _, _, first, end, _ = arguments
    builder, target = blocks.builder, blocks.row(0, row)
    one = ir.Constant(first.type, 1)
    for place in blocks.widths():
        total = cgutils.alloca_once(builder, blocks.vector)
        builder.store(ir.Constant(blocks.vector, [0.0] * blocks.vector.count), total)
        with cgutils.for_range_slice(builder, first, end, one, inc=True) as (entry, _):
            source = blocks.row(6, blocks.item(3, entry))
            spread = blocks.spread(blocks.item(2, entry))
            product = builder.fmul(spread, blocks.load(source, place))
            builder.store(builder.fadd(builder.load(total), product), total)
        blocks.store(builder.load(total), target, place)


def _emit_product(blocks: _Blocks, arguments: Any) -> None:
    _, row, _, left_row, _, right_row = arguments
    target, left, right = blocks.row(0, row), blocks.row(2, left_row), blocks.row(4, right_row)
    for place in blocks.widths():
        product = blocks.builder.fmul(blocks.load(left, place), blocks.load(right, place))
        blocks.store(blocks.builder.fsub(blocks.load(target, place), product), target, place)


def _emit_from(blocks: _Blocks, arguments: Any) -> None:
    _, row, _ = arguments
    target, least = blocks.row(0, row), blocks.row(2, row)
    for place in blocks.widths():
        difference = blocks.builder.fsub(blocks.load(least, place), blocks.load(target, place))
        blocks.store(difference, target, place)


def _written(emit: Callable[[_Blocks, Any], None], *kinds: Any) -> Any:
    """Signature and code of an intrinsic that writes to its first argument. Raises TypeError for strided arrays."""
    if any(isinstance(kind, types.Array) and kind.ndim > 1 and kind.layout != "C" for kind in kinds):
        msg = f"found arrays {kinds}; rows of places are contiguous"
        raise TypeError(msg)

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        emit(_Blocks(context, builder, signature, arguments), arguments)
        return context.get_dummy_value()

    return types.void(*kinds), code


def _sum_typed(
    typing: Any, result: Any, row: Any, factor: Any, source_idx: Any, first: Any, end: Any, source: Any
) -> Any:  # fmt: skip
    return _written(_emit_sum, result, types.intp, factor, source_idx, types.intp, types.intp, source)


def _product_typed(typing: Any, result: Any, row: Any, left: Any, left_row: Any, right: Any, right_row: Any) -> Any:
    return _written(_emit_product, result, types.intp, left, types.intp, right, types.intp)


def _from_typed(typing: Any, result: Any, row: Any, least: Any) -> Any:
    return _written(_emit_from, result, types.intp, least)


_sum: Any = intrinsic(_sum_typed)
_product: Any = intrinsic(_product_typed)
_from: Any = intrinsic(_from_typed)


def sum_rows(result: Any, row: Any, factor: Any, source_idx: Any, first: Any, end: Any, source: Any) -> Any:
    """The compiled form of `kernels.loops.wide.sum_rows`."""

    def compiled(result: Any, row: Any, factor: Any, source_idx: Any, first: Any, end: Any, source: Any) -> None:
        _sum(result, row, factor, source_idx, first, end, source)

    return compiled


def subtract_product(result: Any, row: Any, left: Any, left_row: Any, right: Any, right_row: Any) -> Any:
    """The compiled form of `kernels.loops.wide.subtract_product`."""

    def compiled(result: Any, row: Any, left: Any, left_row: Any, right: Any, right_row: Any) -> None:
        _product(result, row, left, left_row, right, right_row)

    return compiled


def subtract_from(result: Any, row: Any, least: Any) -> Any:
    """The compiled form of `kernels.loops.wide.subtract_from`."""

    def compiled(result: Any, row: Any, least: Any) -> None:
        _from(result, row, least)

    return compiled
