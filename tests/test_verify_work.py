"""Verification works out rates, costs, tiers and the books of each side anew: figures by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from fixtures.small_site import PROVENANCE
from verify_cases import CURVE, GB300, basis_of, chat, contracted, supply, verification_of, world_of
from work_cases import curve, point

from planner.verify.rates import best_rate
from sites.catalog.loader import load_catalog
from sites.throughput import ThroughputError, serving_rate

if TYPE_CHECKING:
    from planner.verify.side import Side

ONE = 2**20
SERVE = "serve:small:gb300-nvl72:chat"


def side_of(*workloads: dict[str, Any], **portfolio: Any) -> Side:
    """The side program of the world that works."""
    return verification_of(world_of(*workloads, **portfolio)).side


def rate_of(side: Side, quarter: str) -> int:
    """Units that a rack does in an hour."""
    return -side.columns[f"{SERVE}:{quarter}"].terms[f"work:chat:{quarter}"]


def test_rate_lies_between_two_points_in_racks_for_a_token() -> None:
    """At 30 of 20 to 60: 0.75/600 + 0.25/200 = 1/400; 3,600 · 400 · 0.5 goodput / (2 · 1,000) = 360 units an hour."""
    side = side_of()
    assert rate_of(side, "2027-Q1") == 360
    assert side.columns[f"{SERVE}:2027-Q1"].most == 219  # 78,840 units asked for / 360


@pytest.mark.parametrize(
    ("changes", "rate"),
    [
        ({"speed": "60 tokens/s/user"}, 180),  # the point itself: 3,600 · 200 · 0.5 / 2,000
        ({"speed": "10 tokens/s/user"}, 540),  # who asks for less is served by the point of 20: 600
        ({"speed": None}, 900),  # batch work by the offline point: 1,000
        ({"ttft": "3 s"}, 360),  # both points answer within 3 s
        ({"speed": "20 tokens/s/user", "ttft": "1 s"}, 540),
    ],
)
def test_rate_at_other_levels(changes: dict[str, Any], rate: int) -> None:
    assert rate_of(side_of(chat(**changes)), "2027-Q1") == rate


def test_no_rack_works_where_no_curve_reaches_the_level() -> None:
    """The point of 60 answers after 3 s, so nobody serves 30 tokens/s/user within 2 s, and nothing can be sold."""
    side = side_of(chat(ttft="2 s"))
    assert not [name for name in side.columns if name.startswith("serve")]
    assert side.rows["work:chat:2027-Q1"].right == 0
    assert not side.rows["work:chat:2027-Q1"].racks


def test_gains_begin_at_their_quarter_and_count_once() -> None:
    """360 · 1.5 from Q3; the gain of 2025 was in the measurement; co-design takes a fifth: 540 / 0.8 from 2028."""
    gain = {"system": GB300, "low": "1", "mode": "1.5", "high": "2", "provenance": PROVENANCE}
    side = side_of(
        software_gains=[gain | {"start": "2025-Q1", "mode": "1.7"}, gain | {"start": "2027-Q3"}],
        co_design_gains=[{"start": "2028-Q1", "cost_reduction": "0.2", "provenance": PROVENANCE}],
    )
    assert [rate_of(side, quarter) for quarter in ("2027-Q2", "2027-Q3", "2028-Q1")] == [360, 540, 675]


def test_hour_of_work_costs_what_it_draws_beyond_an_idle_hour() -> None:
    """140 kW · (0.7 − 0.3) · 1.25 · 50 USD/MWh = 3.50 USD; a customer's racks are fed by their owner."""
    side = side_of(money={"annual_pue": "1.25"})
    assert side.columns[f"{SERVE}:2027-Q1"].worth_scaled == -350 * ONE
    rented = side_of(money={"annual_pue": "1.25"}, perspective="customer")
    assert rented.columns[f"{SERVE}:2027-Q1"].worth_scaled == 0


