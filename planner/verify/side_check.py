"""What a plan decides beside the racks: known columns, whole numbers, and every row kept (model, section 7a)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from planner.verify.report import Check, check_of
from planner.verify.side import right_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.side import Side
    from planner.verify.standing import Counts


def read_decisions(plan: Mapping[str, Any], side: Side) -> tuple[dict[str, int], list[str]]:
    """Whole numbers by column as a plan states them, and what is wrong with the entries.

    A plan of a portfolio in which nothing but racks is decided may leave the key out; a column not named counts 0.
    """
    stated = plan.get("decisions", {})
    if not isinstance(stated, dict):
        return {}, ["'decisions' must be an object of whole numbers by column"]
    values: dict[str, int] = {}
    faults: list[str] = []
    for name, value in stated.items():
        if name not in side.columns:
            faults.append(f"'{name}' is nothing that this portfolio leaves to decide")
        elif type(value) is not int or not 0 <= value <= side.columns[name].most:
            faults.append(f"'{name}' is {value!r}; a whole number from 0 to {side.columns[name].most} is due")
        else:
            values[name] = value
    return values, faults


def check_decisions(
    side: Side, placed: Mapping[str, dict[str, Counts]], values: Mapping[str, int], faults: list[str]
) -> Check:
    """Every decision is a known one within its range, and with the plan's racks every row holds to the last unit.

    Parameters: values and faults, as read from the plan.
    """
    used, standing = side.used(values), standing_by_site(placed)
    broken = []
    for name, row in side.rows.items():
        right = right_of(row, standing)
        if used.get(name, 0) > right:
            broken.append(f"'{name}' uses {used.get(name, 0)} of {right}")
    held = f"{len(values)} of {len(side.columns)} decisions beside the racks stated; {len(side.rows)} rows hold"
    return check_of("decisions", [*faults, *broken], held)


def standing_by_site(placed: Mapping[str, dict[str, Counts]]) -> dict[tuple[str, str], list[int]]:
    """Standing racks by site and configuration, a list over decision periods."""
    total: dict[tuple[str, str], list[int]] = defaultdict(list)
    for site, rows in placed.items():
        for counts in rows.values():
            for configuration, n_racks in counts.items():
                known = total[site, configuration] or [0] * len(n_racks)
                total[site, configuration] = [a + b for a, b in zip(known, n_racks, strict=True)]
    return dict(total)
