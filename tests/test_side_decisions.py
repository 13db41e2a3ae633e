"""What is decided beside given racks: against every possibility on small problems, and toys worked by hand."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import pytest
from side_cases import SideSize, best_decisions, broken_side_rules, most_capacities, plan_worth, with_side_program
from solve_cases import ONE, QUICK, changed, random_problem, tiny_problem

from planner.lower.side_builder import SideBuilder
from planner.problem import ColumnKind, Plan, Problem
from planner.side.decide import best_decisions as decided
from planner.side.parts import parts_of
from planner.side.worth import rack_rights, rows_hold, worth_cents
from planner.solve import solve
from planner.solve.feasible import holds
from planner.solve.formulation import MONEY_CENTS
from planner.solve.program import Program, solve_program
from planner.solve.side_columns import SideColumns
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = SideSize(n_workloads=1, hours=3, quantity=4)
_MOST_LISTED = 3000


def plans_of(problem: Problem) -> list[NDArray[np.int32]]:
    """No racks, a good plan, and one that may need an instalment's capacity."""
    bare = changed(problem, side=None, constant_cents=0)
    wide = changed(most_capacities(problem), side=None, constant_cents=0)
    good = [solve(one, QUICK).plan.n_racks for one in (bare, wide)]
    return [np.zeros_like(good[0]), *good]


def is_listable(problem: Problem) -> bool:
    """Whether all values of every part can be tried."""
    assert problem.side is not None
    counts = [
        prod(most + 1 for most, kind in zip(part.most, part.kind, strict=True) if kind is not ColumnKind.NEEDED)
        for part in parts_of(problem.side)
    ]
    return max(counts) <= _MOST_LISTED


LISTABLE = [
    seed for seed in range(80) if is_listable(with_side_program(random_problem(seed), seed, SMALL))
]  # fmt: skip


def unit_worth(problem: Problem) -> int:
    """What an hour may earn at the most, scaled by 2^20."""
    side = problem.side
    assert side is not None
    worth = [each for each, kind in zip(side.column_worth, side.column_kind, strict=True) if kind is ColumnKind.FILLED]
    return max(worth) * int(-side.term_coefficient.min())


@pytest.mark.parametrize("seed", LISTABLE[:10])
def test_decisions_are_the_best_but_for_an_hour(seed: int) -> None:
    problem = with_side_program(random_problem(seed), seed, SMALL)
    assert problem.side is not None
    for n_racks in plans_of(problem):
        best, found = best_decisions(problem, n_racks), decided(problem, n_racks)
        assert found is not None
        assert holds(problem, Plan(n_racks)) == (best is not None)
        if best is None:
            continue
        assert broken_side_rules(problem, n_racks, list(found.values)) == []
        assert rows_hold(problem.side, n_racks, found.values)
        worth, most = (plan_worth(problem, n_racks, list(v)) for v in (found.values, best))
        assert most - (unit_worth(problem) >> 20) <= worth <= most
        assert objective_cents(problem, Plan(n_racks)) == worth


def test_most_decisions_are_the_very_best() -> None:
    pairs = []
    for seed in LISTABLE[10:]:
        problem = with_side_program(random_problem(seed), seed, SMALL)
        for n_racks in plans_of(problem)[1:]:
            best = best_decisions(problem, n_racks)
            if best is not None:
                pairs.append((plan_worth(problem, n_racks, best), objective_cents(problem, Plan(n_racks))))
    assert len(pairs) >= 10
    assert sum(best == found for best, found in pairs) >= 0.8 * len(pairs)


def test_the_same_racks_have_the_same_decisions_whatever_was_asked_before() -> None:
    problem = with_side_program(random_problem(5), 5)
    plans = plans_of(problem)
    again = changed(problem)
    forward = [decided(problem, n_racks) for n_racks in plans]
    backward = [decided(again, n_racks) for n_racks in reversed(plans)]
    assert [one.values for one in forward if one] == [one.values for one in reversed(backward) if one]


def test_parts_are_apart_and_leave_nothing_out() -> None:
    side = with_side_program(random_problem(8), 8).side
    assert side is not None
    parts = parts_of(side)
    assert sorted(column for part in parts for column in part.column_idx) == list(range(side.n_columns))
    rows = [row for part in parts for row in part.row_idx]
    assert len(rows) == len(set(rows))
    assert len(parts) > 2


