"""Verification derives every contract clause anew: the same rows and columns as lowering, and by hand."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from contract_cases import clause, commitment, every_clause, floor, tranche
from fixtures.small_site import PROVENANCE, small_site
from fixtures.small_world import small_world
from verify_cases import verification_of
from work_cases import BASIS, made_basis, work_content

from planner.lower import lower
from planner.run.document import placements
from planner.run.terms import terms_ledger
from planner.verify.terms_check import check_terms

if TYPE_CHECKING:
    from planner.problem import SideProgram
    from planner.verify.side import Side
    from sites.world import World

ONE = 2**20


def world_with(**portfolio: Any) -> World:
    """Two sites under clauses of every kind, whose racks work."""
    sites = (small_site() | {"name": "here"}, small_site() | {"name": "there"})
    content = {**work_content(), **every_clause(), **portfolio}
    money = {"discount_rate_per_year": "0.1", "rental_decline_per_year": "0.2", "acceptance_lag_quarters": 1}
    content["money"] = {**money, "rack_budget": "1e6 USD", **content.get("money", {})}
    world = small_world(*sites, **content)
    return replace(world, catalog=replace(world.catalog, throughput={BASIS: made_basis()}))


def lowered_rows(side: SideProgram, configurations: tuple[str, ...]) -> dict[str, Any]:
    """Right-hand side and racks of each row, by name."""
    found = {}
    for number, name in enumerate(side.row_names):
        entries = range(side.rack_ptr[number], side.rack_ptr[number + 1])
        racks: dict[tuple[str, str, int], int] = {}
        for entry in entries:
            site = side.group_names[side.rack_group_idx[entry]]
            place = (site, configurations[side.rack_configuration_idx[entry]], int(side.rack_period_idx[entry]))
            racks[place] = racks.get(place, 0) + int(side.rack_coefficient[entry])
        found[name] = (side.row_right[number], racks)
    return found


def lowered_columns(side: SideProgram, limits: list[str]) -> dict[str, Any]:
    """Worth, most, terms and raised capacities of each column, by name."""
    found = {}
    for number, name in enumerate(side.column_names):
        entries = range(side.term_ptr[number], side.term_ptr[number + 1])
        terms = {side.row_names[side.term_row_idx[entry]]: int(side.term_coefficient[entry]) for entry in entries}
        raised = {
            (limits[side.capacity_limit_idx[entry]], int(side.capacity_period_idx[entry])): int(
                side.capacity_amount[entry]
            )
            for entry in range(side.capacity_ptr[number], side.capacity_ptr[number + 1])
        }
        found[name] = (side.column_worth[number], side.column_most[number], terms, raised)
    return found


def assert_same(side: SideProgram, own: Side, configurations: tuple[str, ...], limits: list[str]) -> None:
    """Lowering and verification have the very same program."""
    assert {name: (row.right, dict(row.racks)) for name, row in own.rows.items()} == lowered_rows(side, configurations)
    columns = {name: (one.worth_scaled, one.most, one.terms, one.raises) for name, one in own.columns.items()}
    assert columns == lowered_columns(side, limits)


@pytest.mark.parametrize("perspective", ["chain", "customer"])
@pytest.mark.parametrize("lag", [0, 2])
def test_the_same_program_as_lowering(perspective: str, lag: int) -> None:
    """Two codes that share nothing read every clause alike, to the last unit."""
    world = world_with(perspective=perspective, money={"acceptance_lag_quarters": lag})
    problem = lower(world).problem
    assert problem.side is not None
    limits = [limit.name for limit in problem.limits]
    assert_same(problem.side, verification_of(world).side, problem.configuration_names, limits)
    bought = perspective == "customer"
    assert any(name.startswith("shortfall:") for name in problem.side.column_names) is bought


def side_of(**portfolio: Any) -> Side:
    return verification_of(small_world(**portfolio)).side


def test_floor_by_hand() -> None:
    """0.6 MW of racks at 132 kW, 2 USD for each kW short: 0.2 cents a watt, rounded up."""
    side = side_of(floors=[floor("it-w", "0.6 MW", "2 USD/kW", start="2027-Q2")])
    assert sorted(side.columns) == [f"short:least:{q}" for q in ("2027-Q2", "2027-Q3", "2027-Q4", "2028-Q1", "2028-Q2")]
    column, row = side.columns["short:least:2027-Q2"], side.rows["floor:least:2027-Q2"]
    assert (column.most, column.worth_scaled) == (600_000, -209_716)
    assert row.right == -600_000
    assert row.racks["small", "gb200-nvl72", 1] == 132_000


def test_commitment_by_hand() -> None:
    """Rent of 157,680 USD a quarter for two quarters of the term; half of the lag's first one comes back."""
    money = {"acceptance_lag_quarters": 1}
    terms = [commitment("1e6 USD", "2027-Q2", "2027-Q3")]
    side = side_of(commitments=terms, perspective="customer", money=money)
    racks = side.rows["commitment:rent"].racks
    assert racks == {
        ("small", name, t): 15_768_000 for name in ("gb200-nvl72", "gb300-nvl72") for t in (0, 1)
    }  # fmt: skip
    assert side.columns["shortfall:rent"].most == 100_000_000


