"""Small worlds whose racks work: a made-up basis, one workload in two tiers, round figures for arithmetic by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fixtures.small_site import PROVENANCE
from fixtures.small_world import small_world

from sites.schema.throughput import ThroughputBasis

if TYPE_CHECKING:
    from sites.world import World

KNOWN = {"source": "A test", "status": "measured"}
BASIS = "made"


def point(speed: str | None, rate: str) -> dict[str, Any]:
    """One point; speed in tokens/s/user, rate of a rack in 1/s."""
    timed = {} if speed is None else {"speed": {"value": f"{speed} tokens/s/user", **KNOWN}}
    waits = {"value": None, "reason": "not measured", **KNOWN}
    return {**timed, "ttft": waits, "rate": {"value": f"{rate} 1/s", **KNOWN}}


def curve(system: str, *points: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A curve of a rack at its standard profile."""
    content = {"system": system, "profile": "standard", "software": "engine", "measured": "2026-Q3", "per": "rack"}
    return {**content, "points": list(points), **changes}


def made_basis(**changes: Any) -> ThroughputBasis:
    """GB200 does 1,000 tokens/s at 20 tokens/s/user and 1,500 offline, GB300 2,000 and 500 at 60."""
    curves = [
        curve("gb200-nvl72", point(None, "1500"), point("20", "1000")),
        curve("gb300-nvl72", point("20", "2000"), point("60", "500")),
    ]
    content = {
        "name": BASIS,
        "title": "Made for tests",
        "model": "A model",
        "model_class": "large",
        "kind": "inference",
        "counts": "output-tokens",
        "conditions": "None",
        "curves": curves,
    }
    return ThroughputBasis.model_validate({**content, **changes})


def tier(name: str, rate: str, price: str, **changes: Any) -> dict[str, Any]:
    """A tier of constant demand, in 1/s, whose price in USD for a million does not decline unless told."""
    content = {
        "name": name,
        "demand": [{"start": "2027-Q1", "rate": f"{rate} 1/s"}],
        "price": f"{price} USD/million",
        "price_decline_per_year": 0,
        "provenance": PROVENANCE,
    }
    return {**content, **changes}


def workload(**changes: Any) -> dict[str, Any]:
    """Chat at 20 tokens/s/user: 1,000 tokens/s under contract at 8 USD, 500 spot at 2 USD for a million."""
    content = {
        "name": "chat",
        "title": "Chat",
        "kind": "inference",
        "family": "large",
        "basis": BASIS,
        "speed": "20 tokens/s/user",
        "work_factor": 1,
        "tiers": [tier("contracted", "1000", "8"), tier("spot", "500", "2")],
        "provenance": PROVENANCE,
    }
    return {**content, **changes}


def work_content(*workloads: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Keys of a portfolio whose racks work, all of their hours unless told."""
    goodput = {"share": 1, "provenance": PROVENANCE}
    return {"perspective": "chain", "workloads": list(workloads) or [workload()], "goodput": goodput, **changes}


def working_world(
    *sites: dict[str, Any],
    basis: ThroughputBasis | None = None,
    workloads: list[dict[str, Any]] | None = None,
    **changes: Any,
) -> World:
    """The small world, or that of some site contents, with workloads on the made-up basis."""
    world = small_world(*sites, **work_content(*(workloads or []), **changes))
    catalog = replace(world.catalog, throughput={BASIS: basis or made_basis()})
    return replace(world, catalog=catalog)