def test_work_in_numbers_of_a_campus_comes_within_an_hour_of_the_linear_program() -> None:
    problem = campus_of_work()
    random = np.random.default_rng(3)
    n_racks = random.integers(0, 400, (3, 3, 4)).cumsum(axis=2).astype(np.int32)
    found = decided(problem, n_racks)
    assert found is not None
    assert problem.side is not None
    assert rows_hold(problem.side, n_racks, found.values)
    program = Program()
    beside = SideColumns(problem, program)
    standing = np.array([program.variable(0.0) for _ in range(n_racks.size)]).reshape(n_racks.shape)
    for number, count in zip(standing.ravel().tolist(), n_racks.ravel().tolist(), strict=True):
        program.fix(number, count)
    beside.rows(standing, np.arange(3))
    best = solve_program(program, (1e-9, 1), 20.0)
    assert best is not None
    # An hour of each workload's fastest racks is worth less than 40,000 cents, and each quarter rounds a few.
    assert best.objective * MONEY_CENTS - 2_000_000 <= found.worth_cents <= best.objective * MONEY_CENTS * (1 + 1e-9)
    assert found.worth_cents > 10**10


def campus_of_work() -> Problem:
    """Three sites of a row each, three workloads of millions of tokens an hour, four quarters."""
    random, side = np.random.default_rng(11), SideBuilder(("a", "b", "c"), np.arange(3, dtype=np.int32))
    rate = random.integers(1_000, 20_000, (3, 3)) * 1_000
    for workload, period in product(range(3), range(4)):
        work = side.row(f"work:{workload}:{period}")
        for tier, cents in enumerate((2.0, 1.2, 0.5)):
            quantity = int(2190 * rate[:, workload].mean() * 300 * random.uniform(0.1, 0.6))
            sold = side.column(
                f"sold:{workload}:{tier}:{period}", int(cents * ONE / 1_000), quantity, ColumnKind.FILLED
            )
            side.term(sold, work, 1)
        for site, k in product(range(3), range(3)):
            name = f"hours:{site}:{k}:{period}"
            hours = side.row_idx.get(name)
            hours = side.row(name, 0, [(site, k, period, 2190)]) if hours is None else hours
            cost = -int(random.integers(500, 4_000)) * ONE
            serve = side.column(f"serve:{site}:{k}:{workload}:{period}", cost, 10**9, ColumnKind.CHOSEN)
            side.term(serve, hours, 1)
            side.term(serve, work, -int(rate[k, workload]))
    bare = tiny_problem(1, partial_units=True, contract=False)
    return changed(
        bare, row_names=("a:r", "b:r", "c:r"), configuration_names=("x", "y", "z"), periods=("1", "2", "3", "4"),
        side=side.build(),
    )  # fmt: skip


# Toys


class Toy:
    """One site, one system of two profiles, two quarters; rows and columns as a test wants them."""

    def __init__(self) -> None:
        self.problem = tiny_problem(1, partial_units=True, contract=False)
        self.side = SideBuilder(("toy",), np.zeros(self.problem.n_rows, np.int32))

    def built(self) -> Problem:
        return changed(self.problem, side=self.side.build())

    def racks(self, *standing: int) -> NDArray[np.int32]:
        """So many racks of the first configuration in each quarter."""
        n_racks = np.zeros((self.problem.n_rows, self.problem.n_configurations, self.problem.n_periods), np.int32)
        n_racks[0, 0] = standing
        return n_racks


def test_hours_go_to_the_dearest_work_first_and_idle_where_work_costs_more_than_it_earns() -> None:
    toy = Toy()
    hours = toy.side.row("hours", 0, [(0, 0, 0, 10)])
    for name, price, quantity, rate in (("dear", 9, 12, 2), ("cheap", 3, 100, 3), ("worthless", 1, 50, 1)):
        row = toy.side.row(f"work:{name}")
        toy.side.term(toy.side.column(f"sold:{name}", price * ONE, quantity, ColumnKind.FILLED), row, 1)
        serve = toy.side.column(f"serve:{name}", -2 * ONE, 100, ColumnKind.CHOSEN)
        toy.side.term(serve, hours, 1)
        toy.side.term(serve, row, -rate)
    problem = toy.built()
    found = decided(problem, toy.racks(1, 1))
    assert found is not None
    # 6 of 10 hours make the 12 dear units, 4 make 12 cheap ones; an hour costs 2 cents.
    assert found.named == {"sold:dear": 12, "serve:dear": 6, "sold:cheap": 12, "serve:cheap": 4}
    assert found.worth_cents == 12 * 9 + 12 * 3 - 10 * 2
    plenty = decided(problem, toy.racks(50, 50))
    assert plenty is not None
    assert plenty.named == {"sold:dear": 12, "serve:dear": 6, "sold:cheap": 100, "serve:cheap": 34}


