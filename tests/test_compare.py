"""Comparisons: one portfolio at several set-points of its loops, and two runs side by side."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from planner.cli.main import main
from planner.compare import variants
from planner.compare.loops import at_set_point, degc_text, set_points
from planner.compare.lost import lost_rows
from planner.compare.runs import COLUMNS as RUN_COLUMNS
from planner.compare.runs import compare_runs
from planner.compare.runs import table_lines as run_lines
from planner.compare.variants import COLUMNS as LOOP_COLUMNS
from planner.compare.variants import LoopRequest, compare_loops
from planner.run.create import Run, RunRequest, create_run
from planner.solve.options import SolveOptions
from sites import library
from sites.faults import InputError
from sites.world import World, input_hash, load_world
from sites.yaml_edit import SharedScalarError, with_scalars

TOY = "toy-plant-split"
"""Plant 15 K below its loop, rise 20 K, coolers that reach 30 degC on the design day, one chiller of 300 kW."""
HEAT_OF_A_RACK_W = 132_000 + 2_640
CENTS_OF_A_RACK = 72 * 2190 * 100
RACKS = {30: 2, 35: 4, 40: 8, 45: 20}
"""300 kW over the chiller's share of 134.64 kW; at 45 degC the chiller has nothing to do and the positions decide."""
CHILLER_SHARE = {30: Fraction(3, 4), 35: Fraction(1, 2), 40: Fraction(1, 4), 45: Fraction(0)}


def source_of(name: str) -> Path:
    found = library.find(name)
    assert found is not None
    return found.parent


def toy_copy(folder: Path, name: str = TOY, **changes: str) -> Path:
    """A toy's portfolio with its files in a folder, texts of the site file exchanged; each must be there."""
    for file in ("portfolio.yaml", "site.yaml"):
        text = (source_of(name) / file).read_text(encoding="utf-8")
        if file == "site.yaml":
            for old, new in changes.items():
                assert old in text
                text = text.replace(old, new)
        (folder / file).write_text(text, encoding="utf-8")
    return folder / "portfolio.yaml"


def near_chicago(folder: Path) -> Path:
    """The toy at a place that a bundled station stands for."""
    return toy_copy(folder, **{"region: toys": "region: toys, latitude: 41.98, longitude: -87.92"})


def silent(name: str, progress: object) -> None:
    """Nobody looks at the progress."""


