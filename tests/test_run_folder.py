"""The run folder: whole or absent, and everything in it reconciles with the placements."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pyarrow import parquet
from run_cases import OPTIONS, lowered_of, make_run, solution_of, world_of
from toy_cases import toy_cases

from planner.problem import INACTIVE, SHARE_BITS
from planner.run import create
from planner.run.binding import LevelUse
from planner.run.create import RunRequest, create_run
from planner.run.document import racks_of_document
from planner.run.draws import configuration_draw, feed_limit_w, occupied_draws, scaled
from planner.run.evaluate import evaluate
from planner.run.flow import RowDraw, SiteFlow
from planner.run.loads import binds, limit_loads, rounded_down, rounded_up, smallest_coefficients
from planner.verify import verify
from sites.expansion import expand
from sites.faults import InputError
from sites.world import input_hash, load_world_from_inputs

if TYPE_CHECKING:
    from pathlib import Path

    from planner.solve.options import Progress
    from sites.expansion.graphs import SiteGraphs

FILES = {
    "plan.json", "certificate.json", "guide.npz", "manifest.json", "inputs", "placements.csv", "placements.parquet",
    "failures.csv", "dates.csv", "cash.csv", "cash.parquet", "network.csv", "report.html",
}  # fmt: skip
TOYS = ["toy-scheme-2n", "toy-profiles", "toy-occupied", "toy-partial-unit", "toy-contract", "toy-shared-envelope"]
BINDING_TOYS = [
    case for case in toy_cases() if case.is_feasible and case.binding and "whole-units" not in case.decides
][::4]
"""Where units are whole, a limit that keeps the next unit out may be far from full."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "two-n"
    make_run("toy-scheme-2n", out)
    return out


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_folder_holds_every_file_and_no_leftovers(folder: Path) -> None:
    assert {one.name for one in folder.iterdir()} == FILES
    assert [one.name for one in folder.parent.iterdir()] == [folder.name]


def test_tables_say_what_the_plan_says(folder: Path) -> None:
    plan = _json(folder / "plan.json")
    with (folder / "placements.csv").open(encoding="utf-8", newline="") as file:
        lines = [{**line, "n_racks": int(line["n_racks"])} for line in csv.DictReader(file)]
    assert lines == plan["placements"] != []
    assert parquet.read_table(folder / "placements.parquet").to_pylist() == plan["placements"]
    with (folder / "failures.csv").open(encoding="utf-8", newline="") as file:
        assert [line["element"] for line in csv.DictReader(file)] == [one["element"] for one in plan["failures"]]
    with (folder / "network.csv").open(encoding="utf-8", newline="") as file:
        parts = {line["part"] for line in csv.DictReader(file)}
    assert {"leaf", "rack-leaf", "leaf-spine", "spine"} <= parts


