"""The objective of a plan by its parts, in cents, from section 7 of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import SHARE_BITS
from planner.run.totals import contract_use, system_counts
from planner.side.decide import best_decisions
from planner.side.worth import worth_cents
from planner.solve.demand import shortfall_cents
from planner.solve.opened import opening_cents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from planner.lower.refresh import Refreshes
    from planner.problem import Problem


@dataclass(frozen=True)
class UnitCount:
    """Scalable units of a system paid for in a block by a period."""

    block: str
    system: str
    period: str
    n_units: int


@dataclass(frozen=True)
class Money:
    """Terms of the objective; costs are positive and subtracted."""

    period_value_cents: int
    start_value_cents: int
    open_cost_cents: int
    unit_cost_cents: int
    premium_cents: int
    minimum_demand_cents: int
    contract_amount_cents: int
    contract_used_cents: int
    rack_spend_cents: int
    decisions_cents: int | None = None
    """What is decided beside the racks earns; None without a side program and constant."""
    constant_cents: int | None = None
    """What every plan earns or pays alike; None without a side program and constant."""
    opening_cents: int | None = None
    """What sites and phases cost to open; None without such openings."""

    @property
    def objective_cents(self) -> int:
        """What the parts add up to."""
        earned = self.period_value_cents + self.start_value_cents + self.premium_cents
        earned += (self.decisions_cents or 0) + (self.constant_cents or 0)
        spent = self.open_cost_cents + self.unit_cost_cents + self.minimum_demand_cents
        return earned - spent - (self.opening_cents or 0)


def money(
    problem: Problem,
    n_racks: NDArray[np.int32],
    rack_price_cents: Sequence[int],
    decisions: Mapping[str, int] | None = None,
) -> Money:
    """Evaluate the objective of a plan by parts.

    Parameters: problem; n_racks, standing racks, [n_rows, n_configurations, n_periods]; rack_price_cents of each
    system, for the undiscounted spend that the objective does not hold; decisions, by name of a column of the side
    program, the best ones where None.
    """
    standing = np.asarray(n_racks, dtype=np.int64)
    counts = system_counts(problem, n_racks)
    started = np.diff(counts, axis=2, prepend=0)
    units = unit_numbers(problem, counts)
    held = block_counts(problem, counts).sum(axis=1) > 0
    opened = np.diff(held.astype(np.int64), axis=1, prepend=0)
    _, used = contract_use(problem, n_racks)
    by_system = started.sum(axis=(0, 2))
    has_beside = problem.side is not None or problem.constant_cents != 0
    return Money(
        period_value_cents=int((problem.period_value * standing).sum()),
        start_value_cents=int((problem.start_value * started).sum()),
        open_cost_cents=int((problem.open_cost * opened).sum()),
        unit_cost_cents=int((problem.unit_cost * np.diff(units, axis=2, prepend=0)).sum()),
        premium_cents=sum(int(rate) * q for rate, q in zip(problem.contract_rate, used, strict=True)) >> SHARE_BITS,
        minimum_demand_cents=shortfall_cents(problem, standing),
        contract_amount_cents=problem.contract_amount,
        contract_used_cents=sum(used),
        rack_spend_cents=sum(int(n) * price for n, price in zip(by_system, rack_price_cents, strict=True)),
        decisions_cents=_decisions_cents(problem, n_racks, decisions) if has_beside else None,
        constant_cents=problem.constant_cents if has_beside else None,
        opening_cents=opening_cents(problem, held) if problem.openings else None,
    )


def _decisions_cents(problem: Problem, n_racks: NDArray[np.int32], decisions: Mapping[str, int] | None) -> int:
    best = best_decisions(problem, n_racks) if decisions is None else None
    named = best.named if best is not None else decisions or {}
    side = problem.side
    return 0 if side is None else worth_cents(side, [named.get(name, 0) for name in side.column_names])


def unit_counts(problem: Problem, n_racks: NDArray[np.int32], refreshes: Refreshes) -> tuple[UnitCount, ...]:
    """Scalable units paid for, wherever above zero, in order of block, system and period.

    Those of a refresh are units of the old system before it and of the new one from then on.
    """
    units = unit_numbers(problem, system_counts(problem, n_racks))
    n_offered = len(refreshes.offer.systems)
    found = []
    for b, s, t in zip(*np.nonzero(units), strict=True):
        own, n_units = int(s), int(units[b, s, t])
        if own >= n_offered:
            option = refreshes.options[own - n_offered]
            system = option.refresh.before if t < option.begins else option.refresh.after
            own = refreshes.offer.systems.index(system)
            n_units *= int(problem.unit_racks[s] // problem.unit_racks[own])
        found.append(UnitCount(problem.block_names[b], problem.system_names[own], problem.periods[t], n_units))
    return tuple(found)


def block_counts(problem: Problem, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Standing racks of each system in each block, [n_blocks, n_systems, n_periods]."""
    blocks = np.zeros((problem.n_blocks, problem.n_systems, problem.n_periods), dtype=np.int64)
    np.add.at(blocks, problem.block_of_row_idx, counts)
    return blocks


def unit_numbers(problem: Problem, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Scalable units paid for, [n_blocks, n_systems, n_periods]."""
    units: NDArray[np.int64] = -(-block_counts(problem, counts) // problem.unit_racks[None, :, None])
    return units
