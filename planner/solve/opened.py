"""What openings cost a plan, and what they take from a bound (model, sections 6a and 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.problem import Opening, Problem


def opened_in(opening: Opening, held: NDArray[np.bool_]) -> int | None:
    """The period in which the first rack stands in one of its blocks, or None.

    Parameters: held, [n_blocks, n_periods] whether a block holds a rack.
    """
    standing = np.flatnonzero(held[list(opening.block_idx)].any(axis=0))
    return int(standing[0]) if standing.size else None


def opening_cents(problem: Problem, held: NDArray[np.bool_]) -> int:
    """What a plan pays for openings, each once.

    Parameters: held, [n_blocks, n_periods] whether a block holds a rack.
    """
    pairs = ((one, opened_in(one, held)) for one in problem.openings)
    return sum(one.cost[period] for one, period in pairs if period is not None)


def blocks_term(problem: Problem, worth: Sequence[Sequence[int]], value_bits: int) -> int:
    """What blocks add to a bound: every block's best in every period, and of an opening's no more than it leaves.

    An opening's blocks hold nothing before some period and pay its cost then, or they never hold anything: they add
    max(0, max over t of what they add from t on − cost[t]).
    Parameters: worth, by block and period, 0 or more, in 2^-value_bits cents.
    """
    opened = {block for one in problem.openings for block in one.block_idx}
    total = sum(sum(own) for block, own in enumerate(worth) if block not in opened)
    return total + sum(_opening_term(one, worth, value_bits) for one in problem.openings)


def _opening_term(opening: Opening, worth: Sequence[Sequence[int]], value_bits: int) -> int:
    best = from_here = 0
    for period in reversed(range(len(opening.cost))):
        from_here += sum(worth[block][period] for block in opening.block_idx)
        best = max(best, from_here - (opening.cost[period] << value_bits))
    return best
