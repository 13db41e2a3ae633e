"""Bounds of problems with a side program: no plan with any decisions is worth more, whatever the prices."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from side_cases import TINY, best_decisions, most_capacities, plan_worth, with_side_program
from solve_cases import (
    ONE,
    RACK_CENTS,
    all_plans,
    changed,
    proof_of,
    random_certificate,
    random_problem,
    tiny_problem,
)

from planner.cli.exits import BAD_INPUT, run_guarded
from planner.lower.side_builder import SideBuilder
from planner.problem import ColumnKind, Problem
from planner.side.capacity import most_capacity
from planner.side.prices import excess_worth, group_value
from planner.side.repair import repaired
from planner.solve.batch import check_same_graph
from planner.solve.certificate import Certificate, bound_cents, bound_scaled, certificate
from planner.solve.class_bound import ClassBound
from planner.solve.classes import equitable, refine
from planner.solve.first_order.choice import uses_columns
from planner.solve.patterns import limits_inside_blocks, row_patterns
from planner.solve.portfolio.split import split_sites, takes_apart
from planner.solve.relaxation import relax

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_PLANS = 40


def tiny_case(seed: int, *, partial_units: bool = True) -> Problem:
    return with_side_program(tiny_problem(seed, partial_units=partial_units), seed, TINY)


def best_worth(problem: Problem, seed: int) -> int:
    """Of some plans and all decisions at each; every plan where there are few."""
    plans = list(islice(all_plans(most_capacities(problem)), 5000))
    random = np.random.default_rng(seed)
    some = random.permutation(len(plans))[:MOST_PLANS]
    found = [(plans[one], best_decisions(problem, plans[one])) for one in some]
    return max(plan_worth(problem, racks, decisions) for racks, decisions in found if decisions is not None)


def random_prices(problem: Problem, seed: int, largest_bits: int) -> Certificate:
    """Any multipliers, the side program's among them."""
    assert problem.side is not None
    random = np.random.default_rng(seed)
    size = 2.0 ** random.uniform(0, largest_bits, problem.side.n_rows)
    some = np.where(random.random(problem.side.n_rows) < 0.7, size, 0)
    return replace(random_certificate(problem, seed, largest_bits), side=np.array([int(one) for one in some], object))


@settings(max_examples=30, deadline=None)
@given(
    seed=st.sampled_from([0, 1, 2, 3, 4, 7, 8, 9, 11, 13, 15, 16]),
    multipliers=st.integers(0, 10**6),
    bits=st.integers(20, 44),
)
def test_any_prices_prove_a_bound(seed: int, multipliers: int, bits: int) -> None:
    problem = tiny_case(seed, partial_units=seed % 3 > 0)
    proof = random_prices(problem, multipliers, bits)
    assert bound_cents(problem, row_patterns(problem), proof) >= best_worth(problem, multipliers)


@pytest.mark.parametrize("seed", [0, 1, 3, 4, 8, 9, 11, 13])
def test_the_multipliers_of_the_relaxation_prove_a_bound(seed: int) -> None:
    problem = tiny_case(seed, partial_units=seed % 3 > 0)
    patterns, proof = proof_of(problem)
    tight = replace(proof, limit=proof.limit * 0)
    best = best_worth(problem, seed)
    assert min(bound_cents(problem, patterns, proof), bound_cents(problem, patterns, tight)) >= best


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 60), multipliers=st.integers(0, 10**6), bits=st.integers(20, 60))
def test_classes_prove_what_the_whole_problem_proves(seed: int, multipliers: int, bits: int) -> None:
    problem = with_side_program(random_problem(seed), seed)
    patterns, proof = proof_of(problem)
    classes = refine(problem)
    assert equitable(problem, classes)
    other = replace(proof, side=random_prices(problem, multipliers, bits).side)
    for one in (proof, other):
        assert ClassBound(problem, classes).bound_scaled(problem, patterns, one) == bound_scaled(problem, patterns, one)


@pytest.mark.parametrize("seed", range(25))
def test_the_bound_is_what_the_relaxation_is_worth(seed: int) -> None:
    problem = with_side_program(random_problem(seed), seed)
    patterns, classes = row_patterns(problem), refine(problem)
    relaxation = relax(problem, patterns, classes, enough=1e-7)
    assert relaxation.status == "Optimal"
    bound = bound_cents(problem, patterns, certificate(problem, relaxation))
    assert abs(bound - relaxation.value) <= 1e-6 * RACK_CENTS


