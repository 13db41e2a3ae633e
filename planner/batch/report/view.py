"""Everything that the report of a batch says, in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from planner.batch.dataset import FAILED, LEFT
from planner.batch.file import ALL
from planner.batch.report.content import BASE, Content, read_content
from planner.batch.report.failures import FailureGroup, failure_groups
from planner.batch.report.matrix import Matrix, matrix
from planner.batch.report.ramp import RampChart, ramps
from planner.batch.report.ranking import RankLine, ranking
from planner.batch.report.scenario_table import ScenarioEntry, scenario_entries
from planner.batch.report.site_map import SiteMap, site_map
from planner.batch.report.spread import QUANTILE_HEADS, Spread, spread
from planner.batch.summary import INFEASIBLE
from planner.batch.task import TOGETHER, code_digest, dependency_versions
from planner.report.summary import Tile
from planner.report.words import count, dollars, megawatts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


_TOGETHER_WORDS = "solved together by batched kernels, each worked out again in whole numbers"


@dataclass(frozen=True)
class BatchView:
    """The report."""

    name: str
    lead: str
    meta: tuple[str, ...]
    tiles: tuple[Tile, ...]
    base: str
    stands_for: str
    """Which unit a line of the ranking shows."""
    is_each: bool
    """Whether sites were planned each for itself."""
    ranking: tuple[RankLine, ...]
    map: SiteMap | None
    ramps: tuple[RampChart, ...]
    matrix: Matrix | None
    spread: Spread | None
    quantile_heads: tuple[str, ...]
    failures: tuple[FailureGroup, ...]
    scenarios: tuple[ScenarioEntry, ...]
    made: tuple[tuple[str, str], ...]
    version: str


def batch_view(folder: Path) -> BatchView:
    """The report of a batch's folder; raises InputError where it is not of a batch."""
    content = read_content(folder)
    lines = ranking(content)
    order = [line.place for line in lines]
    is_each = any(place.site != ALL for place in content.places) and len(content.places) > 1
    has_samples = any(unit.is_sample for unit in content.units)
    stands_for = f"the median of the samples of {content.base}" if has_samples else f"under {content.base}"
    return BatchView(
        name=content.plan.name,
        lead=_lead(lines, stands_for),
        meta=_meta(content),
        tiles=_tiles(content, lines, stands_for),
        base=content.base,
        stands_for=stands_for,
        is_each=is_each,
        ranking=lines,
        map=site_map(content, lines),
        ramps=ramps(content),
        matrix=matrix(content, order),
        spread=spread(content, order),
        quantile_heads=QUANTILE_HEADS,
        failures=failure_groups(content),
        scenarios=scenario_entries(content),
        made=_made(content),
        version=metadata.version("gigaplan"),
    )


def _lead(lines: Sequence[RankLine], stands_for: str) -> str:
    worth = [line for line in lines if line.unit.npv_cents is not None]
    if not worth:
        return "No unit has a plan yet."
    best = worth[0]
    n_bad = sum((line.unit.npv_cents or 0) < 0 for line in worth)
    n_empty = sum(line.unit.n_racks == 0 for line in worth)
    parts = [
        f"Worth most, {stands_for}: {best.name} with {best.worth}, {best.mw} MW of IT in {best.unit.last_quarter}."
    ]
    if len(worth) > 1:
        last = worth[-1]
        parts.append(f"Least: {last.name} with {last.worth}.")
    if n_bad:
        parts.append(f"Worth less than nothing: {count(n_bad)} of {count(len(worth))}.")
    if n_empty:
        parts.append(f"Without a rack in the best plan found: {count(n_empty)} of {count(len(worth))}.")
    return " ".join(parts)


