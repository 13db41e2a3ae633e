"""The first-order iteration's steps on the device: every variable and every constraint gathers what it needs."""

from __future__ import annotations

from typing import Any

from kernels.cuda.api import cuda
from kernels.cuda.compile_list import CompileCase
from kernels.cuda.faults import INDEX
from kernels.cuda.first_order_rows import CHUNK, KINDS, gain_at, load_at, row_of, sample


def model_kernel(model: Any, fault: Any) -> None:
    """Every index of a model lies within what it points to, and offsets never fall."""
    n_variables, n_constraints = model.gain.shape[0], model.gate.shape[0]
    n_entries, n_gated = model.constraint_variable_idx.size, model.gate_constraint_idx.size
    for at in range(cuda.grid(1), max(n_entries, n_constraints, n_variables), cuda.gridsize(1)):
        wrong = False
        if at < n_entries:
            variable, constraint = model.constraint_variable_idx[at], model.variable_constraint_idx[at]
            wrong = variable < 0 or variable >= n_variables or constraint < 0 or constraint >= n_constraints
        if at < n_constraints:
            wrong = wrong or model.gate_variable_idx[at] >= n_variables
        if at < n_gated:
            opened = model.gate_constraint_idx[at]
            wrong = wrong or opened < 0 or opened >= n_constraints
        if at < n_constraints - 1:
            first, end = model.constraint_ptr[at], model.constraint_ptr[at + 1]
            wrong = wrong or first < 0 or end < first or end > n_entries
        if at < n_variables - 1:
            first, end = model.variable_ptr[at], model.variable_ptr[at + 1]
            wrong = wrong or first < 0 or end < first or end > n_entries
            first, end = model.gate_ptr[at], model.gate_ptr[at + 1]
            wrong = wrong or first < 0 or end < first or end > n_gated
        if wrong:
            cuda.atomic.max(fault, 0, INDEX)


def average_kernel(state: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each place of primal and dual: the reflected image, drawn towards the anchor."""
    n_periods, n_lanes = state.primal.shape[1], state.primal.shape[2]
    n_primal = state.primal.size
    for at in range(cuda.grid(1), n_primal + state.dual.size, cuda.gridsize(1)):
        point, image, anchor, place = state.primal, state.primal_image, state.primal_anchor, at
        if at >= n_primal:
            point, image, anchor, place = state.dual, state.dual_image, state.dual_anchor, at - n_primal
        lane, period = place % n_lanes, (place // n_lanes) % n_periods
        index = place // (n_lanes * n_periods)
        number, kind = state.n_steps[lane], point.dtype.type
        own, rest = kind(number / (number + 1.0)), kind(1.0 / (number + 1.0))
        to = image[index, period, lane]
        reflected = to + to - point[index, period, lane]
        point[index, period, lane] = own * reflected + rest * anchor[index, period, lane]


def gain_kernel(model: Any, dual: Any, result: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each place [variable, period, lane], lanes fastest."""
    n_periods, n_lanes = dual.shape[1], dual.shape[2]
    for place in range(cuda.grid(1), result.size, cuda.gridsize(1)):
        lane, period = place % n_lanes, (place // n_lanes) % n_periods
        variable = place // (n_lanes * n_periods)
        result[variable, period, lane] = gain_at(model, dual, variable, period, lane)


def load_kernel(model: Any, primal: Any, partial: Any, result: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each place [constraint, period, lane], lanes fastest."""
    n_periods, n_lanes = primal.shape[1], primal.shape[2]
    for place in range(cuda.grid(1), result.size, cuda.gridsize(1)):
        lane, period = place % n_lanes, (place // n_lanes) % n_periods
        constraint = place // (n_lanes * n_periods)
        result[constraint, period, lane] = load_at(model, primal, partial, constraint, period, lane)


def partial_kernel(model: Any, primal: Any, partial: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each place [chunk, period, lane]: sums over chunks of long constraints and of revenue."""
    n_periods, n_lanes, zero = primal.shape[1], primal.shape[2], primal.dtype.type(0)
    n_of_entries, ptr = model.constraint_factor.size // CHUNK, model.constraint_ptr
    for place in range(cuda.grid(1), partial.size, cuda.gridsize(1)):
        lane, period = place % n_lanes, (place // n_lanes) % n_periods
        chunk = place // (n_lanes * n_periods)
        total = zero
        if chunk < n_of_entries:
            first = chunk * CHUNK
            if ptr[row_of(ptr, first) + 1] >= first + CHUNK:  # else no constraint asks for this chunk
                for entry in range(first, first + CHUNK):
                    variable = model.constraint_variable_idx[entry]
                    total += model.constraint_factor[entry] * primal[variable, period, lane]
        else:
            first = (chunk - n_of_entries) * CHUNK
            for variable in range(first, min(first + CHUNK, model.revenue.shape[0] - 1)):
                total += model.revenue[variable, period, lane] * primal[variable, period, lane]
        partial[chunk, period, lane] = total


def price_kernel(model: Any, state: Any, value: Any, partial: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each place [constraint, period, lane]: its load, and the price that follows; one counts steps."""
    n_periods, n_lanes, zero = value.shape[1], value.shape[2], value.dtype.type(0)
    for place in range(cuda.grid(1), state.dual.size, cuda.gridsize(1)):
        lane, period = place % n_lanes, (place // n_lanes) % n_periods
        constraint = place // (n_lanes * n_periods)
        load = load_at(model, value, partial, constraint, period, lane)
        raised = state.dual_step[lane] * (load - model.right_side[constraint, period, lane])
        state.dual_image[constraint, period, lane] = max(state.dual[constraint, period, lane] + raised, zero)
        if constraint == 0 and period == 0:
            state.n_steps[lane] += 1


def compile_cases() -> list[CompileCase]:
    """How the bodies are launched."""
    cases = []
    for floats in KINDS:
        model, state, value = sample(floats)
        cases += [
            CompileCase("first_order_steps", average_kernel, (state,), floats=floats),
            CompileCase("first_order_steps", gain_kernel, (model, value, value), floats=floats),
            CompileCase("first_order_load", load_kernel, (model, value, value, value), floats=floats),
            CompileCase("first_order_steps", partial_kernel, (model, value, value), floats=floats),
            CompileCase("first_order_steps", price_kernel, (model, state, value, value), floats=floats),
            CompileCase("first_order_steps", model_kernel, (model,), floats=floats),
        ]
    return cases
