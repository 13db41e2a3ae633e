"""The compact linear program: racks of rows, systems of blocks and their units as they are, without columns.

A variable keeps a value for each period. Racks of a system in a row, blocks that hold a system, and scalable units
are isotone: what never falls over time is projected, not priced. Racks of a row are kept in the hull of its integer
points by cuts that its block opens by holding the system; units under the hull of whole ones. So what is priced is
what the certificate prices, and the cuts, which its block oracle keeps exactly and needs no multipliers for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE, SHARE_BITS
from planner.solve.block_totals import BlockTotals, stated_limits
from planner.solve.demand import draws_w, prices_cents_per_w
from planner.solve.first_order.facets import Direction, directions
from planner.solve.first_order.terms import Terms
from planner.solve.packing import EffectiveValues, effective_values
from planner.solve.patterns import limits_inside_blocks, single_row_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.classes import Classes
    from planner.solve.patterns import RowPatterns


class CompactProgram:
    """Variables and constraints over classes of rows, limits and blocks, in every lane."""

    def __init__(self, problems: Sequence[Problem], patterns: Sequence[RowPatterns], classes: Classes) -> None:
        """Number the variables and constraints.

        Parameters: problems, one for each lane, of the same graph and alike within classes; patterns of each, all from
        one book.
        """
        self.problems, self.patterns, self.classes = tuple(problems), tuple(patterns), classes
        self.values: list[EffectiveValues] = [effective_values(problem) for problem in problems]
        self.base = problems[0]
        self.point_sets = max((one.point_sets for one in patterns), key=len)
        _, self.row_first, self.row_size = np.unique(classes.row, return_index=True, return_counts=True)
        _, self.block_first, self.block_size = np.unique(classes.block, return_index=True, return_counts=True)
        _, self.limit_first, self.limit_size = np.unique(classes.limit, return_index=True, return_counts=True)
        self.block_of_row = classes.block[self.base.block_of_row_idx[self.row_first]]
        self._count_rows()
        self._room()
        self._totals()
        self._variables()
        self.terms = Terms((self.base.n_periods, len(problems)))
        self._limits()
        self._profiles()
        self._cuts()
        self._whole()
        self._systems()
        self._units()
        self._demands()

    def _count_rows(self) -> None:
        """[n_row_classes] rows of each class in one block."""
        in_block = [self.classes.row[self.base.block_of_row_idx == block] for block in self.block_first]
        counts = np.array([np.bincount(rows, minlength=self.row_first.size) for rows in in_block])
        self.rows_of_block = counts.reshape(-1, self.row_first.size)[self.block_of_row, np.arange(self.row_first.size)]

    def _room(self) -> None:
        """[n_row_classes, n_systems, n_periods, n_lanes] most racks in total, and the same never falling."""
        shape = (self.row_first.size, self.base.n_systems, self.base.n_periods, len(self.problems))
        self.room = np.zeros(shape)
        for lane, patterns in enumerate(self.patterns):
            most = np.array([points.sum(axis=1).max() for points in patterns.point_sets] + [0], np.float64)
            self.room[..., lane] = most[patterns.pattern_set_idx[self.row_first]]
        # What stands never falls, so that room of a later period bounds every earlier one.
        self.lasting = np.minimum.accumulate(self.room[:, :, ::-1], axis=2)[:, :, ::-1]

    def _totals(self) -> None:
        """[n_block_classes, n_systems] most racks of a block in any period and lane, and its totals of whole racks."""
        most = np.zeros((self.block_first.size, *self.room.shape[1:]))
        np.add.at(most, self.block_of_row, self.room * self.rows_of_block[:, None, None, None])
        self.totals: dict[tuple[int, ...], NDArray[np.int64]] = {}
        for lane, (problem, patterns) in enumerate(zip(self.problems, self.patterns, strict=True)):
            known = BlockTotals(problem, patterns, stated_limits(problem))
            alike = self._worth_alike(lane)
            for block, system, period in np.argwhere((most[..., lane] > 0) & alike[:, None, None]):
                found = known.of(int(self.block_first[block]), int(system), int(period))
                if found is not None:
                    self.totals[block, system, period, lane] = found.racks
                    most[block, system, period, lane] = found.racks.sum(axis=1).max()
        self.most_racks = most.max(axis=(2, 3))

    def _worth_alike(self, lane: int) -> NDArray[np.bool_]:
        """[n_block_classes] whether a rack is worth the same in all rows: totals count each at the best row's worth."""
        value = self.values[lane].rack[self.row_first]
        first = np.unique(self.block_of_row, return_index=True)[1][self.block_of_row]
        unlike = (value != value[first]).any(axis=(1, 2))
        result: NDArray[np.bool_] = np.bincount(self.block_of_row[unlike], minlength=self.block_first.size) == 0
        return result

    def _variables(self) -> None:
        """Isotone variables first: racks, blocks, units; then racks above the base profile, demand, the premium."""
        base, n_blocks = self.base, self.block_first.size
        self.upper: list[NDArray[np.float64]] = []
        self.gain: list[NDArray[np.float64]] = []
        used: NDArray[np.bool_] = np.asarray(self.lasting.any(axis=(2, 3)))
        self.base_profile = self._base_profiles()
        value = np.stack([one.rack[self.row_first] for one in self.values], axis=-1).astype(np.float64)
        value *= self.row_size[:, None, None, None]
        rows = np.arange(self.row_first.size)[:, None]
        standing = value[rows, self.base_profile]
        self.racks = self._add(used, self.lasting, standing)
        held = np.zeros((n_blocks, base.n_systems), np.bool_)
        np.logical_or.at(held, self.block_of_row, used)
        ones = np.ones((*held.shape, base.n_periods, len(self.problems)))
        cost = np.stack([one.open_cost[self.block_first] for one in self.values], axis=-1).astype(np.float64)
        cost = np.repeat((cost * self.block_size[:, None, None])[:, None], base.n_systems, axis=1)
        self.blocks = self._add(held, ones, -cost)
        self._unit_variables(held)
        self.n_isotone = len(self.gain)
        more = self._profile_variables(value, used)
        self.upgrades = self._add(*more)
        self._demand_variables()

    def _base_profiles(self) -> NDArray[np.int64]:
        """[n_row_classes, n_systems] the configuration that stands where no other is chosen: eligible before all."""
        base = self.base
        draw = base.entry_coefficient.astype(np.float64).sum(axis=0)
        result = np.zeros((self.row_first.size, base.n_systems), np.int64)
        for system in range(base.n_systems):
            members = np.flatnonzero(base.system_of_configuration_idx == system)
            members = members[np.argsort(draw[members], kind="stable")]
            first = base.first_period[self.row_first][:, members]
            result[:, system] = members[np.argmin(first, axis=1)]
        return result

    def _unit_variables(self, held: NDArray[np.bool_]) -> None:
        """Units where they cost or earn something, or where their number is fixed by that of racks."""
        base = self.base
        each = np.stack([one.unit_cost[self.block_first] for one in self.values], axis=-1)
        racks = np.zeros((self.block_first.size, *self.lasting.shape[1:]))
        np.add.at(racks, self.block_of_row, self.lasting * self.rows_of_block[:, None, None, None])
        most = np.ceil(racks / base.unit_racks[:, None, None])
        counted = held & each.any(axis=(2, 3))
        self.units = self._add(counted, most, -each.astype(np.float64) * self.block_size[:, None, None, None])
        self.unit_earns: NDArray[np.bool_] = np.asarray((each < 0).any(axis=(2, 3)))

    def _profile_variables(
        self, value: NDArray[np.float64], used: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
        """Racks at each other profile: what they gain over the base's."""
        system = self.base.system_of_configuration_idx
        base_of = self.base_profile[:, system]
        there = used[:, system] & (base_of != np.arange(system.size))
        most = np.stack([one.most_racks[self.row_first] for one in self.patterns], axis=-1).astype(np.float64)
        rows = np.arange(self.row_first.size)[:, None]
        return there & most.any(axis=(2, 3)), most, value - value[rows, base_of]

    def _demand_variables(self) -> None:
        """Watts that fall short of a minimum demand."""
        self.short = np.full(len(self.base.minimum_demands), -1, np.int64)
        self.demand_constraint = self.short.copy()
        for index in range(len(self.base.minimum_demands)):
            least = np.stack([np.array(one.minimum_demands[index].minimum_w, float) for one in self.problems], axis=-1)
            price = np.stack([prices_cents_per_w(one.minimum_demands[index]) for one in self.problems], axis=-1)
            self.short[index] = len(self.gain)
            self.upper.append(least)
            self.gain.append(-price)

    def _add(
        self, there: NDArray[np.bool_], upper: NDArray[np.float64], gain: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Variables where they may be more than 0; returns their numbers in the shape of `there`, -1 for the others."""
        numbers = np.full(there.shape, -1, np.int64)
        numbers[there] = len(self.gain) + np.arange(int(there.sum()))
        self.upper.extend(upper[there])
        self.gain.extend(gain[there].astype(np.float64))
        return numbers

    def spread(self, factor: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Terms that stand for factors of racks by row class and configuration.

        Parameters: factor [n_row_classes, n_configurations].
        """
        system = self.base.system_of_configuration_idx
        at_base = factor[np.arange(factor.shape[0])[:, None], self.base_profile]
        over = np.where(self.upgrades >= 0, factor - at_base[:, system], 0.0)
        numbers = np.concatenate((self.racks.ravel(), self.upgrades.ravel()))
        return numbers, np.concatenate((at_base.ravel(), over.ravel()))

    def capacity(self, limit: int) -> NDArray[np.float64]:
        """[n_periods, n_lanes] of one limit in whole units; infinite where it does not exist."""
        capacity = np.stack([problem.capacity[limit] for problem in self.problems], axis=-1)
        return np.where(capacity == INACTIVE, np.inf, capacity / 2.0**SHARE_BITS)

    def _limits(self) -> None:
        """Limits of several rows: over blocks one constraint, inside a block one for each system that it may hold."""
        base = self.base
        single, inside = single_row_limits(base), limits_inside_blocks(base)
        self.limit_constraint = np.full(self.limit_first.size, -1, np.int64)
        self.inside_constraint = np.full((self.limit_first.size, base.n_systems), -1, np.int64)
        for index, limit in enumerate(self.limit_first):
            if single[limit]:
                continue
            entries = slice(base.limit_ptr[limit], base.limit_ptr[limit + 1])
            factor = np.zeros((self.row_first.size, base.n_configurations))
            rows = self.classes.row[base.entry_row_idx[entries]]
            np.add.at(factor, rows, base.entry_coefficient[entries] / 2.0**SHARE_BITS)
            capacity = self.capacity(int(limit))
            if inside[limit] < 0:
                self.limit_constraint[index] = self.terms.add(*self.spread(factor), capacity)
                continue
            for system, block in enumerate(self.blocks[self.classes.block[inside[limit]]]):
                own = np.where(base.system_of_configuration_idx == system, factor, 0.0)
                if block >= 0 and own.any():
                    there = np.isfinite(capacity)
                    given = (int(block), np.where(there, capacity, 0.0))
                    right_side = np.where(there, 0.0, np.inf)
                    self.inside_constraint[index, system] = self.terms.add(*self.spread(own), right_side, given)

    def _profiles(self) -> None:
        """Racks at other profiles are among the racks of their system."""
        system = self.base.system_of_configuration_idx
        for row, own in zip(*np.nonzero(self.racks >= 0), strict=True):
            others = self.upgrades[row, system == own]
            if (others >= 0).any():
                numbers = np.append(others, self.racks[row, own])
                self.terms.add(numbers, np.append(np.ones(others.size), -1.0), 0.0)

    def _cuts(self) -> None:
        """Racks of a row lie in the hull of its points while its block holds their system."""
        known: dict[tuple[int, tuple[int, ...]], list[tuple[Direction, NDArray[np.float64]]]] = {}
        for row, own in zip(*np.nonzero(self.racks >= 0), strict=True):
            members = np.flatnonzero(self.base.system_of_configuration_idx == own)
            lanes = [one.pattern_set_idx[self.row_first[row], own] for one in self.patterns]
            number = np.stack(lanes, axis=-1)
            key = (int(own), tuple(np.unique(number).tolist()))
            if key not in known:
                known[key] = self._cuts_of(members, np.array(key[1], np.int64))
            variables = self.upgrades[row, members]
            base = members == self.base_profile[row, own]
            for normal, most in known[key]:
                at_base = float(normal[int(np.flatnonzero(base)[0])])
                over = np.where(variables >= 0, np.array(normal, np.float64) - at_base, 0.0)
                numbers = np.append(variables, self.racks[row, own])
                block = int(self.blocks[self.block_of_row[row], own])
                self.terms.add(numbers, np.append(over, at_base), 0.0, (block, most[number]))

    def _cuts_of(
        self, members: NDArray[np.int64], numbers: NDArray[np.int64]
    ) -> list[tuple[Direction, NDArray[np.float64]]]:
        """Normals for some point sets, each with the most that any set of the book has along it (none: 0)."""
        sets = self.point_sets
        found = directions([sets[number] for number in numbers if number >= 0], members)
        result = []
        for normal in found:
            most = np.zeros(len(sets) + 1)
            for number in numbers[numbers >= 0]:
                most[number] = float((sets[number][:, members] @ np.array(normal)).max())
            result.append((normal, most))
        return result

    def _whole(self) -> None:
        """Racks of a block that holds a system lie in the hull of its totals, where its rows would allow more."""
        for block, own in zip(*np.nonzero(self.blocks >= 0), strict=True):
            places = [place for place in self.totals if place[:2] == (block, own)]
            members = np.flatnonzero(self.base.system_of_configuration_idx == own)
            rows = np.flatnonzero(self.block_of_row == block)
            sets = list({self.totals[place].tobytes(): self.totals[place] for place in places}.values())
            for normal in directions(sets, np.arange(members.size)) if sets else ():
                factor = np.zeros((self.row_first.size, self.base.n_configurations))
                factor[np.ix_(rows, members)] = self.rows_of_block[rows, None] * np.array(normal)
                most = self._along(rows, int(own), members, normal)
                loose = most.copy()
                for place in places:
                    most[place[2:]] = min(most[place[2:]], (self.totals[place] @ np.array(normal)).max())
                if (most < loose).any():
                    self.terms.add(*self.spread(factor), 0.0, (int(self.blocks[block, own]), most))

    def _along(
        self, rows: NDArray[np.int64], system: int, members: NDArray[np.int64], normal: Direction
    ) -> NDArray[np.float64]:
        """[n_periods, n_lanes] the most that the points of a block's rows have along a normal together."""
        along = [float((points[:, members] @ np.array(normal)).max()) for points in self.point_sets]
        table, total = np.array([*along, 0.0]), np.zeros(self.room.shape[2:])
        for lane, patterns in enumerate(self.patterns):
            of_row = table[patterns.pattern_set_idx[self.row_first[rows], system]]
            total[:, lane] = (of_row * self.rows_of_block[rows, None]).sum(axis=0)
        return total

    def _systems(self) -> None:
        """A block holds one system at most."""
        for own in self.blocks:
            if (own >= 0).sum() > 1:
                self.terms.add(own, np.ones(own.size), 1.0)

    def _units(self) -> None:
        """Units are no fewer than racks need, counted by the whole where a block's last unit is part empty."""
        for block, system in zip(*np.nonzero(self.blocks >= 0), strict=True):
            rows = np.flatnonzero(self.block_of_row == block)
            racks, count = self.racks[rows, system], self.rows_of_block[rows].astype(np.float64)
            units, held = int(self.units[block, system]), int(self.blocks[block, system])
            size, most = int(self.base.unit_racks[system]), int(self.most_racks[block, system])
            full, rest = divmod(most, size)
            if not self.base.partial_units[self.block_first[block]] and rest:
                self.terms.add(racks, count, 0.0, (held, float(full * size)))
            if units < 0:
                continue
            numbers = np.append(racks, units)
            self.terms.add(numbers, np.append(count, -float(size)), 0.0)
            if not self.base.partial_units[self.block_first[block]]:
                if self.unit_earns[block, system]:
                    self.terms.add(numbers, np.append(-count, float(size)), 0.0)
                continue
            if rest and full:
                self.terms.add(numbers, np.append(count, -float(rest)), 0.0, (held, float(full * (size - rest))))
            elif rest:
                self.terms.add(numbers, np.append(count, -float(rest)), 0.0)
            if self.unit_earns[block, system]:
                self.terms.add(numbers, np.append(-count, float(size)), 0.0, (held, float(size - 1)))

    def _demands(self) -> None:
        """What is short of a minimum demand is no less than the minimum less what racks draw."""
        for index, demand in enumerate(self.base.minimum_demands):
            own = np.bincount(self.classes.row[np.array(demand.row_idx, np.int64)], minlength=self.row_first.size)
            numbers, factor = self.spread(own[:, None] * draws_w(demand))
            least = np.stack([np.array(one.minimum_demands[index].minimum_w, float) for one in self.problems], axis=-1)
            terms = np.append(numbers, self.short[index]), np.append(-factor, -1.0)
            self.demand_constraint[index] = self.terms.add(*terms, -least)

    def revenue(self) -> NDArray[np.float64]:
        """[n_variables, n_periods, n_lanes] contract revenue in cents; [0, …] where no lane has a contract."""
        shape = (len(self.gain), self.base.n_periods, len(self.problems))
        if not any(problem.contract_amount for problem in self.problems):
            return np.zeros((0, *shape[1:]))
        result = np.zeros(shape)
        revenue = np.stack([problem.contract_revenue[self.row_first] for problem in self.problems], axis=-1)
        revenue = revenue * self.row_size[:, None, None, None]
        at_base = revenue[np.arange(self.row_first.size)[:, None], self.base_profile]
        result[self.racks[self.racks >= 0]] = at_base[self.racks >= 0]
        over = revenue - at_base[:, self.base.system_of_configuration_idx]
        result[self.upgrades[self.upgrades >= 0]] = over[self.upgrades >= 0]
        return result