def _meta(content: Content) -> tuple[str, ...]:
    sites = {place.site for place in content.places}
    settings = {place.settings for place in content.places}
    words = [
        _n(len({place.portfolio for place in content.places}), "portfolio"),
        "all sites jointly" if sites == {ALL} else _n(len(sites - {ALL}), "site"),
        _n(len(content.scenarios), "scenario"),
        *([_n(len(settings), "set") + " of settings"] if len(settings) > 1 else []),
        _n(len(content.units), "cell") + " of " + _n(len({unit.key for unit in content.units}), "unit"),
    ]
    return tuple(words)


def _tiles(content: Content, lines: Sequence[RankLine], stands_for: str) -> tuple[Tile, ...]:
    status = Counter(unit.status for unit in content.units)
    with_plan = [unit for unit in content.units if unit.has_plan]
    n_verified = sum(unit.verified is True for unit in with_plan)
    it_w = sum(line.unit.it_w or 0 for line in lines)
    worth = [line.unit.npv_cents for line in lines if line.unit.npv_cents is not None]
    each = "" if len(lines) < 2 else "; a sum of plans made each for itself"
    return (
        Tile("IT power", megawatts(it_w), "MW", f"last quarter, {stands_for}{each}"),
        Tile("Net present value", dollars(sum(worth)) if worth else "–", "", f"{stands_for}{each}"),
        Tile("Plans", count(len(with_plan)), "", f"of {_n(len(content.units), 'cell')}"),
        Tile("Verified", count(n_verified), "", f"of {_n(len(with_plan), 'plan')}, by the independent checker"),
        Tile("No plan fits", count(status[INFEASIBLE]), "", "a result, with its reason"),
        Tile("Failed", count(status[FAILED]), "", f"in quarantine; {count(status[LEFT])} not computed"),
    )


def _made(content: Content) -> tuple[tuple[str, str], ...]:
    tasks = [content.plan.tasks[key] for key in dict.fromkeys(unit.key for unit in content.units)]
    with_plan = [unit for unit in content.units if unit.has_plan]
    n_verified = sum(unit.verified is True for unit in with_plan)
    n_together = sum(unit.method == TOGETHER for unit in with_plan)
    counts = {"planned for themselves": len(with_plan) - n_together, _TOGETHER_WORDS: n_together}
    ways = [f"{count(number)} {word}" for word, number in counts.items() if number] or ["none"]
    lines = [
        ("Verified", f"{count(n_verified)} of {_n(len(with_plan), 'plan')} by the independent checker"),
        ("Plans", ", ".join(ways)),
        ("Settings", "; ".join(dict.fromkeys(_settings_words(content, unit_key) for unit_key in _one_each(content)))),
        ("Inputs", f"{_n(len({one.sha256 for task in tasks for one in task.inputs}), 'file')}, kept by content"),
        ("Code", "; ".join(sorted({task.code for task in tasks}))),
        ("Versions", _versions({task.code for task in tasks})),
    ]
    if content.base != BASE:
        lines.append(("Compared with", f"{content.base}, the first scenario, as there is none named {BASE}"))
    return tuple(lines)


def _one_each(content: Content) -> list[str]:
    """A key for each name of settings."""
    return list({unit.place.settings: unit.key for unit in content.units}.values())


def _settings_words(content: Content, key: str) -> str:
    name = next(unit.place.settings for unit in content.units if unit.key == key)
    settings = content.plan.tasks[key].settings
    gap = "" if settings.gap is None else f" or a proven gap of {settings.gap * 100:g} %"
    return f"{name}: work limit {count(settings.work_limit)}{gap}, backend {settings.backend}, seed {settings.seed}"


def _versions(codes: set[str]) -> str:
    """Versions of the packages that decide numbers, where they are still those that the units were keyed with."""
    if codes != {code_digest()}:
        return "gigaplan or a package beneath it has changed since the units were keyed"
    told = ", ".join(f"{name} {version}" for name, version in dependency_versions().items())
    return f"gigaplan {metadata.version('gigaplan')}, {told}"


def _n(number: int, word: str) -> str:
    return f"{count(number)} {word}{'' if number == 1 else 's'}"
