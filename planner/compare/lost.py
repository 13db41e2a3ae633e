"""What may stand in fewer rows in one plan than in another of the same portfolio, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Place: TypeAlias = tuple[str, str]
"""Site and configuration."""


def lost_rows(ineligible: Sequence[Sequence[Mapping[str, Any]]]) -> list[list[dict[str, Any]]]:
    """For each plan the configurations that are ineligible in more rows than in the best plan, and the reasons.

    Parameters: ineligible, that of each `plan.json`. An entry has `site`, `configuration`, `n_rows_more`, `reasons`:
    those that hold in more rows here than in some other plan.
    """
    plans = [_rows_by_reason(one) for one in ineligible]
    return [[entry for place in sorted(plan) if (entry := _entry(place, plan, plans))] for plan in plans]


def _rows_by_reason(ineligible: Iterable[Mapping[str, Any]]) -> dict[Place, dict[str, int]]:
    found: dict[Place, dict[str, int]] = {}
    for entry in ineligible:
        reasons = found.setdefault((entry["site"], entry["configuration"]), {})
        reasons[entry["reason"]] = reasons.get(entry["reason"], 0) + entry["n_rows"]
    return found


def _entry(
    place: Place, plan: Mapping[Place, Mapping[str, int]], plans: Sequence[Mapping[Place, Mapping[str, int]]]
) -> dict[str, Any] | None:
    here, all_plans = plan[place], [one.get(place, {}) for one in plans]
    n_rows_more = sum(here.values()) - min(sum(one.values()) for one in all_plans)
    if n_rows_more <= 0:
        return None
    reasons = [reason for reason, n_rows in here.items() if n_rows > min(one.get(reason, 0) for one in all_plans)]
    site, configuration = place
    return {"site": site, "configuration": configuration, "n_rows_more": n_rows_more, "reasons": sorted(reasons)}
