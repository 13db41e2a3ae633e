"""What racks work for, in the report: demand against what is served, cost of a million, and the rates behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.report.steps import StepChart, step_chart
from planner.report.words import dollars, kind_title, percent
from sites.schema.throughput import Counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sites.schema.workload import Workload
    from sites.world import World

_SECONDS_PER_QUARTER = 2190 * 3600
_PREFIXES = ((1e9, "billion "), (1e6, "million "), (1e3, "thousand "), (1.0, ""))


@dataclass(frozen=True)
class TierLine:
    """One tier over all quarters."""

    tier: str
    demand: str
    share: float
    """Served, in percent."""
    share_text: str
    revenue: str
    penalty: str


@dataclass(frozen=True)
class WorkloadView:
    """One workload: its chart, its tiers and who serves it."""

    title: str
    note: str
    share: str
    """Served of the demand of the decision quarters."""
    chart: StepChart
    tiers: tuple[TierLine, ...]
    served_by: tuple[tuple[int, str, str, float], ...]
    """Number of a configuration, its name, share of rack-hours as text and in percent."""


@dataclass(frozen=True)
class CostLine:
    """What a million of a workload costs, beside what it brings."""

    workload: str
    counts: str
    hours: str
    shared: str
    energy: str
    charges: str
    cost: str
    per_million: str
    price: str
    """Revenue over millions served, both undiscounted."""


@dataclass(frozen=True)
class RateLine:
    """What one rack does for a workload as it was measured."""

    workload: str
    configuration: str
    rate: str
    status: str
    note: str


@dataclass(frozen=True)
class ServiceView:
    """What the section shows."""

    workloads: tuple[WorkloadView, ...]
    costs: tuple[CostLine, ...]
    cost_total: str
    unworked: str | None
    rates: tuple[RateLine, ...]
    last_decision: str


def service_view(document: Mapping[str, Any], world: World) -> ServiceView | None:
    """Gather the section; None where nothing works.

    Parameters: document, the content of `plan.json`.
    """
    if not document.get("served"):
        return None
    costs = document["unit_costs"]
    return ServiceView(
        workloads=tuple(_workload(document, world, one) for one in world.portfolio.workloads),
        costs=tuple(_cost(document, world, one) for one in costs["workloads"]),
        cost_total=dollars(costs["total_cents"]),
        unworked=dollars(costs["unworked_cents"]) if costs["unworked_cents"] else None,
        rates=tuple(_rates(document, world)),
        last_decision=document["periods"][-1],
    )


def _tiers(document: Mapping[str, Any], workload: str) -> list[Mapping[str, Any]]:
    return [one for one in document["served"]["tiers"] if one["workload"] == workload]


def _counted(world: World, workload: Workload) -> str:
    """What a workload's basis counts, in words."""
    counts = world.catalog.throughput[workload.basis].counts
    return "units of work" if counts is Counted.RELATIVE else str(counts).replace("-", " ")


def _workload(document: Mapping[str, Any], world: World, workload: Workload) -> WorkloadView:
    tiers = _tiers(document, workload.name)
    decided = len(document["periods"])
    demand, served = (sum(sum(one[key][:decided]) for one in tiers) for key in ("demand_units", "served_units"))
    speed = "batch work" if workload.speed is None else f"{float(workload.speed):g} tokens/s/user"
    places = "every site" if workload.sites is None else ", ".join(workload.sites)
    return WorkloadView(
        title=workload.title,
        note=f"{kind_title(workload.kind)}, {workload.family} model, {speed}; {places}",
        share=percent(served / demand if demand else None),
        chart=_chart(document["served"]["quarters"], workload, tiers, _counted(world, workload)),
        tiers=tuple(_tier(one) for one in tiers),
        served_by=tuple(_served_by(document, workload.name)),
    )


