"""The leaves of a proof: a node's multipliers on a grid, and what they prove within its box, in exact integers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import SHARE_BITS
from planner.side.prices import no_prices
from planner.side.repair import repaired
from planner.solve.certificate import Certificate, block_prices, joint_term, multiples_of_grid, reduced_values
from planner.solve.proof.box import held_periods, tightest, undecided
from planner.solve.proof.program import MONEY_CENTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import MinimumDemand, Problem
    from planner.solve.proof.box import Box
    from planner.solve.proof.oracle import Choices
    from planner.solve.proof.program import NodeProgram

GRID_BITS = 50
"""Multipliers of leaves lie on the grid 2^-50: a contract's amount times half a step stays below a cent."""
_LARGEST_CONTRACT_PRICE = 2.0**12
_OF_A_LEAF = ("scale_bits", "limits", "inside", "whole", "monotone", "open", "units", "contract", "demand", "side")


@dataclass(frozen=True)
class Leaf:
    """Multipliers of a branch."""

    proof: Certificate
    sides: tuple[int, ...]
    """Of every side of a total from the root on."""

    def without_demand(self, problem: Problem, box: Box) -> Leaf:
        """The same with no multiplier on demand, so that shortfalls count as the branch leaves them, in whole cents.

        What the multiplier paid for the racks that a site holds at the least, their sides pay now.
        """
        sides = list(self.sides)
        for demand, prices in zip(problem.minimum_demands, self.proof.demand, strict=True):
            least: dict[tuple[int, int], int] = {}
            for place, side in enumerate(box.sides):
                if side.is_above and side.total.row_idx == demand.row_idx and len(side.total.configuration_idx) == 1:
                    key = (side.total.configuration_idx[0], side.total.period)
                    if key not in least or box.sides[least[key]].count < side.count:
                        least[key] = place
            for (configuration, period), place in least.items():
                sides[place] += prices[period] * demand.draw_scaled[configuration] >> SHARE_BITS
        nothing = tuple(tuple(0 for _ in of_site) for of_site in self.proof.demand)
        return Leaf(replace(self.proof, demand=nothing), tuple(sides))

    def to_json(self, problem: Problem) -> dict[str, Any]:
        """The file's form."""
        content = self.proof.to_json(problem)
        return {key: content[key] for key in _OF_A_LEAF if key in content} | {
            "sides": [str(price) for price in self.sides]
        }


def leaf_of(program: NodeProgram, box: Box, racks: NDArray[np.float64]) -> Leaf:
    """Round the program's multipliers to the grid; any rounding keeps the bound valid.

    Parameters: racks, [n_rows, n_configurations, n_periods] that the program's solution mixes.
    """
    problem, dual, grid = program.problem, np.maximum(program.dual, 0.0), 2.0**GRID_BITS
    cents = MONEY_CENTS * grid
    of_limit = cents * 2.0**SHARE_BITS / program.scale
    inside = _at(dual, program.inside_row) * of_limit[:, None, None]
    limit = _whole(_at(dual, program.limit_row) * of_limit[:, None])
    return Leaf(
        Certificate(
            limit=limit,
            inside={int(limit): _whole(inside[limit]) for limit in np.flatnonzero(inside.any(axis=(1, 2)))},
            monotone=_whole(_later(dual, program.monotone_row) * cents),
            opening=_whole(_later(dual, program.opening_row) * cents),
            units=_whole(_later(dual, program.unit_row) * cents),
            contract_period=_whole(
                np.minimum(dual[program.revenue_row], _LARGEST_CONTRACT_PRICE) * grid
            ).astype(np.int64),
            contract_amount=int(_whole(dual[program.amount_row] * grid)[0]),
            demand=tuple(
                tuple(int(price * part) for price, part in zip(one.price_cents_per_w, parts, strict=True))
                for one, parts in zip(
                    problem.minimum_demands, _whole(np.minimum(dual[program.demand_row], 1.0) * grid), strict=True
                )
            ),
            side=_side_prices(program, box, limit, racks),
            grid_bits=GRID_BITS,
        ),
        _sides(program, box, cents),
    )  # fmt: skip


def _side_prices(
    program: NodeProgram, box: Box, limit: NDArray[np.object_], racks: NDArray[np.float64]
) -> NDArray[np.object_]:
    """Of the side program's rows, moved to where its columns earn nothing of their own."""
    if program.side_terms is None:
        return no_prices(program.problem)
    cents = program.side_terms.price_cents(np.maximum(program.dual[program.side_row], 0.0) * MONEY_CENTS)
    free = undecided(program.problem, box)
    return repaired(program.problem, _whole(cents * 2.0**GRID_BITS), limit, GRID_BITS, racks, free)


def _sides(program: NodeProgram, box: Box, cents: float) -> tuple[int, ...]:
    """A sum's multiplier goes to the tightest side that its sign speaks of."""
    least, most = tightest(box)
    found, taken = [0] * len(box.sides), set()
    for place, side in enumerate(box.sides):
        price = program.price_of(side.total) * (-1.0 if side.is_above else 1.0)
        held = (least if side.is_above else most)[side.total]
        key = (side.total, side.is_above)
        if price > 0 and side.count == held and key not in taken:
            found[place] = int(_whole(np.array([price * cents]))[0])
            taken.add(key)
    return tuple(found)


