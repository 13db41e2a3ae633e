"""Portfolios of generated campuses by seed and size: unlike sites that share supply and one envelope at the meter.

Every campus is drawn from a seed of its own. What the campuses would get alone is pooled and cut, so that sites
compete for racks and, in the middle of the plan, for power.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.bench.campus import Campus, CampusSize, draw_campus
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from pathlib import Path

_SEEDS_PER_PORTFOLIO = 1000
_UNLIKE = (0.6, 1.4)
"""Rows of a site as a share of the mean."""
_SUPPLY = (0.84, 0.94)
"""Deliveries of a system as a share of what the campuses would get alone."""
_ENVELOPE = (0.86, 0.93)
"""The envelope as a share of what all services give: house loads and losses that racks do not cause are not in it."""
_FEWEST_ROWS = 12


@dataclass(frozen=True)
class PortfolioSize:
    """What is asked for."""

    n_sites: int = 60
    n_rows: int = 400
    """Of a site, in the mean; 400 are about 500 MW at the meter."""
    n_periods: int = 16


def write_portfolio(folder: Path, seed: int, size: PortfolioSize) -> Path:
    """Write a site file for each campus and `portfolio.yaml`, and return the portfolio's path.

    Parameters: folder, which must exist; seed, from 1 on; size. The same seed and size give the same bytes. Raises
    ValueError when there is no site, the seed is none, or the sites are too small to be generated.
    """
    if size.n_sites < 1 or seed < 1 or size.n_sites >= _SEEDS_PER_PORTFOLIO:
        msg = f"found seed {seed} and {size.n_sites} sites; a portfolio has a seed from 1 on and 1 to 999 sites"
        raise ValueError(msg)
    draw = random.Random(seed)
    campuses = [
        draw_campus(seed * _SEEDS_PER_PORTFOLIO + number, CampusSize(_rows(draw, size), size.n_periods))
        for number in range(1, size.n_sites + 1)
    ]
    for campus in campuses:
        _write(folder / f"{campus.name}.yaml", campus.site)
    path = folder / "portfolio.yaml"
    _write(path, _joined(draw, seed, campuses))
    return path


def _rows(draw: random.Random, size: PortfolioSize) -> int:
    return max(_FEWEST_ROWS, round(size.n_rows * draw.uniform(*_UNLIKE)))


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _joined(draw: random.Random, seed: int, campuses: list[Campus]) -> dict[str, Any]:
    """The first campus's portfolio with all sites, what they would get alone pooled, and an envelope at the meter."""
    portfolio = dict(campuses[0].portfolio)
    name = f"portfolio-{seed}-{len(campuses)}-{portfolio['periods']}"
    portfolio["name"], portfolio["title"] = name, f"Generated portfolio {name}"
    entry = portfolio["sites"][0]
    portfolio["sites"] = [{**entry, "site": f"./{campus.name}.yaml"} for campus in campuses]
    portfolio["envelope"] = {**portfolio["envelope"], "basis": "meter", "steps": _envelope_steps(draw, campuses)}
    portfolio["supply"] = [
        {**supply, "deliveries": _deliveries(draw, [one.portfolio["supply"][index] for one in campuses])}
        for index, supply in enumerate(portfolio["supply"])
    ]
    return portfolio


def _envelope_steps(draw: random.Random, campuses: list[Campus]) -> list[dict[str, str]]:
    """A share of what all services give together, quarter by quarter; it never falls."""
    services = [campus.site["service"]["steps"] for campus in campuses]
    quarters = sorted({step["start"] for steps in services for step in steps}, key=quarter_index)
    result: list[dict[str, str]] = []
    capacity_kw = 0
    for quarter in quarters:
        given_kw = sum(_given_kw(steps, quarter) for steps in services)
        wanted_kw = round(given_kw * draw.uniform(*_ENVELOPE))
        if wanted_kw > capacity_kw:
            capacity_kw = wanted_kw
            result.append({"start": quarter, "capacity": f"{capacity_kw} kW"})
    return result


def _given_kw(steps: list[dict[str, str]], quarter: str) -> int:
    """What a service gives in a quarter."""
    begun = [step["capacity"] for step in steps if quarter_index(step["start"]) <= quarter_index(quarter)]
    return int(begun[-1].removesuffix(" kW")) if begun else 0


def _deliveries(draw: random.Random, supplies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    racks: dict[str, int] = {}
    for supply in supplies:
        for delivery in supply["deliveries"]:
            racks[delivery["quarter"]] = racks.get(delivery["quarter"], 0) + delivery["racks"]
    share = draw.uniform(*_SUPPLY)
    return [
        {"quarter": quarter, "racks": max(1, round(racks[quarter] * share))}
        for quarter in sorted(racks, key=quarter_index)
    ]
