"""What lowering and the solver leave out changes neither optimum nor bound: reductions off and on, on random worlds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from solve_cases import FULL_SIZE, changed, proof_of, random_certificate, random_problem

from planner.bench.small_world import write_small_world
from planner.export import highs_optimum
from planner.lower import lower, lowering, merging, site_table
from planner.problem import INACTIVE
from planner.solve import patterns as patterns_module
from planner.solve.certificate import Certificate, bound_cents, certificate
from planner.solve.classes import refine, singletons
from planner.solve.patterns import row_patterns
from planner.solve.relaxation import relax
from sites.world import load_world

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from planner.problem import Problem

SEEDS = (201, 202, 204, 207, 211, 216)


def _without_implied(patch: pytest.MonkeyPatch) -> None:
    for part in (lowering, site_table):
        patch.setattr(part, "drop_implied", lambda limits, eligible: [])


def _without_contingencies(patch: pytest.MonkeyPatch) -> None:
    """Every failure keeps its limit, and nothing that another limit implies is left out."""
    _without_implied(patch)
    patch.setattr("planner.lower.contingencies.undominated", lambda contingencies, *_: tuple(contingencies))


def _without_joining(patch: pytest.MonkeyPatch) -> None:
    """Windows in time stay limits of their own, and nothing that another limit implies is left out."""
    _without_implied(patch)
    patch.setattr(merging, "_agree", lambda *_: False)


REDUCTIONS = {
    "implied limits": _without_implied,
    "dominated contingencies": _without_contingencies,
    "joined windows": _without_joining,
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_lowering_keeps_optimum_and_bound(name: str, tmp_path: Path) -> None:
    """HiGHS finds the same optimum in both; multipliers of the reduced problem prove the same bound in the full one."""
    n_fewer = 0
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        folder.mkdir()
        world = load_world(str(write_small_world(folder, seed)))
        reduced = lower(world).problem
        with pytest.MonkeyPatch.context() as patch:
            REDUCTIONS[name](patch)
            full = lower(world).problem
        n_fewer += _n_active(full) > _n_active(reduced) or full.n_limits > reduced.n_limits
        assert highs_optimum(full).objective_cents == highs_optimum(reduced).objective_cents
        patterns, proof = proof_of(reduced)
        _, shared = proof_of(full)
        assert bound_cents(full, row_patterns(full), _lifted(reduced, full, proof)) == bound_cents(
            reduced, patterns, proof
        )
        assert bound_cents(full, row_patterns(full), shared) >= highs_optimum(full).objective_cents
    assert n_fewer >= 2


def _n_active(problem: Problem) -> int:
    return int((problem.capacity != INACTIVE).sum())


def _lifted(reduced: Problem, full: Problem, proof: Certificate) -> Certificate:
    """The same multipliers by name and period; what the reduced problem leaves out has none."""
    numbers: dict[tuple[str, int], int] = {}
    for limit, period in np.argwhere(full.capacity != INACTIVE):
        numbers[full.limits[limit].name, int(period)] = int(limit)
    limit_price = np.zeros((full.n_limits, full.n_periods), object)
    inside: dict[int, NDArray[np.object_]] = {}
    whole: dict[int, NDArray[np.bool_]] = {}
    for limit, period in np.argwhere(reduced.capacity != INACTIVE):
        own = numbers[reduced.limits[limit].name, int(period)]
        limit_price[own, period] = proof.limit[limit, period]
        if limit in proof.inside:
            nothing = np.zeros((full.n_systems, full.n_periods), object)
            inside.setdefault(own, nothing)[:, period] = proof.inside[int(limit)][:, period]
        if limit in proof.whole:
            never = np.zeros((full.n_systems, full.n_periods), np.bool_)
            whole.setdefault(own, never)[:, period] = proof.whole[int(limit)][:, period]
    return replace(proof, limit=limit_price, inside=inside, whole=whole)


def test_classes_keep_the_optimum_of_the_relaxation(tmp_path: Path) -> None:
    """Averages over a class lose nothing: multipliers over classes, lifted, prove what those of single rows prove."""
    n_smaller = 0
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        folder.mkdir()
        problem = lower(load_world(str(write_small_world(folder, seed)))).problem
        patterns, alike, apart = row_patterns(problem), refine(problem), singletons(problem)
        n_smaller += alike.counts < apart.counts
        over_classes, over_rows = (
            bound_cents(problem, patterns, certificate(problem, relax(problem, patterns, classes)))
            for classes in (alike, apart)
        )
        assert over_classes == pytest.approx(over_rows, rel=1e-3)
        assert min(over_classes, over_rows) >= highs_optimum(problem).objective_cents
    assert n_smaller >= 3


@pytest.mark.parametrize("seed", range(40, 46))
def test_limits_that_cannot_bind_in_a_row_take_none_of_its_points(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = random_problem(seed, FULL_SIZE)
    reduced = row_patterns(problem)
    monkeypatch.setattr(patterns_module, "_may_bind", lambda coefficient, capacity: np.ones(len(capacity), np.bool_))
    full = row_patterns(problem)
    for row, system, period in np.ndindex(problem.n_rows, problem.n_systems, problem.n_periods):
        one, other = reduced.pattern_set_idx[row, system, period], full.pattern_set_idx[row, system, period]
        assert (one < 0) == (other < 0)
        if one >= 0:
            assert np.array_equal(reduced.point_sets[one], full.point_sets[other])


@pytest.mark.parametrize("seed", range(50, 56))
def test_multipliers_of_limits_of_one_row_are_never_needed(seed: int) -> None:
    """The row's points keep such a limit, so that a price on it can only raise the bound."""
    problem = random_problem(seed, FULL_SIZE)
    patterns = row_patterns(problem)
    proof = random_certificate(problem, seed, largest_bits=30)
    single = (np.diff(problem.limit_ptr) == 1)[:, None]
    without = replace(
        proof,
        limit=np.where(single, 0, proof.limit),
        inside={limit: prices * int(not single[limit, 0]) for limit, prices in proof.inside.items()},
    )
    assert single.any()
    assert bound_cents(problem, patterns, without) <= bound_cents(problem, patterns, proof)


def test_half_of_every_capacity_is_not_the_same_problem() -> None:
    """What these tests compare does depend on the limits."""
    problem = random_problem(60)
    tight = changed(problem, capacity=np.where(problem.capacity == INACTIVE, INACTIVE, problem.capacity // 2))
    assert highs_optimum(tight).objective_cents < highs_optimum(problem).objective_cents
