"""Proofs to the end of problems with a side program: branches hold decisions too, and no leaf proves too little."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pytest
from side_cases import TINY, best_decisions, most_capacities, plan_worth, with_side_program
from solve_cases import Size, all_plans, changed, random_certificate, random_problem, tiny_problem

from planner.export import highs_optimum
from planner.lower.side_builder import SideBuilder
from planner.problem import ColumnKind, Plan
from planner.solve.patterns import row_patterns
from planner.solve.proof.box import DecisionSide, narrowed, whole_box
from planner.solve.proof.leaf import Leaf, bound_cents, nothing
from planner.solve.proof.oracle import Choices
from planner.solve.prove import Proven, prove
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from planner.problem import Problem


def proven_from_nothing(problem: Problem) -> Proven:
    empty = Plan(np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int32))
    return prove(problem, empty, lambda: False)


@pytest.mark.parametrize("seed", range(12))
def test_small_problems_end_proven(seed: int) -> None:
    """To the cent without a contract; with one, its premium and the decisions are each rounded down."""
    problem = with_side_program(random_problem(seed, Size(2, 2, 1, 2)), seed)
    proven = proven_from_nothing(problem)
    assert proven.objective == objective_cents(problem, proven.plan) == highs_optimum(problem).objective_cents
    assert proven.objective <= proven.bound <= proven.objective + (problem.contract_amount > 0)


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 7, 8, 9, 11])
def test_tiny_problems_end_at_the_best_of_all_plans(seed: int) -> None:
    problem = with_side_program(tiny_problem(seed, partial_units=seed % 3 > 0, contract=False), seed, TINY)
    found = [(racks, best_decisions(problem, racks)) for racks in all_plans(most_capacities(problem))]
    best = max(plan_worth(problem, racks, decisions) for racks, decisions in found if decisions is not None)
    proven = proven_from_nothing(problem)
    assert proven.bound == proven.objective == best


def test_an_instalment_that_is_just_missed_takes_a_split_of_its_decision() -> None:
    """Two rows hold 5 racks; 7 would unlock a thousand cents, of which the multipliers alone grant five sevenths."""
    problem = tiny_problem(0, partial_units=True, n_profiles=1, contract=False)
    builder = SideBuilder(("toy",), np.zeros(2, np.int32))
    row = builder.row("tranche:late", 0, [(0, 0, 1, 1)])
    builder.term(builder.column("tranche:late", 1000 * 2**20, 1, ColumnKind.SWITCH), row, 7)
    problem = changed(problem, side=builder.build())
    proven = proven_from_nothing(problem)
    assert proven.bound == proven.objective == highs_optimum(problem).objective_cents
    root = proven.root.to_json(problem)
    assert root["decision"] == "tranche:late"
    assert root["at_most"] == 0
    assert set(root) == {"decision", "at_most", "below", "above"}
    assert root["below"]["sides"] == []
    assert root["below"]["side"].keys() <= {"tranche:late"}


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 7])
def test_no_prices_prove_less_than_the_best_plan_of_a_branch(seed: int) -> None:
    problem = with_side_program(tiny_problem(seed, partial_units=True), seed, TINY)
    side = problem.side
    assert side is not None
    patterns = row_patterns(problem)
    choices = Choices(problem, patterns)
    random = np.random.default_rng(seed)
    plans = list(islice(all_plans(most_capacities(problem)), 40))
    found = [(racks, best_decisions(problem, racks)) for racks in plans]
    for draw in range(20):
        racks, decisions = found[int(random.integers(len(found)))]
        if decisions is None:
            continue
        box = whole_box(problem, patterns)
        for column in random.permutation(side.n_columns)[:3].tolist():
            is_above = bool(random.random() < 0.5)
            box = narrowed(problem, box, DecisionSide(column, decisions[column], is_above))
        prices = np.array([int(one) for one in random.integers(0, 2**38, side.n_rows)], object)
        proof = random_certificate(problem, 100 * seed + draw, largest_bits=34)
        bound = bound_cents(problem, choices, box, Leaf(replace(proof, side=prices), ()))
        assert bound is not None
        assert bound >= plan_worth(problem, racks, decisions)


def test_a_branch_without_decisions_left_holds_no_plan() -> None:
    problem = with_side_program(tiny_problem(2, partial_units=True), 2, TINY)
    patterns = row_patterns(problem)
    box = whole_box(problem, patterns)
    for side in (DecisionSide(0, 0, False), DecisionSide(0, 1, True)):
        box = narrowed(problem, box, side)
    assert bound_cents(problem, Choices(problem, patterns), box, nothing(problem, box)) is None
