"""Graphs by hand: feeds of units, ratings after a failure, the supply at the meter, storeys and conversions."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from fixtures.small_site import PROVENANCE, power_item, small_catalog, small_site, sourced
from hypothesis import given
from hypothesis import strategies as st

from sites.expansion import SiteGraphs, expand
from sites.expansion.feeds import member_shares, unit_feeds
from sites.expansion.ratings import rating_of
from sites.faults import InputError
from sites.schema.catalog import PowerEquipment
from sites.schema.service import Battery
from sites.schema.site import SiteFile
from sites.supply import battery_swing_w, total_steps, watts_at

if TYPE_CHECKING:
    import networkx as nx

HALF = Fraction(1, 2)
L1 = "b1/h1/l01"
ROW, BLOCK, PLANT = f"{L1}/r1", "b1/h1/leaf-01", "b1/plant-1"
ONE, TWO = ("b1/feeder-1",), ("b1/feeder-2",)
BOTH = ONE + TWO


def graphs_of(content: dict[str, Any]) -> SiteGraphs:
    """The graphs of a site file given as content."""
    return expand(SiteFile.model_validate(content), small_catalog())


def sources(graph: nx.DiGraph[str], node: str) -> dict[str, Fraction]:
    """Sources of a node with the shares that they carry."""
    return {source: fields["share"] for source, _, fields in graph.in_edges(node, data=True)}


def matched() -> dict[str, Any]:
    """The small site whose CDUs (3), air handlers (4), leaves (10), coolers (8) and chillers (3) hang on one feeder."""
    content = small_site()
    standard = content["lineup_templates"]["standard"]
    standard["liquid"]["unit_feeds"] = standard["air"]["unit_feeds"] = "matched"
    standard["fabric"]["support_feeds"] = "matched"
    content["building_templates"]["hall-house"]["plants"][0]["unit_feeds"] = "matched"
    return content


# Feeds of units


def test_units_can_draw_from_every_member_unless_they_are_matched() -> None:
    cooling = graphs_of(small_site()).cooling
    fed = {fields["fed_by"] for _, fields in cooling.nodes(data=True) if "fed_by" in fields}
    assert fed == {BOTH}


def test_matched_units_take_turns_within_their_bank() -> None:
    cooling = graphs_of(matched()).cooling.nodes
    assert [cooling[f"{L1}/cdu-{n}"]["fed_by"] for n in (1, 2, 3)] == [ONE, TWO, ONE]
    assert [cooling[f"{L1}/air-handler-{n}"]["fed_by"] for n in (1, 2, 3, 4)] == [ONE, TWO, ONE, TWO]
    # Eight coolers end on feeder 2; the chillers begin at feeder 1 again.
    assert [cooling[f"{PLANT}/dry-cooler-{n}"]["fed_by"] for n in (7, 8)] == [ONE, TWO]
    assert [cooling[f"{PLANT}/chiller-{n}"]["fed_by"] for n in (1, 2, 3)] == [ONE, TWO, ONE]


def test_what_matched_units_draw_is_shared_by_their_number() -> None:
    power = graphs_of(matched()).power
    assert sources(power, f"{L1}/pumps") == {ONE[0]: Fraction(2, 3), TWO[0]: Fraction(1, 3)}
    assert sources(power, f"{L1}/fans") == {ONE[0]: HALF, TWO[0]: HALF}
    assert sources(power, f"{BLOCK}/support") == {ONE[0]: HALF, TWO[0]: HALF}
    # 4 of 8 coolers and 2 of 3 chillers on feeder 1: 6 of 11 units.
    assert sources(power, f"{PLANT}/machinery") == {ONE[0]: Fraction(6, 11), TWO[0]: Fraction(5, 11)}


def test_members_without_units_feed_nothing() -> None:
    content = matched()
    content["building_templates"]["hall-house"]["power"][0]["count"] = 4
    power = graphs_of(content).power
    assert sources(power, f"{L1}/pumps") == {f"b1/feeder-{n}": Fraction(1, 3) for n in (1, 2, 3)}
    assert sources(power, f"{BLOCK}/support")["b1/feeder-1"] == Fraction(3, 10)


def test_a_plant_of_one_bank_counts_that_bank() -> None:
    content = matched()
    del content["building_templates"]["hall-house"]["plants"][0]["coolers"]
    assert sources(graphs_of(content).power, f"{PLANT}/machinery") == {ONE[0]: Fraction(2, 3), TWO[0]: Fraction(1, 3)}


@given(st.sampled_from(["all", "matched"]), st.integers(1, 6), st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_shares_are_those_of_the_units(rule: Any, n_members: int, banks: list[int]) -> None:
    """Each unit draws one part, spread evenly over all that it can draw from."""
    members = [f"m-{number}" for number in range(1, n_members + 1)]
    drawn = dict.fromkeys(members, Fraction(0))
    for n_units in banks:
        feeds = unit_feeds(rule, members, n_units)
        assert len(feeds) == n_units
        for fed_by in feeds:
            for member in fed_by:
                drawn[member] += Fraction(1, len(fed_by) * sum(banks))
    assert member_shares(rule, members, banks) == {member: share for member, share in drawn.items() if share}


# Fabric


def test_leaves_planes_and_places_of_a_block() -> None:
    content = matched()
    content["lineup_templates"]["standard"]["fabric"] |= {"leaf_positions": 3, "planes": 3, "planes_needed": 2}
    leaf = graphs_of(content).fabric.nodes[BLOCK]
    assert leaf["leaf_feeds"] == (ONE, TWO, ONE)
    assert (leaf["leaf_positions"], leaf["planes"], leaf["planes_needed"], leaf["support_positions"]) == (3, 3, 2, 100)


def conversion(**changes: object) -> dict[str, object]:
    """A conversion to stronger floors."""
    head = {"name": "steel", "floor_uniform": "1500 kg/m**2", "cost_per_position": "1000 USD", "quarters": 2}
    return head | changes | {"provenance": PROVENANCE}


def test_a_conversion_brings_its_kinds_of_port() -> None:
    content = small_site()
    other = {"name": "leaf-100g", "title": "Leaf", "port_kind": "hundred", "ports": sourced(64)}
    content["switch_equipment"] = [other | {"port_speed": sourced("100 Gbps"), "power": sourced("1 kW")}]
    changes = [conversion(leaf_switches=["leaf-100g"]), conversion(name="floor")]
    content["lineup_templates"]["standard"]["conversions"] = changes
    graphs = graphs_of(content)
    # 10 places, half of 64 ports each.
    assert graphs.fabric.nodes[BLOCK]["ports_by_kind"] == {"xdr-800g": 720, "hundred": 320}
    row = graphs.containment.nodes[ROW]
    assert row["port_kinds"] == {"xdr-800g"}
    assert row["conversion_port_kinds"] == ({"xdr-800g", "hundred"}, {"xdr-800g"})
    assert [one.name for one in row["conversions"]] == ["steel", "floor"]
    assert row["conversions"][0].floor_uniform == 1500


# Rows


def test_the_weaker_of_row_and_storey_carries() -> None:
    content = small_site()
    storey = {"number": 2, "halls": ["h1"], "floor_uniform": "800 kg/m**2", "floor_point": "9000 kg/m**2"}
    content["building_templates"]["hall-house"]["storeys"] = [storey | {"provenance": PROVENANCE}]
    row = graphs_of(content).containment.nodes[ROW]
    assert (row["floor_uniform_kg_per_m2"], row["floor_point_kg_per_m2"], row["storey"]) == (800, 2500, 2)
    assert graphs_of(small_site()).containment.nodes[ROW]["storey"] is None


def test_flex_leaves_a_share() -> None:
    # 20 % of the power is shut down and 50 % capped to 80 %: 1 − 0.2 − 0.5 · 0.2 = 0.7.
    content = small_site()
    flex = {"sheddable": "0.2", "cappable": "50 %", "cap_to": "0.8", "within": "500 ms", "provenance": PROVENANCE}
    content["lineup_templates"]["standard"]["flex"] = flex
    row = graphs_of(content).containment.nodes[ROW]
    assert (row["flex_share"], row["flex_within_s"], row["flex"].cap_to) == (Fraction(7, 10), HALF, Fraction(4, 5))
    row = graphs_of(small_site()).containment.nodes[ROW]
    assert (row["flex_share"], row["flex_within_s"], row["flex"]) == (1, 0, None)


def test_the_pressure_left_for_a_rack() -> None:
    content = small_site()
    cdu = small_catalog().cooling["cdu-1mw"].model_dump(mode="json", exclude_none=True)
    content["cooling_equipment"] = [cdu | {"name": "cdu-head", "head": sourced("2 bar")}]
    content["lineup_templates"]["standard"]["liquid"]["cdus"]["equipment"] = "cdu-head"
    assert graphs_of(content).containment.nodes[ROW]["pressure_kpa"] is None
    content["lineup_templates"]["standard"]["liquid"]["manifold_drop"] = "25.5 kPa"
    assert graphs_of(content).containment.nodes[ROW]["pressure_kpa"] == Fraction(1745, 10)
    content["lineup_templates"]["standard"]["liquid"]["cdus"]["equipment"] = "cdu-1mw"
    with pytest.raises(InputError, match="'cdu-1mw' has no known 'head'"):
        graphs_of(content)


def test_what_a_class_promises_stands_on_its_rows() -> None:
    content = small_site()
    promises = {"maintenance": ["ups"], "may_drop_in_maintenance": True, "single_feed_until": "2028-Q1"}
    content["availability"][0] |= promises
    row = graphs_of(content).containment.nodes[ROW]
    assert (row["maintenance"], row["may_drop_in_maintenance"], row["single_feed_until"]) == (("ups",), True, "2028-Q1")
    row = graphs_of(small_site()).containment.nodes[ROW]
    assert (row["maintenance"], row["may_drop_in_maintenance"], row["single_feed_until"]) == ((), False, None)


def test_the_network_can_be_the_last_part_of_a_building() -> None:
    content = small_site()
    content["buildings"][0]["dates"]["network"] = {"low": "2027-Q2", "mode": "2027-Q4", "high": "2028-Q4"}
    building = graphs_of(content).containment.nodes["b1"]
    assert (building["in_service"], building["binding_date"]) == ("2028-Q1", "network")
    assert building["dates"] == {
        "utility": "2027-Q1", "equipment": "2027-Q2", "building": "2027-Q1", "permit": "2027-Q1", "network": "2027-Q4",
    }  # fmt: skip


# Ratings after a failure


def rating(plate: dict[str, object], **keys: object) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """Rating, emergency and short-time rating and duration of equipment with some factors and overloads."""
    overloads = {key: sourced(keys.pop(key)) for key in list(keys) if key.startswith(("emergency", "short"))}
    item = power_item("any", "busway", plate, **keys) | overloads
    found = rating_of(PowerEquipment.model_validate(item))
    return found.rating_w, found.emergency_w, found.short_time_w, found.short_time_s


def test_overloads_are_taken_from_the_rating_before_it_is_floored() -> None:
    # 1001 W derated by half: 500.5, floored 500; 1.1 of it 550.55; 1.5 of it 750.75.
    found = rating(
        {"real": "1001 W"},
        derating="0.5",
        emergency_rating="1.1",
        short_time_rating="150 %",
        short_time_duration="1 min",
    )
    assert found == (500, 550, 750, 60)
    # Twice 500.5 is 1001, which twice 500 is not.
    assert rating({"real": "1001 W"}, derating="0.5", emergency_rating="2")[1] == 1001


def test_nothing_claimed_is_the_rating_itself() -> None:
    assert rating({"apparent": "3 MVA"}, power_factor="0.9") == (2_700_000, 2_700_000, 2_700_000, 0)
    assert rating({"real": "100 W"}, emergency_rating="1.2") == (100, 120, 120, 0)


def test_null_claims_nothing() -> None:
    item = power_item("any", "ups", {"real": "100 W"})
    unknown = {"value": None, "reason": "not published", "source": "round figure", "status": "assumption"}
    item |= {"emergency_rating": unknown, "short_time_rating": sourced("1.5"), "short_time_duration": unknown}
    found = rating_of(PowerEquipment.model_validate(item))
    assert (found.emergency_w, found.short_time_w, found.short_time_s) == (100, 150, 0)


def test_the_overload_of_a_busway_is_rooted_once() -> None:
    with localcontext() as context:
        context.prec = 40
        exact = Decimal(3).sqrt() * 1200 * 415 * Decimal("0.95") * Decimal("0.8")
        expected = tuple(int(exact * factor) for factor in (Decimal(1), Decimal("1.15"), Decimal("1.3")))
    plate = {"current": "1200 A", "voltage": "415 V"}
    factors = {"power_factor": "0.95", "continuous_factor": "0.8"}
    overloads = {"emergency_rating": "1.15", "short_time_rating": "1.3", "short_time_duration": "5 s"}
    assert rating(plate, **factors, **overloads) == (*expected, 5)


def test_elements_carry_their_overloads() -> None:
    content = small_site()
    ups = power_item("ups-strong", "ups", {"real": "2 MW"}) | {"emergency_rating": sourced("1.1")}
    content["equipment"] = [ups]
    content["lineup_templates"]["standard"]["chain"][1]["equipment"] = "ups-strong"
    fields = graphs_of(content).power.nodes[f"{L1}/ups-1"]
    assert (fields["rating_w"], fields["emergency_w"], fields["short_time_w"], fields["short_time_s"]) == (
        2_000_000, 2_200_000, 2_200_000, 0,
    )  # fmt: skip


# Supply


def supplied(**service: object) -> dict[str, Any]:
    """The small site of 10 MW from 2026-Q1 on, with more in its service."""
    content = small_site()
    content["service"] |= service
    return content


def generation(**changes: object) -> dict[str, object]:
    """Three sets of 10 MW at 15 degC, one in reserve, that lose 0.7 % for each K above."""
    sets = {"name": "gas", "units": 3, "reserve": 1, "rating": "10 MW", "rated_dry_bulb": "15 degC"}
    terms = {"derate_per_kelvin": "0.7 %", "in_service": "2027-Q1", "fuel_cost": "40 USD/MWh"}
    return sets | terms | changes | {"provenance": PROVENANCE}


def service_of(content: dict[str, Any]) -> dict[str, Any]:
    """Fields of the service node."""
    return dict(graphs_of(content).power.nodes["service"])


def test_a_plain_service_is_firm() -> None:
    fields = service_of(small_site())
    steps = (("2026-Q1", 10_000_000),)
    assert (fields["capacity_steps"], fields["firm_steps"]) == (steps, steps)
    assert (fields["non_firm_steps"], fields["generation_steps"], fields["generation_w"]) == ((), (), {})
    assert (fields["curtailed_hours"], fields["demand_charge_usd_per_kw_month"], fields["swing_steps"]) == (0, 0, None)
    assert fields["fuel_usd_per_mwh"] == {}
    assert fields["minimum_demand_steps"] == ()


def test_parts_of_the_supply_add_up_by_quarter() -> None:
    non_firm = {
        "steps": [{"start": "2026-Q3", "capacity": "4 MW"}, {"start": "2028-Q1", "capacity": "1 MW"}],
        "curtailed_hours_per_year": "80 h",
        "notice": "10 min",
        "provenance": PROVENANCE,
    }
    minimum = {
        "steps": [{"start": "2026-Q1", "capacity": "1000.5 W"}, {"start": "2027-Q1", "capacity": "2 MW"}],
        "provenance": PROVENANCE,
    }
    charge = {"demand_charge": "15 USD/kW/month", "demand_charge_provenance": PROVENANCE, "minimum_demand": minimum}
    content = supplied(non_firm=non_firm, **charge) | {"generation": [generation()]}
    fields = service_of(content)
    # Dry bulb 28 degC without recirculation: 13 K, 9.1 % less: 9.09 MW of each of two sets.
    assert fields["generation_w"] == {"gas": (("2027-Q1", 18_180_000),)}
    assert fields["generation_steps"] == (("2027-Q1", 18_180_000),)
    assert fields["non_firm_steps"] == (("2026-Q3", 4_000_000), ("2028-Q1", 1_000_000))
    assert fields["capacity_steps"] == (
        ("2026-Q1", 10_000_000), ("2026-Q3", 14_000_000), ("2027-Q1", 32_180_000), ("2028-Q1", 29_180_000),
    )  # fmt: skip
    assert (fields["curtailed_hours"], fields["demand_charge_usd_per_kw_month"]) == (80, 15)
    assert fields["minimum_demand_steps"] == (("2026-Q1", 1001), ("2027-Q1", 2_000_000))
    assert fields["fuel_usd_per_mwh"] == {"gas": 40}
    assert all(isinstance(watts, Fraction) for _, watts in fields["capacity_steps"])


@pytest.mark.parametrize(
    ("changes", "watts"),
    [
        ({"units": 1}, 0),
        ({"units": 1, "reserve": 4}, 0),
        ({"reserve": 0}, 3 * 9_090_000),
        ({"rated_dry_bulb": "30 degC"}, 20_000_000),
        ({"derate_per_kelvin": "20 %"}, 0),
        ({"rating": "1001 W", "rated_dry_bulb": "18 degC", "derate_per_kelvin": "5 %"}, 1000),
    ],
    ids=["reserve is all", "reserve is more", "no reserve", "colder than rated", "too hot", "each set is floored"],
)
def test_firm_generation_by_hand(changes: dict[str, object], watts: int) -> None:
    content = small_site() | {"generation": [generation(**changes)]}
    assert service_of(content)["generation_w"] == {"gas": (("2027-Q1", watts),)}


def battery(power: str, energy: str, in_service: str = "2027-Q1", name: str = "pack") -> dict[str, object]:
    """A battery."""
    return {"name": name, "power": power, "energy": energy, "in_service": in_service, "provenance": PROVENANCE}


def swing(**terms: str) -> dict[str, object]:
    """A limit of the swing."""
    return {"rule": "limit", **terms, "provenance": PROVENANCE}


def test_batteries_raise_the_step_when_they_come() -> None:
    content = supplied(swing=swing(step="5 MW"))
    content["batteries"] = [
        battery("2 MW", "1 kWh"),
        battery("3 MW", "1 kWh", "2025-Q1", "early"),
        battery("1 MW", "1 kWh", "2027-Q1", "too"),
    ]
    # The early one counts from the first quarter of the service; without a ramp limit the whole power counts.
    assert service_of(content)["swing_steps"] == (("2026-Q1", 8_000_000), ("2027-Q1", 11_000_000))


@pytest.mark.parametrize(
    ("power", "energy", "watts"),
    # R = 0.5 MW/min = 8333.3 W/s. 100 kWh = 3.6e8 J: √(6e12) = 2,449,489; 25 kWh: √(1.5e12) = 1,224,744.
    [("2 MW", "100 kWh", 2_000_000), ("3 MW", "100 kWh", 2_449_489), ("2 MW", "25 kWh", 1_224_744), ("2 MW", "0 J", 0)],
)
def test_a_ramp_limit_makes_the_energy_count(power: str, energy: str, watts: int) -> None:
    content = supplied(swing=swing(step="1 MW", ramp="0.5 MW/min")) | {"batteries": [battery(power, energy)]}
    steps = service_of(content)["swing_steps"]
    assert watts_at(steps, "2026-Q4") == 1_000_000
    assert watts_at(steps, "2030-Q1") == 1_000_000 + watts


@given(st.integers(1, 10**9), st.integers(1, 10**13), st.integers(1, 10**9))
def test_a_battery_carries_its_step_and_not_a_watt_more(power_w: int, energy_j: int, ramp_w_per_min: int) -> None:
    """Its step S takes S²/(2·R) of energy with R in W/s."""
    one = Battery.model_validate(battery(f"{power_w} W", f"{energy_j} J"))
    step_w = battery_swing_w(one, Fraction(ramp_w_per_min))

    def needed_j(watts: int) -> Fraction:
        return Fraction(watts**2 * 60, 2 * ramp_w_per_min)

    assert step_w <= power_w
    assert needed_j(step_w) <= energy_j
    assert step_w == power_w or needed_j(step_w + 1) > energy_j


QUARTERS = [f"{year}-Q{quarter}" for year in (2026, 2027) for quarter in (1, 2, 3, 4)]
STEPS = st.dictionaries(st.sampled_from(QUARTERS), st.integers(0, 9).map(Fraction), max_size=5)


@given(st.lists(STEPS, max_size=4))
def test_totals_hold_in_every_quarter(parts: list[dict[str, Fraction]]) -> None:
    steps = [tuple(sorted(one.items())) for one in parts]
    total = total_steps(steps)
    for quarter in QUARTERS:
        assert watts_at(total, quarter) == sum(watts_at(one, quarter) for one in steps)
    assert all(first[1] != second[1] for first, second in pairwise(total))
