"""Groups of elements that fail as one: what they are, what their loss moves, and that two codes agree on it."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from fixtures.small_site import PROVENANCE, small_catalog, small_site
from fixtures.small_world import small_world
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.lower import lower
from planner.lower.site import prepare
from planner.problem import INACTIVE
from planner.run.create import RunRequest, create_run
from planner.run.failures import PlanRow, site_failures
from planner.run.flow import RowDraw
from planner.solve.options import SolveOptions
from planner.verify import verify
from planner.verify.walk import Walker
from sites.expansion import SiteGraphs, expand
from sites.faults import InputError
from sites.schema.catalog import ElementKind
from sites.schema.failures import UNIT_FAILURES, FailureKind
from sites.schema.site import SiteFile
from sites.world import load_world

LINEUP = "b1/h1/l01"
PERIODS = ("2027-Q1", "2027-Q2", "2027-Q3", "2027-Q4")


def _content(*members: str, name: str = "pair", **changes: Any) -> dict[str, Any]:
    """The small site with one group."""
    return (
        small_site() | {"common_mode": [{"name": name, "members": list(members), "provenance": PROVENANCE}]} | changes
    )


def _graphs(*members: str, name: str = "pair") -> SiteGraphs:
    return expand(SiteFile.model_validate(_content(*members, name=name)), small_catalog())


@pytest.mark.parametrize(
    ("members", "elements"),
    [
        (["line-1"], ["line-1"]),
        (["line"], ["line-1", "line-2"]),
        (["line-2", "line"], ["line-2", "line-1"]),
        ([f"{LINEUP}/ups"], [f"{LINEUP}/ups-{number}" for number in range(1, 5)]),
        ([f"{LINEUP}/ups-1", f"{LINEUP}/unit-substation-2"], [f"{LINEUP}/ups-1", f"{LINEUP}/unit-substation-2"]),
    ],
)
def test_members_are_elements_or_all_that_are_numbered_so(members: list[str], elements: list[str]) -> None:
    assert _graphs(*members).common_mode == {"pair": tuple(elements)}


def test_a_member_that_is_no_element_is_a_fault_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"common_mode\.0\.members\.1: unknown .*'lime'.*did you mean 'line'"):
        _graphs("line-1", "lime")


@pytest.mark.parametrize("member", [f"{LINEUP}/r1", "service", "b1"])
def test_rows_service_and_places_are_no_elements(member: str) -> None:
    with pytest.raises(InputError, match=r"common_mode\.0\.members\.0: unknown"):
        _graphs(member)


def test_a_group_is_not_called_like_an_element_or_another_group() -> None:
    with pytest.raises(InputError, match="'line-1' is the id of an element; give the group another name"):
        _graphs("line-2", name="line-1")
    content = _content("line-1")
    content["common_mode"] *= 2
    with pytest.raises(InputError, match="common-mode group 'pair' stands here a second time"):
        expand(SiteFile.model_validate(content), small_catalog())


def test_a_class_may_drop_on_every_kind_of_element_and_unit_and_on_groups() -> None:
    elements = {str(kind) for kind in ElementKind}
    assert {str(kind) for kind in FailureKind} == elements | {"common-mode"} | set(UNIT_FAILURES)


GROUPS = [
    [f"{LINEUP}/ups-1", f"{LINEUP}/ups-2"],
    [f"{LINEUP}/unit-substation-1", f"{LINEUP}/ups-1", f"{LINEUP}/ups-3"],
    [f"{LINEUP}/ups"],
    ["line-1", f"{LINEUP}/ups-4"],
    ["main-transformer-2"],
    ["main-transformer"],
]


def _compare(members: list[str]) -> int:
    """F after the loss of a group, for every row and element, by walking up and by walking down; shares compared."""
    world = small_world(_content(*members))
    site = prepare(world.sites[0], world.catalog, PERIODS)
    walker = Walker(site.graphs)
    state = site.states[-1]
    changed = state.contingencies["pair"]
    epoch, failed = walker.states.epoch(PERIODS[-1]), walker.states.contingencies.number("pair")
    dead = {node for node, supply in changed.items() if supply is None}
    assert dead == {walker.network.names[node] for node in walker.states.outage(epoch, failed).dead}
    constants = state.constants.output_w | state.constants.after(changed).output_w
    n_compared = 0
    for element in set(state.flow.elements) - dead:
        shares = walker.shares(epoch, walker.network.index[element], failed)
        assert constants[element] == shares.constant_w, element
        for row in site.rows:
            supply = changed.get(row, state.flow.normal[row])
            own = Fraction(0) if supply is None else supply.vector.share(element)
            assert own == shares.rows.get(row, {}).get("it_w", 0), (element, row)
            n_compared += own > 0
    return n_compared


@pytest.mark.parametrize("members", GROUPS, ids=["-and-".join(m.rpartition("/")[2] for m in group) for group in GROUPS])
def test_lowering_and_checker_move_the_same_watts(members: list[str]) -> None:
    n_compared = _compare(members)
    assert n_compared or members == ["main-transformer"]


ELEMENTS = sorted(
    node for node, kind in _graphs("line-1").power.nodes(data="kind") if str(kind) in set(map(str, ElementKind))
)


@settings(max_examples=12)
@given(st.lists(st.sampled_from(ELEMENTS), min_size=1, max_size=5))
def test_lowering_and_checker_agree_on_any_group(members: list[str]) -> None:
    _compare(members)


@pytest.mark.parametrize(
    ("upper", "lower_one"), [(f"{LINEUP}/unit-substation-1", f"{LINEUP}/ups-1"), ("line-1", "main-transformer-1")]
)
def test_what_hangs_below_a_member_adds_nothing(upper: str, lower_one: str) -> None:
    """An element that fails together with what feeds it is the failure of what feeds it."""
    world = small_world(_content(lower_one, upper))
    state = prepare(world.sites[0], world.catalog, PERIODS).states[-1]
    assert state.contingencies[upper][lower_one] is None
    assert state.contingencies["pair"] == state.contingencies[upper]


def test_a_group_exists_as_far_as_its_elements_do() -> None:
    """Before the second transformer comes, the group is the first alone."""
    content = _content("main-transformer")
    content["power"][1]["in_service"] = ["2026-Q1", "2027-Q3"]
    world = small_world(content)
    site = prepare(world.sites[0], world.catalog, PERIODS)
    members = [state.common_mode["pair"] for state in site.states]
    assert members[0] == {"main-transformer-1"}
    assert members[-1] == {"main-transformer-1", "main-transformer-2"}
    assert site.states[0].contingencies["pair"] == site.states[0].contingencies["main-transformer-1"]


def test_a_row_needs_the_leave_of_its_class() -> None:
    """Rows on the pair of blocks that fails together are refused, or dropped where the class allows `common-mode`."""
    members = [f"{LINEUP}/ups-1", f"{LINEUP}/ups-2"]
    before = {one.row for one in lower(small_world()).problem.ineligible}
    refused = {one.row: one.reason for one in lower(small_world(_content(*members))).problem.ineligible}
    assert refused.keys() - before == {f"{LINEUP}/r1"}
    assert "the common-mode failure of 'pair' would drop the row" in refused[f"{LINEUP}/r1"]
    allowed = [{"name": "standard", "may_drop_on": ["busway", "common-mode"], "provenance": PROVENANCE}]
    world = small_world(_content(*members, availability=allowed))
    assert {one.row for one in lower(world).problem.ineligible} == before


def test_limits_are_named_after_the_group() -> None:
    """The loss of both feeders in the bank decides at the third; no failure of one feeder does anywhere."""
    problem = lower(load_world("toy-duct-bank")).problem
    named = [limit for limit in problem.limits if limit.contingency is not None]
    assert [limit.name for limit in named] == ["toy-duct-bank:power:feeder-3:duct-bank"]
    assert (problem.capacity[problem.limits.index(named[0])] != INACTIVE).all()


def test_the_failure_table_has_a_line_for_each_group() -> None:
    graphs = _graphs(f"{LINEUP}/ups-1", f"{LINEUP}/ups-2")
    rows = list(graphs.fabric.successors("b1/h1/leaf-01"))
    draws = {row: RowDraw(it_w=100_000) for row in rows}
    standing = dict.fromkeys(rows, PlanRow(n_racks=1, n_gpus=72, it_w=100_000))
    table = list(site_failures("small", graphs, PERIODS[-1], draws, standing))
    pair = next(one for one in table if one.element == "pair")
    assert (pair.element, pair.kind, pair.verdict) == ("pair", "common-mode", "forbidden-drop")
    assert (pair.dropped_rows, pair.dropped_racks, pair.dropped_gpus, pair.dropped_it_w) == (1, 1, 72, 100_000)
    # Row 1 hangs on blocks 1 and 2 and is dropped; row 2 on 1 and 3, and its second busway now carries all of it.
    assert (pair.worst_element, pair.worst_load_w) == (f"{LINEUP}/r2/busway-2", 100_000)
    assert sum(one.kind == "common-mode" for one in table) == 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a toy that a duct bank decides."""
    request = RunRequest(tmp_path_factory.mktemp("duct") / "run", SolveOptions(backend="numpy", work_limit=2000))
    return create_run(load_world("toy-duct-bank"), request, lambda _: None).folder