def loops(world: World, out: Path, *degc: int) -> dict[str, Any]:
    points = tuple(Fraction(one) for one in degc)
    return compare_loops(world, LoopRequest(out, points, SolveOptions(work_limit=200)), silent)


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The toy planned from too cold for it to too warm for the racks."""
    folder = tmp_path_factory.mktemp("loops")
    world = load_world(near_chicago(folder))
    return folder / "out", loops(world, folder / "out", 30, 35, 40, 45, 50)


# --- set-points


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30,40,45", (30, 40, 45)),
        ("45, 30", (30, 45)),
        ("40.5 degC,30", (30, Fraction(81, 2))),
        ("37.125", (Fraction(297, 8),)),
    ],
)
def test_set_points_are_read_exactly_and_sorted(text: str, expected: tuple[Fraction, ...]) -> None:
    assert set_points(text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "found ''"),
        ("30,", "found ''"),
        ("warm", "found 'warm' in 'warm'; due are set-points in degC from 5 to 70, for example 30,40,45"),
        ("104", "found '104'"),
        ("4", "found '4'"),
        ("-30", "found '-30'"),
        ("nan", "found 'nan'"),
        ("30,30.0", "found 30 twice"),
    ],
)
def test_wrong_set_points_are_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        set_points(text)


@pytest.mark.parametrize(("value", "text"), [(30, "30"), (Fraction(81, 2), "40.5"), (Fraction(297, 8), "37.125")])
def test_set_points_are_written_as_short_decimals(value: Fraction, text: str) -> None:
    assert degc_text(Fraction(value)) == text


def test_loops_and_their_plants_move_and_nothing_else() -> None:
    world = load_world(TOY)
    changed = at_set_point(world, Fraction(81, 2))
    [before], [after] = world.sites, changed.sites
    assert after.site.lineup_templates["plain"].liquid.supply == Fraction(81, 2)
    assert after.site.building_templates["house"].plants[0].supply == Fraction(51, 2)
    old, new = (one.files[1].content.decode().splitlines() for one in (world, changed))
    different = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert [b.replace("40.5 degC", "35 degC").replace("25.5 degC", "20 degC") for _, b in different] == [
        a for a, _ in different
    ]
    assert len(different) == 2
    assert before.site.name == after.site.name
    assert input_hash(changed) != input_hash(world)


CAMPUSES = ("reference-1gw", "fairwater-wisconsin", "fairwater-atlanta", "abilene-expansion", "hyperion")


@pytest.mark.parametrize("name", CAMPUSES)
def test_plants_of_the_library_keep_their_distance_below_the_loops(name: str) -> None:
    world = load_world(name)
    changed = at_set_point(world, Fraction(38))
    for before, after in zip(world.sites, changed.sites, strict=True):
        loops_after = [one.liquid.supply for one in after.site.lineup_templates.values() if one.liquid]
        assert set(loops_after) == {Fraction(38)}
        for template, building in before.site.building_templates.items():
            for place, plant in enumerate(building.plants):
                above = distances(before.site, building, plant)
                moved = after.site.building_templates[template].plants[place]
                assert moved.supply == (38 - max(above) if above else plant.supply)
                assert moved.model_copy(update={"supply": plant.supply}) == plant


def distances(site: Any, building: Any, plant: Any) -> list[Fraction]:
    found = [site.lineup_templates[batch.template].liquid for batch in building.lineups]
    return [loop.supply - plant.supply for loop in found if loop is not None and loop.plant == plant.name]


def test_the_set_point_that_a_site_has_gives_the_same_site() -> None:
    world = load_world(TOY)
    assert at_set_point(world, Fraction(35)).sites == world.sites


def test_an_anchored_supply_stays_an_anchor(tmp_path: Path) -> None:
    both = {"supply: 35 degC": "supply: &warm 35 degC", "supply: 20 degC": "supply: 20 degC"}
    [found] = at_set_point(load_world(toy_copy(tmp_path, **both)), Fraction(40)).sites
    assert found.site.lineup_templates["plain"].liquid.supply == 40


def test_a_temperature_shared_with_something_else_is_refused(tmp_path: Path) -> None:
    shared = {"design_dry_bulb: 20 degC": "design_dry_bulb: &same 20 degC", "supply: 20 degC": "supply: *same"}
    world = load_world(toy_copy(tmp_path, **shared))
    with pytest.raises(InputError, match=r"sites/toy-plant-split\.yaml: supply: .*alias of something else"):
        at_set_point(world, Fraction(40))


def test_a_site_without_loops_has_no_set_point() -> None:
    with pytest.raises(InputError, match="no lineup of its sites has a liquid loop"):
        at_set_point(load_world("new-carlisle"), Fraction(40))


def test_scalars_are_exchanged_in_place() -> None:
    text = "# kept\nlist:\n  - {a: &x 1 K, b: 'two'}  # kept too\n  - *x\nother: \"ü\"\n"
    changed = with_scalars(text.encode(), {("list", 0, "a"): "2 K", ("list", 0, "b"): "3", ("other",): "4"}).decode()
    assert changed == "# kept\nlist:\n  - {a: &x 2 K, b: 3}  # kept too\n  - *x\nother: 4\n"
    assert with_scalars(text.encode(), {}) == text.encode()


def test_scalars_that_an_alias_joins_cannot_differ() -> None:
    content = b"a: &x 1\nb: *x\n"
    assert with_scalars(content, {("a",): "2", ("b",): "2"}) == b"a: &x 2\nb: *x\n"
    with pytest.raises(SharedScalarError, match="b"):
        with_scalars(content, {("a",): "2", ("b",): "3"})


@pytest.mark.parametrize("path", [("c",), ("a",), ("a", 1), ("a", 0, "b")])
def test_paths_that_lead_to_no_scalar_are_refused(path: tuple[str | int, ...]) -> None:
    with pytest.raises(KeyError):
        with_scalars(b"a: [1]\n", {path: "2"})


# --- one portfolio at several set-points


def test_set_points_decide_how_many_racks_the_chiller_bears(split: tuple[Path, dict[str, Any]]) -> None:
    _, found = split
    planned = {one["set_point_degc"]: one for one in found["variants"] if one["outcome"] == "planned"}
    assert {degc: one["totals"]["racks"] for degc, one in planned.items()} == RACKS
    for degc, one in planned.items():
        assert one["totals"]["objective"] == RACKS[degc] * CENTS_OF_A_RACK
        assert one["totals"]["gap"] == 0
        assert one["totals"]["racks_by_system"] == {"gb200-nvl72": RACKS[degc]}


def test_the_design_day_by_hand(split: tuple[Path, dict[str, Any]]) -> None:
    """COP 0.45 · T_cold / (T_hot − T_cold), 2.5 K under the water and 12 K over 20 degC, and 15 K apart at least."""
    _, found = split
    for one in found["variants"][:4]:
        degc, day = one["set_point_degc"], one["design_day"]
        assert day["chiller_share"] == pytest.approx(float(CHILLER_SHARE[degc]))
        cold_k, hot_k = degc - 15 - 2.5 + 273.15, 20 + 12 + 273.15
        cop = 0.45 * cold_k / max(hot_k - cold_k, 15)
        assert day["peak_day_pue"] == pytest.approx(1 + float(CHILLER_SHARE[degc]) / cop, rel=1e-5)
        [site] = day["by_site"]
        assert site["heat_w"] == site["it_w"] == RACKS[degc] * HEAT_OF_A_RACK_W


def test_warmer_loops_run_their_compressors_less(split: tuple[Path, dict[str, Any]]) -> None:
    _, found = split
    years = [one["year"] for one in found["variants"][:4]]
    assert [one["reasons"] for one in years] == [[]] * 4
    hours = [one["hours_with_compressor"] for one in years]
    assert hours == sorted(hours, reverse=True)
    assert hours[0] > hours[-1]
    assert all(one["pue"] >= 1 and one["water_litres"] == 0 for one in years)


def test_a_set_point_without_a_plan_says_why(split: tuple[Path, dict[str, Any]]) -> None:
    _, found = split
    last = found["variants"][-1]
    assert (last["outcome"], last["run"], last["lost"]) == ("infeasible", None, [])
    assert "50 degC" in last["reasons"][0]
    assert "45 degC" in last["reasons"][0]


def test_every_plan_is_a_run_that_verifies(split: tuple[Path, dict[str, Any]]) -> None:
    from planner.verify import verify

    out, found = split
    for one in found["variants"][:4]:
        assert not verify(Path(one["run"])).failed()
    assert sorted(path.name for path in out.iterdir()) == [
        "comparison.csv", "comparison.json", "loop-30", "loop-35", "loop-40", "loop-45",
    ]  # fmt: skip
    assert json.loads((out / "comparison.json").read_text(encoding="utf-8")) == found


def test_the_table_has_a_line_for_every_set_point(split: tuple[Path, dict[str, Any]]) -> None:
    out, _ = split
    with (out / "comparison.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert tuple(lines[0]) == LOOP_COLUMNS
    assert [float(line["set_point_degc"]) for line in lines] == [30, 35, 40, 45, 50]
    assert [line["racks"] for line in lines] == ["2", "4", "8", "20", ""]


def test_plans_repeat(split: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """The same set-point among others or alone: same inputs, same plan."""
    out, _ = split
    loops(load_world(near_chicago(tmp_path)), tmp_path / "out", 40)
    plans = [json.loads((one / "loop-40" / "plan.json").read_text(encoding="utf-8")) for one in (out, tmp_path / "out")]
    assert [one.pop("wall_s") >= 0 for one in plans] == [True, True]
    assert plans[0] == plans[1]


def test_a_refused_set_point_stands_beside_planned_ones(tmp_path: Path) -> None:
    """Toy without chillers: water of 25 degC is more than its coolers do on a day of 20 degC."""
    found = loops(load_world("toy-liquid"), tmp_path / "out", 30, 40)
    cold, warm = found["variants"]
    assert (cold["outcome"], warm["outcome"]) == ("refused", "planned")
    assert "there are no chillers" in cold["reasons"][0]
    assert warm["totals"]["racks"] == 8
    assert warm["year"]["reasons"]


def test_an_interrupt_keeps_what_there_is_and_plans_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(world: World, request: RunRequest, tell: Any) -> Run:
        run = create_run(world, request, tell)
        return replace(run, document=run.document | {"stop_reason": "interrupted"})

    monkeypatch.setattr(variants, "create_run", interrupted)
    found = loops(load_world(TOY), tmp_path / "out", 30, 40, 45)
    assert [one["outcome"] for one in found["variants"]] == ["interrupted", "not planned", "not planned"]
    assert found["variants"][0]["totals"]["racks"] == 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "comparison.csv", "comparison.json", "loop-30",
    ]  # fmt: skip


def test_faults_of_every_set_point_are_faults_of_the_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no lineup of its sites has a liquid loop"):
        loops(load_world("new-carlisle"), tmp_path / "out", 30, 40)
    assert not (tmp_path / "out").exists()


def test_folders_of_others_are_not_touched(tmp_path: Path) -> None:
    foreign = tmp_path / "out" / "loop-40"
    foreign.mkdir(parents=True)
    (foreign / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="not a run folder"):
        loops(load_world(TOY), tmp_path / "out", 30, 40)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["loop-40"]
    assert [path.name for path in foreign.iterdir()] == ["mine.txt"]


# --- what is lost


def test_lost_rows_name_the_reasons_that_hold_only_there() -> None:
    def entry(configuration: str, reason: str, n_rows: int) -> dict[str, Any]:
        return {"site": "s", "configuration": configuration, "reason": reason, "n_rows": n_rows, "row": "b1/h1/l01/r1"}

    cold = [entry("a", "occupied", 3), entry("b", "too heavy", 2)]
    warm = [entry("a", "occupied", 3), entry("a", "too warm", 4), entry("b", "too heavy", 2)]
    assert lost_rows([cold, warm]) == [
        [],
        [{"site": "s", "configuration": "a", "n_rows_more": 4, "reasons": ["too warm"]}],
    ]
    assert lost_rows([warm, warm]) == [[], []]
    assert lost_rows([]) == []


def with_cooler_vera_rubin(world: World) -> World:
    """The world with a catalogue whose Vera Rubin takes 38 degC at the most."""
    old, new = b"max_supply: {value: 45 degC, source: RBLOG", b"max_supply: {value: 38 degC, source: RBLOG"
    assert any(old in file.content for file in world.files)
    return replace(world, files=tuple(replace(one, content=one.content.replace(old, new)) for one in world.files))


def test_racks_that_a_warm_loop_rules_out_are_told(tmp_path: Path) -> None:
    """The toy's block takes Vera Rubin while its loop does; then GB300 stands there, and the reason is told."""
    found = loops(with_cooler_vera_rubin(load_world("toy-one-system-per-block")), tmp_path / "out", 36, 40)
    cool, warm = found["variants"]
    assert cool["totals"]["racks_by_system"] == {"gb300-nvl72": 0, "vr-nvl72": 4}
    assert warm["totals"]["racks_by_system"] == {"gb300-nvl72": 4, "vr-nvl72": 0}
    assert cool["lost"] == []
    [lost] = warm["lost"]
    assert (lost["site"], lost["configuration"]) == ("toy-one-system-per-block", "vr-nvl72/max-p")
    assert lost["n_rows_more"] == 1
    assert ["40 degC" in reason and "38 degC" in reason for reason in lost["reasons"]] == [True]


