"""Checks on graphs: a sound site has no findings, and each fault that is built in is found."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from fixtures.small_site import small_catalog, small_site

from sites.calendar import quarter_index
from sites.checks import Finding, check, openings, require_sound
from sites.expansion import SiteGraphs, expand
from sites.faults import InputError
from sites.schema.site import SiteFile

L1 = "b1/h1/l01"


def graphs_of(content: dict[str, Any]) -> SiteGraphs:
    """The graphs of a site file given as content."""
    return expand(SiteFile.model_validate(content), small_catalog())


def sound() -> dict[str, Any]:
    """The small site under 2N, whose feeders carry all that it promises."""
    return small_site({"kind": "2n"})


def only(findings: list[Finding], severity: str, element: str, text: str) -> None:
    """There is exactly one finding, and it is this one."""
    assert len(findings) == 1, [str(finding) for finding in findings]
    assert (findings[0].severity, findings[0].element) == (severity, element)
    assert text in findings[0].message


def test_sound_site_has_no_findings() -> None:
    graphs = graphs_of(sound())
    assert check(graphs) == []
    assert require_sound(graphs) == []


def test_row_without_one_of_its_feeds() -> None:
    graphs = graphs_of(sound())
    graphs.power.remove_edge(f"{L1}/r1/busway-2", f"{L1}/r1")
    findings = check(graphs)
    assert {finding.severity for finding in findings} == {"error"}
    texts = {finding.message for finding in findings if finding.element == f"{L1}/r1"}
    assert texts == {"its shares sum to 1/2; they must sum to 1", "it has 1 power feeds; 2 are due"}


def test_row_without_liquid() -> None:
    graphs = graphs_of(sound())
    graphs.cooling.remove_edge(f"{L1}/liquid", f"{L1}/r1")
    only(check(graphs), "error", f"{L1}/r1", "cooled by ['air']; ['air', 'liquid'] is due")


def test_row_without_leaf_group() -> None:
    graphs = graphs_of(sound())
    graphs.fabric.remove_edge("b1/h1/leaf-01", f"{L1}/r1")
    only(check(graphs), "error", f"{L1}/r1", "leaf groups []")


def test_leaf_groups_without_core() -> None:
    graphs = graphs_of(sound())
    graphs.fabric.remove_edge("core", "b1/spine")
    findings = check(graphs)
    assert findings
    assert all("below the core is due" in finding.message for finding in findings)


def test_cycle() -> None:
    graphs = graphs_of(sound())
    graphs.power.add_edge(f"{L1}/ups-1", f"{L1}/unit-substation-1", share=Fraction(0), reserve=True)
    findings = check(graphs)
    assert any("the power graph has a cycle" in finding.message for finding in findings)
    with pytest.raises(InputError, match="cycle"):
        require_sound(graphs)


def test_element_cut_off_from_the_service() -> None:
    graphs = graphs_of(sound())
    graphs.power.remove_edge("service", "line-1")
    graphs.power.remove_edge("service", "line-2")
    n_others = graphs.power.number_of_nodes() - 2
    only(check(graphs), "error", min(set(graphs.power) - {"service"}), "no path leads to it from the utility service")
    assert f"(and {n_others} more like it)" in check(graphs)[0].message


@pytest.mark.parametrize("field", ["rating_w", "in_service", "loss_linear"])
def test_missing_field(field: str) -> None:
    graphs = graphs_of(sound())
    graphs.power.nodes["b1/feeder-1"][field] = None
    only(check(graphs), "error", "b1/feeder-1", f"'{field}' is missing")


def test_rating_of_nothing() -> None:
    graphs = graphs_of(sound())
    graphs.power.nodes["b1/feeder-1"]["rating_w"] = Fraction(0)
    only(check(graphs), "error", "b1/feeder-1", "at least 1 W")


def test_id_in_two_graphs() -> None:
    # A plant and a campus group of the same id: plant 'feeder-1' of building b1 is called like b1's first feeder.
    content = sound()
    template = content["building_templates"]["hall-house"]
    template["plants"][0]["name"] = "feeder-1"
    standard = content["lineup_templates"]["standard"]
    standard["liquid"]["plant"] = standard["air"]["plant"] = "feeder-1"
    only(check(graphs_of(content)), "error", "b1/feeder-1", "in the power and the cooling graph")


def test_upstream_smaller_than_the_scheme_promises() -> None:
    # Each feeder carries two blocks of two lineups: 4 · 1.5 MW, with 3 % of load loss and 20 kW without load each:
    # 4 · (1.5 · 1.03 + 0.02) = 6.26 MW against 6 MW.
    findings = [finding for finding in check(graphs_of(small_site())) if "promises" in finding.message]
    only(findings, "warning", "b1/feeder-1", "rated 6,000,000 W carries less than the 6,260,000 W")


def test_chain_too_small_after_the_loss_of_a_block() -> None:
    # 1 MW in normal operation is no trouble; 2 MW after a failure, 2.08 MW with losses, is more than 2.05 MVA.
    content = sound()
    substation = small_catalog().power["substation-3mva"].model_dump(mode="json")
    substation |= {"name": "substation-small"}
    substation["apparent"] |= {"value": "2.05 MVA"}
    content["equipment"] = [substation]
    content["lineup_templates"]["standard"]["chain"][0]["equipment"] = "substation-small"
    only(
        check(graphs_of(content)), "warning", f"{L1}/unit-substation-1", "2,080,000 W that the scheme below it promises"
    )


def test_loop_colder_than_cdus_can_make_it() -> None:
    # Plant 30 degC and 4 K of approach: 34 degC at best; the return of 43 still is above the plant's 42.
    content = sound()
    content["lineup_templates"]["standard"]["liquid"]["supply"] = "33 degC"
    only(check(graphs_of(content)), "error", f"{L1}/cdu-1", "reach 34 degC at best")


def test_loop_returns_colder_than_the_plant() -> None:
    content = sound()
    content["lineup_templates"]["standard"]["liquid"] |= {"supply": "34 degC", "rise": "7 K"}
    only(check(graphs_of(content)), "error", f"{L1}/cdu-1", "returns at 41 degC")


def test_dry_coolers_alone_on_a_warm_day() -> None:
    content = sound()
    del content["building_templates"]["hall-house"]["plants"][0]["chillers"]
    only(check(graphs_of(content)), "error", "b1/plant-1", "dry coolers remove only 50.0% of the heat")


def test_chillers_without_work_are_mentioned() -> None:
    content = sound()
    content["climate"]["design_dry_bulb"] = "20 degC"
    only(check(graphs_of(content)), "warning", "b1/plant-1", "chillers have nothing to do")


def test_chillers_without_heat_left() -> None:
    content = sound()
    content["climate"]["design_dry_bulb"] = "140 degC"
    findings = [finding for finding in check(graphs_of(content)) if finding.severity == "error"]
    only(findings, "error", "b1/plant-1", "no heat left")


def test_row_that_waits_for_its_feeders() -> None:
    content = sound()
    content["building_templates"]["hall-house"]["power"][0]["in_service"] = ["2028-Q1", "2028-Q2"]
    graphs = graphs_of(content)
    only(check(graphs), "warning", f"{L1}/r1", "in service 2027-Q3, but its feeds exist only from 2028-Q2")
    assert openings(graphs)[f"{L1}/r1"] == quarter_index("2028-Q2")
    assert openings(graphs)["b1/feeder-1"] == quarter_index("2028-Q1")


def test_row_that_waits_for_the_power_of_its_cooling() -> None:
    # The plant hangs on a second group that comes a year after everything else.
    content = sound()
    template = content["building_templates"]["hall-house"]
    late = {**template["power"][0], "name": "late", "in_service": ["2028-Q3"]}
    template["power"].append(late)
    template["plants"][0]["powered_by"] = "late"
    graphs = graphs_of(content)
    only(check(graphs), "warning", f"{L1}/r1", "but its cooling and support have all their power only from 2028-Q3")
    assert openings(graphs)[f"{L1}/r1"] == quarter_index("2028-Q3")


def test_single_point_that_the_class_does_not_allow() -> None:
    content = small_site({"kind": "n-plus-1-bus", "blocks": 3, "bus": "bus-5mw"})
    only(check(graphs_of(content)), "warning", f"{L1}/r1", "the failure of one bus drops it")


def test_single_point_that_the_class_allows() -> None:
    content = small_site({"kind": "n-plus-1-bus", "blocks": 3, "bus": "bus-5mw"})
    content["availability"][0]["may_drop_on"] = ["busway", "bus"]
    assert check(graphs_of(content)) == []


def test_catcher_is_no_single_point() -> None:
    scheme = {"kind": "block-redundant", "active": 1, "transfer_switch": "switch-2mw"}
    content = small_site(scheme)
    content["availability"][0]["may_drop_on"] = ["busway", "transfer-switch"]
    assert check(graphs_of(content)) == []


def test_element_that_feeds_nothing() -> None:
    content = sound()
    content["building_templates"]["hall-house"]["power"].append(
        {**content["building_templates"]["hall-house"]["power"][0], "name": "spare", "count": 1}
    )
    only(check(graphs_of(content)), "warning", "b1/spare-1", "feeds nothing")
