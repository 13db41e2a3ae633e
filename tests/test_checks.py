"""Checks on graphs: a sound site has no findings, and each fault that is built in is found."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from fixtures.small_site import PROVENANCE, power_item, small_catalog, small_site, sourced

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


@pytest.mark.parametrize("field", ["rating_w", "emergency_w", "short_time_s", "in_service", "loss_linear"])
def test_missing_field(field: str) -> None:
    graphs = graphs_of(sound())
    graphs.power.nodes["b1/feeder-1"][field] = None
    only(check(graphs), "error", "b1/feeder-1", f"'{field}' is missing")


def test_unit_that_draws_from_nothing() -> None:
    graphs = graphs_of(sound())
    graphs.cooling.nodes[f"{L1}/cdu-1"]["fed_by"] = ()
    only(check(graphs), "error", f"{L1}/cdu-1", "'fed_by' is missing")


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
    only(findings, "warning", "b1/feeder-1", "with the rating 6,000,000 W carries less than the 6,260,000 W")


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


def test_an_emergency_rating_keeps_the_promise_after_a_loss() -> None:
    # As above, but 2.05 MVA may carry 2 % more, 2.091 MW, until the failed block is back.
    content = sound()
    substation = power_item("substation-small", "unit-substation", {"apparent": "2.05 MVA"})
    content["equipment"] = [substation | {"emergency_rating": sourced("1.02")}]
    content["lineup_templates"]["standard"]["chain"][0]["equipment"] = "substation-small"
    assert check(graphs_of(content)) == []
    substation["emergency_rating"] = sourced("1.01")
    content["equipment"] = [substation]
    text = "with the emergency rating 2,070,500 W carries less than the 2,080,000 W"
    only(check(graphs_of(content)), "warning", f"{L1}/unit-substation-1", text)


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


# What takes cooling and network


def warnings_of(content: dict[str, Any]) -> set[tuple[str, str]]:
    """Element and message of every warning; there is no error."""
    findings = check(graphs_of(content))
    assert all(finding.severity == "warning" for finding in findings), [str(finding) for finding in findings]
    return {(finding.element, finding.message) for finding in findings}


def refusals(content: dict[str, Any]) -> set[str]:
    """What is said of rows that no rack can stand in, without class and advice."""
    told = [message for _, message in warnings_of(content) if "no rack can stand here" in message]
    return {message.partition(", which")[0].partition(" (and")[0] for message in told}


def standard_of(content: dict[str, Any]) -> dict[str, Any]:
    """The lineup template of the small site."""
    template: dict[str, Any] = content["lineup_templates"]["standard"]
    return template


def plant_of(content: dict[str, Any]) -> dict[str, Any]:
    """The plant of the small site."""
    plant: dict[str, Any] = content["building_templates"]["hall-house"]["plants"][0]
    return plant


def test_matched_banks_on_two_feeders_survive_one() -> None:
    # Two of three CDUs and two of four handlers stop with feeder 1; some are left, and limits see to the rest.
    content = sound()
    standard = standard_of(content)
    standard["liquid"]["unit_feeds"] = standard["air"]["unit_feeds"] = plant_of(content)["unit_feeds"] = "matched"
    assert check(graphs_of(content)) == []


def test_banks_on_one_feeder_fail_with_it() -> None:
    # The rows have two feeders; the pumps and CDUs have one of their own.
    content = sound()
    power = content["building_templates"]["hall-house"]["power"]
    power.append({**power[0], "name": "lone", "count": 1})
    standard_of(content)["liquid"]["powered_by"] = "lone"
    assert refusals(content) == {"the failure of one feeder stops every cdu that its heat needs"}
    content["availability"][0]["may_drop_on"].append("feeder")
    assert check(graphs_of(content)) == []


def test_what_lies_above_the_only_feeder_counts_too() -> None:
    # Both feeders hang on one line from here on: its failure is that of everything.
    content = sound()
    content["power"][0]["count"] = 1
    told = refusals(content)
    assert "the failure of one line drops it" in told
    assert "the failure of one line stops its network" in told
    assert {text.split()[4] for text in told} == {"line"}


@pytest.mark.parametrize(
    ("bank", "kind"),
    [("cdus", "cdu"), ("handlers", "air-handler"), ("coolers", "cooler"), ("chillers", "chiller")],
)
def test_a_bank_without_a_spare_needs_the_leave_of_the_class(bank: str, kind: str) -> None:
    content = sound()
    owners = {"cdus": standard_of(content)["liquid"], "handlers": standard_of(content)["air"]}
    owners.get(bank, plant_of(content))[bank]["spares"] = 0
    assert refusals(content) == {f"the failure of one {kind} leaves too few of them, as none is spare"}
    content["availability"][0]["may_drop_on"].append(kind)
    assert check(graphs_of(content)) == []


def test_a_bank_without_a_duty_need_not_survive() -> None:
    content = sound()
    content["climate"]["design_dry_bulb"] = "20 degC"
    plant_of(content)["chillers"]["spares"] = 0
    assert refusals(content) == set()


def test_planes_that_stop_together() -> None:
    # Ten leaves on two feeders in two planes: a plane on each feeder. With both needed, no feeder and no leaf may fail.
    content = sound()
    fabric = standard_of(content)["fabric"]
    fabric["support_feeds"] = "matched"
    assert check(graphs_of(content)) == []
    fabric["planes_needed"] = 2
    assert refusals(content) == {
        "the failure of one feeder stops its network",
        "the failure of one leaf leaves it fewer whole planes than it needs",
    }


def test_planes_across_both_feeders_stop_with_each() -> None:
    # Three planes over ten leaves: leaves 1 and 4 are of plane 1, on feeders 1 and 2. Each feeder breaks all three.
    content = sound()
    standard_of(content)["fabric"] |= {"support_feeds": "matched", "planes": 3, "planes_needed": 1}
    assert refusals(content) == {"the failure of one feeder stops its network"}


def test_what_is_maintained_must_not_drop_rows() -> None:
    content = small_site({"kind": "n-plus-1-bus", "blocks": 3, "bus": "bus-5mw"})
    content["availability"][0] |= {"may_drop_on": ["busway", "bus"], "maintenance": ["ups"]}
    assert check(graphs_of(content)) == []
    content["availability"][0]["maintenance"] = ["ups", "bus"]
    assert refusals(content) == {"the planned outage of one bus drops it"}


def test_units_matched_to_the_only_member() -> None:
    content = sound()
    power = content["building_templates"]["hall-house"]["power"]
    power.append({**power[0], "name": "lone", "count": 1})
    standard_of(content)["fabric"] |= {"support_powered_by": "lone", "support_feeds": "matched"}
    content["availability"][0]["may_drop_on"].append("feeder")
    only(check(graphs_of(content)), "warning", "b1/h1/leaf-01/support", "matched to 'b1/lone-1', the only member")


# One feed for a while


def one_feed_for_a_while(until: str | None, last: str) -> dict[str, Any]:
    """Block 1 on a feeder of 2027-Q1, block 2 on one that comes last; cooling and network on feeders of their own."""
    content = sound()
    template = content["building_templates"]["hall-house"]
    template["power"].append({**template["power"][0], "name": "house"})
    template["power"][0]["in_service"] = ["2027-Q1", last]
    template["plants"][0]["powered_by"] = "house"
    standard = standard_of(content)
    standard["liquid"]["powered_by"] = standard["air"]["powered_by"] = "house"
    standard["fabric"]["support_powered_by"] = "house"
    chain = ["busway", "ups", "unit-substation", "feeder"]
    content["availability"][0] |= {"may_drop_on": chain} | ({} if until is None else {"single_feed_until": until})
    return content


@pytest.mark.parametrize(
    ("until", "last", "opens"),
    [
        (None, "2028-Q2", "2028-Q2"),
        ("2028-Q2", "2028-Q2", "2027-Q3"),
        ("2027-Q4", "2028-Q2", "2027-Q3"),
        ("2027-Q3", "2028-Q2", "2028-Q2"),
        ("2028-Q1", "2027-Q1", "2027-Q3"),
    ],
    ids=["all feeds", "one feed", "one feed too long", "too late for one", "both there"],
)
def test_a_row_opens_on_one_feed_before_the_date_of_its_class(until: str | None, last: str, opens: str) -> None:
    graphs = graphs_of(one_feed_for_a_while(until, last))
    assert openings(graphs)[f"{L1}/r1"] == quarter_index(opens)


def test_a_second_feed_that_comes_in_time() -> None:
    assert check(graphs_of(one_feed_for_a_while("2028-Q2", "2028-Q2"))) == []


def test_a_second_feed_that_comes_after_its_date() -> None:
    findings = check(graphs_of(one_feed_for_a_while("2027-Q4", "2028-Q2")))
    errors = [finding for finding in findings if finding.severity == "error"]
    assert (errors[0].element, findings) == (f"{L1}/r1", errors)
    assert "its feed 'b1/h1/l01/r1/busway-2' exists only from 2028-Q2 and is due in 2027-Q4" in errors[0].message


def test_the_only_feed_drops_rows_of_a_class_that_forbids_it() -> None:
    content = one_feed_for_a_while("2028-Q2", "2028-Q2")
    content["availability"][0]["may_drop_on"] = ["busway", "ups"]
    text = "the failure of one unit-substation or feeder drops it"
    only(check(graphs_of(content)), "warning", f"{L1}/r1", text)
    assert "no rack can stand here before 2028-Q2" in check(graphs_of(content))[0].message


def test_a_single_feed_for_rows_that_have_no_other() -> None:
    content = small_site({"kind": "n", "blocks": 4})
    content["availability"][0] |= {"may_drop_on": ["busway", "ups", "unit-substation", "feeder"]}
    content["availability"][0]["single_feed_until"] = "2028-Q1"
    told = {message for _, message in warnings_of(content) if "one feed is all that it has" in message}
    assert len(told) == 1


# Supply and ratings


def service_warning(content: dict[str, Any], text: str) -> None:
    """There is one finding, a warning on the service."""
    only(check(graphs_of(content)), "warning", "service", text)


def non_firm(capacity: str, hours: str) -> dict[str, object]:
    """Non-firm service."""
    steps = [{"start": "2026-Q1", "capacity": capacity}]
    return {"steps": steps, "curtailed_hours_per_year": hours, "notice": "10 min", "provenance": PROVENANCE}


def test_non_firm_capacity_that_is_none_or_firm() -> None:
    content = sound()
    content["service"]["non_firm"] = non_firm("0 W", "80 h")
    service_warning(content, "found 80 curtailed hours, but its non-firm capacity is 0 W throughout")
    content["service"]["non_firm"] = non_firm("1 MW", "0 h")
    service_warning(content, "never curtailed, so it is firm")
    content["service"]["non_firm"] = non_firm("1 MW", "80 h")
    assert check(graphs_of(content)) == []


def test_generation_that_gives_nothing() -> None:
    content = sound()
    sets = {"name": "gas", "units": 2, "reserve": 2, "rating": "5 MW", "rated_dry_bulb": "15 degC"}
    terms = {"derate_per_kelvin": "0", "in_service": "2027-Q1", "fuel_cost": "40 USD/MWh", "provenance": PROVENANCE}
    content["generation"] = [sets | terms]
    service_warning(content, "its generation 'gas' gives nothing firm: 2 of 2 sets are reserve")


def test_batteries_without_a_limit_or_without_energy() -> None:
    content = sound()
    pack = {"name": "pack", "power": "2 MW", "energy": "25 kWh", "in_service": "2027-Q1", "provenance": PROVENANCE}
    content["batteries"] = [pack]
    service_warning(content, "the battery 'pack' serves nothing")
    content["service"]["swing"] = {"rule": "limit", "step": "1 MW", "ramp": "0.5 MW/min", "provenance": PROVENANCE}
    service_warning(content, "carries a step of 1,224,744 W until the service has caught up, not its 2,000,000 W")
    del content["service"]["swing"]["ramp"]
    assert check(graphs_of(content)) == []


def flexible(within: str, duration: str | None) -> dict[str, Any]:
    """The sound site with Flex, and UPS that carry half as much again for a while."""
    content = sound()
    flex = {"sheddable": "0.2", "cappable": "0", "cap_to": "0", "within": within, "provenance": PROVENANCE}
    losses = {"no_load": "0.01", "linear": "0.01", "quadratic": "0.02"}
    ups = power_item("ups-flex", "ups", {"real": "2 MW"}, losses=losses)
    if duration is not None:
        ups |= {"short_time_rating": sourced("1.5"), "short_time_duration": sourced(duration)}
    content["equipment"] = [ups]
    standard_of(content)["flex"] = flex
    standard_of(content)["chain"][1]["equipment"] = "ups-flex"
    return content


def test_flex_in_time() -> None:
    assert check(graphs_of(flexible("10 s", "10 s"))) == []


def test_flex_that_is_slower_than_the_ratings_above_it() -> None:
    told = warnings_of(flexible("11 s", "10 s"))
    assert {element for element, _ in told} == {f"{L1}/ups-1", f"{L1}/r1"}
    assert any("carries its short-time rating for 10 s, but Flex below it takes 11 s" in message for _, message in told)
    assert any(
        "no element above it carries more than its emergency rating for so long" in message for _, message in told
    )


def test_flex_without_any_short_time_rating() -> None:
    only(check(graphs_of(flexible("10 s", None))), "warning", f"{L1}/r1", "its Flex acts within 10 s")


# Coolers and curves


def test_coolers_are_called_by_their_kind() -> None:
    content = sound()
    del plant_of(content)["chillers"]
    content["climate"]["design_wet_bulb"] = "28 degC"
    cooler = small_catalog().cooling["dry-500kw"].model_dump(mode="json", exclude_none=True)
    content["cooling_equipment"] = [cooler | {"name": "wet", "kind": "fluid-cooler"}]
    plant_of(content)["coolers"]["equipment"] = "wet"
    only(check(graphs_of(content)), "error", "b1/plant-1", "fluid coolers remove only 50.0% of the heat")


@pytest.mark.parametrize(("hottest", "told"), [("30 degC", False), ("29 degC", True)])
def test_curves_that_do_not_reach_the_design_day(hottest: str, told: bool) -> None:
    # The chillers leave at 30 degC in air of 28 + 2 degC.
    content = sound()
    chiller = small_catalog().cooling["chiller-1mw"].model_dump(mode="json", exclude_none=True)
    flat = [1, 0, 0, 0, 0, 0]
    curves = {
        "leaving_degc": ["5 degC", "30 degC"],
        "condenser_degc": ["20 degC", hottest],
        "reference_cop": sourced(4),
    }
    curves |= {"capacity": flat, "power": flat, "part_load": [0, 1, 0], "source": "round", "status": "assumption"}
    content["cooling_equipment"] = [chiller | {"name": "curved", "curves": curves}]
    plant_of(content)["chillers"]["equipment"] = "curved"
    findings = check(graphs_of(content))
    assert [finding.severity for finding in findings] == ["warning"] * told
    assert all("their curves hold from 5 to 30 and from 20 to 29 degC" in finding.message for finding in findings)
