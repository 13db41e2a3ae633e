"""The race: campuses are generated and lowered, every solver runs alone, and its news is judged in integers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.bench.campus import CampusSize, write_campus
from planner.bench.judge import judge
from planner.bench.trace import END, read_end, read_events, read_plan
from planner.bench.worker import REQUEST, write_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.bench.trace import Event
    from planner.problem import Problem

OURS = "gigaplan"
PEERS = ("highs", "cp-sat")
FULL = "full"
"""The integer problem as exported. Reducing like rows to one keeps the optimum of the linear relaxation only, so
there is no reduced form in integers to hand to a peer."""
MARK_SLACK = 1.02
"""News counts at a mark up to this much later, for every solver alike: stopping takes a moment."""
_GRACE_S = 180.0
"""A solver that does not stop by itself is stopped so long after its time limit."""


@dataclass(frozen=True)
class RaceRequest:
    """What to race."""

    size: CampusSize
    seeds: tuple[int, ...]
    times_s: tuple[float, ...]
    """Marks, ascending."""
    peers: tuple[str, ...]
    n_cores: int
    verify: bool = True
    """Whether our longest run of each campus is written and checked as `gigaplan verify` does."""


@dataclass(frozen=True)
class Campus:
    """A generated campus, lowered."""

    seed: int
    n_rows: int
    n_configurations: int
    n_periods: int
    n_limits: int
    n_blocks: int
    lowering_s: float


@dataclass(frozen=True)
class Mark:
    """What a solver had by a time."""

    seed: int
    solver: str
    form: str
    time_s: float
    value_cents: int | None
    """Of its best plan that keeps every rule, in integers; None without one."""
    bound_cents: float | None
    """Ours is proven in integers; a peer's is its own word."""
    status: str
    wall_s: float | None
    """Of the whole run that this was read from; None when it had to be stopped or died."""
    cpu_s: float | None
    """Processor time of that run over all cores; far below cores times seconds, the machine was busy elsewhere."""
    peak_memory_bytes: int | None
    n_refused: int
    """Plans that were better by the solver's word but break a rule."""
    verified: bool | None
    """Whether the checker accepts the run; None where it was not asked."""

    @property
    def gap(self) -> float | None:
        """(bound − value) / |bound|; None while plan or bound is missing."""
        if self.value_cents is None or self.bound_cents is None or not self.bound_cents:
            return None
        return (self.bound_cents - self.value_cents) / abs(self.bound_cents)


@dataclass(frozen=True)
class Race:
    """Everything that was measured."""

    request: RaceRequest
    warm_up_s: float
    """Our first process of all: whatever is not yet compiled is compiled and cached."""
    load_before: float | None
    """Processes that kept the machine busy before the race, mean of a minute; None where the system does not say."""
    campuses: tuple[Campus, ...]
    marks: tuple[Mark, ...]


def race(request: RaceRequest, tell: Callable[[str], None]) -> Race:
    """Run every solver on every campus, one at a time.

    Parameters: request; tell, called with a line for each step. Raises ValueError for a size too small to generate.
    """
    campuses: list[Campus] = []
    marks: list[Mark] = []
    warm_up_s, load_before = 0.0, load_average()
    with tempfile.TemporaryDirectory(prefix="gigaplan-bench-") as scratch:
        for seed in request.seeds:
            folder = Path(scratch) / f"seed-{seed}"
            folder.mkdir()
            campus, problem = _generate(folder, seed, request.size)
            campuses.append(campus)
            tell(
                f"seed {seed}: {campus.n_rows} rows, {campus.n_periods} periods, {campus.n_limits} limits, "
                f"lowered in {campus.lowering_s:.1f} s"
            )
            if len(campuses) == 1:
                warm_up_s = _warm_up(folder, request.n_cores)
                tell(f"kernels compiled or found in the cache: {warm_up_s:.1f} s")
            for solver in (OURS, *request.peers):
                found = _run(folder, problem, seed, solver, request)
                marks.extend(found)
                tell(f"seed {seed}: {solver:8s} " + ", ".join(f"{m.time_s:g} s {_percent(m.gap)}" for m in found))
    return Race(request, warm_up_s, load_before, tuple(campuses), tuple(marks))


