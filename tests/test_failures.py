"""The failure table, against failures of toys worked out by hand."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from run_cases import lowered_of, solution_of, world_of

from planner.run.banks import SiteBanks
from planner.run.draws import configuration_draw, scaled
from planner.run.evaluate import evaluate
from planner.run.events import maintained, single_events
from planner.run.flow import SiteFlow
from sites.expansion import expand
from sites.schema.failures import UNIT_FAILURES

if TYPE_CHECKING:
    from planner.run.failures import Failure

RACK_W, LIQUID_W = 132_000, 114_840


@cache
def failures_of(name: str) -> dict[str, Failure]:
    lowered = lowered_of(name)
    found = evaluate(world_of(name), lowered, lowered.graphs, solution_of(name).plan.n_racks).failures
    assert len({one.element for one in found}) == len(found)
    return {one.element: one for one in found}


def test_a_board_survived_electrically_leaves_its_cdus_to_the_others() -> None:
    """Four CDUs of 0.5 MW on two boards: one board leaves two, which carry 8 racks' 918,720 W of liquid heat."""
    found = failures_of("toy-thermal-header")
    board, unit = found["mech-1"], found["b1/h1/l01/cdu"]
    assert (board.worst_element, board.worst_load_w, board.worst_rating_w) == (
        "b1/h1/l01/liquid", 8 * LIQUID_W, 1_000_000,
    )  # fmt: skip
    assert board.verdict == "holds"
    assert (unit.worst_load_w, unit.worst_rating_w, unit.kind) == (8 * LIQUID_W, 1_500_000, "cdu")


def test_flexible_rows_shed_and_cap_where_a_survivor_would_be_over_its_rating() -> None:
    """11 racks on two UPS of 1 MW: one alone would carry 1.452 MW; 30 % are shed, 40 % capped to half."""
    lost = failures_of("toy-flex-before")["b1/h1/l01/ups-1"]
    it_w = 11 * RACK_W
    assert (lost.shed_w, lost.capped_w) == (it_w * 3 // 10, it_w * 2 // 10)
    assert lost.verdict == "holds"
    assert failures_of("toy-flex-before")["b1/h1/l01/cdu"].shed_w == 0


def test_dropped_racks_are_counted_in_gpus_too() -> None:
    feeder = failures_of("toy-hall-without-ups")["feeder-1"]
    assert (feeder.dropped_rows, feeder.dropped_racks, feeder.dropped_gpus) == (2, 14, 14 * 72)
    assert (feeder.dropped_it_w, feeder.verdict) == (14 * RACK_W, "drops")


def test_a_unit_without_spare_drops_what_hangs_on_it_and_one_with_spare_does_not() -> None:
    found = failures_of("toy-unit-spare")
    assert "b1/h1/l01/cdu" in found
    assert found["b1/h1/l02/air-handler"].verdict == "drops"
    assert found["b1/h1/l02/cdu"].verdict == "holds"


def test_what_fails_while_a_transformer_is_out_for_work_loads_the_third() -> None:
    found = failures_of("toy-maintenance-pair")
    pair = found["main-1+main-2"]
    assert (pair.kind, pair.worst_element, pair.worst_load_w) == ("maintenance", "main-3", 7 * RACK_W)
    assert pair.verdict == "holds"
    assert "main-2+main-1" not in found
    assert found["main-1+board-1"].verdict == "drops"


def test_pairs_are_told_only_where_a_class_asks_for_them() -> None:
    assert not any(one.kind == "maintenance" for one in failures_of("toy-scheme-2n").values())


@pytest.mark.parametrize(
    "name", ["toy-scheme-2n", "toy-thermal-drop", "toy-leaf-planes", "toy-chiller", "toy-duct-bank"]
)
def test_there_is_one_line_for_every_element_group_and_bank_with_duty(name: str) -> None:
    graphs = next(iter(lowered_of(name).graphs.values()))
    found = failures_of(name)
    elements = {node for node, fields in graphs.power.nodes(data=True) if "rating_w" in fields}
    banks = {
        f"{plant}/{kind}"
        for plant, fields in graphs.cooling.nodes(data=True)
        if fields["kind"] == "plant"
        for kind, part in (("cooler", "dry"), ("chiller", "chiller"))
        if fields[f"{part}_fraction"] > 0
    }
    for header, fields in graphs.cooling.nodes(data=True):
        if fields["kind"].endswith("-header"):
            banks.add(f"{header.rpartition('/')[0]}/{'cdu' if fields['kind'] == 'liquid-header' else 'air-handler'}")
    banks |= {f"{node}/leaf" for node, fields in graphs.fabric.nodes(data=True) if fields["kind"] == "leaf-group"}
    assert set(found) == elements | set(graphs.common_mode) | banks
    assert {one.element for one in found.values() if one.kind in UNIT_FAILURES} == banks


def test_a_dead_board_takes_a_bank_that_hangs_on_it_alone() -> None:
    """Naively: for every element, a bank fails when each of its units hangs on dead elements alone."""
    world = world_of("reference-1gw")
    graphs = expand(world.sites[0].site, world.catalog)
    draw = scaled(configuration_draw(world.catalog, "gb300-nvl72"), 3)
    draws = {row: draw for row, fields in graphs.containment.nodes(data=True) if fields["kind"] == "row"}
    flow = SiteFlow(graphs, "2040-Q1", draws)
    banks = SiteBanks(graphs, "2040-Q1", flow, draws)
    units = {node: fields["fed_by"] for node, fields in graphs.cooling.nodes(data=True) if "fed_by" in fields}
    for event in [one for one in single_events(graphs, flow, banks) if "board" in one.name or "feeder" in one.name]:
        after = flow.after(*event.lost)
        stopped = {unit for unit, fed_by in units.items() if all(one in after.dead for one in fed_by)}
        expected = {}
        for header, fields in graphs.cooling.nodes(data=True):
            if fields["kind"].endswith("-header"):
                own = list(graphs.cooling.predecessors(header))
                n_left = sum(unit not in stopped for unit in own)
                if n_left < len(own):
                    expected[header] = n_left * graphs.cooling.nodes[own[0]]["heat_w"]
        found = {one.name: one.capacity_w for one in banks.survivors(after.dead, None) if ":" not in one.name}
        assert found == {name: capacity_w for name, capacity_w in expected.items() if capacity_w}
        assert bool(banks.rows_dropped(after.dead, None)) == (0 in expected.values())


def test_elements_below_which_a_class_maintains_are_those_that_it_lists() -> None:
    graphs = next(iter(lowered_of("toy-maintenance-cooling").graphs.values()))
    rows = [fields for _, fields in graphs.containment.nodes(data=True) if fields["kind"] == "row"]
    kinds = {str(kind) for row in rows for kind in row["maintenance"]}
    found = maintained(graphs, SiteFlow(graphs, "2040-Q1", {}))
    assert found
    assert {str(graphs.power.nodes[node]["kind"]) for node in found} == kinds
