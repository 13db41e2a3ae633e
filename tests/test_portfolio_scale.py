"""Portfolios taken apart by site: the same problem, one valid bound, whole shares, plans that keep every rule."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from solve_cases import FULL_SIZE, ONE, Size, broken_rules, changed, proof_of, random_problem, with_minimum_demands

from planner.bench.portfolio import PortfolioSize, write_portfolio
from planner.export import highs_optimum
from planner.lower import lower
from planner.problem import INACTIVE, Plan, Problem
from planner.run.create import RunRequest, create_run
from planner.solve.certificate import bound_cents
from planner.solve.feasible import holds, limit_loads
from planner.solve.options import SolveOptions, StopReason
from planner.solve.patterns import row_patterns
from planner.solve.portfolio import planning, split
from planner.solve.portfolio import solve as by_site
from planner.solve.portfolio.shares import shares_of_mix, shares_of_rest, split_whole
from planner.solve.portfolio.split import JOINT, Split, split_sites
from planner.solve.portfolio.summary import contributions
from planner.solve.solve import Solution, solve
from planner.solve.value import contract_use, objective_cents
from planner.verify import verify
from sites.world import load_world

if TYPE_CHECKING:
    from pathlib import Path

    from planner.solve.options import Progress

SMALL = Size(n_blocks=4, n_rows_of_block=2, n_systems=2, n_periods=3)
OPTIONS = SolveOptions(backend="numpy", work_limit=300, n_threads=1)


def portfolio_of(seed: int, size: Size = SMALL) -> Problem:
    """A random problem whose blocks stand at two sites by turns; what loads rows of both is shared."""
    problem = random_problem(seed, size)
    if seed % 2:
        problem = with_minimum_demands(problem, seed)
    names = np.array(["toy", "twin"])[np.arange(problem.n_blocks) % 2]
    of_row = names[problem.block_of_row_idx]
    sites = [{str(of_row[row]) for row in problem.entry_row_idx[a:b]} for a, b in pairwise(problem.limit_ptr)]
    return changed(
        problem,
        row_names=tuple(f"{site}:{name.split(':')[1]}" for site, name in zip(of_row, problem.row_names, strict=True)),
        block_names=tuple(f"{site}:{one.split(':')[1]}" for site, one in zip(names, problem.block_names, strict=True)),
        limits=tuple(
            replace(info, site=site, name=f"{site}:{info.name.split(':', 1)[1]}")
            for info, own in zip(problem.limits, sites, strict=True)
            for site in [own.pop() if len(own) == 1 else JOINT]
        ),
    )


def solved(problem: Problem, options: SolveOptions = OPTIONS) -> Solution:
    """Site by site, however small."""
    told: list[Progress] = []
    solution = by_site.solve_by_site(problem, options, "numpy", told.append)
    assert [one.stage for one in told][:3] == ["relaxation", "bound", "search"]
    return solution


# Taking apart


@pytest.mark.parametrize("seed", range(12))
def test_parts_are_the_whole(seed: int) -> None:
    """Loads, values and revenue of any racks are those of the parts, limit by limit and cent by cent."""
    problem = portfolio_of(seed, FULL_SIZE)
    apart = split_sites(problem)
    random = np.random.default_rng(seed)
    racks = random.integers(0, 3, (problem.n_rows, problem.n_configurations, problem.n_periods))
    whole, loads = np.zeros(problem.capacity.shape, np.int64), limit_loads(problem, racks)
    values = 0
    for part in apart.parts:
        own = racks[part.row_idx]
        whole[part.limit_idx] += limit_loads(part.problem, own)
        values += objective_cents(part.problem, Plan(own.astype(np.int32)))
        assert (part.problem.capacity == problem.capacity[part.limit_idx]).all()
        assert part.problem.limits == tuple(problem.limits[limit] for limit in part.limit_idx)
    assert (whole == loads).all()
    alone = changed(problem, contract_amount=0)
    assert values == objective_cents(alone, Plan(racks.astype(np.int32)))
    assert (apart.joined([racks[part.row_idx].astype(np.int32) for part in apart.parts]) == racks).all()
    assert sorted(np.concatenate([part.row_idx for part in apart.parts])) == list(range(problem.n_rows))
    assert sorted(np.concatenate([part.block_idx for part in apart.parts])) == list(range(problem.n_blocks))


def test_small_or_single_sites_stay_whole() -> None:
    """Only problems with many rows at several sites are taken apart."""
    problem = portfolio_of(0)
    assert not split.takes_apart(problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(split, "FEWEST_ROWS", problem.n_rows)
        assert split.takes_apart(problem)
        assert not split.takes_apart(random_problem(0))


# Bound and plan


@pytest.mark.parametrize("seed", range(16))
def test_bound_optimum_plan(seed: int) -> None:
    """The bound by site is no less than the optimum, the plan no more; one certificate proves it for the whole."""
    problem = changed(portfolio_of(seed), constant_cents=-1_234_567 * seed)
    solution = solved(problem)
    optimum = highs_optimum(problem).objective_cents
    assert solution.bound >= optimum >= solution.objective
    assert broken_rules(problem, solution.plan.n_racks) == []
    assert holds(problem, solution.plan)
    assert solution.objective == objective_cents(problem, solution.plan)
    assert bound_cents(problem, row_patterns(problem), solution.certificate) == solution.bound


def test_bound_by_site_is_about_that_of_the_whole() -> None:
    """One relaxation of all sites proves hardly less: prices converge."""
    for seed in range(8):
        problem = portfolio_of(seed, FULL_SIZE)
        whole = bound_cents(problem, *proof_of(problem))
        assert solved(problem).bound <= whole + 0.005 * abs(whole)


@pytest.mark.parametrize("seed", range(6))
def test_contributions_add_up(seed: int) -> None:
    """Parts of sites and of what they share are bound and objective to the cent, and no part of the gap is negative."""
    problem = changed(portfolio_of(seed, FULL_SIZE), constant_cents=98_765_432 * seed)
    solution = solved(problem)
    parts = contributions(problem, solution.certificate, solution.plan)
    assert parts.bound == solution.bound
    assert parts.objective == solution.objective
    assert [one.site for one in parts.sites] == list(dict.fromkeys(name.split(":")[0] for name in problem.row_names))
    assert all(one.gap_cents >= 0 for one in parts.sites)
    assert parts.shared_gap_cents >= -1
    gap = sum(one.gap_cents for one in parts.sites) + parts.shared_gap_cents
    assert gap == pytest.approx(solution.bound - solution.objective, abs=2)


def test_contract_counts_once() -> None:
    """Revenue of both sites shares one contract."""
    problems = [portfolio_of(seed) for seed in range(12)]
    problem = next(one for one in problems if one.contract_amount)
    solution = solved(problem)
    _, used = contract_use(problem, solution.plan)
    assert sum(used) <= problem.contract_amount


@cache
def _same_everywhere() -> tuple[Problem, Solution]:
    problem = portfolio_of(4, FULL_SIZE)
    return problem, solved(problem)


def test_processes_change_nothing() -> None:
    """One and two processes make the same plan, bound and guide."""
    problem, alone = _same_everywhere()
    together = solved(problem, replace(OPTIONS, n_threads=2))
    assert (alone.plan.n_racks == together.plan.n_racks).all()
    assert (alone.bound, alone.work) == (together.bound, together.work)
    for name, values in alone.guide.arrays().items():
        assert (values == together.guide.arrays()[name]).all(), name


def test_joined_guide_replays() -> None:
    """The guide fits the whole problem, and a search of the whole begins at the plan."""
    problem, alone = _same_everywhere()
    replayed = solve(problem, replace(OPTIONS, guide=alone.guide, work_limit=1))
    assert replayed.objective >= alone.objective


def test_interrupt_keeps_the_best_plan() -> None:
    """Ctrl-C while sites are improved ends the search with a plan that holds."""
    problem = portfolio_of(2, FULL_SIZE)

    def interrupt(progress: Progress) -> None:
        if progress.stage == "search":
            raise KeyboardInterrupt

    solution = by_site.solve_by_site(problem, replace(OPTIONS, work_limit=None), "numpy", interrupt)
    assert solution.stop_reason is StopReason.INTERRUPTED
    assert holds(problem, solution.plan)


def test_time_limit_ends_the_passes() -> None:
    """A time limit that is over at once still leaves a bound and a plan."""
    problem = portfolio_of(6, FULL_SIZE)
    solution = solved(problem, replace(OPTIONS, work_limit=None, time_limit_s=0.01))
    assert solution.stop_reason is StopReason.TIME_LIMIT
    assert solution.bound >= solution.objective
    assert holds(problem, solution.plan)


# Shares


@pytest.mark.parametrize("seed", range(20))
def test_shares_hand_out_what_there_is(seed: int) -> None:
    """Whole units, none twice, none left; a site has what it uses, and at least the whole part of its mix."""
    random = np.random.default_rng(seed)
    capacity = random.integers(0, 50, (3, 4)) * ONE
    capacity[0, 0] = INACTIVE
    there = capacity != INACTIVE
    parts = random.dirichlet(np.ones(5), (3, 4)).transpose(2, 0, 1) * random.uniform(0.5, 1.0)
    mix = parts * np.where(there, capacity, 0)
    shares = shares_of_mix(capacity, mix)
    assert (shares[:, 0, 0] == INACTIVE).all()
    assert (shares.sum(axis=0)[there] == capacity[there]).all()
    assert (shares % ONE == 0).all()
    assert (shares[:, there] >= np.floor(mix[:, there] / ONE + 1e-9) * ONE).all()
    use = random.integers(0, np.maximum(np.where(there, shares, 0), 1))
    rest = shares_of_rest(capacity, use, random.random(5) + 0.01)
    assert (rest[:, there] >= use[:, there]).all()
    assert (rest.sum(axis=0)[there] <= capacity[there]).all()


def test_whole_parts_follow_the_weights() -> None:
    """Ten over weights 1, 2 and 2 are 2, 4 and 4."""
    assert split_whole(np.array([10]), np.array([[1.0], [2.0], [2.0]])).ravel().tolist() == [2, 4, 4]


def test_what_one_leaves_another_takes() -> None:
    """Passes only add: worth never falls from one to the next."""
    problem = portfolio_of(8, FULL_SIZE)
    told: list[Progress] = []
    by_site.solve_by_site(problem, OPTIONS, "numpy", told.append)
    worth = [one.objective for one in told if one.stage == "search" and one.objective is not None]
    assert len(worth) > 2
    assert worth == sorted(worth)


# Generated portfolios


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tiny sites."""
    return write_portfolio(tmp_path_factory.mktemp("portfolio"), 3, PortfolioSize(n_sites=3, n_rows=20, n_periods=4))


