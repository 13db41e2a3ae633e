"""Which relaxation a problem gets: columns where much is alike, the first-order iteration where little is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.solve.first_order.bound import FirstOrderOptions, first_order_bound
from planner.solve.relaxation import relax

if TYPE_CHECKING:
    from planner.problem import Problem
    from planner.solve.classes import Classes
    from planner.solve.patterns import RowPatterns
    from planner.solve.relaxation import Relaxation

BOUNDS = ("auto", "columns", "first-order")
MOST_COVERED = 3_000
"""Row classes times configurations times periods up to which columns are generated: so many rows of the master are
covered by fillings. HiGHS takes some seconds there, a minute at three times as many; the iteration's time is in
proportion."""


class BoundError(ValueError):
    """A way to the bound is asked for that the problem does not have."""


def uses_columns(problem: Problem, classes: Classes, bound: str = "auto") -> bool:
    """Whether columns are generated. The rule looks at numbers of the problem only, never at time.

    The iteration knows no side program: columns it is where there is one.
    Parameters: classes, over which the relaxation would be solved; bound, one of `BOUNDS`. Raises ValueError for
    another, and BoundError where the iteration is asked for beside a side program.
    """
    if bound not in BOUNDS:
        msg = f"found bound '{bound}'; choose one of {', '.join(BOUNDS)}"
        raise ValueError(msg)
    if problem.side is not None:
        if bound == "first-order":
            msg = (
                "found bound 'first-order' for a portfolio with workloads or terms of a contract, which that bound "
                "does not know; choose 'columns' or 'auto'"
            )
            raise BoundError(msg)
        return True
    if bound != "auto":
        return bound == "columns"
    return classes.counts[0] * problem.n_configurations * problem.n_periods <= MOST_COVERED


def chosen_relaxation(
    problem: Problem,
    patterns: RowPatterns,
    classes: Classes,
    bound: str = "auto",
    time_limit_s: float | None = None,
    backend: str = "auto",
) -> Relaxation:
    """The relaxation by the method that suits the problem, or the one that is asked for.

    Parameters: classes; bound, one of `BOUNDS`; time_limit_s, of which at most half is used; backend, for the
    iteration.
    """
    if uses_columns(problem, classes, bound):
        return relax(problem, patterns, classes, time_limit_s)
    options = FirstOrderOptions(backend=backend)
    return first_order_bound(problem, patterns, classes, options, time_limit_s).relaxation
