"""Verification derives every contract clause anew: the same rows and columns as lowering, and by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from contract_cases import commitment, every_clause, floor, tranche
from fixtures.small_site import small_site
from fixtures.small_world import small_world
from verify_cases import verification_of
from work_cases import BASIS, made_basis, work_content

from planner.lower import lower

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
    assert column.raises == {("*:budget:racks", t): 100_000_000 * ONE for t in (3, 4, 5)}
