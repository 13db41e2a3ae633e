"""Two readings of one rule: the side program and the money of lowering and of verification, integer by integer."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.small_site import PROVENANCE
from fixtures.small_world import small_world
from hypothesis import given, settings
from hypothesis import strategies as st
from verify_cases import lowered_side, supply, verification_of, verified_side
from work_cases import tier, working_world, workload

from planner.lower import lower
from sites.schema.portfolio import Perspective

QUARTERS = ["2026-Q3", "2027-Q1", "2027-Q3", "2028-Q1", "2029-Q2"]
SHARES = st.sampled_from(["0", "0.1", "0.37", "0.9"])
SYSTEMS = ("gb200-nvl72", "gb300-nvl72")


@st.composite
def tiers(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One or two tiers, dearest first in every quarter; a demand that may cease."""
    decline, price = draw(SHARES), draw(st.integers(3, 40))
    found = []
    for name in ("contracted", "spot")[: draw(st.integers(1, 2))]:
        steps = [{"start": "2027-Q1", "rate": f"{draw(st.integers(0, 4000))} 1/s"}]
        if draw(st.booleans()):
            steps.append({"start": "2028-Q2", "rate": f"{draw(st.integers(0, 900))} 1/s"})
        extra = {"penalty": f"{draw(st.integers(0, 9))} USD/million"} if name == "contracted" else {}
        found.append(tier(name, "0", str(price), price_decline_per_year=decline, demand=steps, **extra))
        price //= 2
    return found


@st.composite
def workloads(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One or two workloads; the second is batch work."""
    found = []
    for name in ("chat", "batch")[: draw(st.integers(1, 2))]:
        speed = (
            {"speed": None}
            if name == "batch"
            else {"speed": f"{draw(st.sampled_from([15, 20, 45, 60]))} tokens/s/user"}
        )
        charges = [{"name": "egress", "cost": f"{draw(st.integers(0, 6))} USD/million", "provenance": PROVENANCE}]
        factor = draw(st.sampled_from(["1", "0.3", "7"]))
        found.append(workload(name=name, tiers=draw(tiers()), charges=charges, work_factor=factor, **speed))
    return found


@st.composite
def portfolios(draw: st.DrawFn) -> dict[str, Any]:
    """Keys of a portfolio with work, in the books of the chain or of a customer."""
    committed = draw(st.booleans())
    money: dict[str, Any] = {
        "discount_rate_per_year": draw(SHARES),
        "rental_decline_per_year": draw(SHARES),
        "annual_pue": "1.21",
        "opex_per_it_watt_year": "0.3 USD/W",
        "economic_life_quarters": draw(st.integers(6, 9)),
        "acceptance_lag_quarters": draw(st.integers(0, 3)),
        "residual": draw(SHARES),
    }
    if committed:
        money["storage_share_per_quarter"] = draw(SHARES)
    if draw(st.booleans()):
        money["payment_terms"] = [
            {"share": "0.3", "offset_quarters": -2}, {"share": "0.1", "offset_quarters": 0},
            {"share": "0.6", "offset_quarters": 3},
        ]  # fmt: skip
    gains = [
        {"system": system, "start": start, "low": "1", "mode": "1.3", "high": "1.7", "provenance": PROVENANCE}
        for system in SYSTEMS for start in draw(st.lists(st.sampled_from(QUARTERS), unique=True).map(sorted))
    ]  # fmt: skip
    cheaper = [
        {"start": start, "cost_reduction": "0.15", "provenance": PROVENANCE}
        for start in draw(st.lists(st.sampled_from(QUARTERS), unique=True).map(sorted))
    ]
    return {
        "perspective": draw(st.sampled_from(["chain", "customer"])),
        "workloads": draw(workloads()),
        "goodput": {"share": draw(st.sampled_from(["1", "0.83"])), "provenance": PROVENANCE},
        "software_gains": gains,
        "gain_case": draw(st.sampled_from(["low", "mode", "high"])),
        "co_design_gains": cheaper,
        "money": money,
        "supply": [
            supply(("2026-Q3", 7), ("2027-Q2", 5), ("2030-Q1", 9), system=system, committed=committed and number == 0)
            for number, system in enumerate(SYSTEMS)
        ],
    }


@settings(max_examples=40, deadline=None)
@given(portfolios())
def test_both_write_the_same_side_program(content: dict[str, Any]) -> None:
    world = working_world(**content)
    problem, verification = lower(world).problem, verification_of(world)
    assert lowered_side(problem) == verified_side(verification.side)
    assert problem.constant_cents == verification.side.constant_cents


@pytest.mark.parametrize("perspective", list(Perspective))
@settings(max_examples=12, deadline=None)
@given(portfolios())
def test_both_give_a_rack_the_same_cents(perspective: str, content: dict[str, Any]) -> None:
    """In each of the three books, work aside."""
    for key in ("workloads", "software_gains", "co_design_gains"):
        content[key] = []
    world = small_world(**(content | {"perspective": perspective, "goodput": None}))
    problem, ledger = lower(world).problem, verification_of(world).ledger
    for r, full in enumerate(problem.row_names):
        site, _, row = full.partition(":")
        for t in range(problem.n_periods):
            for k, name in enumerate(problem.configuration_names):
                assert problem.period_value[r, k, t] == ledger.period_value(site, name, t)
                assert problem.contract_revenue[r, k, t] == ledger.contract_revenue(site, name, t)
            for s, system in enumerate(problem.system_names):
                assert problem.start_value[r, s, t] == ledger.start_value(site, row, system, t)
                assert problem.unit_cost[0, s, t] == ledger.money.unit_cost(system, t)


@settings(max_examples=15, deadline=None)
@given(portfolios(), st.sampled_from(["2027-Q2", "2027-Q4"]), st.integers(0, 2))
def test_both_let_racks_work_before_and_after_a_refresh(content: dict[str, Any], quarter: str, downtime: int) -> None:
    change = {
        "before": SYSTEMS[0], "after": SYSTEMS[1], "quarters": [quarter], "downtime_quarters": downtime,
        "removal_cost": "1000 USD", "resale": [{"age_quarters": 0, "share": "0.3"}], "provenance": PROVENANCE,
    }  # fmt: skip
    for supplied in content["supply"]:
        supplied["committed"] = False
    content["money"].pop("storage_share_per_quarter", None)
    world = working_world(**(content | {"refresh": [change]}))
    problem, verification = lower(world).problem, verification_of(world)
    assert lowered_side(problem) == verified_side(verification.side)
    assert any(">" in name for name in problem.configuration_names)