def test_manifest_hashes_are_those_of_the_inputs(folder: Path) -> None:
    manifest = _json(folder / "manifest.json")
    for entry in manifest["inputs"]:
        content = (folder / "inputs" / entry["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert input_hash(load_world_from_inputs(folder / "inputs")) == manifest["input_hash"]


def test_verify_accepts_the_folder(folder: Path) -> None:
    report = verify(folder)
    assert report.ok, report.failed()


def test_replaying_the_guide_gives_the_same_plan(folder: Path, tmp_path: Path) -> None:
    request = RunRequest(tmp_path / "again", OPTIONS, folder / "guide.npz")
    again = create_run(world_of("toy-scheme-2n"), request, lambda _: None)
    assert again.document["placements"] == _json(folder / "plan.json")["placements"]


def test_a_run_is_replaced_and_nothing_else_is(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    make_run("toy-position", out)
    (out / "note.txt").write_text("mine", encoding="utf-8")
    make_run("toy-scheme-n", out)
    assert _json(out / "plan.json")["portfolio"] == "toy-scheme-n"
    assert {one.name for one in out.iterdir()} == FILES
    assert [one.name for one in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_place_that_is_not_a_run_is_refused_and_kept(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "mine"
    if kind == "folder":
        out.mkdir()
        (out / "thesis.txt").write_text("years of work", encoding="utf-8")
    else:
        out.write_text("years of work", encoding="utf-8")
    with pytest.raises(InputError, match="--out"):
        make_run("toy-position", out)
    kept = out / "thesis.txt" if kind == "folder" else out
    assert kept.read_text(encoding="utf-8") == "years of work"


def test_a_failure_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(create, "write_report", broken)
    with pytest.raises(RuntimeError):
        make_run("toy-position", tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_interrupting_the_search_keeps_the_best_plan(tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.stage == "search":
            raise KeyboardInterrupt

    run = create_run(world_of("toy-position"), RunRequest(tmp_path / "run", OPTIONS), interrupt)
    assert run.document["stop_reason"] == "interrupted"
    assert verify(tmp_path / "run").ok


@pytest.mark.parametrize("name", TOYS)
def test_totals_and_money_reconcile_with_the_placements(name: str, tmp_path: Path) -> None:
    document = make_run(name, tmp_path / "run").document
    catalog = world_of(name).catalog
    counted: dict[str, Counter[str]] = {period: Counter() for period in document["periods"]}
    for one in document["placements"]:
        counted[one["period"]][one["configuration"]] += one["n_racks"]
    for total in document["totals"]:
        racks = {key: n for key, n in total["racks"].items() if n}
        assert racks == dict(counted[total["period"]])
        assert total["it_w"] == sum(n * configuration_draw(catalog, key).it_w for key, n in racks.items())
        assert total["gpus"] == 72 * sum(racks.values())
        assert total["plan_meter_w"]["joint"] <= total["meter_w"]["joint"]
    money = document["money"]
    gained = money["period_value_cents"] + money["start_value_cents"] + money["premium_cents"]
    spent = money["open_cost_cents"] + money["unit_cost_cents"] + money["minimum_demand_cents"]
    assert gained - spent == document["objective"]
    assert money["contract_used_cents"] == sum(total["contract_used_cents"] for total in document["totals"])


def test_placements_read_back_as_the_same_plan(tmp_path: Path) -> None:
    document = make_run("toy-profiles", tmp_path / "run").document
    problem = lowered_of("toy-profiles").problem
    read = racks_of_document(document, problem.row_names, problem.configuration_names)
    assert np.array_equal(read, solution_of("toy-profiles").plan.n_racks)


@pytest.mark.parametrize("name", TOYS)
def test_loads_are_sums_over_entries(name: str) -> None:
    problem, n_racks = lowered_of(name).problem, solution_of(name).plan.n_racks
    loads = limit_loads(problem, n_racks)
    for index in range(problem.n_limits):
        for t in range(problem.n_periods):
            due = sum(
                int(problem.entry_coefficient[entry, k]) * int(n_racks[problem.entry_row_idx[entry], k, t])
                for entry in range(problem.limit_ptr[index], problem.limit_ptr[index + 1])
                for k in range(problem.n_configurations)
            )
            assert loads[index, t] == due
            assert problem.capacity[index, t] == INACTIVE or due <= problem.capacity[index, t]


def test_rounding_of_scaled_quantities() -> None:
    assert (rounded_up(1), rounded_down(1)) == (1, 0)
    assert (rounded_up(3 << SHARE_BITS), rounded_down(3 << SHARE_BITS)) == (3, 3)
    assert (rounded_up(-1), rounded_down(-1)) == (0, -1)


@pytest.mark.parametrize("case", BINDING_TOYS, ids=lambda case: case.name)
def test_limits_of_the_answer_by_hand_bind(case: Any) -> None:
    lowered = lowered_of(case.name)
    problem, n_racks = lowered.problem, solution_of(case.name).plan.n_racks
    binding = binds(problem, limit_loads(problem, n_racks)).any(axis=1)
    names = {problem.limits[index].name for index in np.flatnonzero(binding)}
    implied = {one.name: one.implied_by for one in lowered.dropped}
    for pattern in case.binding:
        known = [name for name in {*names, *implied} if fnmatchcase(name, pattern)]
        assert any(name in names or implied.get(name) in names for name in known), (pattern, sorted(names))


def test_a_limit_with_room_for_one_more_rack_does_not_bind() -> None:
    problem, n_racks = lowered_of("toy-position").problem, solution_of("toy-position").plan.n_racks
    loads = limit_loads(problem, n_racks)
    full = binds(problem, loads)
    one_less = n_racks.copy()
    row, configuration, period = np.argwhere(n_racks)[0]
    one_less[row, configuration, period] -= 1
    assert full.any()
    assert not binds(problem, limit_loads(problem, one_less)).any()
    smallest = smallest_coefficients(problem)
    assert (smallest > 0).all()


def test_use_of_levels_is_exact_unless_an_implied_limit_could_be_fuller() -> None:
    for name in ("toy-scheme-2n", "toy-liquid", "toy-scheme-distributed-4n3"):
        lowered = lowered_of(name)
        evaluation = evaluate(world_of(name), lowered, lowered.graphs, solution_of(name).plan.n_racks)
        for level in evaluation.levels:
            assert isinstance(level, LevelUse)
            assert all(use is None or 0 <= use <= 1 for use in level.used)
            hidden = [one for one in lowered.dropped if one.name.split(":")[:2] == [level.site, level.family]]
            assert all(level.exact) or hidden


# --- power flow after failures, against a walk that knows nothing of it ---


def _walk(
    graphs: SiteGraphs, draws: dict[str, RowDraw], failed: str | None, left: Fraction = Fraction(1)
) -> tuple[dict[str, Fraction], set[str]]:
    """Section 2 of the model, naively: everything exists, one element may be dead; rows draw a share of their heat."""
    power = graphs.power

    def dead(node: str) -> bool:
        sources = list(power.predecessors(node))
        return node == failed or (bool(sources) and all(dead(source) for source in sources))

    rows_of = {
        node: [row for row in power if power.nodes[row]["kind"] == "row" and _is_above(graphs, fields, row)]
        for node, fields in power.nodes(data=True)
        if fields["kind"] in {"mechanical", "support"}
    }

    def own(node: str) -> Fraction:
        fields = power.nodes[node]
        if fields["kind"] == "row":
            return left * draws.get(node, RowDraw()).it_w
        live = [draws.get(row, RowDraw()) for row in rows_of[node] if not dead(row)]
        if fields["kind"] == "support":
            return Fraction(sum(draw.support_w for draw in live))
        liquid = sum((fields["watts_per_liquid_watt"] * left * draw.liquid_w for draw in live), Fraction(0))
        air = sum((fields["watts_per_air_watt"] * (left * draw.air_w + draw.support_w) for draw in live), Fraction(0))
        return Fraction(fields["fixed_w"]) + liquid + air

    def output(node: str) -> Fraction:
        if dead(node):
            return Fraction(0)
        fields = power.nodes[node]
        if fields["kind"] in {"row", "mechanical", "support"}:
            return own(node)
        total = Fraction(fields.get("house_load_w", 0))
        for load in power.successors(node):
            if dead(load):
                continue
            live = {source: power.edges[source, load] for source in power.predecessors(load) if not dead(source)}
            shares = sum((edge["share"] for edge in live.values()), Fraction(0))
            if shares:
                share = live[node]["share"] / shares
            else:
                reserves = [source for source, edge in live.items() if edge.get("reserve")]
                share = Fraction(1, len(reserves)) if node in reserves else Fraction(0)
            if share:
                total += share * taken(load)
        return total

    def taken(node: str) -> Fraction:
        fields = power.nodes[node]
        if fields["kind"] in {"row", "mechanical", "support"}:
            return output(node)
        factor = 1 + fields["loss_linear"] + fields["loss_quadratic"]
        return output(node) * factor + fields["loss_no_load"] * fields["plate_w"]

    elements = {node for node, fields in power.nodes(data=True) if "rating_w" in fields}
    dropped = {node for node, fields in power.nodes(data=True) if fields["kind"] == "row" and dead(node)}
    return {node: output(node) for node in elements}, dropped


def _is_above(graphs: SiteGraphs, fields: dict[str, Any], row: str) -> bool:
    """Whether a mechanical or support node serves a row."""
    if fields["kind"] == "support":
        return bool(graphs.containment.nodes[row]["block_id"] == fields["block_id"])
    above, waiting = set(), list(graphs.cooling.predecessors(row))
    while waiting:
        node = waiting.pop()
        above.add(node)
        waiting += graphs.cooling.predecessors(node)
    return fields["loop"] in above


SCHEMES = [
    "toy-scheme-none", "toy-scheme-n", "toy-scheme-n-plus-1-bus", "toy-scheme-2n", "toy-scheme-block-redundant",
    "toy-scheme-distributed-4n3", "toy-mechanical-load", "toy-no-load-loss", "toy-house-load", "toy-support-load",
    "toy-support-heat-air", "toy-handler-fans",
]  # fmt: skip


@pytest.mark.parametrize("name", SCHEMES)
def test_flow_after_every_failure_is_that_of_a_naive_walk(name: str) -> None:
    world = world_of(name)
    graphs = expand(world.sites[0].site, world.catalog)
    draw = configuration_draw(world.catalog, "gb200-nvl72")
    rows = [node for node, fields in graphs.power.nodes(data=True) if fields["kind"] == "row"]
    draws = {row: scaled(draw, 1 + index % 3) for index, row in enumerate(rows)}
    draws |= occupied_draws(graphs, world.catalog)
    flow = SiteFlow(graphs, "2040-Q1", draws)
    due, _ = _walk(graphs, draws, None)
    assert flow.elements() == sorted(due)
    assert {node: flow.normal_output_w(node) for node in due} == pytest.approx({k: float(v) for k, v in due.items()})
    for failed in flow.elements():
        after = flow.after(failed)
        due, dropped = _walk(graphs, draws, failed)
        found = {node: after.output_w.get(node, flow.normal_output_w(node)) for node in due if due[node]}
        assert found == pytest.approx({node: float(watts) for node, watts in due.items() if watts})
        assert set(after.dropped_rows) == dropped
        assert {node for node in after.dead if graphs.power.nodes[node]["kind"] == "row"} == dropped


@pytest.mark.parametrize("name", ["toy-scheme-2n", "toy-handler-fans", "toy-support-load"])
def test_rows_that_have_acted_draw_their_share_and_network_gear_does_not(name: str) -> None:
    world = world_of(name)
    graphs = expand(world.sites[0].site, world.catalog)
    draw = configuration_draw(world.catalog, "gb200-nvl72")
    rows = [node for node, fields in graphs.power.nodes(data=True) if fields["kind"] == "row"]
    draws = {row: scaled(draw, 2) for row in rows}
    flow = SiteFlow(graphs, "2040-Q1", draws, dict.fromkeys(rows, 0.625))
    for failed in (None, *flow.elements()):
        after = {} if failed is None else flow.after(failed).output_w
        due, _ = _walk(graphs, draws, failed, Fraction(5, 8))
        found = {node: after.get(node, flow.normal_output_w(node)) for node in due if due[node]}
        assert found == pytest.approx({node: float(watts) for node, watts in due.items() if watts})


@pytest.mark.parametrize("name", ["toy-scheme-2n", "toy-scheme-block-redundant", "toy-mechanical-load"])
def test_rows_on_an_element_are_those_without_which_it_carries_less(name: str) -> None:
    world = world_of(name)
    graphs = expand(world.sites[0].site, world.catalog)
    draw = configuration_draw(world.catalog, "gb200-nvl72")
    rows = [node for node, fields in graphs.power.nodes(data=True) if fields["kind"] == "row"]
    draws = dict.fromkeys(rows, draw)
    flow = SiteFlow(graphs, "2040-Q1", draws)
    for failed in flow.elements():
        dead = flow.after(failed).dead
        everything, _ = _walk(graphs, draws, failed)
        for row in rows:
            without, _ = _walk(graphs, {one: draws[one] for one in rows if one != row}, failed)
            for element in flow.elements():
                if element not in dead:
                    assert (row in flow.rows_on(element, dead)) == (without[element] < everything[element])


def test_failures_of_2n_drop_nothing_and_of_n_drop_rows() -> None:
    def verdicts(name: str) -> Counter[tuple[str, str]]:
        lowered = lowered_of(name)
        evaluation = evaluate(world_of(name), lowered, lowered.graphs, solution_of(name).plan.n_racks)
        return Counter((one.kind, one.verdict) for one in evaluation.failures if one.kind in {"ups", "busway"})

    assert set(verdicts("toy-scheme-2n")) == {("ups", "holds"), ("busway", "holds")}
    assert ("ups", "drops") in verdicts("toy-scheme-n")


def test_a_row_on_two_feeds_may_draw_what_one_of_them_carries() -> None:
    world = world_of("toy-scheme-2n")
    graphs = expand(world.sites[0].site, world.catalog)
    row = next(node for node, fields in graphs.power.nodes(data=True) if fields["kind"] == "row")
    ratings = [graphs.power.nodes[feed]["rating_w"] for feed in graphs.power.predecessors(row)]
    assert len(ratings) == 2
    assert feed_limit_w(graphs.power, row) == min(ratings)


def test_converted_rows_are_told_with_their_cost(tmp_path: Path) -> None:
    document = make_run("toy-conversion-taps", tmp_path / "run").document
    site = world_of("toy-conversion-taps").sites[0].site
    offered = [one for template in site.lineup_templates.values() for one in template.conversions]
    cost_usd = {one.name: one.cost_per_position for one in offered}
    assert document["conversions"]
    for one in document["conversions"]:
        standing = [p["n_racks"] for p in document["placements"]
                    if p["row"] == one["row"] and p["period"] == document["periods"][-1]]  # fmt: skip
        assert one["n_racks"] == sum(standing)
        assert one["cost_cents"] == one["n_racks"] * cost_usd[one["conversion"]] * 100
    text = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "What is converted" in text
    assert "What is converted" not in (make_run("toy-position", tmp_path / "other").folder / "report.html").read_text()
