"""Small instances drawn at random, as arrays and as files: bound ≥ optimum ≥ plan, whatever decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from solve_cases import Size, random_problem, with_minimum_demands

from planner.bench.judge import judge
from planner.bench.small import SmallResult, run_small, summarise
from planner.bench.small_world import write_small_world
from planner.export import highs_optimum
from planner.export.highs import HighsError
from planner.lower import lower
from planner.solve import SolveOptions, Status, solve
from sites.world import load_world

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = SolveOptions(work_limit=200, n_lanes=4, n_threads=1)
SIZES = (Size(n_blocks=2), Size(n_blocks=3, n_rows_of_block=3), Size(n_blocks=5, n_systems=3, n_periods=4))


@dataclass(frozen=True)
class Outcome:
    """What became of an instance."""

    is_proven: bool
    peer_has_optimum: bool
    """Whether HiGHS ends with a plan no worse than ours; now and then it stops short, or with "Solve error"."""


def _outcome(seed: int) -> Outcome:
    """Solve an instance; fails where a plan breaks a rule, or anybody's plan is worth more than our bound."""
    problem = random_problem(seed, SIZES[seed % len(SIZES)])
    problem = with_minimum_demands(problem, seed) if seed % 4 == 0 else problem
    if not (problem.first_period < problem.n_periods).any():
        return Outcome(is_proven=True, peer_has_optimum=True)
    solution = solve(problem, OPTIONS)
    ours = judge(problem, solution.plan.n_racks)
    assert not ours.faults
    assert ours.value_cents == solution.objective <= solution.bound
    is_proven = solution.status is Status.OPTIMAL
    try:
        peer = highs_optimum(problem, 30.0)
    except HighsError:
        return Outcome(is_proven, peer_has_optimum=False)
    others = judge(problem, peer.n_racks)
    assert not others.faults
    assert solution.bound >= others.value_cents
    return Outcome(is_proven, peer_has_optimum=others.value_cents >= solution.objective)


@pytest.mark.parametrize("tens", range(6))
def test_bound_optimum_and_plan_of_random_problems(tens: int) -> None:
    found = [_outcome(seed) for seed in range(5000 + 10 * tens, 5010 + 10 * tens)]
    assert sum(one.is_proven for one in found) >= 9
    assert sum(one.peer_has_optimum for one in found) >= 9


@pytest.mark.slow
@pytest.mark.parametrize("hundreds", range(10))
def test_bound_optimum_and_plan_of_a_thousand_random_problems(hundreds: int) -> None:
    found = [_outcome(seed) for seed in range(6000 + 100 * hundreds, 6100 + 100 * hundreds)]
    assert sum(one.is_proven for one in found) >= 95
    assert sum(one.peer_has_optimum for one in found) >= 97


@pytest.mark.parametrize("seed", [101, 102, 103, 104, 105, 106, 107, 108])
def test_small_worlds_from_files_to_a_verified_proof(seed: int) -> None:
    result = run_small(seed)
    assert not result.faults
    assert result.is_proven
    assert result.objective_cents == result.optimum_cents == result.bound_cents


def test_small_worlds_are_varied(tmp_path: Path) -> None:
    """Every scheme, several sites, part units or none, contracts, minimum demands, capacities that fall."""
    found: set[str] = set()
    for seed in range(101, 141):
        folder = tmp_path / str(seed)
        folder.mkdir()
        world = load_world(str(write_small_world(folder, seed)))
        problem = lower(world).problem
        assert problem.n_rows > 0
        found.add(f"{len(world.sites)} sites")
        found |= {template.scheme.kind for one in world.sites for template in one.site.lineup_templates.values()}
        found |= {"part units" if partial else "whole units" for partial in problem.partial_units}
        found |= {"contract"} if problem.contract_amount else set()
        found |= {"minimum demand"} if problem.minimum_demands else set()
        active = np.where(problem.capacity < 2**62, problem.capacity, -1)
        falls = (active[:, 1:] < active[:, :-1]) & (active[:, 1:] >= 0)
        found |= {"falls"} if falls.any() else set()
        found |= {"profiles"} if problem.n_configurations > problem.n_systems else set()
    wanted = {"1 sites", "2 sites", "n", "2n", "block-redundant", "distributed", "part units", "whole units"}
    assert wanted | {"contract", "minimum demand", "falls", "profiles"} <= found


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        path = write_small_world(tmp_path / name, 7)
        texts.append({file.name: file.read_bytes() for file in sorted(path.parent.iterdir())})
    assert texts[0] == texts[1]


def _result(objective: int, optimum: int, bound: int, **changes: object) -> SmallResult:
    figures = {
        "seed": 1, "n_sites": 1, "n_rows": 2, "n_limits": 3, "n_counts": 8, "objective_cents": objective,
        "bound_cents": bound, "optimum_cents": optimum, "is_proven": objective == bound, "has_tree": False,
        "plan_cpu_s": 0.5, "faults": (),
    }  # fmt: skip
    return SmallResult(**(figures | changes))  # type: ignore[arg-type]


def test_the_summary_counts_what_is_proven_and_how_far_the_rest_is() -> None:
    found = summarise(
        [_result(100, 100, 100, has_tree=True), _result(90, 100, 125, n_counts=10**6, faults=("a fault",)),
         _result(100, 100, 100, plan_cpu_s=3.0)]
    )  # fmt: skip
    assert (found.n_worlds, found.n_small, found.n_proven, found.n_trees, found.n_faults) == (3, 2, 2, 1, 1)
    assert found.plan_gaps == (0.0, 0.1)
    assert found.bound_gaps == (0.0, 0.2)
    assert found.plan_cpu_s == (0.5, 3.0)
