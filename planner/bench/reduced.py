"""The exported problem, full or with like rows, limits and blocks added up: the two forms that peers get.

The columns of a class are one column, their sum, and so are its rows. Adding up keeps the optimum of the linear
relaxation, because the classes are an equitable partition (Grohe, Kersting, Mladenov, Selman, ESA 2014). With whole
sums it is a relaxation of the integer problem: every plan's sums keep it, but not every answer is the sum of a plan.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from planner.export.model import Column, IntegerModel, Row, integer_model
from planner.problem import INACTIVE
from planner.solve.classes import refine
from planner.solve.patterns import limits_inside_blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.classes import Classes

FULL = "full"
"""The integer problem as `gigaplan export` writes it."""
REDUCED = "reduced"
"""Limits inside a block stated for each system that the block may hold; then like rows, limits and blocks added up."""
FORMS = (FULL, REDUCED)

_INDEX = re.compile(r"(^limit_|_r|_b)(\d+)")


def model_of(problem: Problem, form: str) -> IntegerModel:
    """The problem in one of the forms.

    Parameters: problem, as lowered; form, one of `FORMS`.
    """
    model = integer_model(problem)
    if form == FULL:
        return model
    return reduced_model(with_inner_limits(problem, model), refine(problem))


def with_inner_limits(problem: Problem, model: IntegerModel) -> IntegerModel:
    """The same points, with limits inside a block multiplied by what says that the block holds a system.

    A sum over blocks then knows how many of them it fills: without this its limits would count empty blocks too.
    """
    inside = limits_inside_blocks(problem)
    plain = {f"limit_{limit}_t{t}" for limit in np.flatnonzero(inside >= 0) for t in range(problem.n_periods)}
    number = {column.name: index for index, column in enumerate(model.columns)}
    rows = [row for row in model.rows if row.name not in plain]
    for limit in np.flatnonzero(inside >= 0):
        entries = slice(int(problem.limit_ptr[limit]), int(problem.limit_ptr[limit + 1]))
        coefficient = problem.entry_coefficient[entries]
        for t in np.flatnonzero(problem.capacity[limit] != INACTIVE):
            racks = model.racks_column_idx[problem.entry_row_idx[entries], :, t]
            for system in range(problem.n_systems):
                own = (problem.system_of_configuration_idx == system) & (racks >= 0) & (coefficient > 0)
                held = number.get(f"z_b{inside[limit]}_s{system}_t{t}")
                if held is not None and own.any():
                    weights = coefficient[own].tolist()
                    # Dividing and rounding the capacity down, as the exported rows do, keeps every whole point.
                    divisor = math.gcd(*weights)
                    terms = (*(w // divisor for w in weights), -(int(problem.capacity[limit, t]) // divisor))
                    rows.append(Row(f"limit_{limit}_s{system}_t{t}", "L", (*racks[own].tolist(), held), terms, 0))
    return IntegerModel(model.columns, tuple(rows), model.racks_column_idx)


def reduced_model(model: IntegerModel, classes: Classes) -> IntegerModel:
    """One column for the columns and one row for the rows of every class, named after its class.

    Parameters: model, the whole problem; classes, an equitable partition of it. `racks_column_idx` of the result is
    [n_row_classes, n_configurations, n_periods]. Raises ValueError where members of a class differ, so that sums
    would not be those of the whole problem.
    """
    rename = _renamer(classes)
    number: dict[str, int] = {}
    column_class = np.array([number.setdefault(rename(one.name), len(number)) for one in model.columns], np.int64)
    size = np.bincount(column_class, minlength=len(number))
    columns = _columns(model, column_class, list(number), size)
    rows = [_added_up(name, members, column_class, size) for name, members in _rows_by_name(model, rename).items()]
    _, first = np.unique(classes.row, return_index=True)
    of_first = model.racks_column_idx[first]
    racks_column_idx = np.where(of_first >= 0, column_class[np.maximum(of_first, 0)], -1)
    return IntegerModel(columns, tuple(rows), racks_column_idx)


def _renamer(classes: Classes) -> Callable[[str], str]:
    """Names in the model carry the numbers of rows, blocks and limits; the new ones carry those of their classes."""
    of_kind = {"_r": classes.row, "_b": classes.block, "limit_": classes.limit}
    return lambda name: _INDEX.sub(lambda found: f"{found[1]}{of_kind[found[1]][int(found[2])]}", name)


def _columns(
    model: IntegerModel, column_class: NDArray[np.int64], names: list[str], size: NDArray[np.int64]
) -> tuple[Column, ...]:
    _, first = np.unique(column_class, return_index=True)
    for column, index in zip(model.columns, column_class, strict=True):
        kept = model.columns[first[index]]
        if (column.objective_scaled, column.upper, column.integer) != (kept.objective_scaled, kept.upper, kept.integer):
            msg = f"columns {column.name} and {kept.name} are of one class but differ; the partition is not equitable"
            raise ValueError(msg)
    return tuple(
        Column(name, one.objective_scaled, None if one.upper is None else one.upper * int(n), one.integer)
        for name, one, n in zip(names, (model.columns[index] for index in first), size, strict=True)
    )


def _rows_by_name(model: IntegerModel, rename: Callable[[str], str]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in model.rows:
        groups.setdefault(rename(row.name), []).append(row)
    return groups


def _added_up(name: str, members: list[Row], column_class: NDArray[np.int64], size: NDArray[np.int64]) -> Row:
    """The sum of like rows over sums of like columns.

    What a column weighs in all rows together must be the same for every column of its class.
    """
    weight: dict[int, int] = {}
    for row in members:
        for column, coefficient in zip(row.column_idx, row.coefficient, strict=True):
            weight[column] = weight.get(column, 0) + coefficient
    by_class: dict[int, int] = {}
    count: dict[int, int] = {}
    for column, total in weight.items():
        index = int(column_class[column])
        count[index] = count.get(index, 0) + 1
        if by_class.setdefault(index, total) != total:
            count[index] = -1
            break
    if any(n != size[index] for index, n in count.items()):
        msg = f"the columns of a class weigh unlike in {name}; the partition is not equitable"
        raise ValueError(msg)
    right = sum(row.right for row in members)
    divisor = math.gcd(*by_class.values(), right) or 1
    terms = sorted(by_class.items())
    return Row(
        name, members[0].sense, tuple(column for column, _ in terms),
        tuple(total // divisor for _, total in terms), right // divisor,
    )  # fmt: skip
