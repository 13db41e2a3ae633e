"""Work of racks as a side program, and the money of three sets of books, against arithmetic by hand."""

from __future__ import annotations

import math
from dataclasses import fields
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fixtures.small_site import CURTAILED, PROVENANCE, small_site
from fixtures.small_world import small_world
from run_cases import lowered_of
from verify_cases import lowered_side, verification_of, verified_side
from work_cases import curve, made_basis, point, tier, working_world, workload

from planner.lower import lower
from planner.lower.side_builder import SideBuilder
from planner.problem import SHARE_BITS, ColumnKind
from planner.run.rates import work_rates
from sites.faults import InputError

if TYPE_CHECKING:
    from planner.problem import Problem, SideProgram

SCALE = 100 << SHARE_BITS
"""From USD to cents scaled by 2^20."""
UNITS_PER_QUARTER = 2190 * 3600
"""Units of 1,000 tokens in a quarter of 1,000 tokens/s."""
GB200, GB300 = 0, 1
RENT_CENTS = 157_680_00
FREE = {"annual_pue": "0"}


def side_of(*sites: dict[str, Any], **changes: Any) -> SideProgram:
    """Side program of the working world."""
    side = lower(working_world(*sites, **changes)).problem.side
    assert side is not None
    return side


def column(side: SideProgram, name: str) -> tuple[int, int, ColumnKind]:
    """Worth, most and kind of a column."""
    j = side.column_names.index(name)
    return side.column_worth[j], side.column_most[j], side.column_kind[j]


def terms(side: SideProgram, name: str) -> dict[str, int]:
    """Coefficients of a column by the name of their row."""
    j = side.column_names.index(name)
    span = slice(int(side.term_ptr[j]), int(side.term_ptr[j + 1]))
    rows = side.term_row_idx[span].tolist()
    return {side.row_names[i]: a for i, a in zip(rows, side.term_coefficient[span].tolist(), strict=True)}


def racks(side: SideProgram, name: str) -> dict[tuple[int, int], int]:
    """What racks add to a row, by configuration and period; all at the one site."""
    i = side.row_names.index(name)
    span = slice(int(side.rack_ptr[i]), int(side.rack_ptr[i + 1]))
    assert side.row_right[i] == 0
    assert not side.rack_group_idx[span].any()
    keys = zip(side.rack_configuration_idx[span].tolist(), side.rack_period_idx[span].tolist(), strict=True)
    return dict(zip(keys, side.rack_coefficient[span].tolist(), strict=True))


