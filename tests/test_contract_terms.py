"""Contract clauses as rows and columns of the side program, against the published rule worked out by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from contract_cases import commitment, floor, share, tranche
from fixtures.small_site import PROVENANCE, small_site
from fixtures.small_world import small_world
from work_cases import working_world

from planner.lower import lower
from planner.problem import INACTIVE, SHARE_BITS, ColumnKind
from sites.faults import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem, SideProgram

ONE = 1 << SHARE_BITS
GB200, GB300 = 0, 1
RENT_CENTS = 72 * 2190 * 100


def side_of(problem: Problem) -> SideProgram:
    assert problem.side is not None
    return problem.side


def problem_with(**portfolio: Any) -> Problem:
    return lower(small_world(**portfolio)).problem


def standing(problem: Problem, *racks: tuple[int, int, int, int]) -> NDArray[np.int64]:
    """[n_groups, n_configurations, n_periods] of (group, configuration, first period, racks from then on)."""
    n = np.zeros((side_of(problem).n_groups, problem.n_configurations, problem.n_periods), np.int64)
    for group, k, first, count in racks:
        n[group, k, first:] += count
    return n


def room(side: SideProgram, name: str, n: NDArray[np.int64]) -> int:
    """Right-hand side of a row with the racks' part."""
    row = side.row_names.index(name)
    entries = slice(side.rack_ptr[row], side.rack_ptr[row + 1])
    place = (side.rack_group_idx[entries], side.rack_configuration_idx[entries], side.rack_period_idx[entries])
    return side.row_right[row] + int((side.rack_coefficient[entries].astype(object) * n[place]).sum())


def coefficient(side: SideProgram, column: str, row: str) -> int:
    number, wanted = side.column_names.index(column), side.row_names.index(row)
    entries = range(side.term_ptr[number], side.term_ptr[number + 1])
    return sum(int(side.term_coefficient[entry]) for entry in entries if side.term_row_idx[entry] == wanted)


