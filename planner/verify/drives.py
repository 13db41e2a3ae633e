"""What makes the loads of the power graph draw: watts for each watt of some kind of draw of some rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    from sites.expansion import SiteGraphs


@dataclass(frozen=True)
class Drive:
    """What makes a load node draw."""

    rows: frozenset[str]
    kind: str
    watts_per_watt: Fraction


@dataclass(frozen=True)
class Charge:
    """What a load node draws, in whole numbers over one denominator, so that sums need no fractions."""

    denominator: int
    constant: int
    """What it draws whatever its rows do."""
    driven: tuple[tuple[frozenset[str], str, int], ...]
    """Rows, kind of draw, and what each watt of it adds."""


def charge_of(constant_w: Fraction, drives: tuple[Drive, ...]) -> Charge:
    """Constant watts and drives of a load node over their common denominator."""
    denominator = lcm(constant_w.denominator, *(drive.watts_per_watt.denominator for drive in drives))
    driven = ((drive.rows, drive.kind, int(drive.watts_per_watt * denominator)) for drive in drives)
    return Charge(denominator, int(constant_w * denominator), tuple(one for one in driven if one[2]))


def drives_of(graphs: SiteGraphs) -> dict[str, tuple[Drive, ...]]:
    """What drives each load node of the power graph, by name.

    The heat of a row's support gear goes to the air side of the row, so it drives fans and plants as `air_w` does.
    """
    liquid, air = _rows_of_loops(graphs)
    by_block: dict[str, list[str]] = defaultdict(list)
    for row, fields in graphs.containment.nodes(data=True):
        if fields["kind"] == "row":
            by_block[str(fields["block_id"])].append(row)
    found: dict[str, tuple[Drive, ...]] = {}
    for name, fields in graphs.power.nodes(data=True):
        if fields["kind"] == "row":
            found[name] = (Drive(frozenset({name}), "it_w", Fraction(1)),)
        elif fields["kind"] == "support":
            found[name] = (Drive(frozenset(by_block[fields["block_id"]]), "support_w", Fraction(1)),)
        elif fields["kind"] == "mechanical":
            loop, per_air_watt = fields["loop"], Fraction(fields["watts_per_air_watt"])
            found[name] = (
                Drive(frozenset(liquid[loop]), "liquid_w", Fraction(fields["watts_per_liquid_watt"])),
                Drive(frozenset(air[loop]), "air_w", per_air_watt),
                Drive(frozenset(air[loop]), "support_w", per_air_watt),
            )
    return found


def needs_of(drives_by_name: dict[str, tuple[Drive, ...]]) -> dict[str, list[str]]:
    """Mechanical and support loads that each row drives, or would if they drew anything."""
    needs: dict[str, list[str]] = defaultdict(list)
    for node, drives in drives_by_name.items():
        for row in sorted({row for drive in drives for row in drive.rows}):
            if row != node:
                needs[row].append(node)
    return needs


def _rows_of_loops(graphs: SiteGraphs) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Rows whose liquid heat, and whose air heat, each cooling node carries away."""
    liquid: dict[str, list[str]] = defaultdict(list)
    air: dict[str, list[str]] = defaultdict(list)
    above: dict[str, set[str]] = {}
    for header, row, edge in graphs.cooling.edges(data=True):
        if "medium" not in edge:
            continue
        if header not in above:
            above[header] = {header, *nx.ancestors(graphs.cooling, header)}
        for sink in above[header]:
            (liquid if edge["medium"] == "liquid" else air)[sink].append(row)
    return liquid, air
