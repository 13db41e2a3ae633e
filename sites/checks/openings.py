"""When rows open, what drops them, and what serves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from sites.calendar import quarter_index, quarter_name
from sites.checks.findings import ELEMENT_KINDS, rows_of, warning
from sites.expansion.ids import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

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

    An element exists with its own date and one live source, a load only with all of its direct feeds; a row only with
    its headers and with the mechanical and support loads that it drives.
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
        opens[row] = max([opens[row], support, *headers, *driven])
    return opens


def _loads(graphs: SiteGraphs) -> tuple[dict[str, str], dict[str, str]]:
    """The mechanical load of each loop and the support load of each fabric block."""
    nodes = graphs.power.nodes(data=True)
    of_loop = {str(fields["loop"]): node for node, fields in nodes if fields["kind"] == "mechanical"}
    of_block = {str(fields["block_id"]): node for node, fields in nodes if fields["kind"] == "support"}
    return of_loop, of_block


def _single_points(graphs: SiteGraphs) -> Iterator[Finding]:
    """Elements whose failure alone drops a row that was promised to survive it; such a row can never be used.

    They are the row's dominators: every path from the service to the row passes them.
    """
    dominator = nx.immediate_dominators(graphs.power, SERVICE)
    for row in rows_of(graphs):
        fields, node = graphs.containment.nodes[row], row
        if not fields["available"]:
            continue
        while node != SERVICE:
            node = dominator[node]
            kind = graphs.power.nodes[node]["kind"]
            if node != SERVICE and kind not in fields["may_drop_on"]:
                message = (
                    f"the failure of one {kind} drops it, which its class '{fields['availability_class']}' does not "
                    "allow: no rack can stand here; change the scheme or the class"
                )
                yield warning(row, message)


def _idle(graphs: SiteGraphs) -> Iterator[Finding]:
    """Elements that feed nothing."""
    for node, fields in graphs.power.nodes(data=True):
        if str(fields["kind"]) in ELEMENT_KINDS and graphs.power.out_degree(node) == 0:
            yield warning(node, f"this {fields['kind']} feeds nothing")


OPENINGS = (_opening, _single_points, _idle)
