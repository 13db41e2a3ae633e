"""What one constraint and one variable of a first-order model gather at one place.

A constraint of many entries would keep a single thread busy long after all others are done: its whole chunks of entries
are added up first, by threads of their own, into `partial` [n_chunks, n_periods, n_lanes]. Chunks are cut from all
entries at fixed places, so the order of every sum follows from the model alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.contract import FirstOrderModel, FirstOrderState
from kernels.jitable import jitable

CHUNK = 64
"""Entries that one thread adds up; a constraint uses every chunk that lies within it."""
KINDS = ("float64", "float32")


def n_partial(n_entries: int, n_earning: int) -> int:
    """Chunks of the entries, then those of the variables that earn revenue, the premium left out."""
    return n_entries // CHUNK + -(-max(n_earning - 1, 0) // CHUNK)


@jitable
def row_of(ptr: Any, entry: int) -> int:
    """The row that an entry belongs to. Parameters: ptr, offsets of the rows."""
    low, high = 0, ptr.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if ptr[middle] <= entry:
            low = middle
        else:
            high = middle
    return low


@jitable
def gain_at(model: Any, dual: Any, variable: int, period: int, lane: int) -> Any:
    """What a unit of a variable gains after prices, summed as in the loops."""
    last, total = dual.shape[0] - 1, dual.dtype.type(0)
    if variable == model.gain.shape[0] - 1:
        total += dual[last, period, lane]
    else:
        for entry in range(model.variable_ptr[variable], model.variable_ptr[variable + 1]):
            constraint = model.variable_constraint_idx[entry]
            total += model.variable_factor[entry] * dual[constraint, period, lane]
        for index in range(model.gate_ptr[variable], model.gate_ptr[variable + 1]):
            constraint = model.gate_constraint_idx[index]
            total -= model.gate[constraint, period, lane] * dual[constraint, period, lane]
        if model.revenue.shape[0] > 0:
            total -= model.revenue[variable, period, lane] * dual[last, period, lane]
    return model.gain[variable, period, lane] - total


@jitable
def load_at(model: Any, primal: Any, partial: Any, constraint: int, period: int, lane: int) -> Any:
    """What the variables load a constraint with: the loops' sum, but with whole chunks added up beforehand."""
    total, n_of_entries = primal.dtype.type(0), model.constraint_factor.size // CHUNK
    if constraint == model.gate.shape[0] - 1:
        total += primal[primal.shape[0] - 1, period, lane]
        if model.revenue.shape[0] > 0:
            for chunk in range(n_of_entries, partial.shape[0]):
                total -= partial[chunk, period, lane]
        return total
    entry, end = model.constraint_ptr[constraint], model.constraint_ptr[constraint + 1]
    while entry < end:
        if entry % CHUNK == 0 and entry + CHUNK <= end:
            total += partial[entry // CHUNK, period, lane]
            entry += CHUNK
        else:
            total += model.constraint_factor[entry] * primal[model.constraint_variable_idx[entry], period, lane]
            entry += 1
    gated = model.gate_variable_idx[constraint]
    if gated >= 0:
        total -= model.gate[constraint, period, lane] * primal[gated, period, lane]
    return total


def sample(floats: str) -> tuple[FirstOrderModel, FirstOrderState, Any]:
    """Arguments of the kinds that bodies are compiled for: a model, a state, and an array of all places."""
    value, index = np.zeros((1, 1, 1), floats), np.zeros(1, np.int64)
    factor = np.zeros(1, floats)
    model = FirstOrderModel(
        index, index, factor, index, index, factor, index, index, index, value, value, value, value, value, 1, factor
    )
    return model, FirstOrderState(value, value, value, value, value, value, index, factor, factor), value
