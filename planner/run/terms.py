"""What a plan makes of its contract: each clause and quarter, what was due and reached, and why it was missed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.lower.contract_terms import minimum_at, price_cents, share_name, share_periods, unit_of
from planner.lower.money import CENTS_PER_USD
from planner.run.loads import limit_loads
from planner.run.orders import Order, orders
from planner.run.rent_ledger import Exit, Obligation, exits, obligations
from planner.run.term_causes import Blame, Causes, prices_of_certificate
from planner.side.worth import with_decided_capacity
from sites.calendar import quarter_index
from sites.schema.terms import Measure, Part, Served

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from planner.lower.counted import Entry
    from planner.lower.lowered import Lowered
    from sites.catalog.loader import Catalog
    from sites.schema.terms import Floor, Share, Tranche
    from sites.world import World

_EVERYTHING = Part()
_UNITS = {
    Measure.METER_W: "W",
    Measure.IT_W: "W",
    Measure.RACKS: "rack",
    Measure.ACCEPTED_RACKS: "rack",
    Measure.GPUS: "GPU",
    Measure.SPEND: "cent",
}


@dataclass(frozen=True)
class FloorLine:
    """A floor in one quarter."""

    name: str
    measure: str
    unit: str
    period: str
    due: int
    reached: int
    short: int
    price_cents: int
    """Undiscounted, rounded up."""
    met: bool
    causes: Causes | None
    """None where it is met."""


@dataclass(frozen=True)
class ShareLine:
    """A share in one quarter; `over` is what is beyond it, or what lacks of it where it binds from below."""

    name: str
    measure: str
    unit: str
    period: str
    binds: str
    """`at-most` or `at-least`."""
    share: str
    """As a fraction."""
    whole: int
    part: int
    over: int
    price_cents: int
    met: bool


@dataclass(frozen=True)
class TrancheLine:
    """A tranche and its milestone."""

    name: str
    measure: str
    unit: str
    by: str
    target: int
    reached: int
    met: bool
    paid: bool
    """Whether the plan takes it."""
    cash_cents: int
    """Paid, undiscounted; 0 where it is not."""
    rack_budget_cents: int
    """Added to the rack budget; 0 where it is not paid."""
    causes: Causes | None


@dataclass(frozen=True)
class TermsLedger:
    """All clauses of a plan's contract."""

    floors: tuple[FloorLine, ...]
    shares: tuple[ShareLine, ...]
    tranches: tuple[TrancheLine, ...]
    commitments: tuple[Obligation, ...]
    termination: tuple[Exit, ...]
    orders: tuple[Order, ...]


def terms_ledger(
    world: World,
    lowered: Lowered,
    n_racks: NDArray[np.int32],
    decisions: Mapping[str, int],
    certificate: Mapping[str, Any],
) -> TermsLedger | None:
    """The ledger of a plan; None for a portfolio without clauses and without order leads.

    Parameters: n_racks, standing racks, [n_rows, n_configurations, n_periods]; decisions, of the side program by name;
    certificate, the content of `certificate.json`.
    """
    portfolio = world.portfolio
    clauses = (portfolio.floors, portfolio.shares, portfolio.tranches, portfolio.commitments, portfolio.termination)
    if not any(clauses) and all(supply.order_lead_quarters is None for supply in portfolio.supply):
        return None
    book = _Book(world.catalog, lowered, n_racks, decisions, certificate)
    committed = obligations(lowered.counting, book.racks, decisions)
    return TermsLedger(
        floors=tuple(line for clause in portfolio.floors for line in book.floor(clause)),
        shares=tuple(line for clause in portfolio.shares for line in book.share(clause)),
        tranches=tuple(book.tranche(clause) for clause in portfolio.tranches),
        commitments=committed,
        termination=exits(lowered.counting, committed),
        orders=orders(portfolio, lowered.problem, lowered.refreshes, n_racks),
    )


