"""The report: one file without a network, that says what the plan says and hides nothing unsure."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from run_cases import lowered_of, make_run, world_of

from planner.report.assumptions import assumption_groups, figures
from planner.report.breakeven import break_evens
from planner.report.charts import area_path, axis, quarter_axis, step_path
from planner.report.failures import failure_groups, failure_summary, failure_title
from planner.report.floor import history, standing_racks
from planner.report.limits import refusal_lines
from planner.report.network import network_view
from planner.report.picture import collapse, picture
from planner.report.power import FAMILY_ORDER, LEVEL_ORDER, family_title, state_words
from planner.report.render import render_report
from planner.report.view import floor_json
from planner.report.words import amount, dollars, gap_text, kind_title, megawatts, quantity
from planner.run.folder import read_json
from sites.catalog.loader import load_catalog
from sites.expansion import expand
from sites.schema.failures import FailureKind

if TYPE_CHECKING:
    from pathlib import Path

NAME = "toy-profiles"
_VOID = {"meta", "input", "br", "img", "link", "path", "line", "rect", "circle", "hr"}


class _Page(HTMLParser):
    """Checks that tags close, and gathers ids, links, addresses and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.rows: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for key in ("src", "href", "action", "poster"):
            if given.get(key) is not None:
                self.links.append(str(given[key]))
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if given.get("data-row"):
            self.rows.append(str(given["data-row"]))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / NAME
    make_run(NAME, out)
    return out


def _rendered(folder: Path, **changes: Any) -> str:
    document = read_json(folder / "plan.json") | changes
    return render_report(document, read_json(folder / "manifest.json"), world_of(NAME), lowered_of(NAME).graphs)


def test_page_is_whole_and_needs_no_network(folder: Path) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert re.search(r"@import|url\(|fetch\(|XMLHttpRequest|<link|<img|<iframe", text) is None
    style = text[text.index("<style>") : text.index("</style>")]
    assert "prefers-color-scheme: dark" in style


def test_page_names_every_configuration_row_and_total(folder: Path) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    last = read_json(folder / "plan.json")["totals"][-1]
    shown = " ".join(" ".join(page.text).split())
    for name in last["racks"]:
        assert name in shown
    assert f"{last['gpus']:,}" in shown
    assert megawatts(last["plan_meter_w"]["joint"]) in shown
    rows = {f"{info.site}:{info.row}" for info in lowered_of(NAME).rows}
    assert set(page.rows) == rows


def test_page_shows_where_a_lower_profile_breaks_even(folder: Path) -> None:
    world = world_of(NAME)
    lines = break_evens(world, {one.name: expand(one.site, world.catalog) for one in world.sites})
    assert {line.lower for line in lines} == {"vr-nvl72/max-q"}
    page = _Page()
    page.feed((folder / "report.html").read_text(encoding="utf-8"))
    shown = " ".join(" ".join(page.text).split())
    for line in lines:
        assert f"{line.factor:.3f} {line.assumed} {line.verdict}" in shown


def test_floor_data_is_what_the_placements_say(folder: Path) -> None:
    document = read_json(folder / "plan.json")
    configurations = list(document["totals"][-1]["racks"])
    text = (folder / "report.html").read_text(encoding="utf-8")
    [found] = re.findall(r'id="floor-data">(.*?)</script>', text)
    data = json.loads(found)
    standing = standing_racks(document, configurations)
    assert data["periods"] == document["periods"]
    for name, by_period in standing.items():
        for t, counts in enumerate(by_period):
            past = [change for change in data["rows"][name] if change[0] <= t]
            assert (past[-1][1] if past else [0] * len(configurations)) == counts
    total = sum(n for by_period in standing.values() for n in by_period[-1])
    assert total == sum(document["totals"][-1]["racks"].values()) > 0


def test_text_of_input_files_cannot_become_markup(folder: Path) -> None:
    evil = "</script><script>alert(1)</script>"
    entry = {"site": evil, "configuration": evil, "reason": evil, "n_rows": 1, "row": evil}
    text = _rendered(folder, ineligible=[entry], backend=evil)
    assert "alert(1)" in text
    assert "<script>alert" not in text
    document = {"periods": [evil], "placements": []}
    assert "<" not in floor_json(history(document, {}))


