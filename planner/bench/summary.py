"""Medians over campuses, who is ahead, and the document and tables that `gigaplan bench` writes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from planner.bench.records import BOUND_ONLY, OURS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planner.bench.records import Mark, Race

FORMAT = "gigaplan-bench/2"
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
    n_campuses: int
    gap: float | None
    """None when half of the campuses or more have no gap. Of a solver without plans: against the best plan of all."""
    least_gap: float | None
    worst_gap: float | None
    """None when a campus has none."""
    cross_gap: float | None
    """The plan against the best bound that any solver has for its campus by its own word: how good the plan is."""
    bound_share: float | None
    """The bound over the best plan that any solver has for its campus, less one: how good the bound is."""


def targets(race: Race) -> dict[float, float]:
    """The gap that we aim for at each time of the race; nothing for a size that the aims do not speak of."""
    if abs(race.size.n_rows - _TARGET_ROWS) > _TARGET_ROWS // 10 or race.size.n_periods != _TARGET_PERIODS:
        return {}
    return {time_s: gap for time_s, gap in _TARGETS.items() if time_s in race.times_s}


def gap_of(race: Race, mark: Mark) -> float | None:
    """The gap of a mark; where the solver brings bounds only, against the best plan that any solver ever found."""
    if mark.solver not in BOUND_ONLY:
        return mark.gap
    return _share(mark.bound_cents, _best(race.marks)[0].get(mark.seed), mark.bound_cents)


def medians(race: Race) -> tuple[Median, ...]:
    """One line for each solver, form and time, in order of the race."""
    best_plan, best_bound = _best(race.marks)
    found = []
    for solver, form in race.entries:
        for time_s in race.times_s:
            marks = [mark for mark in race.marks if (mark.solver, mark.form, mark.time_s) == (solver, form, time_s)]
            if not marks:
                continue
            gaps = [gap_of(race, mark) for mark in marks]
            known = [gap for gap in gaps if gap is not None]
            cross = [_share(best_bound.get(mark.seed), mark.value_cents, best_bound.get(mark.seed)) for mark in marks]
            bounds = [_share(mark.bound_cents, best_plan.get(mark.seed), best_plan.get(mark.seed)) for mark in marks]
            worst = max(known) if len(known) == len(gaps) else None
            found.append(
                Median(
                    solver, form, time_s, len(marks), _median(gaps), min(known, default=None), worst, _median(cross),
                    _median(bounds),
                )
            )  # fmt: skip
    return tuple(found)


def ahead(race: Race) -> dict[float, bool | None]:
    """Whether our median gap at each time is smaller than that of every peer's better form; None without peers.

    A peer's form is the better one campus by campus, and we are compared on the campuses that the peer met.
    """
    result: dict[float, bool | None] = {}
    for time_s in race.times_s:
        gaps: dict[tuple[str, int], float] = {}
        for mark in race.marks:
            if mark.time_s == time_s:
                gap, key = gap_of(race, mark), (mark.solver, mark.seed)
                gaps[key] = min(gaps.get(key, _NONE), _NONE if gap is None else gap)
        peers = {solver for solver, _ in gaps} - {OURS}
        result[time_s] = all(_is_ahead(gaps, peer) for peer in peers) if peers else None
    return result


def _is_ahead(gaps: dict[tuple[str, int], float], peer: str) -> bool:
    seeds = [seed for solver, seed in gaps if solver == peer and (OURS, seed) in gaps]
    return bool(seeds) and median(gaps[OURS, seed] for seed in seeds) < median(gaps[peer, seed] for seed in seeds)


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


def percent(share: float | None) -> str:
    """A share for people; `none` where there is none."""
    return "none" if share is None else f"{100 * share:.2f} %"


def markdown(columns: Iterable[str], lines: Iterable[Iterable[object]]) -> str:
    """A table for a page."""
    head = list(columns)
    rows = [head, ["---"] * len(head), *([str(cell) for cell in line] for line in lines)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


GAP_COLUMNS = ("solver", "form", "time", "campuses", "gap, median", "least", "worst", "plan to best bound",
               "bound to best plan")  # fmt: skip


def gap_lines(race: Race) -> list[tuple[str, ...]]:
    """Cells below `GAP_COLUMNS`."""
    return [
        (
            line.solver, "" if line.solver == OURS else line.form, f"{line.time_s:g} s", str(line.n_campuses),
            percent(line.gap), percent(line.least_gap), percent(line.worst_gap), percent(line.cross_gap),
            percent(line.bound_share),
        )
        for line in medians(race)
    ]  # fmt: skip


def all_versions() -> dict[str, Any]:
    """Versions of everything that takes part."""
    from importlib import metadata
    from importlib.util import find_spec

    from planner.run.manifest import versions

    return versions() | {"ortools": metadata.version("ortools") if find_spec("ortools") else None}


def document(race: Race, date: str) -> dict[str, Any]:
    """The content of `results.json`.

    Parameters: race; date of the run, UTC.
    """
    from planner.run.manifest import machine

    return {
        "format": FORMAT,
        "date_utc": date,
        "machine": machine(),
        "versions": all_versions(),
        "rows": race.size.n_rows,
        "periods": race.size.n_periods,
        "cores": race.n_cores,
        "warm_up_s": race.warm_up_s,
        "load_before": race.load_before,
        "campuses": [asdict(campus) for campus in race.campuses],
        "marks": [asdict(mark) | {"gap": gap_of(race, mark)} for mark in race.marks],
        "medians": [asdict(line) for line in medians(race)],
        "ahead": [{"time_s": time_s, "ahead": value} for time_s, value in ahead(race).items()],
        "targets": [{"time_s": time_s, "gap": gap} for time_s, gap in targets(race).items()],
    }
