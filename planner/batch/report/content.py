"""What a batch's folder holds, as the report needs it; nothing here is computed that is not in the tables."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.batch.dataset import FAILED, LEFT, summary_row
from planner.batch.engine import SCENARIOS, read_plan
from planner.batch.file import ALL
from planner.batch.store import REASON, RUN, SUMMARY, TRACEBACK, Store
from planner.batch.summary import INFEASIBLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from planner.batch.cells import Cell, Plan

BASE = "base"
_SAMPLE = re.compile(r"(.+)-sample-\d{6}")


@dataclass(frozen=True, order=True)
class Place:
    """What is planned under every scenario: a site for itself, or all jointly, with its portfolio and settings."""

    portfolio: str
    site: str
    settings: str


@dataclass(frozen=True)
class Unit:
    """One cell of the batch with its result, or why there is none; figures that there are not are None."""

    place: Place
    scenario: str
    origin: str
    """Scenario that it is a sample of, or its scenario."""
    status: str
    verified: bool | None
    npv_cents: int | None
    gap: float | None
    n_racks: int | None
    n_gpus: int | None
    it_w: int | None
    meter_w: int | None
    first_quarter: str | None
    last_quarter: str | None
    reason_kind: str | None
    reason: str | None
    method: str | None
    key: str
    link: str | None
    """To the plan behind it or to the reason of its failure, from the batch's folder."""

    @property
    def is_sample(self) -> bool:
        """Whether it is one of many draws of its scenario."""
        return self.origin != self.scenario

    @property
    def has_plan(self) -> bool:
        """Whether it has a plan, be it an empty one."""
        return self.status not in {FAILED, LEFT, INFEASIBLE}


@dataclass(frozen=True)
class Content:
    """A batch that has been computed, or part of it."""

    folder: Path
    store: Store
    plan: Plan
    units: tuple[Unit, ...]
    """In order of the batch."""
    places: tuple[Place, ...]
    scenarios: tuple[str, ...]
    base: str
    """The scenario, or origin of samples, that others are compared with."""
    changes: Mapping[str, Mapping[str, list[dict[str, Any]]]]
    """By portfolio and scenario, what each override changes."""

    def of(self, place: Place) -> list[Unit]:
        """All units of a place, in order of the scenarios."""
        return [unit for unit in self.units if unit.place == place]

    def name(self, place: Place) -> str:
        """A place in words, with portfolio and settings only where there are several."""
        more = []
        if len({one.portfolio for one in self.places}) > 1 and place.portfolio != place.site:
            more.append(place.portfolio)
        if len({one.settings for one in self.places}) > 1:
            more.append(place.settings)
        name = "all sites" if place.site == ALL else place.site
        return f"{name} ({', '.join(more)})" if more else name


def read_content(folder: Path) -> Content:
    """What a batch's folder holds; raises InputError where it is not of a batch."""
    store = Store(folder)
    plan = read_plan(folder, same_code=False)
    units = tuple(_unit(store, cell) for cell in plan.cells)
    scenarios = tuple(dict.fromkeys(unit.scenario for unit in units))
    origins = tuple(dict.fromkeys(unit.origin for unit in units))
    return Content(
        folder=folder,
        store=store,
        plan=plan,
        units=units,
        places=tuple(dict.fromkeys(unit.place for unit in units)),
        scenarios=scenarios,
        base=BASE if BASE in origins or not origins else origins[0],
        changes=_changes(folder),
    )


def _unit(store: Store, cell: Cell) -> Unit:
    row = summary_row(store, cell)
    sample = _SAMPLE.fullmatch(cell.scenario)
    kept = ("status", "verified", "npv_cents", "gap", "n_racks", "n_gpus", "it_w", "meter_w", "first_quarter",
            "last_quarter", "reason_kind", "reason", "method", "key")  # fmt: skip
    return Unit(
        place=Place(cell.portfolio, cell.site, cell.settings),
        scenario=cell.scenario,
        origin=sample.group(1) if sample else cell.scenario,
        link=unit_link(store, cell.key),
        **{name: row[name] for name in kept},
    )


def unit_link(store: Store, key: str) -> str | None:
    """The best that there is to look at of a unit, from the batch's folder; None where there is nothing.

    Its report, else its run folder, else what it says of itself, else why it failed.
    """
    unit, quarantined = store.unit(key), store.quarantined(key)
    if (unit / SUMMARY).is_file():
        if (unit / RUN / "report.html").is_file():
            return f"units/{key}/{RUN}/report.html"
        return f"units/{key}/{RUN}/" if (unit / RUN).is_dir() else f"units/{key}/{SUMMARY}"
    if (quarantined / REASON).is_file():
        return f"quarantine/{key}/{REASON}"
    return None


def traceback_link(store: Store, key: str) -> str | None:
    """Where the traceback of a failure is, from the batch's folder."""
    return f"quarantine/{key}/{TRACEBACK}" if (store.quarantined(key) / TRACEBACK).is_file() else None


def standing_it_w(content: Content, units: Iterable[Unit]) -> dict[str, dict[str, int]]:
    """IT watts that stand, by name of the site and quarter, summed over units."""
    total: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for unit in units:
        if unit.has_plan:
            for line in content.store.summary(unit.key)["lines"]:
                total[line["site"]][line["quarter"]] += line["it_w"]
    return {site: dict(sorted(by_quarter.items())) for site, by_quarter in total.items()}


def _changes(folder: Path) -> dict[str, dict[str, list[dict[str, Any]]]]:
    place = folder / SCENARIOS
    if not place.is_file():
        return {}
    content: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(place.read_text(encoding="utf-8"))
    return content
