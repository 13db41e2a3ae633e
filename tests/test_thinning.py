"""Starts that break a limit over some like blocks are mended: blocks handed out evenly, racks taken away again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from solve_cases import FULL_SIZE, ONE, broken_rules, changed, limit_arrays, random_problem

from planner.problem import Plan
from planner.solve.assignment import assign
from planner.solve.classes import refine
from planner.solve.feasible import holds
from planner.solve.patterns import row_patterns
from planner.solve.relaxation import relax
from planner.solve.settle import settle, settled_plan
from planner.solve.solve import solve
from planner.solve.start import Starter
from planner.solve.thinning import spread_evenly, thinned
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from planner.problem import Problem


def two_buildings() -> Problem:
    """Two buildings of four blocks of 8 racks each; 12 racks may land in each building a quarter, 24 are delivered."""
    n_blocks, n_periods = 8, 2
    rows = np.arange(n_blocks)[:, None]
    own = [(f"position:r{row}", np.full(2, 8 * ONE), (rows == row) * ONE) for row in range(n_blocks)]
    landing = [(f"landing:b{b}", np.array([12, 24]) * ONE, (rows // 4 == b) * ONE) for b in range(2)]
    return changed(
        random_problem(0),
        row_names=tuple(f"toy:r{row}" for row in range(n_blocks)),
        configuration_names=("s",), system_names=("s",),
        block_names=tuple(f"toy:b{block}" for block in range(n_blocks)),
        periods=("2027-Q1", "2027-Q2"),
        system_of_configuration_idx=np.zeros(1, np.int32), block_of_row_idx=np.arange(n_blocks, dtype=np.int32),
        first_period=np.zeros((n_blocks, 1), np.int32),
        period_value=np.full((n_blocks, 1, n_periods), 100),
        contract_revenue=np.zeros((n_blocks, 1, n_periods), np.int64),
        start_value=np.zeros((n_blocks, 1, n_periods), np.int64),
        open_cost=np.full((n_blocks, n_periods), 10), unit_cost=np.zeros((n_blocks, 1, n_periods), np.int64),
        unit_racks=np.array([4]), partial_units=np.ones(n_blocks, np.bool_),
        contract_amount=0, contract_rate=np.zeros(n_periods, np.int64),
        **limit_arrays([*own, *landing, ("supply:s", np.array([24, 48]) * ONE, np.full((n_blocks, 1), ONE))]),
    )  # fmt: skip


def _in_order(problem: Problem) -> np.ndarray:
    """Blocks filled one after another, as if no limit lay over some of them: 24 racks, then 48."""
    racks = np.zeros((8, 1, 2), np.int64)
    racks[:3, 0, 0], racks[:6, 0, 1] = 8, 8
    assert len(broken_rules(problem, racks)) == 2
    return racks


def test_blocks_that_share_a_limit_take_turns() -> None:
    problem = two_buildings()
    assert spread_evenly(problem, list(range(8))) == [0, 4, 1, 5, 2, 6, 3, 7]
    assert spread_evenly(problem, [0, 1, 2, 4]) == [
        4,
        0,
        1,
        2,
    ]  # a block alone in its building takes no part of a limit
    assert spread_evenly(problem, [5]) == [5]


def test_what_finds_no_room_is_taken_from_the_block_that_came_last_and_comes_back_with_room() -> None:
    problem = two_buildings()
    racks = thinned(problem, _in_order(problem))
    assert broken_rules(problem, racks) == []
    # 12 of the 24 land in the first building at first; of its 32 after two quarters 24 do.
    np.testing.assert_array_equal(racks[:, 0, 0], [8, 4, 0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(racks[:, 0, 1], [8, 8, 8, 0, 8, 8, 0, 0])


def test_a_plan_that_keeps_all_limits_stays_as_it_is() -> None:
    problem = two_buildings()
    racks = np.zeros((8, 1, 2), np.int64)
    racks[[0, 4], 0, :] = 8
    np.testing.assert_array_equal(thinned(problem, racks), racks)


def test_blocks_without_part_units_lose_whole_ones() -> None:
    problem = changed(two_buildings(), partial_units=np.zeros(8, np.bool_), unit_racks=np.array([8]))
    racks = thinned(problem, _in_order(problem))
    assert broken_rules(problem, racks) == []
    np.testing.assert_array_equal(racks[:, 0, 0], [8, 0, 0, 0, 0, 0, 0, 0])


def test_the_first_start_lands_in_both_buildings_and_search_finds_the_rest() -> None:
    problem = two_buildings()
    patterns, classes = row_patterns(problem), refine(problem)
    starter = Starter(problem, patterns, classes, relax(problem, patterns, classes), lambda: None)
    _, plan = starter.first()
    assert broken_rules(problem, plan) == []
    # 20 racks in three blocks of 24 in the first quarter, then all 48 in six, opened for 10 cents.
    np.testing.assert_array_equal(plan.sum(axis=(0, 1)), [20, 48])
    assert objective_cents(problem, Plan(plan.astype(np.int32))) == 6740
    # Four racks more in a fourth block of the first quarter: the best.
    best = solve(problem)
    assert (best.objective, best.bound) == (7140, 7140)


@pytest.mark.parametrize("seed", range(40))
def test_mended_plans_never_grow_and_keep_what_the_plan_kept_but_limits(seed: int) -> None:
    problem = random_problem(seed, FULL_SIZE)
    patterns, classes = row_patterns(problem), refine(problem)
    assignment = assign(problem, patterns, classes, relax(problem, patterns, classes), 0, None)
    if assignment is None:
        return
    racks = settle(problem, patterns, classes, assignment)
    less = thinned(problem, racks.copy())
    assert (less.sum(axis=1) <= racks.sum(axis=1)).all()
    names = {info.name for info in problem.limits}
    assert not any(rule.split(" in period ")[0] in names for rule in broken_rules(problem, less))
    kept = settled_plan(problem, patterns, classes, assignment)
    if holds(problem, Plan(racks.astype(np.int32))):
        np.testing.assert_array_equal(kept, racks)
    elif kept is not None:
        assert broken_rules(problem, kept) == []
