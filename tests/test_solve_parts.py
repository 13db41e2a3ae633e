"""Parts of the solver against brute force: row points, columns, classes, recombination, stored guides."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from solve_cases import (
    FULL_SIZE,
    ONE,
    QUICK,
    all_points,
    broken_rules,
    changed,
    limit_arrays,
    proof_of,
    random_problem,
    tiny_problem,
)

from planner.problem import INACTIVE, Plan
from planner.solve import SolveOptions, solve
from planner.solve.classes import refine
from planner.solve.columns import BlockShape, best_column
from planner.solve.guide import GuideError, load_guide
from planner.solve.packing import effective_values
from planner.solve.patterns import row_patterns, single_row_limits
from planner.solve.recombine import path_pool, recombine
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.guide import Guide


@pytest.mark.parametrize("seed", range(10))
def test_row_patterns_are_all_points_by_brute_force(seed: int) -> None:
    problem = random_problem(seed)
    patterns = row_patterns(problem)
    for row, system, period in np.ndindex(problem.n_rows, problem.n_systems, problem.n_periods):
        expected = set(all_points(problem, row, system, period))
        number = patterns.pattern_set_idx[row, system, period]
        points = [tuple(int(n) for n in point) for point in patterns.point_sets[number]] if number >= 0 else []
        assert set(points) == expected - ({(0,) * problem.n_configurations} if number < 0 else set())
        assert len(set(points)) == len(points)
        if number < 0:
            continue
        assert set(patterns.pattern_sets[number]) == {p for p in expected if not _below_another(p, expected)}
        members = problem.system_of_configuration_idx == system
        most = np.max(list(expected), axis=0)
        np.testing.assert_array_equal(patterns.most_racks[row, members, period], most[members])


def _below_another(point: tuple[int, ...], points: set[tuple[int, ...]]) -> bool:
    return any(other != point and all(a >= b for a, b in zip(other, point, strict=True)) for other in points)


def test_a_row_without_a_limit_is_refused() -> None:
    problem = random_problem(1)
    with pytest.raises(ValueError, match="toy:b0/r0 has no limit of its own"):
        row_patterns(changed(problem, capacity=np.full_like(problem.capacity, INACTIVE)))


@pytest.mark.parametrize("seed", range(20))
def test_best_column_is_the_best_filling_by_brute_force(seed: int) -> None:
    problem, random = random_problem(seed), np.random.default_rng(seed)
    patterns, tried = row_patterns(problem), 0
    for block, system, period in np.ndindex(problem.n_blocks, problem.n_systems, problem.n_periods):
        rows = np.flatnonzero(problem.block_of_row_idx == block)
        shape = BlockShape(rows, rows, np.ones(rows.size, np.int64))
        price = random.integers(-5, 20, (rows.size, problem.n_configurations)).astype(float)
        unit_cost = float(random.integers(-3, 30))
        found = best_column(problem, patterns, shape, block, system, period, price, unit_cost)
        sets = [patterns.pattern_set_idx[row, system, period] for row in rows]
        if all(number < 0 for number in sets):
            assert found is None
            continue
        tried += 1
        assert found is not None
        worth, column = found
        points = [all_points(problem, int(row), system, period) for row in rows]
        fillings = [np.array(choice, float) for choice in product(*points)]
        unit, partial = int(problem.unit_racks[system]), bool(problem.partial_units[block])
        allowed = [racks for racks in fillings if partial or racks.sum() % unit == 0]
        assert worth == max((racks * price).sum() - unit_cost * np.ceil(racks.sum() / unit) for racks in allowed)
        assert worth == (column.racks * price).sum() - unit_cost * column.n_units
        assert any((column.racks == racks).all() for racks in allowed)
    assert tried > 0


def test_best_column_sums_like_rows() -> None:
    problem = next(p for seed in range(50) if (p := random_problem(seed)).n_rows > 2 and p.partial_units.all())
    patterns = row_patterns(problem)
    single = BlockShape(np.array([0]), np.array([0]), np.array([1]))
    triple = BlockShape(np.array([0]), np.array([0]), np.array([3]))
    price = np.arange(3.0, 3.0 + problem.n_configurations)[None, :]
    last = problem.n_periods - 1
    one = best_column(problem, patterns, single, 0, 0, last, price, 0.0)
    three = best_column(problem, patterns, triple, 0, 0, last, price, 0.0)
    assert one is not None
    assert three is not None
    assert three[0] == 3 * one[0] > 0
    np.testing.assert_array_equal(three[1].racks, 3 * one[1].racks)


def _twins(n_blocks: int, **differences: Any) -> Problem:
    """Blocks of two equal rows, all alike but for the given capacities of taps by row."""
    base = tiny_problem(1, partial_units=True)
    n_rows = 2 * n_blocks
    load = np.full((n_rows, 2), 5 * ONE)
    own = [np.where(np.arange(n_rows)[:, None] == row, load, 0) for row in range(n_rows)]
    taps = differences.get("taps", {})
    # Different in the last period only.
    limits = [(f"tap:r{row}", np.array([15, taps.get(row, 15)]) * ONE, own[row]) for row in range(n_rows)]
    limits.append(("meter:service", np.array([40, 60]) * ONE, load))
    return changed(
        base,
        row_names=tuple(f"toy:r{row}" for row in range(n_rows)),
        block_names=tuple(f"toy:b{block}" for block in range(n_blocks)),
        block_of_row_idx=np.repeat(np.arange(n_blocks), 2).astype(np.int32),
        first_period=np.zeros((n_rows, 2), np.int32),
        period_value=np.repeat(base.period_value[:1], n_rows, axis=0),
        contract_revenue=np.repeat(base.contract_revenue[:1], n_rows, axis=0),
        start_value=np.repeat(base.start_value[:1], n_rows, axis=0),
        open_cost=np.repeat(base.open_cost, n_blocks, axis=0) + np.array(differences.get("open", 0))[..., None],
        unit_cost=np.repeat(base.unit_cost, n_blocks, axis=0),
        partial_units=np.ones(n_blocks, np.bool_),
        **limit_arrays(limits),
    )


def test_like_blocks_rows_and_limits_are_one_class() -> None:
    assert refine(_twins(4)).counts == (1, 2, 1)


def test_one_capacity_tells_a_row_its_block_and_its_neighbour_apart() -> None:
    classes = refine(_twins(4, taps={5: 10}))
    # Row 5, the row beside it, and the rows of the three other blocks.
    assert classes.counts == (3, 4, 2)
    assert classes.block.tolist() == [0, 0, 1, 0]
    assert classes.row[[0, 1, 2, 3, 6, 7]].tolist() == [0] * 6
    assert len({*classes.row[[0, 4, 5]].tolist()}) == 3


def test_one_opening_cost_tells_blocks_and_their_rows_apart() -> None:
    classes = refine(_twins(3, open=[0, 7, 0]))
    assert classes.counts == (2, 3, 2)
    assert classes.block.tolist() == [0, 1, 0]
    assert classes.row.tolist() == [0, 0, 1, 1, 0, 0]


@pytest.mark.parametrize("seed", range(15))
def test_classes_are_equitable(seed: int) -> None:
    """Members of a class see the same numbers of every other class, counted one by one."""
    problem = random_problem(seed, FULL_SIZE)
    classes = refine(problem)
    seen: dict[int, list[tuple[object, ...]]] = {}
    by_limit: dict[int, list[tuple[object, ...]]] = {}
    limit_of_entry = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))
    for entry, (row, limit) in enumerate(zip(problem.entry_row_idx, limit_of_entry, strict=True)):
        coefficient = tuple(problem.entry_coefficient[entry])
        seen.setdefault(int(row), []).append((int(classes.limit[limit]), coefficient))
        by_limit.setdefault(int(limit), []).append((int(classes.row[row]), coefficient))
    for colour, meets in ((classes.row, seen), (classes.limit, by_limit)):
        for group in np.unique(colour):
            assert len({tuple(sorted(meets[int(member)])) for member in np.flatnonzero(colour == group)}) == 1
    values = effective_values(problem)
    of_rows = (values.rack, problem.contract_revenue, problem.first_period)
    of_blocks = (values.open_cost, values.unit_cost, problem.partial_units)
    data = [(classes.row, of_rows), (classes.limit, (problem.capacity,)), (classes.block, of_blocks)]
    for colour, arrays in data:
        for group, array in product(np.unique(colour), arrays):
            assert (array[colour == group] == array[colour == group][:1]).all()
    for group in np.unique(classes.row):
        assert np.unique(classes.block[problem.block_of_row_idx[classes.row == group]]).size == 1


def test_limits_that_touch_one_row_get_no_multiplier() -> None:
    problem = random_problem(4, FULL_SIZE)
    _, proof = proof_of(problem)
    single = single_row_limits(problem)
    assert single.any()
    assert not proof.limit[single].any()
    assert proof.limit.any()
    for part in (proof.monotone, proof.opening, proof.units):
        assert not part[..., 0].any()
        assert (part >= 0).all()


@pytest.mark.parametrize("seed", [1, 4, 5, 10, 13, 22, 26, 31])
def test_recombination_is_at_least_the_best_plan_that_it_was_given(seed: int) -> None:
    problem = random_problem(seed, FULL_SIZE)
    _, proof = proof_of(problem)
    pool, given_worth = path_pool(problem, proof, refine(problem)), []
    for search_seed in range(4):
        plan = solve(problem, SolveOptions(work_limit=1, seed=search_seed)).plan
        given_worth.append(objective_cents(problem, plan))
        pool.collect(plan.n_racks, _block_worth(problem, plan))
    found = recombine(pool, None)
    assert found is not None
    assert broken_rules(problem, found) == []
    # HiGHS leaves off within 1e-3 of the best mix, and the premium is rounded.
    assert objective_cents(problem, Plan(found.astype(np.int32))) >= max(given_worth) * (1 - 1e-3)


def _block_worth(problem: Problem, plan: Plan) -> NDArray[np.int64]:
    """Worth of each block alone, without the contract's premium."""
    no_contract = changed(problem, contract_amount=0)
    worth = []
    for block in range(problem.n_blocks):
        own = np.where((problem.block_of_row_idx == block)[:, None, None], plan.n_racks, 0)
        worth.append(objective_cents(no_contract, Plan(own.astype(np.int32))))
    return np.array(worth)


