"""Expansion of site files: graphs of every scheme by hand, exact ratings, dates, plants and fabric."""

from __future__ import annotations

import time
from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from fixtures.small_site import POWER, power_item, small_catalog, small_lineup, small_site, small_site_file
from hypothesis import given, settings
from hypothesis import strategies as st

from sites.catalog.loader import load_catalog
from sites.expansion import SiteGraphs, expand
from sites.expansion.ratings import ceil_square_root, floor_square_root, rating_of, tap_rating_w, three_phase_w
from sites.faults import InputError
from sites.schema.catalog import PowerEquipment
from sites.schema.site import SiteFile

if TYPE_CHECKING:
    import networkx as nx

HALF, ONE = Fraction(1, 2), Fraction(1)
L1 = "b1/h1/l01"


def graphs_of(content: dict[str, Any]) -> SiteGraphs:
    """The graphs of a site file given as content."""
    return expand(SiteFile.model_validate(content), small_catalog())


def sources(graph: nx.DiGraph[str], node: str) -> dict[str, Fraction]:
    """Sources of a node with the shares that they carry."""
    return {source: fields["share"] for source, _, fields in graph.in_edges(node, data=True)}


def row_blocks(graphs: SiteGraphs, row: str) -> list[str]:
    """Last path parts of what the busways of a row hang on."""
    busways = sources(graphs.power, row)
    above = [source for busway in sorted(busways) for source in sources(graphs.power, busway)]
    return [node.removeprefix(row.rsplit("/", 1)[0] + "/") for node in above]


# Ratings


def test_rating_multiplies_plate_by_its_three_factors() -> None:
    # 12 MVA at power factor 0.9 is a plate of 10.8 MW; derated by 0.9 it carries 9.72 MW.
    rating = rating_of(small_catalog().power["transformer-12mva"])
    assert (rating.plate_w, rating.rating_w) == (10_800_000, 9_720_000)
    assert (rating.power_factor, rating.derating, rating.continuous_factor) == (Fraction(9, 10), Fraction(9, 10), 1)
    assert rating.plate_text == "12,000 kVA"


def test_three_phase_rating_is_floored_exactly() -> None:
    # 1200 A · 415 V · √3 = 862,561.30 VA; · 0.95 = 819,433.24 W (plate, up); · 0.8 = 655,546.59 W (rating, down).
    rating = rating_of(small_catalog().power["busway-1200a"])
    assert (rating.plate_w, rating.rating_w) == (819_434, 655_546)
    assert rating.plate_text == "1,200 A at 415 V"


def test_rating_of_a_fraction_of_a_watt_is_floored() -> None:
    item = PowerEquipment.model_validate(power_item("odd", "feeder", {"real": "999.9 W"}, continuous_factor="0.8"))
    assert rating_of(item).rating_w == 799


def test_tap_rating_is_one_whip() -> None:
    # 60 A · 415 V · √3 · 0.95 · 0.8 = 32,777.33 W
    assert tap_rating_w(small_site_file().lineup_templates["standard"].rows.taps) == 32_777


@given(st.integers(1, 10_000), st.integers(1, 50_000), st.fractions(0, 1, max_denominator=1000))
def test_three_phase_floor_never_exceeds_the_irrational_product(amperes: int, volts: int, factor: Fraction) -> None:
    watts = three_phase_w(Fraction(amperes), Fraction(volts), factor)
    square = 3 * (amperes * volts * factor) ** 2
    assert watts**2 <= square < (watts + 1) ** 2


@given(st.fractions(0, 10**12))
def test_square_roots_bracket_the_value(value: Fraction) -> None:
    low, high = floor_square_root(value), ceil_square_root(value)
    assert low**2 <= value <= high**2
    assert high - low == (0 if low**2 == value else 1)


