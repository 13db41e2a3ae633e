"""The certificate: integer multipliers, and the bound that they prove, in exact integers.

`docs/model.md` section 8 is the formula; `planner.verify` evaluates the same multipliers with code of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import INACTIVE, MULTIPLIER_BITS, SHARE_BITS
from planner.side.prices import bound_term, rack_value
from planner.side.repair import repaired
from planner.solve.block_totals import BlockTotals, stated_limits
from planner.solve.block_worth import block_worths
from planner.solve.opened import blocks_term
from planner.solve.packing import effective_values
from planner.solve.patterns import limits_inside_blocks, single_row_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.side.prices import Held
    from planner.solve.patterns import RowPatterns
    from planner.solve.relaxation import Relaxation

SCALE_BITS = MULTIPLIER_BITS + SHARE_BITS
"""Bounds are summed in 2^-50 cents, where multipliers are on the grid 2^-30."""


@dataclass(frozen=True)
class Certificate:
    """Non-negative multipliers on a grid, 2^-30 outside trees."""

    limit: NDArray[np.object_]
    """[n_limits, n_periods] cents for one unit of the limit; 0 where it touches a single row or is inactive."""
    inside: dict[int, NDArray[np.object_]]
    """By limit that lies inside one block: [n_systems, n_periods], for the block while it holds the system."""
    monotone: NDArray[np.object_]
    """[n_rows, n_systems, n_periods]"""
    opening: NDArray[np.object_]
    """[n_blocks, n_systems, n_periods]"""
    units: NDArray[np.object_]
    """[n_blocks, n_systems, n_periods]"""
    contract_period: NDArray[np.int64]
    """[n_periods]"""
    contract_amount: int
    demand: tuple[tuple[int, ...], ...] = ()
    """[n_minimum_demands, n_periods] cents for one watt of demand, no more than its price."""
    whole: dict[int, NDArray[np.bool_]] = field(default_factory=dict)
    """By limit that lies inside one block: [n_systems, n_periods] where whole racks of the block have to keep it."""
    side: NDArray[np.object_] = field(default_factory=lambda: np.zeros(0, object))
    """[n_side_rows] cents for each unit of a row of the side program; empty without one."""
    grid_bits: int = MULTIPLIER_BITS
    """The grid is 2^-grid_bits."""

    @property
    def value_bits(self) -> int:
        """Its bound is summed in 2^-value_bits cents."""
        return self.grid_bits + SHARE_BITS

    def to_json(self, problem: Problem) -> dict[str, Any]:
        """The file's form: nonzero multipliers by name, integers as text."""
        periods = problem.periods
        limits: dict[str, dict[str, str]] = {}
        for index, t in np.argwhere(self.limit):
            # Windows of one limit share its name and never overlap.
            limits.setdefault(problem.limits[index].name, {})[periods[t]] = str(self.limit[index, t])
        inside: dict[str, dict[str, dict[str, str]]] = {}
        for index, prices in self.inside.items():
            by_system = inside.setdefault(problem.limits[index].name, {})
            for s, t in np.argwhere(prices != 0):
                by_system.setdefault(problem.system_names[s], {})[periods[t]] = str(prices[s, t])
        whole: dict[str, dict[str, list[str]]] = {}
        for index, kept in self.whole.items():
            kept_by_system = whole.setdefault(problem.limits[index].name, {})
            for s, t in np.argwhere(kept):
                kept_by_system.setdefault(problem.system_names[s], []).append(periods[t])
        monotone = [
            [problem.row_names[r], problem.system_names[s], periods[t], str(self.monotone[r, s, t])]
            for r, s, t in np.argwhere(self.monotone != 0)
        ]
        price = {periods[t]: str(self.contract_period[t]) for t in np.flatnonzero(self.contract_period)}
        content = {
            "format": "gigaplan-certificate/1",
            "scale_bits": self.grid_bits,
            "limits": limits,
            "inside": inside,
            "whole": whole,
            "monotone": monotone,
            "open": _by_block(problem, self.opening),
            "units": _by_block(problem, self.units),
            "contract": {"p": price, "h": str(self.contract_amount)},
            "demand": {
                one.site: {periods[t]: str(price) for t, price in enumerate(of_period) if price}
                for one, of_period in zip(problem.minimum_demands, self.demand, strict=True)
            },
            "trees": {},
        }
        if problem.side is not None:
            named = zip(problem.side.row_names, self.side, strict=True)
            content["side"] = {row: str(price) for row, price in named if price}
        return content


