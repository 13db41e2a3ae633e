"""The bound that one leaf of a certificate's tree proves for the plans of its branch (section 8 of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from planner.verify.bound import BoundRule, by_total, sum_of
from planner.verify.branches import Held
from planner.verify.certificate import gain
from planner.verify.side_bound import side_term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from planner.verify.branches import DecisionSide, Side
    from planner.verify.points import Point

Block = tuple[str, str]
"""Site and block."""
Rows = list[tuple[str, dict[str, int]]]
"""Rows of a block that may ever hold a rack, with the first period of each configuration."""


@dataclass
class LeafRule(BoundRule):
    """The bound within the sides of a branch."""

    sides: tuple[Side, ...] = ()
    decided: tuple[DecisionSide, ...] = ()

    def __post_init__(self) -> None:
        """Sort the sides by what they hold."""
        self._ranges = self._decided_ranges()
        self._hosting = self._hosting_rows()
        rows = {
            ":".join(block): frozenset(f"{block[0]}:{row}" for row, _ in own) for block, own in self._hosting.items()
        }
        system_of = {name: draws.system for name, draws in self.ledger.setting.draws.items()}
        self._held = Held(self.sides, system_of, rows)

    def branch_cents(self) -> int | None:
        """What no plan in the branch exceeds, rounded down to the cent; None where the sides leave no plan."""
        if any(least > most for least, most in self._ranges.values()):
            return None
        charges, given = self._charges(), self._inside_terms()
        total = self._joint_term() - (self._least_shortfalls() << self.bits)
        for side in self.sides:
            signed = -side.price if side.is_above else side.price
            total += (signed * side.count) << 20
            for row in side.rows:
                charge = charges[row, side.period]
                for k, name in enumerate(self._configurations):
                    charge[k] += (signed << 20) if name in side.configurations else 0
        for block, rows in self._hosting.items():
            for t in range(self.ledger.n_periods):
                best = self._best_of_branch(block, rows, t, charges, given)
                if best is None:
                    return None
                total += best
        return total >> self.bits

    def _decided_ranges(self) -> dict[str, tuple[int, int]]:
        """Least and most that the sides leave of the decisions that they split."""
        ranges: dict[str, tuple[int, int]] = {}
        for one in self.decided:
            least, most = ranges.get(one.column, (0, self.side.columns[one.column].most))
            ranges[one.column] = (max(least, one.count), most) if one.is_above else (least, min(most, one.count))
        return ranges

    def _side_term(self) -> int:
        return side_term(self.side, self.multipliers, self._ranges)

    def _best_of_branch(
        self,
        block: Block,
        rows: Rows,
        t: int,
        charges: Mapping[tuple[str, int], list[int]],
        given: Mapping[tuple[str, str, int], int],
    ) -> int | None:
        name = ":".join(block)

        def worth(row: str, configuration: str) -> int:
            return self._reduced_value(block[0], row, configuration, t, charges)

        def holding(system: str) -> int:
            opening = self.ledger.open_costs(block)[t] << self.bits
            kept = gain(self.multipliers.opening, name, system, t) << 20
            return kept - opening + given.get((name, system, t), 0)

        return self._best(block, rows, t, worth, holding)

    def _best(
        self,
        block: Block,
        rows: Rows,
        t: int,
        worth: Callable[[str, str], int],
        holding: Callable[[str], int] | None,
    ) -> int | None:
        """The best that the branch lets a block hold; None where it lets it hold nothing, and not be empty either.

        Parameters: worth of a rack by row and configuration; holding, what a system brings besides, without which
        units are free too.
        """
        name = ":".join(block)
        found = [] if self._held.is_filled(name, t) else [0]
        for system in self._systems:
            points = None if self._held.is_barred(name, system) else self._points_left(block[0], rows, system, t)
            if points is None:
                continue
            tables = [by_total(own, tuple(worth(row, one) for one in names)) for row, names, own in points]
            unit, cost, partial = self._unit_of(block, system, t)
            found += [
                value + (0 if holding is None else holding(system) - -(-n // unit) * cost)
                for n, value in enumerate(sum_of(tables))
                if value is not None and (partial or n % unit == 0) and self._held.allows_total(name, system, n, t)
            ]
        return max(found, default=None)

    def _points_left(
        self, site: str, rows: Rows, system: str, t: int
    ) -> list[tuple[str, tuple[str, ...], tuple[Point, ...]]] | None:
        """The points of every row that its sides allow; None where one has none."""
        found = []
        for row, able in rows:
            names = self._eligible(able, system, t)
            points: Sequence[Point] = self._row_points(site, row, names, t) if names else ((),)
            left = tuple(point for point in points if self._held.allows(f"{site}:{row}", names, point, t))
            if not left:
                return None
            found.append((row, names, left))
        return found

    def _least_shortfalls(self) -> int:
        """Cents of shortfalls without a multiplier, by the most that the branch lets the site's racks draw."""
        total = 0
        for site, meter in self.ledger.meters.items():
            for t in range(self.ledger.n_periods):
                if self.multipliers.demand.get((site, t), 0) or not meter.minimum_demand_w(t):
                    continue
                missing = meter.minimum_demand_w(t) - Fraction(self._most_drawn(site, t), 1 << 20)
                total += ceil(self.ledger.demand_price_cents(site, t) * max(missing, Fraction(0)))
        return total

    def _most_drawn(self, site: str, t: int) -> int:
        """Watts, scaled by 2^20, that the branch lets a site's racks draw, by blocks or by configurations."""
        draw = {name: int(watts * (1 << 20)) for name, watts in self.ledger.meters[site].demand_w.items()}
        blocks = {block: rows for block, rows in self._hosting.items() if block[0] == site}
        everywhere = {f"{site}:{row}" for rows in blocks.values() for row, _ in rows}

        def most(worth: Mapping[str, int]) -> int:
            found = (
                self._best(block, rows, t, lambda _, name: worth.get(name, 0), None) for block, rows in blocks.items()
            )
            return sum(one or 0 for one in found)

        by_configuration = 0
        for name in self._configurations:
            held = [side.count for side in self.sides if self._held.keeps_below(side, everywhere, name, t)]
            by_configuration += draw.get(name, 0) * min([most({name: 1}), *held])
        return min(most(draw), by_configuration)
