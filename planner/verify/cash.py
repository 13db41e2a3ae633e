"""The cash that a plan states, worked out again from its placements: every site, line and quarter to the cent."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

from planner.verify.decisions import system_counts
from planner.verify.report import Check, check_of
from sites.calendar import quarters_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.decisions import BlockCounts
    from planner.verify.objective import Ledger
    from planner.verify.standing import Counts

Table = defaultdict[tuple[str, str], list[Fraction]]
"""USD by site and line, [n_quarters]; payments negative."""
_SHOWN = 5


def check_cash(
    plan: Mapping[str, Any], placed: Mapping[str, dict[str, Counts]], blocks: BlockCounts, ledger: Ledger
) -> Check:
    """Every entry of the cash table, its sums, and that discounting it gives the objective but for rounding."""
    cash = plan.get("cash") or {}
    n_quarters = ledger.n_periods - 1 + ledger.money.portfolio.money.economic_life_quarters
    quarters = quarters_from(ledger.money.portfolio.start, n_quarters)
    table = _Cash(ledger, n_quarters).table(placed, blocks)
    due = {key: [floor(100 * usd) for usd in values] for key, values in table.items() if any(values)}
    stated = {(one.get("site"), one.get("line")): list(one.get("cents") or ()) for one in cash.get("lines") or ()}
    faults = [
        f"'{line}' at '{site}' is {due.get((site, line))}, stated {stated.get((site, line))}"
        for site, line in sorted({*due, *stated}, key=str)
        if due.get((site, line)) != stated.get((site, line))
    ][:_SHOWN]
    if list(cash.get("quarters") or ()) != list(quarters):
        faults.append(f"the quarters are not {quarters[0]} to {quarters[-1]}")
    net = [sum(column) for column in zip(*due.values(), strict=True)] if due else []
    if list(cash.get("net_cents") or ()) != net:
        faults.append("the lines do not add up to 'net_cents'")
    faults += _measures(cash.get("measures") or {}, table, ledger, plan.get("npv_cents", plan.get("objective")))
    return check_of("cash", faults, f"{len(due)} lines over {n_quarters} quarters reconcile to the cent")


def _measures(stated: Mapping[str, Any], table: Table, ledger: Ledger, objective: object) -> list[str]:
    present_usd = sum(
        (usd * ledger.money.discount(t) for values in table.values() for t, usd in enumerate(values)), Fraction(0)
    )
    due = floor(100 * present_usd)
    faults = []
    if stated.get("npv_cents") != due:
        faults.append(f"'npv_cents' is {due}, stated {stated.get('npv_cents')}")
    if isinstance(objective, int) and stated.get("rounding_cents") != due - objective:
        faults.append(f"'rounding_cents' is {due - objective}, stated {stated.get('rounding_cents')}")
    return faults


class _Cash:
    """Cash flows of a plan, line by line."""

    def __init__(self, ledger: Ledger, n_quarters: int) -> None:
        self.ledger, self.n_quarters = ledger, n_quarters
        self.money = ledger.money
        self.factor = Fraction(self.money.portfolio.money.market_factor)
        self.found: Table = defaultdict(lambda: [Fraction(0)] * n_quarters)

    def table(self, placed: Mapping[str, dict[str, Counts]], blocks: BlockCounts) -> Table:
        """All lines of a plan."""
        for site, rows in placed.items():
            for row, counts in rows.items():
                self._decided(site, counts)
                for system, n_racks in system_counts(counts, self.ledger.setting.draws, self.ledger.n_periods).items():
                    self._life(site, row, system, n_racks)
        for (site, block), systems in blocks.items():
            self._block(site, block, systems)
        self._minimum_demand(placed)
        _, used = self.ledger.contract_use(placed)
        if self.money.portfolio.contract is not None:
            for t, cents in enumerate(used):
                self.found["*", "contract premium"][t] += Fraction(cents, 100) * (1 - self.factor)
        return self.found

    def _decided(self, site: str, counts: Counts) -> None:
        """Racks in decision quarters, at the profiles that the plan chose."""
        for configuration, n_racks in counts.items():
            for t, n in enumerate(n_racks):
                if n:
                    self._standing(site, configuration, t, n)

    def _standing(self, site: str, configuration: str, t: int, n: int) -> None:
        meter, system = self.ledger.meters[site], self.ledger.setting.draws[configuration].system
        revenue = self.money.revenue_cents(system, t, self.money.performance(configuration), meter) / 100
        self.found[site, "rental at market price"][t] += n * self.factor * revenue
        self.found[site, "energy"][t] -= n * self.money.energy_usd(configuration, t, meter)
        self.found[site, "demand charge"][t] -= n * meter.demand_usd(configuration)
        self.found[site, "operations"][t] -= n * self.money.operations_usd(configuration)

    def _life(self, site: str, row: str, system: str, n_racks: list[int]) -> None:
        """What racks of a row cost at their start, what acceptance takes, and what they do after the last decision."""
        meter, terms = self.ledger.meters[site], self.money.portfolio.money
        conversion_cents = self.ledger.fits[site].conversion_cents(row, system)
        for t, (before, now) in enumerate(zip([0, *n_racks], n_racks, strict=False)):
            n = now - before
            if not n:
                continue
            self.found[site, "racks"][t] -= n * self.money.rack_price_usd(system)
            self.found[site, "conversions"][t] -= Fraction(n * conversion_cents, 100)
            for quarter in range(t, t + terms.acceptance_lag_quarters):
                lost = self.money.revenue_cents(system, quarter, Fraction(1), meter) / 100
                self.found[site, "not yet accepted"][quarter] -= n * self.factor * lost
            for quarter in range(self.ledger.n_periods, t + terms.economic_life_quarters):
                self._standing(site, self.money.resting(system), quarter, n)

    def _block(self, site: str, block: str, systems: Mapping[str, list[int]]) -> None:
        opened = next(t for t in range(self.ledger.n_periods) if any(n_racks[t] for n_racks in systems.values()))
        self.found[site, "avoidable capex"][opened] -= self.ledger.capex_usd[site, block]
        for system, n_racks in systems.items():
            size = self.money.unit_racks(system)
            units = [-(-n // size) for n in n_racks]
            for t, (before, now) in enumerate(zip([0, *units], units, strict=False)):
                self.found[site, "network"][t] -= (now - before) * size * self.money.network_price_usd(system)

    def _minimum_demand(self, placed: Mapping[str, dict[str, Counts]]) -> None:
        for site, meter in self.ledger.meters.items():
            for t in range(self.ledger.n_periods):
                drawn = sum(
                    (n_racks[t] * meter.demand_w.get(configuration, 0)
                     for counts in placed.get(site, {}).values() for configuration, n_racks in counts.items()),
                    Fraction(0),
                )  # fmt: skip
                short_w = max(meter.minimum_demand_w(t) - drawn, Fraction(0))
                self.found[site, "minimum demand"][t] -= short_w * meter.usd_per_demand_w()