def test_null_rating_is_a_fault_and_never_unlimited() -> None:
    content = small_site()
    unknown = {"value": None, "reason": "not published", "source": "maker's sheet", "status": "published"}
    content["equipment"] = [{**POWER[0], "name": "line-of-our-own", "real": unknown}]
    content["power"][0]["equipment"] = "line-of-our-own"
    with pytest.raises(InputError, match="'real' is null \\(not published\\)"):
        graphs_of(content)


# Schemes


@pytest.mark.parametrize("kind", ["none", "n"])
def test_single_blocks_deal_rows_in_turn(kind: str) -> None:
    graphs = expand(small_site_file({"kind": kind, "blocks": 2}, n_rows=3), small_catalog())
    assert [row_blocks(graphs, f"{L1}/r{n}") for n in (1, 2, 3)] == [["ups-1"], ["ups-2"], ["ups-1"]]
    assert sources(graphs.power, f"{L1}/r1") == {f"{L1}/r1/busway-1": ONE}
    assert graphs.power.nodes[f"{L1}/ups-1"]["guarantee_w"] == 2_000_000


def test_common_bus_is_shared_by_all_blocks() -> None:
    scheme = {"kind": "n-plus-1-bus", "blocks": 3, "bus": "bus-5mw"}
    graphs = expand(small_site_file(scheme, n_rows=2), small_catalog())
    assert sources(graphs.power, f"{L1}/bus") == {f"{L1}/ups-{n}": Fraction(1, 3) for n in (1, 2, 3)}
    assert [row_blocks(graphs, f"{L1}/r{n}") for n in (1, 2)] == [["bus"], ["bus"]]
    # Two of three blocks of 2 MW make the load: 4 MW at the bus, a third of it from each.
    assert graphs.power.nodes[f"{L1}/bus"]["guarantee_w"] == 4_000_000
    assert graphs.power.nodes[f"{L1}/ups-2"]["guarantee_w"] == Fraction(4_000_000, 3)


def test_two_n_feeds_each_row_half_from_each_block() -> None:
    graphs = expand(small_site_file({"kind": "2n"}, n_rows=2), small_catalog())
    for row in (f"{L1}/r1", f"{L1}/r2"):
        assert sources(graphs.power, row) == {f"{row}/busway-1": HALF, f"{row}/busway-2": HALF}
        assert row_blocks(graphs, row) == ["ups-1", "ups-2"]
    assert graphs.power.nodes[f"{L1}/ups-1"]["guarantee_w"] == 1_000_000
    assert graphs.power.nodes[f"{L1}/ups-1"]["guarantee_after_failure_w"] == 2_000_000


def test_block_redundant_puts_the_catcher_behind_switches() -> None:
    scheme = {"kind": "block-redundant", "active": 2, "transfer_switch": "switch-2mw"}
    graphs = expand(small_site_file(scheme, n_rows=3), small_catalog())
    edges = {source: fields for source, _, fields in graphs.power.in_edges(f"{L1}/transfer-switch-2", data=True)}
    assert edges == {
        f"{L1}/ups-2": {"share": 1, "reserve": False},
        f"{L1}/ups-3": {"share": 0, "reserve": True},
    }
    expected = [["transfer-switch-1"], ["transfer-switch-2"], ["transfer-switch-1"]]
    assert [row_blocks(graphs, f"{L1}/r{n}") for n in (1, 2, 3)] == expected
    assert graphs.power.nodes[f"{L1}/ups-3"]["guarantee_w"] == 0
    assert graphs.power.nodes[f"{L1}/ups-3"]["guarantee_after_failure_w"] == 2_000_000


def test_distributed_deals_rows_over_pairs_in_lexicographic_order() -> None:
    graphs = expand(small_site_file({"kind": "distributed", "blocks": 4, "make": 3}, n_rows=7), small_catalog())
    pairs = [(1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4), (1, 2)]
    found = [row_blocks(graphs, f"{L1}/r{n}") for n in range(1, 8)]
    assert found == [[f"ups-{first}", f"ups-{second}"] for first, second in pairs]
    assert sources(graphs.power, f"{L1}/r7") == {f"{L1}/r7/busway-1": HALF, f"{L1}/r7/busway-2": HALF}
    # 4N3 of 2 MW: 6 MW promised, 1.5 MW of each block, 2 MW of each of three survivors.
    assert graphs.power.nodes[f"{L1}/ups-4"]["guarantee_w"] == 1_500_000
    assert graphs.power.nodes[f"{L1}/ups-4"]["guarantee_after_failure_w"] == 2_000_000


