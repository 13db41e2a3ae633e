"""The solver against HiGHS and brute force on small random problems: plans hold, bounds prove, runs repeat."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solve_cases import (
    FULL_SIZE,
    ONE,
    Size,
    all_plans,
    all_points,
    broken_rules,
    changed,
    limit_arrays,
    random_certificate,
    random_problem,
    with_limits_reordered,
    with_rows_reordered,
)

from planner.export import highs_optimum
from planner.export.effective import plan_value_cents
from planner.problem import INACTIVE, Plan
from planner.solve import Progress, SolveOptions, Status, StopReason, solve
from planner.solve.certificate import Certificate, bound_cents, certificate
from planner.solve.classes import refine
from planner.solve.columns import BlockShape, best_column
from planner.solve.guide import GuideError, load_guide
from planner.solve.packing import effective_values
from planner.solve.patterns import row_patterns, single_row_limits
from planner.solve.recombine import path_pool, recombine
from planner.solve.relaxation import relax
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.patterns import RowPatterns

QUICK = SolveOptions(work_limit=1000)
SLOW_SEEDS = [pytest.param(seed, FULL_SIZE, marks=pytest.mark.slow) for seed in range(100, 140)]
SEEDS = [pytest.param(seed, Size(), id=f"{seed}") for seed in range(25)]
CONVERGED = 5e-4
"""Column generation stops where new columns could add less than 2e-4, so bounds of equal problems may differ so far."""


def other_names(problem: Problem) -> Problem:
    """The same problem with every name in reverse alphabetical order."""

    def renamed(kind: str, n: int) -> tuple[str, ...]:
        return tuple(f"{kind}-{n - index:03}" for index in range(n))

    limits = tuple(
        replace(info, name=f"other:{info.family}:{name}", element=name, site="other")
        for info, name in zip(problem.limits, renamed("element", problem.n_limits), strict=True)
    )
    return changed(
        problem,
        limits=limits,
        row_names=renamed("other:row", problem.n_rows),
        block_names=renamed("other:block", problem.n_blocks),
        system_names=renamed("system", problem.n_systems),
        configuration_names=renamed("configuration", problem.n_configurations),
    )


def tiny_problem(seed: int, *, partial_units: bool, n_profiles: int = 2, contract: bool = True) -> Problem:
    """One block of two rows over two periods and one system, small enough to list every plan."""
    random = np.random.default_rng(seed)
    shape = (2, n_profiles, 2)
    load = random.integers(3, 9, (2, n_profiles)) * ONE
    own = [np.where(np.arange(2)[:, None] == row, ONE, 0) * np.ones((2, n_profiles), np.int64) for row in range(2)]
    meter = np.sort(random.integers(10, 28, 2)) * ONE
    if seed % 4 == 0:
        meter[0] = INACTIVE
    taps = [np.where(np.arange(2)[:, None] == row, load, 0) for row in range(2)]
    problem = random_problem(seed)
    return changed(
        problem,
        row_names=("toy:r0", "toy:r1"),
        configuration_names=tuple(f"s/{k}" for k in range(n_profiles)),
        system_names=("s",),
        block_names=("toy:b",),
        periods=("2027-Q1", "2027-Q2"),
        system_of_configuration_idx=np.zeros(n_profiles, np.int32),
        block_of_row_idx=np.zeros(2, np.int32),
        first_period=random.integers(0, 2, (2, n_profiles)).astype(np.int32) * (seed % 2),
        period_value=random.integers(-40, 120, shape),
        contract_revenue=random.integers(0, 150, shape),
        start_value=random.integers(-60, 60, (2, 1, 2)),
        open_cost=random.integers(0, 90, (1, 2)),
        unit_cost=random.integers(0, 60, (1, 1, 2)),
        unit_racks=np.array([2]),
        partial_units=np.array([partial_units]),
        contract_amount=200 if contract else 0,
        contract_rate=np.array([ONE // 2, ONE // 3]),
        **limit_arrays(
            [
                ("position:r0", np.full(2, 3 * ONE), own[0]),
                ("position:r1", np.full(2, 2 * ONE), own[1]),
                ("tap:r0", np.full(2, 14 * ONE), taps[0]),
                ("meter:service", meter, load),
            ]
        ),
    )


def proof_of(problem: Problem) -> tuple[RowPatterns, Certificate]:
    """Patterns and the relaxation's multipliers."""
    patterns = row_patterns(problem)
    return patterns, certificate(problem, relax(problem, patterns, refine(problem)))


