"""Units that have no plan: what failed and why, what may be done about it, and what no plan fits."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.batch.dataset import FAILED, LEFT
from planner.batch.outcome import ERROR, INPUT, KILLED, MEMORY, REFUSED
from planner.batch.report.content import traceback_link
from planner.batch.summary import INFEASIBLE
from planner.report.words import count

if TYPE_CHECKING:
    from planner.batch.report.content import Content, Place, Unit

MAX_SHOWN = 100
"""Sites with a reason of one kind that are listed; the others are in summary.csv."""
_SCENARIOS_SHOWN, _LINES_SHOWN = 8, 4
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
    """A site without a plan under some scenarios, for the same reason under all of them."""

    name: str
    scenarios: str
    reason: str
    """The first lines."""
    more: str
    """The lines after those."""
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
    alike: dict[tuple[Place, str], list[Unit]] = defaultdict(list)
    for unit in units:
        alike[unit.place, (unit.reason or "").strip()].append(unit)
    lines = tuple(_line(content, members, reason) for (_, reason), members in list(alike.items())[:MAX_SHOWN])
    return FailureGroup(kind or status, title, advice, command, len(units), lines, max(0, len(alike) - MAX_SHOWN))


def _line(content: Content, members: list[Unit], reason: str) -> WithoutPlan:
    """Units of one site with the same reason; links are those of the first."""
    first = members[0]
    names = ", ".join(unit.scenario for unit in members[:_SCENARIOS_SHOWN])
    n_more = len(members) - _SCENARIOS_SHOWN
    told = reason.splitlines()
    return WithoutPlan(
        name=content.name(first.place),
        scenarios=f"{names} and {count(n_more)} more" if n_more > 0 else names,
        reason="\n".join(told[:_LINES_SHOWN]),
        more="\n".join(told[_LINES_SHOWN:]),
        link=first.link,
        traceback=traceback_link(content.store, first.key) if first.status == FAILED else None,
    )
