"""The break-even of a lower power profile: worked by hand, and again in plain floats from the files' figures."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

import pytest
from run_cases import world_of

from planner.report.breakeven import BreakEven, LifeCash, Room, break_even_factor, break_evens
from sites.calendar import quarter_index
from sites.expansion import expand


@cache
def lines_of(name: str) -> tuple[BreakEven, ...]:
    world = world_of(name)
    return break_evens(world, {one.name: expand(one.site, world.catalog) for one in world.sites})


def test_seven_racks_against_six_by_hand() -> None:
    """7 · (100 p − 40) = 6 · (100 − 45) at p = 610/700."""
    lower, highest = LifeCash(Fraction(100), Fraction(40)), LifeCash(Fraction(100), Fraction(45))
    room = Room("a row", Fraction(7), Fraction(6))
    assert break_even_factor(room, lower, highest, Fraction(1)) == Fraction(61, 70)


def test_free_racks_break_even_at_the_ratio_of_watts() -> None:
    free = LifeCash(Fraction(100), Fraction(0))
    assert break_even_factor(Room("", Fraction(1, 190), Fraction(1, 230)), free, free, Fraction(1)) == Fraction(19, 23)


def test_a_rack_that_earns_just_its_cost_breaks_even_only_at_par() -> None:
    worthless = LifeCash(Fraction(100), Fraction(100))
    assert break_even_factor(Room("", Fraction(7), Fraction(6)), worthless, worthless, Fraction(1)) == 1


@pytest.mark.parametrize(("n_lower", "n_highest"), [("7", "6"), ("9", "7"), ("1.202", "1")])
def test_reference_campus_again_in_floats(n_lower: str, n_highest: str) -> None:
    [line] = [one for one in lines_of("reference-1gw") if (one.n_lower, one.n_highest) == (n_lower, n_highest)]
    world = world_of("reference-1gw")
    money, site = world.portfolio.money, world.sites[0].site
    low, high = (world.catalog.configuration(f"vr-nvl72/{profile}") for profile in ("max-q", "max-p"))
    system = low.system
    start = quarter_index("2027-Q3") - quarter_index(world.portfolio.start)

    def discount(t: int) -> float:
        return float(1 + money.discount_rate_per_year) ** (-t / 4)

    def revenue(t: int) -> float:
        decline = float(1 - money.rental_decline_per_year) ** (t / 4)
        return float(system.rental.value or 0) * 72 * 2190 * float(money.utilisation) * decline * discount(t)

    def cost(watts: float) -> float:
        energy = watts / 1e6 * 0.85 * float(money.annual_pue) * 2190 * float(site.energy_price)
        quarterly = energy + watts * float(money.opex_per_it_watt_year) / 4
        bought = float((system.price.value or 0) + (system.network_price.value or 0)) * discount(start)
        lag = sum(revenue(t) for t in range(start, start + money.acceptance_lag_quarters))
        return bought + lag + sum(quarterly * discount(t) for t in range(start, start + money.economic_life_quarters))

    earned = sum(revenue(t) for t in range(start, start + money.economic_life_quarters))
    share = (230 + 7.6) / (190 + 7.6) if n_highest == "1" else int(n_lower) / int(n_highest)
    assert (low.profile.sustained_max.value, high.profile.sustained_max.value) == (190_000, 230_000)
    lower_worth = share * (line.factor * earned - cost(190_000))
    assert lower_worth == pytest.approx(earned - cost(230_000), rel=1e-9)


def test_rows_of_the_reference_campus_hold_what_its_busways_carry() -> None:
    """1,400 kW: 7 · 190 = 1,330 and 6 · 230 = 1,380; the feeds share a row, and each carries it alone."""
    bases = {one.basis: (one.n_lower, one.n_highest) for one in lines_of("reference-1gw")}
    assert bases["row of 12 positions, 2 busways of 1,400 kW"] == ("7", "6")


def test_a_contract_gives_a_second_price_and_dearer_revenue_a_lower_break_even() -> None:
    lines = [one for one in lines_of("claude-on-azure-1gw") if one.basis.startswith("campus")]
    assert {one.price for one in lines} == {"contract", "market"}
    factors = {(one.site, one.price): one.factor for one in lines}
    for site in {one.site for one in lines}:
        assert factors[site, "contract"] < factors[site, "market"]


def test_verdict_follows_the_range() -> None:
    for line in (*lines_of("reference-1gw"), *lines_of("claude-on-azure-1gw")):
        low, mode, high = (float(part) for part in line.assumed.split(" – "))
        if line.factor > high:
            expected = "the highest profile earns more over the whole range"
        elif line.factor < low:
            expected = "the lower profile earns more over the whole range"
        else:
            better = "lower" if mode > line.factor else "highest"
            expected = f"the range straddles it; at its mode the {better} profile earns more"
        assert line.verdict == expected


def test_no_line_without_two_profiles_of_one_system() -> None:
    assert lines_of("toy-position") == ()


def test_a_portfolio_of_one_profile_has_nothing_to_compare() -> None:
    world = world_of("reference-1gw")
    portfolio = world.portfolio.model_copy(update={"configurations": ("gb300-nvl72", "vr-nvl72/max-q")})
    graphs = {one.name: expand(one.site, world.catalog) for one in world.sites}
    assert break_evens(replace(world, portfolio=portfolio), graphs) == ()
