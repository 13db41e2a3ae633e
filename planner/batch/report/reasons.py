"""Why a site does not take more, or takes it late: what its plan says of its limits and its dates."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from planner.batch.store import RUN
from planner.batch.summary import INFEASIBLE
from planner.report.dates import late_words
from planner.report.power import family_title, state_words
from planner.report.words import count
from planner.run.folder import PLAN, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.batch.report.content import Content, Unit

_SHOWN = 3
EVERYWHERE = "*"
"""Site of limits that belong to the whole portfolio."""


def limiting(content: Content, unit: Unit) -> tuple[str, str]:
    """What limits a unit's plan and what its racks wait for, in words; empty where there is nothing to say."""
    if unit.status == INFEASIBLE:
        return f"no plan: {first_line(unit.reason)}", ""
    if not unit.has_plan:
        return f"{unit.status}: {first_line(unit.reason)}" if unit.reason else unit.status, ""
    if not unit.n_racks:
        return "the best plan found places no rack", ""
    told_by = _with_run_folder(content, unit)
    if told_by is None:
        return "not told: solved together with others, without a run folder of its own", ""
    document = read_json(content.store.unit(told_by.key) / RUN / PLAN)
    prefix = "" if told_by.key == unit.key else f"in {told_by.scenario}: "
    return prefix + binding_words(document), date_words(document)


def _with_run_folder(content: Content, unit: Unit) -> Unit | None:
    """A unit itself, or else, of samples of the same, the one with racks and a run folder that is worth most alike."""

    def has_run(one: Unit) -> bool:
        return bool(one.n_racks) and (content.store.unit(one.key) / RUN / PLAN).is_file()

    if has_run(unit) or not unit.is_sample:
        return unit if has_run(unit) else None
    like = [one for one in content.of(unit.place) if one.origin == unit.origin and has_run(one)]
    worth = unit.npv_cents or 0
    return min(like, key=lambda one: (abs((one.npv_cents or 0) - worth), one.scenario), default=None)


def binding_words(document: Mapping[str, Any]) -> str:
    """Limits that bind in the last quarter: those of the whole portfolio first, then those over most rows."""
    last = document["periods"][-1]
    rows: dict[tuple[bool, str], int] = defaultdict(int)
    for entry in document["stranding"]:
        if entry["period"] == last:
            title, state = family_title(entry["family"], entry["level"]), state_words(entry)
            name = title if state in {"", "normal"} else f"{title} {state}"
            rows[entry["site"] != EVERYWHERE, name] += entry["n_rows"]
    if not rows:
        return f"no limit binds in {last}"
    ordered = sorted(rows.items(), key=lambda one: (one[0][0], -one[1], one[0][1]))
    parts = [f"{name} ({'all sites' if not is_site else rows_words(n)})" for (is_site, name), n in ordered[:_SHOWN]]
    more = len(ordered) - _SHOWN
    return "; ".join(parts) + (f"; {more} more" if more > 0 else "")


def rows_words(n_rows: int) -> str:
    """A number of rows in words."""
    return f"{count(n_rows)} row{'' if n_rows == 1 else 's'}"


def date_words(document: Mapping[str, Any]) -> str:
    """What most megawatts of the plan wait for, and when it comes; empty where no racks stand by tranches."""
    watts: dict[str, int] = defaultdict(int)
    standing = [one for one in document["dates"]["tranches"] if one["stands"] is not None]
    for one in standing:
        name = f"racks arrive last, {one['racks']}" if one["binds"] == "racks" else late_words(one)
        watts[name] += one["it_w"]
    total = sum(watts.values())
    if not total:
        return ""
    name, most = max(watts.items(), key=lambda entry: (entry[1], entry[0]))
    return f"{name} (for {round(100 * most / total)} % of IT power)"


def first_line(text: str | None) -> str:
    """The first line of a reason, with the next one where it only announces that."""
    first, _, rest = (text or "").strip().partition("\n")
    return f"{first} {rest.strip().partition(chr(10))[0]}" if first.endswith(":") and rest else first
