"""What plan.json says of a contract: due, reached, short, and which limits were in the way; figures by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from contract_cases import clause, commitment, floor, share, tranche
from fixtures.small_site import PROVENANCE
from fixtures.small_world import small_world
from work_cases import working_world

from planner.lower import lower
from planner.run.orders import NO_LEAD
from planner.run.term_causes import NOTHING_BINDS, NOTHING_STANDS
from planner.run.terms import terms_ledger

if TYPE_CHECKING:
    from planner.run.terms import TermsLedger
    from sites.world import World

GB200, GB300 = 0, 1
RENT_CENTS = 72 * 2190 * 100
NO_PRICES: dict[str, Any] = {"scale_bits": 30, "limits": {}, "inside": {}}


def ledger_of(
    world: World,
    *racks: tuple[int, int, int],
    decisions: dict[str, int] | None = None,
    certificate: dict[str, Any] | None = None,
) -> TermsLedger:
    """The ledger of racks (configuration, first period, count) that stand in the first row from a period on."""
    lowered = lower(world)
    problem = lowered.problem
    n_racks = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int32)
    for k, first, count in racks:
        n_racks[0, k, first:] += count
    found = terms_ledger(world, lowered, n_racks, decisions or {}, certificate or NO_PRICES)
    assert found is not None
    return found


def supply_of(racks: int, **keys: Any) -> list[dict[str, Any]]:
    """Deliveries of GB200 in the first and the third quarter."""
    deliveries = [{"quarter": "2027-Q1", "racks": racks}, {"quarter": "2027-Q3", "racks": racks}]
    return [
        {"system": "gb200-nvl72", "deliveries": deliveries, "provenance": PROVENANCE, **keys},
        {"system": "gb300-nvl72", "deliveries": deliveries, "provenance": PROVENANCE},
    ]


def test_no_clause_no_ledger() -> None:
    """A portfolio without clauses and order leads says nothing."""
    world = small_world()
    lowered = lower(world)
    problem = lowered.problem
    n_racks = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int32)
    assert terms_ledger(world, lowered, n_racks, {}, NO_PRICES) is None


def test_floor_says_what_it_costs() -> None:
    """Three of five racks from the second quarter on: five short at first, then two, at 300 USD each."""
    decisions = {"short:least:2027-Q1": 5, **{f"short:least:{q}": 2 for q in ("2027-Q2", "2027-Q3", "2027-Q4")}}
    world = small_world(floors=[floor("racks", 5, "300 USD")])
    lines = ledger_of(world, (GB200, 1, 3), (GB300, 4, 2), decisions=decisions).floors
    assert [(one.due, one.reached, one.short, one.price_cents, one.met) for one in lines] == [
        (5, 0, 5, 150_000, False),
        *[(5, 3, 2, 60_000, False)] * 3,
        *[(5, 5, 0, 0, True)] * 2,
    ]
    assert {one.unit for one in lines} == {"rack"}
    assert lines[-1].causes is None


def test_missed_floor_names_the_dearest_limit_first() -> None:
    """Supply holds the racks of one kind at a price, the budget those of both at a higher one for a rack."""
    prices = {
        "*:supply:gb200-nvl72": {"2027-Q3": str(3000 << 30)},
        "*:budget:racks": {"2027-Q3": str(1 << 30)},
    }
    floors = [floor("racks", 6, "300 USD", start="2027-Q3")]
    world = small_world(floors=floors, supply=supply_of(2), money={"rack_budget": "5e5 USD"})
    short = {f"short:least:{q}": 1 for q in ("2027-Q3", "2027-Q4")}
    certificate = NO_PRICES | {"limits": prices}
    lines = ledger_of(world, (GB200, 2, 4), (GB300, 2, 1), decisions=short, certificate=certificate).floors
    causes = lines[0].causes
    assert causes is not None
    assert [(one.limit, one.cents_per_unit, one.cents_per_rack) for one in causes.limits] == [
        ("*:budget:racks", 1.0, 100_000.0),
        ("*:supply:gb200-nvl72", 3000.0, 3000.0),
    ]
    assert causes.n_limits == 2
    assert lines[1].causes is not None
    assert lines[1].causes.limits == ()
    assert {one.family for one in lines[1].causes.unpriced} >= {"budget", "supply"}


def test_missed_floor_without_a_limit_in_the_way() -> None:
    """Where nothing binds the racks were not worth it; before the rows exist there were no places."""
    world = small_world(floors=[floor("racks", 5, "1 USD")])
    lines = ledger_of(world, decisions={f"short:least:{q}": 5 for q in ("2027-Q1", "2027-Q3")}).floors
    assert lines[0].causes is not None
    assert lines[0].causes.reason == NOTHING_STANDS
    causes = lines[2].causes
    assert causes is not None
    assert (causes.limits, causes.unpriced, causes.reason) == ((), (), NOTHING_BINDS)


def test_missed_floor_before_anything_may_stand() -> None:
    """Racks that are accepted in the first quarter would have had to stand before the plan."""
    world = small_world(floors=[floor("accepted-racks", 1, "1 USD")], money={"acceptance_lag_quarters": 2})
    causes = ledger_of(world, decisions={"short:least:2027-Q2": 1}).floors[1].causes
    assert causes is not None
    assert causes.reason == NOTHING_STANDS


def test_share_in_both_directions() -> None:
    """Seven of ten racks where 62.5 % may be, and three where 40 % must be."""
    shares = [
        share("racks", "500 USD", name="crowd", systems=["gb300-nvl72"], at_most="62.5 %", end="2027-Q1"),
        share("racks", "1 USD", name="other", systems=["gb200-nvl72"], at_least="40 %", end="2027-Q1"),
    ]
    decisions = {"over:crowd:2027-Q1": 1, "under:other:2027-Q1": 1}
    crowd, other = ledger_of(small_world(shares=shares), (GB200, 0, 3), (GB300, 0, 7), decisions=decisions).shares
    assert (crowd.share, crowd.binds, crowd.whole, crowd.part, crowd.over, crowd.price_cents) == (
        "5/8", "at-most", 10, 7, 1, 50_000,
    )  # fmt: skip
    assert (other.share, other.binds, other.part, other.over, other.met) == ("2/5", "at-least", 3, 1, False)


def test_tranches_reached_and_missed() -> None:
    """Three racks reach a target of three and miss one of four; budget comes with the one that is taken."""
    tranches = [
        tranche("racks", 3, name="won", cash="1e6 USD", rack_budget="2e5 USD"),
        tranche("racks", 4, name="lost", cash="9e6 USD"),
    ]
    world = small_world(tranches=tranches, money={"rack_budget": "3e5 USD"})
    won, lost = ledger_of(world, (GB200, 0, 3), decisions={"tranche:won": 1}).tranches
    assert (won.reached, won.met, won.paid, won.cash_cents, won.rack_budget_cents) == (
        3, True, True, 100_000_000, 20_000_000,
    )  # fmt: skip
    assert (lost.reached, lost.target, lost.met, lost.paid, lost.cash_cents) == (3, 4, False, False, 0)
    assert lost.causes is not None
    assert [one.family for one in lost.causes.unpriced if one.site == "*"] == ["budget"]


def test_a_raised_budget_no_longer_binds() -> None:
    """With the tranche's money the fourth rack could be bought, so another clause is not missed for it."""
    tranches = [tranche("racks", 3, by="2027-Q3", name="won", rack_budget="2e5 USD")]
    floors = [floor("racks", 5, "1 USD", start="2027-Q4")]
    world = small_world(tranches=tranches, floors=floors, money={"rack_budget": "3e5 USD"})
    short = {"short:least:2027-Q4": 2}
    for paid, families in ((0, ["budget"]), (1, [])):
        causes = ledger_of(world, (GB200, 2, 3), decisions={**short, "tranche:won": paid}).floors[0].causes
        assert causes is not None
        assert [one.family for one in causes.unpriced if one.site == "*"] == families


