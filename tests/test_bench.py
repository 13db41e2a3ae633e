"""Generated campuses are what they claim to be, and the race judges every solver by the same integers."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner
from test_export import small_problem

from planner.bench.campus import CampusSize, write_campus
from planner.bench.judge import judge
from planner.bench.race import RaceRequest, marks_of, race
from planner.bench.records import BOUND_ONLY, OURS, PEERS, Campus, ForeignRaceError, Keeper, Mark, Race
from planner.bench.reduced import FULL, REDUCED
from planner.bench.summary import ahead, gap_of, medians, targets
from planner.bench.trace import TraceWriter, read_events
from planner.bench.worker import write_problem
from planner.cli.main import group
from planner.export import highs_optimum
from planner.lower import lower
from planner.problem import INACTIVE
from planner.run.create import check_world
from planner.run.loads import binds, limit_loads
from planner.solve.options import SolveOptions
from planner.solve.solve import solve
from sites.world import load_world

if TYPE_CHECKING:
    from pathlib import Path

    from planner.problem import Problem

needs_cp_sat = pytest.mark.skipif(find_spec("ortools") is None, reason="OR-Tools is optional and not installed")
SMALL = CampusSize(60, 8)
TOLERANCE = 1e-6
"""Relative, of peers that work in floating point."""
LIQUID = {"liquid", "flow", "chiller", "dry"}


def lowered(folder: Path, seed: int, size: CampusSize = SMALL) -> Problem:
    world = load_world(write_campus(folder, seed, size))
    check_world(world)
    return lower(world).problem


@pytest.mark.parametrize("seed", [11, 12, 13, 14, 15])
def test_a_good_plan_of_a_generated_campus_meets_every_kind_of_limit(tmp_path: Path, seed: int) -> None:
    problem = lowered(tmp_path, seed)
    solution = solve(problem, SolveOptions(backend="numba", work_limit=4_000))
    binding = binds(problem, limit_loads(problem, solution.plan.n_racks)).any(axis=1)
    limits = [limit for limit, binds_it in zip(problem.limits, binding, strict=True) if binds_it]
    families = {limit.family for limit in limits}
    assert {"meter", "supply"} <= families
    assert families & LIQUID
    ups = [one.name for one in limits if one.family == "power" and "/ups" in one.element and one.contingency]
    assert ups, "no UPS binds with a block out"
    assert solution.gap < 0.05
    assert judge(problem, solution.plan.n_racks) == (solution.objective, ())


@pytest.mark.parametrize(("seed", "n_rows", "n_periods"), [(1, 60, 8), (2, 12, 4), (3, 240, 16), (4, 600, 20)])
def test_a_generated_campus_has_templates_dates_and_capacities_that_change(
    tmp_path: Path, seed: int, n_rows: int, n_periods: int
) -> None:
    size = CampusSize(n_rows, n_periods)
    world = load_world(write_campus(tmp_path, seed, size))
    (site,) = (one.site for one in world.sites)
    used = {lineup.template for template in site.building_templates.values() for lineup in template.lineups}
    assert used == {"standard", "compact"}
    assert len(site.buildings) >= 2
    parts = ("utility", "equipment", "building", "permit", "network")
    ready = {max(getattr(one.dates, part).mode for part in parts) for one in site.buildings}
    assert len(ready) >= 2
    if n_rows > 240:
        return
    check_world(world)
    problem = lower(world).problem
    assert problem.n_rows == n_rows
    assert problem.n_periods == n_periods
    changing = [
        problem.limits[i].family
        for i, capacity in enumerate(problem.capacity)
        if len({int(value) for value in capacity if value != INACTIVE}) > 1
    ]
    assert len(changing) >= 2
    assert {"meter", "supply"} <= set(changing)


def test_seed_and_size_decide_every_byte(tmp_path: Path) -> None:
    texts = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        (tmp_path / name).mkdir()
        portfolio = write_campus(tmp_path / name, seed, SMALL)
        texts.append(portfolio.read_bytes() + (tmp_path / name / "site.yaml").read_bytes())
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


@pytest.mark.parametrize("size", [CampusSize(6, 8), CampusSize(60, 2)])
def test_a_size_too_small_to_have_it_all_is_refused(tmp_path: Path, size: CampusSize) -> None:
    with pytest.raises(ValueError, match="at least 12 rows and 4 periods"):
        write_campus(tmp_path, 1, size)


def test_the_judge_sees_every_broken_rule(tmp_path: Path) -> None:
    problem = lowered(tmp_path, 21, CampusSize(24, 4))
    racks = solve(problem, SolveOptions(backend="numpy", work_limit=200)).plan.n_racks
    row, k, t = (int(index) for index in np.argwhere(racks[:, :, :-1] > 0)[0])
    verdicts = {}
    for name, change in {
        "limits are broken": (row, k, slice(t, None), 1000),
        "systems fall": (row, k, -1, -int(racks[row, k, -1])),
        "are negative": (row, k, t, -1 - int(racks[row, k, t])),
    }.items():
        mutated = racks.copy()
        mutated[change[:3]] += change[3]
        if name == "systems fall":
            mutated[row, :, -1] = 0
        verdicts[name] = judge(problem, mutated).faults
    late = np.argwhere(problem.first_period > 0)[0]
    mutated = racks.copy()
    mutated[late[0], late[1], 0] += 1
    verdicts["not eligible"] = judge(problem, mutated).faults
    system = problem.system_of_configuration_idx
    other = next(index for index, one in enumerate(system) if one != system[k])
    mutated = racks.copy()
    mutated[row, other, :] += 1
    verdicts["more than one system"] = judge(problem, mutated).faults
    for wanted, faults in verdicts.items():
        assert any(wanted in fault for fault in faults), (wanted, faults)


def test_a_mark_counts_what_was_known_by_then_and_only_plans_that_hold(tmp_path: Path) -> None:
    problem = lowered(tmp_path, 22, CampusSize(24, 4))
    good = solve(problem, SolveOptions(backend="numpy", work_limit=200))
    trace = TraceWriter(tmp_path)
    nothing = np.zeros_like(good.plan.n_racks)
    trace.news(0.0, 9e12, nothing, elapsed_s=0.5)
    trace.news(float(good.objective), 8e12, good.plan.n_racks, elapsed_s=2.0)
    trace.news(7e12, float(good.bound), good.plan.n_racks + 50, elapsed_s=4.0)
    trace.news(7e12, float(good.bound), elapsed_s=4.1)
    assert len(read_events(tmp_path)) == 3, "news that says nothing new is not written"
    early, first, second, last = marks_of(problem, tmp_path, 22, "highs", [0.1, 1.0, 3.0, 5.0])
    assert (early.value_cents, early.bound_cents, early.gap) == (None, None, None)
    assert (first.value_cents, first.bound_cents, first.gap) == (0, 9e12, 1.0)
    assert (second.value_cents, second.bound_cents, second.n_refused) == (good.objective, 8e12, 0)
    assert (last.value_cents, last.bound_cents, last.n_refused) == (good.objective, float(good.bound), 1)
    assert last.gap == pytest.approx(good.gap)


CP_SAT = """
import sys
from pathlib import Path
from ortools.sat.python import cp_model
from planner.bench.cp_sat import cp_sat_model
from planner.bench.worker import read_problem
from planner.export.model import integer_model
program, _ = cp_sat_model(integer_model(read_problem(Path(sys.argv[1]))))
assert program.validate() == "", program.validate()
solver = cp_model.CpSolver()
solver.parameters.num_workers = 2
solver.parameters.max_time_in_seconds = 60.0
print(solver.status_name(solver.solve(program)), round(solver.objective_value))
"""


@needs_cp_sat
def test_cp_sat_and_highs_have_the_same_optimum_on_the_same_problem(tmp_path: Path) -> None:
    """In another process: the libraries of the two do not load together."""
    problem = small_problem(3)
    write_problem(tmp_path, problem)
    done = subprocess.run(
        [sys.executable, "-c", CP_SAT, str(tmp_path)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout.split() == ["OPTIMAL", str(highs_optimum(problem).objective_cents)], done.stderr


def _mark(
    seed: int, solver: str, value: int | None, bound: float | None, form: str = FULL, time_s: float = 5.0
) -> Mark:
    return Mark(seed, solver, form, time_s, value, bound, "", time_s, 10.0, None, 0, None)


CAMPUS = Campus(1, 60, 4, 8, 300, 10, 0.1)


def _race(*marks: Mark, size: CampusSize = SMALL) -> Race:
    return Race(size, 2, 1.0, 0.0, (CAMPUS,), marks)


def test_medians_and_who_is_ahead() -> None:
    ours = (_mark(1, OURS, 98, 100.0), _mark(2, OURS, 90, 100.0), _mark(3, OURS, 97, 100.0))
    highs = (_mark(1, "highs", None, 101.0), _mark(2, "highs", 95, 100.0), _mark(3, "highs", 96, None))
    found = _race(*highs, *ours)
    first, second = medians(found)
    assert (first.solver, second.solver) == (OURS, "highs")
    assert first.gap == pytest.approx(0.03)
    assert first.least_gap == pytest.approx(0.02)
    assert first.worst_gap == pytest.approx(0.10)
    assert (second.gap, second.worst_gap, second.n_campuses) == (None, None, 3)
    assert ahead(found) == {5.0: True}
    assert targets(found) == {}, "aims are for a gigawatt"
    large = _race(*(_mark(1, OURS, 99, 100.0, time_s=t) for t in (15.0, 30.0, 60.0)), size=CampusSize(600, 16))
    assert targets(large) == {15.0: 0.005, 60.0: 0.003}
    assert ahead(_race(*ours)) == {5.0: None}


def test_claims_are_against_the_better_form_on_the_campuses_that_a_peer_met() -> None:
    ours = (_mark(1, OURS, 98, 100.0), _mark(2, OURS, 80, 100.0))
    full, reduced = _mark(1, "highs", 50, 100.0), _mark(1, "highs", 97, 100.0, REDUCED)
    assert ahead(_race(*ours, full, reduced)) == {5.0: True}
    assert ahead(_race(*ours, full, _mark(1, "highs", 99, 100.0, REDUCED))) == {5.0: False}


def test_a_solver_without_plans_is_measured_against_the_best_plan_of_all() -> None:
    bound_only = _mark(1, "pdlp", None, 100.0)
    found = _race(_mark(1, OURS, 90, 95.0), _mark(1, "highs", 92, 110.0, time_s=60.0), bound_only)
    assert gap_of(found, bound_only) == pytest.approx(0.08)
    assert ahead(found)[5.0] is True


def test_peers_may_be_stopped_earlier_and_some_campuses_raced_longer() -> None:
    request = RaceRequest(
        SMALL, (1, 2), (1.0, 15.0), ("highs",), 2, long_time_s=600.0, long_seeds=(2,), peer_time_s=60.0
    )
    assert request.times_of(1, OURS) == (1.0, 15.0)
    assert request.times_of(2, OURS) == (1.0, 15.0, 600.0)
    assert request.times_of(2, "highs") == (1.0, 15.0)
    assert request.entries() == [(OURS, FULL), ("highs", FULL), ("highs", REDUCED)]


def test_finished_marks_are_kept_and_a_line_cut_off_is_dropped(tmp_path: Path) -> None:
    about = {"cores": 2, "versions": {"numpy": "2"}}
    keeper = Keeper(tmp_path, about)
    keeper.started(3.5, 0.25)
    keeper.keep_campus(CAMPUS)
    keeper.keep([_mark(1, OURS, 98, 100.0), _mark(1, OURS, 99, 100.0, time_s=15.0)])
    with (tmp_path / "race.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"mark": {"seed": 1, "sol')
    again = Keeper(tmp_path, about)
    assert again.has(1, OURS, FULL, [5.0, 15.0])
    assert not again.has(1, OURS, FULL, [5.0, 60.0])
    again.keep([_mark(1, OURS, 97, 100.0)])
    found = Keeper(tmp_path, about).race(SMALL, 2)
    assert (found.warm_up_s, found.load_before, found.campuses) == (3.5, 0.25, (CAMPUS,))
    assert [mark.value_cents for mark in found.marks] == [97, 99], "a mark taken again replaces the older one"
    with pytest.raises(ForeignRaceError, match="differs in cores"):
        Keeper(tmp_path, about | {"cores": 4})


@needs_cp_sat
@pytest.mark.slow
def test_solvers_race_in_processes_of_their_own_and_bounds_enclose_the_best_plan(tmp_path: Path) -> None:
    lines: list[str] = []
    request = RaceRequest(CampusSize(12, 4), (31,), (6.0,), PEERS, 2)
    found = race(request, tmp_path, lines.append)
    by_entry = {(mark.solver, mark.form): mark for mark in found.marks}
    assert set(by_entry) == set(request.entries())
    assert by_entry[OURS, FULL].verified is True
    best = max(mark.value_cents for mark in found.marks if mark.value_cents is not None)
    for mark in found.marks:
        assert (mark.value_cents is None) == (mark.solver in BOUND_ONLY), mark
        assert mark.bound_cents is not None, mark
        assert mark.bound_cents >= best * (1 - TOLERANCE), mark
    assert any("seed 31" in line for line in lines)
    lines.clear()
    assert race(request, tmp_path, lines.append) == found
    assert not lines, "a finished race runs nothing again"


@pytest.mark.slow
def test_the_command_writes_results_and_pictures(tmp_path: Path) -> None:
    out = tmp_path / "race"
    arguments = ["bench", "--rows", "12", "--periods", "4", "--seeds", "7", "--time", "2", "--peers", "highs"]
    done = CliRunner().invoke(group, [*arguments, "--no-verify", "--out", str(out), "--json"])
    assert done.exit_code == 0, done.output
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["format"] == "gigaplan-bench/2"
    assert [campus["seed"] for campus in results["campuses"]] == [7]
    assert {mark["solver"] for mark in results["marks"]} == {"gigaplan", "highs"}
    assert all(0 <= mark["gap"] < 1 for mark in results["marks"])
    assert "| gigaplan |" in (out / "tables.md").read_text(encoding="utf-8")
    assert (out / "gaps.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (out / "gaps.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "1,x"], "found '1,x'"),
        (["--time", "0"], "found '0'"),
        (["--peers", "gurobi"], "the peers are highs, highs-ipm, cp-sat, pdlp"),
        (["--forms", "dual"], "the forms are full, reduced"),
        (["--long-time", "600", "--long-seeds", "x"], "found 'x'"),
        (["scaling", "--rows", "a"], "found 'a'"),
        (["backends", "--lanes", "0"], "found '0'"),
        (["--rows", "3"], "3 is not in the range"),
    ],
)
def test_mistakes_on_the_command_line_are_explained(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(group, ["bench", *arguments])
    assert done.exit_code == 2
    assert message in done.output


def test_a_folder_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    done = CliRunner().invoke(group, ["bench", "--out", str(tmp_path), "--peers", "none"])
    assert done.exit_code == 2
    assert "name another folder" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
