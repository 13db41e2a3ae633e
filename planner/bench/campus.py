"""Campuses by seed and size: site and portfolio files that pass through the whole pipeline.

The templates are the library's reference campus; counts, dates, ratings, prices and supply are drawn. Every level is
sized so that meter, supply, a technology loop and the UPS with a block out all bind somewhere in a good plan.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.bench.templates import library_file
from planner.bench.work import with_work
from sites import library
from sites.calendar import quarter_index, quarter_name

if TYPE_CHECKING:
    from pathlib import Path

_TEMPLATE = "reference-1gw"
_START = "2027-Q1"
_ROWS_PER_LINEUP = 6
_MOST_STANDARD = 16
"""Lineups of the standard template that the feeders of one building carry."""
_MOST_LINEUPS = 19
_METER_MW_PER_LINEUP = 10.1
"""What a full lineup of Vera Rubin racks draws at the meter, cooling and losses included."""
_IT_MW_PER_LINEUP = 8.2
_MAX_P_LIQUID_KW = 223.1
_TRANSFORMERS_PER_LINEUP = 0.11
_REFERENCE_LINEUPS = 100
_REFERENCE_PERIODS = 16
_FEWEST_ROWS, _FEWEST_PERIODS = 12, 4


@dataclass(frozen=True)
class CampusSize:
    """What is asked for; the campus has whole lineups of six rows."""

    n_rows: int
    n_periods: int
    works: bool = False
    """Whether racks work for workloads, under clauses and with refreshes, or are rented out."""

    @property
    def n_lineups(self) -> int:
        """Lineups that hold about so many rows."""
        return max(2, round(self.n_rows / _ROWS_PER_LINEUP))


@dataclass(frozen=True)
class Campus:
    """A generated campus: the content of its site file and of a portfolio that holds it alone."""

    name: str
    site: dict[str, Any]
    portfolio: dict[str, Any]


@dataclass(frozen=True)
class _Building:
    n_standard: int
    n_compact: int
    opens: int
    """Period in which it is in service."""

    @property
    def n_lineups(self) -> int:
        return self.n_standard + self.n_compact


def write_campus(folder: Path, seed: int, size: CampusSize) -> Path:
    """Write `site.yaml` and `portfolio.yaml` of a generated campus and return the portfolio's path.

    Parameters: folder, which must exist; seed; size. The same seed and size give the same bytes. Raises ValueError
    when the size is too small to have two buildings and two templates.
    """
    campus = draw_campus(seed, size)
    for file, content in (("site.yaml", campus.site), ("portfolio.yaml", campus.portfolio)):
        # JSON is YAML: what is written here is read by the loader that reads every other site.
        (folder / file).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return folder / "portfolio.yaml"


def draw_campus(seed: int, size: CampusSize) -> Campus:
    """The content of both files.

    Parameters: seed; size. Raises ValueError when the size is too small to have two buildings and two templates.
    """
    if size.n_rows < _FEWEST_ROWS or size.n_periods < _FEWEST_PERIODS:
        msg = (
            f"found {size.n_rows} rows and {size.n_periods} periods; a generated campus has at least "
            f"{_FEWEST_ROWS} rows and {_FEWEST_PERIODS} periods"
        )
        raise ValueError(msg)
    draw = random.Random(seed)
    buildings = _buildings(draw, size)
    name = f"campus-{seed}-{size.n_lineups * _ROWS_PER_LINEUP}-{size.n_periods}"
    site = _site(draw, name, buildings)
    portfolio = _portfolio(draw, name, size, buildings)
    if size.works:
        full_kw = float(site["service"]["steps"][-1]["capacity"].split()[0])
        portfolio = with_work(portfolio, draw, full_kw / 1000)
    return Campus(name, site, portfolio)


def _buildings(draw: random.Random, size: CampusSize) -> list[_Building]:
    """Two buildings at least, of unlike sizes, that open one after another within the plan."""
    n_lineups = size.n_lineups
    n_buildings = max(2, math.ceil(n_lineups / _MOST_LINEUPS) + draw.randint(0, 1) * (n_lineups >= 2 * _MOST_LINEUPS))
    n_buildings = min(n_buildings, n_lineups)
    counts = [n_lineups // n_buildings + (index < n_lineups % n_buildings) for index in range(n_buildings)]
    for _ in range(n_buildings):
        giver, taker = draw.sample(range(n_buildings), 2)
        if counts[giver] > 1 and counts[taker] < _MOST_LINEUPS:
            counts[giver], counts[taker] = counts[giver] - 1, counts[taker] + 1
    latest = max(2, round(0.75 * size.n_periods))
    later = sorted(draw.sample(range(1, latest + 1), min(n_buildings - 1, latest)))
    opens = [0, *later, *[latest] * (n_buildings - 1 - len(later))]
    result = []
    for index, (count, quarter) in enumerate(zip(counts, opens, strict=True)):
        n_compact = max(round(count * draw.uniform(0.15, 0.3)), count - _MOST_STANDARD, int(index == n_buildings - 1))
        result.append(_Building(count - n_compact, n_compact, quarter))
    return result


def _site(draw: random.Random, name: str, buildings: list[_Building]) -> dict[str, Any]:
    site = library_file(library.find_site(_TEMPLATE), _TEMPLATE)
    site["name"] = name
    site["title"] = f"Generated campus {name}"
    site["service"]["steps"] = _service_steps(draw, buildings)
    site["energy_price"] = f"{draw.uniform(45, 85):.2f} USD/MWh"
    _draw_ratings(draw, site)
    _draw_transformers(draw, site["power"], buildings)
    hall = site["building_templates"].pop("hall")
    for index, building in enumerate(buildings):
        site["building_templates"][f"hall-{index + 1}"] = _building_template(draw, hall, building)
    dated = site["buildings"][0]
    site["buildings"] = [
        {
            **dated,
            "name": f"b{index + 1}",
            "template": f"hall-{index + 1}",
            "dates": _dates(draw, building.opens),
            "landing_racks_per_quarter": max(4, round(building.n_lineups * draw.uniform(14, 24))),
        }
        for index, building in enumerate(buildings)
    ]
    return site


def _service_steps(draw: random.Random, buildings: list[_Building]) -> list[dict[str, str]]:
    """Power comes with the buildings; the last step is a little short of what all of them would draw."""
    steps: list[dict[str, str]] = []
    n_lineups, capacity_kw = 0, 0
    for index, building in enumerate(buildings):
        n_lineups += building.n_lineups
        last = index == len(buildings) - 1
        factor = draw.uniform(0.80, 0.87) if last else draw.uniform(0.76, 0.98)
        wanted_kw = round(n_lineups * _METER_MW_PER_LINEUP * factor * 1000)
        if wanted_kw > capacity_kw:
            capacity_kw = wanted_kw
            if steps and steps[-1]["start"] == _quarter(building.opens):
                steps.pop()
            steps.append({"start": _quarter(building.opens), "capacity": f"{capacity_kw} kW"})
    return steps


def _draw_ratings(draw: random.Random, site: dict[str, Any]) -> None:
    ups, substation = site["equipment"]
    ups_mw = draw.uniform(2.785, 2.845)
    ups["real"]["value"] = f"{ups_mw:.3f} MW"
    # With its losses a full UPS draws 1.11 MVA a megawatt after derating; less than that and it would never be full.
    substation["apparent"]["value"] = f"{ups_mw * draw.uniform(1.12, 1.18):.3f} MVA"
    (cdu,) = site["cooling_equipment"]
    # Four of them carry 34 or 35 Vera Rubin racks at Max-P, and then not one more of any kind.
    heat_kw = math.ceil((draw.choice((34, 35)) * _MAX_P_LIQUID_KW + draw.uniform(5, 90)) / 4)
    cdu["heat"]["value"] = f"{heat_kw} kW"
    cdu["flow"]["value"] = f"{math.ceil(heat_kw * 1.535)} L/min"
    for template in site["lineup_templates"].values():
        template["avoidable_capex"] = f"{draw.uniform(3.4, 5.0):.3f}e6 USD"
    site["lineup_templates"]["compact"]["liquid"]["rise"] = f"{draw.uniform(7.7, 8.1):.2f} K"


def _draw_transformers(draw: random.Random, power: list[dict[str, Any]], buildings: list[_Building]) -> None:
    """One spare from the first building on; the others come with the buildings that they carry."""
    lines = next(entry for entry in power if entry["name"] == "line")
    transformers = next(entry for entry in power if entry["name"] == "main-transformer")
    for_each = _TRANSFORMERS_PER_LINEUP * draw.uniform(0.97, 1.05)
    in_service: list[str] = []
    n_lineups = 0
    for building in buildings:
        n_lineups += building.n_lineups
        n_missing = math.ceil(n_lineups * for_each) + 1 - len(in_service)
        in_service += [_quarter(building.opens)] * n_missing
    transformers["count"], transformers["in_service"] = len(in_service), in_service
    lines["count"] = 1 + math.ceil(n_lineups * _METER_MW_PER_LINEUP / 1400)


def _building_template(draw: random.Random, hall: dict[str, Any], building: _Building) -> dict[str, Any]:
    """A hall's power and plants, sized to the lineups of the building, with spares."""
    template: dict[str, Any] = json.loads(json.dumps(hall))
    n_standard, n_compact = max(building.n_standard, 1), max(building.n_compact, 1)
    warm, cold = template["plants"]
    warm["coolers"]["count"] = math.ceil(n_standard * 5.125 * draw.uniform(0.98, 1.12)) + 2
    warm["chillers"]["count"] = math.ceil(n_standard * 1.19 * draw.uniform(0.98, 1.12)) + 1
    cold["chillers"]["count"] = math.ceil(n_compact * 6.25 * draw.uniform(0.98, 1.08)) + 1
    template["spine_positions"] = math.ceil(building.n_lineups * 71 * draw.uniform(0.98, 1.12))
    counted = (("standard", building.n_standard, "h1"), ("compact", building.n_compact, "h2"))
    template["lineups"] = [
        {"template": name, "count": count, "hall": hall_name} for name, count, hall_name in counted if count
    ]
    return template


