"""One solver in a process of its own: `python -m planner.bench.worker REQUEST`.

Solvers do not share a process: the libraries of HiGHS and OR-Tools do not load together, and none shall find the
caches, threads or memory of another.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.bench.trace import TraceWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.problem import Problem

PROBLEM = "problem.pickle"
REQUEST = "request.json"
_PEERS = {
    "highs": ("highs", "solve_highs"),
    "highs-ipm": ("highs", "solve_highs_ipm"),
    "cp-sat": ("cp_sat", "solve_cp_sat"),
    "pdlp": ("pdlp", "solve_pdlp"),
}


def work(folder: Path) -> None:
    """Do what `request.json` in a folder asks, and write the trace beside it."""
    request: dict[str, Any] = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    _keep_to_cores(int(request["n_cores"]))
    trace = TraceWriter(folder)
    trace.end(_solve(request, trace))


def _keep_to_cores(n_cores: int) -> None:
    """Whatever threads a solver starts, it has these cores and no more (where the system can say so)."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n_cores])


def _solve(request: dict[str, Any], trace: TraceWriter) -> str:
    time_limit_s, n_cores = float(request["time_limit_s"]), int(request["n_cores"])
    solver, campus = request["solver"], Path(request["campus"])
    if solver == "gigaplan" and request["keep_run"]:
        from planner.bench.ours import solve_to_folder

        return solve_to_folder(campus / "portfolio.yaml", trace, time_limit_s, n_cores)
    problem = read_problem(campus)
    if solver == "gigaplan":
        from planner.bench.ours import solve_alone

        return solve_alone(problem, trace, time_limit_s, n_cores)
    solve: Callable[[Problem, str, TraceWriter, float, int], str]
    module, function = _PEERS[solver]
    solve = getattr(import_module(f"planner.bench.{module}"), function)
    return solve(problem, request["form"], trace, time_limit_s, n_cores)


def write_problem(campus: Path, problem: Problem) -> None:
    """Keep a lowered problem beside its campus, for the processes of this race."""
    with (campus / PROBLEM).open("wb") as file:
        pickle.dump(problem, file)


def read_problem(campus: Path) -> Problem:
    """The lowered problem that `write_problem` kept."""
    with (campus / PROBLEM).open("rb") as file:
        problem: Problem = pickle.load(file)
    return problem


if __name__ == "__main__":
    work(Path(sys.argv[1]))
