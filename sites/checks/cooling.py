"""Plants and loops: heat can be removed at the design day, and flows from the loop to the plant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.checks.findings import error, nodes_of, warning
from sites.equipment import site_cooling_equipment
from sites.expansion.chiller import CURVES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sites.checks.findings import Finding
    from sites.expansion.graphs import Graph, SiteGraphs


def _plants(graphs: SiteGraphs) -> Iterator[Finding]:
    """The plant can remove all heat at the design day, with its spares out."""
    for node in nodes_of(graphs.cooling, "plant"):
        plant = graphs.cooling.nodes[node]
        if plant["chiller_fraction"] > 0 and plant["n_chillers"] == 0:
            message = (
                f"at {float(plant['design_dry_bulb_degc']):g} degC {_coolers(plant)} remove only "
                f"{float(plant['dry_fraction']):.1%} of the heat and there are no chillers; "
                "add chillers or raise the supply temperature"
            )
            yield error(node, message)
        if plant["chiller_fraction"] > 0 and plant["n_chillers"] > 0 and plant["chiller_heat_w"] == 0:
            yield error(node, "its chillers have no heat left at the design dry bulb; choose others")
        idle = "chillers" if plant["chiller_fraction"] == 0 and plant["n_chillers"] else ""
        idle = _coolers(plant) if plant["dry_fraction"] == 0 and plant["n_dry_coolers"] else idle
        if idle:
            yield warning(node, f"its {idle} have nothing to do at the design day")
        units = (("dry", plant["n_dry_coolers"]), ("chiller", plant["n_chillers"]))
        for kind, count in units:
            if count and count <= plant[f"{kind}_spares"]:
                yield error(node, f"{plant[f'{kind}_spares']} of {count} {kind} units may be out; none would be left")


def _coolers(plant: Mapping[str, object]) -> str:
    """What the coolers of a plant are called."""
    return "coolers" if plant["cooler_kind"] is None else f"{plant['cooler_kind']}s".replace("-", " ")


def _curves(graphs: SiteGraphs) -> Iterator[Finding]:
    """Chillers whose published curves do not reach the design day go by the second law there."""
    equipment = site_cooling_equipment(graphs.site, graphs.catalog)
    for building in graphs.site.buildings:
        for plant in graphs.site.building_templates[building.template].plants:
            node = f"{building.name}/{plant.name}"
            fields = graphs.cooling.nodes[node]
            curves = None if plant.chillers is None else equipment[plant.chillers.equipment].curves
            if curves is None or fields["chiller_fraction"] == 0 or fields["chiller_basis"] == CURVES:
                continue
            (low, high), (cold, hot) = curves.leaving_degc, curves.condenser_degc
            message = (
                f"its chillers leave at {float(plant.supply):g} degC in air of "
                f"{float(fields['design_dry_bulb_degc']):g} degC; their curves hold from {float(low):g} to "
                f"{float(high):g} and from {float(cold):g} to {float(hot):g} degC, so COP and heat at the design day "
                "are those of the second law and the derate"
            )
            yield warning(node, message)


def _headers(graphs: SiteGraphs) -> Iterator[Finding]:
    """A header keeps a unit when its spares are out, and heat flows from the loop to the plant."""
    for header in nodes_of(graphs.cooling, "liquid-header", "air-header"):
        units = list(graphs.cooling.predecessors(header))
        fields = graphs.cooling.nodes[header]
        if len(units) <= fields["spares"]:
            yield error(header, f"{fields['spares']} of {len(units)} units may be out; none would be left")
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
                yield error(unit, message)
            if loop["return_degc"] < plant["return_degc"]:
                message = (
                    f"its loop returns at {float(loop['return_degc']):g} degC, colder than the plant's return of "
                    f"{float(plant['return_degc']):g} degC; lower the plant's rise or raise the loop's"
                )
                yield error(unit, message)


COOLING = (_plants, _curves, _headers)
