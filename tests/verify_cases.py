"""Verification of worlds in memory, without a run folder, and a world that works at round figures."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fixtures.small_site import PROVENANCE
from fixtures.small_world import small_world
from work_cases import BASIS, KNOWN, curve, made_basis, point, tier, workload

from planner.verify.check import Verification
from planner.verify.inputs import Run
from sites.expansion import expand

if TYPE_CHECKING:
    from planner.problem import Problem
    from planner.verify.side import Side
    from sites.schema.throughput import ThroughputBasis
    from sites.world import World

GB300 = "gb300-nvl72"
NO_PRICES: dict[str, Any] = {
    "limits": {}, "inside": {}, "whole": {}, "monotone": [], "open": [], "units": [], "contract": {"p": {}, "h": "0"},
    "demand": {}, "side": {}, "scale_bits": 30,
}  # fmt: skip
"""A certificate, or a leaf of its tree, without multipliers."""


def verification_of(world: World, plan: dict[str, Any] | None = None, **certificate: Any) -> Verification:
    """Verification of a world without a folder, for a certificate without multipliers but those given."""
    graphs = {one.name: expand(one.site, world.catalog) for one in world.sites}
    return Verification(
        Path(), Run({"placements": []} | (plan or {}), NO_PRICES | {"trees": {}} | certificate, {}, world, graphs)
    )


def answering(one: dict[str, Any], ttft: str) -> dict[str, Any]:
    """A point with its time to first token."""
    return one | {"ttft": {"value": f"{ttft} s", **KNOWN}}


CURVE = curve(
    GB300,
    point(None, "1000"),
    answering(point("20", "600"), "1"),
    answering(point("60", "200"), "3"),
    measured="2026-Q1",
)
"""Offline, and two speeds."""


def basis_of(*curves: dict[str, Any], **changes: Any) -> ThroughputBasis:
    """A basis of these curves."""
    return made_basis(curves=list(curves) or [CURVE], **changes)


def chat(**changes: Any) -> dict[str, Any]:
    """Serving at 30 tokens/s/user with twice the work of the model measured: 10/s at 8 USD a million."""
    return workload(speed="30 tokens/s/user", work_factor="2", tiers=[contracted()]) | changes


def contracted(**changes: Any) -> dict[str, Any]:
    """The tier of it."""
    return tier("contracted", "10", "8", **changes)


def world_of(*workloads: dict[str, Any], basis: ThroughputBasis | None = None, **portfolio: Any) -> World:
    """The small site in the chain's books, with ten GB300 racks and one workload unless changed."""
    content = {
        "perspective": "chain",
        "configurations": [GB300],
        "goodput": {"share": "0.5", "provenance": PROVENANCE},
        "supply": [supply()],
        "workloads": list(workloads) or [chat()],
    }
    world = small_world(**(content | portfolio))
    return replace(world, catalog=replace(world.catalog, throughput={BASIS: basis or basis_of()}))


def supply(*racks: tuple[str, int], **changes: Any) -> dict[str, Any]:
    """Deliveries of GB300 racks: ten at the start unless told."""
    deliveries = [{"quarter": quarter, "racks": n} for quarter, n in racks or [("2027-Q1", 10)]]
    return {"system": GB300, "deliveries": deliveries, "provenance": PROVENANCE} | changes


WrittenRow = tuple[int, dict[tuple[str, str, int], int]]
"""Right-hand side, and what racks add to it by site, configuration and period."""
WrittenColumn = tuple[int, int, dict[str, int], dict[tuple[str, int], int]]
"""Worth, most, terms by row, and what is added to capacities by limit and period."""
Written = tuple[dict[str, WrittenRow], dict[str, WrittenColumn]]
"""Rows and columns by name, so that two programs compare."""


def lowered_side(problem: Problem) -> Written:
    """A problem's side program by name."""
    side = problem.side
    if side is None:
        return {}, {}
    rows: dict[str, WrittenRow] = {}
    for i, name in enumerate(side.row_names):
        racks: dict[tuple[str, str, int], int] = defaultdict(int)
        for e in range(side.rack_ptr[i], side.rack_ptr[i + 1]):
            site = side.group_names[side.rack_group_idx[e]]
            configuration = problem.configuration_names[side.rack_configuration_idx[e]]
            racks[site, configuration, int(side.rack_period_idx[e])] += int(side.rack_coefficient[e])
        rows[name] = side.row_right[i], {place: each for place, each in racks.items() if each}
    columns: dict[str, WrittenColumn] = {}
    for j, name in enumerate(side.column_names):
        terms: dict[str, int] = defaultdict(int)
        for e in range(side.term_ptr[j], side.term_ptr[j + 1]):
            terms[side.row_names[side.term_row_idx[e]]] += int(side.term_coefficient[e])
        raised: dict[tuple[str, int], int] = defaultdict(int)
        for e in range(side.capacity_ptr[j], side.capacity_ptr[j + 1]):
            limit = problem.limits[side.capacity_limit_idx[e]].name
            raised[limit, int(side.capacity_period_idx[e])] += int(side.capacity_amount[e])
        columns[name] = side.column_worth[j], side.column_most[j], dict(terms), dict(raised)
    return rows, columns


def verified_side(side: Side) -> Written:
    """The side program of verification in the same words."""
    rows = {name: (row.right, dict(row.racks)) for name, row in side.rows.items()}
    columns = side.columns.items()
    return rows, {name: (one.worth_scaled, one.most, dict(one.terms), dict(one.raises)) for name, one in columns}
