"""The first-order bound: its program against HiGHS, bounds that hold at every stop, lanes, restarts and the choice."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from solve_cases import FULL_SIZE, QUICK, broken_rules, random_problem, with_minimum_demands

from kernels.backends import BACKENDS, why_not
from planner.bench.campus import CampusSize, write_campus
from planner.lower import lower
from planner.solve.certificate import bound_cents, certificate
from planner.solve.classes import joined_rows, refine, refine_together, singletons
from planner.solve.first_order.bound import Bounder, FirstOrderOptions, bound_scenarios, first_order_bound
from planner.solve.first_order.choice import MOST_COVERED, chosen_relaxation, uses_columns
from planner.solve.first_order.facets import directions
from planner.solve.first_order.multipliers import carried_on, kept_over_time
from planner.solve.first_order.program import CompactProgram
from planner.solve.first_order.scaling import scaled
from planner.solve.first_order.simplex import compact_relaxation, solve_model
from planner.solve.patterns import PatternBook, row_patterns
from planner.solve.relaxation import relax
from planner.solve.solve import solve
from sites.world import load_world

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from planner.problem import Problem

RUNNABLE = [name for name in BACKENDS if why_not(name) is None]
QUICKEST = RUNNABLE[0]


def everything(seed: int) -> Problem:
    """Blocks, profiles, units by parts and whole, costs, a contract, and sites with a minimum demand."""
    problem = random_problem(seed, FULL_SIZE)
    return with_minimum_demands(problem, seed) if seed % 2 else problem


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    return _campus(tmp_path_factory.mktemp("campus"))


@cache
def _campus(folder: Path) -> Problem:
    return lower(load_world(write_campus(folder, 7, CampusSize(60, 8)))).problem


@pytest.mark.parametrize("seed", range(12))
def test_the_iteration_comes_to_the_optimum_that_highs_finds(seed: int) -> None:
    problem = everything(seed)
    patterns, classes = row_patterns(problem), singletons(problem)
    own = scaled(CompactProgram([problem], [patterns], classes), np.float64)
    values, _, status = solve_model(own.model)
    optimum = float(np.sum(own.model.gain[..., 0] * values)) * own.money_cents
    assert status == "Optimal"
    options = FirstOrderOptions(n_steps=12_000, enough=0.0, backend=QUICKEST)
    bounder = Bounder([problem], [patterns], classes, options)
    found = bounder.run(None)[0]
    scale = max(abs(optimum), 1e5)
    assert found.relaxation.value == pytest.approx(optimum, abs=5e-3 * scale)
    # The block oracle keeps cuts and whole racks exactly, so that it may prove less than the program's optimum.
    assert found.bound <= optimum + 5e-3 * scale


@pytest.mark.parametrize("seed", range(12))
def test_the_program_is_no_tighter_than_the_bound_at_its_multipliers(seed: int) -> None:
    """Its cuts hold every integer point: what its best multipliers prove is at most its value."""
    problem = everything(seed)
    patterns = row_patterns(problem)
    found = compact_relaxation(problem, patterns, singletons(problem))
    assert bound_cents(problem, patterns, certificate(problem, found)) <= found.value + 2.0
    columns = relax(problem, patterns, singletons(problem))
    best = solve(problem, QUICK).objective
    assert best <= found.value + 1.0
    assert best <= bound_cents(problem, patterns, certificate(problem, columns))


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("seed", range(4))
def test_a_bound_holds_at_every_stop(seed: int, precision: str) -> None:
    problem = everything(seed)
    patterns, classes = row_patterns(problem), refine(problem)
    best_plan = solve(problem, QUICK).objective
    bounds = []
    for n_steps in (1, 100, 400, 1600):
        options = FirstOrderOptions(n_steps=n_steps, enough=0.0, precision=precision, backend=QUICKEST)
        found = first_order_bound(problem, patterns, classes, options)
        assert found.bound == bound_cents(problem, patterns, found.certificate)
        assert found.bound >= best_plan
        bounds.append(found.bound)
    assert bounds[-1] < bounds[0] or bounds[0] == best_plan


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_backends_prove_the_same_cent(campus: Problem, precision: str) -> None:
    patterns, classes = row_patterns(campus), refine(campus)
    options = FirstOrderOptions(n_steps=200, precision=precision)
    found = [first_order_bound(campus, patterns, classes, replace(options, backend=name)) for name in RUNNABLE]
    assert len({one.bound for one in found}) == 1
    for one in found:
        np.testing.assert_array_equal(one.relaxation.racks, found[0].relaxation.racks)


def test_a_campus_is_bounded_as_closely_as_by_columns(campus: Problem) -> None:
    patterns, classes = row_patterns(campus), refine(campus)
    columns = bound_cents(campus, patterns, certificate(campus, relax(campus, patterns, classes)))
    for precision in ("float64", "float32"):
        options = FirstOrderOptions(precision=precision, backend=QUICKEST)
        found = first_order_bound(campus, patterns, classes, options)
        assert found.bound <= columns * 1.003
    over_joined = first_order_bound(campus, patterns, joined_rows((campus,), classes, patterns), options)
    assert over_joined.bound == bound_cents(campus, patterns, over_joined.certificate)


def test_restarts_come_closer_in_the_same_number_of_steps(campus: Problem) -> None:
    patterns, classes = row_patterns(campus), refine(campus)
    options = FirstOrderOptions(n_steps=2000, enough=0.0, backend=QUICKEST)
    with_restarts = first_order_bound(campus, patterns, classes, options)
    without = first_order_bound(campus, patterns, classes, replace(options, restarts=False))
    best = bound_cents(campus, patterns, certificate(campus, compact_relaxation(campus, patterns, classes)))
    assert abs(with_restarts.bound - best) < 0.2 * abs(without.bound - best)


def scenarios_of(problem: Problem, n: int) -> list[Problem]:
    """Other capacities, values, costs, first periods and contract."""
    result = []
    for seed in range(n):
        random = np.random.default_rng(seed)
        share = random.uniform(0.9, 1.0, (problem.n_limits, 1))
        single = np.diff(problem.limit_ptr)[:, None] == 1
        lower_capacity = (problem.capacity * share).astype(np.int64)
        capacity = np.where(single | (problem.capacity >= 2**62), problem.capacity, lower_capacity)
        period_value = (problem.period_value * random.uniform(0.9, 1.1)).astype(np.int64)
        later = problem.first_period + (random.random() < 0.5) * (problem.first_period < problem.n_periods)
        result.append(
            replace(
                problem, capacity=capacity, period_value=period_value, first_period=later.astype(np.int32),
                open_cost=problem.open_cost * 2, contract_amount=problem.contract_amount * seed,
            )
        )  # fmt: skip
    return result


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_lanes_prove_what_they_prove_alone(seed: int) -> None:
    """All lanes share one scaling, so iterates differ a little; every bound is exact for its own problem."""
    problems = scenarios_of(everything(seed), 3)
    book = PatternBook()
    patterns = [row_patterns(problem, book=book) for problem in problems]
    classes = refine_together(problems)
    options = FirstOrderOptions(n_steps=6000, enough=0.0, backend=QUICKEST)
    together = bound_scenarios(problems, patterns, classes, options)
    for problem, own, found in zip(problems, patterns, together, strict=True):
        assert found.bound == bound_cents(problem, own, found.certificate)
        alone = first_order_bound(problem, own, classes, options)
        assert found.bound == pytest.approx(alone.bound, rel=5e-3, abs=1e4)
    assert bound_scenarios([], [], classes) == []


def test_a_start_from_another_scenario_helps(campus: Problem) -> None:
    other = replace(campus, period_value=(campus.period_value * 1.02).astype(np.int64))
    book = PatternBook()
    patterns = [row_patterns(problem, book=book) for problem in (campus, other)]
    classes = refine_together((campus, other))
    options = FirstOrderOptions(n_steps=3000, backend=QUICKEST)
    base = Bounder([campus], patterns[:1], classes, options)
    base.run(None)
    few = replace(options, n_steps=120)
    warm = bound_scenarios([other], patterns[1:], classes, few, base.end())[0]
    cold = bound_scenarios([other], patterns[1:], classes, few)[0]
    assert warm.bound < cold.bound
    best = first_order_bound(other, patterns[1], classes, options).bound
    assert warm.bound - best < 0.2 * (cold.bound - best)


@pytest.mark.parametrize("seed", range(40))
def test_cuts_of_a_row_are_the_hull_of_its_points(seed: int) -> None:
    """Of two configurations: no objective finds more between the cuts than at a point."""
    random = np.random.default_rng(seed)
    counts = np.array([(x, y) for x in range(9) for y in range(9)])
    limits = random.integers(0, 6, (3, 2)) + np.array([[1, 0], [0, 1], [1, 1]])
    points = counts[(counts @ limits.T <= random.integers(0, 30, 3)).all(axis=1)]
    cuts = [(normal, (points @ np.array(normal)).max()) for normal in directions([points], np.arange(2))]
    walls = [*cuts, ((-1, 0), 0), ((0, -1), 0)]
    corners = []
    for (first, most), (second, other) in combinations(walls, 2):
        matrix = np.array([first, second], float)
        if abs(np.linalg.det(matrix)) > 1e-9:
            corner = np.linalg.solve(matrix, np.array([most, other], float))
            if all(np.dot(normal, corner) <= end + 1e-9 for normal, end in walls):
                corners.append(corner)
    for objective in random.uniform(0.0, 1.0, (20, 2)):
        assert max(float(objective @ corner) for corner in corners) <= (points @ objective).max() + 1e-9


def test_cuts_of_three_configurations_hold_every_point() -> None:
    points = np.array([(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (2, 0, 0), (1, 0, 1)])
    found = directions([points], np.arange(3))
    assert (1, 1, 1) in found
    assert all(len(normal) == 3 and min(normal) >= 0 for normal in found)
    assert directions([points[:, :1]], np.arange(1)) == [(1,)]


@pytest.mark.parametrize("seed", range(20))
def test_multipliers_over_time_leave_the_best_suffix(seed: int) -> None:
    """Lagrangian duality of a rack that stands from some quarter to the end, or never."""
    gain = np.round(np.random.default_rng(seed).normal(0.0, 10.0, (3, 7)))
    kept = kept_over_time(gain)
    assert (kept >= 0).all()
    assert (kept[:, 0] == 0).all()
    left = gain + kept
    left[:, :-1] -= kept[:, 1:]
    suffixes = np.cumsum(gain[:, ::-1], axis=1)
    np.testing.assert_allclose(np.maximum(left, 0.0).sum(axis=1), np.maximum(suffixes.max(axis=1), 0.0))


@pytest.mark.parametrize("seed", range(20))
def test_gains_are_carried_to_where_room_is_least(seed: int) -> None:
    """Of a rack that never leaves, between boxes that may shrink: the dual is the best that can stand."""
    random = np.random.default_rng(seed)
    gain, room = np.round(random.normal(2.0, 10.0, 5)), random.integers(1, 9, 5)
    lasting = np.minimum.accumulate(room[::-1])[::-1]
    carried = carried_on(gain, lasting < room)
    left = gain + carried
    left[:-1] -= carried[1:]
    kept = carried + kept_over_time(left)
    assert (kept >= 0).all()
    reduced = gain + kept
    reduced[:-1] -= kept[1:]
    plans = [np.maximum.accumulate(np.where(rises, lasting, 0)) for rises in product((False, True), repeat=room.size)]
    best = max(float(gain @ plan) for plan in plans)
    assert float(np.maximum(reduced, 0.0) @ room) == pytest.approx(best)


def test_the_choice_follows_the_size_of_the_relaxation(campus: Problem) -> None:
    alike, apart = refine(campus), singletons(campus)
    covered = apart.counts[0] * campus.n_configurations * campus.n_periods
    assert covered <= MOST_COVERED
    assert uses_columns(campus, apart)
    many = replace(apart, row=np.arange(MOST_COVERED // (campus.n_configurations * campus.n_periods) + 1))
    assert not uses_columns(campus, many)
    assert uses_columns(campus, many, "columns")
    assert not uses_columns(campus, alike, "first-order")
    with pytest.raises(ValueError, match="found bound 'simplex'; choose one of auto, columns, first-order"):
        uses_columns(campus, alike, "simplex")


def test_search_starts_from_either_relaxation(campus: Problem) -> None:
    patterns, classes = row_patterns(campus), refine(campus)
    for bound in ("columns", "first-order"):
        found = chosen_relaxation(campus, patterns, classes, bound)
        assert (found.racks >= 0).all()
        assert found.pool
        solution = solve(campus, replace(QUICK, bound=bound))
        assert not broken_rules(campus, solution.plan.n_racks)
        assert 0 < solution.objective <= solution.bound
        assert solution.gap < 0.05


def aimed_racks(problem: Problem) -> NDArray[np.float64]:
    patterns, classes = row_patterns(problem), refine(problem)
    return first_order_bound(problem, patterns, classes, FirstOrderOptions(backend=QUICKEST)).relaxation.racks


def test_aims_lie_within_rows_and_never_fall(campus: Problem) -> None:
    racks = aimed_racks(campus)
    most = row_patterns(campus).most_racks
    assert (racks <= most + 0.05).all()
    for system in range(campus.n_systems):
        standing = racks[:, campus.system_of_configuration_idx == system].sum(axis=1)
        assert (np.diff(standing, axis=1) >= -0.2).all()
