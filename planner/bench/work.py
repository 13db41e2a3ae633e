"""Work, clauses and refreshes for generated campuses, so that bound and search are measured with them too.

Workloads are those of the library's deal, their demand scaled to the campus; clauses are sized to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.bench.templates import library_file
from sites import library
from sites.calendar import quarter_index, quarter_name

if TYPE_CHECKING:
    import random

_DEAL = "claude-on-azure-1gw"
_DEAL_MW = 1000
_WORK_KEYS = ("software_gains", "gain_case", "co_design_gains", "goodput")
_DOWNTIME_QUARTERS = 1
_DESIGNED = {"status": "assumption", "source": "Drawn for a generated campus"}


def with_work(portfolio: dict[str, Any], draw: random.Random, full_mw: float) -> dict[str, Any]:
    """A portfolio of rented racks turned into one of racks that work, under clauses and with refreshes.

    Parameters: portfolio, content of a generated portfolio's file; draw; full_mw, what the full campus draws at the
    meter.
    """
    deal = library_file(library.find(_DEAL), _DEAL)
    portfolio = {**portfolio, "perspective": "chain"}
    portfolio.update({key: deal[key] for key in _WORK_KEYS})
    portfolio["workloads"] = [_scaled(one, full_mw / _DEAL_MW, draw) for one in deal["workloads"]]
    portfolio["tranches"] = _tranches(portfolio, draw, full_mw)
    portfolio["floors"] = [_floor(portfolio, draw, full_mw)]
    portfolio["refresh"] = [_refresh(portfolio)]
    return portfolio


def _scaled(workload: dict[str, Any], share: float, draw: random.Random) -> dict[str, Any]:
    """Demand in proportion to the campus, shaken tier by tier."""
    tiers = []
    for tier in workload["tiers"]:
        factor = share * draw.uniform(0.7, 1.3)
        demand = [{**step, "rate": f"{float(step['rate'].split()[0]) * factor:.6g} 1/s"} for step in tier["demand"]]
        tiers.append({**tier, "demand": demand})
    return {**workload, "tiers": tiers}


def _quarter(portfolio: dict[str, Any], share: float) -> str:
    """The decision quarter at a share of the plan."""
    return quarter_name(quarter_index(portfolio["start"]) + round(share * (portfolio["periods"] - 1)))


def _tranches(portfolio: dict[str, Any], draw: random.Random, full_mw: float) -> list[dict[str, Any]]:
    """Two instalments: one that a good plan reaches, one at the edge of what can stand by then."""
    asked = (("first", 0.5, draw.uniform(0.15, 0.25)), ("second", 0.75, draw.uniform(0.4, 0.7)))
    return [
        {
            "name": name, "measure": "meter-w", "by": _quarter(portfolio, by), "target": f"{full_mw * part:.3f} MW",
            "cash": f"{full_mw * draw.uniform(0.5, 2):.0f}e6 USD", "provenance": _DESIGNED,
        }
        for name, by, part in asked
    ]  # fmt: skip


def _floor(portfolio: dict[str, Any], draw: random.Random, full_mw: float) -> dict[str, Any]:
    racks = round(full_mw * draw.uniform(0.5, 1.0))
    steps = [{"start": _quarter(portfolio, 0.4), "minimum": racks}]
    return {
        "name": "racks", "measure": "racks", "steps": steps, "price": f"{draw.uniform(1, 5):.2f}e5 USD",
        "provenance": _DESIGNED,
    }  # fmt: skip


def _refresh(portfolio: dict[str, Any]) -> dict[str, Any]:
    """Grace Blackwell makes way for Vera Rubin in either of two quarters."""
    return {
        "before": "gb300-nvl72", "after": "vr-nvl72",
        "quarters": [_quarter(portfolio, 0.6), _quarter(portfolio, 0.8)],
        "downtime_quarters": _DOWNTIME_QUARTERS, "removal_cost": "40e3 USD",
        "resale": [{"age_quarters": 0, "share": "70 %"}, {"age_quarters": 8, "share": "35 %"}],
        "provenance": _DESIGNED,
    }  # fmt: skip