def _chart(quarters: Sequence[str], workload: Workload, tiers: Sequence[Mapping[str, Any]], counted: str) -> StepChart:
    """Average rates over each quarter: what each tier gets, and what all of them ask."""

    def rates(tier: Mapping[str, Any], key: str) -> list[float]:
        return [units * tier["unit"] / _SECONDS_PER_QUARTER for units in tier[key]]

    asked = [sum(column) for column in zip(*(rates(one, "demand_units") for one in tiers), strict=True)]
    factor, prefix = next(((f, word) for f, word in _PREFIXES if max(asked) >= f), _PREFIXES[-1])
    layers = [(one["tier"], [rate / factor for rate in rates(one, "served_units")]) for one in tiers]
    served = [sum(column) for column in zip(*(values for _, values in layers), strict=True)]
    titles = [
        f"{quarter}: {own:,.4g} of {all_ / factor:,.4g} {prefix}{counted} a second"
        for quarter, own, all_ in zip(quarters, served, asked, strict=True)
    ]
    about = f"{workload.title}: what is served in each quarter against demand; the table below has the sums"
    return step_chart(about, f"{prefix}{counted}/s", quarters, layers, [rate / factor for rate in asked], titles)


def _tier(tier: Mapping[str, Any]) -> TierLine:
    demand, served = sum(tier["demand_units"]), sum(tier["served_units"])
    share = served / demand if demand else None
    return TierLine(
        tier=tier["tier"],
        demand=_amount(demand * tier["unit"]),
        share=round(100 * (share or 0), 2),
        share_text=percent(share),
        revenue=dollars(sum(tier["revenue_cents"])),
        penalty=dollars(sum(tier["penalty_cents"])) if any(tier["penalty_cents"]) else "",
    )


def _amount(value: float) -> str:
    for factor, word in ((1e15, " quadrillion"), (1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if value >= factor:
            return f"{value / factor:,.4g}{word}"
    return f"{value:,.0f}"


def _served_by(document: Mapping[str, Any], workload: str) -> Iterator[tuple[int, str, str, float]]:
    """Configurations by their share of the rack-hours worked, the largest first, numbered as the mix numbers them."""
    numbers = {name: number for number, name in enumerate(document["totals"][-1]["racks"])}
    hours: dict[str, int] = {}
    for one in document["service"]:
        if one["workload"] == workload:
            hours[one["configuration"]] = hours.get(one["configuration"], 0) + one["hours"]
    total = sum(hours.values())
    for configuration, own in sorted(hours.items(), key=lambda item: -item[1]):
        yield numbers[configuration], configuration, percent(own / total), round(100 * own / total, 2)


def _cost(document: Mapping[str, Any], world: World, cost: Mapping[str, Any]) -> CostLine:
    workload = next(one for one in world.portfolio.workloads if one.name == cost["workload"])
    tiers = _tiers(document, workload.name)
    millions = sum(sum(one["served_units"]) * one["unit"] for one in tiers) / 1e6
    revenue = sum(sum(one["revenue_cents"]) for one in tiers) / 100
    each = cost["usd_per_million"]
    return CostLine(
        workload=workload.title,
        counts=_counted(world, workload),
        hours=f"{cost['rack_hours']:,}",
        shared=dollars(cost["shared_cents"]),
        energy=dollars(cost["energy_cents"]),
        charges=dollars(cost["charges_cents"]) if cost["charges_cents"] else "",
        cost=dollars(cost["cost_cents"]),
        per_million="–" if each is None else _usd(each),
        price=_usd(revenue / millions) if millions else "–",
    )


def _usd(value: float) -> str:
    """USD with four significant figures, whole ones in full."""
    return f"${value:,.0f}" if value >= 1000 else f"${value:.4g}"


def _rates(document: Mapping[str, Any], world: World) -> Iterator[RateLine]:
    titles = {one.name: one for one in world.portfolio.workloads}
    for one in document.get("rates") or ():
        workload = titles[one["workload"]]
        if one["rate_per_s"] is None:
            yield RateLine(workload.title, one["configuration"], "cannot serve", "", one["reason"])
            continue
        notes = [f"{one['software']}, measured {one['measured']}"]
        notes += ["between two points"] if one["interpolated"] else []
        notes += ["time to first token not stated by every point that serves"] if one["ttft_unchecked"] else []
        notes += [one["note"]] if one["note"] else []
        rate = f"{one['rate_per_s']:,.4g} {_counted(world, workload)}/s"
        yield RateLine(workload.title, one["configuration"], rate, one["status"], "; ".join(notes))
