"""Small worlds by seed: one or two sites of a few rows, drawn so that many kinds of rule decide together.

The templates are the library's hand-solved problems. Schemes of redundancy, ratings, losses, lineups, dates, systems,
profiles, supply, an envelope that may fall, contracts, minimum demands and part units are drawn.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from planner.bench.templates import library_file
from sites import library
from sites.calendar import quarter_index, quarter_name

if TYPE_CHECKING:
    from pathlib import Path

_START = "2027-Q1"
_SITE, _PORTFOLIO = "toy-scheme-block-redundant", "toy-profiles"
_EVERY_KIND = (
    "line", "main-transformer", "feeder", "switchboard", "unit-substation", "ups", "bus", "transfer-switch", "busway",
    "cdu", "air-handler", "cooler", "chiller", "leaf", "common-mode",
)  # fmt: skip
_SCHEMES: tuple[dict[str, Any], ...] = (
    {"kind": "n", "blocks": 1},
    {"kind": "2n"},
    {"kind": "block-redundant", "active": 2, "transfer_switch": "switch"},
    {"kind": "distributed", "blocks": 3, "make": 2},
    {"kind": "distributed", "blocks": 4, "make": 3},
)
_ROWS = {"n": (1, 3), "2n": (1, 3), "block-redundant": (2, 4), "distributed": (3, 6)}
"""Rows of a lineup: some schemes want a row for each pair of blocks."""
_RACK_KW = {"gb200-nvl72": 132, "gb300-nvl72": 142, "vr-nvl72/max-q": 190, "vr-nvl72/max-p": 227}
_OFFERS = (
    ("gb200-nvl72",), ("gb200-nvl72", "gb300-nvl72"), ("vr-nvl72/max-p", "vr-nvl72/max-q"),
    ("gb300-nvl72", "vr-nvl72/max-p", "vr-nvl72/max-q"),
)  # fmt: skip
_MOST_COUNTS = 64


def write_small_world(folder: Path, seed: int) -> Path:
    """Write site files and `portfolio.yaml` of a small world and return the portfolio's path.

    Parameters: folder, which must exist; seed. The same seed gives the same bytes.
    """
    draw = random.Random(seed)
    n_periods, offer = draw.randint(2, 4), draw.choice(_OFFERS)
    n_sites = draw.choice((1, 1, 2))
    most_rows = max(1, _MOST_COUNTS // (n_periods * len(offer) * n_sites))
    sites = [_site(draw, f"small-{seed}-{number + 1}", n_periods, most_rows) for number in range(n_sites)]
    for site in sites:
        _write(folder / f"{site['name']}.yaml", site)
    path = folder / "portfolio.yaml"
    _write(path, _portfolio(draw, seed, sites, (n_periods, offer)))
    return path


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _figure(text: str) -> dict[str, str]:
    return {"value": text, "source": "drawn", "status": "assumption"}


def _site(draw: random.Random, name: str, n_periods: int, most_rows: int) -> dict[str, Any]:
    """A site whose ratings are of the order of what a few racks draw."""
    site = library_file(library.find_site(_SITE), _SITE)
    site["name"], site["title"] = name, f"Generated site {name}"
    provenance = site["climate"]["provenance"]
    site["availability"][0]["may_drop_on"] = list(_EVERY_KIND)
    scheme = draw.choice(_SCHEMES)
    fewest, most = _ROWS[scheme["kind"]]
    n_rows = draw.randint(fewest, max(fewest, min(most, most_rows)))
    n_lineups = draw.randint(1, max(1, min(3, most_rows // n_rows)))
    _draw_service(draw, site, n_rows * n_lineups, n_periods)
    _draw_equipment(draw, site, n_rows)
    [template] = site["lineup_templates"].values()
    _draw_lineup(draw, template, scheme, n_rows, provenance)
    site["lineup_templates"] = {"plain": template}
    [house] = site["building_templates"].values()
    house["lineups"] = [{"template": "plain", "count": 1, "hall": f"h{index + 1}"} for index in range(n_lineups)]
    if n_lineups > 1 and draw.random() < 0.4:
        other = json.loads(json.dumps(template))
        other["rows"]["positions"] = draw.randint(1, 5)
        other["avoidable_capex"] = f"{draw.randint(0, 900)}000 USD"
        site["lineup_templates"]["other"] = other
        house["lineups"][-1]["template"] = "other"
    house["lineups"][-1]["delay_quarters"] = draw.choice((0, 0, 1)) if n_periods > 2 else 0
    site["building_templates"] = {"house": house}
    [building] = site["buildings"]
    building["template"] = "house"
    building["landing_racks_per_quarter"] = draw.choice((2, 3, 5, 1000))
    if draw.random() < 0.3:
        building["dates"]["building"] = {key: _quarter(1) for key in ("low", "mode", "high")}
    return site


def _draw_service(draw: random.Random, site: dict[str, Any], n_rows: int, n_periods: int) -> None:
    service, provenance = site["service"], site["climate"]["provenance"]
    kw = round(n_rows * draw.uniform(200, 900))
    steps = [{"start": "2026-Q1", "capacity": f"{kw} kW"}]
    for period in range(1, n_periods):
        if draw.random() < 0.4:
            kw = round(kw * draw.uniform(0.9, 1.5))
            steps.append({"start": _quarter(period), "capacity": f"{kw} kW"})
    service["steps"] = steps
    site["energy_price"] = f"{draw.randint(0, 90)} USD/MWh"
    if draw.random() < 0.35:
        service["demand_charge"] = f"{draw.randint(2, 25)} USD/kW/month"
        service["demand_charge_provenance"] = provenance
        service["minimum_demand"] = {
            "steps": [{"start": "2026-Q1", "capacity": f"{round(kw * draw.uniform(0.2, 0.9))} kW"}],
            "provenance": provenance,
        }


def _draw_equipment(draw: random.Random, site: dict[str, Any], n_rows: int) -> None:
    share = draw.choice(("0", "0.01"))
    for item in site["equipment"]:
        is_sized = item["kind"] == "ups"
        item["losses"] = {
            "no_load": _figure(share if is_sized else "0"), "linear": _figure(share), "quadratic": _figure(share)
        }  # fmt: skip
        if item["kind"] == "ups":
            item["real"] = _figure(f"{round(draw.uniform(150, 700))} kW")
        if item["kind"] == "busway":
            item["real"] = _figure(f"{round(draw.uniform(250, 1100))} kW")
    for item in site["cooling_equipment"]:
        if item["kind"] == "cdu":
            item["heat"] = _figure(f"{round(n_rows * draw.uniform(150, 900))} kW")
        if item["kind"] == "dry-cooler":
            item["heat"] = _figure(f"{round(n_rows * draw.uniform(250, 2500))} kW")
            item["power_per_heat"] = _figure(share)
    site["power"][0]["house_load"] = f"{draw.randint(0, 20)} kW"


def _draw_lineup(
    draw: random.Random, template: dict[str, Any], scheme: dict[str, Any], n_rows: int, provenance: Any
) -> None:
    template["scheme"] = scheme
    template["ride_through"] = {"rule": "ignore", "provenance": provenance}
    if scheme["kind"] in ("n", "block-redundant"):
        del template["ride_through"]
    template["rows"]["count"], template["rows"]["positions"] = n_rows, draw.randint(1, 5)
    template["fabric"]["partial_units"] = draw.random() < 0.75
    template["avoidable_capex"] = f"{draw.randint(0, 900)}000 USD"


def _portfolio(
    draw: random.Random, seed: int, sites: list[dict[str, Any]], size: tuple[int, tuple[str, ...]]
) -> dict[str, Any]:
    n_periods, offer = size
    portfolio = library_file(library.find(_PORTFOLIO), _PORTFOLIO)
    provenance = portfolio["sites"][0]["provenance"]
    portfolio["name"], portfolio["title"] = f"small-{seed}", f"Generated small world {seed}"
    portfolio["start"], portfolio["periods"] = _START, n_periods
    portfolio["sites"] = [{"site": f"./{site['name']}.yaml", "provenance": provenance} for site in sites]
    portfolio["configurations"] = list(offer)
    kw = round(draw.uniform(300, 3500))
    steps = [{"start": "2026-Q1", "capacity": f"{kw} kW"}]
    if n_periods > 2 and draw.random() < 0.3:
        steps.append({"start": _quarter(n_periods - 1), "capacity": f"{round(kw * draw.uniform(0.6, 1.3))} kW"})
    portfolio["envelope"] = {"basis": draw.choice(("it", "meter")), "steps": steps, "provenance": provenance}
    systems = list(dict.fromkeys(name.partition("/")[0] for name in offer))
    portfolio["supply"] = [
        {"system": system, "deliveries": _deliveries(draw, n_periods), "provenance": provenance} for system in systems
    ]
    if draw.random() < 0.5:
        portfolio["contract"] = {"amount": f"{draw.randint(1, 60)}00000 USD", "provenance": provenance}
    portfolio["money"] |= _money(draw, n_periods)
    portfolio["money"]["systems"] = [_system_money(draw, system, provenance) for system in systems]
    return portfolio


def _deliveries(draw: random.Random, n_periods: int) -> list[dict[str, Any]]:
    first = {"quarter": _START, "racks": draw.randint(1, 8)}
    later = [{"quarter": _quarter(t), "racks": draw.randint(1, 8)} for t in range(1, n_periods) if draw.random() < 0.5]
    return [first, *later]


def _money(draw: random.Random, n_periods: int) -> dict[str, Any]:
    return {
        "discount_rate_per_year": draw.choice(("0", "0.09")),
        "rental_decline_per_year": f"{draw.uniform(0, 0.5):.3f}",
        "market_factor": draw.choice(("1", "0.7")),
        "annual_pue": f"{draw.uniform(1.05, 1.4):.2f}",
        "opex_per_it_watt_year": f"{draw.uniform(0, 2):.2f} USD/W",
        "economic_life_quarters": draw.randint(n_periods, n_periods + 8),
        "acceptance_lag_quarters": draw.choice((0, 0, 1)),
    }


def _system_money(draw: random.Random, system: str, provenance: Any) -> dict[str, Any]:
    price = 72 * 2190 * draw.uniform(1.5, 3.0) * draw.randint(1, 6)
    return {
        "system": system,
        "rack_price": f"{round(price)} USD",
        "network_price": f"{draw.randint(0, 60)}000 USD",
        "rental": f"{draw.uniform(1.0, 3.5):.2f} USD/gpu/h",
        "provenance": provenance,
    }


def _quarter(period: int) -> str:
    return quarter_name(quarter_index(_START) + period)
