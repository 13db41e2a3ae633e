"""What a plan says that its racks serve: hours and units of work, and demand against what is sold of it."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from planner.verify.report import Check, check_of
from planner.verify.work import MILLION, WorkRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.objective import Ledger
    from planner.verify.side import Side
    from sites.schema.workload import Tier, Workload

_SHOWN = 5


def has_service(plan: Mapping[str, Any], ledger: Ledger) -> bool:
    """Whether there is work to state, or any is stated."""
    return bool(ledger.money.portfolio.workloads or plan.get("service") or (plan.get("served") or {}).get("tiers"))


def check_served(plan: Mapping[str, Any], side: Side, values: Mapping[str, int], ledger: Ledger) -> Check:
    """Every hour of work with what it does, and every tier by quarter: asked for, served, earned and missed.

    Parameters: values, what the plan decides beside the racks, by column.
    """
    rule = WorkRule(ledger)
    service, tiers = _service(side, values), _tiers(rule, values)
    faults = _differences("service", _stated_service(plan), service)
    stated = plan.get("served") or {}
    if tiers and stated.get("quarters") != [rule.name(t) for t in range(rule.n_quarters)]:
        faults.append(f"the quarters of 'served' are not {rule.name(0)} to {rule.name(rule.n_quarters - 1)}")
    entries = {(str(one.get("workload")), str(one.get("tier"))): one for one in stated.get("tiers") or ()}
    faults += _differences("served", {key: _figures(one) for key, one in entries.items()}, tiers)
    return check_of("served", faults, f"{len(service)} entries of work and {len(tiers)} tiers reconcile")


def _stated_service(plan: Mapping[str, Any]) -> dict[tuple[Any, ...], tuple[Any, Any]]:
    keys = ("site", "configuration", "workload", "period")
    return {
        tuple(str(one.get(key)) for key in keys): (one.get("hours"), one.get("units"))
        for one in plan.get("service") or ()
    }


def _service(side: Side, values: Mapping[str, int]) -> dict[tuple[Any, ...], tuple[Any, Any]]:
    """Hours and units by site, configuration, workload and quarter."""
    found: dict[tuple[Any, ...], tuple[Any, Any]] = {}
    for name, n_hours in values.items():
        kind, *parts = name.split(":")
        if kind == "serve" and n_hours:
            rate = -side.columns[name].terms[f"work:{parts[2]}:{parts[3]}"]
            found[tuple(parts)] = n_hours, n_hours * rate
    return found


def _tiers(rule: WorkRule, values: Mapping[str, int]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {
        (workload.name, tier.name): _tier(rule, workload, tier, values)
        for workload in rule.ledger.money.portfolio.workloads
        for tier in workload.tiers
    }


def _tier(rule: WorkRule, workload: Workload, tier: Tier, values: Mapping[str, int]) -> dict[str, Any]:
    """A tier by quarter, undiscounted; receipts rounded down, penalties up."""
    unit, quarters = rule.unit(workload), range(rule.n_quarters)
    asked = [rule.quantity(workload, tier, t) for t in quarters]
    sold = [values.get(f"sold:{workload.name}:{tier.name}:{rule.name(t)}", 0) for t in quarters]
    missed_usd = Fraction(tier.penalty or 0) * unit / MILLION
    return {
        "unit": unit,
        "demand_units": asked,
        "served_units": sold,
        "revenue_cents": [floor(100 * rule.price_usd(tier, t) * n * unit / MILLION) for t, n in enumerate(sold)],
        "penalty_cents": [ceil(100 * missed_usd * (due - n)) for due, n in zip(asked, sold, strict=True)],
    }


def _figures(stated: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("unit", "demand_units", "served_units", "revenue_cents", "penalty_cents")
    return {key: stated.get(key) for key in keys}


def _differences(key: str, stated: Mapping[tuple[Any, ...], Any], due: Mapping[tuple[Any, ...], Any]) -> list[str]:
    return [
        f"'{key}' of {':'.join(map(str, place))} is {due.get(place)}, stated {stated.get(place)}"
        for place in sorted({*due, *stated}, key=str)
        if due.get(place) != stated.get(place)
    ][:_SHOWN]
