"""Whole racks inside a block: totals by brute force, bounds against the optimum, a checker that reads them strictly."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from run_cases import lowered_of, make_run
from solve_cases import ONE, Size, all_points, random_certificate, random_problem

from planner.export import highs_optimum
from planner.problem import INACTIVE, LimitInfo
from planner.solve.block_totals import BlockTotals, stated_limits
from planner.solve.certificate import bound_cents, certificate
from planner.solve.class_bound import ClassBound
from planner.solve.classes import joined_rows, refine, singletons
from planner.solve.columns import BlockShape, best_column
from planner.solve.patterns import row_patterns
from planner.solve.relaxation import relax
from planner.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from planner.problem import Problem

TOY = "toy-power-normal"
SEVERAL_ROWS = Size(n_rows_of_block=3)


def with_block_limits(problem: Problem, seed: int) -> Problem:
    """One more limit over all rows of every block, which whole racks fill in part."""
    random = np.random.default_rng(seed)
    infos, rows_of, coefficients, capacities = [], [], [], []
    for block, name in enumerate(problem.block_names):
        rows = np.flatnonzero(problem.block_of_row_idx == block)
        each = random.integers(2, 9, problem.n_configurations) * ONE // 3
        site, own = name.split(":")
        infos.append(LimitInfo(f"{site}:liquid:{own}", site, "liquid", own, None, "W"))
        rows_of.append(rows)
        coefficients.append(np.tile(each, (rows.size, 1)) + random.integers(0, 2, (rows.size, 1)))
        capacities.append(np.sort(random.integers(ONE, 12 * ONE, problem.n_periods)))
    return replace(
        problem,
        limits=(*problem.limits, *infos),
        limit_ptr=np.concatenate((problem.limit_ptr, problem.limit_ptr[-1] + np.cumsum([r.size for r in rows_of]))),
        entry_row_idx=np.concatenate((problem.entry_row_idx, *rows_of)).astype(np.int32),
        entry_coefficient=np.concatenate((problem.entry_coefficient, *coefficients)),
        capacity=np.concatenate((problem.capacity, np.array(capacities))),
    )


def totals_of(problem: Problem, block: int, system: int, period: int) -> set[tuple[int, ...]]:
    """The rule of the model in plain loops: sums of a point of each row under the limits that are named."""
    profiles = np.flatnonzero(problem.system_of_configuration_idx == system)
    rows = np.flatnonzero(problem.block_of_row_idx == block)
    points = [all_points(problem, int(row), system, period) for row in rows]
    stated = stated_limits(problem)
    found = {(0,) * profiles.size}
    for chosen in product(*points):
        total = tuple(sum(point[k] for point in chosen) for k in profiles)
        if all(_keeps(problem, int(limit), total, (system, period), rows) for limit in stated):
            found.add(total)
    return found


def _keeps(
    problem: Problem, limit: int, total: tuple[int, ...], place: tuple[int, int], rows: NDArray[np.int64]
) -> bool:
    system, period = place
    entries = range(problem.limit_ptr[limit], problem.limit_ptr[limit + 1])
    if not stated_limits(problem)[limit][system, period] or problem.entry_row_idx[entries[0]] not in rows:
        return True
    load = 0
    for count, k in zip(total, np.flatnonzero(problem.system_of_configuration_idx == system), strict=True):
        able = [entry for entry in entries if problem.first_period[problem.entry_row_idx[entry], k] <= period]
        load += count * min((int(problem.entry_coefficient[entry, k]) for entry in able), default=0)
    return load <= int(problem.capacity[limit, period])


@pytest.mark.parametrize("seed", range(6))
def test_totals_are_the_sums_of_points_that_keep_the_named_limits(seed: int) -> None:
    problem = with_block_limits(random_problem(seed, Size(n_blocks=2)), seed)
    totals = BlockTotals(problem, row_patterns(problem), stated_limits(problem))
    for block, system, period in np.ndindex(problem.n_blocks, problem.n_systems, problem.n_periods):
        found = totals.of(block, system, period)
        expected = totals_of(problem, block, system, period)
        assert found is None or {tuple(total) for total in found.racks.tolist()} == expected


@pytest.mark.parametrize("seed", range(6))
def test_blocks_of_one_origin_hold_the_same_totals_until_a_number_changes(seed: int) -> None:
    problem = with_block_limits(random_problem(seed, Size(n_blocks=2, n_rows_of_block=2)), seed)
    stated, patterns = stated_limits(problem), row_patterns(problem)
    totals = BlockTotals(problem, patterns, stated)
    again = BlockTotals(replace(problem, period_value=problem.period_value + 1), patterns, stated)
    for limit in stated:
        tight = problem.capacity.copy()
        tight[limit] -= 1
        other = BlockTotals(replace(problem, capacity=tight), patterns, stated)
        block = int(problem.block_of_row_idx[problem.entry_row_idx[problem.limit_ptr[limit]]])
        assert totals.origin(block) == again.origin(block) != other.origin(block)
    for first, second in product(range(problem.n_blocks), repeat=2):
        if totals.origin(first) == totals.origin(second):
            for system, period in np.ndindex(problem.n_systems, problem.n_periods):
                one, two = (totals.of(block, system, period) for block in (first, second))
                assert (one is None) == (two is None)
                assert one is None or two is None or np.array_equal(one.racks, two.racks)


def test_named_limits_lie_in_one_block_and_are_in_force() -> None:
    problem = with_block_limits(random_problem(3), 3)
    named = stated_limits(problem)
    several = np.flatnonzero(np.bincount(problem.block_of_row_idx) > 1)
    assert several.size
    assert set(problem.n_limits - problem.n_blocks + several) <= set(named)
    for limit, periods in named.items():
        rows = problem.entry_row_idx[problem.limit_ptr[limit] : problem.limit_ptr[limit + 1]]
        assert len(set(problem.block_of_row_idx[rows].tolist())) == 1
        assert not periods[:, problem.capacity[limit] == INACTIVE].any()


@pytest.mark.parametrize("seed", range(10))
def test_any_multipliers_with_whole_racks_stay_above_the_optimum_and_below_the_bound_without(seed: int) -> None:
    problem = with_block_limits(random_problem(seed, SEVERAL_ROWS), seed)
    patterns, optimum = row_patterns(problem), highs_optimum(problem, 20.0).objective_cents
    own = certificate(problem, relax(problem, patterns, refine(problem)))
    for proof in (own, random_certificate(problem, seed, 20), random_certificate(problem, seed, 36)):
        with_whole = replace(proof, whole=stated_limits(problem))
        bound = bound_cents(problem, patterns, with_whole)
        assert bound >= optimum
        assert bound <= bound_cents(problem, patterns, replace(proof, whole={}))


def test_whole_racks_lower_the_bound_of_a_toy_to_its_optimum() -> None:
    """One feeder carries both rows: at a price, parts of racks fill it."""
    problem = lowered_of(TOY).problem
    patterns = row_patterns(problem)
    proof = certificate(problem, relax(problem, patterns, joined_rows((problem,), refine(problem), patterns)))
    optimum = highs_optimum(problem, 20.0).objective_cents
    assert bound_cents(problem, patterns, proof) == optimum < bound_cents(problem, patterns, replace(proof, whole={}))


@pytest.mark.parametrize("seed", range(6))
def test_the_bound_over_classes_keeps_whole_racks_too(seed: int) -> None:
    problem = with_block_limits(random_problem(seed, SEVERAL_ROWS), seed)
    patterns, classes = row_patterns(problem), singletons(problem)
    proof = replace(random_certificate(problem, seed, 24), whole=stated_limits(problem))
    assert ClassBound(problem, classes).bound_cents(problem, patterns, proof) == bound_cents(problem, patterns, proof)


@pytest.mark.parametrize("seed", range(6))
def test_a_column_is_the_best_total_at_its_prices(seed: int) -> None:
    problem = with_block_limits(random_problem(seed, SEVERAL_ROWS), seed)
    patterns, random = row_patterns(problem), np.random.default_rng(seed)
    totals = BlockTotals(problem, patterns, stated_limits(problem))
    price, unit_cost = random.normal(5.0, 4.0, (1, problem.n_configurations)), float(random.uniform(0, 6))
    for block, system, period in np.ndindex(problem.n_blocks, problem.n_systems, problem.n_periods):
        whole = totals.of(block, system, period)
        if whole is None:
            continue
        rows = np.flatnonzero(problem.block_of_row_idx == block)
        shape = BlockShape(np.zeros(1, np.int64), rows[:1], np.array([rows.size]))
        found = best_column(problem, patterns, shape, block, system, period, price, unit_cost, whole)
        profiles, unit = whole.profiles, int(problem.unit_racks[system])
        values = [
            sum(n * price[0, k] for n, k in zip(total, profiles, strict=True)) - unit_cost * -(-sum(total) // unit)
            for total in totals_of(problem, block, system, period)
            if problem.partial_units[block] or sum(total) % unit == 0
        ]
        assert found is not None
        assert found[0] == pytest.approx(max(values))
        assert found[1].n_units == -(-int(found[1].racks.sum()) // unit)


@pytest.fixture(scope="module")
def sound_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("totals") / "run"
    make_run(TOY, folder)
    return folder


def _forget(content: dict[str, Any]) -> None:
    content["whole"] = {}


def _leave_out(content: dict[str, Any]) -> None:
    del content["whole"]


def _name_a_limit_that_is_not(content: dict[str, Any]) -> None:
    name, places = next(iter(content["whole"].items()))
    content["whole"][f"{name}-other"] = places


def _name_a_system_that_is_not(content: dict[str, Any]) -> None:
    places = next(iter(content["whole"].values()))
    places["abacus"] = next(iter(places.values()))


def _name_a_period_twice(content: dict[str, Any]) -> None:
    periods = next(iter(next(iter(content["whole"].values())).values()))
    periods.append(periods[0])


def _name_no_list(content: dict[str, Any]) -> None:
    places = next(iter(content["whole"].values()))
    places[next(iter(places))] = "2027-Q1"


@pytest.mark.parametrize(
    "change",
    [
        _forget,
        _leave_out,
        _name_a_limit_that_is_not,
        _name_a_system_that_is_not,
        _name_a_period_twice,
        _name_no_list,
    ],
)
def test_whole_racks_that_are_not_as_stated_are_refused(
    change: Callable[[dict[str, Any]], None], sound_run: Path, tmp_path: Path
) -> None:
    assert verify(sound_run).ok
    folder = tmp_path / "run"
    shutil.copytree(sound_run, folder)
    path = folder / "certificate.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["whole"]
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    assert {check.name for check in verify(folder).checks if not check.ok} == {"bound"}


def test_a_limit_of_several_blocks_is_none_that_one_block_keeps(tmp_path: Path) -> None:
    make_run("toy-shared-envelope", tmp_path / "run")
    path = tmp_path / "run" / "certificate.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["trees"] = {}
    name, prices = next((name, prices) for name, prices in content["limits"].items() if name.startswith("*:"))
    system = lowered_of("toy-shared-envelope").problem.system_names[0]
    content["whole"][name] = {system: list(prices)}
    path.write_text(json.dumps(content), encoding="utf-8")
    (refusal,) = (check for check in verify(tmp_path / "run").checks if not check.ok)
    assert f"'{name}' under 'whole' touches 2 blocks" in refusal.detail