def _by_block(problem: Problem, multiplier: NDArray[np.object_]) -> list[list[str]]:
    return [
        [problem.block_names[b], problem.system_names[s], problem.periods[t], str(multiplier[b, s, t])]
        for b, s, t in np.argwhere(multiplier != 0)
    ]


def certificate(problem: Problem, relaxation: Relaxation) -> Certificate:
    """Round multipliers to the grid; any rounding keeps the bound valid.

    Prices of the side program are then moved so that its columns earn nothing beyond them, where that costs least.
    """
    priced = ~single_row_limits(problem)[:, None] & (problem.capacity != INACTIVE)
    grid = float(2**MULTIPLIER_BITS)
    inside_of_system = np.where((problem.capacity != INACTIVE)[:, None, :], relaxation.inside, 0.0)
    on_grid = {
        int(limit): multiples_of_grid(inside_of_system[limit] * 2.0**SHARE_BITS * grid)
        for limit in np.flatnonzero(inside_of_system.any(axis=(1, 2)))
    }
    limit = multiples_of_grid(np.where(priced, relaxation.limit, 0.0) * 2.0**SHARE_BITS * grid)
    return Certificate(
        limit=limit,
        inside=on_grid,
        monotone=multiples_of_grid(relaxation.monotone * grid),
        opening=multiples_of_grid(relaxation.opening * grid),
        units=multiples_of_grid(relaxation.units * grid),
        contract_period=multiples_of_grid(np.minimum(relaxation.contract_period, 2.0**30) * grid).astype(np.int64),
        contract_amount=int(multiples_of_grid(np.array([relaxation.contract_amount * grid]))[0]),
        demand=tuple(
            tuple(int(price * part) for price, part in zip(one.price_cents_per_w, parts, strict=True))
            for one, parts in zip(problem.minimum_demands, _parts(relaxation.demand), strict=True)
        ),
        whole=stated_limits(problem),
        side=repaired(problem, multiples_of_grid(relaxation.side * grid), limit, MULTIPLIER_BITS, relaxation.racks),
    )


def _parts(value: NDArray[np.float64]) -> list[list[int]]:
    """The nearest multiples of the grid from 0 to 1."""
    parts: list[list[int]] = np.round(np.clip(np.nan_to_num(value), 0.0, 1.0) * 2**MULTIPLIER_BITS).astype(int).tolist()
    return parts


def multiples_of_grid(value: NDArray[np.float64]) -> NDArray[np.object_]:
    """Whole multiples of the grid, never negative; Python integers, since a block's price may pass 2^62 of them."""
    whole = np.floor(np.maximum(np.nan_to_num(value), 0.0))
    return np.array([int(x) for x in whole.flat], object).reshape(value.shape)


def bound_cents(problem: Problem, patterns: RowPatterns, proof: Certificate) -> int:
    """The upper bound that the multipliers prove, rounded down to the cent, as plans are worth whole cents.

    Parameters: problem; patterns, the integer points of each row; proof, any non-negative multipliers.
    """
    return bound_scaled(problem, patterns, proof) >> proof.value_bits


def bound_scaled(problem: Problem, patterns: RowPatterns, proof: Certificate) -> int:
    """The bound in 2^-value_bits cents, before it is rounded; what parts of a problem add to it sums up exactly."""
    return joint_term(problem, proof) + _block_term(problem, patterns, proof, reduced_values(problem, proof))


def joint_term(problem: Problem, proof: Certificate, held: Held | None = None) -> int:
    """What capacities, the contract, minimum demands and the side program add to the bound, in 2^-value_bits cents.

    Parameters: held, what a branch leaves of the side program's columns.
    """
    beside = bound_term(problem, proof.side, proof.limit, proof.grid_bits, held)
    return _capacity_term(problem, proof) + contract_term(problem, proof) - _demand_term(problem, proof) + beside