def test_rent_ledger_and_the_way_out() -> None:
    """Two racks from Q2 under a lag of a quarter: paid from Q3. Leaving in Q3 with a quarter's notice costs that
    quarter's rent and half of what is left then; before Q3 there is no way out."""
    world = small_world(
        perspective="customer",
        commitments=[commitment("2e6 USD", "2027-Q1", "2027-Q4")],
        termination=[
            clause("leave", commitment="rent", notice_quarters=1, steps=[{"start": "2027-Q3", "share": "50 %"}])
        ],
        money={"acceptance_lag_quarters": 1},
    )
    paid = 4 * RENT_CENTS
    found = ledger_of(world, (GB200, 1, 2), decisions={"shortfall:rent": 200_000_000 - paid})
    (rent,) = found.commitments
    assert [one.reserved_cents for one in rent.quarters] == [0, *[2 * RENT_CENTS] * 3]
    assert [one.consumed_cents for one in rent.quarters] == [0, 0, *[2 * RENT_CENTS] * 2]
    assert (rent.consumed_cents, rent.shortfall_cents, rent.binds, rent.met) == (paid, 200_000_000 - paid, True, False)
    assert found.termination[1].reason == "the contract names no way out before 2027-Q3"
    assert found.termination[1].exit_cents is None
    third = found.termination[2]
    assert (third.notice_cents, third.left_cents) == (2 * RENT_CENTS, 200_000_000 - paid)
    assert third.exit_cents == 2 * RENT_CENTS + (200_000_000 - paid) // 2


