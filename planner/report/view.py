"""What the report's template shows, gathered from a run's documents, its world and its graphs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from planner.report.assumptions import AssumptionGroup, assumption_groups
from planner.report.books import BooksView, books_view
from planner.report.breakeven import BreakEven, break_evens
from planner.report.cash import CashView, cash_view
from planner.report.contract import ContractView, contract_view
from planner.report.dates import DatesView, dates_view
from planner.report.failures import FailureGroup, FailureSummary, failure_groups, failure_summary
from planner.report.floor import FloorHistory, SiteFloor, history, site_floor, standing_racks
from planner.report.generations import GenerationsView, generations_view
from planner.report.limits import (
    ConversionLine,
    LimitGroup,
    RefusalLine,
    conversion_lines,
    limit_groups,
    refusal_lines,
)
from planner.report.network import NetworkView, network_view
from planner.report.power import FAMILY_ORDER, LEVEL_ORDER, LevelLine, Panel, level_lines, panels
from planner.report.service import ServiceView, service_view
from planner.report.summary import (
    ConfigurationLine,
    MoneySummary,
    Ramp,
    Tile,
    configuration_lines,
    lead,
    money_summary,
    ramp,
    tiles,
)
from planner.run.evaluate import element_kinds
from planner.run.totals import configuration_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.run.totals import ConfigurationFacts
    from sites.expansion.graphs import SiteGraphs
    from sites.world import World


@dataclass(frozen=True)
class MadeLine:
    """One line of how the plan was made."""

    label: str
    text: str


@dataclass(frozen=True)
class Head:
    """The top of the page."""

    title: str
    lead: str
    first: str
    last: str
    periods: tuple[str, ...]
    n_sites: int
    status: str
    stop_reason: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class View:
    """Everything that the template shows."""

    head: Head
    configurations: tuple[ConfigurationLine, ...]
    ramp: Ramp
    panels: tuple[Panel, ...]
    levels: tuple[LevelLine, ...]
    floors: tuple[SiteFloor, ...]
    any_occupied: bool
    floor_json: str
    limits: tuple[LimitGroup, ...]
    failures: tuple[FailureGroup, ...]
    failure_summary: FailureSummary | None
    dates: DatesView
    network: NetworkView
    money: MoneySummary
    budget_note: str
    cash: CashView | None
    books: BooksView | None
    service: ServiceView | None
    contract: ContractView | None
    break_evens: tuple[BreakEven, ...]
    generations: GenerationsView | None
    refusals: tuple[RefusalLine, ...]
    conversions: tuple[ConversionLine, ...]
    assumptions: tuple[AssumptionGroup, ...]
    n_assumptions: int
    made: tuple[MadeLine, ...]
    version: str


def build_view(
    document: Mapping[str, Any],
    manifest: Mapping[str, Any],
    world: World,
    graphs_by_site: Mapping[str, SiteGraphs],
) -> View:
    """Gather the report's content.

    Parameters: document and manifest, the contents of `plan.json` and `manifest.json`; world and graphs_by_site, as
    loaded from the run's inputs.
    """
    configurations = tuple(document["totals"][-1]["racks"])
    offered = [name for name in world.portfolio.configurations if name in configurations]
    facts = configuration_facts(world.catalog, offered)
    standing = standing_racks(document, offered)
    floors = _floors(world, graphs_by_site, standing, offered)
    assumptions = assumption_groups(world, _used_entries(world, offered))
    return View(
        head=_head(document, world, facts),
        configurations=configuration_lines(document, facts),
        ramp=ramp(document, facts),
        panels=panels(document, world, graphs_by_site),
        levels=level_lines(document),
        floors=floors,
        any_occupied=any(
            row.occupied for site in floors for hall in site.halls for card in hall.lineups for row in card.rows
        ),
        floor_json=floor_json(history(document, standing)),
        limits=limit_groups(document, element_kinds(graphs_by_site), FAMILY_ORDER),
        failures=failure_groups(document, LEVEL_ORDER),
        failure_summary=failure_summary(document),
        dates=dates_view(document, world.catalog),
        network=network_view(document, world),
        money=money_summary(document),
        budget_note=_budget_note(world),
        cash=cash_view(document),
        books=books_view(document),
        service=service_view(document, world),
        contract=contract_view(document),
        break_evens=break_evens(world, graphs_by_site),
        generations=generations_view(world),
        refusals=refusal_lines(document),
        conversions=conversion_lines(document),
        assumptions=assumptions,
        n_assumptions=sum(len(group.entries) for group in assumptions),
        made=_made(document, manifest),
        version=metadata.version("gigaplan"),
    )


def _head(document: Mapping[str, Any], world: World, facts: Sequence[ConfigurationFacts]) -> Head:
    return Head(
        title=world.portfolio.title,
        lead=lead(document, facts),
        first=document["periods"][0],
        last=document["periods"][-1],
        periods=tuple(document["periods"]),
        n_sites=len(world.sites),
        status=document["status"],
        stop_reason=document["stop_reason"].replace("-", " "),
        tiles=tiles(document, world),
    )


def floor_json(floor: FloorHistory) -> str:
    """The slider's data as JSON that is safe inside a script element."""
    text = json.dumps({"periods": floor.periods, "rows": floor.rows}, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _floors(
    world: World,
    graphs_by_site: Mapping[str, SiteGraphs],
    standing: dict[str, list[list[int]]],
    configurations: list[str],
) -> tuple[SiteFloor, ...]:
    floors = []
    for one in world.sites:
        offered = one.entry.buildings
        ours = [b.name for b in one.site.buildings if (b.name in offered if offered is not None else b.available)]
        graphs = graphs_by_site[one.name]
        floors.append(site_floor(one.name, one.site.title, graphs, standing, configurations, ours))
    return tuple(floors)


_EQUIPMENT_KEYS = frozenset({"equipment", "busway", "bus", "transfer_switch", "spine_switch", "leaf_switches"})


def _used_entries(world: World, configurations: list[str]) -> dict[str, BaseModel]:
    """Catalogue entries that the plan uses: rack systems on offer and the equipment named by the sites."""
    catalog = world.catalog
    used: dict[str, BaseModel] = {}
    for name in configurations:
        system = catalog.configuration(name).system
        used[f"Rack system {system.title}"] = system
    named = sorted({name for one in world.sites for name in _equipment_names(one.site)})
    for family in (catalog.power, catalog.cooling, catalog.switches):
        used |= {f"Equipment {family[name].title}": family[name] for name in named if name in family}
    used |= {f"Medium {medium.title}": medium for medium in catalog.media.values()}
    used |= {f"Cabling {name}": rule for name, rule in catalog.cabling.items()}
    used |= {f"Wiring {name}": wiring for name, wiring in catalog.wirings.items()}
    return used


def _equipment_names(value: object) -> Iterator[str]:
    """Every name under a key that names equipment, at any depth of a site file."""
    if isinstance(value, BaseModel):
        for key in type(value).model_fields:
            item = getattr(value, key)
            if key in _EQUIPMENT_KEYS and isinstance(item, (str, tuple)):
                yield from (name for name in ((item,) if isinstance(item, str) else item) if isinstance(name, str))
            else:
                yield from _equipment_names(item)
    elif isinstance(value, (tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _equipment_names(item)


def _budget_note(world: World) -> str:
    budget = world.portfolio.money.rack_budget
    if budget is None:
        return "The portfolio sets no budget for racks, so none limits the plan."
    more = sum(tranche.rack_budget or 0 for tranche in world.portfolio.tranches)
    added = f" Instalments whose milestones are met add up to ${float(more):,.0f}." if more else ""
    return f"The portfolio limits spending on racks to ${float(budget):,.0f}.{added}"


def _made(document: Mapping[str, Any], manifest: Mapping[str, Any]) -> tuple[MadeLine, ...]:
    machine, versions = manifest["machine"], manifest["versions"]
    packages = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()) if version is not None)
    return (
        MadeLine("Portfolio", document["portfolio"]),
        MadeLine("Started", str(manifest["times"].get("started_utc", "unknown"))),
        MadeLine("Solved in", f"{document['wall_s']:.1f} s on {machine['cores']} cores, {machine['architecture']}"),
        MadeLine("Backend and seed", f"{document['backend']}, seed {document['seed']}"),
        MadeLine("Objective and bound", f"{document['objective']:,} and {document['bound']:,} cents"),
        MadeLine("Inputs", f"{len(manifest['inputs'])} files, SHA-256 {manifest['input_hash']}"),
        MadeLine("Versions", packages),
    )
