"""Which elements exist in which period: epochs in which nothing new comes into service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import networkx as nx

from sites.calendar import quarter_index, quarter_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.lower.couplings import RowCouplings
    from sites.expansion import SiteGraphs

LOAD_KINDS = frozenset({"row", "mechanical", "support"})


@dataclass(frozen=True)
class Epoch:
    """A run of decision periods over which the same things exist (section 2 of `docs/model.md`)."""

    first_period: int
    end_period: int
    """One past the last period."""
    power: frozenset[str]
    """Power nodes that exist, loads and the service included."""
    cooling: frozenset[str]
    """Cooling nodes in service."""


def epochs(graphs: SiteGraphs, couplings: dict[str, RowCouplings], periods: Sequence[str]) -> tuple[Epoch, ...]:
    """Split the decision periods of a site where something comes into service.

    Parameters: graphs; couplings by row id; periods, consecutive quarters. Existence ends only for a row that runs on
    one feed until a quarter by which the other one is not there.
    """
    result: list[Epoch] = []
    starts = _starts(graphs)
    topological = list(nx.topological_sort(graphs.power))
    due = {row: quarter_index(until) for row, until in _single_feeds(graphs).items()}
    cuts = sorted({0} | {start - quarter_index(periods[0]) for start in (*starts.values(), *due.values())})
    cuts = [cut for cut in cuts if 0 <= cut < len(periods)]
    for first, end in zip(cuts, [*cuts[1:], len(periods)], strict=True):
        now = quarter_index(periods[first])
        dated = frozenset(node for node, start in starts.items() if start <= now)
        single = frozenset(row for row, quarter in due.items() if now < quarter)
        power = _existing_power(graphs, topological, dated, couplings, single)
        cooling = frozenset(node for node in graphs.cooling.nodes if node in dated)
        result.append(Epoch(first, end, power, cooling))
    return _joined(result)


def last_epoch(graphs: SiteGraphs, couplings: dict[str, RowCouplings]) -> Epoch:
    """What exists once everything is in service, as an epoch of one period."""
    starts = [*_starts(graphs).values(), *(quarter_index(until) for until in _single_feeds(graphs).values())]
    return epochs(graphs, couplings, (quarter_name(max(starts)),))[0]


def _joined(found: list[Epoch]) -> tuple[Epoch, ...]:
    result: list[Epoch] = []
    for epoch in found:
        if result and (result[-1].power, result[-1].cooling) == (epoch.power, epoch.cooling):
            result[-1] = Epoch(result[-1].first_period, epoch.end_period, epoch.power, epoch.cooling)
        else:
            result.append(epoch)
    return tuple(result)


def _starts(graphs: SiteGraphs) -> dict[str, int]:
    """Quarter from which each power and cooling node may exist; the latest where both graphs date it."""
    starts: dict[str, int] = {}
    for graph in (graphs.power, graphs.cooling, graphs.containment):
        for node, fields in graph.nodes(data=True):
            if fields["kind"] == "service":
                start = quarter_index(fields["capacity_steps"][0][0])
            elif fields.get("in_service") is not None:
                start = quarter_index(fields["in_service"])
            else:
                continue
            starts[node] = max(start, starts.get(node, start))
    return starts


def _single_feeds(graphs: SiteGraphs) -> dict[str, str]:
    """Quarter until which one feed is enough, by row; other rows wait for all of their feeds."""
    fields_of = graphs.containment.nodes(data=True)
    return {row: fields["single_feed_until"] for row, fields in fields_of if fields.get("single_feed_until")}


def _existing_power(
    graphs: SiteGraphs,
    topological: list[str],
    dated: frozenset[str],
    couplings: dict[str, RowCouplings],
    single: frozenset[str],
) -> frozenset[str]:
    """Elements by date; loads when their feeds trace to the service and all that they need exists.

    Parameters: single, rows for which one feed is enough; all other loads need all of theirs.
    """
    existing: set[str] = set()
    traced: set[str] = set()
    for node in topological:
        kind = graphs.power.nodes[node]["kind"]
        sources = list(graphs.power.predecessors(node))
        if node not in dated:
            continue
        if kind in LOAD_KINDS:
            enough = any if node in single else all
            if sources and enough(source in traced for source in sources):
                existing.add(node)
            continue
        existing.add(node)
        if kind == "service" or any(source in traced for source in sources):
            traced.add(node)
    rows = {row for row in existing if graphs.power.nodes[row]["kind"] == "row"}
    lacking = {row for row in rows if not _has_needs(couplings[row], existing, dated)}
    return frozenset(existing - lacking)


def _has_needs(needs: RowCouplings, existing: set[str], dated: frozenset[str]) -> bool:
    headers = [header for header in (needs.liquid_header, needs.air_header) if header is not None]
    return needs.needs <= existing and all(header in dated for header in headers)
