"""Checks on expanded graphs: what would make a plan wrong is an error, what a planner should know is a warning."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import networkx as nx

from sites.calendar import quarter_index, quarter_name
from sites.expansion.ids import CORE, SERVICE
from sites.faults import Fault, InputError
from sites.schema.catalog import ElementKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sites.expansion.graphs import Graph, SiteGraphs

_ELEMENT_KINDS = frozenset(str(kind) for kind in ElementKind)
_ELEMENT_FIELDS = ("rating_w", "plate_w", "loss_no_load", "loss_linear", "loss_quadratic", "house_load_w")
_LOADS = ("row", "mechanical", "support")


@dataclass(frozen=True)
class Finding:
    """One thing that a check found, and at which node."""

    severity: Literal["error", "warning"]
    element: str
    message: str

    def __str__(self) -> str:
        """`severity: element: message`."""
        return f"{self.severity}: {self.element}: {self.message}"


def check(graphs: SiteGraphs) -> list[Finding]:
    """Every finding on the graphs of a site, errors first; like findings on many nodes are told once with their count.

    Structure is checked first: nothing is derived from graphs that have cycles or lack fields.
    """
    findings = _run(graphs, _STRUCTURE)
    if not findings:
        findings = _run(graphs, _MEANING)
    return sorted(_merged(findings), key=lambda finding: finding.severity)


def require_sound(graphs: SiteGraphs) -> list[Finding]:
    """The warnings on the graphs of a site; raises InputError with every error."""
    findings = check(graphs)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise InputError([Fault(f"site {graphs.site.name}", None, one.element, one.message) for one in errors])
    return findings


def _run(graphs: SiteGraphs, checks: tuple[Callable[[SiteGraphs], Iterator[Finding]], ...]) -> list[Finding]:
    return [finding for one in checks for finding in one(graphs)]


def _merged(findings: list[Finding]) -> list[Finding]:
    """One finding for each severity and message, at the first node by name, with the number of the others."""
    elements: dict[tuple[Literal["error", "warning"], str], list[str]] = {}
    for finding in findings:
        elements.setdefault((finding.severity, finding.message), []).append(finding.element)
    return [
        Finding(severity, min(nodes), message if len(nodes) == 1 else f"{message} (and {len(nodes) - 1} more like it)")
        for (severity, message), nodes in elements.items()
    ]


def _error(element: str, message: str) -> Finding:
    return Finding("error", element, message)


def _warning(element: str, message: str) -> Finding:
    return Finding("warning", element, message)


def _nodes_of(graph: Graph, *kinds: str) -> list[str]:
    return [node for node, kind in graph.nodes(data="kind") if str(kind) in kinds]


def _rows(graphs: SiteGraphs) -> list[str]:
    return _nodes_of(graphs.containment, "row")


# Structure


def _unique_ids(graphs: SiteGraphs) -> Iterator[Finding]:
    """An id stands for one thing over all graphs; only rows are shared."""
    rows, seen = set(_rows(graphs)), dict[str, str]()
    named = (("containment", graphs.containment), ("power", graphs.power))
    for name, graph in (*named, ("cooling", graphs.cooling), ("fabric", graphs.fabric)):
        for node in graph.nodes:
            if node not in rows and node in seen:
                message = f"the id stands in the {seen[node]} and the {name} graph; rename the building, group or plant"
                yield _error(node, message)
            seen[node] = name


def _acyclic(graphs: SiteGraphs) -> Iterator[Finding]:
    for name in ("containment", "power", "cooling", "fabric"):
        graph: Graph = getattr(graphs, name)
        if not nx.is_directed_acyclic_graph(graph):
            cycle = [source for source, _ in nx.find_cycle(graph)]
            yield _error(cycle[0], f"the {name} graph has a cycle: {' -> '.join(cycle)}; an element cannot feed itself")


def _fields(graphs: SiteGraphs) -> Iterator[Finding]:
    """Ratings, losses and dates of every element are present and positive where they must be."""
    for node, fields in graphs.power.nodes(data=True):
        if str(fields["kind"]) not in _ELEMENT_KINDS:
            continue
        for name in _ELEMENT_FIELDS:
            if fields.get(name) is None:
                yield _error(node, f"'{name}' is missing; every power element needs it")
        if fields.get("rating_w") is not None and fields["rating_w"] <= 0:
            yield _error(node, f"rated {fields['rating_w']} W; a rating must be at least 1 W")
    for graph in (graphs.cooling, graphs.power):
        for node, fields in graph.nodes(data=True):
            if fields["kind"] != "service" and fields.get("in_service") is None:
                yield _error(node, "'in_service' is missing; every element needs the quarter from which it exists")


def _shares(graphs: SiteGraphs) -> Iterator[Finding]:
    """What a node draws is split over its sources without remainder; each medium of a row for itself.

    A plant that lacks a kind of unit is told about by `_plants`, in its own terms.
    """
    for graph in (graphs.power, graphs.cooling):
        for node in graph.nodes:
            if graph.nodes[node]["kind"] == "plant":
                continue
            sums: dict[str, Fraction] = {}
            for _, _, fields in graph.in_edges(node, data=True):
                if not fields.get("reserve", False):
                    medium = str(fields.get("medium", ""))
                    sums[medium] = sums.get(medium, Fraction(0)) + fields["share"]
            for medium, total in sums.items():
                if total != 1:
                    kind = f"{medium} shares" if medium else "shares"
                    yield _error(node, f"its {kind} sum to {total}; they must sum to 1")


def _fed(graphs: SiteGraphs) -> Iterator[Finding]:
    """Everything on the power graph hangs on the service."""
    reached = nx.descendants(graphs.power, SERVICE) | {SERVICE} if SERVICE in graphs.power else set()
    for node in graphs.power.nodes:
        if node not in reached:
            yield _error(node, "no path leads to it from the utility service; feed it from a group that has one")


def _rows_connected(graphs: SiteGraphs) -> Iterator[Finding]:
    """Every row is fed by its feeds, cooled by air (and by liquid if it has a loop) and on one leaf group."""
    on_core = nx.descendants(graphs.fabric, CORE) if CORE in graphs.fabric else set()
    for row in _rows(graphs):
        fields = graphs.containment.nodes[row]
        n_feeds = graphs.power.in_degree(row) if row in graphs.power else 0
        if n_feeds != fields["n_feeds"]:
            yield _error(row, f"it has {n_feeds} power feeds; {fields['n_feeds']} are due")
        headers = list(graphs.cooling.predecessors(row)) if row in graphs.cooling else []
        media = sorted(str(graphs.cooling.edges[header, row]["medium"]) for header in headers)
        due = ["air"] if fields["liquid_supply_degc"] is None else ["air", "liquid"]
        if media != due:
            yield _error(row, f"it is cooled by {media or 'nothing'}; {due} is due")
        groups = list(graphs.fabric.predecessors(row)) if row in graphs.fabric else []
        if groups != [fields["block_id"]] or groups[0] not in on_core:
            yield _error(
                row, f"it hangs on leaf groups {groups}; its block '{fields['block_id']}' below the core is due"
            )


# Meaning


def _plants(graphs: SiteGraphs) -> Iterator[Finding]:
    """The plant can remove all heat at the design day, with its spares out."""
    for node in _nodes_of(graphs.cooling, "plant"):
        plant = graphs.cooling.nodes[node]
        if plant["chiller_fraction"] > 0 and plant["n_chillers"] == 0:
            message = (
                f"at {float(plant['design_dry_bulb_degc']):g} degC dry coolers remove only "
                f"{float(plant['dry_fraction']):.1%} of the heat and there are no chillers; "
                "add chillers or raise the supply temperature"
            )
            yield _error(node, message)
        if plant["chiller_fraction"] > 0 and plant["n_chillers"] > 0 and plant["chiller_heat_w"] == 0:
            yield _error(node, "its chillers have no heat left at the design dry bulb; choose others")
        idle = "chillers" if plant["chiller_fraction"] == 0 and plant["n_chillers"] else ""
        idle = "dry coolers" if plant["dry_fraction"] == 0 and plant["n_dry_coolers"] else idle
        if idle:
            yield _warning(node, f"its {idle} have nothing to do at the design day")
        units = (("dry", plant["n_dry_coolers"]), ("chiller", plant["n_chillers"]))
        for kind, count in units:
            if count and count <= plant[f"{kind}_spares"]:
                yield _error(node, f"{plant[f'{kind}_spares']} of {count} {kind} units may be out; none would be left")


def _headers(graphs: SiteGraphs) -> Iterator[Finding]:
    """A header keeps a unit when its spares are out, and heat flows from the loop to the plant."""
    for header in _nodes_of(graphs.cooling, "liquid-header", "air-header"):
        units = list(graphs.cooling.predecessors(header))
        fields = graphs.cooling.nodes[header]
        if len(units) <= fields["spares"]:
            yield _error(header, f"{fields['spares']} of {len(units)} units may be out; none would be left")
        if fields["kind"] == "liquid-header":
            yield from _approach(graphs.cooling, header, units)


def _approach(cooling: Graph, header: str, units: list[str]) -> Iterator[Finding]:
    loop = cooling.nodes[header]
    for unit in units:
        approach_k = cooling.nodes[unit]["approach_k"]
        for plant_id in cooling.predecessors(unit):
            plant = cooling.nodes[plant_id]
            if loop["supply_degc"] < plant["supply_degc"] + approach_k:
                message = (
                    f"its loop is set to {float(loop['supply_degc']):g} degC; CDUs on '{plant_id}' reach "
                    f"{float(plant['supply_degc'] + approach_k):g} degC at best "
                    f"(plant {float(plant['supply_degc']):g} degC and approach {float(approach_k):g} K)"
                )
                yield _error(unit, message)
            if loop["return_degc"] < plant["return_degc"]:
                message = (
                    f"its loop returns at {float(loop['return_degc']):g} degC, colder than the plant's return of "
                    f"{float(plant['return_degc']):g} degC; lower the plant's rise or raise the loop's"
                )
                yield _error(unit, message)


def _guarantees(graphs: SiteGraphs) -> Iterator[Finding]:
    """Every element can carry what the schemes below it promise, losses and constants included."""
    power = graphs.power
    normal_w: dict[str, Fraction] = {}
    peak_w: dict[str, Fraction] = {}
    for node in reversed(list(nx.topological_sort(power))):
        fields = power.nodes[node]
        if str(fields["kind"]) not in _ELEMENT_KINDS:
            continue
        if fields["guarantee_w"] is not None:
            normal_w[node], peak_w[node] = fields["guarantee_w"], fields["guarantee_after_failure_w"]
        else:
            _add_promises(power, node, normal_w, peak_w)
        too_small = list(_too_small(node, fields, normal_w.get(node), "promises in normal operation"))
        yield from too_small or _too_small(node, fields, peak_w.get(node), "promises after the loss of a block")


def _add_promises(power: Graph, node: str, normal_w: dict[str, Fraction], peak_w: dict[str, Fraction]) -> None:
    """Promises of an element without its own: those of the elements below; after a failure only along one chain."""
    loads = [load for load in power.successors(node) if load in normal_w]
    if not loads:
        return
    shares = ((load, power.edges[node, load]["share"]) for load in loads)
    normal_w[node] = sum((share * _input_w(power, load, normal_w[load]) for load, share in shares), Fraction(0))
    alone = power.in_degree(loads[0]) == 1 and power.out_degree(node) == 1
    if alone and loads[0] in peak_w:
        peak_w[node] = _input_w(power, loads[0], peak_w[loads[0]])


def _input_w(power: Graph, node: str, output_w: Fraction) -> Fraction:
    """Watts into an element for watts out of it: losses by the secant at the plate, house load and no-load loss."""
    fields = power.nodes[node]
    served_w: Fraction = output_w + fields["house_load_w"]
    loss_w: Fraction = served_w * (fields["loss_linear"] + fields["loss_quadratic"])
    no_load_w: Fraction = fields["loss_no_load"] * fields["plate_w"]
    return served_w + loss_w + no_load_w


def _too_small(node: str, fields: dict[str, object], promised_w: Fraction | None, how: str) -> Iterator[Finding]:
    rating_w = fields["rating_w"]
    if promised_w is not None and isinstance(rating_w, Fraction) and promised_w > rating_w:
        message = (
            f"a {fields['kind']} rated {int(rating_w):,} W carries less than the {int(promised_w):,} W that the scheme "
            f"below it {how}; a plan keeps within the rating"
        )
        yield _warning(node, message)


def _opening(graphs: SiteGraphs) -> Iterator[Finding]:
    """A row that must wait for what feeds or cools it."""
    opens = openings(graphs)
    for row in _rows(graphs):
        due = quarter_index(graphs.containment.nodes[row]["in_service"])
        if opens[row] > due:
            last = max(opens[feed] for feed in graphs.power.predecessors(row))
            what = "its feeds exist" if opens[row] == last else "its cooling and support have all their power"
            yield _warning(row, f"in service {quarter_name(due)}, but {what} only from {quarter_name(opens[row])}")


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
    for row in _rows(graphs):
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
    for row in _rows(graphs):
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
                yield _warning(row, message)


def _idle(graphs: SiteGraphs) -> Iterator[Finding]:
    """Elements that feed nothing."""
    for node, fields in graphs.power.nodes(data=True):
        if str(fields["kind"]) in _ELEMENT_KINDS and graphs.power.out_degree(node) == 0:
            yield _warning(node, f"this {fields['kind']} feeds nothing")


_STRUCTURE = (_unique_ids, _acyclic, _fields, _shares, _fed, _rows_connected)
_MEANING = (_plants, _headers, _guarantees, _opening, _single_points, _idle)
