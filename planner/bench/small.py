"""Small worlds to the end: our plan and bound beside HiGHS's optimum, all in whole cents, and the run verified.

Every world passes through the whole pipeline: files, lowering, plan, run folder, checker. HiGHS solves the exported
integer program; its plan is evaluated again in integers, and so is ours.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from planner.bench.judge import judge
from planner.bench.small_world import write_small_world
from planner.export import highs_optimum
from planner.export.highs import HighsError
from planner.lower import lower
from planner.run.create import RunRequest, create_run
from planner.run.document import racks_of_document
from planner.solve.options import SolveOptions, Status, gap
from planner.solve.prove import MOST_COUNTS, n_counts
from planner.verify import verify
from sites.world import load_world

if TYPE_CHECKING:
    from collections.abc import Sequence


_OPTIONS = SolveOptions(work_limit=500, n_lanes=4, n_threads=1)
_PEER_S = 60.0


@dataclass(frozen=True)
class SmallResult:
    """One world."""

    seed: int
    n_sites: int
    n_rows: int
    n_limits: int
    n_counts: int
    """Counts that may ever be more than 0."""
    objective_cents: int
    bound_cents: int
    optimum_cents: int
    """What HiGHS's plan is worth."""
    is_proven: bool
    has_tree: bool
    plan_cpu_s: float
    """Processor time of the run, lowering and report included."""
    faults: tuple[str, ...]
    """What went wrong; empty when bound ≥ optimum ≥ plan, both plans keep every rule and the run verifies."""
    has_peer: bool = True
    """Whether HiGHS brought a plan no worse than ours; where it ended with an error, or short of it, ours stands in."""


@dataclass(frozen=True)
class SmallSummary:
    """All of them."""

    n_worlds: int
    n_small: int
    """With few enough counts for a proof."""
    n_proven: int
    n_trees: int
    plan_gaps: tuple[float, float]
    """(optimum − plan) / optimum: median and worst."""
    bound_gaps: tuple[float, float]
    """(bound − optimum) / bound: median and worst."""
    plan_cpu_s: tuple[float, float]
    """Median and longest."""
    n_faults: int
    n_without_peer: int


def run_small(seed: int) -> SmallResult:
    """Generate a small world, plan it, verify the run, and solve it with HiGHS."""
    with tempfile.TemporaryDirectory(prefix="gigaplan-small-") as scratch:
        world = load_world(str(write_small_world(Path(scratch), seed)))
        problem = lower(world).problem
        started = time.process_time()
        run = create_run(world, RunRequest(Path(scratch) / "run", _OPTIONS), lambda _: None)
        plan_cpu_s = time.process_time() - started
        report = verify(run.folder)
        certificate = json.loads((run.folder / "certificate.json").read_text(encoding="utf-8"))
    objective, bound = int(run.document["objective"]), int(run.document["bound"])
    racks = racks_of_document(run.document, problem.row_names, problem.configuration_names)
    own = judge(problem, racks)
    try:
        others, has_peer = judge(problem, highs_optimum(problem, _PEER_S).n_racks), True
    except HighsError:
        others, has_peer = own, False
    if not own.faults and not others.faults and others.value_cents < own.value_cents:
        others, has_peer = own, False
    faults = [f"verify: {check.name}: {check.detail}" for check in report.checks if not check.ok]
    faults += [f"our plan: {fault}" for fault in own.faults] + [f"HiGHS's plan: {fault}" for fault in others.faults]
    if own.value_cents != objective:
        faults.append(f"our plan is worth {own.value_cents} and stated with {objective}")
    if not bound >= others.value_cents >= objective:
        faults.append(f"bound {bound}, optimum {others.value_cents}, plan {objective}")
    return SmallResult(
        seed=seed, n_sites=len(world.sites), n_rows=problem.n_rows, n_limits=problem.n_limits,
        n_counts=n_counts(problem), objective_cents=objective, bound_cents=bound, optimum_cents=others.value_cents,
        is_proven=run.document["status"] == Status.OPTIMAL, has_tree=bool(certificate["trees"]),
        plan_cpu_s=plan_cpu_s, faults=tuple(faults), has_peer=has_peer,
    )  # fmt: skip


def summarise(results: Sequence[SmallResult]) -> SmallSummary:
    """Count what is proven and what went wrong, and how far plans and bounds are from the optimum."""
    return SmallSummary(
        n_worlds=len(results),
        n_small=sum(one.n_counts <= MOST_COUNTS for one in results),
        n_proven=sum(one.is_proven for one in results),
        n_trees=sum(one.has_tree for one in results),
        plan_gaps=_spread([gap(one.objective_cents, one.optimum_cents) for one in results]),
        bound_gaps=_spread([gap(one.optimum_cents, one.bound_cents) for one in results]),
        plan_cpu_s=_spread([one.plan_cpu_s for one in results]),
        n_faults=sum(bool(one.faults) for one in results),
        n_without_peer=sum(not one.has_peer for one in results),
    )


def _spread(values: Sequence[float]) -> tuple[float, float]:
    """Median and largest."""
    return statistics.median(values), max(values)
