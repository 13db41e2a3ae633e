"""The plan's failure table, worked out again: what every failure stops, and how full it leaves the survivors."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

from planner.verify.flow import WATT_BITS
from planner.verify.report import Check, check_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from planner.verify.eligibility import Eligibility
    from planner.verify.power import After, Outputs
    from planner.verify.standing import Standing

_RISE = 1 << (WATT_BITS - 10)
"""A survivor's load rises when it does by more than a thousandth of a watt, which no rounding here makes up."""
_TOLERANCE_W = 1
_RATIO_TOLERANCE = 1e-6
COLUMNS = (
    "site", "element", "kind", "dropped_rows", "dropped_racks", "dropped_gpus", "dropped_it_w", "shed_w", "capped_w",
    "worst_element", "worst_load_w", "worst_rating_w", "worst_load", "verdict",
)  # fmt: skip
HEAT_FAMILIES = frozenset({"liquid", "air", "dry", "chiller"})


@dataclass(frozen=True)
class Survivor:
    """A power element or a bank that carries more after a failure than before."""

    load_w: Fraction
    capacity_w: int

    @property
    def ratio(self) -> float:
        """Load over capacity; 2 of nothing."""
        return float(self.load_w / self.capacity_w) if self.capacity_w else 2.0


@dataclass
class FailureTable:
    """Compares the stated failures of one site with its own, in the last decision period."""

    site: str
    standing: Standing
    eligibility: Eligibility
    stated: Mapping[str, Mapping[str, Any]]
    """Stated failures of this site by element."""
    seen: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def look(self, after: After) -> None:
        """Compare one failure of power elements; epochs before the last are not in the table."""
        last = len(self.standing.periods) - 1
        if after.draws.periods[-1] != last:
            return
        at = len(after.draws.periods) - 1
        failed = after.outage.failed
        survivors = dict(self._loaded_elements(after, at))
        survivors.update(self._loaded_banks(failed))
        shed_w, capped_w = self._action(after, at)
        self._compare(failed, survivors, {"shed_w": shed_w, "capped_w": capped_w})

    def finish(self) -> None:
        """Compare the failures of units, and note stated failures of what does not stand."""
        states = self.standing.limits.states
        for failed in states.contingencies.of_units(states.wiring(self._epoch), self._epoch):
            self._compare(failed, dict(self._loaded_banks(failed)), {"shed_w": 0, "capped_w": 0})
        self.faults += [f"{self.site}:{element} cannot fail" for element in sorted(set(self.stated) - self.seen)]

    @property
    def _epoch(self) -> int:
        return self.standing.limits.states.epoch(self.standing.periods[-1])

    def _compare(self, failed: int, survivors: Mapping[str, Survivor], action: Mapping[str, int]) -> None:
        states = self.standing.limits.states
        element = states.contingencies.name(failed)
        self.seen.add(element)
        stated = self.stated.get(element)
        if stated is None:
            self.faults.append(f"the failure of {self.site}:{element} is missing")
            return
        rows = [row for row in states.dropped_rows(self._epoch, failed) if self._planned(row)]
        due = self._dropped(rows) | {"kind": states.contingencies.kind(failed)}
        self.faults += [
            f"{key} of the failure of {self.site}:{element} is {value}, stated {stated.get(key)}"
            for key, value in due.items()
            if stated.get(key) != value
        ]
        self.faults += [
            f"{key} of the failure of {self.site}:{element} is {value}, stated {stated.get(key)}"
            for key, value in action.items()
            if not isinstance(stated.get(key), int) or abs(stated[key] - value) > _TOLERANCE_W
        ]
        fault = _worst_fault(stated, survivors) or self._verdict_fault(stated, failed, rows, survivors)
        if fault is not None:
            self.faults.append(f"the failure of {self.site}:{element}: {fault}")

    def _planned(self, row: str) -> dict[str, int]:
        return self.standing.planned_draw(row, len(self.standing.periods) - 1)

    def _dropped(self, rows: list[str]) -> dict[str, Any]:
        planned = [self._planned(row) for row in rows]
        return {
            "dropped_rows": len(rows),
            "dropped_racks": sum(draw["rack"] for draw in planned),
            "dropped_gpus": sum(draw["gpu"] for draw in planned),
            "dropped_it_w": sum(draw["it_w"] for draw in planned),
        }

    def _loaded_elements(self, after: After, at: int) -> Iterator[tuple[str, Survivor]]:
        """Power elements that carry more than in normal operation, Flex rows having acted."""
        network = after.draws.states.network
        for node, output in _surviving(after.out_acted, after.acted, after):
            if network.rating_w[node] is not None and output[at] - after.normal.output[node][at] > _RISE:
                load_w = Fraction(output[at], 2**WATT_BITS)
                yield network.names[node], Survivor(load_w, network.emergency_w[node])

    def _loaded_banks(self, failed: int) -> Iterator[tuple[str, Survivor]]:
        """Banks that lose units and go on with the others."""
        states, limits, period = self.standing.limits.states, self.standing.limits, len(self.standing.periods) - 1
        consequences, cut = states.consequences(self._epoch, failed), states.cut_rows(self._epoch, failed)
        for name, n_lost in consequences.lost.items():
            bank = states.facility.banks[name]
            n_left = len(bank.standing(self._epoch)) - n_lost
            if name in consequences.failed or n_left < 1:
                continue
            [family] = HEAT_FAMILIES.intersection(bank.families)
            heat_w = Fraction(0)
            for row, kinds in limits.banks.heat_shares(family, bank.place).items():
                if row not in cut and limits.exists(row, self.standing.periods[-1]):
                    draw = self.standing.total_draw(row, period)
                    heat_w += sum((share * draw.get(kind, 0) for kind, share in kinds.items()), Fraction(0))
            if heat_w:
                unit_w = limits.banks.unit_capacity(family, bank.place, self.standing.periods[-1])
                yield name, Survivor(heat_w, n_left * unit_w)

    def _action(self, after: After, at: int) -> tuple[int, int]:
        """Watts that Flex rows of the plan shed and cap: those that load a survivor above its rating."""
        walker = self.standing.limits.walker
        network, acting = walker.network, set[str]()
        for node, output in _surviving(after.out_before, after.before, after) if walker.flex else ():
            rating_w = network.rating_w[node]
            if rating_w is not None and output[at] > rating_w << WATT_BITS:
                shares = walker.shares(self._epoch, node, after.outage.failed, before_action=True)
                acting |= shares.rows.keys() & walker.flex.keys()
        shed_w, capped_w = Fraction(0), Fraction(0)
        for row in acting:
            flex, it_w = walker.graphs.containment.nodes[row]["flex"], self._planned(row).get("it_w", 0)
            shed_w += flex.sheddable * it_w
            capped_w += flex.cappable * (1 - flex.cap_to) * it_w
        return ceil(shed_w), ceil(capped_w)

    def _verdict_fault(
        self, stated: Mapping[str, Any], failed: int, rows: Iterable[str], survivors: Mapping[str, Survivor]
    ) -> str | None:
        """Overload before forbidden drop before drop."""
        verdict = stated.get("verdict")
        worst = survivors.get(str(stated.get("worst_element")))
        if worst is not None and worst.load_w > worst.capacity_w + _TOLERANCE_W:
            due = "overload"
        elif any(failed in self.eligibility.forbidden(row, self._epoch) for row in rows):
            due = "forbidden-drop"
        else:
            due = "drops" if rows else "holds"
        return None if verdict == due else f"its verdict is '{due}', stated {verdict!r}"


