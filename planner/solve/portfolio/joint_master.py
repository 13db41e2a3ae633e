"""The master over sites: every site mixes what it has replied so far, and shared limits hold for the sum.

Dantzig and Wolfe, "Decomposition principle for linear programs", Operations Research 8 (1960). Prices are kept in a
box around the best known ones: beyond it the master may buy or sell capacity (du Merle, Villeneuve, Desrosiers,
Hansen, "Stabilized column generation", Discrete Mathematics 194, 1999).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.problem import MULTIPLIER_BITS, SHARE_BITS
from planner.solve.certificate import SCALE_BITS, Certificate, contract_term, multiples_of_grid
from planner.solve.formulation import MONEY_CENTS
from planner.solve.master import Columns, Master, Rows
from planner.solve.portfolio.site_relaxation import Prices
from planner.solve.portfolio.split import active

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.portfolio.site_relaxation import Reply
    from planner.solve.portfolio.split import Split


_SMALL = 0.02
"""Of a limit's dearest quarter: by so much the price of a quarter may move that has none."""
_PART_OF_WORTH = 0.2
"""Of what all is worth: a whole limit counts as no cheaper when its box is made."""


class JointMaster:
    """Replies of all sites, and the best mix of them."""

    def __init__(self, split: Split) -> None:
        """Number rows; replies come one by one."""
        self._split, problem = split, split.problem
        capacity = split.capacity
        self._limit, self._period = np.nonzero(active(capacity))
        self._scale = np.where(active(capacity), capacity, 1).max(axis=1, initial=1).astype(np.float64)
        columns, rows = Columns(), Rows()
        amount = problem.contract_amount / MONEY_CENTS
        rate = problem.contract_rate / 2.0**SHARE_BITS * (problem.contract_amount > 0)
        premium = columns.add(rate.astype(np.float64), amount)
        self._limit_row = rows.add(capacity[self._limit, self._period] / self._scale[self._limit])
        self._more = columns.add(np.zeros(self._limit.size), 0.0)
        self._less = columns.add(np.zeros(self._limit.size), 0.0)
        rows.put(self._limit_row, self._more, -1.0)
        rows.put(self._limit_row, self._less, 1.0)
        self._revenue_row = rows.add(np.zeros(problem.n_periods))
        rows.put(self._revenue_row, premium, 1.0)
        self._amount_row = rows.add(np.array([amount]))
        rows.put(self._amount_row, premium, 1.0)
        self._site_row = rows.add(np.ones(len(split.parts)), np.ones(len(split.parts), np.bool_))
        self._n_first = columns.n
        self._master = Master(columns, rows)
        self._replies: list[tuple[int, Reply]] = []

    def add(self, replies: list[Reply]) -> None:
        """Take in one reply of each site, in order."""
        for site, reply in enumerate(replies):
            use = reply.use[self._limit, self._period] / self._scale[self._limit]
            rows = np.concatenate((self._limit_row, self._revenue_row, self._site_row[site : site + 1]))
            factors = np.concatenate((use, -reply.revenue / MONEY_CENTS, [1.0]))
            held = factors != 0.0
            self._master.add(reply.value / MONEY_CENTS, rows[held], factors[held])
            self._replies.append((site, reply))
        self._master.flush()

    def solve(self) -> float:
        """Cents that the best mix of replies is worth."""
        self._box(np.zeros(self._limit.size), np.zeros(self._limit.size), 0.0)
        return self._master.objective * MONEY_CENTS

    def prices(self, center: Prices, width: float) -> Prices:
        """Prices of the best mix, none further from the center's than the width.

        Parameters: width, as a share of the center's price and of a small part of the limit's dearest quarter, or of
        what the plan is worth where that is more: a limit that has no price yet must be able to get one.
        """
        grid = 2.0 ** (MULTIPLIER_BITS + SHARE_BITS)
        middle = center.limit.astype(np.float64) / grid * self._scale[:, None] / MONEY_CENTS
        dearest = np.maximum(middle.max(axis=1, keepdims=True), _PART_OF_WORTH * abs(self._master.objective))
        spread = width * (middle + dearest * _SMALL)
        near, around = middle[self._limit, self._period], spread[self._limit, self._period]
        self._box(near + around, np.maximum(near - around, 0.0), np.inf)
        dual = self._master.dual
        price = np.zeros(self._split.capacity.shape)
        price[self._limit, self._period] = dual[self._limit_row] * MONEY_CENTS / self._scale[self._limit]
        return on_grid(price, dual[self._revenue_row], float(dual[self._amount_row][0]))

    def _box(self, above: NDArray[np.float64], below: NDArray[np.float64], most: float) -> None:
        """Solve with capacity bought at one price and sold at another, up to `most`."""
        numbers = np.concatenate((self._more, self._less))
        self._master.change(numbers, np.concatenate((-above, below)), np.full(numbers.size, most))
        self._master.solve()

    def mixed_use(self) -> NDArray[np.float64]:
        """[n_sites, n_joint, n_periods] load of shared limits in the best mix, scaled by 2^20."""
        self.solve()
        use = np.zeros((len(self._split.parts), *self._split.capacity.shape))
        for (site, reply), weight in zip(self._replies, self._master.primal[self._n_first :], strict=True):
            use[site] += weight * reply.use
        return use


def on_grid(price: NDArray[np.float64], revenue: NDArray[np.float64], amount: float) -> Prices:
    """Prices as whole multiples of the grid.

    Parameters: price, [n_joint, n_periods] cents for each unit of 2^-20; revenue, [n_periods]; amount.
    """
    grid = 2.0**MULTIPLIER_BITS
    return Prices(
        limit=multiples_of_grid(price * 2.0**SHARE_BITS * grid),
        revenue=multiples_of_grid(np.minimum(revenue, 2.0**30) * grid).astype(np.int64),
        amount=int(multiples_of_grid(np.array([amount * grid]))[0]),
    )


def joint_term(split: Split, prices: Prices) -> int:
    """What shared limits and the contract add to the bound, in 2^-50 cents."""
    capacity = split.capacity
    limits, periods = np.nonzero(active(capacity))
    pairs = zip(prices.limit[limits, periods], capacity[limits, periods], strict=True)
    return sum(int(price) * int(most) for price, most in pairs) + _contract_term(split.problem, prices)


def shared_term(split: Split, prices: Prices) -> int:
    """The same with what every plan earns or pays alike, which no site counts."""
    return joint_term(split, prices) + (split.problem.constant_cents << SCALE_BITS)


def _contract_term(problem: Problem, prices: Prices) -> int:
    none = np.zeros((0, problem.n_systems, problem.n_periods), object)
    return contract_term(problem, Certificate(none[:, 0], {}, none, none, none, prices.revenue, prices.amount))