def test_prices_of_a_minimum_and_of_hours_move_to_their_closed_forms() -> None:
    """One site sells up to 10 units at 7 cents; a rack-hour does 3 and costs 1; a unit missing costs 5 cents."""
    builder = SideBuilder(("toy",), np.zeros(2, np.int32))
    hours = builder.row("hours", 0, [(0, 0, 0, 4)])
    work, floor = builder.row("work"), builder.row("floor", -6)
    sold = builder.column("sold", 7 * ONE, 10, ColumnKind.FILLED)
    serve = builder.column("serve", -ONE, 4, ColumnKind.CHOSEN)
    short = builder.column("short", -5 * ONE, 6, ColumnKind.NEEDED)
    for column, row, coefficient in ((sold, work, 1), (sold, floor, -1), (serve, hours, 1), (serve, work, -3)):
        builder.term(column, row, coefficient)
    builder.term(short, floor, -1)
    problem = changed(tiny_problem(0, partial_units=True), side=builder.build())
    racks = np.zeros((2, 2, 2))
    racks[0, 0, 0] = 1.0
    asked = np.array([25, 9, 8], object) * 2**30
    moved = repaired(problem, asked, no_limits(problem), 30, racks)
    assert [price / 2**30 for price in moved] == [26, 9, 5]
    assert excess_worth(problem, moved, no_limits(problem), 30) == [3 * 2**50, 0, 0]
    assert group_value(problem, moved)[0, 0, 0] == 4 * 26 * 2**30


def no_limits(problem: Problem) -> NDArray[np.object_]:
    return np.zeros((problem.n_limits, problem.n_periods), object)


def test_a_limit_that_may_grow_is_kept_at_its_most_by_rows_and_priced_over_all_of_them() -> None:
    """Two rows of one block share 10 units; an instalment that 2 racks unlock adds 8 in the second quarter."""
    problem = tiny_problem(1, partial_units=True)
    meter = next(n for n, info in enumerate(problem.limits) if info.family == "meter")
    builder = SideBuilder(("toy",), np.zeros(2, np.int32))
    row = builder.row("tranche", 0, [(0, 0, 0, 1), (0, 1, 0, 1)])
    column = builder.column("tranche", 0, 1, ColumnKind.SWITCH)
    builder.term(column, row, 2)
    builder.capacity(column, meter, 1, 8 * ONE)
    grown = changed(problem, side=builder.build())
    assert limits_inside_blocks(problem)[meter] == 0
    assert limits_inside_blocks(grown)[meter] == -1
    assert most_capacity(grown)[meter].tolist() == [problem.capacity[meter, 0], problem.capacity[meter, 1] + 8 * ONE]
    wide = changed(problem, capacity=most_capacity(grown))
    assert (row_patterns(grown).most_racks == row_patterns(wide).most_racks).all()
    too_much = changed(grown, side=replace(grown.side, column_most=(2**62,)))  # type: ignore[type-var]
    with pytest.raises(ValueError, match=r"meter:service grows to \d+ / 2\^20 .* no capacity may pass 2\^62"):
        row_patterns(too_much)


def test_rows_of_different_sites_are_of_different_classes() -> None:
    """Two blocks alike at two sites, told apart only by what racks there give to the side program."""
    problem = with_side_program(random_problem(3), 3)
    assert problem.side is not None
    classes = refine(problem)
    for label in np.unique(classes.row):
        assert np.unique(problem.side.group_of_row_idx[classes.row == label]).size == 1


def test_without_a_side_program_the_certificate_says_nothing_of_it() -> None:
    problem = random_problem(1)
    patterns, proof = proof_of(problem)
    content = proof.to_json(problem)
    assert "side" not in content
    assert (
        bound_cents(changed(problem, constant_cents=-77), patterns, proof) == bound_cents(problem, patterns, proof) - 77
    )
    beside = with_side_program(problem, 1)
    assert beside.side is not None
    priced = proof_of(beside)[1]
    stated = priced.to_json(beside)["side"]
    assert stated == {n: str(price) for n, price in zip(beside.side.row_names, priced.side, strict=True) if price}
    assert stated


def test_what_knows_no_side_program_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    problem = with_side_program(random_problem(1), 1)
    with pytest.raises(
        ValueError, match=r"found bound 'first-order' for a portfolio with workloads .* choose 'columns'"
    ):
        uses_columns(problem, refine(problem), "first-order")
    assert run_guarded(lambda: uses_columns(problem, refine(problem), "first-order"), debug=False) == BAD_INPUT
    assert capsys.readouterr().err.startswith("gigaplan: found bound 'first-order'")
    assert uses_columns(problem, refine(problem), "auto")
    with pytest.raises(ValueError, match=r"scenario 0 has workloads or terms of a contract.*solve it on its own"):
        check_same_graph(random_problem(1), problem, "scenario 0")
    assert not takes_apart(problem)
    with pytest.raises(ValueError, match="join all sites: such a problem is not taken apart"):
        split_sites(problem)
