"""Lowering and the checker work out the same side program and the same money, each in its own code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fixtures.small_site import PROVENANCE, small_site
from fixtures.small_world import small_world
from work_cases import curve, made_basis, point, tier, working_world, workload

from planner.lower import lower
from planner.verify.check import Verification
from planner.verify.inputs import Run
from sites.expansion import expand

if TYPE_CHECKING:
    from planner.problem import SideProgram
    from sites.world import World

Rows = dict[str, tuple[int, dict[tuple[str, str, int], int]]]
Columns = dict[str, tuple[int, int, dict[str, int]]]


def lowered(side: SideProgram, names: tuple[str, ...]) -> tuple[Rows, Columns]:
    """Rows and columns by name, as lowering has them."""
    rows: Rows = {}
    for i, name in enumerate(side.row_names):
        entries = range(int(side.rack_ptr[i]), int(side.rack_ptr[i + 1]))
        rows[name] = (side.row_right[i], {_place(side, names, e): int(side.rack_coefficient[e]) for e in entries})
    columns: Columns = {}
    for j, name in enumerate(side.column_names):
        span = range(int(side.term_ptr[j]), int(side.term_ptr[j + 1]))
        terms = {side.row_names[side.term_row_idx[e]]: int(side.term_coefficient[e]) for e in span}
        columns[name] = (side.column_worth[j], side.column_most[j], terms)
    return rows, columns


def _place(side: SideProgram, names: tuple[str, ...], entry: int) -> tuple[str, str, int]:
    group, k = side.group_names[side.rack_group_idx[entry]], names[side.rack_configuration_idx[entry]]
    return group, k, int(side.rack_period_idx[entry])


def verification(world: World) -> Verification:
    """The checker over a world, without any plan."""
    graphs = {one.name: expand(one.site, world.catalog) for one in world.sites}
    return Verification(Path(), Run(world=world, graphs=graphs, plan={}, certificate={}, manifest={}))


def rich(**changes: Any) -> World:
    """Two sites, gains, a discount, penalties, charges, residency, training and a lag."""
    tiers = [
        tier("contracted", "900", "8", penalty="1.7 USD/million", price_decline_per_year="0.13"),
        tier("spot", "500", "2.3", price_decline_per_year="0.2"),
    ]
    egress = [{"name": "egress", "cost": "1.9 USD/million", "provenance": PROVENANCE}]
    gains = [
        {"system": "gb300-nvl72", "start": "2027-Q3", "low": 1, "mode": "1.3", "high": 2, "provenance": PROVENANCE}
    ]
    co_design = [{"start": "2028-Q1", "cost_reduction": "0.17", "provenance": PROVENANCE}]
    keys = {
        "workloads": [
            workload(tiers=tiers, charges=egress, work_factor="0.7"),
            workload(name="abroad", sites=["abroad"], speed=None, tiers=tiers),
            workload(name="quick", speed="33 tokens/s/user", tiers=tiers),
        ],
        "software_gains": gains,
        "co_design_gains": co_design,
        "goodput": {"share": "0.93", "provenance": PROVENANCE},
        "money": {"discount_rate_per_year": "0.09", "acceptance_lag_quarters": 1, "annual_pue": "1.15"},
    }
    return working_world(small_site(), small_site() | {"name": "abroad"}, **(keys | changes))


PAYMENTS = [{"share": "0.4", "offset_quarters": -1}, {"share": "0.6", "offset_quarters": 2}]
MONEY = {"payment_terms": PAYMENTS, "residual": "0.07", "storage_share_per_quarter": "0.011"}
COMMITTED = [
    {
        "system": system,
        "committed": True,
        "deliveries": [{"quarter": "2026-Q4", "racks": 3}, {"quarter": "2027-Q3", "racks": 4}],
        "provenance": PROVENANCE,
    }
    for system in ("gb200-nvl72", "gb300-nvl72")
]
TRAINING = made_basis(kind="training", counts="relative", curves=[curve("gb300-nvl72", point(None, "2.3"))])
WORLDS = {
    "chain": rich,
    "customer": lambda: rich(perspective="customer"),
    "committed": lambda: rich(supply=COMMITTED, money={"discount_rate_per_year": "0.09", **MONEY}),
    "training": lambda: rich(basis=TRAINING, workloads=[workload(kind="training", speed=None)]),
}


@pytest.mark.parametrize("name", WORLDS)
def test_both_put_up_the_same_side_program(name: str) -> None:
    """Rows, columns and the constant, by name, to the last unit."""
    world = WORLDS[name]()
    problem = lower(world).problem
    assert problem.side is not None
    rows, columns = lowered(problem.side, problem.configuration_names)
    side = verification(world).side
    assert {row: (one.right, dict(one.racks)) for row, one in side.rows.items()} == rows
    assert {key: (one.worth_scaled, one.most, one.terms) for key, one in side.columns.items()} == columns
    assert side.constant_cents == problem.constant_cents


@pytest.mark.parametrize("perspective", ["provider", "chain", "customer"])
def test_both_value_a_rack_alike(perspective: str) -> None:
    """Standing and started racks of each configuration, with payments, residual and storage."""
    money = {"discount_rate_per_year": "0.09", "rental_decline_per_year": "0.08", **MONEY}
    world = small_world(perspective=perspective, supply=COMMITTED, money=money)
    problem = lower(world).problem
    ledger, row = verification(world).ledger, problem.row_names[0].removeprefix("small:")
    assert problem.constant_cents == verification(world).side.constant_cents
    assert (problem.constant_cents == 0) == (perspective == "customer")
    for t in range(problem.n_periods):
        for k, configuration in enumerate(problem.configuration_names):
            assert ledger.period_value("small", configuration, t) == problem.period_value[0, k, t]
        for s, system in enumerate(problem.system_names):
            assert ledger.start_value("small", row, system, t) == problem.start_value[0, s, t]