def bound_cents(problem: Problem, choices: Choices, box: Box, leaf: Leaf) -> int | None:
    """What no plan in the box exceeds, rounded down to the cent; None where the box leaves some block nothing."""
    proof = leaf.proof
    if (box.decided[0] > box.decided[1]).any():
        return None
    reduced, total = reduced_values(problem, proof), joint_term(problem, proof, box.decided)
    for side, price in zip(box.sides, leaf.sides, strict=True):
        if price:
            signed = price << SHARE_BITS if side.is_above else -(price << SHARE_BITS)
            reduced[np.ix_(side.total.row_idx, side.total.configuration_idx, (side.total.period,))] += signed
            total -= signed * side.count
    held, unit_cost = block_prices(problem, proof)
    total -= _least_shortfalls(problem, choices, box, proof) << proof.value_bits
    for period in range(problem.n_periods):
        price = reduced[:, :, period].tolist()
        for block in range(problem.n_blocks):
            own = (held[block, :, period].tolist(), unit_cost[block, :, period].tolist())
            best = _best_exact(choices, box, (block, period), price, own)
            if best is None:
                return None
            total += best
    return int(total >> proof.value_bits)


def _best_exact(
    choices: Choices, box: Box, place: tuple[int, int], price: list[list[int]], of_system: tuple[list[int], list[int]]
) -> int | None:
    """The best that a block may hold in a period.

    Parameters: place, block and period; price by row and configuration; of_system, gain by holding a system, and cost
    of each of its units.
    """
    block, period = place
    best = None if box.filled[block, period] else 0
    for system, (gain, unit_cost) in enumerate(zip(*of_system, strict=True)):
        choice = choices.of(box, block, system, period)
        worth = None if choice is None else choice.best_exact(price, unit_cost)
        if worth is not None:
            best = worth + gain if best is None else max(best, worth + gain)
    return best


def _least_shortfalls(problem: Problem, choices: Choices, box: Box, proof: Certificate) -> int:
    """Cents that shortfalls without a multiplier cost at the least, by what can be drawn in the box at the most."""
    total = 0
    for demand, prices in zip(problem.minimum_demands, proof.demand, strict=True):
        for period, (price, minimum_w) in enumerate(zip(prices, demand.minimum_w, strict=True)):
            if price or not minimum_w:
                continue
            missing = (minimum_w << SHARE_BITS) - _most_drawn(problem, choices, box, demand, period)
            total += ceil(demand.price_cents_per_w[period] * max(0, missing) / (1 << SHARE_BITS))
    return total


def _most_drawn(problem: Problem, choices: Choices, box: Box, demand: MinimumDemand, period: int) -> int:
    """Watts, scaled by 2^20: block by block, or configuration by configuration where sides hold a site's totals."""

    def most(draw: tuple[int, ...]) -> int:
        price = [[0] * problem.n_configurations for _ in range(problem.n_rows)]
        for row in demand.row_idx:
            price[row] = list(draw)
        nothing = ([0] * problem.n_systems, [0] * problem.n_systems)
        found = [_best_exact(choices, box, (block, period), price, nothing) for block in range(problem.n_blocks)]
        return sum(one or 0 for one in found)

    by_configuration = 0
    for configuration, draw in enumerate(demand.draw_scaled):
        n_racks = most(tuple(int(k == configuration) for k in range(problem.n_configurations)))
        for side in box.sides:
            total = side.total
            is_own = total.row_idx == demand.row_idx and total.configuration_idx == (configuration,)
            if is_own and not side.is_above and period in held_periods(problem, side):
                n_racks = min(n_racks, side.count)
        by_configuration += draw * n_racks
    return min(most(demand.draw_scaled), by_configuration)


def _at(dual: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(rows >= 0, dual[rows], 0.0)


def _later(dual: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Multipliers from the second period on, 0 in the first."""
    return np.concatenate((np.zeros((*rows.shape[:2], 1)), dual[rows]), axis=2)


def _whole(value: NDArray[np.float64]) -> NDArray[np.object_]:
    return multiples_of_grid(np.round(value))


def nothing(problem: Problem, box: Box) -> Leaf:
    """A leaf of a branch that holds no plan, which needs no multipliers."""
    of_rows = np.zeros((problem.n_rows, problem.n_systems, problem.n_periods), object)
    of_blocks = np.zeros((problem.n_blocks, problem.n_systems, problem.n_periods), object)
    proof = Certificate(
        limit=np.zeros((problem.n_limits, problem.n_periods), object), inside={}, monotone=of_rows,
        opening=of_blocks, units=of_blocks, contract_period=np.zeros(problem.n_periods, np.int64), contract_amount=0,
        demand=tuple((0,) * problem.n_periods for _ in problem.minimum_demands), side=no_prices(problem),
        grid_bits=GRID_BITS,
    )  # fmt: skip
    return Leaf(proof, (0,) * len(box.sides))