def test_tier_pays_price_less_charges_and_spares_the_penalty() -> None:
    """10/s · 2,190 h · 3,600 s / 1,000 = 78,840 units at (8 − 1 + 2) USD a million: 0.9 cents a unit.

    What is missed costs 2 USD a million, 157.68 USD a quarter, in 13 quarters: 6 to decide, 8 of life.
    """
    charge = {"name": "egress", "cost": "1 USD/million", "provenance": PROVENANCE}
    side = side_of(chat(tiers=[contracted(penalty="2 USD/million")], charges=[charge]))
    sold = side.columns["sold:chat:contracted:2027-Q1"]
    assert (sold.most, sold.worth_scaled) == (78_840, ONE * 9 // 10)
    assert side.constant_cents == -13 * 15_768


def test_tier_that_costs_more_than_it_pays_is_not_sold() -> None:
    charge = {"name": "egress", "cost": "9 USD/million", "provenance": PROVENANCE}
    side = side_of(chat(charges=[charge]))
    assert not [name for name in side.columns if name.startswith("sold")]


def test_price_falls_with_the_years_and_demand_by_its_steps() -> None:
    """A quarter of the price after a year; 5/s from 2028 on."""
    steps = [{"start": "2027-Q1", "rate": "10 1/s"}, {"start": "2028-Q1", "rate": "5 1/s"}]
    side = side_of(chat(tiers=[contracted(price_decline_per_year="0.75", demand=steps)]))
    first, later = (side.columns[f"sold:chat:contracted:{quarter}"] for quarter in ("2027-Q1", "2028-Q1"))
    assert (first.most, later.most) == (78_840, 39_420)
    assert later.worth_scaled == ONE * 2 // 10


def test_hours_are_those_of_accepted_racks_that_are_alive() -> None:
    """Six decision quarters, eight of life, two of acceptance; the racks of 2027-Q1 are gone in 2029-Q1."""
    side = side_of(money={"acceptance_lag_quarters": 2})
    assert side.rows["hours:small:gb300-nvl72:2027-Q2"].racks == {("small", GB300, 1): 2190}
    assert side.rows["hours:small:gb300-nvl72:2029-Q2"].racks == {("small", GB300, 5): 2190, ("small", GB300, 1): -2190}
    assert side.rows["accepted:small:gb300-nvl72:2027-Q2"].racks == {}
    assert side.rows["accepted:small:gb300-nvl72:2027-Q3"].racks == {("small", GB300, 0): 2190}
    assert side.rows["accepted:small:gb300-nvl72:2028-Q3"].racks == {("small", GB300, 4): 2190}
    assert "accepted:small:gb300-nvl72:2028-Q4" not in side.rows
    assert "hours:small:gb300-nvl72:2030-Q1" in side.rows
    assert "hours:small:gb300-nvl72:2030-Q2" not in side.rows


def test_residency_keeps_work_from_a_site() -> None:
    verification = verification_of(world_of(chat(sites=["elsewhere"])))
    assert not [name for name in verification.side.columns if name.startswith("serve")]


def test_work_other_than_tokens_counts_one_by_one() -> None:
    tiers = [contracted(demand=[{"start": "2027-Q1", "rate": "0.01 1/s"}])]
    trained = chat(kind="training", speed=None, tiers=tiers)
    measured = basis_of(curve(GB300, point(None, "0.1")), counts="relative", kind="training")
    world = world_of(trained, basis=measured)
    side = verification_of(world).side
    assert side.columns["sold:chat:contracted:2027-Q1"].most == 78_840
    assert rate_of(side, "2027-Q1") == 90  # 3,600 · 0.1 · 0.5 / 2
    # 140 kW · (0.85 − 0.3) · 50 USD/MWh = 3.85 USD
    assert side.columns[f"{SERVE}:2027-Q1"].worth_scaled == -385 * ONE


def test_best_curve_and_its_size_make_the_rate() -> None:
    """72 GPUs of 6/s beat the rack's 400/s; a MW of 2 kW GPUs is 500 of them, so a rack 0.144 MW of 3,000/s."""
    configuration = load_catalog().configuration(GB300)
    by_gpu = curve(GB300, point("30", "6"), per="gpu", software="other", measured="2026-Q4")
    by_megawatt = curve(GB300, point("30", "3000"), per="all-in-megawatt", measured="2026-Q1", all_in_power_per_gpu={
        "value": "2 kW", "source": "round", "status": "measured"})  # fmt: skip
    speed = Fraction(30)
    assert best_rate(basis_of(CURVE, by_gpu), configuration, speed, None) == (Fraction(432), "2026-Q4")
    assert best_rate(basis_of(by_megawatt), configuration, speed, None) == (Fraction(432), "2026-Q1")


def test_rates_are_those_that_the_planner_reads() -> None:
    """Every configuration of the catalogue on every basis, at speeds around its points: two readings, one rate."""
    catalog, n_reached = load_catalog(), 0
    for one in catalog.throughput.values():
        speeds = {point.speed.value for curve in one.curves for point in curve.points if point.speed is not None}
        for asked in [None, *(speed * factor for speed in speeds if speed for factor in (Fraction(9, 10), 1))]:
            for configuration in catalog.configurations():
                for ttft in (None, Fraction(3, 5)) if asked is not None else (None,):
                    found = best_rate(one, configuration, asked, ttft)
                    try:
                        due = serving_rate(one, configuration, asked, ttft)
                    except ThroughputError:
                        assert found is None
                    else:
                        assert found == (due.rate_per_s, due.curve.measured)
                        n_reached += 1
    assert n_reached > 50


# Half of a price of 100,000 USD four quarters before the start, half four quarters after it; money halves in a year.
TERMS: dict[str, Any] = {
    "payment_terms": [
        {"share": "0.5", "offset_quarters": -4},
        {"share": "0.5", "offset_quarters": 4},
    ],
    "discount_rate_per_year": "1",
}


def test_payments_are_discounted_from_when_they_are_due() -> None:
    """Started at once: 0.5 + 0.5 · 0.5 = 0.75 of the price. After a year: a half at once, a half after two: 0.625."""
    money = verification_of(world_of(money=TERMS)).ledger.money
    assert money.payment_cents(GB300, 0) == 7_500_000
    assert money.payment_cents(GB300, 4) == 6_250_000
    assert money.payment_cents(GB300, -4) == 10_000_000


def test_residual_comes_at_the_end_of_life() -> None:
    """A fifth of 100,000 USD after two years is worth a quarter of it."""
    kept = verification_of(world_of(money=TERMS | {"residual": "0.2"})).ledger
    assert kept.money.residual_cents(GB300, 0) == 500_000
    without = verification_of(world_of(money=TERMS)).ledger
    row = next(iter(kept.setting.rows["small"]))
    assert kept.start_value("small", row, GB300, 0) - without.start_value("small", row, GB300, 0) == 500_000


def test_committed_racks_are_paid_and_stored_placed_or_not() -> None:
    """Ten racks at 0.75 of 100,000 USD and ten a year later at 0.625; 1 % of the price a quarter until placed."""
    deliveries = [supply(("2027-Q1", 10), ("2028-Q1", 10), committed=True)]
    money = TERMS | {"storage_share_per_quarter": "0.01"}
    ledger = verification_of(world_of(money=money, supply=deliveries, workloads=[], goodput=None)).ledger
    optional = verification_of(world_of(money=TERMS, workloads=[], goodput=None)).ledger
    paid, stored = ledger.money.committed_cents(GB300)
    assert paid == 10 * 7_500_000 + 10 * 6_250_000
    waiting = [10, 10, 10, 10, 20, 20]
    exact = sum(n * 100_000 * ledger.money.discount(t) for t, n in enumerate(waiting))
    assert stored - 1 < exact <= stored
    row = next(iter(ledger.setting.rows["small"]))
    assert ledger.start_value("small", row, GB300, 0) - optional.start_value("small", row, GB300, 0) == 7_500_000
    assert ledger.period_value("small", GB300, 4) - optional.period_value("small", GB300, 4) == 50_000


def test_committed_deliveries_make_the_constant() -> None:
    """Nothing decides beside the racks, yet every plan pays: 10 racks of 100,000 USD, 6 quarters of storage at 1 %."""
    deliveries = [supply(committed=True)]
    content: dict[str, Any] = {
        "money": {"storage_share_per_quarter": "0.01"},
        "supply": deliveries,
        "workloads": [],
        "goodput": None,
    }
    assert verification_of(world_of(**content)).side.constant_cents == -(100_000_000 + 6_000_000)
    rented: dict[str, Any] = content | {"perspective": "customer"}
    assert verification_of(world_of(**rented)).side.constant_cents == 0


def test_one_rack_in_the_three_books() -> None:
    """A quarter of 2,190 h, 1 USD for a GPU-hour: rent is 157,680 USD for 72 GPUs.

    Energy: 140 kW · 0.7 · 2,190 h · 50 USD/MWh = 10,731 USD at work, and three sevenths of it, 4,599 USD, idle. After
    the six decision quarters of eight, a rack of the first quarter has two left. The customer pays nothing more, but
    no rent until the rack is accepted.
    """
    money = {"workload": "inference", "acceptance_lag_quarters": 1}
    books = {
        name: verification_of(world_of(perspective=name, money=money, workloads=[], goodput=None)).ledger
        for name in ("provider", "chain", "customer")
    }
    row = next(iter(books["chain"].setting.rows["small"]))
    standing = {name: ledger.period_value("small", GB300, 0) for name, ledger in books.items()}
    assert standing == {"provider": 15_768_000 - 1_073_100, "chain": -459_900, "customer": -15_768_000}
    started = {name: ledger.start_value("small", row, GB300, 0) for name, ledger in books.items()}
    assert started == {
        "provider": -10_000_000 + 2 * (15_768_000 - 1_073_100) - 15_768_000,
        "chain": -10_000_000 - 2 * 459_900,
        "customer": -2 * 15_768_000 + 15_768_000,
    }
    units = {name: ledger.money.unit_cost(GB300, 0) for name, ledger in books.items()}
    assert units["customer"] == 0 < units["chain"] == units["provider"]
