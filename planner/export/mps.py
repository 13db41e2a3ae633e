"""Free-format MPS text of the integer problem, exact to the last digit.

MPS minimises, so the objective is written negated, its constant on the right as MPS has it. Rows with large
coefficients are divided by a power of two, and as every binary fraction is a finite decimal, the text is exact.
A solver that reads numbers as 64-bit floats may still round the last of more than 15 digits, and its own tolerance
applies: evaluate what it returns in integers before trusting it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.export.model import integer_model
from planner.problem import SHARE_BITS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from planner.export.model import IntegerModel, Row
    from planner.problem import Problem

LARGEST_BITS = 20
"""Rows are scaled so that their largest coefficient has at most this many bits before the point."""
_INTEGER_START = " marker_start 'MARKER' 'INTORG'"
_INTEGER_END = " marker_end 'MARKER' 'INTEND'"


def write_mps(problem: Problem, path: Path) -> None:
    """Write the very integer problem that the planner solves as a free-format MPS file.

    Parameters: problem, as lowered; path, the file to write. Raises OSError when it cannot be written.
    """
    model = integer_model(problem)
    with path.open("w", encoding="ascii", newline="\n") as file:
        for line in _lines(problem, model):
            file.write(line + "\n")


def row_shift(row: Row) -> int:
    """Bits by which a row is divided so that its largest coefficient is of moderate size."""
    largest = max((abs(coefficient) for coefficient in row.coefficient), default=0)
    return max(0, largest.bit_length() - LARGEST_BITS)


def decimal_text(numerator: int, shift: int) -> str:
    """The quotient numerator / 2^shift as an exact decimal."""
    if shift == 0:
        return str(numerator)
    sign = "-" if numerator < 0 else ""
    whole, part = divmod(abs(numerator) * 5**shift, 10**shift)
    digits = f"{part:0{shift}d}".rstrip("0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def _lines(problem: Problem, model: IntegerModel) -> Iterator[str]:
    yield from _legend(problem)
    yield "NAME gigaplan"
    yield "ROWS"
    yield " N objective"
    for row in model.rows:
        yield f" {row.sense} {row.name}"
    yield "COLUMNS"
    yield from _columns(model)
    yield "RHS"
    if model.constant_cents:
        yield f" right objective {model.constant_cents}"
    for row in model.rows:
        if row.right:
            yield f" right {row.name} {decimal_text(row.right, row_shift(row))}"
    yield "BOUNDS"
    for column in model.columns:
        if column.upper is not None:
            yield f" UP bound {column.name} {column.upper}"
    yield "ENDATA"


def _columns(model: IntegerModel) -> Iterator[str]:
    entries: list[list[str]] = [[] for _ in model.columns]
    for row in model.rows:
        shift = row_shift(row)
        for column_idx, coefficient in zip(row.column_idx, row.coefficient, strict=True):
            entries[column_idx].append(f"{row.name} {decimal_text(coefficient, shift)}")
    integer = False
    for column, terms in zip(model.columns, entries, strict=True):
        if column.integer != integer:
            integer = column.integer
            yield _INTEGER_START if integer else _INTEGER_END
        yield f" {column.name} objective {decimal_text(-column.objective_scaled, SHARE_BITS)}"
        yield from (f" {column.name} {term}" for term in terms)
    if integer:
        yield _INTEGER_END


def _legend(problem: Problem) -> Iterator[str]:
    """Comments that say what the indices in the names stand for."""
    yield f"* Gigaplan's integer problem: minimise minus the value in cents; constant {problem.constant_cents}."
    yield "* n_r_k_t racks; z_b_s_t block holds the system; u_b_s_t scalable units; q_t contracted cents."
    if problem.minimum_demands:
        yield "* m_d_t cents that the racks of a site fall short of its tariff's minimum demand."
        yield from (f"* d{index} = {demand.site}" for index, demand in enumerate(problem.minimum_demands))
    if problem.side is not None:
        yield "* v decisions beside the racks; side_ rows that they keep with them."
        yield from (f"* v{index} = {name}" for index, name in enumerate(problem.side.column_names))
        yield from (f"* side_{index} = {name}" for index, name in enumerate(problem.side.row_names))
    for letter, names in (
        ("r", problem.row_names),
        ("k", problem.configuration_names),
        ("s", problem.system_names),
        ("b", problem.block_names),
        ("t", problem.periods),
    ):
        yield from (f"* {letter}{index} = {name}" for index, name in enumerate(names))
    yield from (f"* limit_{index} = {limit.name} [{limit.unit} / 2^20]" for index, limit in enumerate(problem.limits))