def test_tranche_by_hand() -> None:
    """Four racks by Q3 pay 1,000 USD, and a million more may be spent from Q4 on."""
    clauses = [tranche("racks", 4, cash="1000 USD", rack_budget="1e6 USD")]
    side = side_of(tranches=clauses, money={"rack_budget": "2e6 USD"})
    column = side.columns["tranche:first"]
    assert (column.worth_scaled, column.most, column.terms) == (100_000 * ONE, 1, {"tranche:first": 4})
    assert column.raises == {("*:budget:racks", t): 1_000_000 * ONE for t in (3, 4, 5)}


def stated_plan(seed: int, **portfolio: Any) -> tuple[World, dict[str, Any]]:
    """A world under every clause, and the placements, decisions and ledger of racks and values drawn at random."""
    leave = clause("leave", commitment="rent", notice_quarters=2, steps=[{"start": "2027-Q3", "share": "33.3 %"}])
    world = world_with(termination=[leave], **portfolio)
    lowered = lower(world)
    problem, random = lowered.problem, np.random.default_rng(seed)
    shape = (problem.n_rows, problem.n_configurations, problem.n_periods)
    n_racks = np.cumsum(random.integers(0, 2, shape), axis=2).astype(np.int32)
    assert problem.side is not None
    columns = zip(problem.side.column_names, problem.side.column_most, strict=True)
    decisions = {name: int(random.integers(0, min(most, 10**6) + 1)) for name, most in columns}
    nothing = {"scale_bits": 30, "limits": {}, "inside": {}}
    ledger = terms_ledger(world, lowered, n_racks, decisions, nothing)
    assert ledger is not None
    plan = {"placements": list(placements(problem, n_racks)), "decisions": decisions, "terms": asdict(ledger)}
    return world, json.loads(json.dumps(plan))


def checked(world: World, plan: dict[str, Any]) -> tuple[bool, str]:
    """What verification says of a plan's terms."""
    one = verification_of(world, plan)
    placed, _ = one._placements
    found = check_terms(plan, placed, plan["decisions"], one.ledger, one.limits, one.side)
    return found.ok, found.detail


@pytest.mark.parametrize("perspective", ["chain", "customer"])
@pytest.mark.parametrize("seed", [1, 2])
def test_ledger_of_the_plan_reconciles(perspective: str, seed: int) -> None:
    """Whatever stands and whatever is decided, the ledger is what verification makes of it."""
    supply = [
        {
            "system": system,
            "deliveries": [{"quarter": quarter, "racks": 20} for quarter in ("2027-Q1", "2027-Q4")],
            "order_lead_quarters": lead,
            "provenance": PROVENANCE,
        }
        for system, lead in (("gb200-nvl72", 3), ("gb300-nvl72", 0))
    ]
    world, plan = stated_plan(seed, perspective=perspective, supply=supply)
    held, told = checked(world, plan)
    assert held, told


@pytest.mark.parametrize(
    ("key", "line", "figure"),
    [
        ("floors", 3, "reached"),
        ("floors", 7, "short"),
        ("floors", 7, "price_cents"),
        ("shares", 0, "part"),
        ("tranches", 0, "reached"),
        ("commitments", 0, "consumed_cents"),
        ("termination", 4, "exit_cents"),
        ("orders", 0, "n_used"),
    ],
)
def test_a_figure_that_is_off_by_one_is_refused(key: str, line: int, figure: str) -> None:
    """And the message says which, where, and what is due."""
    world, plan = stated_plan(1)
    changed = deepcopy(plan)
    changed["terms"][key][line][figure] += 1
    held, told = checked(world, changed)
    assert not held
    assert f"'{key}' line {line}: {figure} is {plan['terms'][key][line][figure]}" in told


def test_a_plan_that_says_nothing_of_its_contract_is_refused() -> None:
    """The key is due where there are clauses, with a line for each."""
    world, plan = stated_plan(1)
    assert "'terms' is due" in checked(world, {**plan, "terms": None})[1]
    short = {**plan["terms"], "floors": plan["terms"]["floors"][1:]}
    assert "are due" in checked(world, {**plan, "terms": short})[1]