def reduced_values(problem: Problem, proof: Certificate) -> NDArray[np.object_]:
    """[n_rows, n_configurations, n_periods] what multipliers leave of a rack's value, in 2^-value_bits cents."""
    values = effective_values(problem)
    system = problem.system_of_configuration_idx
    reduced: NDArray[np.object_] = values.rack.astype(object) * 2**proof.value_bits
    reduced = reduced + problem.contract_revenue.astype(object) * (proof.contract_period.astype(object) * 2**SHARE_BITS)
    reduced = reduced + _carried(proof.monotone)[:, system, :] * 2**SHARE_BITS
    for limit in np.flatnonzero((proof.limit != 0).any(axis=1)):
        entries = slice(problem.limit_ptr[limit], problem.limit_ptr[limit + 1])
        rows = problem.entry_row_idx[entries]
        active = np.flatnonzero(proof.limit[limit] != 0)
        price = proof.limit[limit, active].astype(object)
        charge = problem.entry_coefficient[entries].astype(object)[:, :, None] * price
        reduced[np.ix_(rows, np.arange(problem.n_configurations), active)] -= charge
    for demand, prices in zip(problem.minimum_demands, proof.demand, strict=True):
        reduced[np.array(demand.row_idx, np.int64)] += np.outer(demand.draw_scaled, np.array(prices, object))
    reduced = reduced + rack_value(problem, proof.side) * 2**SHARE_BITS
    for inside, of_system in proof.inside.items():
        entries = slice(problem.limit_ptr[inside], problem.limit_ptr[inside + 1])
        charge = problem.entry_coefficient[entries].astype(object)[:, :, None] * of_system[system]
        reduced[problem.entry_row_idx[entries]] -= charge
    return reduced


def _carried(multiplier: NDArray[np.object_]) -> NDArray[np.object_]:
    """A monotony multiplier's own less the next period's, exact."""
    carried = multiplier.astype(object)
    carried[..., :-1] = carried[..., :-1] - carried[..., 1:].copy()
    return carried


def _capacity_term(problem: Problem, proof: Certificate) -> int:
    limits, periods = np.nonzero(proof.limit != 0)
    prices, capacities = proof.limit[limits, periods], problem.capacity[limits, periods]
    return sum(int(price) * int(capacity) for price, capacity in zip(prices, capacities, strict=True))


def contract_term(problem: Problem, proof: Certificate) -> int:
    """What the contract adds to the bound, in 2^-value_bits cents."""
    amount, price = problem.contract_amount, proof.contract_amount
    total: int = price * amount * 2**SHARE_BITS
    for rate, revenue_price in zip(problem.contract_rate, proof.contract_period, strict=True):
        gain = int(rate) * 2**proof.grid_bits - (int(revenue_price) + price) * 2**SHARE_BITS
        total += amount * max(0, gain)
    return total


def _demand_term(problem: Problem, proof: Certificate) -> int:
    """What minimum demands take from the bound, in 2^-value_bits cents."""
    pairs = zip(problem.minimum_demands, proof.demand, strict=True)
    return sum(
        (price * watts) << SHARE_BITS
        for demand, prices in pairs
        for price, watts in zip(prices, demand.minimum_w, strict=True)
    )


def block_prices(problem: Problem, proof: Certificate) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """What a block gains by holding a system, and what each of its units costs, in 2^-value_bits cents.

    Both are [n_blocks, n_systems, n_periods].
    """
    values, whole = effective_values(problem), 2**proof.value_bits
    held: NDArray[np.object_] = _carried(proof.opening) * 2**SHARE_BITS
    held = held - values.open_cost.astype(object)[:, None, :] * whole
    block_of_limit = limits_inside_blocks(problem)
    for limit, prices in proof.inside.items():
        active = np.flatnonzero((prices != 0).any(axis=0))
        held[block_of_limit[limit]][:, active] += prices[:, active] * problem.capacity[limit, active].astype(object)
    unit_cost: NDArray[np.object_] = values.unit_cost.astype(object) * whole - _carried(proof.units) * 2**SHARE_BITS
    return held, unit_cost


def _block_term(problem: Problem, patterns: RowPatterns, proof: Certificate, reduced: NDArray[np.object_]) -> int:
    """Σ over blocks and periods of the best system, or 0 for leaving the block empty; less what openings cost."""
    worth = block_worths(BlockTotals(problem, patterns, proof.whole), reduced, *block_prices(problem, proof))
    return blocks_term(problem, worth, proof.value_bits)
