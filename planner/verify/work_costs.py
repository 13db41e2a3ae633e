"""What a plan says that its work costs, worked out again: each workload's own, and the sum of what they share."""

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


def check_work_costs(plan: Mapping[str, Any], table: CashTable) -> Check:
    """Energy, charges and hours of every workload, and that with what is shared they sum to all that is paid.

    How racks are shared among workloads is not worked out again; the sum of the shares is.
    """
    faults = _cost_faults(plan, table)
    return check_of("work costs", faults[:_SHOWN], f"costs of {len(table.money.portfolio.workloads)} workloads add up")


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
