"""The graphs of a site as GraphML: power, cooling and fabric in one drawing, every attribute as text with its unit."""

from __future__ import annotations

from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sites.expansion import SiteGraphs

GRAPHS = ("power", "cooling", "fabric")
"""Graphs of a drawing, in the order in which the attributes of a shared row are read."""
NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
_UNITS_BY_ENDING = {
    "_per_liquid_watt": "W/W",
    "_per_air_watt": "W/W",
    "_per_heat_watt": "W/W",
    "_ml_per_min": "mL/min",
    "_gbps": "Gb/s",
    "_kg_per_m2": "kg/m^2",
    "_degc": "degC",
    "_kpa": "kPa",
    "_usd": "USD",
    "_usd_per_kw_month": "USD/kW/month",
    "_usd_per_mwh": "USD/MWh",
    "_seconds": "s",
    "_minutes": "min",
    "_hours": "h",
    "_quarters": "quarters",
    "_kg": "kg",
    "_m2": "m^2",
    "_va": "VA",
    "_w": "W",
    "_v": "V",
    "_a": "A",
    "_j": "J",
    "_k": "K",
    "_m": "m",
    "_s": "s",
}
_UNITS_BY_NAME = {
    "capacity_steps": "W",
    "firm_steps": "W",
    "non_firm_steps": "W",
    "generation_steps": "W",
    "swing_steps": "W",
    "ports_by_kind": "ports",
}
_WITHOUT_UNIT = frozenset(
    {
        "share", "derating", "loss_no_load", "loss_linear", "loss_quadratic", "chiller_cop", "dry_spares",
        "chiller_spares", "spares", "planes", "planes_needed", "leaf_positions", "support_positions", "flex_share",
        "storey",
    }
)  # fmt: skip
"""Ratios and counts; so is what begins with `n_` or ends with `_factor` or `_fraction`."""


def unit_of(name: str) -> str | None:
    """Unit of a numeric attribute by its name; empty for ratios and counts, None when the name tells no unit."""
    if name in _WITHOUT_UNIT or name.startswith("n_") or name.endswith(("_factor", "_fraction")):
        return ""
    if name in _UNITS_BY_NAME:
        return _UNITS_BY_NAME[name]
    return next((unit for ending, unit in _UNITS_BY_ENDING.items() if name.endswith(ending)), None)


def attribute_text(name: str, value: object) -> str:
    """An attribute as text, numbers exact and with their unit.

    Parameters: name, the attribute's; value. Raises ValueError for a number under a name that tells no unit.
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, int | Fraction):
        unit = unit_of(name)
        if unit is None:
            msg = f"attribute '{name}' is a number of unknown unit; add its unit to the table of one-line exports"
            raise ValueError(msg)
        return f"{_number(Fraction(value))} {unit}".rstrip()
    if isinstance(value, dict):
        return ", ".join(f"{key}: {attribute_text(name, one)}" for key, one in value.items())
    if isinstance(value, tuple):
        return ", ".join(_member_text(name, one) for one in value)
    return str(value)


def _member_text(name: str, member: object) -> str:
    """A member of a list, such as a (quarter, amount) step."""
    if isinstance(member, tuple):
        return " ".join(attribute_text(name, one) for one in member)
    return attribute_text(name, member)


def _number(value: Fraction) -> str:
    """Decimal where that is exact, else numerator/denominator."""
    rest = value.denominator
    n_digits = 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest, power = rest // prime, power + 1
        n_digits = max(n_digits, power)
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    if not n_digits:
        return str(value.numerator)
    digits = f"{abs(value.numerator) * 10**n_digits // value.denominator:0{n_digits + 1}d}"
    return f"{'-' if value < 0 else ''}{digits[:-n_digits]}.{digits[-n_digits:]}"


def graphml(graphs: SiteGraphs) -> ElementTree.ElementTree[ElementTree.Element]:
    """Power, cooling and fabric graph of a site as one GraphML drawing.

    Parameters: graphs, exact base units. Nodes and edges keep their ids; `graphs` of a node and `graph` of an edge
    name the graphs that they belong to, which meet in the rows; where these differ on an attribute of a row, the
    texts are joined by " / ".
    """
    nodes: dict[str, dict[str, str]] = {}
    edges: list[tuple[str, str, dict[str, str]]] = []
    for name in GRAPHS:
        graph = getattr(graphs, name)
        for node, fields in graph.nodes(data=True):
            _merge(nodes.setdefault(node, {}), {"graphs": name, **_texts(fields)})
        edges += [(source, load, {"graph": name, **_texts(fields)}) for source, load, fields in graph.edges(data=True)]
    return _document(graphs.site.name, nodes, edges)


def _texts(fields: Mapping[str, object]) -> dict[str, str]:
    return {name: attribute_text(name, value) for name, value in fields.items()}


def _merge(known: dict[str, str], new: Mapping[str, str]) -> None:
    for name, text in new.items():
        if name not in known:
            known[name] = text
        elif text not in known[name].split(" / "):
            known[name] = f"{known[name]} / {text}"


def _document(
    name: str, nodes: Mapping[str, Mapping[str, str]], edges: list[tuple[str, str, dict[str, str]]]
) -> ElementTree.ElementTree[ElementTree.Element]:
    root = ElementTree.Element("graphml", {"xmlns": NAMESPACE})
    keys = _keys(root, "node", [attribute for fields in nodes.values() for attribute in fields])
    keys_of_edges = _keys(root, "edge", [attribute for *_, fields in edges for attribute in fields])
    graph = ElementTree.SubElement(root, "graph", {"id": name, "edgedefault": "directed"})
    for node, fields in nodes.items():
        _add_data(ElementTree.SubElement(graph, "node", {"id": node}), keys, fields)
    for source, load, fields in edges:
        _add_data(ElementTree.SubElement(graph, "edge", {"source": source, "target": load}), keys_of_edges, fields)
    ElementTree.indent(root, space=" ")
    return ElementTree.ElementTree(root)


def _keys(root: ElementTree.Element, owner: str, attributes: list[str]) -> dict[str, str]:
    """Declare each attribute of nodes or of edges once; ids by attribute name."""
    keys = {attribute: f"{owner}-{attribute}" for attribute in dict.fromkeys(attributes)}
    for attribute, key in keys.items():
        declared = {"id": key, "for": owner, "attr.name": attribute, "attr.type": "string"}
        ElementTree.SubElement(root, "key", declared)
    return keys


def _add_data(owner: ElementTree.Element, keys: Mapping[str, str], fields: Mapping[str, str]) -> None:
    for attribute, text in fields.items():
        ElementTree.SubElement(owner, "data", {"key": keys[attribute]}).text = text


def write_graphml(graphs: SiteGraphs, path: Path) -> None:
    """Write the drawing of a site as UTF-8.

    Parameters: graphs; path, to be written. Raises OSError when it cannot be.
    """
    graphml(graphs).write(path, encoding="utf-8", xml_declaration=True)
