"""The report of a batch: what it says is in the dataset, its links lead somewhere, and nothing is hidden."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from batch_cases import batch_file, run
from batch_report_cases import FAIL, INFEASIBLE, LEAVE, QUARTERS, written
from hypothesis import given
from hypothesis import strategies as st

from planner.batch.report.content import read_content
from planner.batch.report.failures import RETRY, failure_groups
from planner.batch.report.matrix import MAX_COLUMNS, change_text, matrix
from planner.batch.report.outline import COUNTRIES, US_STATES, outline_path
from planner.batch.report.ramp import nearest_rank, ramps
from planner.batch.report.ranking import ranking
from planner.batch.report.reasons import binding_words, date_words, first_line
from planner.batch.report.scenario_table import scenario_entries, value_text
from planner.batch.report.site_map import site_map, window_around
from planner.batch.report.spread import spread
from planner.batch.report.view import batch_view
from planner.batch.report.write import write_batch_report, write_unit_reports
from planner.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from planner.batch.report.site_map import Mark

FOUR = {"north": (45.0, -93.0), "south": (30.0, -97.0), "twin": (30.0, -97.0), "nowhere": None}
SCENARIOS = ("base", "boom", "bust")
WORTHS: tuple[tuple[int | str, ...], ...] = (
    (200_000_000, 300_000_000, -100_000_000),
    (400_000_000, 400_000_000, FAIL),
    (100_000_000, 150_000_000, LEAVE),
    (INFEASIBLE, INFEASIBLE, INFEASIBLE),
)
MAPPED = 3


def links(page: str) -> set[str]:
    """Every place that a page leads to, anchors aside."""
    return {unescape(link) for link in re.findall(r'(?:href|src)="([^"#][^"]*)"', page)}


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four sites under three scenarios, with one failure, one unit that is left, and one site that takes no plan."""
    folder = tmp_path_factory.mktemp("four")
    written(folder, FOUR, SCENARIOS, lambda i, j: WORTHS[i][j], assumed=("twin",))
    return folder


def test_sites_are_ranked_by_worth_under_the_base_scenario(four: Path) -> None:
    lines = ranking(read_content(four))
    assert [(line.rank, line.name) for line in lines] == [(1, "south"), (2, "north"), (3, "twin"), (None, "nowhere")]
    # 4 M$ make 4 MW in the last quarter, so each MW is worth one million.
    assert (lines[0].worth, lines[0].mw, lines[0].per_mw) == ("$4.00 M", "4.00", "$1.00 M")
    assert lines[0].energises == QUARTERS[1]
    assert lines[3].limit == "no plan: no row of the site takes a rack"
    assert (lines[3].worth, lines[3].per_mw, lines[3].mw, lines[3].gap) == ("–", "–", "–", "–")


def test_cells_tell_the_change_against_the_base(four: Path) -> None:
    content = read_content(four)
    table = matrix(content, content.places)
    assert table is not None
    cells = {row.name: row.cells for row in table.rows}
    assert [cell.text for cell in cells["north"]] == ["$2.00 M", "+50 %", "−150 %"]
    assert [cell.kind for cell in cells["north"]] == ["base", "up", "down"]
    assert [cell.kind for cell in cells["south"]] == ["base", "same", "failed"]
    assert [cell.kind for cell in cells["twin"]] == ["base", "up", "left"]
    assert {cell.text for cell in cells["nowhere"]} == {"no plan"}
    assert cells["south"][2].link is not None
    assert cells["twin"][2].link is None
    assert all(0 <= cell.strength <= 0.55 for row in table.rows for cell in row.cells)


def test_every_cell_with_a_result_leads_to_it(four: Path) -> None:
    page = write_batch_report(four).read_text(encoding="utf-8")
    for unit in read_content(four).units:
        assert (unit.link in links(page)) == (unit.status != "left")
    for link in links(page):
        assert (four / unquote(link)).exists(), link