def load_average() -> float | None:
    """Processes that were running or waiting, mean of the last minute."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def _percent(share: float | None) -> str:
    return "no gap" if share is None else f"{100 * share:.2f} %"


def _generate(folder: Path, seed: int, size: CampusSize) -> tuple[Campus, Problem]:
    from planner.lower import lower
    from planner.run.create import check_world
    from sites.world import load_world

    world = load_world(write_campus(folder, seed, size))
    check_world(world)
    started = time.monotonic()
    problem = lower(world).problem
    lowering_s = time.monotonic() - started
    write_problem(folder, problem)
    sizes = (problem.n_rows, problem.n_configurations, problem.n_periods, problem.n_limits, problem.n_blocks)
    return Campus(seed, *sizes, lowering_s), problem


def _warm_up(folder: Path, n_cores: int) -> float:
    started = time.monotonic()
    run_alone(folder, OURS, 1.0, n_cores, keep_run=False)
    return time.monotonic() - started


def _run(folder: Path, problem: Problem, seed: int, solver: str, request: RaceRequest) -> list[Mark]:
    """Ours plans anew for each time limit, since it shares its time out; a peer runs once and is read at each mark."""
    longest = request.times_s[-1]
    if solver != OURS:
        trace = run_alone(folder, solver, longest, request.n_cores, keep_run=False)
        return marks_of(problem, trace, seed, solver, request.times_s)
    marks = []
    for limit_s in request.times_s:
        keep_run = request.verify and limit_s == longest
        trace = run_alone(folder, solver, limit_s, request.n_cores, keep_run=keep_run)
        marks += marks_of(problem, trace, seed, solver, [limit_s], verified=_verified(trace) if keep_run else None)
    return marks


def _verified(trace: Path) -> bool:
    from planner.bench.ours import RUN
    from planner.verify import verify

    return (trace / RUN).is_dir() and verify(trace / RUN).ok


def run_alone(folder: Path, solver: str, time_limit_s: float, n_cores: int, *, keep_run: bool) -> Path:
    """Run one solver in its own process and return the folder of its trace."""
    trace = Path(tempfile.mkdtemp(prefix=f"{solver}-", dir=folder))
    content: dict[str, Any] = {
        "solver": solver, "campus": str(folder), "time_limit_s": time_limit_s, "n_cores": n_cores, "keep_run": keep_run,
    }  # fmt: skip
    (trace / REQUEST).write_text(json.dumps(content), encoding="utf-8")
    command = [sys.executable, "-m", "planner.bench.worker", str(trace)]
    with (trace / "output.txt").open("wb") as output:
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=time_limit_s + _GRACE_S,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return trace
    if not (trace / END).exists():
        tail = (trace / "output.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        msg = f"{solver} ended with code {done.returncode}: {' '.join(tail) or 'no message'}"
        if solver == OURS:
            raise RuntimeError(msg)
        (trace / END).write_text(json.dumps({"status": msg}), encoding="utf-8")
    return trace


def marks_of(
    problem: Problem,
    trace: Path,
    seed: int,
    solver: str,
    times_s: Sequence[float],
    *,
    verified: bool | None = None,
) -> list[Mark]:
    """What a trace says at each mark, plans judged in integers.

    Parameters: problem, as lowered; trace, the folder of a solver's news; seed and solver, for the record; times_s,
    seconds; verified, what the checker said of the run.
    """
    events, end = read_events(trace), read_end(trace) or {}
    judged: dict[str, int | None] = {}
    marks = []
    for time_s in times_s:
        known = [event for event in events if event.elapsed_s <= time_s * MARK_SLACK]
        value, n_refused = _best_value(problem, trace, known, judged)
        if solver == OURS and value is None:
            value = max((int(event.claimed_cents) for event in known if event.claimed_cents is not None), default=None)
        bounds = [event.bound_cents for event in known if event.bound_cents is not None]
        marks.append(
            Mark(
                seed, solver, FULL, time_s, value, min(bounds, default=None), str(end.get("status", "stopped by us")),
                end.get("wall_s"), end.get("cpu_s"), end.get("peak_memory_bytes"), n_refused, verified,
            )
        )  # fmt: skip
    return marks


def _best_value(
    problem: Problem, trace: Path, known: Sequence[Event], judged: dict[str, int | None]
) -> tuple[int | None, int]:
    """Value of the newest plan that keeps every rule, and how many newer ones break one."""
    n_refused = 0
    for event in reversed(known):
        if event.plan is None:
            continue
        if event.plan not in judged:
            verdict = judge(problem, read_plan(trace, event.plan))
            judged[event.plan] = None if verdict.faults else verdict.value_cents
        value = judged[event.plan]
        if value is not None:
            return value, n_refused
        n_refused += 1
    return None, n_refused