def test_units_are_sold_dearest_first_for_their_price() -> None:
    """1,000 tokens/s are 7,884,000 units of 1,000 in a quarter; a unit at 8 USD a million brings 0.8 cents."""
    side = side_of()
    contracted = column(side, "sold:chat:contracted:2027-Q1")
    assert contracted == (math.floor(SCALE * Fraction(8, 1000)), UNITS_PER_QUARTER, ColumnKind.FILLED)
    spot = column(side, "sold:chat:spot:2028-Q4")
    assert spot == (math.floor(SCALE * Fraction(2, 1000)), UNITS_PER_QUARTER // 2, ColumnKind.FILLED)
    assert terms(side, "sold:chat:spot:2028-Q4") == {"work:chat:2028-Q4": 1}
    sold = [name for name in side.column_names if name.startswith("sold:") and name.endswith("2027-Q3")]
    assert sold == ["sold:chat:contracted:2027-Q3", "sold:chat:spot:2027-Q3"]


def test_an_hour_of_work_costs_what_it_draws_beyond_an_idle_one() -> None:
    """GB200 does 3,600 units an hour at 1,000 tokens/s; 1.5 times the quarter's hours serve all that is asked."""
    side = side_of(configurations=["gb200-nvl72"])
    name = "serve:small:gb200-nvl72:chat:2027-Q2"
    worth, most, kind = column(side, name)
    profile = working_world().catalog.configuration("gb200-nvl72").profile
    beyond = Fraction(profile.average_inference.value or 0) - Fraction(profile.idle.value or 0)
    assert beyond > 0
    assert worth == -math.ceil(SCALE * Fraction(132, 1000) * beyond * 50)
    assert (most, kind) == (2190 * 3 // 2, ColumnKind.CHOSEN)
    assert terms(side, name) == {"work:chat:2027-Q2": -3600, "hours:small:gb200-nvl72:2027-Q2": 1}


def test_hours_are_those_of_racks_that_stand_and_live() -> None:
    """Six quarters are decided and a life has eight: a rack of the first quarter works until 2028-Q4."""
    side = side_of()
    assert racks(side, "hours:small:gb200-nvl72:2027-Q2") == {(GB200, 1): 2190}
    assert racks(side, "hours:small:gb300-nvl72:2028-Q4") == {(GB300, 5): 2190}
    assert racks(side, "hours:small:gb300-nvl72:2029-Q1") == {(GB300, 5): 2190, (GB300, 0): -2190}
    assert racks(side, "hours:small:gb300-nvl72:2030-Q1") == {(GB300, 5): 2190, (GB300, 4): -2190}
    assert "hours:small:gb300-nvl72:2030-Q2" not in side.row_names
    assert not any(name.startswith("accepted:") for name in side.row_names)


def test_racks_work_once_they_are_accepted() -> None:
    """With a lag of two quarters those of two quarters ago work; the last decision's are accepted by 2028-Q4."""
    side = side_of(money={"acceptance_lag_quarters": 2})
    assert racks(side, "accepted:small:gb200-nvl72:2027-Q2") == {}
    assert racks(side, "accepted:small:gb200-nvl72:2027-Q4") == {(GB200, 1): 2190}
    assert racks(side, "accepted:small:gb200-nvl72:2028-Q3") == {(GB200, 4): 2190}
    assert "accepted:small:gb200-nvl72:2028-Q4" not in side.row_names
    assert "accepted:small:gb200-nvl72:2027-Q4" in terms(side, "serve:small:gb200-nvl72:chat:2027-Q4")


def test_after_the_decisions_only_resting_profiles_work() -> None:
    """Of the profiles of Vera Rubin the one of less power rests; on GB200 nothing was measured."""
    basis = made_basis(curves=[curve("vr-nvl72", point("20", "3000"), profile="max-p")])
    deliveries = [{"quarter": "2027-Q1", "racks": 9}]
    systems = ("gb200-nvl72", "vr-nvl72")
    supply = [{"system": system, "deliveries": deliveries, "provenance": PROVENANCE} for system in systems]
    configurations = ["gb200-nvl72", "vr-nvl72/max-p", "vr-nvl72/max-q"]
    side = side_of(basis=basis, configurations=configurations, supply=supply)
    assert "serve:small:vr-nvl72/max-p:chat:2028-Q2" in side.column_names
    assert "serve:small:vr-nvl72/max-p:chat:2028-Q3" not in side.column_names
    assert racks(side, "hours:small:vr-nvl72/max-q:2028-Q3") == {(1, 5): 2190, (2, 5): 2190}
    assert not any(":gb200-nvl72:" in name for name in side.column_names)


def test_rates_follow_speed_factor_goodput_and_gains() -> None:
    """GB300 at 40 tokens/s/user does 800/s (1/r is linear in speed); ½ by the factor, 0.9 goodput, gains later."""
    gains = {
        "software_gains": [
            {"system": "gb300-nvl72", "start": start, "low": 1, "mode": factor, "high": 9, "provenance": PROVENANCE}
            for start, factor in (("2026-Q3", 3), ("2027-Q3", "1.5"))
        ],
        "co_design_gains": [{"start": "2027-Q4", "cost_reduction": "0.2", "provenance": PROVENANCE}],
        "goodput": {"share": "0.9", "provenance": PROVENANCE},
    }
    side = side_of(workloads=[workload(speed="40 tokens/s/user", work_factor=2)], **gains)
    assert not any(":gb200-nvl72:" in name for name in side.column_names)
    rates = [-terms(side, f"serve:small:gb300-nvl72:chat:2027-Q{n}")[f"work:chat:2027-Q{n}"] for n in range(1, 5)]
    # 800/s · 3,600 s · 0.9 / 2 are 1,296 units; the gain of 2026-Q3 was there when the curve was measured.
    assert rates == [1296, 1296, 1944, 2430]
    low = side_of(workloads=[workload(speed="40 tokens/s/user", work_factor=2)], gain_case="low", **gains)
    assert terms(low, "serve:small:gb300-nvl72:chat:2027-Q3")["work:chat:2027-Q3"] == -1296


def test_curtailed_hours_do_no_work() -> None:
    """5 of 10 MW for 876 h of 8,760 are lost: 5 % of what a rack does, from the quarter in which the part is there."""
    content = small_site()
    content["service"] |= CURTAILED
    side = side_of(content)
    for quarter, rate in (("2027-Q2", 3600), ("2027-Q3", 3420)):
        assert terms(side, f"serve:small:gb200-nvl72:chat:{quarter}")[f"work:chat:{quarter}"] == -rate


def test_residency_keeps_work_on_its_sites() -> None:
    """Of two sites only the second may serve."""
    contents = [small_site(), small_site() | {"name": "abroad"}]
    side = side_of(*contents, workloads=[workload(sites=["abroad"]), workload(name="free")])
    served = {tuple(name.split(":")[1:4:2]) for name in side.column_names if name.startswith("serve:")}
    assert served == {("abroad", "chat"), ("small", "free"), ("abroad", "free")}
    assert side.group_names == ("small", "abroad")
    assert side.group_of_row_idx.tolist() == sorted(side.group_of_row_idx.tolist())


def test_prices_fall_and_what_costs_more_than_it_brings_is_not_sold() -> None:
    """Half of the price is left after each quarter (1 − 15/16)^(t/4); 3 USD of egress is more than the spot brings."""
    falling = {"price_decline_per_year": "0.9375"}
    tiers = [tier("contracted", "1000", "8", **falling), tier("spot", "500", "2", **falling)]
    egress = [{"name": "egress", "cost": "3 USD/million", "provenance": PROVENANCE}]
    side = side_of(workloads=[workload(tiers=tiers, charges=egress)], money={"discount_rate_per_year": "0.1"})
    sold = [name for name in side.column_names if name.startswith("sold:")]
    assert sold == ["sold:chat:contracted:2027-Q1", "sold:chat:contracted:2027-Q2"]
    discount = Fraction(math.pow(1.1, -1 / 4))
    assert column(side, sold[1])[0] == math.floor(SCALE * discount * Fraction(4 - 3, 1000))


def test_demand_follows_its_steps_and_the_last_one_holds_on() -> None:
    """Nothing asked, then 1/2 token/s: 3,942 units of 1,000 tokens in a quarter."""
    steps = [{"start": "2026-Q1", "rate": "0 1/s"}, {"start": "2028-Q3", "rate": "0.5 1/s"}]
    side = side_of(workloads=[workload(tiers=[tier("only", "0", "8", demand=steps)])])
    sold = {name.split(":")[-1]: column(side, name)[1] for name in side.column_names if name.startswith("sold:")}
    assert sold == dict.fromkeys(("2028-Q3", "2028-Q4", "2029-Q1", "2029-Q2", "2029-Q3", "2029-Q4", "2030-Q1"), 3942)
    assert not any("2028-Q2" in name for name in side.row_names)


def test_a_penalty_is_paid_for_all_and_earned_back_by_what_is_served() -> None:
    """1 USD for each million not served: 13 quarters of 7,884 USD, and 0.1 cents more for a unit."""
    tiers = [tier("contracted", "1000", "8", penalty="1 USD/million"), tier("spot", "500", "2")]
    problem = lower(working_world(workloads=[workload(tiers=tiers)])).problem
    assert problem.constant_cents == -13 * 7_884_00
    assert problem.side is not None
    assert column(problem.side, "sold:chat:contracted:2027-Q1")[0] == math.floor(SCALE * Fraction(9, 1000))


def test_training_counts_whole_units_of_relative_work() -> None:
    """A basis that counts relative work has units of 1: 2 of them a second are 7,200 in an hour."""
    basis = made_basis(kind="training", counts="relative", curves=[curve("gb300-nvl72", point(None, "2"))])
    training = workload(name="pretraining", kind="training", speed=None, tiers=[tier("own", "3", "1000")])
    side = side_of(basis=basis, workloads=[training])
    assert column(side, "sold:pretraining:own:2027-Q1")[:2] == (math.floor(SCALE * Fraction(1, 1000)), 3 * 2190 * 3600)
    name = "serve:small:gb300-nvl72:pretraining:2027-Q1"
    assert terms(side, name)["work:pretraining:2027-Q1"] == -7200
    profile = working_world().catalog.configuration("gb300-nvl72").profile
    beyond = Fraction(profile.average_training.value or 0) - Fraction(profile.idle.value or 0)
    assert column(side, name)[0] == -math.ceil(SCALE * Fraction(140, 1000) * beyond * 50)


def test_work_beyond_integers_is_refused() -> None:
    with pytest.raises(InputError, match="found demand and rates of"):
        lower(working_world(workloads=[workload(tiers=[tier("all", "1e15", "1")])]))


def test_a_provider_has_no_workloads() -> None:
    with pytest.raises(InputError, match="set 'perspective' to 'chain' or 'customer'"):
        lower(working_world(perspective="provider"))


def test_racks_of_a_refresh_work_as_what_they_are() -> None:
    """GB200 makes way for GB300 in 2027-Q4, a quarter of standstill: its racks work until 2027-Q3, then as GB300."""
    refresh = {
        "before": "gb200-nvl72",
        "after": "gb300-nvl72",
        "quarters": ["2027-Q4"],
        "downtime_quarters": 1,
        "removal_cost": "0 USD",
        "resale": [{"age_quarters": 0, "share": 0}],
        "provenance": PROVENANCE,
    }
    world = working_world(refresh=[refresh], money={"acceptance_lag_quarters": 1})
    problem = lower(world).problem
    assert problem.configuration_names[2:] == tuple(
        f"gb200-nvl72>gb300-nvl72@2027-Q4/{name}" for name in ("gb200-nvl72", "down", "gb300-nvl72")
    )
    side, old, new = problem.side, 2, 4
    assert side is not None
    assert racks(side, "hours:small:gb200-nvl72:2027-Q3") == {(GB200, 2): 2190, (old, 2): 2190}
    assert racks(side, "hours:small:gb200-nvl72:2028-Q1") == {(GB200, 4): 2190}
    assert racks(side, "hours:small:gb300-nvl72:2028-Q1") == {(GB300, 4): 2190, (new, 4): 2190}
    assert racks(side, "accepted:small:gb300-nvl72:2028-Q1") == {(GB300, 3): 2190}
    assert racks(side, "accepted:small:gb300-nvl72:2028-Q2") == {(GB300, 4): 2190, (new, 4): 2190}
    # Those that came in 2028-Q1 live eight quarters from then on, whenever the racks before them came.
    standing = {(GB300, 5): 2190, (new, 5): 2190}
    assert racks(side, "hours:small:gb300-nvl72:2029-Q1") == {**standing, (GB300, 0): -2190}
    assert racks(side, "hours:small:gb300-nvl72:2030-Q1") == {**standing, (GB300, 4): -2190, (new, 4): -2190}
    assert lowered_side(problem) == verified_side(verification_of(world).side)


# Books


def problem_in(perspective: str, **changes: Any) -> Problem:
    """The small world with GB200 on offer, in somebody's books."""
    return lower(small_world(configurations=["gb200-nvl72"], perspective=perspective, **changes)).problem


def test_owner_and_user_together_pay_for_an_idle_rack() -> None:
    """No rent; energy of an idle rack and operations, and the price of the rack."""
    money = {"opex_per_it_watt_year": "0.4 USD/W", "acceptance_lag_quarters": 1, "market_factor": "0.5"}
    contract = {"amount": "1e6 USD", "provenance": PROVENANCE}
    problem = problem_in("chain", money=money, contract=contract)
    idle = Fraction(working_world().catalog.configuration("gb200-nvl72").profile.idle.value or 0)
    quarter = Fraction(132, 1000) * idle * 2190 * 50 + 13_200
    assert problem.period_value[0, 0].tolist() == [math.floor(-quarter * 100)] * 6
    assert problem.start_value[0, 0].tolist() == [math.floor(-((t + 2) * quarter + 100_000) * 100) for t in range(6)]
    assert problem.contract_amount == 0
    assert problem.unit_cost[0, 0].tolist() == [8_000_00] * 6
    assert problem.side is None


def test_a_customer_pays_rent_from_acceptance_on_and_nothing_else() -> None:
    """157,680 USD a quarter; a rack of the first quarter lives two quarters past the last decision."""
    content = small_site()
    content["lineup_templates"]["standard"]["avoidable_capex"] = "1000001 USD"
    money = {"opex_per_it_watt_year": "0.4 USD/W", "acceptance_lag_quarters": 1, "residual": "0.5"}
    world = small_world(content, configurations=["gb200-nvl72"], perspective="customer", money=money)
    problem = lower(world).problem
    assert problem.period_value[0, 0].tolist() == [-RENT_CENTS] * 6
    assert problem.start_value[0, 0].tolist() == [-(t + 2 - 1) * RENT_CENTS for t in range(6)]
    assert not problem.open_cost.any()
    assert not problem.unit_cost.any()
    side = side_of(perspective="customer")
    assert column(side, "serve:small:gb200-nvl72:chat:2027-Q1")[0] == 0


def test_a_rack_is_paid_for_in_parts_and_sold_in_the_end() -> None:
    """30 % two quarters ahead, 50 % at the start, 20 % a quarter later; 10 % come back after eight quarters."""
    parts = ((-2, "0.3"), (0, "0.5"), (1, "0.2"))
    terms_of_payment = [{"share": share, "offset_quarters": offset} for offset, share in parts]
    rate = {"discount_rate_per_year": "0.1", **FREE}
    plain = problem_in("provider", money=rate)
    paid = problem_in("provider", money={**rate, "payment_terms": terms_of_payment, "residual": "0.1"})

    def discount(t: int) -> Fraction:
        return Fraction(math.pow(1.1, -t / 4))

    for t in range(6):
        whole = plain.start_value[0, 0, t]
        due = sum(Fraction(share) * discount(max(t + offset, 0)) for offset, share in parts)
        gained = 100_000_00 * (discount(t) - due + discount(t + 8) / 10)
        assert abs(int(paid.start_value[0, 0, t]) - (int(whole) + gained)) < 1
    assert plain.period_value.tolist() == paid.period_value.tolist()


def test_paid_at_once_is_the_same_problem() -> None:
    at_once = problem_in("provider", money={"payment_terms": [{"share": 1, "offset_quarters": 0}], "residual": 0})
    plain = problem_in("provider")
    assert at_once.start_value.tolist() == plain.start_value.tolist()
    assert (at_once.side, at_once.constant_cents) == (None, 0)


def test_committed_racks_are_paid_for_placed_or_not() -> None:
    """Three come in the first quarter and two in 2027-Q4, each of 100,000 USD; keeping one costs 1 % a quarter."""
    came = [("2027-Q1", 3), ("2027-Q4", 2), ("2029-Q1", 7)]
    deliveries = [{"quarter": quarter, "racks": racks} for quarter, racks in came]
    entry = {"system": "gb200-nvl72", "deliveries": deliveries, "provenance": PROVENANCE}
    money = {"storage_share_per_quarter": "0.01", **FREE}
    plain = problem_in("provider", money=FREE, supply=[entry])
    committed = problem_in("provider", money=money, supply=[entry | {"committed": True}])
    assert committed.constant_cents == -(5 * 100_000_00 + (3 * 3 + 3 * 5) * 1_000_00)
    assert np.unique(committed.period_value - plain.period_value).tolist() == [1_000_00]
    assert np.unique(committed.start_value - plain.start_value).tolist() == [100_000_00]
    rented = problem_in("customer", money=money, supply=[entry | {"committed": True}])
    assert rented.constant_cents == 0
    assert np.unique(rented.period_value).tolist() == [-RENT_CENTS]


def test_a_run_says_what_rates_rest_on() -> None:
    """GB300 lies between two points whose time to first token nobody measured; GB200 is too slow, with the reason."""
    world = working_world(workloads=[workload(speed="40 tokens/s/user", ttft="2 s")])
    slow, fast = work_rates(world)
    assert (slow.configuration, slow.rate_per_s, slow.status) == ("gb200-nvl72", None, None)
    assert "the fastest measured is 20" in (slow.reason or "")
    assert (fast.configuration, fast.rate_per_s, fast.reason) == ("gb300-nvl72", 800.0, None)
    assert (fast.status, fast.interpolated, fast.ttft_unchecked, fast.measured) == ("measured", True, True, "2026-Q3")
    assert work_rates(small_world()) == ()


def test_a_builder_resumed_from_a_program_builds_it_again() -> None:
    """Instalments that widen a budget included: every array to the last entry."""
    for name in ("toy-work-choice", "toy-tranche-budget"):
        side = lowered_of(name).problem.side
        assert side is not None
        again = SideBuilder.resumed(side).build()
        for field in fields(side):
            np.testing.assert_array_equal(getattr(again, field.name), getattr(side, field.name))