def test_blocks_hang_on_the_group_above_by_their_number() -> None:
    graphs = expand(small_site_file(), small_catalog())
    above = [sources(graphs.power, f"{L1}/unit-substation-{n}") for n in (1, 2, 3, 4)]
    assert above == [{"b1/feeder-1": 1}, {"b1/feeder-2": 1}, {"b1/feeder-1": 1}, {"b1/feeder-2": 1}]
    assert sources(graphs.power, f"{L1}/ups-3") == {f"{L1}/unit-substation-3": 1}


def test_repeated_stage_kinds_keep_their_own_ids() -> None:
    content = small_site({"kind": "n", "blocks": 1})
    chain = content["lineup_templates"]["standard"]["chain"]
    content["lineup_templates"]["standard"]["chain"] = [chain[1], chain[1]]
    graphs = graphs_of(content)
    assert sources(graphs.power, f"{L1}/ups-stage2-1") == {f"{L1}/ups-stage1-1": 1}


# Groups, dates and places


def test_groups_share_in_parallel_or_matched() -> None:
    graphs = expand(small_site_file(), small_catalog())
    assert sources(graphs.power, "line-2") == {"service": 1}
    assert sources(graphs.power, "main-transformer-2") == {"line-2": 1}
    assert sources(graphs.power, "b1/feeder-1") == {"main-transformer-1": HALF, "main-transformer-2": HALF}
    dates = [graphs.power.nodes[f"main-transformer-{n}"]["in_service"] for n in (1, 2)]
    assert dates == ["2026-Q1", "2026-Q3"]
    assert graphs.power.nodes["line-2"]["in_service"] == "2026-Q1"


def test_matched_members_wrap_around() -> None:
    content = small_site()
    content["power"][1] |= {"count": 3, "in_service": ["2026-Q1"]}
    graphs = graphs_of(content)
    assert sources(graphs.power, "main-transformer-3") == {"line-1": 1}


def test_a_buildings_own_group_hides_the_campus_group_of_that_name() -> None:
    content = small_site()
    content["building_templates"]["hall-house"]["power"][0]["name"] = "line"
    standard = content["lineup_templates"]["standard"]
    standard["fed_by"] = standard["liquid"]["powered_by"] = standard["air"]["powered_by"] = "line"
    standard["fabric"]["support_powered_by"] = "line"
    content["building_templates"]["hall-house"]["plants"][0]["powered_by"] = "line"
    graphs = graphs_of(content)
    assert sources(graphs.power, f"{L1}/unit-substation-1") == {"b1/line-1": 1}
    assert sources(graphs.power, f"{L1}/pumps") == {"b1/line-1": HALF, "b1/line-2": HALF}


def test_house_load_is_kept_on_each_member() -> None:
    content = small_site()
    content["power"][0]["house_load"] = "25 kW"
    assert graphs_of(content).power.nodes["line-2"]["house_load_w"] == 25_000


def test_building_opens_after_its_latest_part_and_commissioning() -> None:
    # Equipment comes last, in 2027-Q2; one quarter of commissioning; the batch follows two quarters later.
    content = small_site()
    content["building_templates"]["hall-house"]["lineups"][0]["delay_quarters"] = 2
    graphs = graphs_of(content)
    building = graphs.containment.nodes["b1"]
    assert (building["in_service"], building["binding_date"]) == ("2027-Q3", "equipment")
    assert graphs.containment.nodes[f"{L1}/r1"]["in_service"] == "2028-Q1"
    assert graphs.power.nodes[f"{L1}/ups-1"]["in_service"] == "2028-Q1"
    assert graphs.power.nodes["b1/feeder-1"]["in_service"] == "2027-Q3"


