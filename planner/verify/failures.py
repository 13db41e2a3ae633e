"""The plan's failure table, worked out again: what every single failure drops and how full it leaves the survivors."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from planner.verify.flow import WATT_BITS
from planner.verify.report import Check, check_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from planner.verify.flow import Flow
    from planner.verify.network import Network, Outage
    from planner.verify.power import EpochDraws
    from planner.verify.standing import Standing

_RISE = 1 << (WATT_BITS - 10)
"""A survivor's load rises when it does by more than a thousandth of a watt, which no rounding here makes up."""
_TOLERANCE_W = 1
_RATIO_TOLERANCE = 1e-6
COLUMNS = (
    "site", "element", "kind", "dropped_rows", "dropped_racks", "dropped_it_w",
    "worst_element", "worst_load_w", "worst_rating_w", "worst_load", "verdict",
)  # fmt: skip


@dataclass
class FailureTable:
    """Compares the stated failures of one site with its own, in the last decision period."""

    site: str
    standing: Standing
    stated: Mapping[str, Mapping[str, Any]]
    """Stated failures of this site by element."""
    seen: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def look(self, draws: EpochDraws, flow: Flow[int], outage: Outage, after: dict[int, list[int]]) -> None:
        """Compare one failure; epochs before the last are not in the table."""
        last = len(self.standing.periods) - 1
        if draws.periods[-1] != last:
            return
        network, at = draws.walker.network, len(draws.periods) - 1
        element = network.failure_name(outage.failed)
        self.seen.add(element)
        stated = self.stated.get(element)
        if stated is None:
            self.faults.append(f"the failure of {self.site}:{element} is missing")
            return
        due = self._dropped(draws, outage, last) | {"kind": network.failure_kind(outage.failed)}
        self.faults += [
            f"{key} of the failure of {self.site}:{element} is {value}, stated {stated.get(key)}"
            for key, value in due.items()
            if stated.get(key) != value
        ]
        rising = {
            network.names[node]: output[at]
            for node, output in after.items()
            if output[at] - flow.output[node][at] > _RISE
        }
        fault = _worst_fault(stated, rising, network)
        if fault is not None:
            self.faults.append(f"the failure of {self.site}:{element}: {fault}")

    def _dropped(self, draws: EpochDraws, outage: Outage, last: int) -> dict[str, int]:
        dropped = sorted(row for row in draws.dropped_rows(outage) if self.standing.planned_draw(row, last))
        planned = [self.standing.planned_draw(row, last) for row in dropped]
        return {
            "dropped_rows": len(dropped),
            "dropped_racks": sum(draw["rack"] for draw in planned),
            "dropped_it_w": sum(draw["it_w"] for draw in planned),
        }

    def finish(self) -> None:
        """Note stated failures of elements that do not stand."""
        self.faults += [f"{self.site}:{element} cannot fail" for element in sorted(set(self.stated) - self.seen)]


def _worst_fault(stated: Mapping[str, Any], rising: Mapping[str, int], network: Network) -> str | None:
    """What is wrong with the stated worst survivor, if anything."""
    name, load_w, ratio = stated.get("worst_element"), stated.get("worst_load_w"), stated.get("worst_load")
    if name is None or name not in rising:
        if name is None and not rising:
            return None
        return f"its worst survivor is stated as {name}, but {len(rising)} survivors carry more than before"
    rating_w = network.rating_w[network.index[str(name)]] or 0
    if not isinstance(load_w, int) or not isinstance(ratio, (int, float)):
        return "its worst survivor has no load"
    if abs(-(-rising[str(name)] >> WATT_BITS) - load_w) > _TOLERANCE_W or stated.get("worst_rating_w") != rating_w:
        return f"its worst survivor {name} carries {rising[str(name)] / 2**WATT_BITS:.0f} W of {rating_w}"
    ratings = {one: network.rating_w[network.index[one]] or 0 for one in rising}
    fullest = max((load / 2**WATT_BITS / ratings[one] for one, load in rising.items() if ratings[one]), default=0.0)
    if abs(fullest - ratio) > _RATIO_TOLERANCE:
        return f"its worst survivor is at {fullest:.6f} of its rating, stated {ratio}"
    overload = rising[str(name)] / 2**WATT_BITS > rating_w + _TOLERANCE_W
    if overload != (stated.get("verdict") == "overload"):
        return f"its verdict is stated as {stated.get('verdict')}"
    return None


def stated_failures(plan: Mapping[str, Any]) -> tuple[dict[str, dict[str, Mapping[str, Any]]], list[str]]:
    """The plan's failures by site and element, and what is wrong with their list."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    faults: list[str] = []
    for entry in plan.get("failures") or []:
        site, element = str(entry.get("site")), str(entry.get("element"))
        if element in found.setdefault(site, {}):
            faults.append(f"the failure of {site}:{element} is stated twice")
        found[site][element] = entry
    return found, faults


def check_tables(directory: Path, plan: Mapping[str, Any]) -> Check:
    """The CSV files say what `plan.json` says."""
    faults = [
        *_csv_faults(directory / "failures.csv", plan.get("failures") or [], COLUMNS),
        *_csv_faults(
            directory / "placements.csv",
            plan.get("placements") or [],
            ("site", "row", "configuration", "period", "n_racks"),
        ),
    ]
    return check_of("tables", faults, "placements.csv and failures.csv say what plan.json says")


def _csv_faults(path: Path, entries: list[Mapping[str, Any]], columns: tuple[str, ...]) -> list[str]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return [f"{path.name} cannot be read: {error}"]
    due = [["" if entry.get(column) is None else str(entry.get(column)) for column in columns] for entry in entries]
    if not lines or lines[0] != list(columns):
        return [f"{path.name} must begin with the columns {','.join(columns)}"]
    if len(lines) - 1 != len(due):
        return [f"{path.name} has {len(lines) - 1} lines, plan.json {len(due)}"]
    return [
        f"{path.name} line {number} says {','.join(line)}, plan.json {','.join(want)}"
        for number, (line, want) in enumerate(zip(lines[1:], due, strict=True), start=2)
        if line != want
    ]
