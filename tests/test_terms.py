"""Terms of supply and of rows, by hand: curtailment, fuel, demand, swing, places, pressure, conversions, one feed."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from fixtures.small_site import CURTAILED, PROVENANCE, small_site, sourced
from fixtures.small_world import small_portfolio, small_world

from planner.errors import InfeasibleError
from planner.lower import lower, lowering, site_table
from planner.lower.swing import swing_w
from planner.problem import INACTIVE, SHARE_BITS

if TYPE_CHECKING:
    from planner.problem import Problem
    from sites.world import World

UNIT = 1 << SHARE_BITS
QUARTER_CENTS = 157_680_00
"""72 GPUs · 2,190 h · 1 USD."""
GB200 = "gb200-nvl72"


def pairs_site() -> dict[str, Any]:
    """The small site: two lineups of 2N rows."""
    return small_site({"kind": "2n"}, n_rows=2)


def with_figures(world: World, system: str, **figures: object) -> World:
    """A world whose catalogue knows other figures of a system; None takes the figure away."""
    entry = world.catalog.rack_systems[system]
    content = {
        key: sourced(value) if value is not None else {"value": None, "reason": "not published"} | SOURCE
        for key, value in figures.items()
    }
    changed = type(entry).model_validate(entry.model_dump(mode="python") | content)
    return replace(world, catalog=replace(world.catalog, rack_systems=world.catalog.rack_systems | {system: changed}))


SOURCE = {"source": "round figure", "status": "assumption"}


def all_limits(world: World) -> Problem:
    """The problem with limits that others imply."""
    with pytest.MonkeyPatch.context() as patch:
        for part in (lowering, site_table):
            patch.setattr(part, "drop_implied", lambda limits, eligible: [])
        return lower(world).problem


def limit(problem: Problem, name: str) -> tuple[list[int], list[list[int]]]:
    """Capacity by period and coefficients of the rows of one limit."""
    index = next(i for i, one in enumerate(problem.limits) if one.name == name)
    entries = slice(int(problem.limit_ptr[index]), int(problem.limit_ptr[index + 1]))
    return problem.capacity[index].tolist(), problem.entry_coefficient[entries].tolist()


def reasons(world: World) -> set[str]:
    """Why configurations never stand in rows."""
    return {one.reason for one in lower(world).problem.ineligible}


# Money at the meter


def test_curtailment_takes_its_part_of_every_revenue() -> None:
    """5 of 10 MW for 876 h of 8,760 are lost: 5 %, from the quarter on in which the non-firm part is there."""
    content = pairs_site()
    content["service"] |= CURTAILED
    world = small_world(content, configurations=[GB200], money={"annual_pue": "0", "acceptance_lag_quarters": 1})
    problem = lower(world).problem
    part = [Fraction(1)] * 2 + [Fraction(95, 100)] * 4
    assert problem.period_value[0, 0].tolist() == [math.floor(QUARTER_CENTS * a) for a in part]
    assert problem.contract_revenue[0, 0].tolist() == problem.period_value[0, 0].tolist()
    after = [(t + 2) * QUARTER_CENTS * Fraction(95, 100) for t in range(6)]
    starts = [math.floor(after[t] - QUARTER_CENTS * part[t] - 100_000_00) for t in range(6)]
    assert problem.start_value[0, 0].tolist() == starts


def test_fuel_is_paid_for_what_generation_is_of_the_capacity() -> None:
    """2 sets of which one is in reserve give 10 MW beside 10 MW of service: half of the energy at 150 USD/MWh."""
    content = pairs_site()
    content["generation"] = [
        {
            "name": "turbines", "units": 2, "reserve": 1, "rating": "10 MW", "rated_dry_bulb": "35 degC",
            "derate_per_kelvin": "0.01", "in_service": "2027-Q4", "fuel_cost": "150 USD/MWh", "provenance": PROVENANCE,
        }
    ]  # fmt: skip
    problem = lower(small_world(content, configurations=[GB200])).problem
    megawatt_hours = Fraction(132, 1000) * Fraction(85, 100) * 2190
    prices = [50] * 3 + [100] * 3
    assert problem.period_value[0, 0].tolist() == [
        math.floor(QUARTER_CENTS - megawatt_hours * price * 100) for price in prices
    ]
    capacity, _ = limit(all_limits(small_world(content)), "small:meter:service")
    assert capacity[-1] - capacity[2] == 10_000_000 * UNIT


def test_demand_is_paid_by_the_meter_coefficient() -> None:
    """3 months · 10 USD/kW of what a rack weighs at the meter, beside its energy."""
    content = pairs_site()
    free = lower(small_world(pairs_site(), configurations=[GB200]))
    content["service"] |= {"demand_charge": "10 USD/kW/month", "demand_charge_provenance": PROVENANCE}
    charged = lower(small_world(content, configurations=[GB200]))
    weight = Fraction(int(charged.meters[0].coefficient[0, 0, -1]), UNIT)
    megawatt_hours = Fraction(132, 1000) * Fraction(85, 100) * 2190
    running = megawatt_hours * 50 + 3 * 10 * weight / 1000
    assert charged.problem.period_value[0, 0, -1] == math.floor((QUARTER_CENTS // 100 - running) * 100)
    assert free.problem.period_value[0, 0, -1] > charged.problem.period_value[0, 0, -1]
    # Started in the last period it rests for seven quarters after the horizon.
    lost = free.problem.start_value[0, 0, -1] - charged.problem.start_value[0, 0, -1]
    assert abs(lost - 7 * 3 * weight) <= 1


# Swing


def swing_site() -> dict[str, Any]:
    """A site whose load may swing by 1 MW, and by 400 kW more with a battery from 2027-Q4 on."""
    content = pairs_site()
    content["service"]["swing"] = {"rule": "limit", "step": "1 MW", "provenance": PROVENANCE}
    content["batteries"] = [
        {"name": "one", "power": "400 kW", "energy": "1 MWh", "in_service": "2027-Q4", "provenance": PROVENANCE}
    ]
    return content


def test_swing_of_a_synchronous_job() -> None:
    world = with_figures(small_world(swing_site(), configurations=[GB200]), GB200, swing_smoothing="0.25")
    configuration = world.catalog.configuration(GB200)
    idle = configuration.profile.idle.value
    assert idle is not None
    swing = math.ceil(132_000 * (1 - idle) * Fraction(3, 4))
    assert swing_w(configuration) == swing
    capacity, weights = limit(all_limits(world), "small:swing:service")
    assert capacity == [1_000_000 * UNIT] * 3 + [1_400_000 * UNIT] * 3
    assert weights == [[swing * UNIT]] * 4


def test_nobody_asks_for_the_swing_of_inference() -> None:
    money = small_portfolio()["money"] | {"workload": "inference"}
    problem = all_limits(small_world(swing_site(), configurations=[GB200], money=money))
    assert not any(one.family == "swing" for one in problem.limits)


def test_unknown_swing_is_refused_where_it_is_limited() -> None:
    world = with_figures(small_world(swing_site()), GB200, swing_smoothing=None)
    world = with_figures(world, "gb300-nvl72", swing_smoothing="0.5")
    assert reasons(world) == {
        "the site limits how far its load swings, and what the rack smooths itself is not known: not published"
    }


# Places for support gear


@pytest.mark.parametrize(("partial", "kept"), [(True, Fraction(7, 2)), (False, Fraction(0))])
def test_support_places(partial: bool, kept: Fraction) -> None:
    """A unit of 8 racks wants 4 places: half a place for each rack, and 4 · 7/8 kept where it may be part empty."""
    content = pairs_site()
    content["lineup_templates"]["standard"]["fabric"] |= {"partial_units": partial, "support_positions": 9}
    world = with_figures(small_world(content, configurations=[GB200]), GB200, support_positions_per_unit="4")
    capacity, weights = limit(all_limits(world), "small:support:b1/h1/leaf-01")
    assert weights == [[UNIT // 2]] * 2
    assert capacity == [int((9 - kept) * UNIT)] * 6


# Rows


def pressure_site(manifold: str) -> dict[str, Any]:
    """CDUs of 200 kPa head before a manifold."""
    content = pairs_site()
    cdu = {
        "name": "cdu-head", "title": "CDU", "kind": "cdu", "heat": sourced("1 MW"), "flow": sourced("1500 L/min"),
        "power_per_heat": sourced("0.01"), "approach": sourced("4 K"), "head": sourced("200 kPa"),
    }  # fmt: skip
    content["cooling_equipment"] = [cdu]
    content["lineup_templates"]["standard"]["liquid"] |= {"manifold_drop": manifold}
    content["lineup_templates"]["standard"]["liquid"]["cdus"]["equipment"] = "cdu-head"
    return content


def test_pressure_must_reach() -> None:
    """150 kPa are left for a rack of 150; one kPa more in the manifold and it does not."""
    world = with_figures(small_world(pressure_site("50 kPa"), configurations=[GB200]), GB200, pressure_drop="150 kPa")
    assert reasons(world) == set()
    world = with_figures(small_world(pressure_site("51 kPa"), configurations=[GB200]), GB200, pressure_drop="150 kPa")
    with pytest.raises(
        InfeasibleError, match=r"the loop leaves 149\.0 kPa for the rack, and the rack takes 150\.0 kPa"
    ):
        lower(world)
    world = with_figures(small_world(pressure_site("50 kPa"), configurations=[GB200]), GB200, pressure_drop=None)
    with pytest.raises(InfeasibleError, match="pressure drop, which is not known: not published"):
        lower(world)


def converted_site(**conversion: object) -> dict[str, Any]:
    """Rows whose floors are too weak for a rack at a point, with one way to mend it."""
    content = pairs_site()
    lineup = content["lineup_templates"]["standard"]
    lineup["rows"]["floor_point"] = "100 kg/m**2"
    stronger = {
        "name": "plinths", "floor_point": "3000 kg/m**2", "cost_per_position": "1000.001 USD", "quarters": 1,
        "provenance": PROVENANCE,
    }  # fmt: skip
    lineup["conversions"] = [
        {"name": "taps-only", "taps": lineup["rows"]["taps"] | {"count": 9}} | COSTS,
        stronger | conversion,
        {"name": "never-needed", "floor_point": "9000 kg/m**2"} | COSTS,
    ]
    return content


COSTS = {"cost_per_position": "1 USD", "quarters": 0, "provenance": PROVENANCE}


def test_the_first_conversion_that_helps_applies() -> None:
    """A quarter later, and 1,000.001 USD for the one place of each rack, rounded up to the cent."""
    strong = pairs_site()
    strong["lineup_templates"]["standard"]["rows"]["floor_point"] = "3000 kg/m**2"
    money = {"discount_rate_per_year": "0.1"}
    plain = lower(small_world(strong, configurations=[GB200], money=money)).problem
    problem = lower(small_world(converted_site(), configurations=[GB200], money=money)).problem
    assert (problem.first_period - plain.first_period == 1).all()
    spent = plain.start_value[:, 0] - problem.start_value[:, 0]
    for t in range(6):
        exact = 100_001 * Fraction(math.pow(1.1, -t / 4))
        assert set(spent[:, t].tolist()) <= {math.floor(exact), math.ceil(exact)}


def test_a_conversion_that_comes_too_late() -> None:
    with pytest.raises(InfeasibleError, match="conversion 'plinths' would be done only after the last decision period"):
        lower(small_world(converted_site(quarters=30), configurations=[GB200]))


def test_a_converted_floor_holds_for_the_row() -> None:
    """12 places: nothing stands as the floor is, 1,500 kg/m² hold once converted; area 12 · 0.6 · 3 m²."""
    content = converted_site(floor_uniform="1500 kg/m**2")
    capacity, _ = limit(all_limits(small_world(content, configurations=[GB200])), "small:floor:b1/h1/l01/r1")
    assert capacity == [32_400 * UNIT] * 6
    content = converted_site()
    capacity, _ = limit(all_limits(small_world(content, configurations=[GB200])), "small:floor:b1/h1/l01/r1")
    assert capacity == [21_600 * UNIT] * 6


def one_feed_site(until: str | None) -> dict[str, Any]:
    """2N rows in service in 2027-Q3 whose second feeder comes two quarters later."""
    content = pairs_site()
    content["building_templates"]["hall-house"]["power"][0]["in_service"] = ["2027-Q1", "2028-Q1"]
    lineup = content["lineup_templates"]["standard"]
    for part in (lineup["liquid"], lineup["air"], content["building_templates"]["hall-house"]["plants"][0]):
        part["powered_by"] = "main-transformer"
    lineup["fabric"]["support_powered_by"] = "main-transformer"
    content["availability"][0]["may_drop_on"] = ["busway", "feeder", "unit-substation", "ups"]
    if until is not None:
        content["availability"][0]["single_feed_until"] = until
    return content


def test_rows_on_one_feed_until_the_other_is_there() -> None:
    """Without the rule rows wait for both feeds; with it they start on one, whole, and share from 2028-Q1 on."""
    assert lower(small_world(one_feed_site(None))).problem.first_period.min() == 4
    lowered = lower(small_world(one_feed_site("2028-Q1")))
    assert lowered.problem.first_period.min() == 2
    early, late = (lowered.sites["small"].state_at(t) for t in (2, 4))
    row, feeds = "b1/h1/l01/r1", [f"b1/h1/l01/r1/busway-{n}" for n in (1, 2)]
    for state, shares in ((early, [1, 0]), (late, [Fraction(1, 2)] * 2)):
        supply = state.flow.normal[row]
        assert supply is not None
        assert [supply.vector.share(feed) for feed in feeds] == shares
    assert "b1/feeder-1" in early.dropped_by[row]
    assert "b1/feeder-1" not in late.dropped_by.get(row, {})


def test_one_feed_is_judged_by_the_class() -> None:
    """A class that may not drop on a feeder keeps its rows waiting for the other one."""
    content = one_feed_site("2028-Q1")
    content["availability"][0]["may_drop_on"] = ["busway"]
    assert lower(small_world(content)).problem.first_period.min() == 4


def test_capacity_before_the_service_is_inactive() -> None:
    """The swing is limited from the service's first step on."""
    content = swing_site()
    content["service"]["steps"][0]["start"] = "2027-Q3"
    world = with_figures(small_world(content, configurations=[GB200]), GB200, swing_smoothing="0")
    capacity, _ = limit(all_limits(world), "small:swing:service")
    assert capacity[:2] == [int(INACTIVE)] * 2
    assert capacity[2] == 1_000_000 * UNIT
