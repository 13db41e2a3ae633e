"""Scaling, backends, scenarios and many sites: each part of the bench measures what it says and writes it down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from planner.bench import kernels
from planner.bench.campus import CampusSize
from planner.bench.kernels import ScalePoint, measure_scale, race_backends, ratios
from planner.bench.many_sites import memory_of_tree
from planner.bench.picture import draw_scaling
from planner.bench.race import generated_problem
from planner.bench.summary import markdown
from planner.cli.main import group

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["bench", *arguments])


def point(n_rows: int, round_s: float) -> ScalePoint:
    return ScalePoint(n_rows, 16, 10, 2, 3, 1.0, 2.0, 4, 0.5, round_s, 100.0)


def test_ratios_are_of_sizes_that_stand_ten_to_one() -> None:
    points = [point(60, 1.0), point(200, 2.0), point(600, 9.0), point(1998, 30.0)]
    found = ratios(points, lambda one: one.round_s)
    assert found == {(60, 600): pytest.approx(9.0), (200, 1998): pytest.approx(15.0 * 10 / 9.99)}
    assert points[0].iteration_s == 0.5


def test_every_stage_of_a_campus_is_measured(tmp_path: Path) -> None:
    found = measure_scale(tmp_path, 7, CampusSize(24, 6), n_lanes=2)
    assert (found.n_rows, found.n_periods) == (24, 6)
    assert found.n_blocks >= 2
    assert found.n_row_classes <= found.n_rows
    assert found.n_iterations >= 2
    assert min(found.lowering_s, found.relaxation_s, found.round_s, found.steps_per_s) > 0


def test_more_rows_than_a_campus_has_are_several_campuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "LARGEST_CAMPUS", 24)
    found = measure_scale(tmp_path, 7, CampusSize(48, 6), n_lanes=1)
    assert len(list(tmp_path.glob("campus-*.yaml"))) == 2
    assert found.n_rows > 24
    assert found.steps_per_s > 0


def test_backends_and_threads_end_with_the_same_plan(tmp_path: Path) -> None:
    problem = generated_problem(tmp_path, 8, CampusSize(24, 6))
    found = race_backends(problem, (6,))
    assert found.same_plan
    assert {(run.backend, run.n_threads) for run in found.runs} == {("numba", 1), ("numba", 2), ("numpy", 1)}
    assert len({run.objective_cents for run in found.runs}) == 1
    assert len({run.n_steps for run in found.runs}) == 1
    assert found.ratio(6) > 0


def test_scaling_writes_tables_and_a_picture(tmp_path: Path) -> None:
    done = run("scaling", "--rows", "12,120", "--periods", "4", "--seed", "7", "--out", str(tmp_path / "s"), "--json")
    assert done.exit_code == 0, done.output
    kept = json.loads((tmp_path / "s" / "scaling.json").read_text(encoding="utf-8"))
    sizes = [(one["n_rows"], one["n_periods"]) for one in kept["points"]]
    assert sizes == [(12, 16), (120, 16), (120, 4)]
    assert "12 to 120" in (tmp_path / "s" / "scaling.md").read_text(encoding="utf-8")
    assert (tmp_path / "s" / "scaling.png").read_bytes().startswith(b"\x89PNG")
    assert kept["versions"]["numpy"]


def test_scenarios_are_counted_by_the_minute(tmp_path: Path) -> None:
    arguments = ["--rows", "24", "--periods", "6", "--seeds", "7", "--count", "3", "--processes", "1"]
    done = run("scenarios", *arguments, "--out", str(tmp_path / "c"), "--json")
    assert done.exit_code == 0, done.output
    kept = json.loads((tmp_path / "c" / "scenarios.json").read_text(encoding="utf-8"))
    (batch,) = kept["batches"]
    assert batch["ours"]["n_scenarios"] == len(batch["ours"]["gaps"]) == 3
    assert all(0 <= gap < 1 for gap in batch["ours"]["gaps"])
    peers = run("scenarios", *arguments, "--peers", "highs", "--peer-time", "3", "--out", str(tmp_path / "d"))
    assert peers.exit_code == 0, peers.output
    (batch,) = json.loads((tmp_path / "d" / "scenarios.json").read_text(encoding="utf-8"))["batches"]
    (found,) = batch["peers"]
    gaps = [mark["gap"] for mark in found["marks"]]
    assert len(gaps) == 12
    reached = [mark["time_s"] for mark in found["marks"] if mark["gap"] is not None and mark["gap"] <= 0.01]
    assert found["reached_s"] == min(reached, default=None)
    refused = run("scenarios", "--peers", "pdlp", "--rows", "12", "--periods", "4", "--count", "1")
    assert refused.exit_code == 2
    assert "peers that bring plans are highs, cp-sat" in refused.output


@pytest.mark.slow
def test_a_portfolio_is_planned_and_checked_in_processes_that_are_watched(tmp_path: Path) -> None:
    out = tmp_path / "p"
    done = run(
        "portfolio", "--sites", "2", "--rows", "12", "--periods", "4", "--seed", "7", "--time", "4", "--out", str(out)
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    kept = json.loads((out / "portfolio.json").read_text(encoding="utf-8"))
    assert kept["verified"] is True
    assert 0 <= kept["gap"] < 1
    if sys.platform == "linux":
        assert kept["peak_memory_bytes"] > 2**25
    again = run("portfolio", "--out", str(out))
    assert again.exit_code == 2
    assert "holds a run already" in again.output


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not say what a process and its children hold")
def test_memory_counts_the_children_too() -> None:
    alone = memory_of_tree(os.getpid())
    hold = "data = bytearray(2**26); print(len(data), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert memory_of_tree(os.getpid()) > alone + 2**25
        child.communicate(b"\n")
    assert memory_of_tree(2**30) == 0


def test_tables_and_scaling_pictures(tmp_path: Path) -> None:
    assert markdown(("a", "b"), [(1, "x")]) == "| a | b |\n| --- | --- |\n| 1 | x |\n"
    draw_scaling({"search": [(60, 0.1), (600, 1.1)]}, "rows", tmp_path / "scaling.svg")
    drawn = (tmp_path / "scaling.svg").read_text(encoding="utf-8")
    assert "<svg" in drawn
