"""What may fail while an element is out for work: pairs of a planned outage and a failure (section 2 of the model).

A pair that touches nothing in common adds up: each of the two changes what it changes alone. Only pairs that meet
somewhere are walked together; sums of the others matter at elements above both, and are weighed there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.lower.flow import Changed, EpochFlow
    from sites.expansion import SiteGraphs


@dataclass(frozen=True)
class Pair:
    """A maintained element and what fails meanwhile: an element or a common-mode group."""

    maintained: str
    failed: str

    @property
    def name(self) -> str:
        """`maintained+failed`, as limits call it."""
        return f"{self.maintained}+{self.failed}"


@dataclass(frozen=True)
class Met:
    """A pair that meets somewhere, by what it changes beyond the one of the two that changes more alone."""

    pair: Pair
    base: str
    """The maintained element or what fails, whichever changes more nodes alone."""
    more: Changed
    """Nodes whose supply differs from that under `base`."""


def maintained_elements(graphs: SiteGraphs, needed_by: dict[str, frozenset[str]]) -> frozenset[str]:
    """Elements that are taken out for work while rows run.

    Of a kind that the class of some row below lists; a row is below what feeds it and what feeds a mechanical or
    support node that it needs. Parameters: graphs; needed_by, rows that need such a node.
    """
    listed = {
        row: frozenset(str(kind) for kind in fields["maintenance"])
        for row, fields in graphs.containment.nodes(data=True)
        if fields["kind"] == "row"
    }
    if not any(listed.values()):
        return frozenset()
    below: dict[str, frozenset[str]] = {}
    for node in reversed(list(nx.topological_sort(graphs.power))):
        own = listed.get(node, frozenset())
        own = own.union(*(listed[row] for row in needed_by.get(node, ())))
        below[node] = own.union(*(below[load] for load in graphs.power.successors(node)))
    return frozenset(node for node, kinds in below.items() if str(graphs.power.nodes[node]["kind"]) in kinds)


class Maintenance:
    """The pairs of one epoch."""

    def __init__(
        self, flow: EpochFlow, maintained: frozenset[str], groups: dict[str, frozenset[str]], alone: dict[str, Changed]
    ) -> None:
        """Prepare.

        Parameters: flow of the epoch; maintained, elements that exist; groups, common-mode groups that exist; alone,
        what each single element and each group changes.
        """
        self._flow, self._groups, self._alone = flow, groups, alone
        self.maintained = maintained

    @cached_property
    def place(self) -> dict[str, int]:
        """Place of every failure alone: its bit in `adding`."""
        return {failed: place for place, failed in enumerate(self._alone)}

    def pairs(self) -> Iterator[Pair]:
        """Every pair; of two maintained elements the one first in order of ids is the one out for work."""
        for element in sorted(self.maintained):
            for failed in self._alone:
                if element in self._groups.get(failed, {failed}) or (failed in self.maintained and failed < element):
                    continue
                yield Pair(element, failed)

    @cached_property
    def _parted(self) -> tuple[dict[str, int], list[Pair]]:
        """By maintained element the places of what adds up with it, as bits; and the pairs that meet somewhere."""
        adding, meeting = dict.fromkeys(self.maintained, 0), []
        for pair in self.pairs():
            if self._touched[pair.maintained] & self._touched[pair.failed]:
                meeting.append(pair)
            else:
                adding[pair.maintained] |= 1 << self.place[pair.failed]
        return adding, meeting

    @property
    def adding(self) -> dict[str, int]:
        """By maintained element, as bits, what may fail meanwhile and touches nothing in common with its outage.

        Both together change what each changes alone. Every pair stands once, at what is out for work by its name.
        """
        return self._parted[0]

    @cached_property
    def _touched(self) -> dict[str, int]:
        """Nodes that a failure changes, and the loads right below, which it may change with another; bits by place."""
        flow = self._flow.flow
        result = {}
        for failed, changed in self._alone.items():
            bits = 0
            for node in changed:
                bits |= self._around[flow.position[node]]
            result[failed] = bits
        return result

    @cached_property
    def _around(self) -> list[int]:
        """Every node and the loads right below it, as bits, by place."""
        flow = self._flow.flow
        return [
            1 << place | sum(1 << flow.position[load] for load in set(flow.loads[node]))
            for place, node in enumerate(flow.order)
        ]

    def met(self) -> Iterator[Met]:
        """Every pair that meets somewhere, unless one of the two takes the other with it anyway."""
        for pair in self._parted[1]:
            members = self._groups.get(pair.failed, frozenset({pair.failed}))
            own = frozenset({pair.maintained})
            if self._takes(pair.failed, own) or self._takes(pair.maintained, members):
                continue
            if len(self._alone[pair.failed]) >= len(self._alone[pair.maintained]):
                more = self._flow.after(own, self._alone[pair.failed], members)
                yield Met(pair, pair.failed, more)
            else:
                more = self._flow.after(members, self._alone[pair.maintained], own)
                yield Met(pair, pair.maintained, more)

    def _takes(self, failed: str, others: frozenset[str]) -> bool:
        """Whether some elements are dead under a failure."""
        changed = self._alone[failed]
        return all(one in changed and changed[one] is None for one in others)
