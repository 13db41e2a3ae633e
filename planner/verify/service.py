"""What a plan states of its work, worked out again: hours and units, demand served, and what the work costs in all."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, pairwise
from math import floor
from typing import TYPE_CHECKING, Any

from planner.verify.cash_table import OWNED
from planner.verify.money import ZERO
from planner.verify.report import Check, check_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planner.verify.cash_table import CashTable

_SHOWN = 5


def check_service(plan: Mapping[str, Any], table: CashTable) -> Check:
    """Every hour and its units, every tier and quarter, and that the costs of workloads sum to all that is paid.

    How racks are shared among workloads is not worked out again; the sum of the shares is.
    """
    faults = [*_hour_faults(plan, table), *_tier_faults(plan, table), *_cost_faults(plan, table)]
    return check_of("service", faults[:_SHOWN], f"work of {len(list(table.hours()))} decisions reconciles")


def _hour_faults(plan: Mapping[str, Any], table: CashTable) -> list[str]:
    named = {one.name: one for one in table.money.portfolio.workloads}
    due = {
        (site, configuration, name, table.work.name(t)): (
            n_hours,
            n_hours * table.work.rate(site, configuration, named[name], t),
        )
        for site, configuration, name, t, n_hours in table.hours()
    }
    keys = ("site", "configuration", "workload", "period")
    stated = {
        tuple(one.get(key) for key in keys): (one.get("hours"), one.get("units")) for one in plan.get("service") or ()
    }
    return [
        f"hours and units of {key} are {due.get(key)}, stated {stated.get(key)}"
        for key in sorted({*due, *stated}, key=str)
        if due.get(key) != stated.get(key)
    ]


def _tier_faults(plan: Mapping[str, Any], table: CashTable) -> list[str]:
    due: dict[tuple[str, str], dict[str, list[int]]] = {}
    for one in table.tiers():
        lines = due.setdefault((one.workload, one.tier), {})
        for key, value in (
            ("demand_units", one.demand_units), ("served_units", one.served_units),
            ("revenue_cents", floor(100 * one.revenue_usd)), ("penalty_cents", -floor(-100 * one.penalty_usd)),
        ):  # fmt: skip
            lines.setdefault(key, []).append(value)
    served = plan.get("served") or {}
    stated = {(one.get("workload"), one.get("tier")): one for one in served.get("tiers") or ()}
    faults = [f"'{name}' is no tier" for name in sorted(stated.keys() - due.keys(), key=str)]
    if served.get("quarters") != [table.work.name(t) for t in range(table.work.n_quarters)]:
        faults.append("the quarters of 'served' are not those in which racks may work")
    return faults + [
        f"'{key}' of {name} is {values}, stated {stated.get(name, {}).get(key)}"
        for name, lines in due.items()
        for key, values in lines.items()
        if stated.get(name, {}).get(key) != values
    ]


def _cost_faults(plan: Mapping[str, Any], table: CashTable) -> list[str]:
    """Energy, charges and hours of each workload, and the sums of what is shared."""
    costs = plan.get("unit_costs") or {}
    stated = {one.get("workload"): one for one in costs.get("workloads") or ()}
    names = [one.name for one in table.money.portfolio.workloads]
    energy = _present(table, names, table.work_energy())
    charged = {one.name: sum((Fraction(c.cost) for c in one.charges), ZERO) for one in table.money.portfolio.workloads}
    paid = ((one.workload, one.quarter, one.millions * charged[one.workload]) for one in table.tiers())
    charges = _present(table, names, paid)
    hours = dict.fromkeys(names, 0)
    for _, _, name, _, n_hours in table.hours():
        hours[name] += n_hours
    due = {"energy_cents": _running(energy), "charges_cents": _running(charges), "rack_hours": list(hours.values())}
    faults = [
        f"'{key}' of {name} is {value}, stated {stated.get(name, {}).get(key)}"
        for key, values in due.items()
        for name, value in zip(names, values, strict=True)
        if stated.get(name, {}).get(key) != value
    ]
    owned = sum(
        (-usd * table.money.discount(t)
         for (_, line, _), values in table.entries().items() if line in OWNED for t, usd in enumerate(values)),
        ZERO,
    )  # fmt: skip
    shared = floor(100 * (owned - sum(energy, ZERO)))
    parts = [*(one.get("shared_cents") for one in stated.values()), costs.get("unworked_cents")]
    if any(type(part) is not int for part in parts) or sum(parts) != shared:
        faults.append(f"what is shared and unworked sums to {shared}, stated {parts}")
    total = shared + sum(due["energy_cents"]) + sum(due["charges_cents"])
    if costs.get("total_cents") != total:
        faults.append(f"'total_cents' is {total}, stated {costs.get('total_cents')}")
    return faults


def _present(table: CashTable, names: Sequence[str], entries: Iterable[tuple[str, int, Fraction]]) -> list[Fraction]:
    """Discounted USD of each workload."""
    total = dict.fromkeys(names, ZERO)
    for name, t, usd in entries:
        total[name] += usd * table.money.discount(t)
    return list(total.values())


def _running(usd: Sequence[Fraction]) -> list[int]:
    """Whole cents whose running sums are the exact ones rounded down."""
    edges = [0, *(floor(100 * one) for one in accumulate(usd))]
    return [after - before for before, after in pairwise(edges)]
