"""What the search starts from, against brute force and the published rules: fillings, assignment, settled plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from solve_cases import FULL_SIZE, broken_rules, random_problem, tiny_problem

from planner.problem import INACTIVE, Plan
from planner.solve.assignment import assign
from planner.solve.certificate import bound_cents, certificate
from planner.solve.classes import refine, singletons
from planner.solve.feasible import holds
from planner.solve.fillings import block_fillings, profiles_by_draw
from planner.solve.fitting import InnerLimits, raised, spread_over_rows
from planner.solve.patterns import row_patterns
from planner.solve.program import Program, solve_program
from planner.solve.relaxation import relax
from planner.solve.settle import settle
from planner.solve.start import Starter
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem


def test_a_program_finds_the_best_whole_numbers() -> None:
    program = Program()
    first, second = program.variable(3.0, 10.0, whole=True), program.variable(2.0, 10.0)
    program.at_most({first: 2.0, second: 1.0}, 7.0)
    program.at_most({second: 1.0}, 2.5)
    program.at_most({}, -1.0)
    answer = solve_program(program, (0.0, 100), 10.0)
    assert answer is not None
    np.testing.assert_allclose(answer.values, [2.0, 2.5])
    assert answer.objective == pytest.approx(11.0)
    program.fix(first, 1.0)
    held = solve_program(program, (0.0, 100), 10.0)
    assert held is not None
    assert held.objective == pytest.approx(8.0)


def test_a_program_without_an_answer_has_none() -> None:
    program = Program()
    number = program.variable(1.0, 5.0, whole=True)
    program.at_most({number: -1.0}, -7.0)
    assert solve_program(program, (0.0, 100), 10.0) is None


def test_racks_spread_evenly_within_the_room_of_rows_and_never_leave() -> None:
    room = np.array([[5, 5], [1, 1], [5, 5]])
    spread = spread_over_rows(np.array([4, 8]), room)
    np.testing.assert_array_equal(spread, [[2, 4], [1, 1], [1, 3]])
    over = spread_over_rows(np.array([100, 100]), room)
    np.testing.assert_array_equal(over, room)


def test_raising_moves_one_rack_for_each_row_named() -> None:
    racks = np.array([[3, 0], [2, 0], [1, 0]])
    np.testing.assert_array_equal(raised(racks, (0, 1), (0, 0, 2)), [[1, 2], [2, 0], [0, 1]])
    np.testing.assert_array_equal(raised(racks, (0, 1), ()), racks)


@pytest.mark.parametrize("seed", range(8))
def test_fillings_fit_into_their_block_alone(seed: int) -> None:
    problem = random_problem(seed, FULL_SIZE)
    patterns, classes = row_patterns(problem), refine(problem)
    _, blocks = np.unique(classes.block, return_index=True)
    last = problem.n_periods - 1
    inner = InnerLimits(problem)
    for one in block_fillings(problem, patterns, relax(problem, patterns, classes), blocks):
        block = int(blocks[one.block_class])
        rows = np.flatnonzero(problem.block_of_row_idx == block)
        low, *higher = profiles_by_draw(problem, one.system)
        assert [k for k, _ in one.choices[0].raised] == higher
        for choice in one.choices:
            racks = np.zeros((rows.size, problem.n_configurations), np.int64)
            room = patterns.most_racks[rows][:, low, -1:]
            racks[:, low] = spread_over_rows(np.array([choice.racks]), room)[:, 0]
            assert racks.sum() == choice.racks
            assert inner.hold(block, racks, last)
            assert choice.units == -(-choice.racks // int(problem.unit_racks[one.system]))
            for k, n in choice.raised:
                if (problem.first_period[rows, k] >= problem.n_periods).any():
                    assert n == 0
                    continue
                order = inner.raising_order(block, racks, (low, k), last)
                assert n == len(order)
                for count in range(n + 1):
                    assert inner.hold(block, raised(racks, (low, k), order[:count]), last)
                one_more = [
                    racks_of_row
                    for racks_of_row in range(rows.size)
                    if n < racks[:, low].sum() and raised(racks, (low, k), order)[racks_of_row, low] > 0
                ]
                for row in one_more:
                    assert not inner.hold(block, raised(racks, (low, k), (*order, row)), last)


def test_inner_limits_are_those_of_one_block_in_force() -> None:
    problem = random_problem(3, FULL_SIZE)
    inner = InnerLimits(problem)
    for block in range(problem.n_blocks):
        rows = np.flatnonzero(problem.block_of_row_idx == block)
        racks = np.full((rows.size, problem.n_configurations), 1, np.int64)
        whole = np.zeros((problem.n_rows, problem.n_configurations), np.int64)
        whole[rows] = racks
        for t in range(problem.n_periods):
            expected = all(
                problem.capacity[limit, t] == INACTIVE or _load(problem, limit, whole) <= problem.capacity[limit, t]
                for limit in range(problem.n_limits)
                if set(_blocks(problem, limit)) == {block}
            )
            assert inner.hold(block, racks, t) == expected


def _blocks(problem: Problem, limit: int) -> list[int]:
    rows = problem.entry_row_idx[problem.limit_ptr[limit] : problem.limit_ptr[limit + 1]]
    return [int(block) for block in problem.block_of_row_idx[rows]]


def _load(problem: Problem, limit: int, racks: NDArray[np.int64]) -> int:
    entries = slice(problem.limit_ptr[limit], problem.limit_ptr[limit + 1])
    rows = problem.entry_row_idx[entries]
    return int((problem.entry_coefficient[entries] * racks[rows]).sum())


@pytest.mark.parametrize("seed", range(12))
def test_a_settled_assignment_is_taken_only_where_it_keeps_every_rule(seed: int) -> None:
    problem = random_problem(seed, FULL_SIZE)
    patterns, classes = row_patterns(problem), refine(problem)
    relaxation = relax(problem, patterns, classes)
    assignment = assign(problem, patterns, classes, relaxation, 0, None)
    if assignment is None:
        return
    plan = settle(problem, patterns, classes, assignment)
    assert holds(problem, Plan(plan.astype(np.int32))) == (broken_rules(problem, plan) == [])
    if holds(problem, Plan(plan.astype(np.int32))):
        bound = bound_cents(problem, patterns, certificate(problem, relaxation))
        assert objective_cents(problem, Plan(plan.astype(np.int32))) <= bound


@pytest.mark.parametrize("seed", range(6))
def test_the_first_start_gives_plans_that_hold_or_none(seed: int) -> None:
    problem = tiny_problem(seed, partial_units=True)
    patterns, classes = row_patterns(problem), singletons(problem)
    relaxation = relax(problem, patterns, classes)
    starter = Starter(problem, patterns, classes, relaxation, lambda: None)
    steered, plan = starter.first()
    assert holds(problem, Plan(plan.astype(np.int32)))
    assert steered.racks.shape == relaxation.racks.shape
    again, same = starter.first()
    np.testing.assert_array_equal(plan, same)
    np.testing.assert_array_equal(steered.racks, again.racks)
    deeper = starter.deeper(1)
    assert deeper is None or holds(problem, Plan(deeper.astype(np.int32)))
