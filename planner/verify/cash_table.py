"""Every entry of a plan's cash between all parties, worked out again from its placements and decisions.

Entries are as whoever receives first has them: what the customer pays to the provider is positive.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from planner.verify.cash_clauses import clause_cents, shortfall_quarters
from planner.verify.decisions import system_counts
from planner.verify.draws import known
from planner.verify.money import HOURS, WATT_HOURS, ZERO
from planner.verify.work import MILLION, WorkRule
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.verify.decisions import BlockCounts
    from planner.verify.objective import Ledger
    from planner.verify.refresh import Change
    from planner.verify.standing import Counts
    from sites.schema.portfolio import Supply

JOINT = "*"
OWNED = frozenset({
    "energy", "demand charge", "minimum demand", "operations", "rack storage", "racks", "network", "conversions",
    "avoidable capex", "racks removed", "racks resold", "residual value",
})  # fmt: skip
"""Lines of whoever owns the racks."""
TRANSFERS = frozenset({"rental at market price", "contract premium", "not yet accepted", "take-or-pay shortfall"})
"""Lines that the customer pays and the provider receives."""
SERVED = frozenset({"service revenue", "service penalties", "service charges"})
"""Lines of whoever works on the racks."""
PROMISES = frozenset({"instalments", "broken floors", "broken shares"})
"""Lines of whoever's books decided; of the customer where both together did."""
Key = tuple[str, str, str]
"""Site, line, and the item that it is for."""


def label(line: str, item: str) -> str:
    """Name of a line as a plan states it."""
    return f"{line}: {item}" if item else line


def sign(party: str, line: str, decider: str) -> int:
    """How often a line counts in a party's books: −1 turned round, 0 not at all.

    Parameters: decider, in whose books the plan was chosen.
    """
    keeps = "provider" if decider == "provider" else "customer"
    customer = int(line in SERVED) - int(line in TRANSFERS) + int(line in PROMISES and keeps == "customer")
    provider = int(line not in SERVED | PROMISES) + int(line in PROMISES and keeps == "provider")
    return {"provider": provider, "customer": customer, "chain": provider + customer}[party]