def _dates(draw: random.Random, opens: int) -> dict[str, Any]:
    """Dates whose latest mode, with commissioning, is the opening; which of them is latest is drawn."""
    commissioning = draw.randint(0, 2)
    ready = opens - commissioning
    causes = ("utility", "equipment", "building", "permit", "network")
    latest = draw.choice(causes)
    dates: dict[str, Any] = {"commissioning_quarters": commissioning}
    for cause in causes:
        mode = ready if cause == latest else ready - draw.randint(0, 2)
        dates[cause] = {
            "low": _quarter(mode - draw.randint(0, 1)),
            "mode": _quarter(mode),
            "high": _quarter(mode + draw.randint(1, 3)),
        }
    return dates


def _portfolio(draw: random.Random, name: str, size: CampusSize, buildings: list[_Building]) -> dict[str, Any]:
    portfolio = library_file(library.find(_TEMPLATE), _TEMPLATE)
    portfolio["name"], portfolio["title"] = name, f"Generated campus {name}"
    portfolio["start"], portfolio["periods"] = _START, size.n_periods
    portfolio["sites"][0]["site"] = "./site.yaml"
    portfolio["envelope"]["steps"] = _envelope_steps(draw, buildings)
    for supply in portfolio["supply"]:
        supply["deliveries"] = _deliveries(draw, supply["deliveries"], size)
    money = portfolio["money"]
    money["economic_life_quarters"] = max(20, size.n_periods + 4)
    money["rental_decline_per_year"] = f"{draw.uniform(5, 11):.1f} %"
    money["discount_rate_per_year"] = f"{draw.uniform(7, 11):.1f} %"
    return portfolio


