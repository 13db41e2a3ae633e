"""A rack on two feeds must be carried by the shelves on one of them, unless its row says that it does not ask."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from fixtures.small_site import PROVENANCE, small_site
from fixtures.small_world import small_world
from pydantic import ValidationError

from planner.lower import lower
from planner.run.create import RunRequest, create_run
from planner.solve.options import SolveOptions
from planner.verify import verify
from planner.verify.eligibility import Eligibility
from planner.verify.fits import Fits
from planner.verify.limits import SiteLimits
from sites.catalog.loader import load_catalog
from sites.expansion import expand
from sites.schema.catalog import RackSystem
from sites.schema.site import SiteFile
from sites.world import World, load_world

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATIONS = ["gb200-nvl72", "gb300-nvl72", "gb300-nvl72/capped", "vr-nvl72/max-q", "vr-nvl72/max-p"]
SYSTEMS = ["gb200-nvl72", "gb300-nvl72", "vr-nvl72"]
STANDING = {
    "ignore": set(CONFIGURATIONS),
    "cap": {"gb200-nvl72", "gb300-nvl72/capped", "vr-nvl72/max-q"},
    "refuse": {"gb200-nvl72", "vr-nvl72/max-q"},
}
"""Which configurations each rule lets into a row of two feeds: 132 kW for Blackwell, 220 kW for Vera Rubin."""


def _world(rule: str) -> World:
    """The small site with 2N rows under a rule, and every configuration on offer."""
    content = small_site({"kind": "2n"})
    lineup = content["lineup_templates"]["standard"]
    lineup["ride_through"] = {"rule": rule, "provenance": PROVENANCE}
    lineup["rows"]["floor_point"] = "3000 kg/m**2"
    supply = [
        {"system": system, "deliveries": [{"quarter": "2027-Q1", "racks": 100}], "provenance": PROVENANCE}
        for system in SYSTEMS
    ]
    return small_world(content, configurations=CONFIGURATIONS, supply=supply)


@pytest.mark.parametrize("rule", STANDING)
def test_each_rule_admits_its_configurations_in_lowering_and_checker(rule: str) -> None:
    world = _world(rule)
    problem = lower(world).problem
    names = problem.configuration_names
    assert {names[k] for k in range(len(names)) if problem.first_period[0, k] < problem.n_periods} == STANDING[rule]
    site = world.sites[0]
    graphs = expand(site.site, world.catalog)
    limits = SiteLimits(graphs, {}, Fits(graphs, world.portfolio, world.catalog, site.entry.buildings))
    checker = Eligibility(limits, world.portfolio, world.catalog, problem.periods)
    row = problem.row_names[0].partition(":")[2]
    assert {name for name in names if checker.first_period(row, name) is not None} == STANDING[rule]


def test_the_reason_names_both_figures() -> None:
    reasons = {one.configuration: one.reason for one in lower(_world("cap")).problem.ineligible}
    assert "draws 140.0 kW" in reasons["gb300-nvl72"]
    assert "4 power shelves on the other carry 132.0 kW" in reasons["gb300-nvl72"]
    assert "draws 230.0 kW" in reasons["vr-nvl72/max-p"]
    assert "2 power shelves on the other carry 220.0 kW" in reasons["vr-nvl72/max-p"]


def test_a_watt_more_than_the_shelves_carry_is_refused() -> None:
    """GB200 at 132 kW stands on four shelves of 33 kW; one watt less of shelf and it does not."""
    world = _world("cap")
    system = world.catalog.rack_systems["gb200-nvl72"]
    rating = system.power_shelf_rating.model_copy(update={"value": Fraction(131_999, 4)})
    weaker = system.model_copy(update={"power_shelf_rating": rating})
    catalog = replace(world.catalog, rack_systems=world.catalog.rack_systems | {"gb200-nvl72": weaker})
    refused = {one.configuration for one in lower(replace(world, catalog=catalog)).problem.ineligible}
    assert "gb200-nvl72" in refused
    assert "gb200-nvl72" not in {one.configuration for one in lower(world).problem.ineligible}


@pytest.mark.parametrize("kind", ["2n", "distributed"])
def test_rows_of_two_feeds_must_say_what_holds(kind: str) -> None:
    content = small_site({"kind": kind} | ({"blocks": 4, "make": 3} if kind == "distributed" else {}))
    del content["lineup_templates"]["standard"]["ride_through"]
    with pytest.raises(ValidationError, match=f"scheme '{kind}' hang on two feeds, so 'ride_through' must say"):
        SiteFile.model_validate(content)


def test_rows_of_one_feed_have_nothing_to_say() -> None:
    content = small_site({"kind": "n", "blocks": 2})
    content["lineup_templates"]["standard"]["ride_through"] = {"rule": "cap", "provenance": PROVENANCE}
    with pytest.raises(ValidationError, match="hang on one feed and drop with it; remove 'ride_through'"):
        SiteFile.model_validate(content)


def _system(**changes: Any) -> dict[str, Any]:
    """GB300 as content, with figures changed."""
    content: dict[str, Any] = load_catalog().rack_systems["gb300-nvl72"].model_dump()
    for key, value in changes.items():
        content[key] = {**content[key], "value": value, "low": None, "high": None}
    return content


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"power_shelves": 7}, "found 4 power shelves on each of two feeds and 7 in all; at most 3 fit"),
        ({"power_shelf_rating": "30 kW"}, "must be what the shelves of one feed carry: 120,000 W"),
    ],
)
def test_shelves_that_do_not_add_up_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RackSystem.model_validate(_system(**changes))


def test_the_cap_is_priced_by_the_stated_rule() -> None:
    """Performance of the capped rack: in proportion to power, rounded down; its range by the rules of its note."""
    full = load_catalog().configuration("gb300-nvl72").profile
    capped = load_catalog().configuration("gb300-nvl72/capped").profile
    assert full.sustained_max.value is not None
    assert capped.sustained_max.value is not None
    share = capped.sustained_max.value / full.sustained_max.value
    idle = full.idle.value
    assert idle is not None
    above_idle = (share - idle) / (1 - idle)
    on_slope = 1 - (1 - share) * Fraction(1, 10) / (1 - Fraction(190, 230))
    expected = [Fraction(int(1000 * one), 1000) for one in (above_idle, share, on_slope)]
    assert [capped.performance.low, capped.performance.value, capped.performance.high] == expected


def test_a_plan_with_the_uncapped_rack_is_refused(tmp_path: Path) -> None:
    """The checker does not let the rack that the row refuses stand in the place of the capped one."""
    world = load_world("toy-ride-through-cap")
    options = SolveOptions(backend="numpy", work_limit=2000)
    folder = create_run(world, RunRequest(tmp_path / "run", options), lambda _: None).folder
    assert verify(folder).ok
    text = (folder / "plan.json").read_text(encoding="utf-8")
    plan = json.loads(text)
    for placement in plan["placements"]:
        assert placement["configuration"] == "gb300-nvl72/capped"
        placement["configuration"] = "gb300-nvl72"
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    found = {check.name: check.detail for check in verify(folder).failed()}
    assert any("shelves on one feed" in detail for detail in found.values()), found
