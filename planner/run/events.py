"""The failures that a site is asked about: single ones, and those while another element is out for work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import networkx as nx

from sites.schema.failures import COMMON_MODE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.run.banks import SiteBanks
    from planner.run.flow import SiteFlow
    from sites.expansion.graphs import SiteGraphs


@dataclass(frozen=True)
class Event:
    """What fails."""

    name: str
    kind: str
    lost: tuple[str, ...]
    """Power elements; none for a unit of a bank."""
    bank: str | None = None
    """The bank or leaf group that loses a unit, by the name of that failure."""


def single_events(graphs: SiteGraphs, flow: SiteFlow, banks: SiteBanks) -> Iterator[Event]:
    """Every element in service by id, every group of which something is, and one unit of every bank and leaf group."""
    for element in flow.elements():
        yield Event(element, str(graphs.power.nodes[element]["kind"]), (element,))
    for name, members in graphs.common_mode.items():
        standing = tuple(member for member in members if flow.stands(member))
        if standing:
            yield Event(name, COMMON_MODE, standing)
    for bank in banks.banks.values():
        yield Event(bank.failure, bank.kind, (), bank.failure)
    for leaf in banks.leaves.values():
        yield Event(leaf.failure, leaf.kind, (), leaf.failure)


def pairs(
    graphs: SiteGraphs, flow: SiteFlow, singles: Sequence[Event], dead: Mapping[str, frozenset[str]]
) -> Iterator[tuple[Event, Event]]:
    """An element out for work with every other failure of power elements that meets it, by the order of their ids.

    Parameters: graphs; flow; singles, the failures of elements and groups; dead, nodes that each of them stops. Where
    one of the two is dead because of the other, nothing new fails; and where nothing hangs on both, each does only
    what it does alone.
    """
    out = maintained(graphs, flow)
    reach = {event.name: flow.reach(event.lost, dead[event.name]) for event in singles} if out else {}
    for first in singles:
        if first.name not in out:
            continue
        for second in singles:
            if first.name in second.lost or (second.name in out and second.name < first.name):
                continue
            if not reach[first.name] & reach[second.name]:
                continue
            if dead[second.name].issuperset(first.lost) or dead[first.name].issuperset(second.lost):
                continue
            yield first, second


def maintained(graphs: SiteGraphs, flow: SiteFlow) -> set[str]:
    """Elements in service that are taken out for work: of a kind that the class of some row below them lists."""
    found: set[str] = set()
    above: dict[str, set[str]] = {}
    for row, fields in graphs.containment.nodes(data=True):
        kinds = {str(kind) for kind in fields.get("maintenance", ())}
        if not kinds:
            continue
        for node in (row, *flow.drives(row)):
            if node not in above:
                above[node] = nx.ancestors(graphs.power, node)
            found |= {one for one in above[node] if str(graphs.power.nodes[one]["kind"]) in kinds and flow.stands(one)}
    return found
