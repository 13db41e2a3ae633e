"""Random side programs on the small problems of `solve_cases`, and their rules in plain integers.

The rules are written out here once more, from the published model, so that no test judges the planner by its own code.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from solve_cases import ONE, RACK_CENTS, broken_rules, changed

from planner.export.effective import plan_value_cents
from planner.lower.side_builder import SideBuilder
from planner.problem import INACTIVE, ColumnKind, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


@dataclass(frozen=True)
class SideSize:
    """How large the numbers of a random side program are."""

    cents: int = RACK_CENTS
    """What a rack is worth is of this order."""
    n_workloads: int = 2
    hours: int = 4
    """Most hours of a rack and quarter."""
    quantity: int = 9
    """Most units of a tier and quarter."""
    n_tiers: int = 2
    has_clauses: bool = True
    """Floors, a share, a commitment and instalments beside the work."""


TINY = SideSize(cents=100, n_workloads=1, hours=2, quantity=2, n_tiers=1)
"""For `tiny_problem`, so that everything can be listed."""


def with_side_program(problem: Problem, seed: int, size: SideSize = SideSize()) -> Problem:
    """The same problem, its blocks at two sites by turns, with work to sell and clauses of a contract.

    Work after the last decision quarter rests on racks that are alive then; a site may accept racks late. There are
    floors with shortfall, shares of either sign, a commitment in cents, and instalments in cash or in capacity.
    """
    random = np.random.default_rng(seed + 7_000)
    builder = SideBuilder(("toy", "twin"), (problem.block_of_row_idx % 2).astype(np.int32))
    made = _Made(problem, random, builder, size)
    made.work()
    if size.has_clauses:
        for clause in (made.floor, made.share, made.commitment, made.cash, made.capacity, made.served):
            if random.random() < 0.6:
                clause()
    constant = int(random.integers(-size.cents, size.cents))
    return changed(problem, side=builder.build(), constant_cents=constant)


@dataclass
class _Made:
    """A side program in the making."""

    problem: Problem
    random: np.random.Generator
    builder: SideBuilder
    size: SideSize

    def __post_init__(self) -> None:
        self.sold: list[tuple[int, int]] = []
        """(column, period)"""
        self.hours = int(self.random.integers(1, self.size.hours + 1))
        self.lag = int(self.random.integers(0, 2))

    def _cents(self, part: float) -> int:
        return int(self.random.integers(0, max(int(self.size.cents * part), 1)) * ONE + self.random.integers(0, ONE))

    def _everywhere(self, period: int, least: int, most: int) -> list[tuple[int, int, int, int]]:
        """Racks of every group and configuration in a period, each with a number of its own."""
        places = product(range(2), range(self.problem.n_configurations))
        return [(g, k, period, int(self.random.integers(least, most + 1))) for g, k in places]

    def work(self) -> None:
        """Workloads in every decision quarter, and in one after them."""
        for workload in range(self.size.n_workloads):
            for period in range(self.problem.n_periods + 1):
                row = self.builder.row(f"work:w{workload}:{period}")
                quantity = self._tiers(workload, period, row)
                rates = self.random.integers(0, 4, (2, self.problem.n_configurations))
                for group, configuration in np.argwhere(rates):
                    place = (int(group), int(configuration), period)
                    self._serve(workload, place, row, int(rates[group, configuration]), quantity)

    def _tiers(self, workload: int, period: int, row: int) -> int:
        total, price = 0, self._cents(0.2)
        for tier in range(self.size.n_tiers):
            quantity = int(self.random.integers(1, self.size.quantity + 1))
            total += quantity
            name = f"sold:w{workload}:tier{tier}:{period}"
            column = self.builder.column(name, price // (tier + 1), quantity, ColumnKind.FILLED)
            self.builder.term(column, row, 1)
            self.sold.append((column, period))
        return total

    def _serve(self, workload: int, place: tuple[int, int, int], row: int, rate: int, quantity: int) -> None:
        group, configuration, period = place
        site = self.builder.group_names[group]
        rests = period == self.problem.n_periods
        system = int(self.problem.system_of_configuration_idx[configuration])
        members = [int(k) for k in np.flatnonzero(self.problem.system_of_configuration_idx == system)]
        if rests and configuration != members[0]:
            return
        name = f"serve:{site}:{self.problem.configuration_names[configuration]}:w{workload}:{period}"
        column = self.builder.column(name, -self._cents(0.05), -(-quantity // rate), ColumnKind.CHOSEN)
        racks = self._alive(group, members, period) if rests else [(group, configuration, period, self.hours)]
        of_racks = f"hours:{site}:{self.problem.configuration_names[configuration]}:{period}"
        self.builder.term(column, self._once(of_racks, racks), 1)
        if self.lag:
            accepted = min(period - self.lag, self.problem.n_periods - 1)
            racks = [(group, k, accepted, self.hours) for k in members] if accepted >= 0 else []
            name = f"accepted:{site}:{self.problem.system_names[system]}:{period}"
            self.builder.term(column, self._once(name, racks), 1)
        self.builder.term(column, row, -rate)

    def _alive(self, group: int, members: list[int], period: int) -> list[tuple[int, int, int, int]]:
        """Racks of the last quarter less those whose life has ended, which is as long as the decisions."""
        stood = [(group, k, period - 1, self.hours) for k in members]
        return stood + [(group, k, 0, -self.hours) for k in members if period > 1]

    def _once(self, name: str, racks: list[tuple[int, int, int, int]]) -> int:
        known = self.builder.row_idx.get(name)
        return self.builder.row(name, 0, racks) if known is None else known

    def floor(self) -> None:
        """Racks in a quarter, or a shortfall that costs."""
        period, minimum = int(self.random.integers(0, self.problem.n_periods)), int(self.random.integers(1, 12))
        row = self.builder.row(f"floor:racks:{period}", -minimum, self._everywhere(period, 1, 3))
        short = self.builder.column(f"short:racks:{period}", -self._cents(0.3), minimum, ColumnKind.NEEDED)
        self.builder.term(short, row, -1)

    def served(self) -> None:
        """Work sold up to a quarter, or a shortfall that costs."""
        period, minimum = int(self.random.integers(0, self.problem.n_periods)), int(self.random.integers(1, 9))
        row = self.builder.row(f"floor:tokens:{period}", -minimum)
        short = self.builder.column(f"short:tokens:{period}", -self._cents(0.2), minimum, ColumnKind.NEEDED)
        self.builder.term(short, row, -1)
        for column, own in self.sold:
            if own <= period:
                self.builder.term(column, row, -1)

    def share(self) -> None:
        """Racks at one place that may be no more than a share of all; of either sign."""
        period = int(self.random.integers(0, self.problem.n_periods))
        row = self.builder.row(f"share:site:{period}", 0, self._everywhere(period, -2, 2))
        over = self.builder.column(f"over:site:{period}", -self._cents(0.2), 2**62, ColumnKind.NEEDED)
        self.builder.term(over, row, -1)

    def commitment(self) -> None:
        """Spend over all quarters, or what falls short is paid all the same."""
        each = self.random.integers(0, max(self.size.cents // 4, 2), (2, self.problem.n_configurations)).tolist()
        places = product(range(2), range(self.problem.n_configurations), range(self.problem.n_periods))
        amount = int(self.random.integers(1, 2 * self.size.cents))
        row = self.builder.row("commitment:cloud", -amount, [(g, k, t, each[g][k]) for g, k, t in places])
        short = self.builder.column("shortfall:cloud", -(ONE * 9 // 10), amount, ColumnKind.NEEDED)
        self.builder.term(short, row, -1)

    def cash(self) -> None:
        """An instalment that racks in a quarter unlock; now and then it costs."""
        period, target = int(self.random.integers(0, self.problem.n_periods)), int(self.random.integers(1, 9))
        row = self.builder.row("tranche:cash", 0, self._everywhere(period, 0, 2))
        worth = self._cents(0.8) * (-1 if self.random.random() < 0.2 else 1)
        self.builder.term(self.builder.column("tranche:cash", worth, 1, ColumnKind.SWITCH), row, target)

    def capacity(self) -> None:
        """An instalment that widens a limit over several rows in later quarters."""
        problem = self.problem
        wide = [n for n in np.flatnonzero(np.diff(problem.limit_ptr) > 1) if problem.limits[n].family == "meter"]
        period, target = int(self.random.integers(0, problem.n_periods - 1)), int(self.random.integers(1, 5))
        row = self.builder.row("tranche:budget", 0, self._everywhere(period, 1, 2))
        column = self.builder.column("tranche:budget", 0, 1, ColumnKind.SWITCH)
        self.builder.term(column, row, target)
        for later in range(period + 1, problem.n_periods):
            if wide and problem.capacity[wide[0], later] != INACTIVE:
                amount = int(problem.capacity[wide[0], later]) // int(self.random.integers(2, 6))
                self.builder.capacity(column, int(wide[0]), later, amount)


def group_counts(problem: Problem, n_racks: NDArray[np.integer[Any]]) -> NDArray[np.object_]:
    """[n_groups, n_configurations, n_periods] standing racks of each site."""
    assert problem.side is not None
    racks = n_racks.astype(object)
    own = [problem.side.group_of_row_idx == group for group in range(problem.side.n_groups)]
    return np.array([racks[rows].sum(axis=0) if rows.any() else racks[:0].sum(axis=0) * 0 for rows in own], object)


def side_room(problem: Problem, n_racks: NDArray[np.integer[Any]]) -> list[int]:
    """[n_side_rows] what racks leave to the columns of each row."""
    side = problem.side
    assert side is not None
    counts, room = group_counts(problem, n_racks), list(side.row_right)
    for row in range(side.n_rows):
        for entry in range(side.rack_ptr[row], side.rack_ptr[row + 1]):
            place = (side.rack_group_idx[entry], side.rack_configuration_idx[entry], side.rack_period_idx[entry])
            room[row] += int(side.rack_coefficient[entry]) * int(counts[place])
    return room


def terms_of(problem: Problem) -> list[dict[int, int]]:
    """Of every column, {row: coefficient}."""
    side = problem.side
    assert side is not None
    found: list[dict[int, int]] = []
    for column in range(side.n_columns):
        terms: dict[int, int] = {}
        for entry in range(side.term_ptr[column], side.term_ptr[column + 1]):
            row = int(side.term_row_idx[entry])
            terms[row] = terms.get(row, 0) + int(side.term_coefficient[entry])
        found.append(terms)
    return found


def with_capacity_of(problem: Problem, decisions: list[int]) -> Problem:
    """The problem with the capacities that decisions make of its limits."""
    side = problem.side
    assert side is not None
    capacity = problem.capacity.copy()
    for column, value in enumerate(decisions):
        for entry in range(side.capacity_ptr[column], side.capacity_ptr[column + 1]):
            place = (side.capacity_limit_idx[entry], side.capacity_period_idx[entry])
            if capacity[place] != INACTIVE:
                capacity[place] += value * int(side.capacity_amount[entry])
    return changed(problem, capacity=capacity)


def broken_side_rules(problem: Problem, n_racks: NDArray[np.integer[Any]], decisions: list[int]) -> list[str]:
    """Every rule that a plan with its decisions breaks, limits at the capacity that the decisions give them."""
    side = problem.side
    assert side is not None
    found = broken_rules(with_capacity_of(problem, decisions), n_racks)
    room = side_room(problem, n_racks)
    for name, value, most in zip(side.column_names, decisions, side.column_most, strict=True):
        if not 0 <= value <= most:
            found.append(f"{name} is {value}, not within 0 to {most}")
    for value, terms in zip(decisions, terms_of(problem), strict=True):
        for row, coefficient in terms.items():
            room[row] -= coefficient * value
    return found + [f"{name} is broken by {-left}" for name, left in zip(side.row_names, room, strict=True) if left < 0]


def plan_worth(problem: Problem, n_racks: NDArray[np.integer[Any]], decisions: list[int]) -> int:
    """Whole cents of a plan with its decisions."""
    side = problem.side
    assert side is not None
    scaled = sum(worth * value for worth, value in zip(side.column_worth, decisions, strict=True))
    racks = plan_value_cents(changed(problem, side=None, constant_cents=0), n_racks)
    return racks + (scaled >> 20) + problem.constant_cents


def best_decisions(problem: Problem, n_racks: NDArray[np.integer[Any]]) -> list[int] | None:
    """The decisions worth most at these racks, by trying all; None where none keep every rule.

    Columns that are needed take no more than their rows ask, as they cost and help no row but by being there. What
    shares no row is tried apart.
    """
    side = problem.side
    assert side is not None
    terms, room = terms_of(problem), side_room(problem, n_racks)
    best: list[int] = [0] * side.n_columns
    for columns in _apart(terms, side.n_rows):
        found = _best_of(problem, columns, terms, room, n_racks)
        if found is None:
            return None
        for column, value in found.items():
            best[column] = value
    return best if not broken_side_rules(problem, n_racks, best) else None


def _apart(terms: list[dict[int, int]], n_rows: int) -> list[list[int]]:
    """Columns that rows join, together."""
    own = list(range(n_rows))

    def root(row: int) -> int:
        while own[row] != row:
            row = own[row]
        return row

    for rows in terms:
        first, *others = rows
        for row in others:
            own[root(row)] = root(first)
    groups: dict[int, list[int]] = {}
    for column, rows in enumerate(terms):
        groups.setdefault(root(next(iter(rows))), []).append(column)
    return list(groups.values())


def _best_of(
    problem: Problem,
    columns: list[int],
    terms: list[dict[int, int]],
    room: list[int],
    n_racks: NDArray[np.integer[Any]],
) -> dict[int, int] | None:
    side = problem.side
    assert side is not None
    free = [c for c in columns if side.column_kind[c] is not ColumnKind.NEEDED]
    needed = [c for c in columns if side.column_kind[c] is ColumnKind.NEEDED]
    best: tuple[int, dict[int, int]] | None = None
    for values in _all_values([side.column_most[c] for c in free]):
        chosen = dict(zip(free, values, strict=True))
        left = dict.fromkeys({row for c in columns for row in terms[c]}, 0)
        for row in left:
            left[row] = room[row] - sum(terms[c].get(row, 0) * value for c, value in chosen.items())
        for column in needed:
            short = max([0, *(-(left[row] // -each) for row, each in terms[column].items() if left[row] < 0)])
            chosen[column] = min(short, side.column_most[column])
            for row, each in terms[column].items():
                left[row] -= each * chosen[column]
        if min(left.values()) < 0 or not _within_limits(problem, n_racks, chosen):
            continue
        worth = sum(side.column_worth[c] * value for c, value in chosen.items())
        if best is None or worth > best[0]:
            best = (worth, chosen)
    return None if best is None else best[1]


def _within_limits(problem: Problem, n_racks: NDArray[np.integer[Any]], chosen: dict[int, int]) -> bool:
    """Whether limits hold; asked of columns that add to a capacity only."""
    side = problem.side
    assert side is not None
    if not any(side.capacity_ptr[c + 1] > side.capacity_ptr[c] for c in chosen):
        return True
    decisions = [chosen.get(column, 0) for column in range(side.n_columns)]
    return not broken_rules(with_capacity_of(problem, decisions), n_racks)


def _all_values(most: list[int]) -> Iterator[tuple[int, ...]]:
    return product(*(range(one + 1) for one in most))


def most_capacities(problem: Problem) -> Problem:
    """The problem with every limit as wide as decisions can make it."""
    side = problem.side
    assert side is not None
    switches = [most if kind is ColumnKind.SWITCH else 0
                for most, kind in zip(side.column_most, side.column_kind, strict=True)]  # fmt: skip
    return with_capacity_of(problem, switches)
