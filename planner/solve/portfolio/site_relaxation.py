"""The relaxation of one site with prices, or shares, in the place of the limits that it has in common with others.

Each shared limit and quarter is a purchase: the site buys what its racks load, at a price or up to a share. So only
costs and bounds of some dozens of columns change from one call to the next, and the master goes on from where it stood.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE, MULTIPLIER_BITS, SHARE_BITS
from planner.solve.certificate import Certificate, certificate
from planner.solve.class_bound import ClassBound
from planner.solve.classes import Classes, equitable, joined_rows, refine, singletons
from planner.solve.formulation import MONEY_CENTS, Formulation
from planner.solve.generation import add_columns
from planner.solve.master import Master
from planner.solve.patterns import row_patterns
from planner.solve.portfolio.split import active
from planner.solve.relaxation import Relaxation, lift

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.patterns import RowPatterns
    from planner.solve.portfolio.split import SitePart

_MOST_ROUNDS = 40
_ENOUGH = 5e-5
"""Columns that could add less than this share of a site's value are not worth another round."""


@dataclass(frozen=True)
class Prices:
    """What shared limits and contract revenue are worth, in whole multiples of the certificate's grid."""

    limit: NDArray[np.object_]
    """[n_joint, n_periods] of 2^-30 cents for one unit of the limit; 0 where it is inactive."""
    revenue: NDArray[np.int64]
    """[n_periods] of 2^-30 cents for each cent of contract revenue."""
    amount: int
    """2^-30 cents for each cent of the contract's amount."""


@dataclass(frozen=True)
class Reply:
    """What a site does at given prices or within given shares."""

    reduced: float
    """Cents: the most that it can be worth, less what it pays for shared limits, with its revenue's premium."""
    value: float
    """Cents that it earns without prices."""
    use: NDArray[np.float64]
    """[n_joint, n_periods] load of shared limits, scaled by 2^20."""
    revenue: NDArray[np.float64]
    """[n_periods] contract revenue, cents."""
    worth: NDArray[np.float64]
    """[n_joint, n_periods] cents for one more unit of 2^-20 of each share."""


def site_classes(part: SitePart) -> Classes:
    """Classes of a site's rows, limits and blocks in which every shared limit is alone."""
    apart = -1 - np.arange(part.n_joint, dtype=np.int64)
    marked = part.with_capacity(np.repeat(apart[:, None], part.problem.n_periods, axis=1))
    classes = refine(marked)
    return classes if equitable(marked, classes) else singletons(marked)


class SiteRelaxation:
    """One site's part of the bound."""

    def __init__(self, part: SitePart) -> None:
        """Enumerate patterns and find classes; masters are made when they are first asked for."""
        self.part, self.patterns, self.classes = part, row_patterns(part.problem), site_classes(part)
        self._evaluate = ClassBound(part.problem, self.classes)
        joint = part.problem.capacity[part.n_own :]
        self._evaluated = part.with_capacity(np.where(active(joint), 0, INACTIVE))
        rough = joined_rows((part.problem,), self.classes, self.patterns)
        self._priced = PricedMaster(part, self.patterns, rough)
        self._is_sharp = False

    def within(self, share: NDArray[np.float64], prices: Prices) -> Reply:
        """The best within shares of the limits, [n_joint, n_periods] scaled by 2^20, at the contract's prices."""
        return self._priced.solve(share, np.zeros(share.shape), _cents(prices.revenue))

    def at(self, prices: Prices) -> Reply:
        """The best at prices."""
        return self._priced.at(prices)

    def sharpen(self) -> None:
        """From now on tell rows of a block apart that load limits unequally: several times the work, a lower bound."""
        if not self._is_sharp:
            self._priced, self._is_sharp = PricedMaster(self.part, self.patterns, self.classes), True

    def proof(self, prices: Prices) -> tuple[Certificate, int]:
        """Multipliers as they stand, and what the site adds to the bound at these prices, in 2^-50 cents."""
        relaxation, own = self._priced.lifted(), self._priced.own
        proof = certificate(own, relaxation)
        whole = replace(
            proof, limit=np.concatenate((proof.limit, prices.limit)), contract_period=prices.revenue, contract_amount=0
        )
        return whole, self._evaluate.bound_scaled(self._evaluated, self.patterns, whole)

    def relaxation(self, prices: Prices) -> Relaxation:
        """Multipliers and racks as they stand, shared limits at their prices."""
        found = self._priced.lifted()
        shared = _limit_cents(prices.limit)
        n_joint = self.part.n_joint
        return replace(
            found,
            limit=np.concatenate((found.limit, shared)),
            inside=np.concatenate((found.inside, np.zeros((n_joint, *found.inside.shape[1:])))),
            contract_period=_cents(prices.revenue),
        )