def _surviving(while_out: Outputs, touched: Outputs, after: After) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Every element that a failure, and the planned outage in which it happens, can have changed."""
    for node, output in {**while_out, **touched}.items():
        if node not in after.outage.dead:
            yield node, output


def _worst_fault(stated: Mapping[str, Any], survivors: Mapping[str, Survivor]) -> str | None:
    """What is wrong with the stated worst survivor, if anything."""
    name, load_w, ratio = stated.get("worst_element"), stated.get("worst_load_w"), stated.get("worst_load")
    if str(name) not in survivors:
        if name is None and not survivors:
            return None
        return f"its worst survivor is stated as {name}, but {len(survivors)} survivors carry more than before"
    worst = survivors[str(name)]
    if not isinstance(load_w, int) or not isinstance(ratio, (int, float)):
        return "its worst survivor has no load"
    if abs(ceil(worst.load_w) - load_w) > _TOLERANCE_W or stated.get("worst_rating_w") != worst.capacity_w:
        return f"its worst survivor {name} carries {float(worst.load_w):.0f} W of {worst.capacity_w}"
    fullest = max(one.ratio for one in survivors.values())
    stated_ratio = worst.ratio if not worst.capacity_w else ratio
    if abs(fullest - stated_ratio) > _RATIO_TOLERANCE:
        return f"its worst survivor is at {fullest:.6f} of its rating, stated {ratio}"
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
