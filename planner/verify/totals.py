"""What a plan states in sum: racks, GPUs, watts and contract use of every period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.verify.report import Check, check_of
from planner.verify.terms import ONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.joint import AllLimits
    from planner.verify.objective import Ledger
    from planner.verify.standing import Counts, Standing

JOINT = "joint"


def check_totals(
    plan: Mapping[str, Any],
    placed: Mapping[str, dict[str, Counts]],
    standing: Mapping[str, Standing],
    ledger: Ledger,
    everything: AllLimits,
) -> Check:
    """Every total that the plan states is what its placements add up to."""
    stated = plan.get("totals")
    periods = ledger.setting.periods
    if not isinstance(stated, list) or [entry.get("period") for entry in stated] != list(periods):
        return Check("totals", False, "'totals' must have one entry for each decision period, in order")
    revenue, used = ledger.contract_use(placed)
    faults: list[str] = []
    for t, entry in enumerate(stated):
        due = _rack_totals(placed, ledger, t)
        due |= {"contract_revenue_cents": revenue[t], "contract_used_cents": used[t]}
        due["envelope_w"] = _envelope_w(standing, everything, periods[t], t)
        faults += [
            f"{key} of {periods[t]} is {value}, stated {entry.get(key)}"
            for key, value in due.items()
            if entry.get(key) != value
        ]
        faults += _meter_faults(entry, standing, everything, periods[t], t)
    return check_of("totals", faults, f"racks, GPUs, watts and contract use of {len(periods)} periods reconcile")


def _rack_totals(placed: Mapping[str, dict[str, Counts]], ledger: Ledger, t: int) -> dict[str, Any]:
    draws, spells = ledger.setting.offered, ledger.setting.spells
    racks = dict.fromkeys(draws, 0)
    for rows in placed.values():
        for counts in rows.values():
            for configuration, n_racks in counts.items():
                own = spells[configuration].configuration if configuration in spells else configuration
                if own is not None:
                    racks[own] += n_racks[t]
    return {
        "racks": racks,
        "gpus": sum(draws[name].n_gpus * n for name, n in racks.items()),
        "it_w": sum(draws[name].draw["it_w"] * n for name, n in racks.items()),
    }


def _envelope_w(standing: Mapping[str, Standing], everything: AllLimits, quarter: str, t: int) -> int:
    """What the plan's racks take of the envelope, in W, rounded up."""
    terms = everything.terms(f"*:envelope:{everything.portfolio.envelope.basis}", quarter)
    if terms is None:
        return 0
    load = 0
    for site, one in standing.items():
        for row in one.planned:
            load += one.load({row: terms.rows.get(f"{site}:{row}", {})}, t)
    return -(-load // ONE)


def meter_w(site: str, standing: Standing, everything: AllLimits, quarter: str, t: int) -> tuple[int, int] | None:
    """Watts at a site's meter in a period by the published rule, and those of the plan's racks alone, rounded up."""
    terms = everything.terms(f"{site}:meter:service", quarter)
    if terms is None:
        return None
    rows = {row.partition(":")[2]: kinds for row, kinds in terms.rows.items()}
    plan = standing.load(rows, t)
    standing_already = standing.limits.service_w(quarter) * ONE - terms.capacity
    return -(-(plan + standing_already) // ONE), -(-plan // ONE)


def _meter_faults(
    entry: Mapping[str, Any], standing: Mapping[str, Standing], everything: AllLimits, quarter: str, t: int
) -> list[str]:
    due: dict[str, dict[str, int]] = {"meter_w": {}, "plan_meter_w": {}}
    for site, one in standing.items():
        watts = meter_w(site, one, everything, quarter, t)
        if watts is not None:
            due["meter_w"][site], due["plan_meter_w"][site] = watts
    faults = []
    for key, by_site in due.items():
        stated = entry.get(key)
        if not isinstance(stated, dict):
            if key == "meter_w":
                faults.append(f"{key} of {quarter} is missing")
            continue
        joint = sum(watts for site, watts in stated.items() if site != JOINT)
        if stated.get(JOINT) != joint:
            faults.append(f"joint {key} of {quarter} is {joint}, stated {stated.get(JOINT)}")
        faults += [
            f"{key} of {site} in {quarter} is {by_site.get(site, 0)}, stated {stated.get(site)}"
            for site in sorted({*standing, *stated} - {JOINT})
            if stated.get(site) != by_site.get(site, 0)
        ]
    return faults