def _envelope_steps(draw: random.Random, buildings: list[_Building]) -> list[dict[str, str]]:
    """Rack power in the middle of the plan may be short; at the end it is the meter that decides."""
    capacity_by_quarter: dict[str, int] = {}
    n_lineups, capacity_kw = 0, 0
    for index, building in enumerate(buildings):
        n_lineups += building.n_lineups
        factor = 1.2 if index == len(buildings) - 1 else draw.uniform(0.85, 1.15)
        capacity_kw = max(capacity_kw, round(n_lineups * _IT_MW_PER_LINEUP * factor * 1000))
        capacity_by_quarter[_quarter(building.opens)] = capacity_kw
    return [{"start": quarter, "capacity": f"{kw} kW"} for quarter, kw in capacity_by_quarter.items()]


def _deliveries(draw: random.Random, reference: list[dict[str, Any]], size: CampusSize) -> list[dict[str, Any]]:
    """The reference campus's deliveries, stretched to the size and shaken."""
    racks_by_period: dict[int, int] = {}
    share = size.n_lineups / _REFERENCE_LINEUPS
    for delivery in reference:
        quarter = quarter_index(delivery["quarter"]) - quarter_index(_START)
        period = quarter * size.n_periods // _REFERENCE_PERIODS
        racks = max(1, round(delivery["racks"] * share * draw.uniform(0.75, 1.2)))
        racks_by_period[period] = racks_by_period.get(period, 0) + racks
    return [{"quarter": _quarter(period), "racks": racks} for period, racks in sorted(racks_by_period.items())]


def _quarter(period: int) -> str:
    return quarter_name(quarter_index(_START) + period)
