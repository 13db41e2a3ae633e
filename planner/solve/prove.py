"""Small problems further: branch and bound whose tree of multipliers proves the optimum where nodes suffice.

Every node is the relaxation under caps and floors on single counts. A leaf needs no more than its multipliers: their
value, in exact integers, is no more than the plan's, or the branch holds no plan at all. What a node's relaxation
finds in whole racks is tried as a plan, so the proof also finds what search has missed.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import Plan
from planner.solve.certificate import Certificate, bound_cents, certificate
from planner.solve.classes import singletons
from planner.solve.feasible import holds
from planner.solve.patterns import Caps, row_patterns
from planner.solve.relaxation import relax
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.formulation import Floors

MOST_COUNTS = 64
"""Rows times configurations times periods up to which a problem counts as small."""
_MOST_NODES = 80


_OF_A_LEAF = ("limits", "inside", "monotone", "open", "units", "contract", "demand", "floors")


@dataclass
class Node:
    """A branch of the proof: where it splits, or the multipliers that close it."""

    caps: Caps
    floors: Floors
    bound: int
    proof: Certificate
    racks: NDArray[np.float64]
    most_racks: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods] that the caps leave room for."""
    split: tuple[tuple[int, int, int], int] | None = None
    """(row, configuration, period) and the count: at most it below, one more above."""
    below: Node | None = None
    above: Node | None = None

    def leaves(self) -> list[Node]:
        """Every node that is not split."""
        if self.below is None or self.above is None:
            return [self]
        return self.below.leaves() + self.above.leaves()

    def to_json(self, problem: Problem) -> dict[str, Any]:
        """The file's form of the tree."""
        if self.split is None or self.below is None or self.above is None:
            leaf = self.proof.to_json(problem)
            return {
                key: leaf[key]
                for key in ("limits", "inside", "monotone", "open", "units", "contract", "demand", "floors")
            }
        (row, configuration, period), count = self.split
        return {
            "row": problem.row_names[row],
            "configuration": problem.configuration_names[configuration],
            "period": problem.periods[period],
            "at_most": count,
            "below": self.below.to_json(problem),
            "above": self.above.to_json(problem),
        }


@dataclass(frozen=True)
class Proven:
    """How far the proof came."""

    plan: Plan
    objective: int
    bound: int
    """Cents: the largest of all leaves."""
    root: Node


def is_small(problem: Problem) -> bool:
    """Whether a problem is worth a proof to the end."""
    return problem.n_rows * problem.n_configurations * problem.n_periods <= MOST_COUNTS


def prove(problem: Problem, plan: Plan, out_of_time: Callable[[], bool]) -> Proven:
    """Branch until every leaf is worth no more than the best plan, or nodes or time run out.

    Parameters: plan, the best known; out_of_time, asked before every node.
    """
    best, objective = plan, objective_cents(problem, plan)
    root = _node(problem, {}, {})
    waiting = [(-root.bound, 0, root)]
    number = 1
    while waiting and number < _MOST_NODES and not out_of_time():
        node = heapq.heappop(waiting)[2]
        candidate = Plan(np.round(node.racks).astype(np.int32))
        if holds(problem, candidate) and objective_cents(problem, candidate) > objective:
            best, objective = candidate, objective_cents(problem, candidate)
        place = _branching(node) if node.bound > objective else None
        if place is None:
            continue
        node.split = (place, _count(node, place))
        node.below = _node(problem, {**node.caps, place: node.split[1]}, node.floors, node)
        node.above = _node(problem, node.caps, {**node.floors, place: node.split[1] + 1}, node)
        for child in (node.below, node.above):
            heapq.heappush(waiting, (-child.bound, number, child))
            number += 1
    bound = max(leaf.bound for leaf in root.leaves())
    return Proven(best, objective, bound, root)


def _node(problem: Problem, caps: Caps, floors: Floors, parent: Node | None = None) -> Node:
    """A branch with the multipliers of its own relaxation, or those of the branch around it where they prove less."""
    patterns = row_patterns(problem, caps)
    relaxation = relax(problem, patterns, singletons(problem), floors=floors)
    proof = certificate(problem, relaxation, floors)
    bound = bound_cents(problem, patterns, proof)
    if parent is not None and bound > parent.bound:
        own_floor = {place: (floors[place], price) for place, (_, price) in parent.proof.floor.items()}
        proof = replace(parent.proof, floor=own_floor)
        bound = bound_cents(problem, patterns, proof)
    return Node(caps, floors, bound, proof, relaxation.racks, patterns.most_racks)


def _branching(node: Node) -> tuple[int, int, int] | None:
    """The count furthest from whole, or else one that caps and floors leave open; None where nothing is."""
    distance = np.abs(node.racks - np.round(node.racks))
    place = np.unravel_index(int(np.argmax(np.round(distance, 6))), distance.shape)
    if distance[place] > 1e-6:
        return int(place[0]), int(place[1]), int(place[2])
    most = node.most_racks
    for open_place in np.argwhere(most > 0):
        row, configuration, period = (int(x) for x in open_place)
        if most[row, configuration, period] > node.floors.get((row, configuration, period), 0):
            return row, configuration, period
    return None


def _count(node: Node, place: tuple[int, int, int]) -> int:
    """Where to split: under the relaxation's count, and never outside what caps and floors leave."""
    count = int(np.floor(node.racks[place] + 1e-6))
    if abs(node.racks[place] - count) <= 1e-6:
        count = max(count - 1, node.floors.get(place, 0))
    return min(count, node.caps.get(place, count + 1) - 1)
