"""Small problems are proven further by a tree of multipliers, toys to the end, and the checker reads it strictly."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from planner.export import highs_optimum
from planner.problem import Plan
from planner.solve import SolveOptions, Status, solve
from planner.solve import prove as prove_module
from planner.solve.certificate import bound_cents, certificate
from planner.solve.patterns import row_patterns
from planner.solve.prove import is_small
from planner.verify import verify
from tests.run_cases import lowered_of, make_run, solution_of
from tests.solve_cases import Size, proof_of, random_problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planner.problem import Problem
    from planner.solve.certificate import Certificate
    from planner.solve.formulation import Floors
    from planner.solve.relaxation import Relaxation

SPLIT_TOYS = (
    "toy-contract",
    "toy-distributed-grows",
    "toy-power-normal",
    "toy-scheme-distributed-3n2",
    "toy-scheme-distributed-4n3",
    "toy-shared-envelope",
)
"""Toys whose own multipliers leave a gap that a tree closes."""
MOST_CENTS_OFF = 4
"""Rounding multipliers to their grid may leave a leaf some cents above an optimum that is whole."""


@pytest.mark.parametrize("name", SPLIT_TOYS)
def test_a_toy_with_a_gap_is_closed_by_a_tree(name: str) -> None:
    solution = solution_of(name)
    assert solution.tree is not None
    assert len(solution.tree.leaves()) > 1
    assert solution.status is Status.OPTIMAL
    assert solution.bound == solution.objective


@pytest.mark.parametrize("seed", range(200, 212))
def test_the_proof_meets_the_optimum_of_random_problems(seed: int) -> None:
    problem = random_problem(seed, Size(n_blocks=2))
    assert is_small(problem)
    solution = solve(problem, SolveOptions(work_limit=500))
    assert solution.objective <= solution.bound
    optimum = highs_optimum(problem, 20.0).objective_cents
    assert solution.bound >= optimum
    if solution.bound <= solution.objective + MOST_CENTS_OFF:
        assert solution.objective >= optimum - MOST_CENTS_OFF


def test_a_tree_only_ever_lowers_the_bound() -> None:
    closed = 0
    for seed in range(220, 230):
        problem = random_problem(seed, Size(n_blocks=2))
        patterns, own = proof_of(problem)
        solution = solve(problem, SolveOptions(work_limit=500))
        assert solution.bound <= bound_cents(problem, patterns, own)
        closed += solution.bound <= solution.objective + MOST_CENTS_OFF
    assert closed >= 3


def test_a_branch_whose_own_multipliers_prove_less_keeps_those_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stated of a leaf is what the multipliers in its file prove."""

    def worse_in_floors(problem: Problem, relaxation: Relaxation, floors: Floors) -> Certificate:
        proof = certificate(problem, relaxation, floors)
        return replace(proof, limit=np.zeros_like(proof.limit), inside={}) if floors else proof

    monkeypatch.setattr(prove_module, "certificate", worse_in_floors)
    problem = lowered_of("toy-distributed-grows").problem
    plan = Plan(np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int32))
    root = prove_module.prove(problem, plan, lambda: False).root
    kept = [leaf for leaf in root.leaves() if leaf.floors and (leaf.proof.limit.any() or leaf.proof.inside)]
    assert kept
    for leaf in root.leaves():
        assert leaf.bound == bound_cents(problem, row_patterns(problem, leaf.caps), leaf.proof) <= root.bound


@pytest.fixture(scope="module")
def sound_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prove") / "run"
    make_run("toy-distributed-grows", folder)
    return folder


def _first_leaf(node: dict[str, Any]) -> dict[str, Any]:
    while "at_most" in node:
        node = node["above"]
    return node


def _lose_a_branch(tree: dict[str, Any]) -> None:
    tree.pop("below")


def _cover_less(tree: dict[str, Any]) -> None:
    tree["above"] = copy.deepcopy(tree["below"])


def _name_a_row_that_is_not(tree: dict[str, Any]) -> None:
    tree["row"] = "toy-distributed-grows:nowhere"


def _split_at_less_than_nothing(tree: dict[str, Any]) -> None:
    tree["at_most"] = -1


def _forget_multipliers(tree: dict[str, Any]) -> None:
    leaf = _first_leaf(tree)
    leaf["limits"], leaf["inside"], leaf["floors"] = {}, {}, []


def _floor_out_of_nothing(tree: dict[str, Any]) -> None:
    leaf = tree
    while "at_most" in leaf:
        place = [leaf["row"], leaf["configuration"], leaf["period"]]
        leaf = leaf["below"]
    leaf["floors"] = [[*place, str(2**40)]]


@pytest.mark.parametrize(
    "change",
    [
        _lose_a_branch,
        _cover_less,
        _name_a_row_that_is_not,
        _split_at_less_than_nothing,
        _forget_multipliers,
        _floor_out_of_nothing,
    ],
)
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