def test_lineups_and_blocks_are_numbered_through_the_hall() -> None:
    content = small_site()
    content["lineup_templates"]["standard"]["fabric"]["lineups_per_block"] = 2
    batches = [{"template": "standard", "count": 3, "hall": "h1"}, {"template": "standard", "count": 1, "hall": "h1"}]
    content["building_templates"]["hall-house"]["lineups"] = batches
    graphs = graphs_of(content)
    lineups = {n: f["block_id"] for n, f in graphs.containment.nodes(data=True) if f["kind"] == "lineup"}
    assert lineups == {
        "b1/h1/l01": "b1/h1/leaf-01",
        "b1/h1/l02": "b1/h1/leaf-01",
        "b1/h1/l03": "b1/h1/leaf-02",
        "b1/h1/l04": "b1/h1/leaf-03",
    }


def test_row_fields_by_hand() -> None:
    row = expand(small_site_file(), small_catalog()).containment.nodes[f"{L1}/r2"]
    # 12 positions of 0.6 m by 1.2 m deep and 1.8 m of aisle: 21.6 m².
    assert row["floor_area_m2"] == Fraction(216, 10)
    assert (row["n_feeds"], row["positions"], row["available"]) == (2, 12, True)
    assert (row["liquid_supply_degc"], row["liquid_rise_k"], row["coolant"]) == (40, 10, "pg25")
    assert row["may_drop_on"] == ("busway",)
    assert (row["occupied_configuration"], row["occupied_racks"]) == (None, 0)


def test_occupied_and_unavailable_rows_are_not_offered() -> None:
    systems = load_catalog().rack_systems
    content = small_site()
    occupied = {"owner": "someone", "configuration": "gb300-nvl72", "racks_per_row": 3}
    batches = content["building_templates"]["hall-house"]["lineups"]
    batches.append({"template": "standard", "count": 1, "hall": "h2", "occupied": occupied})
    graphs = expand(SiteFile.model_validate(content), small_catalog(systems))
    taken = graphs.containment.nodes["b1/h2/l01/r1"]
    assert (taken["available"], taken["occupied_racks"], taken["occupied_owner"]) == (False, 3, "someone")
    assert graphs.containment.nodes[f"{L1}/r1"]["available"]
    content["buildings"][0]["available"] = False
    graphs = expand(SiteFile.model_validate(content), small_catalog(systems))
    assert not graphs.containment.nodes[f"{L1}/r1"]["available"]


# Cooling


def test_plant_at_the_design_day_by_hand() -> None:
    # 28 + 2 degC dry bulb; dry coolers leave at 36; return 42, supply 30: (42 − 36)/12 = 1/2 for them.
    # Evaporating 27 degC = 300.15 K, condensing 40 degC: the lift of 13 K is held at 15, COP = 0.5 · 300.15 / 15.
    plant = expand(small_site_file(), small_catalog()).cooling.nodes["b1/plant-1"]
    assert (plant["design_dry_bulb_degc"], plant["return_degc"]) == (30, 42)
    assert (plant["dry_fraction"], plant["chiller_fraction"]) == (HALF, HALF)
    assert plant["chiller_cop"] == HALF * Fraction(30015, 100) / 15
    expected = Fraction(1, 100) + Fraction(2, 100) * HALF + HALF / (HALF * Fraction(30015, 100) / 15)
    assert plant["watts_per_heat_watt"] == expected
    assert (plant["chiller_heat_w"], plant["dry_cooler_heat_w"]) == (1_000_000, 500_000)


def test_hot_day_leaves_dry_coolers_nothing_and_derates_chillers() -> None:
    # 39 degC with recirculation: dry coolers leave at 45 > 42; chillers lose 4 K · 1 %.
    content = small_site()
    content["climate"]["design_dry_bulb"] = "37 degC"
    plant = graphs_of(content).cooling.nodes["b1/plant-1"]
    assert (plant["dry_fraction"], plant["chiller_heat_w"]) == (0, 960_000)