def test_an_instalment_comes_with_its_target_and_not_where_it_costs() -> None:
    toy = Toy()
    for name, cents in (("gift", 500), ("burden", -500)):
        row = toy.side.row(f"tranche:{name}", 0, [(0, 0, 1, 1)])
        toy.side.term(toy.side.column(f"tranche:{name}", cents * ONE, 1, ColumnKind.SWITCH), row, 3)
    problem = toy.built()
    met, missed = decided(problem, toy.racks(0, 3)), decided(problem, toy.racks(0, 2))
    assert met is not None
    assert missed is not None
    assert (met.named, met.worth_cents) == ({"tranche:gift": 1}, 500)
    assert (missed.named, missed.worth_cents) == ({}, 0)


def test_an_instalment_that_costs_is_on_where_racks_need_its_capacity() -> None:
    toy = Toy()
    wide = int(np.argmax(np.diff(toy.problem.limit_ptr)))
    load = int(toy.problem.entry_coefficient[toy.problem.limit_ptr[wide], 0])
    capacity = toy.problem.capacity.copy()
    capacity[wide] = load
    toy.problem = changed(toy.problem, capacity=capacity)
    row = toy.side.row("tranche:budget", 0, [(0, 0, 0, 1)])
    column = toy.side.column("tranche:budget", -7 * ONE, 1, ColumnKind.SWITCH)
    toy.side.term(column, row, 1)
    toy.side.capacity(column, wide, 1, load)
    problem = toy.built()
    within, beyond = decided(problem, toy.racks(1, 1)), decided(problem, toy.racks(1, 2))
    assert within is not None
    assert beyond is not None
    assert (within.named, within.worth_cents) == ({}, 0)
    assert (beyond.named, beyond.worth_cents) == ({"tranche:budget": 1}, -7)
    assert not holds(problem, Plan(toy.racks(2, 2)))
    # Nothing stands in the first quarter, so its target is missed and its capacity is not there.
    assert not holds(problem, Plan(toy.racks(0, 2)))


def test_a_shortfall_is_what_is_missing_and_no_more() -> None:
    toy = Toy()
    row = toy.side.row("floor:racks", -5, [(0, 0, 0, 2)])
    toy.side.term(toy.side.column("short:racks", -3 * ONE, 5, ColumnKind.NEEDED), row, -1)
    problem = toy.built()
    assert [one.named for n in range(4) if (one := decided(problem, toy.racks(n, 3)))] == [
        {"short:racks": 5}, {"short:racks": 3}, {"short:racks": 1}, {},
    ]  # fmt: skip


def test_numbers_beyond_64_bits_stay_exact() -> None:
    toy = Toy()
    row = toy.side.row("share", 0, [(0, 0, 0, -(2**61))])
    toy.side.term(toy.side.column("over", -1, 2**62, ColumnKind.NEEDED), row, -1)
    problem = toy.built()
    assert problem.side is not None
    assert rack_rights(problem.side, toy.racks(3, 3)) == [-3 * 2**61]
    two, three = decided(problem, toy.racks(2, 2)), decided(problem, toy.racks(3, 3))
    assert two is not None
    assert three is not None
    assert (two.values, two.holds) == ((2**62,), True)
    assert worth_cents(problem.side, two.values) == -(2**42)
    assert not three.holds


def test_a_row_that_no_column_can_help_is_a_rule_for_racks() -> None:
    toy = Toy()
    toy.side.row("hard", 2, [(0, 0, 0, -1)])
    toy.side.column("free", ONE, 4, ColumnKind.FILLED)
    problem = toy.built()
    assert [one.holds for n in (2, 3) if (one := decided(problem, toy.racks(n, 3)))] == [True, False]
    free = decided(problem, toy.racks(0, 0))
    assert free is not None
    assert free.named == {"free": 4}
