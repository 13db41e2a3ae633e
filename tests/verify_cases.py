"""Verification of worlds in memory, without a run folder, and the world that works with verification's round figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fixtures.small_site import PROVENANCE
from work_cases import KNOWN, curve, made_basis, point, tier, workload, working_world

from planner.verify.check import Verification
from planner.verify.inputs import Run
from sites.expansion import expand

if TYPE_CHECKING:
    from sites.schema.throughput import ThroughputBasis
    from sites.world import World

GB300 = "gb300-nvl72"


def verification_of(world: World, plan: dict[str, Any] | None = None, **certificate: Any) -> Verification:
    """Verification of a world without a folder, for a certificate without multipliers but those given."""
    graphs = {one.name: expand(one.site, world.catalog) for one in world.sites}
    nothing: dict[str, Any] = {"limits": {}, "inside": {}, "whole": {}, "contract": {"p": {}, "h": "0"}, "demand": {}}
    nothing |= {"monotone": [], "open": [], "units": [], "trees": {}, "side": {}, "scale_bits": 30}
    return Verification(Path(), Run({"placements": []} | (plan or {}), nothing | certificate, {}, world, graphs))


def answering(one: dict[str, Any], ttft: str) -> dict[str, Any]:
    """A point with its time to first token."""
    return one | {"ttft": {"value": f"{ttft} s", **KNOWN}}


CURVE = curve(
    GB300, point(None, "1000"), answering(point("20", "600"), "1"), answering(point("60", "200"), "3"), measured="2026-Q1"
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
        "configurations": [GB300],
        "goodput": {"share": "0.5", "provenance": PROVENANCE},
        "supply": [supply()],
    }
    return working_world(
        basis=basis or basis_of(), **(content | {"workloads": list(workloads) or [chat()]} | portfolio)
    )


def supply(*racks: tuple[str, int], **changes: Any) -> dict[str, Any]:
    """Deliveries of GB300 racks: ten at the start unless told."""
    deliveries = [{"quarter": quarter, "racks": n} for quarter, n in racks or [("2027-Q1", 10)]]
    return {"system": GB300, "deliveries": deliveries, "provenance": PROVENANCE} | changes
