"""What the results of a batch say of one plan: totals, and what stands at each site in each quarter.

Nothing here depends on the machine, the clock or the other units.
"""

from __future__ import annotations

from collections import Counter
from math import ceil
from typing import TYPE_CHECKING, Any

from sites.expansion.values import known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.batch.task import Task
    from sites.world import World

FORMAT = "gigaplan-unit/1"
INFEASIBLE = "infeasible"


def summary_of(world: World, task: Task, document: Mapping[str, Any], *, verified: bool) -> dict[str, Any]:
    """The summary of a plan.

    Parameters: document, `plan.json`, of which only what search and evaluation say is used; verified, whether the
    independent checker has accepted it.
    """
    lines = standing_lines(world, document["placements"], document["periods"])
    meter_w = {total["period"]: total["meter_w"] for total in document["totals"]}
    for line in lines:
        line["meter_w"] = meter_w[line["quarter"]].get(line["site"])
    return {
        **_blank(task),
        "status": document["status"],
        "objective_cents": document["objective"],
        "bound_cents": document["bound"],
        "npv_cents": document.get("npv_cents", document["objective"]),
        "gap": document["gap"],
        "stop_reason": document["stop_reason"],
        "verified": verified,
        "lines": lines,
    }


def infeasible_summary(world: World, task: Task, reason: str) -> dict[str, Any]:
    """The summary of a unit that has no plan."""
    del world
    return {**_blank(task), "status": INFEASIBLE, "reason": reason}


def _blank(task: Task) -> dict[str, Any]:
    nothing = dict.fromkeys(("objective_cents", "bound_cents", "npv_cents", "gap", "stop_reason", "reason"))
    return {"format": FORMAT, "method": task.method, "verified": None, "lines": [], **nothing}


def standing_lines(
    world: World, placements: list[dict[str, Any]], periods: list[str] | tuple[str, ...]
) -> list[dict[str, Any]]:
    """What stands at each site at the end of each quarter: racks by configuration, GPU packages, IT power.

    Parameters: placements, as in `plan.json`; periods, quarters of the plan.
    """
    counts = Counter[tuple[str, str, str]]()
    for entry in placements:
        counts[entry["site"], entry["period"], entry["configuration"]] += entry["n_racks"]
    names = {name for _, _, name in counts}
    of_rack = {name: _of_rack(world, name) for name in names}
    lines = []
    for site in (one.name for one in world.sites):
        for quarter in periods:
            racks = {name: counts[site, quarter, name] for name in sorted(names) if counts[site, quarter, name]}
            lines.append({
                "site": site,
                "quarter": quarter,
                "n_racks": sum(racks.values()),
                "n_gpus": sum(n * of_rack[name][0] for name, n in racks.items()),
                "it_w": sum(n * of_rack[name][1] for name, n in racks.items()),
                "racks": racks,
            })  # fmt: skip
    return lines


def _of_rack(world: World, name: str) -> tuple[int, int]:
    """GPU packages and watts of one rack; watts are rounded up, as in lowering."""
    configuration = world.catalog.configuration(name)
    where = f"configuration '{name}'"
    return (
        int(known(configuration.system.gpu_packages, where, "gpu_packages")),
        ceil(known(configuration.profile.sustained_max, where, "sustained_max")),
    )
