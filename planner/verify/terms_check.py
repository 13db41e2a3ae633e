"""What a plan states of its contract: reached, short, paid, rented and ordered, worked out anew."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from planner.verify.report import Check, check_of
from planner.verify.side import right_of
from planner.verify.side_check import standing_by_site
from planner.verify.terms_counts import TermCounts
from planner.verify.terms_rent import due_exits, due_obligations, due_orders
from planner.verify.terms_rows import price_cents
from sites.calendar import quarter_index
from sites.schema.terms import Served

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.verify.limits import SiteLimits
    from planner.verify.objective import Ledger
    from planner.verify.side import Place, Side
    from planner.verify.standing import Counts
    from sites.schema.portfolio import PortfolioFile
    from sites.schema.terms import Floor, Share, Tranche

Line = dict[str, Any]
_FIGURES = ("floors", "shares", "tranches", "commitments", "termination", "orders")


def has_terms(portfolio: PortfolioFile) -> bool:
    """Whether a plan must state what it makes of a contract."""
    clauses = (portfolio.floors, portfolio.shares, portfolio.tranches, portfolio.commitments, portfolio.termination)
    return any(clauses) or any(supply.order_lead_quarters is not None for supply in portfolio.supply)


def check_terms(
    plan: Mapping[str, Any],
    placed: Mapping[str, dict[str, Counts]],
    values: Mapping[str, int],
    ledger: Ledger,
    limits: Mapping[str, SiteLimits],
    side: Side,
) -> Check:
    """Every figure of the ledger of clauses, but for what it names as causes.

    Parameters: placed racks; values, what the plan decides beside them, by column; side, where clauses have their rows.
    """
    stated = plan.get("terms")
    if not isinstance(stated, dict):
        return Check("terms", False, "the plan does not say what it makes of its contract; the key 'terms' is due")
    rule = _TermLines(TermCounts(ledger, limits), side, standing_by_site(placed), values)
    faults, n_lines = [], 0
    for key in _FIGURES:
        due = rule.lines(key)
        n_lines += len(due)
        faults += _faults(key, stated.get(key), due)
    return check_of("terms", faults, f"{n_lines} lines of clauses and orders reconcile")


def _faults(key: str, stated: object, due: list[Line]) -> list[str]:
    """Where stated lines differ from those that are due."""
    if not isinstance(stated, list) or len(stated) != len(due):
        found = f"{len(stated)} lines" if isinstance(stated, list) else "no list"
        return [f"'{key}' has {found}, {len(due)} are due"]
    return [
        f"'{key}' line {number}: {name} is {value!r}, stated {_stated(line, name)!r}"
        for number, (line, own) in enumerate(zip(stated, due, strict=True))
        for name, value in own.items()
        if _stated(line, name) != value
    ]


def _stated(line: object, name: str) -> object:
    return line.get(name) if isinstance(line, dict) else None


class _TermLines:
    """Every line as it must stand, by key."""

    def __init__(
        self, counts: TermCounts, side: Side, standing: Mapping[tuple[str, str], list[int]], values: Mapping[str, int]
    ) -> None:
        self._counts, self._side, self._values = counts, side, values
        self._racks, self._standing = standing, at_work(counts.ledger, standing)
        self._periods = counts.ledger.setting.periods

    def lines(self, key: str) -> list[Line]:
        """The lines of one key, in the portfolio's order of clauses."""
        counts, portfolio = self._counts, self._counts.portfolio
        match key:
            case "floors":
                return [line for clause in portfolio.floors for line in self._floor(clause)]
            case "shares":
                return [line for clause in portfolio.shares for line in self._share(clause)]
            case "tranches":
                return [self._tranche(clause) for clause in portfolio.tranches]
            case "commitments":
                return due_obligations(counts, self._standing, self._values)
            case "termination":
                return due_exits(counts, self._standing)
            case _:
                return due_orders(counts, self._racks)

    def _floor(self, clause: Floor) -> Iterator[Line]:
        for t, quarter in enumerate(self._periods):
            due = self._counts.due(clause, t)
            if due:
                short = self._values.get(f"short:{clause.name}:{quarter}", 0)
                yield {
                    "name": clause.name,
                    "measure": str(clause.measure),
                    "period": quarter,
                    "due": due,
                    "reached": self._reached(clause, t, f"floor:{clause.name}:{quarter}"),
                    "short": short,
                    "price_cents": ceil(short * price_cents(self._counts, clause)),
                    "met": short == 0,
                }

    def _share(self, clause: Share) -> Iterator[Line]:
        begin = quarter_index(clause.start or self._periods[0])
        end = quarter_index(clause.end or self._periods[-1])
        kind = "over" if clause.at_most is not None else "under"
        for t, quarter in enumerate(self._periods):
            if begin <= quarter_index(quarter) <= end:
                over = self._values.get(f"{kind}:{clause.name}:{quarter}", 0)
                yield {
                    "name": clause.name,
                    "measure": str(clause.measure),
                    "period": quarter,
                    "binds": "at-most" if clause.at_most is not None else "at-least",
                    "whole": self._sum(self._counts.racks(clause.measure, None, t)),
                    "part": self._sum(self._counts.racks(clause.measure, clause, t)),
                    "over": over,
                    "price_cents": ceil(over * price_cents(self._counts, clause)),
                    "met": over == 0,
                }

    def _tranche(self, clause: Tranche) -> Line:
        t = quarter_index(clause.by) - self._counts.first
        target = ceil(Fraction(clause.target) / self._counts.unit(clause))
        reached = self._reached(clause, t, f"tranche:{clause.name}")
        paid = self._values.get(f"tranche:{clause.name}", 0) == 1
        return {
            "name": clause.name,
            "measure": str(clause.measure),
            "by": clause.by,
            "target": target,
            "reached": reached,
            "met": reached >= target,
            "paid": paid,
            "cash_cents": floor(100 * Fraction(clause.cash or 0)) * paid,
            "rack_budget_cents": floor(100 * Fraction(clause.rack_budget or 0)) * paid,
        }

    def _reached(self, clause: Floor | Tranche, t: int, row: str) -> int:
        if not isinstance(clause, Served):
            return right_of(self._side.rows[row], self._racks) - self._side.rows[row].right
        wanted = tuple(f"sold:{workload}:" for workload in clause.workloads)
        last = quarter_index(self._periods[t])
        sold = {name: n for name, n in self._values.items() if name.startswith(wanted)}
        return sum(n for name, n in sold.items() if quarter_index(name.rpartition(":")[2]) <= last)

    def _sum(self, racks: Mapping[Place, int]) -> int:
        return sum_racks(racks, self._standing)


def at_work(ledger: Ledger, racks: Mapping[tuple[str, str], list[int]]) -> dict[tuple[str, str], list[int]]:
    """Racks by the configurations that they are, those of refreshes too; places without a rack at work hold none."""
    found: dict[tuple[str, str], list[int]] = {}
    for (site, name), n_racks in racks.items():
        spell = ledger.money.spells.get(name)
        own = name if spell is None else spell.configuration
        if own is not None:
            known = found.get((site, own), [0] * len(n_racks))
            found[site, own] = [a + b for a, b in zip(known, n_racks, strict=True)]
    return found


def sum_racks(racks: Mapping[Place, int], standing: Mapping[tuple[str, str], list[int]]) -> int:
    """What standing racks count together.

    Parameters: standing racks by site and configuration, a list over decision periods.
    """
    return sum(each * standing[site, name][t] for (site, name, t), each in racks.items() if (site, name) in standing)
