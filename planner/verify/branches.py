"""Branches of a certificate's tree: the totals of racks that each holds, and what they leave a block."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from planner.verify.certificate import Known, Multipliers, read_multipliers, refuse, whole_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LEAF_BITS = 50
"""Multipliers of leaves are on the grid 2^-50."""


@dataclass(frozen=True)
class Side:
    """Racks of some configurations in some rows in one period, together at the least or at the most so many."""

    rows: frozenset[str]
    """`site:row`"""
    configurations: frozenset[str]
    period: int
    count: int
    is_above: bool
    price: int
    """The leaf's multiplier of this side."""


@dataclass(frozen=True)
class DecisionSide:
    """One decision beside the racks, at the least or at the most so many."""

    column: str
    count: int
    is_above: bool


@dataclass(frozen=True)
class Leaf:
    """One leaf of a proof."""

    multipliers: Multipliers
    sides: tuple[Side, ...]
    """Of splits of racks, from the root on."""
    decided: tuple[DecisionSide, ...]
    """Of splits of decisions, from the root on."""


def read_branches(certificate: Mapping[str, Any], known: Known) -> tuple[Multipliers, list[Leaf]]:
    """Read a certificate: its own multipliers, and every leaf of its tree where it has one.

    A tree splits a total of whole numbers in two at each node, so its leaves cover every plan. Raises CertificateError
    with the entry at fault.
    """
    own = read_multipliers(certificate, known)
    trees = certificate.get("trees")
    if not isinstance(trees, dict) or set(trees) - {"problem"} or not isinstance(trees.get("problem", {}), dict):
        refuse("trees", trees, "nothing, or one tree named 'problem'")
    return own, _leaves(trees["problem"], known) if trees else []


def _leaves(tree: Mapping[str, Any], known: Known) -> list[Leaf]:
    found: list[Leaf] = []
    waiting: list[tuple[Mapping[str, Any], tuple[Side | DecisionSide, ...]]] = [(tree, ())]
    while waiting:
        node, sides = waiting.pop()
        if "at_most" not in node:
            found.append(_leaf(node, sides, known))
            continue
        below: Side | DecisionSide = _decision(node, known) if "decision" in node else _side(node, known)
        above = replace(below, count=below.count + 1, is_above=True)
        for key, side in (("below", below), ("above", above)):
            if not isinstance(node.get(key), dict):
                refuse("trees", node.get(key), f"a node or a leaf under '{key}'")
            waiting.append((node[key], (*sides, side)))
    return found


def _leaf(node: Mapping[str, Any], sides: tuple[Side | DecisionSide, ...], known: Known) -> Leaf:
    """A leaf; splits of decisions need no multiplier."""
    totals = [side for side in sides if isinstance(side, Side)]
    prices = node.get("sides")
    if not isinstance(prices, list) or len(prices) != len(totals):
        refuse("sides", prices, f"a multiplier for each of the {len(totals)} splits of racks above the leaf")
    priced = tuple(replace(one, price=whole_number("sides", price)) for one, price in zip(totals, prices, strict=True))
    decided = tuple(side for side in sides if isinstance(side, DecisionSide))
    return Leaf(read_multipliers(node, known, LEAF_BITS), priced, decided)


def _decision(node: Mapping[str, Any], known: Known) -> DecisionSide:
    name = node.get("decision")
    if not isinstance(name, str) or name not in known.side_columns:
        refuse("trees", name, "what is decided beside the racks, by name")
    return DecisionSide(name, _count(node), False)


def _count(node: Mapping[str, Any]) -> int:
    count = node.get("at_most")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        refuse("trees", count, "a whole number from 0 under 'at_most'")
    return count


def _side(node: Mapping[str, Any], known: Known) -> Side:
    rows, configurations = node.get("rows"), node.get("configurations")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, str) and known.rows(row) for row in rows):
        refuse("trees", rows, "rows that exist")
    names = configurations if isinstance(configurations, list) else []
    if not names or not all(isinstance(name, str) and name in known.configurations for name in names):
        refuse("trees", configurations, "configurations of the portfolio")
    count = _count(node)
    period = node.get("period")
    if period not in known.periods:
        refuse("period", period, "a decision period")
    return Side(frozenset(rows), frozenset(names), known.periods.index(str(period)), count, False, 0)


class Held:
    """What the sides of a branch leave: points of rows, totals of blocks, and systems."""

    def __init__(
        self, sides: Sequence[Side], system_of: Mapping[str, str], rows_of_block: Mapping[str, frozenset[str]]
    ) -> None:
        """Sort the sides by what they hold.

        Parameters: system_of, by configuration; rows_of_block, rows of each `site:block` that may ever hold a rack.
        """
        self.sides, self._system_of, self._rows_of_block = tuple(sides), system_of, rows_of_block
        self._block_of = {row: block for block, rows in rows_of_block.items() for row in rows}
        self._barred: set[tuple[str, str]] = set()
        for side in self.sides:
            block, systems = self._only_block(side), {system_of[name] for name in side.configurations}
            if side.is_above and side.count > 0 and block is not None and len(systems) == 1:
                self._barred |= {(block, system) for system in set(system_of.values()) - systems}

    def is_barred(self, block: str, system: str) -> bool:
        """Whether a block must hold another system in some period, so that it holds this one in none."""
        return (block, system) in self._barred

    def is_filled(self, block: str, t: int) -> bool:
        """Whether a block may not be empty in a period."""
        return any(
            side.is_above and side.count > 0 and self._only_block(side) == block and self._holds_in(side, t)
            for side in self.sides
        )

    def allows(self, row: str, names: Sequence[str], point: Sequence[int], t: int) -> bool:
        """Whether a row's sides let it hold a point: racks of each of the configurations named."""
        for side in self.sides:
            one_count = len(side.configurations) == 1 or self._whole_system(side) is not None
            if side.rows == {row} and one_count and self._holds_in(side, t):
                counted = sum(n for name, n in zip(names, point, strict=True) if name in side.configurations)
                if not _keeps(side, counted):
                    return False
        return True

    def allows_total(self, block: str, system: str, count: int, t: int) -> bool:
        """Whether a block's sides let it hold so many racks of a system; it holds a system only with racks."""
        own = [side for side in self.sides if side.rows == self._rows_of_block[block]]
        held = [side for side in own if self._whole_system(side) == system and self._holds_in(side, t)]
        return count > 0 and all(_keeps(side, count) for side in held)

    def keeps_below(self, side: Side, rows: set[str], configuration: str, t: int) -> bool:
        """Whether a side says how many racks of one configuration stand in all these rows in a period at the most."""
        return (
            not side.is_above
            and side.rows == rows
            and side.configurations == {configuration}
            and self._holds_in(side, t)
        )

    def _only_block(self, side: Side) -> str | None:
        blocks = {self._block_of.get(row) for row in side.rows}
        return blocks.pop() if len(blocks) == 1 else None

    def _whole_system(self, side: Side) -> str | None:
        """The system all of whose configurations the side counts, and nothing else."""
        systems = {self._system_of[name] for name in side.configurations}
        own = {name for name, system in self._system_of.items() if system in systems}
        return systems.pop() if len(systems) == 1 and own == side.configurations else None

    def _holds_in(self, side: Side, t: int) -> bool:
        """Racks of a system never fall: what it has at the least it keeps, what it has at the most it had before."""
        if self._whole_system(side) is None:
            return t == side.period
        return t >= side.period if side.is_above else t <= side.period


def _keeps(side: Side, count: int) -> bool:
    return count >= side.count if side.is_above else count <= side.count