def _changed(folder: Path, tmp_path: Path, failures: list[dict[str, Any]]) -> Path:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    plan = json.loads((copy / "plan.json").read_text(encoding="utf-8"))
    (copy / "plan.json").write_text(json.dumps(plan | {"failures": failures}), encoding="utf-8")
    return copy


def test_the_checker_accepts_the_run_and_misses_no_group(folder: Path, tmp_path: Path) -> None:
    assert verify(folder).ok
    failures = json.loads((folder / "plan.json").read_text(encoding="utf-8"))["failures"]
    group = [one for one in failures if one["kind"] == "common-mode"]
    assert [one["element"] for one in group] == ["duct-bank"]
    assert group[0]["worst_element"] == "feeder-3"
    assert group[0]["worst_load_w"] == 7 * 132_000
    without = _changed(folder, tmp_path, [one for one in failures if one["kind"] != "common-mode"])
    assert "failures" in {check.name for check in verify(without).failed()}


def test_a_milder_outcome_of_a_group_is_refused(folder: Path, tmp_path: Path) -> None:
    failures = json.loads((folder / "plan.json").read_text(encoding="utf-8"))["failures"]
    for one in failures:
        if one["element"] == "duct-bank":
            one["worst_load_w"] -= 132_000
    assert "failures" in {check.name for check in verify(_changed(folder, tmp_path, failures)).failed()}
