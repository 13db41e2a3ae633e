"""The network bill: published reference architectures, lengths of a hall by hand, media by their reach."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import pytest

from planner.network.bill import BlockRacks, building_bill, cabling_of, rails_of
from planner.network.floor_plan import floor_plan, way_m
from planner.network.media import Cable, cable_length_m, cables, medium_for
from planner.network.tiers import leaves_by_rail, leaves_packed, three_tiers, tiers_of, two_tiers
from sites.catalog.loader import load_catalog
from sites.equipment import site_switch_equipment
from sites.expansion.places import places
from sites.faults import InputError
from sites.world import load_world

if TYPE_CHECKING:
    from planner.network.bill import NetworkBill
    from sites.expansion.places import Place

QM9700_PORTS, Q3400_PORTS = 64, 144
RAILS = 4


# --- published counts of NVIDIA's SuperPOD reference architectures ---


def test_a_unit_of_gb200_takes_32_leaves_in_four_rails() -> None:
    leaves = leaves_by_rail(8, 72, RAILS, QM9700_PORTS // 2)
    assert leaves is not None
    assert (leaves.n_leaves, leaves.n_uplinks, leaves.group_size) == (32, 18, 8)
    two = two_tiers(32, leaves.n_uplinks, QM9700_PORTS)
    three = three_tiers(32, leaves.n_uplinks, leaves.group_size, QM9700_PORTS)
    assert two is not None
    assert three is not None
    assert (two.n_spines, two.n_leaf_links) == (9, 576)
    assert three.n_spines == 24


def test_sixteen_units_of_gb200_take_512_leaves_384_spines_and_144_cores() -> None:
    tiers = tiers_of(16 * 32, 18, 8, 1, QM9700_PORTS)
    assert (tiers.n_tiers, tiers.n_spines, tiers.n_cores, tiers.n_islands) == (3, 384, 144, 1)
    assert tiers.n_leaf_links == tiers.n_core_links == 9_216


@pytest.mark.parametrize(("n_units", "n_leaves", "n_spines"), [(1, 8, 4), (16, 128, 72)])
def test_units_of_gb300_take_two_tiers(n_units: int, n_leaves: int, n_spines: int) -> None:
    leaves = leaves_by_rail(8, 72, RAILS, Q3400_PORTS // 2)
    assert leaves is not None
    assert n_units * leaves.n_leaves == n_leaves
    tiers = tiers_of(n_leaves, leaves.n_uplinks, leaves.group_size, 1, Q3400_PORTS)
    assert (tiers.n_tiers, tiers.n_spines, tiers.n_cores) == (2, n_spines, 0)


def test_a_unit_of_vera_rubin_takes_twice_the_leaves_and_spines_of_gb300() -> None:
    leaves = leaves_by_rail(8, 144, RAILS, Q3400_PORTS // 2)
    assert leaves is not None
    assert leaves.n_leaves == 16
    assert tiers_of(16, leaves.n_uplinks, leaves.group_size, 1, Q3400_PORTS).n_spines == 8


@pytest.mark.parametrize("n_planes", [1, 2, 4])
def test_planes_are_networks_of_their_own(n_planes: int) -> None:
    one, all_of_them = tiers_of(64, 72, 2, 1, Q3400_PORTS), tiers_of(64 * n_planes, 72, 2, n_planes, Q3400_PORTS)
    assert all_of_them.n_spines == n_planes * one.n_spines
    assert all_of_them.n_leaf_links == n_planes * one.n_leaf_links


@pytest.mark.parametrize("n_ports", [4, 64, 144])
def test_two_tiers_end_at_half_the_square_of_the_radix(n_ports: int) -> None:
    """k leaves of k/2 host ports each: k²/2 endpoints, with half as many spines as leaves."""
    full = tiers_of(n_ports, n_ports // 2, 1, 1, n_ports)
    assert (full.n_tiers, full.n_spines) == (2, n_ports // 2)
    assert tiers_of(n_ports + 1, n_ports // 2, 1, 1, n_ports).n_tiers == 3


@pytest.mark.parametrize("n_ports", [4, 16])
def test_three_tiers_end_at_a_quarter_of_the_cube_of_the_radix(n_ports: int) -> None:
    """k³/4 endpoints take k²/2 leaves, as many spines and k²/4 cores; one leaf more takes another network."""
    n_leaves = n_ports**2 // 2
    full = tiers_of(n_leaves, n_ports // 2, 1, 1, n_ports)
    assert (full.n_tiers, full.n_islands, full.n_spines, full.n_cores) == (3, 1, n_leaves, n_leaves // 2)
    assert tiers_of(n_leaves + 1, n_ports // 2, 1, 1, n_ports).n_islands == 2


@pytest.mark.parametrize(
    ("n_leaves", "n_uplinks", "group_size"), [(512, 18, 8), (300, 72, 4), (1000, 32, 1), (97, 9, 2)]
)
@pytest.mark.parametrize("n_ports", [64, 144])
def test_links_fit_the_switches_that_they_are_plugged_into(
    n_leaves: int, n_uplinks: int, group_size: int, n_ports: int
) -> None:
    tiers = tiers_of(n_leaves, n_uplinks, group_size, 1, n_ports)
    assert tiers.n_leaf_links >= n_leaves * n_uplinks
    assert tiers.n_leaf_links + tiers.n_core_links <= tiers.n_spines * n_ports
    assert tiers.n_core_links <= tiers.n_cores * n_ports
    assert tiers.n_tiers == 2 or tiers.n_core_links >= tiers.n_leaf_links


def test_packed_leaves_are_as_few_as_hold_the_ports() -> None:
    assert leaves_packed(5_184, 1, 72).n_leaves == 72
    assert leaves_packed(5_185, 1, 72).n_leaves == 73
    assert leaves_packed(100, 4, 32).n_leaves == 4
    sparse = leaves_packed(20, 1, 72)
    assert (sparse.n_leaves, sparse.n_uplinks) == (1, 36)


def test_a_rail_that_fits_no_leaf_is_told() -> None:
    assert leaves_by_rail(8, 72, 1, 32) is None


# --- floor plan and cables ---


@cache
def place_of(name: str) -> Place:
    return places(load_world(name).sites[0].site)[0]


def test_a_hall_is_drawn_row_by_row_with_its_leaves_in_the_middle() -> None:
    """reference-1gw, hall h1: 6 rows of 12 positions to a lineup, 0.6 m pitch, 3 m from row to row."""
    place = place_of("reference-1gw")
    plan, fabric = floor_plan(place), place.lineups[0].template.fabric
    network_m = -(-fabric.support_positions // 12) * 3
    first, third, fourth = (plan.first_rack[f"b1/h1/l01/r{number}"] for number in (1, 3, 4))
    assert (first.along_m, first.across_m) == (Fraction(3, 10), Fraction(3, 2))
    assert third.across_m - first.across_m == 6
    assert fourth.across_m - third.across_m == 3 + network_m
    assert plan.leaves["b1/h1/leaf-01"].across_m == 9 + Fraction(network_m, 2)
    assert plan.leaves["b1/h1/leaf-01"].along_m == Fraction(36, 10)
    last = plan.rack("b1/h1/l01/r1", 11)
    assert way_m(first, last) == Fraction(66, 10)
    assert plan.first_rack["b1/h2/l01/r1"].along_m > plan.rack("b1/h1/l01/r1", 11).along_m


def test_a_cable_follows_the_tray_and_comes_in_lengths_that_are_sold() -> None:
    """Twice 3 m down, 1.1 times the way, 2 m of slack: 10 m of way are 19 m, sold as 20 m."""
    cabling = cabling_of(load_catalog())
    assert cable_length_m(Fraction(10), cabling) == 20
    assert cable_length_m(Fraction(0), cabling) == 10
    assert cable_length_m(Fraction(600), cabling) == 1_000


@pytest.mark.parametrize(
    ("port_kind", "length_m", "name"),
    [
        ("ndr-400g", 2, "dac-100g-lanes"),
        ("ndr-400g", 3, "acc-100g-lanes"),
        ("ndr-400g", 50, "sr4-400g"),
        ("ndr-400g", 51, "dr4-400g"),
        ("ndr-400g", 501, "fr4-400g"),
        ("xdr-800g", 1, "dac-200g-lanes"),
        ("xdr-800g", 3, "dr-800g"),
        ("xdr-800g", 500, "dr-800g"),
        ("ethernet-800g", 40, "sr8-800g"),
        ("xdr-800g", 2_001, None),
        ("smoke-signals", 1, None),
    ],
)
def test_the_medium_of_shortest_reach_is_taken(port_kind: str, length_m: int, name: str | None) -> None:
    found = medium_for(Fraction(length_m), port_kind, load_catalog().media.values())
    assert (None if found is None else found.name) == name


def test_links_of_one_length_are_one_line_and_what_no_medium_reaches_is_kept() -> None:
    """10 m of way are 19 m, so 20; 12 m are 21.2 m, so 30; 5 km of way are 5,508 m, twelve times the longest."""
    catalog = load_catalog()
    links = {Fraction(10): 3, Fraction(19, 2): 1, Fraction(12): 2, Fraction(5_000): 1, Fraction(7): 0}
    short, longer, far = cables(links, "ndr-400g", catalog.media.values(), cabling_of(catalog))
    assert (short.n_cables, short.length_m, short.n_optics, short.power_w) == (4, 20, 8, 62)
    assert (longer.n_cables, longer.length_m) == (2, 30)
    assert (far.medium, far.length_m, far.n_cables, far.n_optics, far.power_w) == (None, 6_000, 1, 0, 0)


def test_copper_has_no_transceivers() -> None:
    copper = load_catalog().media["acc-100g-lanes"]
    assert (Cable(copper, Fraction(3), 4).n_optics, Cable(copper, Fraction(3), 4).power_w) == (0, 12)


# --- the bill of a building ---


def bill_of(name: str, system: str, n_units: int, n_racks: dict[str, int], block: str) -> NetworkBill:
    world = load_world(name)
    racks = BlockRacks(block, world.catalog.rack_systems[system], n_units, n_racks)
    switches = site_switch_equipment(world.sites[0].site, world.catalog)
    return building_bill(name, place_of(name), [racks], switches, world.catalog)


def test_one_unit_of_gb300_in_the_reference_campus() -> None:
    """8 racks of 72 ports: 8 leaves of 72 uplinks, 4 spines; 576 links up, 576 down."""
    bill = bill_of("reference-1gw", "gb300-nvl72", 1, {"b1/h1/l01/r1": 8}, "b1/h1/leaf-01")
    [network] = bill.networks
    assert (network.n_leaves, network.n_spines, network.n_cores, network.n_ports) == (8, 4, 0, 576)
    assert network.by_rail
    counted: Counter[str] = Counter()
    for line in bill.lines:
        counted[line.part] += line.n_items
    assert counted == {"leaf": 8, "rack-leaf": 576, "leaf-spine": 576, "spine": 4}
    assert sum(line.n_optics for line in bill.lines) == 4 * 576
    assert {line.item for line in bill.lines if line.length_m is not None} == {"dr-800g"}


def test_leaves_are_packed_where_the_places_are_too_few_for_rails() -> None:
    """Seven units of GB200 take 224 leaves by rail, more than the block's 140 places; packed in 4 planes 128."""
    bill = bill_of("reference-1gw", "gb200-nvl72", 7, {"b1/h1/l01/r1": 12}, "b1/h1/leaf-01")
    [network] = bill.networks
    assert not network.by_rail
    assert network.n_leaves == 4 * -(-7 * 8 * 72 // (4 * 32)) == 128
    assert network.n_leaf_places == 140


def test_a_unit_is_paid_in_leaves_though_part_of_it_stands_empty() -> None:
    full = bill_of("reference-1gw", "gb300-nvl72", 1, {"b1/h1/l01/r1": 8}, "b1/h1/leaf-01")
    part = bill_of("reference-1gw", "gb300-nvl72", 1, {"b1/h1/l01/r1": 3}, "b1/h1/leaf-01")
    assert part.networks[0].n_leaves == full.networks[0].n_leaves
    assert part.networks[0].n_ports == 3 * 72
    assert sum(line.n_items for line in part.lines if line.part == "rack-leaf") == 3 * 72


def test_rails_are_known_of_every_system_that_may_be_planned() -> None:
    catalog = load_catalog()
    known = {name: rails_of(name, catalog) for name, system in catalog.rack_systems.items() if system.enabled}
    assert set(known.values()) == {RAILS}
    assert rails_of("abacus", catalog) is None


def test_a_catalogue_without_a_rule_for_cables_is_refused() -> None:
    from dataclasses import replace

    with pytest.raises(InputError, match="exactly one entry of 'cabling'"):
        cabling_of(replace(load_catalog(), cabling={}))


def test_names_of_systems_in_wirings_are_those_of_the_catalogue() -> None:
    catalog = load_catalog()
    named = {name for wiring in catalog.wirings.values() for name in wiring.systems}
    assert named <= set(catalog.rack_systems)
    ports = {kind for medium in catalog.media.values() for kind in medium.port_kinds}
    assert {switch.port_kind for switch in catalog.switches.values()} <= ports
