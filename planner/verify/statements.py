"""What else a plan states: the parts of its money, the limits that bind, and the rows that refuse a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.verify.decisions import system_counts
from planner.verify.money import RATE_ONE
from planner.verify.report import Check, check_of
from planner.verify.terms import ONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.decisions import BlockCounts
    from planner.verify.eligibility import Eligibility
    from planner.verify.joint import AllLimits
    from planner.verify.limit_check import Loads
    from planner.verify.objective import Ledger
    from planner.verify.side import Side
    from planner.verify.standing import Counts


def check_money(
    plan: Mapping[str, Any],
    placed: Mapping[str, dict[str, Counts]],
    blocks: BlockCounts,
    ledger: Ledger,
    side: Side,
    values: Mapping[str, int],
) -> Check:
    """The parts of the objective, from starts and openings rather than by parts, and their sum.

    Parameters: values, what the plan decides beside the racks, by column.
    """
    stated = plan.get("money") or {}
    _, used = ledger.contract_use(placed)
    due = {
        "period_value_cents": _period_value(placed, ledger),
        "start_value_cents": _start_value(placed, ledger),
        "open_cost_cents": sum(_opening(block, systems, ledger) for block, systems in blocks.items()),
        "unit_cost_cents": sum(_units(systems, ledger) for systems in blocks.values()),
        "premium_cents": sum(cents * ledger.money.contract_rate(t) for t, cents in enumerate(used)) // RATE_ONE,
        "minimum_demand_cents": ledger.minimum_demand_cents(placed),
        "contract_amount_cents": ledger.money.contract_amount,
        "contract_used_cents": sum(used),
        "rack_spend_cents": _spend(placed, ledger),
    }
    if ledger.openings.entries:
        due["opening_cents"] = ledger.openings.cents(blocks)
    beside = {"decisions_cents": side.worth_cents(values), "constant_cents": side.constant_cents}
    due |= {key: cents for key, cents in beside.items() if cents or key in stated}
    faults = [f"{key} is {value}, stated {stated.get(key)}" for key, value in due.items() if stated.get(key) != value]
    earned = due["period_value_cents"] + due["start_value_cents"] + due["premium_cents"] + sum(beside.values())
    spent = due["open_cost_cents"] + due["unit_cost_cents"] + due["minimum_demand_cents"] + due.get("opening_cents", 0)
    if plan.get("npv_cents", plan.get("objective")) != earned - spent:
        faults.append("the parts do not add up to the net present value")
    return check_of("money", faults, f"{len(due)} sums of money reconcile")


def _started(n_racks: list[int]) -> list[int]:
    return [now - before for before, now in zip([0, *n_racks], n_racks, strict=False)]


def _period_value(placed: Mapping[str, dict[str, Counts]], ledger: Ledger) -> int:
    return sum(
        n * ledger.period_value(site, configuration, t)
        for site, rows in placed.items()
        for counts in rows.values()
        for configuration, n_racks in counts.items()
        for t, n in enumerate(n_racks)
        if n
    )


def _start_value(placed: Mapping[str, dict[str, Counts]], ledger: Ledger) -> int:
    return sum(
        n * ledger.start_value(site, row, system, t)
        for site, rows in placed.items()
        for row, counts in rows.items()
        for system, n_racks in system_counts(counts, ledger.setting.draws, ledger.n_periods).items()
        for t, n in enumerate(_started(n_racks))
        if n
    )


def _opening(block: tuple[str, str], systems: Mapping[str, list[int]], ledger: Ledger) -> int:
    opened = next(t for t in range(ledger.n_periods) if any(n_racks[t] for n_racks in systems.values()))
    return ledger.money.open_cost(ledger.capex_usd[block], opened)


def _units(systems: Mapping[str, list[int]], ledger: Ledger) -> int:
    total = 0
    for system, n_racks in systems.items():
        units = [-(-n // ledger.money.unit_racks(system)) for n in n_racks]
        total += sum(n * ledger.money.unit_cost(system, t) for t, n in enumerate(_started(units)) if n)
    return total


def _spend(placed: Mapping[str, dict[str, Counts]], ledger: Ledger) -> int:
    """Undiscounted price of the racks that stand at the end."""
    draws = ledger.setting.draws
    return sum(
        n_racks[-1] * draws[configuration].draw["cent"]
        for rows in placed.values()
        for counts in rows.values()
        for configuration, n_racks in counts.items()
    )


def check_binding(
    plan: Mapping[str, Any],
    loads: Loads,
    everything: AllLimits,
    raised: Mapping[tuple[str, str], int],
) -> Check:
    """Load, capacity and slack of the limits that bind, in the last period in which each does.

    Parameters: loads of the plan's racks; raised, what decisions beside the racks add to capacities, by limit and
    quarter, scaled by 2^20.
    """
    faults: list[str] = []
    stated = plan.get("binding") or []
    for entry in stated:
        name, periods = str(entry.get("limit")), entry.get("periods")
        try:
            quarter = periods[-1]
            terms = everything.terms(name, quarter)
            load = 0 if terms is None else loads.of(terms.rows, quarter)
        except (KeyError, IndexError, TypeError):
            terms, load = None, 0
        if terms is None:
            faults.append(f"there is no limit '{name}' in {periods}")
            continue
        capacity = terms.capacity + raised.get((name, quarter), 0)
        due = {"load": -(-load // ONE), "capacity": capacity // ONE, "slack": (capacity - load) // ONE}
        faults += [
            f"{key} of {name} in {quarter} is {value}, stated {entry.get(key)}"
            for key, value in due.items()
            if entry.get(key) != value
        ]
    return check_of("binding", faults, f"load, capacity and slack of {len(stated)} limits that bind reconcile")


def check_ineligible(plan: Mapping[str, Any], rules: Mapping[str, Eligibility]) -> Check:
    """Rows that can never hold a configuration: as many as the plan states, over all its reasons."""
    stated: dict[tuple[str, str], int] = {}
    for entry in plan.get("ineligible") or []:
        key = (str(entry.get("site")), str(entry.get("configuration")))
        stated[key] = stated.get(key, 0) + int(entry.get("n_rows") or 0)
    due: dict[tuple[str, str], int] = {}
    for site, rule in rules.items():
        for configuration in rule.portfolio.configurations:
            n_rows = sum(rule.first_period(row, configuration) is None for row in rule.limits.rows)
            if n_rows:
                due[site, configuration] = n_rows
        for name, change in rule.limits.fits.changes.items():
            n_rows = sum(rule.changes_to_nothing(row, change) is not None for row in rule.limits.rows)
            if n_rows:
                due[site, name] = n_rows
    faults = [
        f"{due.get(key, 0)} rows of {key[0]} refuse '{key[1]}', stated {stated.get(key, 0)}"
        for key in sorted({*due, *stated})
        if due.get(key, 0) != stated.get(key, 0)
    ]
    return check_of("ineligible", faults, f"{sum(due.values())} rows and configurations are refused")