def test_a_plan_without_racks_is_reported(folder: Path) -> None:
    document = read_json(folder / "plan.json")
    none = dict.fromkeys(document["totals"][-1]["racks"], 0)
    totals = [total | {"racks": none, "gpus": 0, "it_w": 0} for total in document["totals"]]
    text = _rendered(folder, totals=totals, placements=[], binding=[], stranding=[], failures=[], gap=None)
    assert "places no rack" in text
    assert "No limit binds" in text


def test_every_assumed_part_of_the_portfolio_is_listed() -> None:
    world = world_of("claude-on-azure-1gw")
    groups = assumption_groups(world, {})
    n_assumed = _n_assumed(yaml.safe_load(world.files[0].content))
    [portfolio] = [group for group in groups if group.title.startswith("Portfolio")]
    assert len(portfolio.entries) == n_assumed > 3
    assert all(entry.source for group in groups for entry in group.entries)
    assert {entry.status for group in groups for entry in group.entries} <= {"assumption", "estimate"}


def _n_assumed(node: Any) -> int:
    """Parts of a file that are assumed or estimated; what is written once and repeated by an alias counts each time."""
    if isinstance(node, dict):
        return (node.get("status") in {"assumption", "estimate"}) + sum(map(_n_assumed, node.values()))
    return sum(map(_n_assumed, node)) if isinstance(node, list) else 0


def test_figures_of_a_catalogue_entry_cite_their_sources() -> None:
    catalog = load_catalog()
    found = {one.where: one for one in figures(catalog.rack_systems["gb300-nvl72"], catalog.sources)}
    assert found["memory_per_gpu"].figures.endswith("GB to 288 GB)")
    firm = [one for one in found.values() if one.status == "published"]
    assert firm
    assert all(one.source not in catalog.sources for one in firm)


def test_failures_with_one_outcome_are_told_once() -> None:
    one = {
        "site": "s", "kind": "ups", "dropped_rows": 0, "dropped_racks": 0, "dropped_gpus": 0, "dropped_it_w": 0,
        "shed_w": 0, "capped_w": 0, "worst_element": "x", "worst_load_w": 9, "worst_rating_w": 10, "worst_load": 0.9,
        "verdict": "holds",
    }  # fmt: skip
    drops = one | {"element": "c", "dropped_racks": 3, "dropped_it_w": 400_000, "verdict": "drops"}
    sheds = one | {"element": "d", "shed_w": 300_000, "capped_w": 200_000}
    document = {"failures": [one | {"element": "a"}, one | {"element": "b"}, drops, sheds]}
    [group] = failure_groups(document, ["ups"])
    assert [(line.n_elements, line.verdict) for line in group.lines] == [(1, "drops"), (1, "holds"), (2, "holds")]
    assert [line.given_up for line in group.lines] == ["", "sheds 0.300 MW, caps 0.200 MW", ""]


def test_failures_are_counted_by_what_fails() -> None:
    kinds = ["ups", "ups", "common-mode", "cdu", "leaf", "maintenance"]
    counted = {"dropped_racks": 0, "dropped_it_w": 0, "worst_element": None, "worst_load": 0.0, "verdict": "holds"}
    summary = failure_summary({"failures": [counted | {"site": "s", "element": "e", "kind": kind} for kind in kinds]})
    assert summary is not None
    assert summary.counted == (
        "2 power elements, 1 common-mode group, 2 units of cooling banks or leaf groups and "
        "1 pair of a planned outage and a failure"
    )


@pytest.mark.parametrize(
    ("family", "contingency", "before", "words"),
    [
        ("power", False, False, "normal"),
        ("power", True, False, "after a failure"),
        ("power", True, True, "after a failure, before racks shed"),
        ("liquid", False, False, "spares out"),
        ("liquid", True, False, "after a failure"),
        ("support", False, False, ""),
    ],
)
def test_states_of_limits(family: str, contingency: bool, before: bool, words: str) -> None:
    assert state_words({"family": family, "contingency": contingency, "before_action": before}) == words


