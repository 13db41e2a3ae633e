"""Gigaplan in the race: the whole solve of the command `plan`, on backend `numba`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.bench.trace import read_events

if TYPE_CHECKING:
    from pathlib import Path

    from planner.bench.trace import TraceWriter
    from planner.problem import Problem
    from planner.solve.options import Progress, SolveOptions

RUN = "run"
_SOLVING = frozenset({"relaxation", "bound", "search"})


def options(time_limit_s: float, n_cores: int) -> SolveOptions:
    """How we take part.

    Parameters: time_limit_s, seconds; n_cores, threads of the search.
    """
    from planner.solve.options import SolveOptions

    return SolveOptions(backend="numba", time_limit_s=time_limit_s, n_threads=n_cores)


def solve_alone(problem: Problem, trace: TraceWriter, time_limit_s: float, n_cores: int) -> str:
    """Solve a lowered problem; returns why it ended."""
    from planner.solve.solve import solve

    trace.start()
    solution = solve(problem, options(time_limit_s, n_cores), lambda progress: _tell(trace, progress))
    trace.news(solution.objective, solution.bound, solution.plan.n_racks, solution.wall_s)
    return str(solution.stop_reason)


def solve_to_folder(campus: Path, trace: TraceWriter, time_limit_s: float, n_cores: int) -> str:
    """Plan a generated campus as the command `plan` does, so that the run can be verified.

    Parameters: campus, its portfolio file. The run is written to `run` in the trace's folder.
    """
    from planner.run.create import RunRequest, create_run
    from sites.world import load_world

    request = RunRequest(trace.folder / RUN, options(time_limit_s, n_cores))
    run = create_run(load_world(campus), request, lambda progress: _tell(trace, progress))
    last = read_events(trace.folder)[-1]
    if last.claimed_cents != run.document["objective"]:
        trace.news(run.document["objective"], run.document["bound"], elapsed_s=run.document["wall_s"])
    return str(run.document["stop_reason"])


def _tell(trace: TraceWriter, progress: Progress) -> None:
    if progress.stage in _SOLVING:
        trace.news(progress.objective, progress.bound, elapsed_s=progress.elapsed_s)