def test_commitment_is_reported_in_other_books() -> None:
    """The provider's plan shows the shortfall, and that it does not pay it."""
    world = small_world(commitments=[commitment("2e6 USD", "2027-Q1", "2027-Q2")])
    (rent,) = ledger_of(world, (GB200, 0, 1)).commitments
    assert (rent.binds, rent.shortfall_cents) == (False, 200_000_000 - 2 * RENT_CENTS)


def test_orders_of_the_deliveries_that_are_used() -> None:
    """Six racks from the third quarter on: four of the first delivery, two of the second, ordered three quarters
    before; the first order was due before the plan began."""
    supply = supply_of(4, order_lead_quarters=3)
    first, second = ledger_of(small_world(supply=supply), (GB200, 1, 1), (GB200, 3, 5)).orders
    assert (first.delivered, first.n_used, first.starts, first.order_by) == ("2027-Q1", 4, "2027-Q2", "2026-Q2")
    assert (first.late_quarters, first.latest_order_by) == (3, "2026-Q3")
    assert (second.delivered, second.n_used, second.starts, second.order_by) == ("2027-Q3", 2, "2027-Q4", "2026-Q4")
    plain = ledger_of(small_world(supply=supply), (GB300, 0, 1)).orders
    assert [(one.order_by, one.reason) for one in plain] == [(None, NO_LEAD)]


def test_work_that_counts() -> None:
    """2,000 thousand tokens sold by the second quarter count towards its floor."""
    world = working_world(floors=[floor("tokens", 3e6, "2 USD/million", workloads=["chat"])])
    decisions = {
        "sold:chat:contracted:2027-Q1": 1500,
        "sold:chat:spot:2027-Q2": 500,
        "sold:chat:contracted:2027-Q3": 9000,
        "short:least:2027-Q2": 1000,
    }
    lines = ledger_of(world, decisions=decisions).floors
    assert [one.reached for one in lines[:3]] == [1500, 2000, 11_000]
    assert (lines[1].unit, lines[1].due, lines[1].price_cents) == ("1000 output-tokens", 3000, 200)