@dataclass
class CashTable:
    """Exact USD by site, line and item, [n_quarters], and the prices of assets by when they are in service."""

    ledger: Ledger
    placed: Mapping[str, dict[str, Counts]]
    blocks: BlockCounts
    values: Mapping[str, int]
    """Decisions beside the racks by name of column."""
    found: defaultdict[Key, list[Fraction]] = field(init=False)
    invested: defaultdict[Key, list[Fraction]] = field(init=False)
    n_quarters: int = field(init=False)

    def __post_init__(self) -> None:
        """Work out every entry."""
        self.money = self.ledger.money
        self.terms = self.money.portfolio.money
        self.factor = Fraction(self.terms.market_factor)
        self.work = WorkRule(self.ledger)
        self.n_quarters = self._n_quarters()
        self._n_standing: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self.found = defaultdict(lambda: [ZERO] * self.n_quarters)
        self.invested = defaultdict(lambda: [ZERO] * self.n_quarters)
        for site, rows in self.placed.items():
            for row, counts in rows.items():
                self._row(site, row, counts)
        for (site, configuration, t), n in self._n_standing.items():
            if n:
                self._standing(site, configuration, t, n)
        for (site, block), systems in self.blocks.items():
            self._block(site, block, systems)
        self._openings()
        self._minimum_demand()
        self._premium()
        for supply in self._committed():
            self._deliveries(supply)
        self._work()
        for clause, line, quarter, cents in clause_cents(self.ledger, self.placed, self.values):
            self.found[JOINT, line, clause][quarter] += cents / 100

    def _n_quarters(self) -> int:
        """To the end of the last rack's life, or to the last payment, sale or shortfall where that comes later."""
        last_start, life = self.ledger.n_periods - 1, self.terms.economic_life_quarters
        offsets = [one.offset_quarters for one in self.terms.payment_terms]
        due = [0, *(last + 1 for _, last in shortfall_quarters(self.ledger))]
        return max(last_start + life + bool(self.terms.residual), last_start + 1 + max(offsets, default=0), *due)

    def entries(self) -> dict[Key, list[Fraction]]:
        """Every line with cash."""
        return {key: values for key, values in self.found.items() if any(values)}

    def _pay(self, site: str, line: str, quarter: int, usd: Fraction) -> None:
        """Pay for an asset that is in service from the same quarter on."""
        self.found[site, line, ""][quarter] -= usd
        self.invested[site, line, ""][quarter] += usd

    def _row(self, site: str, row: str, counts: Counts) -> None:
        for configuration, n_racks in counts.items():
            for t, n in enumerate(n_racks):
                self._n_standing[site, configuration, t] += n
        for system, n_racks in system_counts(counts, self.ledger.setting.draws, self.ledger.n_periods).items():
            self._life(site, row, system, n_racks)

    def _standing(self, site: str, configuration: str, t: int, n: int) -> None:
        spell = self.money.spells.get(configuration)
        if spell is not None:
            if spell.configuration is None:
                return
            configuration = spell.configuration
        meter, system = self.ledger.meters[site], self.ledger.setting.draws[configuration].system
        revenue = self.money.revenue_cents(system, t, self.money.performance(configuration), meter) / 100
        self.found[site, "rental at market price", ""][t] += n * self.factor * revenue
        share = "idle" if self.money.portfolio.workloads else f"average_{self.terms.workload}"
        hour_usd = self._hour_usd(site, configuration, self._share(configuration, share), t)
        self.found[site, "energy", ""][t] -= n * HOURS * hour_usd
        self.found[site, "demand charge", ""][t] -= n * meter.demand_usd(configuration)
        self.found[site, "operations", ""][t] -= n * self.money.operations_usd(configuration)

    def _share(self, configuration: str, key: str) -> Fraction:
        profile = self.money.catalog.configuration(configuration).profile
        return Fraction(known(getattr(profile, key), f"{configuration} {key}"))

    def _hour_usd(self, site: str, configuration: str, share: Fraction, t: int) -> Fraction:
        """Energy of one rack for an hour at a share of its sustained power."""
        watts = self.ledger.setting.draws[configuration].draw["it_w"] * share * Fraction(self.terms.annual_pue)
        return watts * self.ledger.meters[site].energy_usd_per_mwh(t) / WATT_HOURS

    def _life(self, site: str, row: str, system: str, n_racks: list[int]) -> None:
        """What racks of a row cost, what acceptance takes, what they do after the decisions and bring in the end."""
        conversion_cents = self.ledger.fits[site].conversion_cents(row, system)
        change = self.money.changes.get(system)
        for t, (before, now) in enumerate(zip([0, *n_racks], n_racks, strict=False)):
            n = now - before
            if not n:
                continue
            self._pay(site, "conversions", t, Fraction(n * conversion_cents, 100))
            if change is None:
                self._place(site, system, t, n)
                self._last(site, system, t, n)
            else:
                self._change(site, change, t, n)

    def _place(self, site: str, system: str, t: int, n: int) -> None:
        """Pay for racks, unless they are paid for anyway."""
        if all(one.system != system for one in self._committed()):
            self._buy(site, t, n * self.money.rack_price_usd(system))

    def _last(self, site: str, system: str, t: int, n: int) -> None:
        """Racks that stand from a quarter to the end of their lives."""
        end = t + self.terms.economic_life_quarters
        if self.terms.residual:
            sold = n * self.money.rack_price_usd(system) * Fraction(self.terms.residual)
            self.found[site, "residual value", ""][end] += sold
        self._wait(site, system, range(t, t + self.terms.acceptance_lag_quarters), n)
        for quarter in range(self.ledger.n_periods, end):
            self._n_standing[site, self.money.resting(system), quarter] += n

    def _wait(self, site: str, system: str, quarters: range, n: int) -> None:
        """Racks that are not accepted yet."""
        for quarter in quarters:
            lost = self.money.revenue_cents(system, quarter, Fraction(1), self.ledger.meters[site]) / 100
            self.found[site, "not yet accepted", ""][quarter] -= n * self.factor * lost

    def _change(self, site: str, change: Change, t: int, n: int) -> None:
        """Racks that make way for others, both paid for."""
        refresh, leaves = change.refresh, max(t, change.leaves)
        self._place(site, refresh.before, t, n)
        accepted = t + self.terms.acceptance_lag_quarters
        self._wait(site, refresh.before, range(t, min(accepted, change.leaves)), n)
        self.found[site, "racks removed", ""][leaves] -= n * Fraction(refresh.removal_cost)
        price = self.money.rack_price_usd(refresh.before)
        self.found[site, "racks resold", ""][leaves] += n * change.resale_share(leaves - t) * price
        self._place(site, refresh.after, leaves, n)
        self._last(site, refresh.after, max(t, change.stands), n)

    def _buy(self, site: str, start: int, price: Fraction) -> None:
        """Pay for racks as the terms say; none of it before the plan's start."""
        terms = [(Fraction(one.share), one.offset_quarters) for one in self.terms.payment_terms] or [(Fraction(1), 0)]
        for part, offset in terms:
            self.found[site, "racks", ""][max(0, start + offset)] -= part * price
        self.invested[site, "racks", ""][max(0, start)] += price

    def _block(self, site: str, block: str, systems: Mapping[str, list[int]]) -> None:
        opened = next(t for t in range(self.ledger.n_periods) if any(n_racks[t] for n_racks in systems.values()))
        self._pay(site, "avoidable capex", opened, self.ledger.capex_usd[site, block])
        for system, n_racks in systems.items():
            size = self.money.unit_racks(system)
            units = [-(-n // size) for n in n_racks]
            for t, (before, now) in enumerate(zip([0, *units], units, strict=False)):
                for own, quarter in self._networks(system, t):
                    self._pay(site, "network", quarter, (now - before) * size * self.money.network_price_usd(own))

    def _openings(self) -> None:
        for entry in self.ledger.openings.entries:
            opened = self.ledger.openings.opened_in(entry.name, self.blocks)
            if opened is not None:
                self._pay(entry.site, "avoidable capex", opened, Fraction(entry.cost))

    def _networks(self, system: str, t: int) -> list[tuple[str, int]]:
        """Systems whose network units started in a quarter need, and when."""
        change = self.money.changes.get(system)
        if change is None:
            return [(system, t)]
        return [(change.refresh.before, t), (change.refresh.after, max(t, change.leaves))]

    def _minimum_demand(self) -> None:
        for site, meter in self.ledger.meters.items():
            for t in range(self.ledger.n_periods):
                drawn = sum(
                    (n_racks[t] * meter.demand_w.get(configuration, 0)
                     for counts in self.placed.get(site, {}).values() for configuration, n_racks in counts.items()),
                    ZERO,
                )  # fmt: skip
                short_w = max(meter.minimum_demand_w(t) - drawn, ZERO)
                self.found[site, "minimum demand", ""][t] -= short_w * meter.usd_per_demand_w()

    def _premium(self) -> None:
        """What the contract pays above the market, earliest revenue first, whoever's books decided."""
        contract = self.money.portfolio.contract
        left = 0 if contract is None else floor(100 * Fraction(contract.amount))
        for t in range(self.ledger.n_periods if left else 0):
            revenue = sum(
                n_racks[t] * self.ledger.contract_revenue(site, configuration, t)
                for site, rows in self.placed.items()
                for counts in rows.values()
                for configuration, n_racks in counts.items()
            )
            used = min(left, revenue)
            left -= used
            self.found[JOINT, "contract premium", ""][t] += Fraction(used, 100) * (1 - self.factor)

    def _committed(self) -> list[Supply]:
        return [one for one in self.money.portfolio.supply if one.committed]

    def _deliveries(self, supply: Supply) -> None:
        """Committed racks: paid as they come, kept at a price until they are placed."""
        price, start = self.money.rack_price_usd(supply.system), quarter_index(self.money.portfolio.start)
        dated = [(quarter_index(one.quarter) - start, one.racks) for one in supply.deliveries]
        for came, n_racks in dated:
            if came < self.ledger.n_periods:
                self._buy(JOINT, came, n_racks * price)
        for t in range(self.ledger.n_periods):
            unplaced = sum(n_racks for came, n_racks in dated if came <= t) - self._n_placed(supply.system, t)
            kept = Fraction(self.terms.storage_share_per_quarter or 0) * price * unplaced
            self.found[JOINT, "rack storage", ""][t] -= kept

    def _n_placed(self, system: str, t: int) -> int:
        """Racks of a system that are in their places by a quarter, or have been."""
        draws = self.ledger.setting.draws
        return sum(
            n_racks[t] * draws[configuration].draw.get(f"delivered:{system}", 0)
            for rows in self.placed.values()
            for counts in rows.values()
            for configuration, n_racks in counts.items()
        )

    def _work(self) -> None:
        """What is sold, missed and charged, and the energy of hours of work beyond idle ones."""
        for tier in self.tiers():
            item = f"{tier.workload}, {tier.tier}"
            self.found[JOINT, "service revenue", item][tier.quarter] += tier.revenue_usd
            self.found[JOINT, "service penalties", item][tier.quarter] -= tier.penalty_usd
        for workload in self.money.portfolio.workloads:
            for charge in workload.charges:
                line = self.found[JOINT, "service charges", f"{workload.name}, {charge.name}"]
                for tier in self.tiers():
                    if tier.workload == workload.name:
                        line[tier.quarter] -= tier.millions * Fraction(charge.cost)
        for site, _, quarter, usd in self._energies():
            self.found[site, "energy", ""][quarter] -= usd

    def work_energy(self) -> Iterator[tuple[str, int, Fraction]]:
        """Workload, quarter and USD of the energy of work beyond that of idle racks."""
        return ((name, quarter, usd) for _, name, quarter, usd in self._energies())

    def _energies(self) -> Iterator[tuple[str, str, int, Fraction]]:
        kinds = {one.name: str(one.kind) for one in self.money.portfolio.workloads}
        for site, configuration, name, quarter, n_hours in self.hours():
            average = self._share(configuration, f"average_{kinds[name]}")
            beyond = max(average - self._share(configuration, "idle"), ZERO)
            yield site, name, quarter, n_hours * self._hour_usd(site, configuration, beyond, quarter)

    def hours(self) -> Iterator[tuple[str, str, str, int, int]]:
        """Site, configuration, workload, quarter and hours of every decision to serve."""
        start = quarter_index(self.money.portfolio.start)
        for name, n_hours in self.values.items():
            if name.startswith("serve:") and n_hours:
                _, site, configuration, workload, quarter = name.split(":")
                yield site, configuration, workload, quarter_index(quarter) - start, n_hours

    def tiers(self) -> Iterator[TierQuarter]:
        """Every tier of every workload in every quarter in which racks may work."""
        for workload in self.money.portfolio.workloads:
            size = Fraction(self.work.unit(workload), MILLION)
            for tier in workload.tiers:
                for t in range(self.work.n_quarters):
                    sold = self.values.get(f"sold:{workload.name}:{tier.name}:{self.work.name(t)}", 0)
                    asked = self.work.quantity(workload, tier, t)
                    price = Fraction(tier.price) * Fraction(math.pow(float(1 - tier.price_decline_per_year), t / 4))
                    missed = (asked - sold) * size * Fraction(tier.penalty or 0)
                    yield TierQuarter(
                        workload.name, tier.name, t, asked, sold, sold * size, sold * size * price, missed
                    )


@dataclass(frozen=True)
class TierQuarter:
    """What one tier of a workload asks and gets in a quarter."""

    workload: str
    tier: str
    quarter: int
    demand_units: int
    served_units: int
    millions: Fraction
    """Served, of what the basis counts."""
    revenue_usd: Fraction
    penalty_usd: Fraction