def test_every_family_and_kind_of_failure_has_words() -> None:
    assert [family for family in FAMILY_ORDER if family_title(family, "") == ""] == ["power"]
    assert {str(kind) for kind in FailureKind} <= set(LEVEL_ORDER)
    assert failure_title("air-handler") == "One air handler of a lineup"
    assert failure_title("unit-substation") == "Unit substation"


def test_page_has_dates_and_network(folder: Path) -> None:
    page = _Page()
    page.feed((folder / "report.html").read_text(encoding="utf-8"))
    assert {"dates", "network"} <= set(page.ids)
    view = network_view(read_json(folder / "plan.json"), world_of(NAME))
    shown = " ".join(" ".join(page.text).split())
    assert f"{view.n_switches} switches and {view.n_optics} transceivers" in shown
    for line in view.networks:
        assert f"{line.where} {line.port_kind} {line.n_ports} {line.tiers} {line.leaves} {line.spines}" in shown


def test_reasons_that_differ_in_a_name_are_told_once() -> None:
    def entry(building: str, configuration: str) -> dict[str, Any]:
        reason = f"building '{building}' is not ours"
        return {"site": "s", "row": f"{building}/r1", "configuration": configuration, "reason": reason, "n_rows": 5}

    offered = {"racks": {"x": 0, "y": 0}}
    both = [entry(building, configuration) for building in ("b1", "b2") for configuration in ("x", "y")]
    [line] = refusal_lines({"totals": [offered], "ineligible": both})
    assert (line.configuration, line.n_rows) == ("every configuration", "10")
    assert "and 1 more" in line.reason


@pytest.mark.parametrize("gap", [0.00871, 0.0123456, 0.5, 0.0000004, 0.00004999, 0.1])
def test_a_gap_is_never_shown_smaller_than_it_is(gap: float) -> None:
    text = gap_text(gap)
    if text.startswith("<"):
        assert gap < 0.00001
    else:
        assert gap <= float(text.removesuffix(" %")) / 100 + 1e-12
        assert float(text.removesuffix(" %")) / 100 <= gap * 1.2


def test_words() -> None:
    assert gap_text(0.0) == "0 %"
    assert gap_text(None) == "none"
    assert dollars(597_970_695_564) == "$5.98 B"
    assert dollars(-1_234) == "−$12.34"
    assert [megawatts(w) for w in (0, 142_000, 14_200_000, 1_142_000_000)] == ["0", "0.142", "14.2", "1,142"]
    assert quantity("19200000000000 B/s") == "19.2 TB/s"
    assert quantity("45 degC") == "45 degC"
    assert quantity("b2, b3") == "b2, b3"
    assert amount(2_800_000, "W") == "2.80 MW"
    assert amount(1, "rack") == "1 rack"
    assert kind_title("unit-substation") == "Unit substation"


@pytest.mark.parametrize("largest", [0.3, 1, 7, 99.5, 1000, 3720, 17_496])
def test_an_axis_holds_the_largest_value_under_round_ticks(largest: float) -> None:
    found = axis(largest)
    assert found.height(largest) <= 100
    assert found.height(largest) > 50
    assert found.ticks[0].height == 0
    assert found.ticks[-1].height == 100
    assert len(found.ticks) <= 7


def test_paths_of_charts() -> None:
    assert step_path([None, 50.0, 75.0]) == "M33.333 50.0H66.667V25.0H100.000"
    assert area_path([10.0]) == "M0 100.000V90.000H100.000V100.000H0.000Z"
    years = quarter_axis(["2027-Q3", "2027-Q4", "2028-Q1"]).years
    assert [(year.year, year.n_quarters) for year in years] == [("2027", 2), ("2028", 1)]


def test_a_picture_counts_every_node_once() -> None:
    for name in ("toy-scheme-2n", "toy-scheme-block-redundant", "reference-1gw"):
        world = world_of(name)
        graphs = expand(world.sites[0].site, world.catalog)
        for graph in (graphs.power, graphs.cooling, graphs.fabric, graphs.containment):
            collapsed = collapse(graph)
            assert sum(box.n_nodes for box in collapsed.boxes) == graph.number_of_nodes()
            drawn = picture(graph, "a < b")
            assert drawn.count("<rect") == len(collapsed.boxes) + 1
            assert "a &lt; b" in drawn
