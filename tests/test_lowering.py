"""Lowering by hand: shares of every scheme, coefficients, capacities, eligibility and money of a small site."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fixtures.small_site import PROVENANCE, small_site
from fixtures.small_world import small_world

from planner.errors import InfeasibleError
from planner.lower import lower, lowering, site_table
from planner.lower.draws import draw_of, flow_ml_per_min
from planner.lower.site import prepare
from planner.problem import INACTIVE, SHARE_BITS
from sites.catalog.loader import load_catalog
from sites.faults import InputError

if TYPE_CHECKING:
    from planner.lower import Lowered
    from planner.lower.site import EpochState
    from planner.problem import Problem
    from sites.world import World

L1 = "b1/h1/l01"
HALF, THIRD, ONE = Fraction(1, 2), Fraction(1, 3), Fraction(1)
UNIT = 1 << SHARE_BITS
UPS_GAIN = Fraction(103, 100)
"""1 + 0.01 linear + 0.02 quadratic."""
BY_PAIRS = {"kind": "distributed", "blocks": 4, "make": 3}
PERIODS = ("2027-Q1", "2027-Q2", "2027-Q3", "2027-Q4")


def ceiling(value: Fraction) -> int:
    """ceil(value · 2^20)."""
    return math.ceil(value * UNIT)


def last_state(scheme: dict[str, Any], n_rows: int) -> EpochState:
    """The flow of the small site under a scheme once everything is in service."""
    world = small_world(small_site(scheme, n_rows))
    return prepare(world.sites[0], world.catalog, PERIODS).states[-1]


def limit_index(problem: Problem, name: str) -> int:
    """The one limit of this name."""
    found = [index for index, limit in enumerate(problem.limits) if limit.name == name]
    assert len(found) == 1, (name, [limit.name for limit in problem.limits])
    return found[0]


def coefficients(problem: Problem, name: str) -> dict[str, list[int]]:
    """Coefficients of a limit by row."""
    index = limit_index(problem, name)
    entries = range(int(problem.limit_ptr[index]), int(problem.limit_ptr[index + 1]))
    return {
        problem.row_names[problem.entry_row_idx[entry]]: problem.entry_coefficient[entry].tolist() for entry in entries
    }


def capacity(problem: Problem, name: str) -> list[int]:
    """Capacity of a limit by period."""
    return [int(value) for value in problem.capacity[limit_index(problem, name)]]


# Shares

SCHEME_SHARES = [
    # One block for each row, nothing behind it.
    ({"kind": "n", "blocks": 2}, None, "ups-1", "r1", ONE),
    ({"kind": "n", "blocks": 2}, None, "ups-2", "r1", Fraction(0)),
    ({"kind": "n", "blocks": 2}, "ups-1", "ups-2", "r1", Fraction(0)),
    # Three blocks on one bus, equal parts; after a loss two carry half each.
    ({"kind": "n-plus-1-bus", "blocks": 3, "bus": "bus-5mw"}, None, "ups-1", "r1", THIRD),
    ({"kind": "n-plus-1-bus", "blocks": 3, "bus": "bus-5mw"}, "ups-2", "ups-1", "r1", HALF),
    ({"kind": "n-plus-1-bus", "blocks": 3, "bus": "bus-5mw"}, "ups-2", "unit-substation-1", "r1", HALF * UPS_GAIN),
    # Two blocks, half each; after a loss one carries all, and its losses lie above the UPS.
    ({"kind": "2n"}, None, "ups-1", "r1", HALF),
    ({"kind": "2n"}, "ups-2", "ups-1", "r1", ONE),
    ({"kind": "2n"}, "unit-substation-2", "ups-1", "r1", ONE),
    ({"kind": "2n"}, "ups-2", "unit-substation-1", "r1", UPS_GAIN),
    # A catcher that carries nothing until an active block fails.
    ({"kind": "block-redundant", "active": 2, "transfer_switch": "switch-2mw"}, None, "ups-3", "r1", Fraction(0)),
    ({"kind": "block-redundant", "active": 2, "transfer_switch": "switch-2mw"}, "ups-1", "ups-3", "r1", ONE),
    ({"kind": "block-redundant", "active": 2, "transfer_switch": "switch-2mw"}, "ups-1", "ups-3", "r2", Fraction(0)),
    ({"kind": "block-redundant", "active": 2, "transfer_switch": "switch-2mw"}, "ups-1", "ups-2", "r2", ONE),
    # Pairs (1,2), (1,3), (1,4), (2,3), (2,4), (3,4).
    (BY_PAIRS, None, "ups-1", "r1", HALF),
    (BY_PAIRS, "ups-2", "ups-1", "r1", ONE),
    (BY_PAIRS, "ups-2", "ups-1", "r3", HALF),
    (BY_PAIRS, "ups-2", "ups-3", "r4", ONE),
    (BY_PAIRS, "ups-2", "ups-3", "r6", HALF),
]


@pytest.mark.parametrize(("scheme", "failed", "element", "row", "share"), SCHEME_SHARES)
def test_share_of_each_scheme(
    scheme: dict[str, Any], failed: str | None, element: str, row: str, share: Fraction
) -> None:
    """What an element puts out for one watt of a row, in normal operation and after a loss."""
    state = last_state(scheme, 6)
    node = f"{L1}/{row}"
    supply = state.flow.normal[node]
    if failed is not None:
        supply = state.contingencies[f"{L1}/{failed}"].get(node, supply)
    found = Fraction(0) if supply is None else supply.vector.share(f"{L1}/{element}")
    assert found == share


def test_failed_bus_drops_its_rows() -> None:
    """The bus of an N+1 bus scheme is a single point."""
    state = last_state({"kind": "n-plus-1-bus", "blocks": 3, "bus": "bus-5mw"}, 2)
    changed = state.contingencies[f"{L1}/bus"]
    assert changed[f"{L1}/r1"] is None
    assert f"{L1}/bus" in state.dropped_by[f"{L1}/r1"]
    assert f"{L1}/ups-1" not in state.dropped_by[f"{L1}/r1"]


# Coefficients and capacities


def lower_fully(world: World) -> Lowered:
    """Lower a world without leaving out limits that other limits imply."""
    with pytest.MonkeyPatch.context() as patch:
        for part in (lowering, site_table):
            patch.setattr(part, "drop_implied", lambda limits, eligible: [])
        return lower(world)


@pytest.fixture(scope="module")
def pairs() -> Lowered:
    """The small site with 4N3 lineups, with all its limits."""
    return lower_fully(small_world(small_site(BY_PAIRS)))


def test_rows_on_one_feeder_are_refused(pairs: Lowered) -> None:
    """Blocks 1 and 3 hang on one feeder, 2 and 4 on the other: rows on (1,3) and (2,4) would drop with it."""
    refused = {one.row: one.reason for one in pairs.problem.ineligible}
    assert set(refused) == {f"b1/h1/l0{lineup}/r{row}" for lineup in (1, 2) for row in (2, 5)}
    assert "failure of a single feeder would drop the row" in refused[f"{L1}/r2"]
    assert pairs.problem.n_rows == 8


def test_power_limit_by_hand(pairs: Lowered) -> None:
    """UPS 1 of 2 MW after the loss of feeder 2, which takes blocks 2 and 4: rows (1,2) and (1,4) weigh all they draw.

    That implies every smaller failure, so nothing else is left for this UPS.
    """
    name = f"small:power:{L1}/ups-1"
    assert [one.name for one in pairs.problem.limits if one.name.startswith(name)] == [f"{name}:b1/feeder-2"]
    whole = [132_000 * UNIT, 140_000 * UNIT]
    assert coefficients(pairs.problem, f"{name}:b1/feeder-2") == {f"small:{L1}/r1": whole, f"small:{L1}/r3": whole}
    assert capacity(pairs.problem, f"{name}:b1/feeder-2") == [int(INACTIVE)] * 2 + [2_000_000 * UNIT] * 4


def test_substation_carries_the_losses_of_its_ups(pairs: Lowered) -> None:
    """Unit substation 1 of 3 MW: rows by 1.03, and 1 % of 2 MW is lost in its UPS whatever is placed."""
    name = f"small:power:{L1}/unit-substation-1:b1/feeder-2"
    assert coefficients(pairs.problem, name)[f"small:{L1}/r1"] == [ceiling(UPS_GAIN) * w for w in (132_000, 140_000)]
    assert capacity(pairs.problem, name)[-1] == 2_980_000 * UNIT


def test_feeder_carries_losses_constants_and_machinery(pairs: Lowered) -> None:
    """Feeder 1 of 6 MW after the loss of feeder 2.

    Every row comes whole through UPS of 1.03; pumps take 0.01 W for each liquid watt, fans 0.05 for each air watt, the
    plant its watts for each watt of both (air with the fans' heat), support gear its own, and as much for the air that
    it warms as rack air does. Constants: the UPS of blocks
    1 and 3 of two lineups lose 1 % of 2 MW each, 4 · 20 kW, and the plant takes 10 kW.
    """
    problem = pairs.problem
    cooling = pairs.graphs["small"].cooling
    plant_w = cooling.nodes["b1/plant-1"]["watts_per_heat_watt"]
    air = Fraction(5, 100) + plant_w * Fraction(105, 100)
    shares = (UPS_GAIN, Fraction(1, 100) + plant_w, air, ONE + air)
    draws = [draw_of(load_catalog().configuration(name)).electrical for name in problem.configuration_names]
    by_hand = [sum(ceiling(s) * d for s, d in zip(shares, draw, strict=True)) for draw in draws]
    name = "small:power:b1/feeder-1:b1/feeder-2"
    found = coefficients(problem, name)
    assert len(found) == 8
    assert all(values == by_hand for values in found.values())
    assert capacity(problem, name)[-1] == (6_000_000 - 4 * 20_000 - 10_000) * UNIT


def test_cooling_with_a_spare_out(pairs: Lowered) -> None:
    """Three CDUs of 1 MW with one out: each takes half; 8 dry coolers at half the heat with one out: 1/14 each.

    Support gear warms the air of its row: four handlers of 200 kW with one out take a third of both.
    """
    problem = pairs.problem
    liquid, air, support = draw_of(load_catalog().configuration("gb200-nvl72")).electrical[1:]
    dry = coefficients(problem, "small:dry:b1/plant-1")[f"small:{L1}/r1"]
    assert dry[0] == ceiling(Fraction(1, 14)) * liquid + ceiling(Fraction(105, 1400)) * (air + support)
    fans = coefficients(problem, f"small:air:{L1}/air")[f"small:{L1}/r1"]
    assert fans[0] == ceiling(THIRD) * air + ceiling(THIRD) * support
    assert capacity(problem, f"small:air:{L1}/air")[-1] == 200_000 * UNIT
    heat = coefficients(problem, f"small:liquid:{L1}/liquid")[f"small:{L1}/r1"]
    assert heat[0] == UNIT // 2 * liquid
    assert capacity(problem, f"small:liquid:{L1}/liquid")[-1] == 1_000_000 * UNIT
    flow = coefficients(problem, f"small:flow:{L1}/liquid")[f"small:{L1}/r1"]
    assert flow[0] == UNIT // 2 * 174_000
    assert capacity(problem, f"small:flow:{L1}/liquid")[-1] == 1_500_000 * UNIT


def test_landing_and_existence(pairs: Lowered) -> None:
    """The building opens in 2027-Q3 (period 2): 100 racks more each quarter; before that no limit and no row."""
    problem = pairs.problem
    assert problem.first_period.min() == 2
    assert capacity(problem, "small:landing:b1") == [int(INACTIVE)] * 2 + [100 * n * UNIT for n in (1, 2, 3, 4)]


def test_nothing_exists_before_the_service() -> None:
    """Elements stand from 2026 on, but the utility connects in 2028-Q1: no row, no constant, no meter before."""
    content = small_site(BY_PAIRS)
    content["service"]["steps"][0]["start"] = "2028-Q1"
    lowered = lower_fully(small_world(content))
    assert lowered.problem.first_period.min() == 4
    assert lowered.meters[0].constant == (0, 0, 0, 0, *[(8 * 20_000 + 10_000) * UNIT] * 2)
    assert capacity(lowered.problem, "small:meter:service")[:4] == [int(INACTIVE)] * 4
    assert capacity(lowered.problem, "small:meter:service")[4] == (10_000_000 - 170_000) * UNIT


def test_meter_and_envelope() -> None:
    """The envelope weighs racks as the meters do, both sites together, without the sites' constants."""
    first, second = small_site(BY_PAIRS), small_site(BY_PAIRS) | {"name": "other"}
    lowered = lower(small_world(first, second))
    problem = lowered.problem
    envelope = coefficients(problem, "*:envelope:meter")
    assert len(envelope) == 16
    for meter, site in zip(lowered.meters, ("small", "other"), strict=True):
        rows = [r for r, name in enumerate(problem.row_names) if name.startswith(f"{site}:")]
        for row in rows:
            assert meter.coefficient[row - meter.first_row, :, -1].tolist() == envelope[problem.row_names[row]]
        assert meter.coefficient.any(axis=(1, 2)).sum() == 8
        # Eight UPS lose 20 kW each, the plant takes 10 kW; transformers, lines and feeders have no losses.
        assert meter.constant[-1] == (8 * 20_000 + 10_000) * UNIT
        assert meter.capacity_w == (10_000_000,) * 6
    assert capacity(problem, "*:envelope:meter")[-1] == 9_000_000 * UNIT


def test_envelope_on_it_basis() -> None:
    """On the IT basis only the racks' own power counts."""
    envelope = {
        "basis": "it",
        "steps": [{"start": "2027-Q1", "capacity": "500 kW"}, {"start": "2028-Q1", "capacity": "1 MW"}],
        "provenance": PROVENANCE,
    }
    problem = lower(small_world(envelope=envelope)).problem
    found = coefficients(problem, "*:envelope:it")
    assert set(map(tuple, found.values())) == {(132_000 * UNIT, 140_000 * UNIT)}
    assert capacity(problem, "*:envelope:it")[2:] == [n * UNIT for n in (500_000, 500_000, 1_000_000, 1_000_000)]


def test_supply_accumulates() -> None:
    """Deliveries add up, and a system may stand from its first rack on."""
    supply = [
        {
            "system": "gb200-nvl72",
            "deliveries": [{"quarter": "2027-Q4", "racks": 3}, {"quarter": "2028-Q2", "racks": 4}],
            "provenance": PROVENANCE,
        }
    ]
    problem = lower(small_world(supply=supply, configurations=["gb200-nvl72"])).problem
    assert capacity(problem, "*:supply:gb200-nvl72") == [n * UNIT for n in (0, 0, 0, 3, 3, 7)]
    assert problem.first_period.min() == 3


def test_occupied_racks_take_capacity() -> None:
    """Racks of a neighbour load the feeder by the same coefficients, but neither supply nor landing nor envelope."""
    content = small_site(BY_PAIRS)
    batch = {"template": "standard", "hall": "h1"}
    occupied = {"owner": "a neighbour", "configuration": "gb200-nvl72", "racks_per_row": 2}
    template = content["building_templates"]["hall-house"]
    template["lineups"] = [batch | {"count": 1}, batch | {"count": 1, "occupied": occupied}]
    lowered, free = lower_fully(small_world(content)), lower_fully(small_world(small_site(BY_PAIRS)))
    name = "small:power:b1/feeder-1:b1/feeder-2"
    weight = coefficients(free.problem, name)["small:b1/h1/l02/r1"][0]
    # Of the neighbour's six rows the one on blocks 2 and 4 is dropped with feeder 2; five remain, two racks each.
    assert capacity(free.problem, name)[-1] - capacity(lowered.problem, name)[-1] == 5 * 2 * weight
    assert capacity(lowered.problem, "*:envelope:meter") == capacity(free.problem, "*:envelope:meter")
    assert {one.row for one in lowered.occupied} == {f"b1/h1/l02/r{n}" for n in range(1, 7)}
    assert {one.first_period for one in lowered.occupied} == {2}
    reasons = {one.reason for one in lowered.problem.ineligible if one.row.startswith("b1/h1/l02")}
    assert reasons == {"the row is occupied by a neighbour"}


def test_overloaded_by_what_stands() -> None:
    """12 racks of a neighbour in each of six rows are too much for the feeders: the message says which and how much."""
    content = small_site(BY_PAIRS)
    template = content["building_templates"]["hall-house"]
    occupied = {"owner": "a neighbour", "configuration": "gb200-nvl72", "racks_per_row": 12}
    template["lineups"] = [
        {"template": "standard", "count": 1, "hall": "h1"},
        {"template": "standard", "count": 1, "hall": "h1", "occupied": occupied},
    ]
    with pytest.raises(InfeasibleError, match="exceeded by") as caught:
        lower(small_world(content))
    assert caught.value.limit is not None
    assert caught.value.limit.startswith("small:power:")
    assert caught.value.over is not None
    assert caught.value.over.endswith(" W")


def test_no_usable_row() -> None:
    """An air-cooled hall holds no rack that gives heat to liquid; the message counts rows by reason."""
    with pytest.raises(InfeasibleError, match="12 rows: the row has no liquid loop") as caught:
        lower(small_world(small_site({"kind": "2n"}, liquid=False)))
    assert caught.value.limit is None


# Draws


def test_draws_by_hand() -> None:
    """A GB200 rack: 132 kW, of it 87 % by liquid; 28,800 Gb/s; flow at 10 K in both coolants."""
    draw = draw_of(load_catalog().configuration("gb200-nvl72"))
    assert (draw.it_w, draw.liquid_w, draw.air_w) == (132_000, 114_840, 17_160)
    assert (draw.ports, draw.gbps, draw.port_kind, draw.kg) == (72, 28_800, "ndr-400g", 1360)
    assert flow_ml_per_min(draw.liquid_w, "pg25", Fraction(10)) == 174_000
    assert flow_ml_per_min(draw.liquid_w, "water", Fraction(10)) == 165_238


# Money


def test_money_without_discount() -> None:
    """72 GPUs · 2,190 h · 1 USD = 157,680 USD a quarter; six quarters decided, a life of eight."""
    problem = lower(small_world(configurations=["gb200-nvl72"], money={"annual_pue": "0"})).problem
    quarter = 157_680_00
    assert np.unique(problem.period_value).tolist() == [quarter]
    assert np.unique(problem.contract_revenue).tolist() == [quarter]
    # Started in t it runs to t + 7: t + 2 quarters past the last decision (period 5), less the price of the rack.
    assert problem.start_value[0, 0].tolist() == [(t + 2) * quarter - 100_000_00 for t in range(6)]
    assert problem.unit_cost[0, 0].tolist() == [8 * 1_000_00] * 6
    assert problem.open_cost.tolist() == [[0] * 6] * 2
    assert problem.contract_rate.tolist() == [0] * 6


def test_energy_opex_and_acceptance() -> None:
    """Energy at average power and PUE, operations by watt and year, and the first quarter unpaid."""
    money = {
        "annual_pue": "1.2",
        "opex_per_it_watt_year": "0.4 USD/W",
        "acceptance_lag_quarters": 1,
        "market_factor": "0.5",
    }
    problem = lower(small_world(configurations=["gb200-nvl72"], money=money)).problem
    revenue = Fraction(157_680, 2)
    energy = Fraction(132, 1000) * Fraction(85, 100) * Fraction(12, 10) * 2190 * 50
    running = energy + Fraction(132_000) * Fraction(4, 10) / 4
    assert problem.period_value[0, 0].tolist() == [math.floor((revenue - running) * 100)] * 6
    starts = [math.floor(((t + 2) * (revenue - running) - revenue - 100_000) * 100) for t in range(6)]
    assert problem.start_value[0, 0].tolist() == starts
    assert problem.contract_rate.tolist() == [1 << (SHARE_BITS - 1)] * 6


def test_discount_and_decline_are_exact_powers() -> None:
    """Two float64 powers enter as exact rationals; costs are rounded up, values down."""
    money = {"discount_rate_per_year": "0.1", "rental_decline_per_year": "0.2", "annual_pue": "0"}
    content = small_site(BY_PAIRS)
    content["lineup_templates"]["standard"]["avoidable_capex"] = "1000001 USD"
    problem = lower(small_world(content, configurations=["gb200-nvl72"], money=money)).problem
    for t in range(6):
        discount, decline = Fraction(math.pow(1.1, -t / 4)), Fraction(math.pow(0.8, t / 4))
        assert problem.period_value[0, 0, t] == math.floor(157_680_00 * decline * discount)
        assert problem.contract_revenue[0, 0, t] == math.floor(157_680_00 * decline)
        assert problem.open_cost[0, t] == math.ceil(1_000_001_00 * discount)
        assert problem.unit_cost[0, 0, t] == math.ceil(8_000_00 * discount)


def test_contract_amount_and_rate() -> None:
    """The premium of a contracted cent falls with the discount."""
    money = {"market_factor": "0.6", "discount_rate_per_year": "0.1"}
    contract = {"amount": "123.45 USD", "provenance": PROVENANCE}
    problem = lower(small_world(money=money, contract=contract)).problem
    assert problem.contract_amount == 12_345
    for t, rate in enumerate(problem.contract_rate.tolist()):
        assert rate == math.floor(UNIT * Fraction(4, 10) * Fraction(math.pow(1.1, -t / 4)))


# Refusals


def test_budget_beyond_integers_is_refused() -> None:
    """2^62 / 2^20 USD is 4.4 trillion; what full rows may cost beyond that is refused, never wraps around."""
    content = small_world().portfolio.money.systems[0].model_dump(mode="json")
    systems = [content | {"rack_price": "1e12 USD"}]
    with pytest.raises(InputError, match=r"budget:racks.*must stay below 2\^62"):
        lower(small_world(money={"rack_budget": "3e12 USD", "systems": systems}))


@pytest.mark.parametrize("where", ["envelope", "service"])
def test_capacity_that_falls_after_the_last_decision(where: str) -> None:
    """No rack can leave after the last decision, so a capacity must not fall then."""
    steps = [{"start": "2026-Q1", "capacity": "9 MW"}, {"start": "2027-Q4", "capacity": "8 MW"}]
    content = small_site(BY_PAIRS)
    changes: dict[str, Any] = {"decisions_until": "2027-Q3"}
    if where == "envelope":
        changes["envelope"] = {"basis": "meter", "steps": steps, "provenance": PROVENANCE}
    else:
        content["service"] |= {"steps": steps}
    with pytest.raises(InputError, match="falls to 8,000,000 W in 2027-Q4"):
        lower(small_world(content, **changes))
    changes["decisions_until"] = "2027-Q4"
    assert lower(small_world(content, **changes)).problem.n_periods == 4


def test_life_that_ends_before_the_last_decision() -> None:
    """Retirement within the horizon is not modelled."""
    with pytest.raises(InputError, match="economic_life_quarters"):
        lower(small_world(money={"economic_life_quarters": 5}))


def test_rows_and_configurations_are_described(pairs: Lowered) -> None:
    """Side information follows the order of the problem."""
    assert [f"{one.site}:{one.row}" for one in pairs.rows] == list(pairs.problem.row_names)
    assert [one.name for one in pairs.configurations] == list(pairs.problem.configuration_names)
    assert {one.block for one in pairs.rows} == {name.split(":")[1] for name in pairs.problem.block_names}
    assert pairs.rows[0].positions == 12
    assert pairs.configurations[0].generation == "grace-blackwell"