class PricedMaster:
    """A master over the site's own limits that buys what it loads of shared ones."""

    def __init__(self, part: SitePart, patterns: RowPatterns, classes: Classes) -> None:
        """Number columns and rows."""
        problem = part.problem
        self.own = _without_joint(part)
        limits = classes.limit[: part.n_own]
        self._form = Formulation(self.own, patterns, Classes(classes.row, limits, classes.block))
        self._load = _loads(part, classes.row)
        capacity = problem.capacity[part.n_own :]
        self._scale = np.where(active(capacity), capacity, 1).max(axis=1, initial=1).astype(np.float64)
        self._limit, self._period = np.nonzero(active(capacity))
        self._shape = capacity.shape
        columns, rows = self._form.columns, self._form.rows
        self._row = rows.add(np.zeros(self._limit.size))
        self._bought = columns.add(np.zeros(self._limit.size), 0.0)
        self._sold = columns.add(np.zeros(problem.n_periods), np.inf)
        rows.put(self._form.revenue_row, self._sold, 1.0)
        rows.put(self._row, self._bought, -1.0)
        for row, limit, period in zip(self._row, self._limit, self._period, strict=True):
            rows.put(row[None, None], self._form.x[:, :, period], self._load[limit] / self._scale[limit])
        self._master: Master | None = None

    def at(self, prices: Prices) -> Reply:
        """The best at prices."""
        nothing_given = np.full(self._shape, np.inf)
        return self.solve(nothing_given, _limit_cents(prices.limit), _cents(prices.revenue))

    def solve(self, share: NDArray[np.float64], price: NDArray[np.float64], premium: NDArray[np.float64]) -> Reply:
        """The best within shares at prices.

        Parameters: share, [n_joint, n_periods] scaled by 2^20; price, cents for each unit of 2^-20; premium,
        [n_periods] cents for each cent of revenue.
        """
        master = self._master or Master(self._form.columns, self._form.rows)
        scale = self._scale[self._limit]
        cost = price[self._limit, self._period] * scale / MONEY_CENTS
        upper = share[self._limit, self._period] / scale
        numbers = np.concatenate((self._bought, self._sold))
        master.change(numbers, np.concatenate((-cost, premium)), np.append(upper, np.full(premium.size, np.inf)))
        if self._master is None:
            add_columns(self._form, master, None)
            self._master = master
        more = self._generate(master)
        paid = float(cost @ master.primal[self._bought]) - float(premium @ master.primal[self._sold])
        racks = master.primal[self._form.x]
        worth = np.zeros(self._shape)
        worth[self._limit, self._period] = master.dual[self._row] * MONEY_CENTS / scale
        size = self._form.row_size[:, None, None]
        revenue = self.own.contract_revenue[self._form.row_first] * size
        return Reply(
            reduced=(master.objective + more) * MONEY_CENTS, value=(master.objective + paid) * MONEY_CENTS,
            use=np.einsum("lck,ckt->lt", self._load, racks), revenue=(revenue * racks).sum(axis=(0, 1)), worth=worth,
        )  # fmt: skip

    def lifted(self) -> Relaxation:
        """Multipliers and racks of the site's own rows, limits and blocks."""
        if self._master is None:
            msg = "the master has not been solved"
            raise RuntimeError(msg)
        return lift(self._form, self._master)

    def _generate(self, master: Master) -> float:
        """Add columns until none is worth much; returns what further ones could add at most."""
        more = 0.0
        for _ in range(_MOST_ROUNDS):
            master.solve()
            more = add_columns(self._form, master, master.dual)
            if more <= _ENOUGH * max(abs(master.objective), 1.0):
                break
        return more


def _cents(grid: NDArray[np.int64]) -> NDArray[np.float64]:
    return grid.astype(np.float64) / 2.0**MULTIPLIER_BITS


def _limit_cents(grid: NDArray[np.object_]) -> NDArray[np.float64]:
    """Cents for each unit of 2^-20 of a limit."""
    return grid.astype(np.float64) / 2.0 ** (MULTIPLIER_BITS + SHARE_BITS)


def _without_joint(part: SitePart) -> Problem:
    problem, n_own = part.problem, part.n_own
    n_entries = int(problem.limit_ptr[n_own])
    return replace(
        problem, limits=problem.limits[:n_own], limit_ptr=problem.limit_ptr[: n_own + 1],
        entry_row_idx=problem.entry_row_idx[:n_entries], entry_coefficient=problem.entry_coefficient[:n_entries],
        capacity=problem.capacity[:n_own],
    )  # fmt: skip


def _loads(part: SitePart, row_class: NDArray[np.int64]) -> NDArray[np.float64]:
    """[n_joint, n_row_classes, n_configurations] load of one rack in every row of a class, scaled by 2^20."""
    problem, n_own = part.problem, part.n_own
    begin = int(problem.limit_ptr[n_own])
    limit = np.repeat(np.arange(part.n_joint), np.diff(problem.limit_ptr[n_own:]))
    load = np.zeros((part.n_joint, int(row_class.max()) + 1, problem.n_configurations))
    np.add.at(load, (limit, row_class[problem.entry_row_idx[begin:]]), problem.entry_coefficient[begin:].astype(float))
    return load
