"""What stands at the meter and gives nothing, and ratings and feeds that do not do what they seem to."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import networkx as nx

from sites.checks.findings import ELEMENT_KINDS, nodes_of, rows_of, warning
from sites.expansion.ids import SERVICE
from sites.supply import battery_swing_w

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.checks.findings import Finding
    from sites.expansion.graphs import SiteGraphs


def _non_firm(graphs: SiteGraphs) -> Iterator[Finding]:
    """Capacity that may be curtailed is there, and is curtailed at times."""
    non_firm = graphs.site.service.non_firm
    if non_firm is None:
        return
    hours = float(non_firm.curtailed_hours_per_year)
    if all(step.capacity == 0 for step in non_firm.steps):
        message = f"found {hours:g} curtailed hours, but its non-firm capacity is 0 W throughout; remove 'non_firm'"
        yield warning(SERVICE, message)
    elif hours == 0:
        yield warning(SERVICE, "its non-firm capacity is never curtailed, so it is firm; enter it under 'steps'")


def _generation(graphs: SiteGraphs) -> Iterator[Finding]:
    """Plant of the site's own gives something once its reserve is out, on the design day."""
    generation_w = graphs.power.nodes[SERVICE]["generation_w"]
    for one in graphs.site.generation:
        if all(watts == 0 for _, watts in generation_w[one.name]):
            message = (
                f"its generation '{one.name}' gives nothing firm: {one.reserve} of {one.units} sets are reserve, and "
                f"the design day has {float(graphs.site.climate.design_dry_bulb):g} degC; lower the reserve or the "
                "derate, or remove it"
            )
            yield warning(SERVICE, message)


def _batteries(graphs: SiteGraphs) -> Iterator[Finding]:
    """Batteries have a limit to serve, and energy for their power."""
    swing = graphs.site.service.swing
    for one in graphs.site.batteries:
        if swing.step is None:
            message = f"the battery '{one.name}' serves nothing, as no step of load is limited; give 'swing' a limit"
            yield warning(SERVICE, message)
        elif battery_swing_w(one, swing.ramp) < int(one.power):
            message = (
                f"the battery '{one.name}' carries a step of {battery_swing_w(one, swing.ramp):,} W until the service "
                f"has caught up, not its {int(one.power):,} W: its energy is the less"
            )
            yield warning(SERVICE, message)


def _flex(graphs: SiteGraphs) -> Iterator[Finding]:
    """Flex acts before the short-time ratings above its rows run out, and has some to act within."""
    power = graphs.power
    slowest_s: dict[str, Fraction] = {}
    for row in rows_of(graphs):
        fields = graphs.containment.nodes[row]
        if fields["flex_share"] == 1:
            continue
        within_s = fields["flex_within_s"]
        elements = [node for node in nx.ancestors(power, row) if str(power.nodes[node]["kind"]) in ELEMENT_KINDS]
        for node in elements:
            slowest_s[node] = max(slowest_s.get(node, Fraction(0)), within_s)
        if not any(_overloads(graphs, node) and power.nodes[node]["short_time_s"] >= within_s for node in elements):
            message = (
                f"its Flex acts within {float(within_s):g} s, but no element above it carries more than its emergency "
                "rating for so long, so nothing is gained; state 'short_time_rating' where one is known"
            )
            yield warning(row, message)
    for node, within_s in slowest_s.items():
        short_time_s = power.nodes[node]["short_time_s"]
        if _overloads(graphs, node) and short_time_s < within_s:
            message = (
                f"it carries its short-time rating for {float(short_time_s):g} s, but Flex below it takes "
                f"{float(within_s):g} s; before Flex has acted only its emergency rating counts"
            )
            yield warning(node, message)


def _overloads(graphs: SiteGraphs, node: str) -> bool:
    fields = graphs.power.nodes[node]
    return bool(fields["short_time_w"] > fields["emergency_w"])


def _matched_on_one(graphs: SiteGraphs) -> Iterator[Finding]:
    """Units matched to members of which there is only one."""
    for node in nodes_of(graphs.power, "mechanical", "support"):
        sources = list(graphs.power.predecessors(node))
        if graphs.power.nodes[node]["unit_feeds"] == "matched" and _group_size(graphs, sources) == 1:
            message = f"its units are matched to '{sources[0]}', the only member of its group: all of them stop with it"
            yield warning(node, message)


def _group_size(graphs: SiteGraphs, members: list[str]) -> int:
    """Members of the group that the given ones are of; ids of a group differ in their number only."""
    stem = members[0].rpartition("-")[0]
    n_members = 0
    while f"{stem}-{n_members + 1}" in graphs.power:
        n_members += 1
    return n_members


SUPPLY = (_non_firm, _generation, _batteries, _flex, _matched_on_one)
