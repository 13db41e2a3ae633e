"""Mutants of Python source: one operator, comparison, bound or extremum changed, everything else as it was."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%", ast.Div: "/"
}  # fmt: skip
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="
}  # fmt: skip
EXTREMA = {"min": "max", "max": "min"}
DEVICE_MARKS = {"device", "jitable", "allocation_free"}
"""Decorators of functions that kernels call."""


@dataclass(frozen=True)
class Mutant:
    """One change: the text from `start` to `end`, offsets into the source, is replaced."""

    function: str
    line: int
    start: int
    end: int
    text: str

    def applied(self, source: str) -> str:
        """The mutated source."""
        return source[: self.start] + self.text + source[self.end :]


class _Text:
    """A source with offsets of its syntax tree's nodes."""

    def __init__(self, source: str) -> None:
        self.source = source
        lines = source.splitlines(keepends=True)
        self._first = [0]
        for line in lines:
            self._first.append(self._first[-1] + len(line))
        self._lines = lines

    def offset(self, line: int, column: int) -> int:
        """Offset of a place that the tree names in bytes of UTF-8."""
        return self._first[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def span(self, node: ast.expr) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def between(self, left: ast.expr, right: ast.expr, symbol: str) -> tuple[int, int]:
        """Where an operator stands between its operands."""
        start, end = self.span(left)[1], self.span(right)[0]
        place = re.search(rf"(?<![\w<>=!*/]){re.escape(symbol)}(?![\w<>=*/])", self.source[start:end])
        assert place, (symbol, self.source[start:end])
        return start + place.start(), start + place.end()


def mutants(source: str) -> list[Mutant]:
    """Every mutant of the kernel bodies and device functions in a module's source, in order."""
    text = _Text(source)
    return [
        mutant
        for function in ast.parse(source).body
        if isinstance(function, ast.FunctionDef) and _runs_on_the_device(function)
        for statement in function.body
        for node in _nodes(statement)
        for mutant in _of(node, text, function.name)
    ]


def _runs_on_the_device(function: ast.FunctionDef) -> bool:
    marks = {mark.id for mark in function.decorator_list if isinstance(mark, ast.Name)}
    arguments = function.args.args
    return bool(marks & DEVICE_MARKS) or bool(arguments and arguments[-1].arg == "fault")


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, but no annotations of types."""
    yield node
    for field, value in ast.iter_fields(node):
        if field != "annotation":
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _nodes(child)


def _of(node: ast.AST, text: _Text, function: str) -> Iterator[Mutant]:
    def change(span: tuple[int, int], replacement: str) -> Mutant:
        line = text.source.count("\n", 0, span[0]) + 1
        return Mutant(function, line, *span, replacement)

    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        symbol = ARITHMETIC[type(node.op)]
        for other in _others(symbol, ("+", "-", "*", "//", "%") if symbol != "/" else ("/", "*", "+")):
            yield change(text.between(node.left, node.right, symbol), other)
    elif isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
        symbol = ARITHMETIC[type(node.op)] + "="
        for other in _others(symbol, ("+=", "-=", "*=")):
            yield change(text.between(node.target, node.value, symbol), other)
    elif isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for left, right, kind in zip(operands, operands[1:], node.ops, strict=False):
            if type(kind) in COMPARISONS:
                symbol = COMPARISONS[type(kind)]
                for other in _others(symbol, tuple(COMPARISONS.values())):
                    yield change(text.between(left, right, symbol), other)
    elif isinstance(node, ast.BoolOp):
        symbol, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield change(text.between(left, right, symbol), other)
    elif isinstance(node, ast.Call):
        yield from (change(*each) for each in _of_call(node, text))


def _of_call(node: ast.Call, text: _Text) -> Iterator[tuple[tuple[int, int], str]]:
    """Extrema swapped, atomic ones too; bounds of a range moved by one."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in EXTREMA:
        _, end = text.span(node.func)
        yield (end - len(name), end), EXTREMA[name]
    if name == "range":
        stop = node.args[0] if len(node.args) == 1 else node.args[1]
        for bound, sign in [(stop, "-")] if len(node.args) == 1 else [(node.args[0], "+"), (stop, "-")]:
            start, end = text.span(bound)
            yield (start, end), f"({text.source[start:end]}) {sign} 1"


def _others(symbol: str, symbols: tuple[str, ...]) -> list[str]:
    return [other for other in symbols if other != symbol]