def test_cool_day_leaves_chillers_nothing() -> None:
    content = small_site()
    content["climate"]["design_dry_bulb"] = "20 degC"
    graphs = graphs_of(content)
    plant = graphs.cooling.nodes["b1/plant-1"]
    assert (plant["dry_fraction"], plant["chiller_fraction"], plant["chiller_cop"]) == (1, 0, None)
    assert plant["watts_per_heat_watt"] == Fraction(3, 100)
    assert sources(graphs.cooling, "b1/plant-1") == {f"b1/plant-1/dry-cooler-{n}": Fraction(1, 8) for n in range(1, 9)}


def test_headers_and_units_by_hand() -> None:
    cooling = expand(small_site_file(), small_catalog()).cooling
    assert sources(cooling, f"{L1}/liquid") == {f"{L1}/cdu-{n}": Fraction(1, 3) for n in (1, 2, 3)}
    assert sources(cooling, f"{L1}/air") == {f"{L1}/air-handler-{n}": Fraction(1, 4) for n in (1, 2, 3, 4)}
    assert sources(cooling, f"{L1}/cdu-1") == {"b1/plant-1": 1}
    assert cooling.nodes[f"{L1}/cdu-1"]["flow_ml_per_min"] == 1_500_000
    assert cooling.edges[f"{L1}/air", f"{L1}/r1"]["medium"] == "air"
    assert cooling.edges[f"{L1}/liquid", f"{L1}/r1"]["medium"] == "liquid"
    assert cooling.nodes[f"{L1}/liquid"]["spares"] == 1


def test_air_cooled_rows_have_no_liquid_header() -> None:
    graphs = expand(small_site_file(liquid=False), small_catalog())
    assert f"{L1}/liquid" not in graphs.cooling
    assert f"{L1}/pumps" not in graphs.power
    assert graphs.containment.nodes[f"{L1}/r1"]["liquid_supply_degc"] is None


def test_mechanical_and_support_loads_by_hand() -> None:
    graphs = expand(small_site_file(), small_catalog())
    both = {"b1/feeder-1": HALF, "b1/feeder-2": HALF}
    for load in (f"{L1}/pumps", f"{L1}/fans", "b1/plant-1/machinery", "b1/h1/leaf-01/support"):
        assert sources(graphs.power, load) == both
    pumps, fans = graphs.power.nodes[f"{L1}/pumps"], graphs.power.nodes[f"{L1}/fans"]
    assert (pumps["watts_per_liquid_watt"], pumps["watts_per_air_watt"]) == (Fraction(1, 100), 0)
    assert (fans["watts_per_liquid_watt"], fans["watts_per_air_watt"]) == (0, Fraction(5, 100))
    machinery, plant = graphs.power.nodes["b1/plant-1/machinery"], graphs.cooling.nodes["b1/plant-1"]
    # Air reaches the plant with the fans' own heat: 5 % more.
    assert machinery["watts_per_liquid_watt"] == plant["watts_per_heat_watt"]
    assert machinery["watts_per_air_watt"] == plant["watts_per_heat_watt"] * Fraction(105, 100)
    assert (machinery["fixed_w"], machinery["loop"]) == (10_000, "b1/plant-1")
    assert (pumps["loop"], fans["loop"]) == (f"{L1}/liquid", f"{L1}/air")


# Fabric


def test_fabric_ports_by_hand() -> None:
    fabric = expand(small_site_file(), small_catalog()).fabric
    # 10 places · 72 host ports; the spine 10 · 72 · 800 Gb/s.
    assert fabric.nodes["b1/h1/leaf-01"]["ports_by_kind"] == {"xdr-800g": 720}
    assert fabric.nodes["b1/spine"]["ports_gbps"] == 576_000
    assert list(fabric.predecessors("b1/h1/l02/r3")) == ["b1/h1/leaf-02"]
    assert list(fabric.predecessors("b1/h1/leaf-02")) == ["b1/spine"]
    assert list(fabric.predecessors("b1/spine")) == ["core"]


