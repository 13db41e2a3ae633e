"""The race: campuses are generated and lowered, every solver runs alone, and its news is judged in integers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.bench.campus import CampusSize, write_campus
from planner.bench.judge import judge
from planner.bench.records import OURS, Campus, Keeper, Mark
from planner.bench.reduced import FULL, REDUCED
from planner.bench.trace import END, read_end, read_events, read_plan
from planner.bench.worker import REQUEST, write_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from planner.bench.lifting import Lifter
    from planner.bench.records import Race
    from planner.bench.trace import Event
    from planner.problem import Problem

MARK_SLACK = 1.02
"""News counts at a mark up to this much later, for every solver alike: stopping takes a moment."""
_MESSAGE = 300
"""Characters that are kept of what a solver says when it fails."""
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
    forms: tuple[str, ...] = (FULL, REDUCED)
    """What peers get."""
    long_time_s: float | None = None
    """One more mark for some campuses."""
    long_seeds: tuple[int, ...] = ()
    peer_time_s: float | None = None
    """The longest that a peer runs; later marks are then ours alone."""

    def times_of(self, seed: int, solver: str) -> tuple[float, ...]:
        """Marks of a solver on a campus."""
        times = {*self.times_s, *([self.long_time_s] if self.long_time_s and seed in self.long_seeds else [])}
        most = None if solver == OURS else self.peer_time_s
        return tuple(sorted(time_s for time_s in times if most is None or time_s <= most))

    def entries(self) -> list[tuple[str, str]]:
        """Every solver and the form that it gets, in the order in which they run."""
        return [(OURS, FULL), *((peer, form) for peer in self.peers for form in self.forms)]


def race(request: RaceRequest, folder: Path, tell: Callable[[str], None]) -> Race:
    """Run every solver on every campus, one at a time, unless the folder keeps its marks already.

    Parameters: request; folder, where finished marks are kept; tell, called with a line for each step. Raises
    ValueError for a size too small to generate, ForeignRaceError where the folder keeps another race.
    """
    keeper = Keeper(folder, _about(request))
    for seed in request.seeds:
        missing = [
            (solver, form) for solver, form in request.entries()
            if not keeper.has(seed, solver, form, request.times_of(seed, solver))
        ]  # fmt: skip
        if missing:
            with tempfile.TemporaryDirectory(prefix="gigaplan-bench-") as scratch:
                _race_campus(request, keeper, seed, missing, Path(scratch), tell)
    return keeper.race(request.size, request.n_cores)


def _about(request: RaceRequest) -> dict[str, Any]:
    from planner.bench.summary import all_versions
    from planner.run.manifest import machine

    return {"size": asdict(request.size), "cores": request.n_cores, "machine": machine(), "versions": all_versions()}


def _race_campus(
    request: RaceRequest, keeper: Keeper, seed: int, entries: list[tuple[str, str]], folder: Path,
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    load_before = load_average()
    campus, problem = _generate(folder, seed, request.size)
    keeper.keep_campus(campus)
    tell(
        f"seed {seed}: {campus.n_rows} rows, {campus.n_periods} periods, {campus.n_limits} limits, "
        f"lowered in {campus.lowering_s:.1f} s"
    )
    if not keeper.warm_up_s:
        keeper.started(_warm_up(folder, request.n_cores), load_before)
        tell(f"kernels compiled or found in the cache: {keeper.warm_up_s:.1f} s")
    lifter: list[Lifter] = []
    for solver, form in entries:
        times = [t for t in request.times_of(seed, solver) if not keeper.has(seed, solver, form, [t])]
        if solver == OURS:
            found = _run_ours(folder, problem, seed, times, request, keeper)
        else:
            if form == REDUCED and not lifter:
                lifter.append(_lifter(problem))
            # A peer is read at every mark of one run, those that were kept before too.
            trace = run_alone(folder, solver, times[-1], request.n_cores, keep_run=False, form=form)
            times = [t for t in request.times_of(seed, solver) if t <= times[-1]]
            found = marks_of(problem, trace, seed, solver, times, form=form, lifter=lifter[0] if lifter else None)
            keeper.keep(found)
        tell(f"seed {seed}: {solver:9s} {form:7s} " + ", ".join(f"{m.time_s:g} s {_told(m)}" for m in found))


def peer_marks(problem: Problem, solver: str, form: str, times_s: Sequence[float], n_cores: int) -> list[Mark]:
    """What a peer has on one problem at some seconds, its plans judged in integers.

    Parameters: problem, as lowered; solver, one of `records.PEERS`, which must be installed; form, one of
    `reduced.FORMS`; times_s, ascending; n_cores, threads.
    """
    with tempfile.TemporaryDirectory(prefix="gigaplan-peer-") as scratch:
        folder = Path(scratch)
        write_problem(folder, problem)
        trace = run_alone(folder, solver, times_s[-1], n_cores, keep_run=False, form=form)
        lifter = _lifter(problem) if form == REDUCED else None
        return marks_of(problem, trace, 0, solver, times_s, form=form, lifter=lifter)


def _lifter(problem: Problem) -> Lifter:
    from planner.bench.lifting import Lifter

    return Lifter(problem)


def load_average() -> float | None:
    """Processes that were running or waiting, mean of the last minute."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def _told(mark: Mark) -> str:
    if mark.gap is not None:
        return f"{100 * mark.gap:.2f} %"
    return "nothing" if mark.bound_cents is None else f"bound {mark.bound_cents / 1e11:.3f} billion"