# Plans, optimum and bound


@pytest.mark.parametrize(("seed", "size"), [*SEEDS, *SLOW_SEEDS])
def test_the_plan_holds_and_optimum_lies_between_plan_and_bound(seed: int, size: Size) -> None:
    problem = random_problem(seed, size)
    solution = solve(problem, QUICK)
    assert broken_rules(problem, solution.plan.n_racks) == []
    assert solution.objective == plan_value_cents(problem, solution.plan.n_racks)
    optimum = highs_optimum(problem, time_limit_s=20.0)
    assert broken_rules(problem, optimum.n_racks) == []
    assert optimum.objective_cents <= solution.bound
    # HiGHS proves its optimum within 1e-9, so our plan may be better by as much.
    assert solution.objective <= optimum.dual_bound_cents * (1 + 1e-8) + 1
    assert 0 <= solution.objective <= solution.bound


def test_the_cases_reach_every_kind_of_problem() -> None:
    problems = [random_problem(seed) for seed in range(25)]
    assert any(p.contract_amount for p in problems)
    assert any(not p.contract_amount for p in problems)
    assert any(p.partial_units.all() for p in problems)
    assert any(not p.partial_units.any() for p in problems)
    assert any((p.capacity == INACTIVE).any() for p in problems)
    assert {p.n_systems for p in problems} == {1, 2}
    assert sum(solve(p, SolveOptions(work_limit=1)).objective > 0 for p in problems) >= 15
    assert any(refine(p).counts[0] < p.n_rows for p in problems)


@pytest.mark.parametrize("seed", [1, 4, 9, 13])
def test_plans_come_close_to_the_optimum(seed: int) -> None:
    problem = random_problem(seed)
    best = highs_optimum(problem).objective_cents
    assert solve(problem, SolveOptions(work_limit=3000)).objective >= best * 0.97


@given(seed=st.integers(0, 24), multipliers=st.integers(0, 2**32), bits=st.integers(1, 58))
@settings(max_examples=80)
def test_any_multipliers_prove_a_bound(seed: int, multipliers: int, bits: int) -> None:
    problem = random_problem(seed)
    bound = bound_cents(problem, row_patterns(problem), random_certificate(problem, multipliers, bits))
    assert bound >= best_known(seed)


BEST: dict[int, int] = {}


def best_known(seed: int) -> int:
    """HiGHS's exact value of its optimum, found once for each seed."""
    if seed not in BEST:
        BEST[seed] = highs_optimum(random_problem(seed)).objective_cents
    return BEST[seed]


def test_multipliers_of_nothing_give_the_sum_of_the_best_blocks_alone() -> None:
    problem = tiny_problem(3, partial_units=True, contract=False)
    zero = random_certificate(problem, 0, 1)
    zero = Certificate(*(np.zeros_like(getattr(zero, item.name)) for item in fields(Certificate)[:-1]), 0)
    expected = 0
    for period in range(2):
        expected += max(0, *(value for value in _block_values(problem, period)))
    assert bound_cents(problem, row_patterns(problem), zero) == expected


