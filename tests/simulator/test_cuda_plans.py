"""Whole plans of the backend cuda in Numba's simulator are those of the CPU: the same guide, seed and work."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from solve_cases import random_problem, with_minimum_demands
from toy_cases import toy_cases

from kernels.cuda import launch
from kernels.cuda.device_home import DeviceHome
from planner.cli.main import main
from planner.lower import lower
from planner.objectives.aimed import solve_for_objective
from planner.run.folder import GUIDE, read_json
from planner.solve.batch import solve_batch
from planner.solve.guide import load_guide
from planner.solve.options import SolveOptions
from planner.solve.scenario import BatchOptions
from planner.solve.solve import solve
from sites.world import load_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from planner.lower.lowered import Lowered
    from planner.solve.guide import Guide
    from planner.solve.solve import Solution
    from sites.world import World

CASES = {case.name: case for case in toy_cases() if case.is_feasible}
MOST_THREADS = 20_000
"""Simulated threads that the plan of a toy may take."""
OPTIONS = SolveOptions(backend="numpy", work_limit=12, n_lanes=3, n_threads=1, seed=3)
"""Four steps in two lanes that keep to the aims and in one that does not."""


@pytest.fixture(autouse=True)
def two_blocks_of_one(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two threads stride over places and lanes, without a barrier to wait at; the tally begins anew."""
    monkeypatch.setattr(launch.limits, "n_threads", 1)
    monkeypatch.setattr(launch.limits, "n_blocks", 2)
    monkeypatch.setattr(launch, "tally", launch.Tally())
    yield
    launch.check()


@cache
def world_of(name: str) -> tuple[World, Lowered]:
    world = load_world(CASES[name].portfolio)
    return world, lower(world)


def stored_guide(name: str, folder: Path) -> Guide:
    """The guide of a toy as a file gives it back, without the plan to begin with, which would leave nothing to find."""
    problem = world_of(name)[1].problem
    guide = solve(problem, OPTIONS).guide
    guide = replace(guide, start_racks=np.zeros_like(guide.start_racks))
    np.savez_compressed(folder / GUIDE, allow_pickle=False, **guide.arrays())
    return load_guide(folder / GUIDE, problem)


def same(ours: Solution, theirs: Solution) -> None:
    np.testing.assert_array_equal(ours.plan.n_racks, theirs.plan.n_racks)
    assert ours.decisions == theirs.decisions
    assert (ours.objective, ours.bound, ours.work) == (theirs.objective, theirs.bound, theirs.work)
    assert (ours.status, ours.stop_reason) == (theirs.status, theirs.stop_reason)
    assert (ours.backend, theirs.backend) == ("cuda", "numpy")


@pytest.mark.parametrize("name", CASES)
def test_the_plan_of_a_toy_is_the_cpus(name: str, tmp_path: Path) -> None:
    world, lowered = world_of(name)
    options = replace(OPTIONS, guide=stored_guide(name, tmp_path))
    theirs, ours = (
        solve_for_objective(world, lowered, replace(options, backend=backend), lambda _: None)
        for backend in ("numpy", "cuda")
    )
    same(ours.solution, theirs.solution)
    assert (ours.npv_cents, ours.statement) == (theirs.npv_cents, theirs.statement)
    assert 0 < launch.tally.n_threads <= MOST_THREADS


@pytest.mark.parametrize(("seed", "judged"), [(11, False), (19, True)])
def test_rounds_of_a_plan_are_the_cpus(seed: int, judged: bool) -> None:
    """Lanes are carried on, judged and given their aims between rounds on what the host fetches."""
    problem = random_problem(seed)
    problem = with_minimum_demands(problem, seed) if judged else problem
    options = replace(OPTIONS, work_limit=97, n_lanes=2)
    ours, theirs = (solve(problem, replace(options, backend=backend)) for backend in ("cuda", "numpy"))
    same(ours, theirs)
    assert ours.work == 2 * 2 * 48


def test_a_round_fetches_once_what_the_host_looks_at(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[tuple[int, ...]] = []
    real = DeviceHome.get

    def get(self: DeviceHome, value: object) -> object:
        if type(value).__name__ == "Seen":
            fetched.append(tuple(part.size for part in value))  # type: ignore[attr-defined]
        return real(self, value)

    monkeypatch.setattr(DeviceHome, "get", get)
    problem = random_problem(15)
    n_racks, n_blocks = problem.n_rows * problem.n_configurations * problem.n_periods, problem.n_blocks
    solve(problem, replace(OPTIONS, backend="cuda"))
    assert fetched == [(3 * n_racks, 3 * n_blocks, 3)] * 2, "once after the construction, once after the round"


def test_scenarios_of_a_batch_are_the_cpus() -> None:
    base = random_problem(4)
    scenarios = [replace(base, contract_amount=base.contract_amount // part) for part in (2, 3)]
    options = BatchOptions(n_processes=1, n_probes=1, most_rounds=1, gap=0.0)
    ours, theirs = (solve_batch(base, scenarios, replace(options, backend=backend)) for backend in ("cuda", "numpy"))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one.plan.n_racks, other.plan.n_racks)
        assert (one.objective, one.bound, one.n_rounds) == (other.objective, other.bound, other.n_rounds)
    assert launch.tally.n_threads > 0


def test_the_command_replays_a_guide_on_the_device(tmp_path: Path) -> None:
    stored_guide("toy-contract", tmp_path)
    documents = []
    for backend in ("numpy", "cuda"):
        out = tmp_path / backend
        command = ["plan", "toy-contract", "--backend", backend, "--guide", tmp_path / GUIDE, "--out", out]
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in (*command, "--lanes", 3, "--work-limit", 12, "--seed", 3)])
        assert ended.value.code == 0
        documents.append(read_json(out / "plan.json"))
        assert read_json(out / "manifest.json")["backend"] == backend
        assert (out / "certificate.json").read_bytes() == (tmp_path / "numpy" / "certificate.json").read_bytes()
    theirs, ours = documents
    assert {**ours, "backend": "", "wall_s": 0} == {**theirs, "backend": "", "wall_s": 0}
