"""Small problems to the end: branch and bound whose tree of multipliers proves the optimum.

A node holds sums of racks between whole numbers. A leaf needs no more than its multipliers: their value within its
branch, in exact integers, is no more than the plan's, or the branch holds no plan at all. What a node's program finds
in whole racks is tried as a plan, so the proof also finds what search has missed.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import Plan, may_stand
from planner.solve.feasible import holds
from planner.solve.patterns import row_patterns
from planner.solve.proof.box import Box, narrowed, whole_box
from planner.solve.proof.branching import AnySplit, DecisionSplit, Split, Totals, best_split, splits
from planner.solve.proof.leaf import Leaf, bound_cents, leaf_of, nothing
from planner.solve.proof.node import Settled, empty_fillings, settle
from planner.solve.proof.oracle import Choices
from planner.solve.proof.program import NodeProgram
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.problem import Problem
    from planner.solve.folding import Folded

MOST_COUNTS = 96
"""Counts that may ever be more than 0, up to which a problem is small."""
_MOST_WORK = 250_000
"""Fillings in the programs of all nodes together: five to twenty seconds, and the same on every machine."""
_DEEPEST = 200
"""Sides of a branch: the file of a deeper tree would be too deep to be read."""


@dataclass
class Node:
    """A branch of the proof: where it splits, or the multipliers that bound it."""

    box: Box
    leaf: Leaf
    bound: float
    """Cents, in floating point; -inf where the branch holds no plan."""
    settled: Settled | None
    exact: int | None = None
    """Cents that its multipliers prove, once they were evaluated; None before, and where the branch holds no plan."""
    split: AnySplit | None = None
    parts: tuple[Node, ...] = field(default_factory=tuple)
    """Below and above."""

    def leaves(self) -> list[Node]:
        """Every node that is not split."""
        found, waiting = [], [self]
        while waiting:
            node = waiting.pop()
            if node.parts:
                waiting.extend(reversed(node.parts))
            else:
                found.append(node)
        return found

    def unfolded(self, form: Folded) -> Node:
        """The tree of a folded problem in the configurations of the problem itself."""
        split, leaf = self.split, Leaf(form.certificate(self.leaf.proof), self.leaf.sides)
        if isinstance(split, Split):
            total = split.total
            configurations = form.configurations(total.configuration_idx, total.period)
            split = split._replace(total=total._replace(configuration_idx=configurations))
        return replace(self, leaf=leaf, split=split, parts=tuple(part.unfolded(form) for part in self.parts))

    def to_json(self, problem: Problem) -> dict[str, Any]:
        """The file's form of the tree."""
        if self.split is None or not self.parts:
            return self.leaf.to_json(problem)
        return {
            **_split_json(problem, self.split),
            "at_most": self.split.most,
            "below": self.parts[0].to_json(problem),
            "above": self.parts[1].to_json(problem),
        }


def _split_json(problem: Problem, split: AnySplit) -> dict[str, Any]:
    """What a node splits, in the file's form."""
    if isinstance(split, DecisionSplit):
        return {"decision": "" if problem.side is None else problem.side.column_names[split.column]}
    return {
        "rows": [problem.row_names[row] for row in split.total.row_idx],
        "configurations": [problem.configuration_names[k] for k in split.total.configuration_idx],
        "period": problem.periods[split.total.period],
    }


@dataclass(frozen=True)
class Proven:
    """How far the proof came."""

    plan: Plan
    objective: int
    bound: int
    """Cents: the largest of all leaves."""
    root: Node
    n_nodes: int


def n_counts(problem: Problem) -> int:
    """Counts of racks, by row, configuration and period, that may ever be more than 0."""
    return int(may_stand(problem).sum())


def is_small(problem: Problem) -> bool:
    """Whether a problem is worth a proof to the end.

    A site's shortfall is proven by the totals of its configurations, which the windows of a folded problem split.
    """
    is_split = len({one.site for one in problem.minimum_demands}) < len(problem.minimum_demands)
    return n_counts(problem) <= MOST_COUNTS and not is_split


