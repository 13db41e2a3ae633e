"""The difference of two runs' worth in money by cause; the parts of every split sum to it, to the cent."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

from planner.compare.attribution import shares_by_start, total_by
from planner.compare.effects import effects
from planner.compare.placed import plan_of_run
from planner.lower import lower
from planner.lower.money import discount
from planner.run.document import npv_cents
from planner.run.folder import INPUTS
from sites.world import load_world_from_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sites.world import World

Document = dict[str, Any]
ROUNDING = "rounded away"
"""What the objective's coefficients and the cents of the cash table round away."""
SPLITS = ("line", "site", "system", "start")


def causes(folder_a: Path, folder_b: Path, plan_a: Document, plan_b: Document) -> Document:
    """Every split of the difference of two runs, B less A.

    Parameters: run folders, and their plan documents. Raises InputError where their inputs no longer load.
    """
    world_a, world_b = (load_world_from_inputs(folder / INPUTS) for folder in (folder_a, folder_b))
    splits_a, splits_b = _splits(world_a, plan_a), _splits(world_b, plan_b)
    return {
        "npv_cents": [npv_cents(plan_a), npv_cents(plan_b)],
        **{split: _lines(splits_a[split], splits_b[split]) for split in SPLITS},
        **effects(world_a, world_b, plan_a, plan_b),
    }


def _lines(a: Mapping[str, int], b: Mapping[str, int]) -> list[Document]:
    """Parts of both runs that differ from nothing, and their differences."""
    names = [name for name in dict.fromkeys((*a, *b)) if a.get(name) or b.get(name)]
    return [
        {"name": name, "a": a.get(name, 0), "b": b.get(name, 0), "difference": b.get(name, 0) - a.get(name, 0)}
        for name in names
    ]


def _splits(world: World, plan: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """A run's worth by line of cash, by site, by system and by quarter of start."""
    by_line, by_site = _by_cash(world, plan)
    problem = lower(world).problem
    shares = shares_by_start(problem, plan_of_run(plan, problem), npv_cents(plan))
    return {"line": by_line, "site": by_site, "system": total_by(shares, 0), "start": total_by(shares, 1)}


def _by_cash(world: World, plan: Mapping[str, Any]) -> tuple[dict[str, int], dict[str, int]]:
    """Present value of the cash table by line and by site, each rounded down, and what that leaves."""
    by_line: dict[str, Fraction] = defaultdict(Fraction)
    by_site: dict[str, Fraction] = defaultdict(Fraction)
    factors = [discount(world.portfolio, t) for t in range(len(plan["cash"]["quarters"]))]
    for line in plan["cash"]["lines"]:
        present = sum((cents * factor for cents, factor in zip(line["cents"], factors, strict=True)), Fraction(0))
        by_line[line["line"]] += present
        by_site[line["site"]] += present
    return _whole(by_line, npv_cents(plan)), _whole(by_site, npv_cents(plan))


def _whole(parts: Mapping[str, Fraction], total: int) -> dict[str, int]:
    whole = {name: floor(cents) for name, cents in parts.items()}
    return whole | {ROUNDING: total - sum(whole.values())}