def test_recombination_of_nothing_finds_nothing() -> None:
    problem = random_problem(1)
    _, proof = proof_of(problem)
    assert recombine(path_pool(problem, proof, refine(problem)), None) is None


def test_recombination_mixes_blocks_of_two_plans() -> None:
    problem = _twins(2)
    problem = changed(
        problem,
        capacity=np.where(np.arange(problem.n_limits)[:, None] < 4, problem.capacity, 1000 * ONE),
        period_value=np.full_like(problem.period_value, 500_000_000),
        open_cost=problem.open_cost * 0,
        contract_amount=0,
    )
    pool = path_pool(problem, proof_of(problem)[1], refine(problem))
    for block in range(2):
        half = np.zeros((4, 2, 2), np.int32)
        half[2 * block : 2 * block + 2, 0] = 2
        pool.collect(half, _block_worth(problem, Plan(half)))
    found = recombine(pool, None)
    assert found is not None
    np.testing.assert_array_equal(found[:, 0], 2)


# Guides


def stored(problem: Problem, path: Path, **other: NDArray[np.int64]) -> Path:
    guide = solve(problem, QUICK).guide
    np.savez(path, **(guide.arrays() | other))
    return path


@cache
def sound_guide() -> tuple[Problem, Guide]:
    """A small problem and the guide that its solve left."""
    problem = random_problem(4)
    return problem, solve(problem, QUICK).guide