# Faults


def test_unknown_name_names_the_nearest() -> None:
    content = small_site()
    content["lineup_templates"]["standard"]["fed_by"] = "feeeder"
    with pytest.raises(InputError, match="did you mean 'feeder'"):
        graphs_of(content)


def test_two_things_of_one_id_are_a_fault() -> None:
    content = small_site()
    content["buildings"][0]["name"] = "campus"
    with pytest.raises(InputError, match="would both be called 'campus'"):
        graphs_of(content)


def test_chiller_that_condenses_colder_than_it_evaporates_is_a_fault() -> None:
    content = small_site()
    content["climate"]["design_dry_bulb"] = "-10 degC"
    del content["building_templates"]["hall-house"]["plants"][0]["coolers"]
    with pytest.raises(InputError, match="condensation must be the warmer"):
        graphs_of(content)


# Properties


SCHEMES = st.one_of(
    st.builds(lambda blocks: {"kind": "none", "blocks": blocks}, st.integers(1, 5)),
    st.builds(lambda blocks: {"kind": "n", "blocks": blocks}, st.integers(1, 5)),
    st.builds(lambda blocks: {"kind": "n-plus-1-bus", "blocks": blocks, "bus": "bus-5mw"}, st.integers(2, 5)),
    st.just({"kind": "2n"}),
    st.builds(
        lambda active: {"kind": "block-redundant", "active": active, "transfer_switch": "switch-2mw"}, st.integers(1, 5)
    ),
    st.builds(lambda blocks: {"kind": "distributed", "blocks": blocks, "make": blocks - 1}, st.integers(3, 6)),
)


@settings(max_examples=40, deadline=None)
@given(
    scheme=SCHEMES,
    n_rows=st.integers(1, 9),
    n_feeders=st.integers(1, 5),
    sharing=st.sampled_from(["parallel", "matched"]),
    liquid=st.booleans(),
)
def test_shares_sum_to_one_and_rows_are_dealt_evenly(
    scheme: dict[str, object], n_rows: int, n_feeders: int, sharing: str, liquid: bool
) -> None:
    content = small_site()
    content["lineup_templates"]["standard"] = small_lineup(scheme, n_rows, liquid=liquid)
    content["building_templates"]["hall-house"]["power"][0] |= {"count": n_feeders, "sharing": sharing}
    graphs = graphs_of(content)
    for node in graphs.power.nodes:
        if node != "service":
            assert sum(sources(graphs.power, node).values()) == 1
    for node, fields in graphs.cooling.nodes(data=True):
        n_media = 2 if fields["kind"] == "row" and liquid else 1
        if fields["kind"] not in {"dry-cooler", "chiller"}:
            assert sum(sources(graphs.cooling, node).values()) == n_media
    used = Counter(tuple(row_blocks(graphs, f"{L1}/r{n}")) for n in range(1, n_rows + 1))
    assert max(used.values()) - min(used.values()) <= 1


def test_a_campus_of_a_gigawatt_expands_within_three_seconds() -> None:
    content = small_site({"kind": "distributed", "blocks": 4, "make": 3})
    content["building_templates"]["hall-house"]["lineups"][0]["count"] = 20
    content["buildings"] = [{**content["buildings"][0], "name": f"b{n}"} for n in range(1, 6)]
    site, catalog = SiteFile.model_validate(content), small_catalog()
    start = time.process_time()
    graphs = expand(site, catalog)
    assert time.process_time() - start < 3
    # 100 lineups: 4 chains of 2 and 6 rows of 2 busways, pumps, fans and support; 5 buildings; campus 4; service.
    assert graphs.power.number_of_nodes() == 100 * (8 + 6 + 12 + 3) + 5 * (2 + 1) + 4 + 1