def test_generated_sites_are_unlike(generated: Path, tmp_path: Path) -> None:
    """Sites differ, and the same seed gives the same bytes."""
    again = write_portfolio(tmp_path, 3, PortfolioSize(n_sites=3, n_rows=20, n_periods=4))
    files = sorted(path.name for path in generated.parent.iterdir())
    assert len(files) == 4
    assert [(again.parent / name).read_bytes() for name in files] == [
        (generated.parent / name).read_bytes() for name in files
    ]
    assert len({(generated.parent / name).read_bytes() for name in files}) == 4
    with pytest.raises(ValueError, match="found seed 0"):
        write_portfolio(tmp_path, 0, PortfolioSize(n_sites=3))


def test_lowering_in_processes_gives_the_same_arrays(generated: Path) -> None:
    """Byte for byte, names, sides and all."""
    world = load_world(generated)
    one, two = lower(world), lower(world, n_processes=2)
    for item in fields(Problem):
        mine, other = getattr(one.problem, item.name), getattr(two.problem, item.name)
        if isinstance(mine, np.ndarray):
            assert mine.dtype == other.dtype
            assert mine.tobytes() == other.tobytes(), item.name
        else:
            assert mine == other, item.name
    assert (one.rows, one.dropped, one.n_contingencies_dropped) == (two.rows, two.dropped, two.n_contingencies_dropped)
    for mine, other in zip(one.meters, two.meters, strict=True):
        assert (mine.coefficient == other.coefficient).all()
        assert (mine.site, mine.first_row, mine.constant) == (other.site, other.first_row, other.constant)


def test_generated_portfolio_plans_and_verifies(generated: Path, tmp_path: Path) -> None:
    """Supply and envelope are shared; the plan is made site by site, and the checker accepts it."""
    options = SolveOptions(backend="numpy", work_limit=400, n_threads=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(split, "FEWEST_ROWS", 2)
        run = create_run(load_world(generated), RunRequest(tmp_path / "run", options), lambda _: None)
    assert 0 <= run.document["gap"] < 0.15
    assert {one["site"] for one in run.document["placements"]} == {
        path.stem for path in generated.parent.iterdir() if path.stem != "portfolio"
    }
    assert any(one["site"] == JOINT for one in run.document["binding"])
    assert verify(tmp_path / "run").ok


def test_sites_far_below_their_bound_are_looked_at_again() -> None:
    """A site that was looked at moves behind others that are as far off."""
    problem = portfolio_of(10, FULL_SIZE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "_SMALLEST_GAIN", 1.0)
        solution = solved(problem, replace(OPTIONS, work_limit=200))
    assert holds(problem, solution.plan)
    assert isinstance(split_sites(problem), Split)
