"""The upper bound that a certificate proves, in exact integers (section 8 of `docs/model.md`)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from planner.verify.block_totals import RowSet, TotalsBook, WholeLimit
from planner.verify.certificate import CertificateError, Multipliers, gain
from planner.verify.side_bound import rack_gains, side_term

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.verify.eligibility import Eligibility
    from planner.verify.joint import AllLimits
    from planner.verify.objective import Ledger
    from planner.verify.points import Point, RowPoints
    from planner.verify.side import Place, Side
    from planner.verify.terms import Terms

Totals = list[int | None]
"""Best value for each total of racks, None where no point has that total."""


@dataclass
class BoundRule:
    """Everything that the bound is made of."""

    ledger: Ledger
    everything: AllLimits
    eligibility: Mapping[str, Eligibility]
    points: Mapping[str, RowPoints]
    side: Side
    multipliers: Multipliers
    _coefficients: dict[tuple[tuple[str, int], ...], list[int]] = field(default_factory=dict)
    _rows: dict[tuple[int, tuple[int, ...]], Totals] = field(default_factory=dict)
    """By the identity of points, which are kept with their site, and values."""
    _blocks: dict[tuple[int, ...], Totals] = field(default_factory=dict)
    """By the identity of the tables of rows, in order."""
    _touched: dict[int, tuple[Mapping[str, Mapping[str, int]], frozenset[str]]] = field(default_factory=dict)
    _totals: TotalsBook = field(default_factory=TotalsBook)

    @property
    def bits(self) -> int:
        """Values are in 2^-bits cents; comments below speak of 2^-50, as outside trees."""
        return self.multipliers.grid_bits + 20

    def bound_cents(self) -> int:
        """The bound, rounded down to the cent, as plans are worth whole cents.

        Raises CertificateError when a multiplier names no limit.
        """
        total = self._joint_term()
        charges, given, whole = self._charges(), self._inside_terms(), self._whole_terms()
        waiting, openings = self.ledger.openings.all_blocks, self.ledger.openings
        worth: dict[tuple[str, str], list[int]] = {}
        for block, rows in self._hosting_rows().items():
            periods = range(self.ledger.n_periods)
            own = [self._block_oracle(block, rows, t, charges, given, whole) for t in periods]
            if block in waiting:
                worth[block] = own
            else:
                total += sum(own)
        return (total + openings.term(worth, self.bits)) >> self.bits

    def _joint_term(self) -> int:
        """What capacities, the contract, minimum demands and what is decided beside the racks add."""
        total = self._contract_term() - self._demand_term() + self._side_term()
        for name, by_period in self.multipliers.limits.items():
            for t, price in by_period.items():
                if price:
                    total += price * self._terms(name, t).capacity
        return total

    def _side_term(self) -> int:
        return side_term(self.side, self.multipliers)

    def _terms(self, name: str, t: int) -> Terms:
        quarter = self.ledger.setting.periods[t]
        try:
            terms = self.everything.terms(name, quarter)
        except KeyError:
            terms = None
        if terms is None:
            msg = f"certificate.json: there is no limit '{name}' in {quarter}"
            raise CertificateError(msg)
        return terms

    def _contract_term(self) -> int:
        money, multipliers = self.ledger.money, self.multipliers
        amount = money.contract_amount
        total = (multipliers.amount * amount) << 20
        for t, price in enumerate(multipliers.contract):
            rate = money.contract_rate(t) << multipliers.grid_bits
            total += amount * max(0, rate - ((price + multipliers.amount) << 20))
        return total

    def _demand_term(self) -> int:
        """What minimum demands take; a multiplier above the price of a watt proves nothing and is refused."""
        total = 0
        for (site, t), price in self.multipliers.demand.items():
            if price > self.ledger.demand_price_cents(site, t) * (1 << self.multipliers.grid_bits):
                quarter = self.ledger.setting.periods[t]
                msg = f"certificate.json: 'demand' of {site} in {quarter} is above the price of a watt there"
                raise CertificateError(msg)
            total += int(price * self.ledger.meters[site].minimum_demand_w(t)) << 20
        return total

    def _charges(self) -> dict[tuple[str, int], list[int]]:
        """What the limits charge one rack of each configuration, by `site:row` and period, in 2^-50 cents."""
        n = len(self._configurations)
        charges: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0] * n)
        for name, by_period in self.multipliers.limits.items():
            for t, price in by_period.items():
                for row, kinds in self._terms(name, t).rows.items() if price else ():
                    total = charges[row, t]
                    for k, coefficient in enumerate(self._row_coefficients(kinds)):
                        total[k] += price * coefficient
        systems = [draws.system for draws in self.ledger.setting.draws.values()]
        for name, by_place in self.multipliers.inside.items():
            for (system, t), price in by_place.items():
                for row, kinds in self._terms(name, t).rows.items() if price else ():
                    total = charges[row, t]
                    for k, coefficient in enumerate(self._row_coefficients(kinds)):
                        total[k] += price * coefficient if systems[k] == system else 0
        return charges

    def _inside_terms(self) -> dict[tuple[str, str, int], int]:
        """What the limits inside a block give back to it while it holds a system: price · capacity, in 2^-50 cents.

        By `site:block`, system and period. Raises CertificateError where such a limit touches several blocks.
        """
        given: dict[tuple[str, str, int], int] = defaultdict(int)
        for name, by_place in self.multipliers.inside.items():
            for (system, t), price in by_place.items():
                terms = self._terms(name, t)
                given[self._only_block(name, terms, "inside"), system, t] += price * terms.capacity
        return given

    def _whole_terms(self) -> dict[tuple[str, str, int], list[Terms]]:
        """The limits that whole racks of a block have to keep while it holds a system.

        By `site:block`, system and period. Raises CertificateError where such a limit touches several blocks.
        """
        kept: dict[tuple[str, str, int], list[Terms]] = defaultdict(list)
        for name, places in self.multipliers.whole.items():
            for system, t in places:
                terms = self._terms(name, t)
                kept[self._only_block(name, terms, "whole"), system, t].append(terms)
        return kept

    def _only_block(self, name: str, terms: Terms, key: str) -> str:
        if any(name == raised for raised, _ in self.side.most_raised):
            msg = (
                f"certificate.json: '{key}' names '{name}', which instalments may raise; due is a price under 'limits'"
            )
            raise CertificateError(msg)
        blocks = self._blocks_of(terms.rows)
        if len(blocks) != 1:
            msg = f"certificate.json: the limit '{name}' under '{key}' touches {len(blocks)} blocks; one is due"
            raise CertificateError(msg)
        return next(iter(blocks))

    def _blocks_of(self, rows: Mapping[str, Mapping[str, int]]) -> frozenset[str]:
        """Blocks that a limit on some rows touches; limits of many periods share theirs."""
        if id(rows) not in self._touched:
            touched = (self._block_of(row) for row in rows if row in self._able and any(self._of(row, rows[row])))
            self._touched[id(rows)] = rows, frozenset(touched)
        return self._touched[id(rows)][1]

    @cached_property
    def _able(self) -> dict[str, dict[str, int]]:
        """Rows, as `site:row`, that may ever hold a rack, with the first period of each configuration."""
        return {f"{block[0]}:{row}": able for block, rows in self._hosting_rows().items() for row, able in rows}

    def _of(self, row: str, kinds: Mapping[str, int]) -> list[int]:
        """What one rack of each configuration that may ever stand in a row puts on a limit."""
        loads = zip(self._configurations, self._row_coefficients(kinds), strict=True)
        return [load for name, load in loads if name in self._able[row]]

    def _block_of(self, row: str) -> str:
        site, _, own = row.partition(":")
        return f"{site}:{self.ledger.setting.rows[site][own]['block_id']}"

    @property
    def _configurations(self) -> tuple[str, ...]:
        return tuple(self.ledger.setting.draws)

    def _row_coefficients(self, kinds: Mapping[str, int]) -> list[int]:
        key = tuple(kinds.items())
        if key not in self._coefficients:
            self._coefficients[key] = [
                sum(share * draws.draw.get(kind, 0) for kind, share in key)
                for draws in self.ledger.setting.draws.values()
            ]
        return self._coefficients[key]

    def _hosting_rows(self) -> dict[tuple[str, str], list[tuple[str, dict[str, int]]]]:
        """By (site, block) every row that may ever hold a rack, with the first period of each configuration."""
        found: dict[tuple[str, str], list[tuple[str, dict[str, int]]]] = defaultdict(list)
        for site, rows in self.ledger.setting.rows.items():
            for row, fields in rows.items():
                first = {name: self.eligibility[site].first_period(row, name) for name in self._configurations}
                able = {name: t for name, t in first.items() if t is not None}
                if able:
                    found[site, fields["block_id"]].append((row, able))
        return dict(found)

    def _block_oracle(
        self,
        block: tuple[str, str],
        rows: Sequence[tuple[str, dict[str, int]]],
        t: int,
        charges: Mapping[tuple[str, int], list[int]],
        given: Mapping[tuple[str, str, int], int],
        whole: Mapping[tuple[str, str, int], list[Terms]],
    ) -> int:
        """The best system of a block in a period, or 0 for leaving it empty, in 2^-50 cents."""
        site, name = block[0], ":".join(block)
        opening = self.ledger.open_costs(block)[t] << self.bits
        best = 0
        for system in self._systems:
            tables = [
                self._row_totals(site, row, names, t, charges)
                for row, able in rows
                if (names := self._eligible(able, system, t))
            ]
            racks = self._best_of_block(block, system, t, tables)
            if tables and (name, system, t) in whole:
                racks = min(racks, self._best_in_whole(block, rows, system, t, charges, whole[name, system, t]))
            worth = racks - opening + (gain(self.multipliers.opening, name, system, t) << 20)
            best = max(best, worth + given.get((name, system, t), 0))
        return best

    def _best_in_whole(
        self,
        block: tuple[str, str],
        rows: Sequence[tuple[str, dict[str, int]]],
        system: str,
        t: int,
        charges: Mapping[tuple[str, int], list[int]],
        limits: Sequence[Terms],
    ) -> int:
        """The best total of a block that keeps limits in whole racks, every rack worth what it is in the best row."""
        site, draws = block[0], self.ledger.setting.draws
        profiles = tuple(name for name in self._configurations if draws[name].system == system)
        able = {row: names for row, first in rows if (names := self._eligible(first, system, t))}
        sets: list[RowSet] = [
            (tuple(profiles.index(name) for name in names), self._row_points(site, row, names, t))
            for row, names in able.items()
        ]
        holding = {name: [row for row, names in able.items() if name in names] for name in profiles}
        kept: list[WholeLimit] = [
            (
                tuple(
                    min((terms.coefficient(f"{site}:{row}", draws[name]) for row in holding[name]), default=0)
                    for name in profiles
                ),
                terms.capacity,
            )
            for terms in limits
        ]
        values = tuple(
            max((self._reduced_value(site, row, name, t, charges) for row in holding[name]), default=0)
            for name in profiles
        )
        return self._totals.best(sets, kept, values, self._unit_of(block, system, t))

    @property
    def _systems(self) -> list[str]:
        return list(dict.fromkeys(draws.system for draws in self.ledger.setting.draws.values()))

    def _eligible(self, able: Mapping[str, int], system: str, t: int) -> tuple[str, ...]:
        draws, end = self.ledger.setting.draws, self.ledger.money.end
        return tuple(name for name, first in able.items() if first <= t < end(name) and draws[name].system == system)

    def _row_totals(
        self, site: str, row: str, names: tuple[str, ...], t: int, charges: Mapping[tuple[str, int], list[int]]
    ) -> Totals:
        """The best value of a row for each number of racks, in 2^-50 cents."""
        points = self._row_points(site, row, names, t)
        values = tuple(self._reduced_value(site, row, name, t, charges) for name in names)
        key = (id(points), values)
        if key not in self._rows:
            self._rows[key] = by_total(points, values)
        return self._rows[key]

    def _row_points(self, site: str, row: str, names: tuple[str, ...], t: int) -> tuple[Point, ...]:
        """What a row may hold alone."""
        return self.points[site].points(row, self.ledger.setting.periods[t], names)

    def _reduced_value(
        self, site: str, row: str, name: str, t: int, charges: Mapping[tuple[str, int], list[int]]
    ) -> int:
        full, system = f"{site}:{row}", self.ledger.setting.draws[name].system
        value = self.ledger.rack_values(site, row, name)[t] << self.bits
        value += (self.multipliers.contract[t] * self.ledger.contract_revenue(site, name, t)) << 20
        value += gain(self.multipliers.monotone, full, system, t) << 20
        price = self.multipliers.demand.get((site, t), 0)
        value += int(price * self.ledger.meters[site].demand_w[name] * (1 << 20)) if price else 0
        value += self._side_gains.get((site, name, t), 0) << 20
        charged = charges.get((full, t))
        return value - (charged[self._configurations.index(name)] if charged else 0)

    @cached_property
    def _side_gains(self) -> dict[Place, int]:
        return rack_gains(self.side, self.multipliers.side)

    def _best_of_block(self, block: tuple[str, str], system: str, t: int, tables: list[Totals]) -> int:
        """The best total of a block less the scalable units that it pays for; 0 racks are always a choice."""
        key = tuple(sorted(map(id, tables)))
        if key not in self._blocks:
            self._blocks[key] = sum_of(tables)
        unit, cost, partial = self._unit_of(block, system, t)
        return max(
            value - -(-n // unit) * cost
            for n, value in enumerate(self._blocks[key])
            if value is not None and (partial or n % unit == 0)
        )

    def _unit_of(self, block: tuple[str, str], system: str, t: int) -> tuple[int, int, bool]:
        """Racks of a scalable unit, what one costs in 2^-50 cents, and whether one may be part empty."""
        cost = self.ledger.unit_costs(system)[t] << self.bits
        cost -= gain(self.multipliers.units, ":".join(block), system, t) << 20
        return self.ledger.money.unit_racks(system), cost, self.ledger.setting.partial_units[block[0]][block[1]]


def by_total(points: Sequence[Point], values: Sequence[int]) -> Totals:
    """The best value of a row for each number of racks."""
    best: Totals = [None] * (max(sum(point) for point in points) + 1)
    for point in points:
        worth = sum(n * value for n, value in zip(point, values, strict=True))
        known = best[sum(point)]
        best[sum(point)] = worth if known is None else max(known, worth)
    return best


def sum_of(tables: Sequence[Totals]) -> Totals:
    """The best value of several rows together for each total of racks."""
    total: Totals = [0]
    for table in tables:
        longer: Totals = [None] * (len(total) + len(table) - 1)
        for a, left in enumerate(total):
            for b, right in enumerate(table):
                if left is not None and right is not None:
                    known = longer[a + b]
                    longer[a + b] = left + right if known is None else max(known, left + right)
        total = longer
    return total
