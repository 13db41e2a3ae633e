"""Small problems end with a proof of their optimum, and the checker reads its tree strictly."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from run_cases import lowered_of, make_run, solution_of
from solve_cases import (
    Size,
    all_plans,
    changed,
    proof_of,
    random_certificate,
    random_problem,
    tiny_problem,
    with_minimum_demands,
)  # fmt: skip

from planner.export import highs_optimum
from planner.problem import Plan
from planner.solve import SolveOptions, Status, StopReason, solve
from planner.solve import prove as prove_module
from planner.solve.certificate import bound_cents as flat_bound_cents
from planner.solve.patterns import row_patterns
from planner.solve.proof.box import Side, Total, narrowed, whole_box
from planner.solve.proof.leaf import Leaf, bound_cents, nothing
from planner.solve.proof.node import settle
from planner.solve.proof.oracle import Choices
from planner.solve.prove import is_small, prove
from planner.solve.value import objective_cents
from planner.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planner.problem import Problem
    from planner.solve.prove import Node

SPLIT_TOYS = ("toy-contract", "toy-distributed-grows", "toy-shared-envelope")
"""Toys whose own multipliers leave a gap that a tree closes."""


def _never() -> bool:
    return False


def _after(n_nodes: int) -> Callable[[], bool]:
    """Out of time when asked once more than so often."""
    asked = iter(range(n_nodes))
    return lambda: next(asked, None) is None


def _empty_plan(problem: Problem) -> Plan:
    return Plan(np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int32))


# What a proof reaches


@pytest.mark.parametrize("name", SPLIT_TOYS)
def test_a_toy_with_a_gap_is_closed_by_a_tree(name: str) -> None:
    solution = solution_of(name)
    assert solution.tree is not None
    assert len(solution.tree.leaves()) > 1
    assert solution.status is Status.OPTIMAL
    assert solution.stop_reason is StopReason.OPTIMAL
    assert solution.bound == solution.objective


@pytest.mark.parametrize("seed", range(200, 216))
@pytest.mark.parametrize("has_demands", [False, True], ids=["", "minimum demands"])
def test_random_problems_end_proven_from_nothing(seed: int, has_demands: bool) -> None:
    """The proof finds the optimum by itself, even where search has found nothing."""
    problem = random_problem(seed, Size(n_blocks=3))
    problem = with_minimum_demands(problem, seed) if has_demands else problem
    proven = prove(problem, _empty_plan(problem), _never)
    assert proven.bound == proven.objective == objective_cents(problem, proven.plan)
    assert proven.objective == highs_optimum(problem, 20.0).objective_cents


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("has_demands", [False, True], ids=["", "minimum demands"])
def test_the_proven_optimum_is_the_best_of_all_plans(seed: int, has_demands: bool) -> None:
    """Shortfalls and the contract's premium are each rounded against the plan; the proof still ends to the cent."""
    problem = tiny_problem(seed, partial_units=seed % 3 > 0)
    problem = with_minimum_demands(problem, seed) if has_demands else problem
    best = max(objective_cents(problem, Plan(racks.astype(np.int32))) for racks in all_plans(problem))
    proven = prove(problem, _empty_plan(problem), _never)
    assert proven.bound == proven.objective == best


def test_a_proof_that_runs_out_of_time_still_proves_its_bound() -> None:
    problem = random_problem(1008, Size(n_blocks=6, n_rows_of_block=3, n_systems=3, n_periods=4))
    whole = prove(problem, _empty_plan(problem), _never)
    assert whole.n_nodes > 8
    bounds = []
    for most in (1, 4, 8):
        stopped = prove(problem, _empty_plan(problem), _after(most))
        assert stopped.bound >= whole.bound
        bounds.append(stopped.bound)
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[0] > whole.bound


def test_proofs_are_the_same_every_time() -> None:
    problem = random_problem(205, Size(n_blocks=3))
    first, second = (prove(problem, _empty_plan(problem), _never).root.to_json(problem) for _ in range(2))
    assert json.dumps(first) == json.dumps(second)


def test_a_tree_only_ever_lowers_the_bound() -> None:
    for seed in range(220, 230):
        problem = random_problem(seed, Size(n_blocks=2))
        patterns, own = proof_of(problem)
        solution = solve(problem, SolveOptions(work_limit=500))
        assert is_small(problem)
        assert solution.objective == solution.bound <= flat_bound_cents(problem, patterns, own)