class _Book:
    """What stands, what is decided, and whom to blame."""

    def __init__(
        self,
        catalog: Catalog,
        lowered: Lowered,
        n_racks: NDArray[np.int32],
        decisions: Mapping[str, int],
        certificate: Mapping[str, Any],
    ) -> None:
        self._catalog, self._decisions = catalog, decisions
        self._problem, self._counting = lowered.problem, lowered.counting
        self._site_idx = self._counting.site_idx(lowered.problem.row_names)
        self.racks = self._counting.standing(lowered.problem.row_names, n_racks)
        """[n_groups, n_configurations, n_periods] racks of the problem's configurations, windows apart."""
        at_work = lowered.refreshes.as_they_are(n_racks)
        self.standing = self._counting.standing(lowered.problem.row_names, at_work)
        """[n_groups, n_configurations, n_periods] racks as they are, refreshed or not."""
        raised = with_decided_capacity(lowered.problem, decisions)
        loads = limit_loads(lowered.problem, n_racks)
        self._blame = Blame(raised, loads, prices_of_certificate(certificate))

    def floor(self, clause: Floor) -> Iterator[FloorLine]:
        """One line for each quarter in which something is due."""
        unit = unit_of(clause, self._counting.portfolio, self._catalog)
        for t, period in enumerate(self._problem.periods):
            due = minimum_at(clause, period, unit)
            if not due:
                continue
            reached = self._reached(clause, t, f"floor:{clause.name}:{period}")
            short = self._decisions.get(f"short:{clause.name}:{period}", 0)
            yield FloorLine(
                clause.name, str(clause.measure), self._unit(clause), period, due, reached, short,
                ceil(price_cents(clause, unit) * short), short == 0,
                self._causes(clause, t) if short else None,
            )  # fmt: skip

    def share(self, clause: Share) -> Iterator[ShareLine]:
        """One line for each quarter in which it holds and something may stand."""
        kind = share_name(clause)
        for t in share_periods(clause, self._problem.periods):
            period = self._problem.periods[t]
            whole = self._sum(self._counting.entries(clause.measure, _EVERYTHING, t))
            part = self._sum(self._counting.entries(clause.measure, clause, t))
            over = self._decisions.get(f"{kind}:{clause.name}:{period}", 0)
            binds = "at-most" if clause.at_most is not None else "at-least"
            share = f"{clause.share.numerator}/{clause.share.denominator}"
            yield ShareLine(
                clause.name, str(clause.measure), self._unit(clause), period, binds, share, whole, part, over,
                ceil(price_cents(clause, 1) * over), over == 0,
            )  # fmt: skip

    def tranche(self, clause: Tranche) -> TrancheLine:
        """Its milestone in its quarter."""
        unit = unit_of(clause, self._counting.portfolio, self._catalog)
        t = self._problem.periods.index(clause.by)
        target, reached = ceil(Fraction(clause.target) / unit), self._reached(clause, t, f"tranche:{clause.name}")
        paid = self._decisions.get(f"tranche:{clause.name}", 0) == 1
        return TrancheLine(
            clause.name, str(clause.measure), self._unit(clause), clause.by, target, reached, reached >= target, paid,
            _cents(clause.cash) if paid else 0, _cents(clause.rack_budget) if paid else 0,
            None if reached >= target else self._causes(clause, t),
        )  # fmt: skip

    def _unit(self, clause: Floor | Share | Tranche) -> str:
        """What one of a clause's units is."""
        if not isinstance(clause, Served):
            return _UNITS[clause.measure]
        workload = next(one for one in self._counting.portfolio.workloads if one.name == clause.workloads[0])
        counts = str(self._catalog.throughput[workload.basis].counts)
        unit = unit_of(clause, self._counting.portfolio, self._catalog)
        return counts if unit == 1 else f"{unit} {counts}"

    def _reached(self, clause: Floor | Tranche, t: int, row: str) -> int:
        """What counts towards a clause in quarter t: work that is sold, or the racks in the clause's own row."""
        if not isinstance(clause, Served):
            side = self._problem.side
            if side is None:
                return 0
            number = side.row_names.index(row)
            own = slice(side.rack_ptr[number], side.rack_ptr[number + 1])
            place = (side.rack_group_idx[own], side.rack_configuration_idx[own], side.rack_period_idx[own])
            return int((side.rack_coefficient[own].astype(object) * self.racks[place]).sum())
        last = quarter_index(self._problem.periods[t])
        return sum(
            n
            for name, n in self._decisions.items()
            for kind, workload, *rest in (name.split(":"),)
            if kind == "sold" and workload in clause.workloads and quarter_index(rest[-1]) <= last
        )

    def _sum(self, entries: Sequence[Entry]) -> int:
        return sum(int(self.standing[group, k, t]) * count for group, k, t, count in entries)

    def _causes(self, clause: Floor | Tranche, t: int) -> Causes:
        """Whom to blame: where racks had to stand earlier, the limits of that quarter."""
        stands = t
        if clause.measure is Measure.ACCEPTED_RACKS:
            stands -= self._counting.portfolio.money.acceptance_lag_quarters
        part = _EVERYTHING if isinstance(clause, Served) else clause
        members = np.zeros((len(self._counting.site_names), self._problem.n_configurations), np.bool_)
        for group, k in self._counting.members(part):
            members[group, k] = True
        return self._blame.causes(members[self._site_idx], stands)


def _cents(usd: Fraction | None) -> int:
    return int((usd or 0) * CENTS_PER_USD)