# --- two runs


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The toy as it is, and with a chiller of twice the heat."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "site").mkdir()
    twice = toy_copy(folder / "site", **{"value: 300 kW": "value: 600 kW"})
    for name, file in (("a", TOY), ("b", str(twice))):
        create_run(load_world(file), RunRequest(folder / name, SolveOptions(work_limit=200)), lambda _: None)
    return folder / "a", folder / "b"


def test_two_runs_differ_by_what_they_place(two_runs: tuple[Path, Path]) -> None:
    """One chiller of 600 kW takes 8 racks where one of 300 kW takes 4."""
    found = compare_runs(*two_runs)
    quarters = {one["name"]: (one["a"], one["b"], one["difference"]) for one in found["quarters"]}
    assert quarters["gb200-nvl72"] == quarters["racks"] == (4, 8, 4)
    assert quarters["GPUs"] == (4 * 72, 8 * 72, 4 * 72)
    assert quarters["IT"] == (528_000, 1_056_000, 528_000)
    assert quarters["meter"][2] == quarters["meter"][1] - quarters["meter"][0] > 528_000
    assert {one["quarter"] for one in found["quarters"]} == {"2027-Q1"}


def test_parts_of_the_objective_add_up_to_the_difference(two_runs: tuple[Path, Path]) -> None:
    found = compare_runs(*two_runs)
    parts = [one for one in found["money"] if one["part"] == "objective"]
    [worth] = [one for one in found["worth"] if one["name"] == "objective"]
    for key in ("a", "b", "difference"):
        assert sum(one[key] for one in parts) == worth[key]
    assert worth["difference"] == 4 * CENTS_OF_A_RACK