def prove(problem: Problem, plan: Plan, out_of_time: Callable[[], bool]) -> Proven:
    """Branch until every leaf is worth no more than the best plan, or nodes or time run out.

    Parameters: plan, the best known; out_of_time, asked before every node.
    """
    return _Proof(problem, plan).run(out_of_time)


class _Proof:
    """The tree as it grows, and the best plan."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        patterns = row_patterns(problem)
        self.problem, self.plan, self.objective = problem, plan, objective_cents(problem, plan)
        self.choices, self.totals = Choices(problem, patterns), Totals(problem)
        self.program = NodeProgram(problem)
        empty_fillings(self.program)
        self.n_nodes, self.work = 0, 0
        self.rounded = sum(sum(watts > 0 for watts in demand.minimum_w) for demand in problem.minimum_demands)
        """Shortfalls that are each rounded up, so that plans may be worth so many cents less than their parts."""
        self.root = self._node(whole_box(problem, patterns), None)

    def run(self, out_of_time: Callable[[], bool]) -> Proven:
        """Best bound first, but down from each node to the better of its parts as long as that is open."""
        waiting: list[tuple[float, int, Node]] = []
        node: Node | None = self.root
        while self.work < _MOST_WORK and not out_of_time():
            if node is None or self._is_closed(node):
                if not waiting:
                    break
                node = heapq.heappop(waiting)[2]
                continue
            parts = sorted(self._part(node), key=lambda part: -part.bound)
            node = parts[0] if parts else None
            for part in parts[1:]:
                heapq.heappush(waiting, (-part.bound, self.n_nodes, part))
        leaves = [self._exact(leaf) for leaf in self.root.leaves()]
        bound = max([self.objective, *(bound for bound in leaves if bound is not None)])
        return Proven(self.plan, self.objective, bound, self.root, self.n_nodes)

    def _part(self, node: Node) -> tuple[Node, ...]:
        """Split a node; nothing where only one plan is left in it."""
        found = []
        if node.settled is not None and node.box.depth < _DEEPEST:
            is_near = node.bound < self.objective + 1 + self.rounded
            found = splits(self.totals, self.program, node.settled, node.box, is_near)
        if not found:
            return ()
        node.split = best_split(self.program, node.box, found, node.bound, self.objective + 1)
        node.parts = tuple(self._node(narrowed(self.problem, node.box, side), node) for side in node.split.sides())
        node.settled = None
        return node.parts

    def _node(self, box: Box, parent: Node | None) -> Node:
        self.n_nodes += 1
        settled = settle(self.program, self.choices, box, self.objective + 0.99)
        self.work += len(self.program.fillings)
        if settled is None:
            return Node(box, nothing(self.problem, box), -np.inf, None)
        self._try(settled)
        node = Node(box, leaf_of(self.program, box, settled.racks), settled.bound, settled)
        if parent is not None and parent.bound < node.bound:
            node.bound = parent.bound
            new = len(box.sides) - len(parent.leaf.sides)
            node.leaf = Leaf(parent.leaf.proof, (*parent.leaf.sides, *(0,) * new))
        return node

    def _try(self, settled: Settled) -> None:
        """Keep what a node's program places, where it is a better plan."""
        candidate = Plan(np.round(settled.racks).astype(np.int32))
        if holds(self.problem, candidate):
            worth = objective_cents(self.problem, candidate)
            if worth > self.objective:
                self.plan, self.objective = candidate, worth

    def _is_closed(self, node: Node) -> bool:
        """Whether the branch holds nothing better than the best plan, in exact integers."""
        if node.bound == -np.inf:
            return True
        if node.bound >= self.objective + 1 + self.rounded:
            return False
        exact = self._exact(node)
        return exact is None or exact <= self.objective

    def _exact(self, node: Node) -> int | None:
        if node.exact is None and node.bound > -np.inf:
            node.exact = bound_cents(self.problem, self.choices, node.box, node.leaf)
            if self.rounded and self.objective < node.bound < self.objective + 1 + self.rounded:
                other = node.leaf.without_demand(self.problem, node.box)
                exact = bound_cents(self.problem, self.choices, node.box, other)
                if exact is None or node.exact is None or exact < node.exact:
                    node.exact, node.leaf = exact, other
        return node.exact