def test_the_page_needs_no_network_and_escapes_what_it_quotes(four: Path) -> None:
    page = write_batch_report(four).read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|url\(", page)
    assert "&lt;odd&gt; &amp; broken" in page
    assert "<odd>" not in page
    assert "gigaplan batch --resume --retry-failed --out FOLDER" in page
    assert "gigaplan batch --resume --out FOLDER" in page


def test_sites_without_a_plan_are_told_once_for_each_reason(four: Path) -> None:
    groups = {group.kind: group for group in failure_groups(read_content(four))}
    assert list(groups) == ["error", "infeasible", "left"]
    assert [(line.name, line.scenarios) for line in groups["infeasible"].lines] == [("nowhere", "base, boom, bust")]
    assert groups["infeasible"].n_cells == 3
    assert [(line.name, line.scenarios) for line in groups["left"].lines] == [("twin", "bust")]
    [failed] = groups["error"].lines
    assert failed.traceback is not None
    assert (groups["error"].command, groups["infeasible"].command) == (RETRY, "")


def test_the_same_results_make_the_same_page(four: Path) -> None:
    first = write_batch_report(four).read_bytes()
    assert write_batch_report(four).read_bytes() == first


def test_the_whole_is_the_sum_of_its_sites(four: Path) -> None:
    [ramp] = ramps(read_content(four))
    # Half of 7 MW in the second quarter, all in the third; under bust only north has a plan, of 1 MW.
    assert [row[1] for row in ramp.table] == ["0", "3.50", "7.00"]
    assert ramp.heads == ("Quarter", "base", "boom", "bust (2 of 4 units)")
    assert [row[3] for row in ramp.table] == ["0", "0.500", "1.00"]
    assert [area.label for area in ramp.areas] == ["south", "north", "twin"]


def test_more_sites_than_colours_are_put_together(tmp_path: Path) -> None:
    places = {f"site-{i:02d}": (40.0, -100.0) for i in range(11)}
    written(tmp_path, places, ("base",), lambda i, _: (i + 1) * 100_000_000)
    [ramp] = ramps(read_content(tmp_path))
    assert len(ramp.areas) == 8
    assert ramp.areas[0].label == "site-10"
    assert ramp.areas[-1].label == "4 other sites"
    assert ramp.table[-1][1] == "66.0"


def distance(one: Mark, other: Mark) -> float:
    return ((one.x - other.x) ** 2 + (one.y - other.y) ** 2) ** 0.5


def are_apart(marks: Sequence[Mark]) -> bool:
    pairs = ((one, other) for i, one in enumerate(marks) for other in marks[:i])
    return all(distance(one, other) >= one.radius + other.radius for one, other in pairs)


def test_the_map_shows_places_says_which_are_assumed_and_covers_none(four: Path) -> None:
    content = read_content(four)
    shown = site_map(content, ranking(content))
    assert shown is not None
    marks = {mark.label: mark for mark in shown.marks}
    assert set(marks) == {"north", "south", "twin"}
    assert shown.unplaced == ("nowhere",)
    assert shown.assumed == ("twin",)
    assert (marks["south"].at_x, marks["south"].at_y) == (marks["twin"].at_x, marks["twin"].at_y)
    assert marks["north"].at_y < marks["south"].at_y
    assert marks["north"].at_x > marks["south"].at_x
    assert are_apart(shown.marks)
    # Areas are in proportion to what stands: 4 MW, 2 MW.
    assert marks["south"].radius / marks["north"].radius == pytest.approx(2**0.5, rel=0.02)
    assert shown.states
    assert all("public domain" in source for source in shown.sources)


def test_sixty_sites_at_ten_points_have_room_inside_the_map(tmp_path: Path) -> None:
    places = {f"site-{i:02d}": (30.0 + i % 10, -120.0 + 5 * (i % 10)) for i in range(60)}
    written(tmp_path, places, ("base",), lambda i, _: (1 + i) * 50_000_000)
    content = read_content(tmp_path)
    shown = site_map(content, ranking(content))
    assert shown is not None
    assert are_apart(shown.marks)
    for mark in shown.marks:
        assert mark.radius <= mark.x <= shown.width - mark.radius
        assert mark.radius <= mark.y <= shown.height - mark.radius


def test_without_coordinates_there_is_no_map(tmp_path: Path) -> None:
    written(tmp_path, {"nowhere": None}, ("base",), lambda *_: 100_000_000)
    assert batch_view(tmp_path).map is None
    assert "<h2>Map</h2>" not in write_batch_report(tmp_path).read_text(encoding="utf-8")


@given(st.lists(st.tuples(st.floats(-179, 179), st.floats(-85, 85)), min_size=1, max_size=5))
def test_a_window_holds_its_points(points: list[tuple[float, float]]) -> None:
    window = window_around(points)
    for x, y in points:
        assert 0 <= window.x(x) <= window.width
        assert 0 <= window.y(y) <= window.height


def test_outlines_are_cut_to_the_window() -> None:
    texas, france = window_around([(-99.3, 31.0)]), window_around([(2.3, 47.0)])
    assert outline_path(texas, US_STATES)
    assert not outline_path(france, US_STATES)
    assert outline_path(france, COUNTRIES)


def test_many_scenarios_become_a_distribution_with_every_plan_in_it(tmp_path: Path) -> None:
    n = 101
    scenarios = tuple(f"base-sample-{k:06d}" for k in range(n))
    written(tmp_path, {"one": (40.0, -100.0)}, scenarios, lambda _, j: FAIL if j == 7 else (j - 10) * 1_000_000)
    content = read_content(tmp_path)
    assert matrix(content, content.places) is None
    shown = spread(content, content.places)
    assert shown is not None
    [line] = shown.lines
    assert (line.group, line.n_plans, line.n_without) == ("base", "100", "1")
    # What is left of −10 … 90 without −3: the 50th of 100 from the least is 40 (in units of ten thousand dollars).
    assert [one.text for one in line.quantiles] == ["−$100.00 k", "$10.00 k", "$410.00 k", "$800.00 k", "$900.00 k"]
    assert line.share_negative == "9 %"
    assert line.picture is not None
    assert len(line.picture.points) == n - 1
    assert len(links(write_batch_report(tmp_path).read_text(encoding="utf-8"))) >= n
    [entry] = scenario_entries(content)
    assert (entry.name, entry.n_samples) == ("base", n)
    assert entry.lines[0].effect.endswith("10 USD/gpu/h → 9.9 USD/gpu/h to 10 USD/gpu/h, in 101 of 101")
    assert ranking(content)[0].worth == "$400.00 k"


def test_a_table_has_room_for_so_many_scenarios_and_no_more(tmp_path: Path) -> None:
    for n in (MAX_COLUMNS, MAX_COLUMNS + 1):
        names = ("base", *(f"other-{k}" for k in range(n - 1)))
        written(tmp_path / str(n), {"one": (40.0, -100.0)}, names, lambda *_: 100_000_000)
        view = batch_view(tmp_path / str(n))
        assert (view.matrix is None) == (n > MAX_COLUMNS)
        assert (view.spread is None) == (n <= MAX_COLUMNS)


@given(st.lists(st.integers(-1000, 1000), min_size=1), st.floats(0, 1))
def test_a_quantile_is_one_of_the_values(values: list[int], share: float) -> None:
    assert nearest_rank(values, share) in values
    assert nearest_rank(values, 0.0) == min(values)
    assert nearest_rank(values, 1.0) == max(values)


def test_changes_in_words() -> None:
    assert change_text(-5, 100) == "−5.0 %"
    assert change_text(50, -100) == "+50 %"
    assert change_text(0, 0) == "±0"
    assert change_text(700, 0) == "+$7.00"
    assert change_text(1, 1_000_000) == "+<0.1 %"
    assert value_text({"value": "4 USD/gpu/h", "status": "published"}) == "4 USD/gpu/h"
    assert value_text(None) == "–"
    assert value_text([1, 2]) == "2 entries"
    assert first_line("no row fits:\n  a: too heavy\n") == "no row fits: a: too heavy"


def test_what_limits_a_plan_is_told_by_rows_and_what_it_waits_for_by_power() -> None:
    group = {"period": "2027-Q4", "contingency": False, "before_action": False, "family": "power"}
    stranding = [
        {**group, "site": "one", "level": "busway", "n_rows": 4},
        {**group, "site": "one", "level": "ups", "n_rows": 9},
        {**group, "site": "one", "level": "pdu", "n_rows": 1, "period": "2027-Q3"},
        {**group, "site": "*", "level": "supply", "family": "supply", "n_rows": 2},
    ]
    document = {"periods": ["2027-Q3", "2027-Q4"], "stranding": stranding}
    assert binding_words(document) == "Rack supply (all sites); UPS (9 rows); Busway (4 rows)"
    assert binding_words({**document, "stranding": []}) == "no limit binds in 2027-Q4"
    facility = {"stands": "2027-Q3", "binds": "facility", "facility": "2027-Q3", "facility_part": "equipment",
                "racks": "2027-Q1", "it_w": 300}  # fmt: skip
    racks = {**facility, "binds": "racks", "it_w": 100}
    told = date_words({"dates": {"tranches": [racks, facility, {**racks, "stands": None, "it_w": 900}]}})
    assert told == "its equipment is ready last, 2027-Q3 (for 75 % of IT power)"
    assert date_words({"dates": {"tranches": []}}) == ""


def command(*arguments: str) -> int:
    """Exit code of the command line."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_a_batch_ends_with_its_report_and_units_get_theirs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    out = tmp_path / "out"
    assert command("batch", str(batch_file(tmp_path, "toy-supply", "[base, cheap]")), "--out", str(out),
                   "--workers", "0") == 0  # fmt: skip
    written_at_end = (out / "report.html").read_bytes()
    content = read_content(out)
    [line] = ranking(content)
    assert line.limit.startswith("Rack supply (all sites)")
    assert command("report", str(out)) == 0
    assert (out / "report.html").read_bytes() == written_at_end
    before = links((out / "report.html").read_text(encoding="utf-8"))
    assert write_unit_reports(out, lambda *_: None) == 2
    assert write_unit_reports(out, lambda *_: None) == 0
    assert command("report", str(out), "--units") == 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert sum(link.endswith("/run/report.html") for link in links(page)) == 2
    assert {link for link in before if link.endswith("/run/")} == {
        link.removesuffix("report.html") for link in links(page) if link.endswith("/run/report.html")
    }
    assert all((out / unquote(link)).exists() for link in links(page))
    assert str(tmp_path) not in page
    unit = next((out / "units").glob("*/run"))
    capsys.readouterr()
    assert command("report", str(unit), "--units") == 2
    assert "--units is for the folder of a batch" in capsys.readouterr().err


def test_limits_of_samples_without_a_run_folder_are_those_of_a_named_one(tmp_path: Path) -> None:
    draw = "{name: rent, paths: ['portfolio.money.systems[*].rental'], change: factor, uniform: [0.9, 1.1], provenance: {status: assumption, source: A test}}"  # noqa: E501
    samples = f"combination: sampled\nsamples: {{n: 8, seed: 7, draws: [{draw}]}}"
    run(batch_file(tmp_path, "toy-supply", "[base]", samples), tmp_path / "out")
    content = read_content(tmp_path / "out")
    [line] = ranking(content)
    runs = {unit.scenario for unit in content.units if (content.store.unit(unit.key) / "run").is_dir()}
    assert 0 < len(runs) < 8
    assert line.unit.scenario not in runs
    assert line.limit.startswith(f"in {min(runs)}: Rack supply (all sites)")
