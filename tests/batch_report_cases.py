"""Batches that are written rather than computed: as many sites and scenarios as a test of their report wants."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from planner.batch.cells import Cell, Plan
from planner.batch.dataset import write_dataset
from planner.batch.engine import write_plan
from planner.batch.outcome import Failure
from planner.batch.store import Store
from planner.batch.task import TOGETHER, InputReference, Settings, Task
from sites.inputs import InputFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

QUARTERS = ("2027-Q1", "2027-Q2", "2027-Q3")
SITE = """\
format: gigaplan-site/1
name: {name}
location:
  country: US
  region: Somewhere
  latitude: {latitude}
  longitude: {longitude}
  provenance: {{status: {status}, source: A test}}
"""

FAIL, INFEASIBLE, LEAVE = "fail", "infeasible", "leave"
"""In place of a worth: what became of a unit without a plan."""
Worth = int | str
"""Cents, or one of the three."""


def written(
    folder: Path,
    places: Mapping[str, tuple[float, float] | None],
    scenarios: tuple[str, ...],
    worth: Callable[[int, int], Worth],
    assumed: tuple[str, ...] = (),
) -> Store:
    """A batch of sites (name to latitude and longitude) under scenarios.

    Parameters: worth, of a site and a scenario by their numbers; what stands is a MW for each million dollars or part
    of one, and begins in the second quarter.
    """
    store, plan = Store(folder), Plan("written")
    files = {name: _site_file(name, at, name in assumed) for name, at in places.items()}
    store.put_inputs(list(files.values()))
    for j, scenario in enumerate(scenarios):
        plan.scenarios.setdefault("written", {})[scenario] = _applied(j, scenario)
        for i, name in enumerate(places):
            given = InputReference("site", f"sites/{name}.yaml", files[name].sha256)
            task = Task((given,), Settings(seed=j), "c0de", method=TOGETHER, group="one")
            plan.cells.append(Cell("written", name, scenario, "default", task.key))
            plan.tasks[task.key] = task
            _put(store, task, name, worth(i, j))
    write_plan(folder, plan)
    write_dataset(folder, store, plan.cells, tried=True)
    return store


def _site_file(name: str, at: tuple[float, float] | None, is_assumed: bool) -> InputFile:
    latitude, longitude = at or ("null", "null")
    status = "assumption" if is_assumed else "published"
    text = SITE.format(name=name, latitude=latitude, longitude=longitude, status=status)
    return InputFile("site", f"sites/{name}.yaml", text.encode())


def _applied(number: int, scenario: str) -> list[dict[str, object]]:
    if scenario == "base":
        return []
    change = ["portfolio.yaml", "money.rent", "10 USD/gpu/h", f"{10 - number / 1000:g} USD/gpu/h"]
    return [{"from": scenario, "path": "portfolio.money.rent", "said": "", "changes": [change]}]


def _put(store: Store, task: Task, site: str, worth: Worth) -> None:
    if worth == LEAVE:
        return
    if worth == FAIL:
        store.quarantine(task, Failure("error", "ValueError: <odd> & broken", "ValueError", "Traceback: here"))
        return
    cents = worth if isinstance(worth, int) else 0
    it_w = abs(cents) // 100
    lines = [
        {"site": site, "quarter": quarter, "n_racks": n * it_w // 200_000, "n_gpus": 0, "it_w": n * it_w // 2,
         "meter_w": None, "racks": {}}
        for n, quarter in enumerate(QUARTERS)
    ]  # fmt: skip
    blank = dict.fromkeys(("objective_cents", "bound_cents", "npv_cents", "gap", "stop_reason", "reason", "verified"))
    summary = {"format": "gigaplan-unit/1", "method": TOGETHER, **blank, "status": "infeasible", "lines": []}
    if worth == INFEASIBLE:
        summary["reason"] = "no row of the site takes a rack"
    else:
        summary |= {"status": "feasible", "objective_cents": cents, "bound_cents": cents, "npv_cents": cents,
                    "gap": 0.004, "stop_reason": "work-limit", "verified": True, "lines": lines}  # fmt: skip
    with store.new_unit(task) as folder:
        (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
        (folder / "timings.json").write_text("{}", encoding="utf-8")