def _generate(folder: Path, seed: int, size: CampusSize) -> tuple[Campus, Problem]:
    started = time.monotonic()
    problem = generated_problem(folder, seed, size)
    lowering_s = time.monotonic() - started
    write_problem(folder, problem)
    sizes = (problem.n_rows, problem.n_configurations, problem.n_periods, problem.n_limits, problem.n_blocks)
    return Campus(seed, *sizes, lowering_s), problem


def generated_problem(folder: Path, seed: int, size: CampusSize) -> Problem:
    """A campus written to an existing folder, checked and lowered."""
    return lowered_problem(write_campus(folder, seed, size))


def lowered_problem(portfolio: Path) -> Problem:
    """A portfolio's file loaded, checked and lowered."""
    from planner.lower import lower
    from planner.run.create import check_world
    from sites.world import load_world

    world = load_world(portfolio)
    check_world(world)
    return lower(world).problem


def _warm_up(folder: Path, n_cores: int) -> float:
    started = time.monotonic()
    run_alone(folder, OURS, 1.0, n_cores, keep_run=False)
    return time.monotonic() - started


def _run_ours(
    folder: Path, problem: Problem, seed: int, times_s: Sequence[float], request: RaceRequest, keeper: Keeper
) -> list[Mark]:
    """Plan anew for each time limit, since ours shares its time out."""
    marks = []
    for limit_s in times_s:
        keep_run = request.verify and limit_s == times_s[-1]
        trace = run_alone(folder, OURS, limit_s, request.n_cores, keep_run=keep_run)
        found = marks_of(problem, trace, seed, OURS, [limit_s], verified=_verified(trace) if keep_run else None)
        keeper.keep(found)
        marks += found
    return marks


def _verified(trace: Path) -> bool:
    from planner.bench.ours import RUN
    from planner.verify import verify

    return (trace / RUN).is_dir() and verify(trace / RUN).ok


def run_alone(
    folder: Path, solver: str, time_limit_s: float, n_cores: int, *, keep_run: bool, form: str = FULL
) -> Path:
    """Run one solver in its own process and return the folder of its trace."""
    trace = Path(tempfile.mkdtemp(prefix=f"{solver}-", dir=folder))
    content: dict[str, Any] = {
        "solver": solver, "campus": str(folder), "time_limit_s": time_limit_s, "n_cores": n_cores,
        "keep_run": keep_run, "form": form,
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
        msg = f"{solver} ended with code {done.returncode}: {' '.join(tail)[:_MESSAGE] or 'no message'}"
        if solver == OURS:
            raise RuntimeError(msg)
        (trace / END).write_text(json.dumps({"status": msg}), encoding="utf-8")
    return trace


def marks_of(
    problem: Problem, trace: Path, seed: int, solver: str, times_s: Sequence[float], *, form: str = FULL,
    verified: bool | None = None, lifter: Lifter | None = None,
) -> list[Mark]:  # fmt: skip
    """What a trace says at each mark, plans judged in integers.

    Parameters: problem, as lowered; trace, the folder of a solver's news; seed, solver and form, for the record;
    times_s, seconds; verified, what the checker said of the run; lifter, which the reduced form needs.
    """
    events, end = read_events(trace), read_end(trace) or {}
    judged: dict[str, int | None] = {}
    marks: list[Mark] = []
    for time_s in times_s:
        known = [event for event in events if event.elapsed_s <= time_s * MARK_SLACK]
        value, n_refused = _best_value(problem, trace, known, judged, lifter if form == REDUCED else None)
        if solver == OURS and value is None:
            value = max((int(event.claimed_cents) for event in known if event.claimed_cents is not None), default=None)
        if marks:
            # A better answer to the reduced form may give a worse plan: the better plan is kept.
            value = max((one for one in (value, marks[-1].value_cents) if one is not None), default=None)
        bounds = [event.bound_cents for event in known if event.bound_cents is not None]
        marks.append(
            Mark(
                seed, solver, form, time_s, value, min(bounds, default=None), str(end.get("status", "stopped by us")),
                end.get("wall_s"), end.get("cpu_s"), end.get("peak_memory_bytes"), n_refused, verified,
            )
        )  # fmt: skip
    return marks


def _best_value(
    problem: Problem, trace: Path, known: Sequence[Event], judged: dict[str, int | None], lifter: Lifter | None
) -> tuple[int | None, int]:
    """Value of the newest plan that keeps every rule, and how many newer ones break one."""
    n_refused = 0
    for event in reversed(known):
        if event.plan is None:
            continue
        if event.plan not in judged:
            judged[event.plan] = _value(problem, read_plan(trace, event.plan), lifter)
        value = judged[event.plan]
        if value is not None:
            return value, n_refused
        n_refused += 1
    return None, n_refused


def _value(problem: Problem, answer: NDArray[Any], lifter: Lifter | None) -> int | None:
    verdict = judge(problem, answer if lifter is None else lifter.plan(answer))
    return None if verdict.faults else verdict.value_cents