def _block_values(problem: Problem, period: int) -> list[int]:
    """What each filling of the tiny block is worth in one period."""
    values = effective_values(problem)
    result = []
    for pair in product(all_points(problem, 0, 0, period), all_points(problem, 1, 0, period)):
        racks = np.array(pair)
        n_units = -(-int(racks.sum()) // 2)
        worth = int((values.rack[:, :, period] * racks).sum())
        result.append(worth - n_units * int(values.unit_cost[0, 0, period]) - int(values.open_cost[0, period]))
    return result


@pytest.mark.parametrize("seed", range(12))
def test_wider_limits_never_lower_the_bound_at_the_same_multipliers(seed: int) -> None:
    problem = random_problem(seed)
    patterns, proof = proof_of(problem)
    wider = problem.capacity + np.random.default_rng(seed).integers(0, 2 * ONE, problem.capacity.shape) * ONE
    relaxed = changed(problem, capacity=np.where(problem.capacity == INACTIVE, INACTIVE, wider))
    assert bound_cents(relaxed, row_patterns(relaxed), proof) >= bound_cents(problem, patterns, proof)


@pytest.mark.parametrize("seed", range(12))
def test_where_no_multiplier_helps_the_relaxation_is_as_good_as_random_ones(seed: int) -> None:
    problem = random_problem(seed)
    patterns, proof = proof_of(problem)
    found = bound_cents(problem, patterns, proof)
    random = min(bound_cents(problem, patterns, random_certificate(problem, number, 50)) for number in range(5))
    assert found <= random * (1 + CONVERGED) + 1


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("partial_units", [True, False])
def test_every_plan_of_a_tiny_problem_is_worth_no_more_than_optimum_and_bound(seed: int, partial_units: bool) -> None:
    problem = tiny_problem(seed, partial_units=partial_units, n_profiles=1 + seed % 2, contract=seed % 3 > 0)
    worths = [objective_cents(problem, Plan(plan.astype(np.int32))) for plan in all_plans(problem)]
    solution = solve(problem, QUICK)
    assert len(worths) > 1
    assert max(worths) == highs_optimum(problem).objective_cents
    assert solution.objective in worths
    assert solution.objective <= max(worths) <= solution.bound


def test_a_rack_that_only_fills_a_unit_is_paid_for() -> None:
    """Units of two racks, none part empty: the good rack of one row comes with the bad one of the other."""
    problem = changed(
        tiny_problem(0, partial_units=False, n_profiles=1, contract=False),
        capacity=np.array([[ONE, ONE], [ONE, ONE], [14 * ONE, 14 * ONE], [INACTIVE, INACTIVE]]),
        first_period=np.zeros((2, 1), np.int32),
        period_value=np.array([[[100, 100]], [[-90, -90]]]) * 10**6,
        start_value=np.zeros((2, 1, 2), np.int64),
        open_cost=np.zeros((1, 2), np.int64),
        unit_cost=np.zeros((1, 1, 2), np.int64),
    )
    solution = solve(problem, QUICK)
    assert solution.objective == solution.bound == 20 * 10**6


# What must not matter


@pytest.mark.parametrize("seed", range(15))
def test_names_do_not_matter(seed: int) -> None:
    problem = random_problem(seed)
    ours, theirs = solve(problem, QUICK), solve(other_names(problem), QUICK)
    assert (ours.bound, ours.objective) == (theirs.bound, theirs.objective)
    np.testing.assert_array_equal(ours.plan.n_racks, theirs.plan.n_racks)


@pytest.mark.parametrize("seed", range(15))
def test_the_order_of_limits_does_not_matter(seed: int) -> None:
    problem = random_problem(seed)
    order = np.random.default_rng(seed).permutation(problem.n_limits)
    reordered = with_limits_reordered(problem, order)
    patterns, proof = proof_of(problem)
    moved = Certificate(**{**proof.__dict__, "limit": proof.limit[order]})
    assert bound_cents(reordered, row_patterns(reordered), moved) == bound_cents(problem, patterns, proof)
    ours, theirs = solve(problem, QUICK), solve(reordered, QUICK)
    assert theirs.bound == pytest.approx(ours.bound, rel=CONVERGED, abs=1)
    assert theirs.objective == ours.objective


@pytest.mark.parametrize("seed", range(15))
def test_the_order_of_rows_does_not_matter_to_the_bound(seed: int) -> None:
    problem = random_problem(seed)
    order = np.random.default_rng(seed).permutation(problem.n_rows)
    reordered = with_rows_reordered(problem, order)
    patterns, proof = proof_of(problem)
    moved = Certificate(**{**proof.__dict__, "monotone": proof.monotone[order]})
    assert bound_cents(reordered, row_patterns(reordered), moved) == bound_cents(problem, patterns, proof)
    theirs = bound_cents(reordered, *proof_of(reordered))
    assert theirs == pytest.approx(bound_cents(problem, patterns, proof), rel=CONVERGED, abs=1)


@pytest.mark.parametrize("seed", range(6))
def test_the_same_seed_gives_the_same_plan_on_any_number_of_threads(seed: int) -> None:
    problem = random_problem(seed, FULL_SIZE)
    first = solve(problem, SolveOptions(work_limit=1500, seed=5, n_threads=1))
    for n_threads in (1, 2, 3):
        again = solve(problem, SolveOptions(work_limit=1500, seed=5, n_threads=n_threads))
        np.testing.assert_array_equal(again.plan.n_racks, first.plan.n_racks)
        assert (again.objective, again.bound, again.work) == (first.objective, first.bound, first.work)


def test_both_backends_give_the_same_plan() -> None:
    problem = random_problem(4)
    plans = [solve(problem, SolveOptions(work_limit=800, backend=backend)) for backend in ("numba", "numpy")]
    np.testing.assert_array_equal(plans[0].plan.n_racks, plans[1].plan.n_racks)
    assert [plan.backend for plan in plans] == ["numba", "numpy"]


# Stops


def test_a_time_limit_keeps_the_best_plan_and_says_so() -> None:
    problem = random_problem(4)
    solution = solve(problem, SolveOptions(time_limit_s=0.001))
    assert solution.stop_reason is StopReason.TIME_LIMIT
    assert solution.status is Status.FEASIBLE
    assert solution.objective > 0
    assert broken_rules(problem, solution.plan.n_racks) == []


@pytest.mark.parametrize("n_rounds", [1, 3])
def test_an_interrupt_keeps_the_best_plan_and_says_so(n_rounds: int) -> None:
    problem, seen = random_problem(4), []

    def interrupt(progress: Progress) -> None:
        if progress.stage == "search":
            seen.append(progress)
        if len(seen) == n_rounds:
            raise KeyboardInterrupt

    solution = solve(problem, QUICK, interrupt)
    assert solution.stop_reason is StopReason.INTERRUPTED
    # The kernels' premium loses up to 1,024 cents a period.
    assert 0 <= solution.objective - seen[-1].objective <= 1024 * problem.n_periods
    assert solution.work == seen[-1].work
    assert solution.objective > 0
    assert broken_rules(problem, solution.plan.n_racks) == []


def test_a_work_limit_is_kept_to_the_round_and_more_work_is_never_worse() -> None:
    problem = random_problem(10)
    short, long = solve(problem, SolveOptions(work_limit=1)), solve(problem, SolveOptions(work_limit=3000))
    assert short.stop_reason is StopReason.WORK_LIMIT
    assert short.work < 3000 <= long.work
    assert short.objective <= long.objective


def test_a_plan_that_meets_its_bound_is_optimal_and_stops() -> None:
    problem = random_problem(12)
    solution = solve(problem)
    assert (solution.stop_reason, solution.status) == (StopReason.OPTIMAL, Status.OPTIMAL)
    assert solution.objective == solution.bound == highs_optimum(problem).objective_cents
    assert solution.gap == 0.0


def test_progress_tells_every_stage_and_never_falls() -> None:
    told: list[Progress] = []
    solution = solve(random_problem(1), QUICK, told.append)
    assert [one.stage for one in told[:2]] == ["relaxation", "bound"]
    assert {one.stage for one in told[2:]} == {"search"}
    objectives = [one.objective for one in told[2:]]
    assert objectives == sorted(objectives)
    assert told[1].bound == solution.bound
    assert all(a.elapsed_s <= b.elapsed_s and a.work <= b.work for a, b in pairwise(told))


# Guides


def stored(problem: Problem, path: Path, **other: NDArray[np.int64]) -> Path:
    guide = solve(problem, QUICK).guide
    np.savez(path, **(guide.arrays() | other))
    return path


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
    problem = random_problem(4)
    sound = solve(problem, QUICK).guide.arrays()[name]
    path = stored(problem, tmp_path / "guide.npz", **{name: spoil(sound)})
    with pytest.raises(GuideError, match=name):
        load_guide(path, problem)


def test_a_file_that_is_no_guide_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "guide.npz"
    path.write_text("no guide")
    with pytest.raises(GuideError, match="is not a guide file"):
        load_guide(path, random_problem(1))
    with pytest.raises(GuideError, match="is not a guide file"):
        load_guide(tmp_path / "missing.npz", random_problem(1))


# Parts


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
    limits = [(f"tap:r{row}", np.full(2, taps.get(row, 15) * ONE), own[row]) for row in range(n_rows)]
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
