"""The books that a plan states, worked out again: both parties' and the chain's, with depreciation and tax."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from itertools import accumulate
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from planner.verify.cash_table import label, sign
from planner.verify.money import ZERO
from planner.verify.report import Check, check_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.verify.cash_table import CashTable, Key

Cents = list[int]
PARTIES = ("provider", "customer")
BEYOND = {"facility": "facility beyond the plan", "connection": "grid connection"}
"""Lines of the books alone, by the key that asks for them."""
_CLASSES = {
    "servers": {"racks"},
    "network": {"network"},
    "facility": {"conversions", "avoidable capex", *BEYOND.values()},
}
_ASSETS = frozenset().union(*_CLASSES.values())
_SUMS = ("net_cents", "depreciation_cents", "income_cents", "tax_cents", "after_tax_cents")
_SHOWN = 5


def check_books(plan: Mapping[str, Any], table: CashTable) -> Check:
    """Every line and sum of the three books, the schedules, and that they make the objective but for rounding."""
    books = plan.get("books") or {}
    due = _Books(plan, table)
    faults = [*due.schedule_faults(books.get("depreciation") or ()), *due.sum_faults(books)]
    held = f"books of 2 parties and their chain over {table.n_quarters} quarters reconcile to the cent"
    return check_of("books", faults[:_SHOWN], held)


class _Books:
    """What the books must be."""

    def __init__(self, plan: Mapping[str, Any], table: CashTable) -> None:
        self.plan, self.table = plan, table
        self.portfolio, self.catalog = table.ledger.money.portfolio, table.ledger.money.catalog
        self.own = self.portfolio.books
        self.discount = [table.ledger.money.discount(t) for t in range(table.n_quarters)]
        self.cents: dict[Key, Cents] = {key: _floored(usd) for key, usd in table.entries().items()}
        self.beyond: dict[Key, Cents] = {key: _floored(usd) for key, usd in self._beyond()}
        self.schedules = self._schedules()
        self.books = {party: self._book(party) for party in PARTIES}

    def _beyond(self) -> list[tuple[Key, list[Fraction]]]:
        """Facility cost of the catalogue that the plan does not choose, by site."""
        found = []
        for key, line in BEYOND.items():
            name = None if self.own is None else getattr(self.own, key)
            entry: Any = None if name is None else self.catalog.economics[name]
            for site in self.table.ledger.meters if entry is not None else ():
                capex = self.table.found.get((site, "avoidable capex", "")) if key == "facility" else None
                usd = self._rest(site, str(entry.basis), Fraction(entry.cost.value), capex)
                if any(usd):
                    found.append(((site, line, ""), usd))
        return found

    def _rest(self, site: str, basis: str, usd_per_w: Fraction, capex: Sequence[Fraction] | None) -> list[Fraction]:
        """Payments, negative, for the highest draw so far, less what the plan's own capex has paid by then."""
        paid = list(accumulate(capex or [ZERO] * self.table.n_quarters))
        charged, usd, highest = ZERO, [ZERO] * self.table.n_quarters, 0
        for t in range(self.table.ledger.n_periods):
            highest = max(highest, self._watts(site, basis, t))
            total = max(charged, highest * usd_per_w + paid[t])
            usd[t], charged = charged - total, total
        return usd

    def _watts(self, site: str, basis: str, t: int) -> int:
        if basis == "meter":  # as the totals state it, which have a check of their own
            return int(self.plan["totals"][t]["plan_meter_w"].get(site, 0))
        draws = self.table.ledger.setting.draws
        counts = (counts for counts in self.table.placed.get(site, {}).values())
        return sum(n[t] * draws[name].draw["it_w"] for of_row in counts for name, n in of_row.items())

    def _life(self, asset: str) -> int | None:
        years = None if self.own is None else getattr(self.own.lives, f"{asset}_years")
        if years is None:
            entry: Any = self.catalog.economics.get(f"life-of-{asset}")
            years = None if entry is None else entry.life_years.value
        return ceil(Fraction(years) * 4) if years else None

    def _schedules(self) -> dict[str, tuple[Cents, Cents, Cents]]:
        """Additions, charges and what is left at the end of each quarter, by class of assets."""
        n_quarters, found = self.table.n_quarters, {}
        bought = {
            key: [-cents for cents in _floored([-one for one in usd])] for key, usd in self.table.invested.items()
        }
        bought |= {key: [-cents for cents in values] for key, values in self.beyond.items()}
        for asset, lines in _CLASSES.items():
            added = _total([values for (_, line, _), values in bought.items() if line in lines], n_quarters)
            charged, life = [0] * n_quarters, self._life(asset)
            for t, price in enumerate(added):
                ends = t + self.portfolio.money.economic_life_quarters if asset == "servers" else t + (life or 0)
                for later in range(t, min(n_quarters, t + (life or 0), ends)):
                    gone = later == ends - 1
                    before, after = (price * age // (life or 1) for age in (later - t, later - t + 1))
                    charged[later] += price - before if gone else after - before
            left = list(accumulate(a - b for a, b in zip(added, charged, strict=True)))
            found[asset] = added, charged, left
        return found

    def _book(self, party: str) -> dict[str, Any]:
        lines: dict[tuple[str, str], Cents] = defaultdict(lambda: [0] * self.table.n_quarters)
        for (_, line, item), values in {**self.cents, **self.beyond}.items():
            factor = sign(party, line, str(self.portfolio.perspective))
            if factor:
                known = lines[line, label(line, item)]
                lines[line, label(line, item)] = [a + factor * b for a, b in zip(known, values, strict=True)]
        return self._sums(party, dict(lines))

    def _sums(self, party: str, lines: dict[tuple[str, str], Cents]) -> dict[str, Any]:
        n_quarters = self.table.n_quarters
        net = _total(list(lines.values()), n_quarters)
        charges = [charged for _, charged, _ in self.schedules.values()] if party == "provider" else []
        depreciation = _total(charges, n_quarters)
        earned = _total([values for (line, _), values in lines.items() if line not in _ASSETS], n_quarters)
        income = [a - b for a, b in zip(earned, depreciation, strict=True)]
        tax = self._tax(income)
        return {
            "lines": self._parted(lines),
            "net_cents": net,
            "depreciation_cents": depreciation,
            "income_cents": income,
            "tax_cents": tax,
            "after_tax_cents": [a - b for a, b in zip(net, tax, strict=True)],
        }

    def _tax(self, income: Cents) -> Cents:
        """On what is left of each quarter's income once losses so far are made up, rounded up."""
        terms = None if self.own is None else self.own.tax
        rate = Fraction(terms.rate) if terms is not None and terms.applies else ZERO
        tax, so_far, best = [], 0, 0
        for cents in income:
            so_far += cents
            tax.append(ceil(rate * max(0, so_far - best)))
            best = max(best, so_far)
        return tax

    def _parted(self, lines: Mapping[tuple[str, str], Cents]) -> dict[str, Cents]:
        """Lines by label; operations by the portfolio's shares, the last part taking what is left."""
        found: dict[str, Cents] = {}
        parts = () if self.own is None else self.own.operations
        for (line, name), values in lines.items():
            if line != "operations" or not parts:
                found[name] = values
                continue
            cut = {f"{name}: {one.title or one.name}": Fraction(one.share) for one in parts}
            if sum(cut.values()) < 1:
                cut[f"{name}: other"] = ZERO
            *first, last = cut
            for one in first:
                found[one] = [floor(cents * cut[one]) for cents in values]
            found[last] = [cents - sum(found[one][t] for one in first) for t, cents in enumerate(values)]
        return found

    def _present(self, cents: Cents) -> int:
        return floor(sum((c * factor for c, factor in zip(cents, self.discount, strict=True)), ZERO))

    def schedule_faults(self, stated: Sequence[Mapping[str, Any]]) -> list[str]:
        """Where the depreciation schedules differ."""
        given = {one.get("asset"): one for one in stated}
        faults = []
        for asset, due in self.schedules.items():
            own = given.get(asset, {})
            if own.get("life_quarters") != self._life(asset):
                faults.append(f"the life of {asset} is {self._life(asset)} quarters, stated {own.get('life_quarters')}")
            for key, values in zip(("additions_cents", "charge_cents", "value_cents"), due, strict=True):
                if own.get(key) != values:
                    faults.append(f"'{key}' of {asset} is {values}, stated {own.get(key)}")
        return faults

    def sum_faults(self, stated: Mapping[str, Any]) -> list[str]:
        """Where the books differ."""
        faults, worth = [], {}
        chain = {key: [a + b for a, b in zip(*(self.books[p][key] for p in PARTIES), strict=True)] for key in _SUMS}
        for party in (*PARTIES, "chain"):
            own, due = stated.get(party) or {}, self.books.get(party, chain)
            faults += [
                f"'{key}' of {party} is {due[key]}, stated {own.get(key)}" for key in _SUMS if own.get(key) != due[key]
            ]
            lines = {one.get("line"): one.get("cents") for one in own.get("lines") or ()}
            wanted = due["lines"] if party != "chain" else self._book("chain")["lines"]
            faults += [
                f"'{name}' of {party} is {wanted.get(name)}, stated {lines.get(name)}"
                for name in sorted({*lines, *wanted}, key=str)
                if lines.get(name) != wanted.get(name)
            ]
            for key, sums in (("npv_cents", "net_cents"), ("npv_after_tax_cents", "after_tax_cents")):
                npv = sum(self._present(self.books[one][sums]) for one in (PARTIES if party == "chain" else [party]))
                worth[party, key] = npv
                if own.get(key) != npv:
                    faults.append(f"'{key}' of {party} is {npv}, stated {own.get(key)}")
        return faults + self._reconciled(stated, worth[str(self.portfolio.perspective), "npv_cents"])

    def _reconciled(self, stated: Mapping[str, Any], npv_cents: int) -> list[str]:
        """The objective and all that rounding and the books add to it make the net present value."""
        decider = str(self.portfolio.perspective)
        beyond = sum(
            sign(decider, line, decider) * self._present(values) for (_, line, _), values in self.beyond.items()
        )
        faults = [] if stated.get("beyond_cents") == beyond else [
            f"'beyond_cents' is {beyond}, stated {stated.get('beyond_cents')}"
        ]  # fmt: skip
        keys = ("coefficients_cents", "entries_cents", "beyond_cents")
        objective = self.plan.get("npv_cents", self.plan.get("objective"))
        parts = [objective, *(stated.get(key) for key in keys)]
        if any(type(part) is not int for part in parts) or sum(parts) != npv_cents:
            faults.append(f"objective, {', '.join(keys)} are {parts}; they must sum to {npv_cents}")
        return faults


def _floored(usd: Sequence[Fraction]) -> Cents:
    return [floor(100 * one) for one in usd]


def _total(columns: Sequence[Sequence[int]], n_quarters: int) -> Cents:
    total = [0] * n_quarters
    for values in columns:
        total = [a + b for a, b in zip(total, values, strict=True)]
    return total
