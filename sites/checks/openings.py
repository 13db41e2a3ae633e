"""When rows open, on which feeds, and what serves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from sites.calendar import quarter_index, quarter_name
from sites.checks.findings import ELEMENT_KINDS, error, rows_of, warning
from sites.expansion.ids import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sites.checks.findings import Finding
    from sites.expansion.graphs import SiteGraphs

_LOADS = ("row", "mechanical", "support")


def _opening(graphs: SiteGraphs) -> Iterator[Finding]:
    """A row that must wait for what feeds or cools it."""
    opens = openings(graphs)
    for row in rows_of(graphs):
        due = quarter_index(graphs.containment.nodes[row]["in_service"])
        if opens[row] > due:
            last = max(opens[feed] for feed in graphs.power.predecessors(row))
            what = "its feeds exist" if opens[row] == last else "its cooling and support have all their power"
            yield warning(row, f"in service {quarter_name(due)}, but {what} only from {quarter_name(opens[row])}")


def openings(graphs: SiteGraphs) -> dict[str, int]:
    """The quarter (`quarter_index`) from which each node of the power graph exists (section 2 of `docs/model.md`).

    An element exists with its own date and one live source, a load only with all of its direct feeds (a row before the
    end of its single feed with any of them); a row only with its headers and with the mechanical and support loads that
    it drives.
    """
    power, opens = graphs.power, dict[str, int]()
    for node in nx.topological_sort(power):
        fields = power.nodes[node]
        if fields["kind"] == "service":
            opens[node] = quarter_index(fields["capacity_steps"][0][0])
            continue
        sources = [opens[source] for source in power.predecessors(node)]
        fed = max(sources) if fields["kind"] in _LOADS else min(sources)
        opens[node] = max(quarter_index(fields["in_service"]), fed)
    loads_of_loop, loads_of_block = _loads(graphs)
    for row in rows_of(graphs):
        headers = [quarter_index(graphs.cooling.nodes[h]["in_service"]) for h in graphs.cooling.predecessors(row)]
        loops = nx.ancestors(graphs.cooling, row)
        driven = [opens[loads_of_loop[loop]] for loop in loops if loop in loads_of_loop]
        support = opens[loads_of_block[graphs.containment.nodes[row]["block_id"]]]
        own = quarter_index(power.nodes[row]["in_service"])
        opens[row] = _row_opens(graphs, row, opens, max([own, support, *headers, *driven]))
    return opens


def _row_opens(graphs: SiteGraphs, row: str, opens: dict[str, int], otherwise: int) -> int:
    """When a row opens that could open in the quarter `otherwise` but for its feeds."""
    feeds = [opens[feed] for feed in graphs.power.predecessors(row)]
    until = graphs.containment.nodes[row]["single_feed_until"]
    on_one_feed = max(otherwise, min(feeds))
    return on_one_feed if until is not None and on_one_feed < quarter_index(until) else max(otherwise, *feeds)


def _single_feed(graphs: SiteGraphs) -> Iterator[Finding]:
    """A row that runs on one feed has all of them when its class says so, and may lose the one that it has."""
    opens, dominator = openings(graphs), nx.immediate_dominators(graphs.power, SERVICE)
    for row in rows_of(graphs):
        until = graphs.containment.nodes[row]["single_feed_until"]
        feeds = sorted(graphs.power.predecessors(row), key=lambda feed: (opens[feed], feed))
        if until is None:
            continue
        if len(feeds) == 1:
            yield warning(row, f"its class lets it run on a single feed until {until}, but one feed is all that it has")
        elif opens[row] < opens[feeds[-1]]:
            if opens[feeds[-1]] > quarter_index(until):
                message = (
                    f"it opens on one feed in {quarter_name(opens[row])}, but its feed '{feeds[-1]}' exists only from "
                    f"{quarter_name(opens[feeds[-1]])} and is due in {until}; bring the feed forward, or move "
                    "'single_feed_until' to when it comes"
                )
                yield error(row, message)
            yield from _lone_feed(graphs, row, feeds[0], opens[feeds[-1]], dominator)


def _lone_feed(
    graphs: SiteGraphs, row: str, feed: str, until_idx: int, dominator: Mapping[str, str]
) -> Iterator[Finding]:
    """Elements behind the only feed of a row whose failure its class does not allow to drop it."""
    fields, node = graphs.containment.nodes[row], feed
    kinds: list[str] = []
    while node != SERVICE:
        kinds.append(str(graphs.power.nodes[node]["kind"]))
        node = dominator[node]
    refused = [kind for kind in dict.fromkeys(kinds) if kind not in fields["may_drop_on"]]
    if refused:
        message = (
            f"on its one feed the failure of one {' or '.join(refused)} drops it, which its class "
            f"'{fields['availability_class']}' does not allow: no rack can stand here before {quarter_name(until_idx)}"
        )
        yield warning(row, message)


def _loads(graphs: SiteGraphs) -> tuple[dict[str, str], dict[str, str]]:
    """The mechanical load of each loop and the support load of each fabric block."""
    nodes = graphs.power.nodes(data=True)
    of_loop = {str(fields["loop"]): node for node, fields in nodes if fields["kind"] == "mechanical"}
    of_block = {str(fields["block_id"]): node for node, fields in nodes if fields["kind"] == "support"}
    return of_loop, of_block


def _idle(graphs: SiteGraphs) -> Iterator[Finding]:
    """Elements that feed nothing; a house load is something."""
    for node, fields in graphs.power.nodes(data=True):
        idle = graphs.power.out_degree(node) == 0 and not fields.get("house_load_w")
        if str(fields["kind"]) in ELEMENT_KINDS and idle:
            yield warning(node, f"this {fields['kind']} feeds nothing")


OPENINGS = (_opening, _single_feed, _idle)