def test_a_branch_whose_own_multipliers_prove_less_keeps_those_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stated of a leaf is what the multipliers in its file prove."""
    problem = lowered_of("toy-distributed-grows").problem

    def worse_below(program: Any, choices: Any, box: Any, enough: float) -> Any:
        settled = settle(program, choices, box, enough)
        if len(box.sides) == 1 and settled is not None:
            program.dual = np.zeros_like(program.dual)
            return replace(settled, bound=1e18)
        return settled

    monkeypatch.setattr(prove_module, "settle", worse_below)
    root = prove(problem, _empty_plan(problem), _after(1)).root
    leaves = root.leaves()
    assert len(leaves) > 1
    choices = Choices(problem, row_patterns(problem))
    for leaf in leaves:
        assert leaf.leaf.proof is root.leaf.proof
        proven = bound_cents(problem, choices, leaf.box, leaf.leaf)
        assert leaf.exact == proven
        assert proven is None or proven <= flat_of(problem, root)


def flat_of(problem: Problem, root: Node) -> int:
    """What the root's multipliers prove by themselves."""
    patterns = row_patterns(problem)
    found = bound_cents(problem, Choices(problem, patterns), whole_box(problem, patterns), root.leaf)
    assert found is not None
    return found


# Any multipliers are valid in any branch


def _random_sides(problem: Problem, seed: int) -> list[Side]:
    """Sides of every kind: counts, rows, blocks, and sums over rows of several blocks."""
    random = np.random.default_rng(seed)
    sides = []
    for _ in range(int(random.integers(1, 4))):
        rows = random.permutation(problem.n_rows)[: int(random.integers(1, problem.n_rows + 1))]
        if random.random() < 0.4:
            rows = np.flatnonzero(problem.block_of_row_idx == problem.block_of_row_idx[rows[0]])
        system = problem.system_of_configuration_idx[random.integers(problem.n_configurations)]
        names = np.flatnonzero(problem.system_of_configuration_idx == system)
        if random.random() < 0.4:
            names = random.permutation(problem.n_configurations)[:1]
        total = Total(
            tuple(sorted(int(r) for r in rows)), tuple(sorted(int(k) for k in names)),
            int(random.integers(problem.n_periods)),
        )  # fmt: skip
        is_above = bool(random.random() < 0.5)
        sides.append(Side(total, int(random.integers(1 if is_above else 0, 4)), is_above))
    return sides


def _keeps(racks: Any, side: Side) -> bool:
    total = racks[np.ix_(side.total.row_idx, side.total.configuration_idx, (side.total.period,))].sum()
    return bool(total >= side.count if side.is_above else total <= side.count)


@pytest.mark.parametrize("seed", range(24))
def test_no_multipliers_prove_less_than_the_best_plan_of_a_branch(seed: int) -> None:
    problem = tiny_problem(seed, partial_units=seed % 2 == 0)
    problem = with_minimum_demands(problem, seed) if seed % 3 == 0 else problem
    plans = list(all_plans(problem))
    patterns = row_patterns(problem)
    choices = Choices(problem, patterns)
    for draw in range(12):
        sides = _random_sides(problem, 100 * seed + draw)
        box = whole_box(problem, patterns)
        for side in sides:
            box = narrowed(problem, box, side)
        prices = np.random.default_rng(draw).integers(0, 2**34, len(sides)).tolist()
        proof = random_certificate(problem, 7 * seed + draw, largest_bits=30)
        leaf = Leaf(proof, tuple(int(price) for price in prices))
        worth = [
            objective_cents(problem, Plan(racks.astype(np.int32)))
            for racks in plans
            if all(_keeps(racks, side) for side in sides)
        ]
        found = bound_cents(problem, choices, box, leaf)
        if worth:
            assert found is not None
            assert found >= max(worth)
        if found is None:
            assert not worth


def test_branches_without_a_plan_are_known() -> None:
    """A row that must hold more than its block may, and one that must hold two systems."""
    problem = random_problem(204, Size(n_blocks=2))
    patterns = row_patterns(problem)
    everything = tuple(int(k) for k in np.flatnonzero(problem.system_of_configuration_idx == 0))
    block = tuple(int(r) for r in np.flatnonzero(problem.block_of_row_idx == problem.block_of_row_idx[0]))
    box = narrowed(problem, whole_box(problem, patterns), Side(Total(block, everything, 1), 1, False))
    box = narrowed(problem, box, Side(Total((block[0],), everything, 0), 2, True))
    assert bound_cents(problem, Choices(problem, patterns), box, nothing(problem, box)) is None