def test_limits_that_bind_are_told_apart(two_runs: tuple[Path, Path], tmp_path: Path) -> None:
    [same] = compare_runs(*two_runs)["binding"]
    assert (same["family"], same["only_a"], same["only_b"]) == ("chiller", [], [])
    create_run(load_world("toy-position"), RunRequest(tmp_path / "c", SolveOptions(work_limit=200)), lambda _: None)
    found = {(one["site"], one["family"]): one for one in compare_runs(two_runs[0], tmp_path / "c")["binding"]}
    assert found[TOY, "chiller"]["only_a"] == [f"{TOY}:chiller:b1/plant"]
    assert found["toy-position", "position"]["a"] == 0
    assert found["toy-position", "position"]["only_b"]


def test_a_run_differs_in_nothing_from_itself(two_runs: tuple[Path, Path]) -> None:
    found = compare_runs(two_runs[0], two_runs[0])
    assert {line["difference"] for line in run_lines(found)} == {0}
    assert found["lost"] == {"a": [], "b": []}


def test_quarters_that_only_one_run_has_are_compared_with_nothing(two_runs: tuple[Path, Path], tmp_path: Path) -> None:
    """A plan of the library's longest toy beside one of a single quarter."""
    create_run(load_world("toy-landing"), RunRequest(tmp_path / "c", SolveOptions(work_limit=200)), lambda _: None)
    found = compare_runs(two_runs[0], tmp_path / "c")
    later = [one for one in found["quarters"] if one["quarter"] != "2027-Q1" and one["name"] == "racks"]
    assert later
    assert all(one["a"] is None and one["difference"] == one["b"] for one in later)
    assert [one["quarter"] for one in later] == sorted(one["quarter"] for one in later)