def needed(side: SideProgram, column: str, row: str, n: NDArray[np.int64]) -> int:
    """The least that a column of a clause must be for its row to hold."""
    taken = coefficient(side, column, row)
    assert taken < 0
    return max(0, -(-room(side, row, n) // taken)) if room(side, row, n) < 0 else 0


def worth(side: SideProgram, column: str) -> Fraction:
    """Cents for a unit of a column."""
    return Fraction(side.column_worth[side.column_names.index(column)], ONE)


def test_no_clause_no_side_program() -> None:
    """A portfolio without clauses decides nothing beside racks."""
    assert problem_with().side is None


@pytest.mark.parametrize(
    ("measure", "minimum", "price", "each"),
    [
        ("racks", 5, "300 USD", 1),
        ("gpus", 300, "4 USD", 72),
        ("it-w", "0.6 MW", "2 USD/kW", 132_000),
    ],
)
def test_floor_asks_for_what_is_short(measure: str, minimum: Any, price: str, each: int) -> None:
    """Two racks of GB200 leave the rest of the minimum short, at its price, in every quarter from the step on."""
    problem = problem_with(floors=[floor(measure, minimum, price, start="2027-Q2")])
    side, n = side_of(problem), standing(problem, (0, GB200, 0, 2))
    due = {"racks": 5, "gpus": 300, "it-w": 600_000}[measure]
    cents = {"racks": Fraction(30_000), "gpus": Fraction(400), "it-w": Fraction(1, 5)}[measure]
    assert "floor:least:2027-Q1" not in side.row_names
    for quarter in problem.periods[1:]:
        column = f"short:least:{quarter}"
        assert needed(side, column, f"floor:least:{quarter}", n) == due - 2 * each
        assert -worth(side, column) - cents < Fraction(1, ONE)
        assert side.column_most[side.column_names.index(column)] == due
        assert side.column_kind[side.column_names.index(column)] is ColumnKind.NEEDED


def test_floor_price_is_discounted_and_rounded_up() -> None:
    """A dollar a rack a year later at 21 % a year: 100/1.21 cents, never less."""
    problem = problem_with(floors=[floor("racks", 1, "1 USD")], money={"discount_rate_per_year": "21 %"})
    cost = -worth(side_of(problem), "short:least:2028-Q1")
    assert 0 <= cost - Fraction(100) / Fraction("1.21") < Fraction(2, ONE)


def test_floor_counts_its_part_only() -> None:
    """Racks of other sites and systems do not count."""
    clauses = [floor("racks", 9, "1 USD", sites=["there"], systems=["gb300-nvl72"])]
    sites = (small_site() | {"name": "here"}, small_site() | {"name": "there"})
    problem = lower(small_world(*sites, floors=clauses)).problem
    n = standing(problem, (0, GB300, 0, 1), (1, GB200, 0, 2), (1, GB300, 0, 4))
    assert needed(side_of(problem), "short:least:2027-Q1", "floor:least:2027-Q1", n) == 9 - 4


def test_accepted_racks_are_those_of_earlier_quarters() -> None:
    """With a lag of two quarters nothing is accepted in the first two, and all of the minimum is short there."""
    problem = problem_with(floors=[floor("accepted-racks", 3, "1 USD")], money={"acceptance_lag_quarters": 2})
    side, n = side_of(problem), standing(problem, (0, GB200, 0, 1), (0, GB300, 1, 1))
    short = [needed(side, f"short:least:{q}", f"floor:least:{q}", n) for q in problem.periods]
    assert short == [3, 3, 2, 1, 1, 1]


def test_meter_watts_are_those_of_the_demand_charge() -> None:
    """They count the same whether or not the tariff charges demand: what a minimum demand counts for a rack."""
    clauses = [floor("meter-w", "1 MW", "1 USD/kW")]
    charged = small_site()
    charged["service"] |= {
        "demand_charge": "10 USD/kW/month",
        "demand_charge_provenance": PROVENANCE,
        "minimum_demand": {"steps": [{"start": "2026-Q1", "capacity": "5 MW"}], "provenance": PROVENANCE},
    }
    problem = lower(small_world(charged, floors=clauses)).problem
    (demand,) = problem.minimum_demands
    for one in (side_of(problem), side_of(problem_with(floors=clauses))):
        counted = one.rack_coefficient[one.rack_ptr[0] : one.rack_ptr[1]].tolist()
        assert counted == [drawn // ONE for drawn in demand.draw_scaled]


def test_share_at_most() -> None:
    """Of 10 racks 7 are GB300 where at most 62.5 % may be: 6.25, so 0.75 over, a whole rack."""
    problem = problem_with(shares=[share("racks", "500 USD", systems=["gb300-nvl72"], at_most="62.5 %")])
    side = side_of(problem)
    row, column = "share:part:2027-Q1", "over:part:2027-Q1"
    assert needed(side, column, row, standing(problem, (0, GB200, 0, 3), (0, GB300, 0, 7))) == 1
    assert needed(side, column, row, standing(problem, (0, GB200, 0, 3), (0, GB300, 0, 5))) == 0
    assert needed(side, column, row, standing(problem)) == 0
    assert worth(side, column) == -50_000
    assert side.column_most[side.column_names.index(column)] == 2000


def test_share_at_least() -> None:
    """Of 10 racks 7 are GB300 where at least 90 % must be: two short."""
    problem = problem_with(shares=[share("racks", "500 USD", systems=["gb300-nvl72"], at_least="90 %", end="2027-Q2")])
    side = side_of(problem)
    n = standing(problem, (0, GB200, 0, 3), (0, GB300, 0, 7))
    assert needed(side, "under:part:2027-Q1", "share:part:2027-Q1", n) == 2
    assert [name for name in side.row_names if name.endswith("Q3")] == []


def test_share_of_spend_is_that_of_the_rack_budget() -> None:
    """Racks of 100,000 USD each: one of four at a quarter allowed, two are one too many, 10 cents a dollar."""
    clauses = [share("spend", 0.1, systems=["gb300-nvl72"], at_most="25 %")]
    problem = problem_with(shares=clauses)
    side = side_of(problem)
    row, column = "share:part:2027-Q1", "over:part:2027-Q1"
    assert needed(side, column, row, standing(problem, (0, GB200, 0, 2), (0, GB300, 0, 2))) == 10_000_000
    assert Fraction(1, 10) <= -worth(side, column) < Fraction(1, 10) + Fraction(1, ONE)


def test_share_by_vendor() -> None:
    """All systems of the catalogue's one vendor are the whole of the plan: 40 % of it are 60 % too many."""
    problem = problem_with(shares=[share("gpus", "1 USD", vendors=["nvidia"], at_most="40 %")])
    n = standing(problem, (0, GB200, 0, 5), (0, GB300, 0, 5))
    assert needed(side_of(problem), "over:part:2027-Q1", "share:part:2027-Q1", n) == 432


def test_tranche_needs_its_milestone() -> None:
    """The switch takes its target of what stands in the quarter; its cash is worth what it is then."""
    problem = problem_with(tranches=[tranche("racks", 4, cash="1e6 USD")], money={"discount_rate_per_year": "21 %"})
    side = side_of(problem)
    assert coefficient(side, "tranche:first", "tranche:first") == 4
    assert room(side, "tranche:first", standing(problem, (0, GB200, 2, 3))) == 3
    assert room(side, "tranche:first", standing(problem, (0, GB200, 3, 9))) == 0
    half_a_year = Fraction(1.21**-0.5)
    assert 0 <= 100_000_000 * half_a_year - worth(side, "tranche:first") < Fraction(1, 100)
    assert side.column_kind == (ColumnKind.SWITCH,)
    assert side.capacity_limit_idx.size == 0


def test_tranche_raises_the_rack_budget_afterwards() -> None:
    """1 M USD more from the quarter after the milestone on; the limit keeps its own capacity in the problem."""
    money = {"rack_budget": "2e6 USD"}
    problem = problem_with(tranches=[tranche("racks", 4, rack_budget="1e6 USD")], money=money)
    side = side_of(problem)
    (number,) = {int(one) for one in side.capacity_limit_idx}
    assert problem.limits[number].name == "*:budget:racks"
    assert side.capacity_period_idx.tolist() == [3, 4, 5]
    assert side.capacity_amount.tolist() == [1_000_000 * ONE] * 3
    assert problem.capacity[number].tolist() == [2_000_000 * ONE] * 6
    assert side.column_worth == (0,)


@pytest.mark.parametrize(
    ("rack_price", "budget", "lost"),
    [("100000 USD", "1e9 USD", "*:budget:racks"), ("100 USD", "100 USD", "*:supply:gb200-nvl72")],
)
def test_a_budget_that_may_grow_is_compared_with_no_limit(rack_price: str, budget: str, lost: str) -> None:
    """It is left out where supply implies it, and makes supply superfluous, unless a tranche may raise it."""
    systems = [
        {"system": "gb200-nvl72", "rack_price": rack_price, "network_price": "0 USD", "rental": "1 USD/gpu/h",
         "provenance": PROVENANCE}
    ]  # fmt: skip
    supply = [{"system": "gb200-nvl72", "deliveries": [{"quarter": "2027-Q1", "racks": 10}], "provenance": PROVENANCE}]
    money = {"rack_budget": budget, "systems": systems}
    keys: dict[str, Any] = {"configurations": ["gb200-nvl72"], "supply": supply, "money": money}
    assert lost not in {limit.name for limit in problem_with(**keys).limits}
    raised = problem_with(tranches=[tranche("racks", 1, rack_budget="1e6 USD")], **keys)
    names = [limit.name for limit in raised.limits]
    for name in ("*:budget:racks", "*:supply:gb200-nvl72"):
        assert (raised.capacity[names.index(name)] != INACTIVE).all()


def test_budget_beyond_64_bits_is_refused() -> None:
    """Scaled by 2^20 the budget must stay below 2^62 with every tranche paid."""
    with pytest.raises(InputError, match="lower the budget or the tranches"):
        problem_with(tranches=[tranche("racks", 1, rack_budget="3e12 USD")], money={"rack_budget": "3e12 USD"})


def test_take_or_pay_counts_rent_of_the_term() -> None:
    """Racks rent for 157,680 USD a quarter; a term of two quarters of one rack leaves the rest of a million due."""
    term = commitment("1e6 USD", "2027-Q2", "2027-Q3")
    problem = problem_with(perspective="customer", commitments=[term])
    side = side_of(problem)
    n = standing(problem, (0, GB200, 0, 1))
    assert needed(side, "shortfall:rent", "commitment:rent", n) == 100_000_000 - 2 * RENT_CENTS
    assert worth(side, "shortfall:rent") == -1
    assert side.column_most == (100_000_000,)


def test_take_or_pay_binds_the_customer_only() -> None:
    """In the provider's and the chain's books it is reported and decides nothing."""
    term = commitment("1e6 USD", "2027-Q2", "2027-Q3")
    assert problem_with(commitments=[term]).side is None
    assert problem_with(perspective="chain", commitments=[term]).side is None


def test_rent_before_acceptance_and_after_the_decisions() -> None:
    """A rack started in the fourth of six quarters, accepted a quarter later, alive for eight: of a term of twelve
    quarters it pays the fifth to the eleventh."""
    term = commitment("5e6 USD", "2027-Q1", "2029-Q4")
    money = {"acceptance_lag_quarters": 1, "economic_life_quarters": 8}
    problem = problem_with(perspective="customer", commitments=[term], money=money)
    n = standing(problem, (0, GB200, 3, 1))
    short = needed(side_of(problem), "shortfall:rent", "commitment:rent", n)
    assert short == 500_000_000 - 7 * RENT_CENTS


def test_work_counts_from_the_start() -> None:
    """A floor and a tranche of tokens count what is sold up to their quarter, in thousands."""
    floors = [floor("tokens", 5_000_500, "2 USD/million", workloads=["chat"])]
    tranches = [tranche("tokens", 3e6, by="2027-Q2", workloads=["chat"], cash="10 USD")]
    side = side_of(lower(working_world(floors=floors, tranches=tranches)).problem)
    for quarter, until in (("2027-Q1", 1), ("2027-Q3", 3)):
        row = f"floor:least:{quarter}"
        sold = [name for name in side.column_names if name.startswith("sold:") and coefficient(side, name, row)]
        assert len(sold) == 2 * until
        assert all(coefficient(side, name, row) == -1 for name in sold)
        assert side.row_right[side.row_names.index(row)] == -5001
        assert 0 <= -worth(side, f"short:least:{quarter}") - Fraction(1, 5) < Fraction(1, ONE)
    assert coefficient(side, "tranche:first", "tranche:first") == 3000
    assert coefficient(side, "sold:chat:spot:2027-Q2", "tranche:first") == -1
    assert coefficient(side, "sold:chat:spot:2027-Q3", "tranche:first") == 0