def test_a_problem_is_small_by_the_counts_that_may_be() -> None:
    problem = random_problem(204, Size(n_blocks=2))
    assert is_small(problem)
    later = changed(problem, first_period=np.full_like(problem.first_period, problem.n_periods))
    n_counts = problem.n_rows * problem.n_configurations * problem.n_periods
    many = 1 + prove_module.MOST_COUNTS // n_counts
    larger = changed(
        problem,
        first_period=np.tile(np.zeros_like(problem.first_period), (many, 1)),
        row_names=problem.row_names * many,
    )
    assert is_small(later)
    assert not is_small(larger)


# The file


@pytest.fixture(scope="module")
def sound_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prove") / "run"
    make_run("toy-distributed-grows", folder)
    return folder


def _leaf(node: dict[str, Any], way: str) -> dict[str, Any]:
    while "at_most" in node:
        node = node[way]
    return node


def _lose_a_branch(tree: dict[str, Any]) -> None:
    tree.pop("below")


def _cover_less(tree: dict[str, Any]) -> None:
    tree["above"] = copy.deepcopy(tree["below"])


def _part_elsewhere(tree: dict[str, Any]) -> None:
    tree["at_most"] += 1


def _name_a_row_that_is_not(tree: dict[str, Any]) -> None:
    tree["rows"] = ["toy-distributed-grows:nowhere"]


def _name_no_row(tree: dict[str, Any]) -> None:
    tree["rows"] = []


def _name_a_configuration_that_is_not(tree: dict[str, Any]) -> None:
    tree["configurations"] = ["nothing"]


def _name_a_quarter_that_is_not(tree: dict[str, Any]) -> None:
    tree["period"] = "1999-Q1"


def _split_at_less_than_nothing(tree: dict[str, Any]) -> None:
    tree["at_most"] = -1


def _split_at_a_part_of_a_rack(tree: dict[str, Any]) -> None:
    tree["at_most"] = 0.5


def _forget_multipliers(tree: dict[str, Any]) -> None:
    for way in ("below", "above"):
        leaf = _leaf(tree, way)
        leaf["limits"], leaf["inside"], leaf["sides"] = {}, {}, ["0"] * len(leaf["sides"])


def _forget_a_side(tree: dict[str, Any]) -> None:
    _leaf(tree, "above")["sides"].pop()


def _price_a_side_below_nothing(tree: dict[str, Any]) -> None:
    _leaf(tree, "above")["sides"][0] = "-5"


def _take_the_grid_for_a_coarser_one(tree: dict[str, Any]) -> None:
    _leaf(tree, "above")["scale_bits"] = 30


def _hang_on_a_list(tree: dict[str, Any]) -> None:
    tree["above"] = [tree["above"]]


@pytest.mark.parametrize(
    "change",
    [
        _lose_a_branch, _cover_less, _part_elsewhere, _name_a_row_that_is_not, _name_no_row,
        _name_a_configuration_that_is_not, _name_a_quarter_that_is_not, _split_at_less_than_nothing,
        _split_at_a_part_of_a_rack, _forget_multipliers, _forget_a_side, _price_a_side_below_nothing,
        _take_the_grid_for_a_coarser_one, _hang_on_a_list,
    ],
)  # fmt: skip
def test_a_spoilt_tree_is_refused(change: Callable[[dict[str, Any]], None], sound_run: Path, tmp_path: Path) -> None:
    assert verify(sound_run).ok
    folder = tmp_path / "run"
    shutil.copytree(sound_run, folder)
    path = folder / "certificate.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content["trees"]["problem"])
    path.write_text(json.dumps(content), encoding="utf-8")
    report = verify(folder)
    assert {check.name for check in report.checks if not check.ok} == {"bound"}


def test_a_tree_that_covers_too_little_is_seen_by_what_it_proves(sound_run: Path, tmp_path: Path) -> None:
    """Splits anew at a higher count leave leaves that hold more plans, and prove a bound that is not the stated one."""
    folder = tmp_path / "run"
    shutil.copytree(sound_run, folder)
    path = folder / "certificate.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["trees"]["problem"] = _leaf(content["trees"]["problem"], "above") | {"sides": []}
    path.write_text(json.dumps(content), encoding="utf-8")
    failed = {check.name: check.detail for check in verify(folder).checks if not check.ok}
    assert set(failed) == {"bound"}
