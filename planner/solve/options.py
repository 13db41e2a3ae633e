"""What a caller may ask of the solver, and what it reports on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.solve.guide import Guide

DEFAULT_WORK_LIMIT = 100_000
"""Search steps times lanes."""


class Status(StrEnum):
    """What is known of a plan."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"


class StopReason(StrEnum):
    """Why the search ended."""

    WORK_LIMIT = "work-limit"
    TIME_LIMIT = "time-limit"
    INTERRUPTED = "interrupted"
    OPTIMAL = "optimal"
    GAP = "gap"
    """The gap that was asked for is proven."""
    INFEASIBLE = "infeasible"


@dataclass(frozen=True)
class SolveOptions:
    """Limits and choices of one solve."""

    backend: str = "auto"
    seed: int = 0
    time_limit_s: float | None = None
    """Wall-clock limit of the whole solve; the best plan found by then is kept."""
    work_limit: int | None = None
    """Search steps times lanes; the same limit gives the same integers on every backend and thread count."""
    gap: float | None = None
    """Proven gap, as a share of the bound, at which to stop; None: go on to the other limits."""
    n_lanes: int = 8
    n_threads: int = 2
    bound: str = "auto"
    """Where the first multipliers come from: `columns`, `first-order`, or `auto` by the size of the relaxation."""
    guide: Guide | None = None
    """A stored guide to replay in place of the relaxation's own."""

    def is_close_enough(self, objective: int, bound: int) -> bool:
        """Whether the gap that was asked for is proven."""
        return self.gap is not None and gap(objective, bound) <= self.gap

    @property
    def work(self) -> int | None:
        """The work limit in force: the default only where neither limit is given."""
        if self.work_limit is None and self.time_limit_s is None:
            return DEFAULT_WORK_LIMIT
        return self.work_limit


@dataclass(frozen=True)
class Progress:
    """Where a solve stands."""

    stage: str
    elapsed_s: float
    work: int
    objective: int | None
    """Best plan so far, cents (the last digits may still be rounded by the contract's premium)."""
    bound: int | None
    """Proven bound, cents."""

    @property
    def gap(self) -> float | None:
        """Distance of plan and bound as a share of the bound; None where the bound is zero and the plan is not."""
        if self.objective is None or self.bound is None:
            return None
        share = gap(self.objective, self.bound)
        return share if math.isfinite(share) else None


def gap(objective: int, bound: int) -> float:
    """(bound − objective) / |bound|; 0 where both are equal."""
    if bound == objective:
        return 0.0
    return (bound - objective) / abs(bound) if bound else float("inf")
