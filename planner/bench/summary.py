"""Medians over campuses, who is ahead, and the document that `gigaplan bench` writes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from planner.bench.race import OURS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planner.bench.race import Mark, Race

FORMAT = "gigaplan-bench/1"
_TARGETS = {15.0: 0.005, 60.0: 0.003, 600.0: 0.002}
"""Certified gap that we aim for after so many seconds, on about 600 rows and 16 periods."""
_TARGET_ROWS, _TARGET_PERIODS = 600, 16
_NONE = 1e9
"""Stands for a missing gap: worse than any."""


@dataclass(frozen=True)
class Median:
    """The median over campuses of what one solver had at one time."""

    solver: str
    form: str
    time_s: float
    gap: float | None
    """None when half of the campuses or more have no gap."""
    worst_gap: float | None
    """None when a campus has none."""
    cross_gap: float | None
    """The plan against the best bound that any solver has for its campus by its own word: how good the plan is."""
    bound_share: float | None
    """The bound over the best plan that any solver has for its campus, less one: how good the bound is."""


def targets(race: Race) -> dict[float, float]:
    """The gap that we aim for at each time of the race; nothing for a size that the aims do not speak of."""
    size = race.request.size
    if abs(size.n_rows - _TARGET_ROWS) > _TARGET_ROWS // 10 or size.n_periods != _TARGET_PERIODS:
        return {}
    return {time_s: gap for time_s, gap in _TARGETS.items() if time_s in race.request.times_s}


def medians(race: Race) -> tuple[Median, ...]:
    """One line for each solver and time, in order of the race."""
    best_plan, best_bound = _best(race.marks)
    keys = list(dict.fromkeys((mark.solver, mark.form, mark.time_s) for mark in race.marks))
    found = []
    for key in keys:
        marks = [mark for mark in race.marks if (mark.solver, mark.form, mark.time_s) == key]
        gaps = [mark.gap for mark in marks]
        cross = [_share(best_bound.get(mark.seed), mark.value_cents, best_bound.get(mark.seed)) for mark in marks]
        bounds = [_share(mark.bound_cents, best_plan.get(mark.seed), best_plan.get(mark.seed)) for mark in marks]
        worst = None if any(gap is None for gap in gaps) else max(gap for gap in gaps if gap is not None)
        found.append(Median(*key, _median(gaps), worst, _median(cross), _median(bounds)))
    return tuple(found)


def ahead(race: Race) -> dict[float, bool | None]:
    """Whether our median gap is the smallest at each time; None without peers."""
    lines = medians(race)
    result: dict[float, bool | None] = {}
    for time_s in race.request.times_s:
        at_time = {line.solver: _NONE if line.gap is None else line.gap for line in lines if line.time_s == time_s}
        ours = at_time.pop(OURS)
        result[time_s] = ours < min(at_time.values()) if at_time else None
    return result


def _best(marks: Iterable[Mark]) -> tuple[dict[int, int], dict[int, float]]:
    plans: dict[int, int] = {}
    bounds: dict[int, float] = {}
    for mark in marks:
        if mark.value_cents is not None:
            plans[mark.seed] = max(plans.get(mark.seed, mark.value_cents), mark.value_cents)
        if mark.bound_cents is not None:
            bounds[mark.seed] = min(bounds.get(mark.seed, mark.bound_cents), mark.bound_cents)
    return plans, bounds


def _share(upper: float | None, lower: float | None, base: float | None) -> float | None:
    return None if upper is None or lower is None or not base else (upper - lower) / abs(base)


def _median(values: list[float | None]) -> float | None:
    found = median(_NONE if value is None else value for value in values)
    return None if found >= _NONE / 2 else found


def document(race: Race, date: str) -> dict[str, Any]:
    """The content of `results.json`.

    Parameters: race; date of the run, UTC.
    """
    from importlib import metadata
    from importlib.util import find_spec

    from planner.run.manifest import machine, versions

    ortools = metadata.version("ortools") if find_spec("ortools") else None
    request = race.request
    return {
        "format": FORMAT,
        "date_utc": date,
        "machine": machine(),
        "versions": versions() | {"ortools": ortools},
        "request": {
            "rows": request.size.n_rows,
            "periods": request.size.n_periods,
            "seeds": list(request.seeds),
            "times_s": list(request.times_s),
            "peers": list(request.peers),
            "cores": request.n_cores,
        },
        "warm_up_s": race.warm_up_s,
        "load_before": race.load_before,
        "campuses": [asdict(campus) for campus in race.campuses],
        "marks": [asdict(mark) | {"gap": mark.gap} for mark in race.marks],
        "medians": [asdict(line) for line in medians(race)],
        "ahead": [{"time_s": time_s, "ahead": value} for time_s, value in ahead(race).items()],
        "targets": [{"time_s": time_s, "gap": gap} for time_s, gap in targets(race).items()],
    }