@pytest.mark.parametrize("seed", [1, 4, 8])
def test_a_stored_guide_gives_the_same_plan(seed: int, tmp_path: Path) -> None:
    problem = random_problem(seed)
    guide = load_guide(stored(problem, tmp_path / "guide.npz"), problem)
    ours, replayed = solve(problem, QUICK), solve(problem, SolveOptions(work_limit=1000, guide=guide))
    np.testing.assert_array_equal(ours.plan.n_racks, replayed.plan.n_racks)
    assert replayed.guide is guide


def test_a_guide_of_another_problem_is_refused_with_what_differs(tmp_path: Path) -> None:
    guide = stored(random_problem(4), tmp_path / "guide.npz")
    with pytest.raises(GuideError, match=r"guide.npz: 'switch_period' has shape \(5,\); this problem needs \(6,\)"):
        load_guide(guide, random_problem(8))
    with pytest.raises(GuideError, match=r"'pool_of_block_idx' has shape \(3,\); this problem needs \(2,\)"):
        load_guide(guide, random_problem(9))


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("pool_of_block_idx", lambda own: own + 1000),
        ("pool_of_block_idx", lambda own: own - 1000),
        ("pool_ptr", lambda own: own[::-1]),
        ("pool_ptr", lambda own: own + 1),
        ("pattern_system_idx", lambda own: own + 7),
        ("pattern_racks", lambda own: own[:-1]),
        ("pattern_weight", lambda own: -own),
        ("block_pattern_idx", lambda own: own + 1000),
        ("block_order_idx", lambda own: own * 0),
        ("contract_price", lambda own: own - 2**40),
        ("switch_period", lambda own: own + 0.5),
        ("aim", lambda own: own[:-1]),
        ("aim_group", lambda own: own + 1000),
        ("aim_group", lambda own: own - 1000),
    ],
)
def test_a_guide_that_would_lead_outside_the_arrays_is_refused(
    name: str, spoil: Callable[[NDArray[np.int64]], NDArray[np.int64]], tmp_path: Path
) -> None:
    problem, sound = sound_guide()
    arrays, path = sound.arrays(), tmp_path / "guide.npz"
    np.savez(path, **(arrays | {name: spoil(arrays[name])}))
    with pytest.raises(GuideError, match=name):
        load_guide(path, problem)


def test_a_file_that_is_no_guide_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "guide.npz"
    path.write_text("no guide")
    with pytest.raises(GuideError, match="is not a guide file"):
        load_guide(path, random_problem(1))
    with pytest.raises(GuideError, match="is not a guide file"):
        load_guide(tmp_path / "missing.npz", random_problem(1))