def test_folders_that_are_no_runs_are_refused(two_runs: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a run folder"):
        compare_runs(two_runs[0], tmp_path)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "plan.json").write_text('{"format": "gigaplan-plan/1"}', encoding="utf-8")
    (broken / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="the plan lacks totals, money, binding"):
        compare_runs(two_runs[0], broken)


# --- command line


def end_of(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_command_plans_at_every_set_point(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, table = tmp_path / "out", tmp_path / "loops.csv"
    options = ["--loop", "35,40", "--out", str(out), "--work-limit", "200", "--csv", str(table)]
    assert end_of(["compare", TOY, *options]) == 0
    shown = capsys.readouterr()
    assert re.search(r"35\s+4\s+288", shown.out)
    assert re.search(r"40\s+8\s+576", shown.out)
    assert "plants keep their number of units" in shown.err
    assert table.read_bytes() == (out / "comparison.csv").read_bytes()


def test_command_prints_json_and_tells_what_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--out", str(tmp_path / "out"), "--work-limit", "200", "--json"]
    assert end_of(["compare", TOY, "--loop", "40,50", *options]) == 4
    found = json.loads(capsys.readouterr().out)
    assert [one["outcome"] for one in found["variants"]] == ["planned", "infeasible"]
    assert end_of(["compare", TOY, "--loop", "50", *options]) == 3


def test_command_puts_two_runs_side_by_side(
    two_runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "difference.csv"
    assert end_of(["compare", str(two_runs[0]), str(two_runs[1]), "--csv", str(table)]) == 0
    shown = capsys.readouterr().out
    assert "4 → 8" in shown
    with table.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert tuple(lines[0]) == RUN_COLUMNS
    assert end_of(["compare", str(two_runs[0]), str(two_runs[1]), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == compare_runs(*two_runs, by_cause=True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([TOY], "name two run folders"),
        (["a", "b", "c"], "found 3 names and no --loop"),
        ([TOY, "other", "--loop", "30"], "--loop plans one FILE; found 2"),
        (["a", "b", "--time-limit", "3"], "--time-limit: this is for planning with --loop"),
        ([TOY, "--loop", "30;40"], "due are set-points in degC"),
        ([], "Missing argument"),
        (["toy-plant-splt", "--loop", "30"], "did you mean 'toy-plant-split'"),
        (["no-run", "nor-this"], "not a run folder"),
    ],
)
def test_command_refuses_what_has_no_meaning(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert end_of(["compare", *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_seed_and_limits_are_those_that_were_asked(tmp_path: Path) -> None:
    request = LoopRequest(tmp_path / "out", (Fraction(40),), SolveOptions(work_limit=50, seed=7))
    found = compare_loops(load_world(TOY), replace(request), silent)
    assert (found["seed"], found["work_limit"]) == (7, 50)
    manifest = json.loads((tmp_path / "out" / "loop-40" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["seed"] == 7
