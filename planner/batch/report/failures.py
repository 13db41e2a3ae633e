"""Units that have no plan: what failed and why, what may be done about it, and what no plan fits."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.batch.dataset import FAILED, LEFT
from planner.batch.outcome import ERROR, INPUT, KILLED, MEMORY, REFUSED
from planner.batch.report.content import traceback_link
from planner.batch.summary import INFEASIBLE

if TYPE_CHECKING:
    from planner.batch.report.content import Content, Unit

MAX_SHOWN = 100
"""Cells of one kind that are listed; the others are in summary.csv."""
RETRY = "gigaplan batch --resume --retry-failed --out FOLDER"
RESUME = "gigaplan batch --resume --out FOLDER"
_TITLES = {
    INPUT: ("Faulty input", "Mend the file or the scenario that is named and start the batch again from its file."),
    MEMORY: (
        "Memory",
        "Plan on a machine with more memory, with fewer workers, or the sites each for itself; then try again.",
    ),
    KILLED: ("Process ended", "Try again; where it ends again, plan the unit's inputs alone to see why."),
    REFUSED: (
        "Plan not accepted by the checker",
        "This is a fault of Gigaplan's: report it with the unit's inputs. The plan must not be used.",
    ),
    ERROR: ("Error", "This is a fault of Gigaplan's: report it with the traceback. Try again with another version."),
}


@dataclass(frozen=True)
class WithoutPlan:
    """One cell that has no plan."""

    name: str
    scenario: str
    reason: str
    link: str | None
    traceback: str | None


@dataclass(frozen=True)
class FailureGroup:
    """Cells without a plan for the same kind of reason."""

    kind: str
    title: str
    advice: str
    command: str
    """That computes them again; empty where that would change nothing."""
    n_cells: int
    lines: tuple[WithoutPlan, ...]
    n_more: int


def failure_groups(content: Content) -> tuple[FailureGroup, ...]:
    """All cells without a plan: failures by kind, then those that no plan fits, then those that are left."""
    by_kind: dict[tuple[str, str], list[Unit]] = defaultdict(list)
    for unit in content.units:
        if not unit.has_plan:
            by_kind[unit.status, unit.reason_kind or ""].append(unit)
    order = [FAILED, INFEASIBLE, LEFT]
    keys = sorted(by_kind, key=lambda key: (order.index(key[0]), list(_TITLES).index(key[1]) if key[1] else 0))
    return tuple(_group(content, *key, by_kind[key]) for key in keys)


def _group(content: Content, status: str, kind: str, units: list[Unit]) -> FailureGroup:
    if status == INFEASIBLE:
        title, advice, command = (
            "No plan fits",
            "These are results, not failures: computing them again changes none.",
            "",
        )
    elif status == LEFT:
        title, advice, command = "Not computed", "The batch ended before these were computed.", RESUME
    else:
        (title, advice), command = _TITLES[kind], "" if kind == INPUT else RETRY
    lines = tuple(
        WithoutPlan(content.name(unit.place), unit.scenario, (unit.reason or "").strip(), unit.link,
                    traceback_link(content.store, unit.key) if status == FAILED else None)
        for unit in units[:MAX_SHOWN]
    )  # fmt: skip
    return FailureGroup(kind or status, title, advice, command, len(units), lines, max(0, len(units) - MAX_SHOWN))
