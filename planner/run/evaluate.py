"""Everything that a run says about its plan, worked out once from the plan, the graphs and the problem."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.money.books import Books, books_of
from planner.money.flows import flow_of
from planner.money.ledger import CashLedger, cash_ledger
from planner.money.scene import scene_of
from planner.money.service import ServedLedger, Service, served, service
from planner.money.unit_costs import UnitCosts, unit_costs
from planner.run.binding import BindingLimit, LevelUse, Stranding, binding_limits, level_use, strandings
from planner.run.conversions import ConvertedRow, converted_rows
from planner.run.dates import DatesLedger, dates_ledger
from planner.run.draws import Rooms, configuration_draw, occupied_draws, plan_draws, split_name
from planner.run.failures import Failure, PlanRow, site_failures
from planner.run.flow import RowDraw
from planner.run.loads import limit_loads
from planner.run.openings import OpenedPhase, opened_phases
from planner.run.rates import WorkRate, work_rates
from planner.run.refreshes import RefreshedRow, WaitingRows, refreshed_rows, waiting_rows
from planner.run.totals import PeriodTotals, configuration_facts, meter_steps, period_totals, step_at
from planner.run.value import Money, UnitCount, money, unit_counts
from planner.side.worth import with_decided_capacity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from planner.lower.lowered import Lowered
    from planner.lower.refresh import Refreshes
    from planner.problem import Problem
    from planner.run.totals import ConfigurationFacts
    from sites.expansion.graphs import SiteGraphs
    from sites.world import World


@dataclass(frozen=True)
class IneligibleCount:
    """A reason why a configuration may not stand in rows of a site, and in how many; `row` is the first."""

    site: str
    configuration: str
    reason: str
    n_rows: int
    row: str


@dataclass(frozen=True)
class Evaluation:
    """Totals, limits that bind, failures, dates and money of one plan."""

    totals: tuple[PeriodTotals, ...]
    binding: tuple[BindingLimit, ...]
    stranding: tuple[Stranding, ...]
    levels: tuple[LevelUse, ...]
    failures: tuple[Failure, ...]
    money: Money
    units: tuple[UnitCount, ...]
    ineligible: tuple[IneligibleCount, ...]
    dates: DatesLedger
    conversions: tuple[ConvertedRow, ...]
    refreshes: tuple[RefreshedRow, ...]
    waiting: tuple[WaitingRows, ...]
    cash: CashLedger
    books: Books
    rates: tuple[WorkRate, ...]
    """Empty where nothing works."""
    service: tuple[Service, ...]
    served: ServedLedger
    unit_costs: UnitCosts
    openings: tuple[OpenedPhase, ...]
    """Sites and phases that the plan opens where they pay."""


def evaluate(
    world: World,
    lowered: Lowered,
    graphs_by_site: Mapping[str, SiteGraphs],
    n_racks: NDArray[np.int32],
    decisions: Mapping[str, int] | None = None,
) -> Evaluation:
    """Evaluate a plan.

    Parameters: world, as loaded; lowered, and graphs_by_site of the same world; n_racks, standing racks,
    [n_rows, n_configurations, n_periods]; decisions, of the side program by name of column, missing where there is
    none.
    """
    problem = lowered.problem
    decided = with_decided_capacity(problem, decisions or {})
    loads = limit_loads(problem, n_racks)
    refreshes, standing = lowered.refreshes, lowered.refreshes.as_they_are(n_racks)
    offered = world.portfolio.configurations
    draws = refreshes.of_each([configuration_draw(world.catalog, name) for name in offered], RowDraw())
    facts = configuration_facts(world.catalog, offered)
    rooms, kinds = Rooms(problem, standing, graphs_by_site, draws), element_kinds(graphs_by_site)
    totals = period_totals(world, lowered, standing, facts)
    worth = money(problem, n_racks, rack_prices_cents(world, refreshes), decisions)
    scene = scene_of(world, lowered, n_racks, decisions)
    flow = flow_of(scene)
    levels = _other_levels(level_use(decided, loads, kinds, lowered.dropped))
    return Evaluation(
        totals=totals,
        binding=binding_limits(decided, loads, rooms),
        stranding=strandings(decided, loads, rooms, kinds),
        levels=(*meter_levels(world, graphs_by_site, totals), *levels),
        failures=_failures(world, problem, graphs_by_site, standing, draws, facts),
        money=worth,
        units=unit_counts(problem, n_racks, refreshes),
        ineligible=_ineligible(problem),
        conversions=tuple(converted_rows(world.catalog, lowered, n_racks)),
        dates=dates_ledger(world, decided, graphs_by_site, standing, facts, loads),
        refreshes=tuple(refreshed_rows(world.portfolio, lowered, n_racks)),
        waiting=tuple(waiting_rows(lowered, n_racks, loads)),
        cash=cash_ledger(scene, flow, worth.objective_cents),
        books=books_of(scene, flow, totals, worth.objective_cents),
        rates=work_rates(world),
        service=service(scene),
        served=served(scene),
        unit_costs=unit_costs(scene, flow),
        openings=opened_phases(world.portfolio, problem, n_racks),
    )


def meter_levels(
    world: World, graphs_by_site: Mapping[str, SiteGraphs], totals: Sequence[PeriodTotals]
) -> Iterator[LevelUse]:
    """Use of the envelope and of every meter, whether or not another limit implies it, from the totals."""
    envelope = [share(one.envelope_w, step_at(world.portfolio.envelope.steps, one.period)) for one in totals]
    yield _known_level("*", "envelope", envelope)
    for site in world.sites:
        steps, used = meter_steps(graphs_by_site[site.name]), []
        for one in totals:
            plan_w, all_w = one.plan_meter_w.get(site.name, 0), one.meter_w.get(site.name, 0)
            used.append(share(plan_w, step_at(steps, one.period) - (all_w - plan_w)))
        yield _known_level(site.name, "meter", used)


def _known_level(site: str, family: str, used: list[float | None]) -> LevelUse:
    return LevelUse(site, family, family, False, False, tuple(used), (True,) * len(used))


def share(part: int, whole: int) -> float | None:
    """Part over whole; None where there is no whole."""
    return part / whole if whole > 0 else None


def _other_levels(levels: Sequence[LevelUse]) -> Iterator[LevelUse]:
    return (level for level in levels if level.family not in {"meter", "envelope"})


def rack_prices_cents(world: World, refreshes: Refreshes) -> list[int]:
    """Price of a rack of each system: the portfolio's, else the catalogue's; whole cents, rounded up.

    A refresh buys a rack of the old and one of the new system.
    """
    own = {entry.system: entry.rack_price for entry in world.portfolio.money.systems}
    prices = {}
    for name in refreshes.offer.systems:
        price = own.get(name)
        if price is None:
            price = world.catalog.rack_systems[name].price.value
        prices[name] = math.ceil((price or 0) * 100)
    both = [prices[option.refresh.before] + prices[option.refresh.after] for option in refreshes.options]
    return [*prices.values(), *both]


def element_kinds(graphs_by_site: Mapping[str, SiteGraphs]) -> dict[tuple[str, str], str]:
    """Kind of every power element, mechanical and support load by (site, id)."""
    return {
        (site, node): str(fields["kind"])
        for site, graphs in graphs_by_site.items()
        for node, fields in graphs.power.nodes(data=True)
        if fields["kind"] != "row"
    }


def _failures(
    world: World,
    problem: Problem,
    graphs_by_site: Mapping[str, SiteGraphs],
    n_racks: NDArray[np.int32],
    draws: Sequence[RowDraw],
    facts: Sequence[ConfigurationFacts],
) -> tuple[Failure, ...]:
    """Every failure of every site in the last decision period."""
    last = problem.n_periods - 1
    planned: dict[str, dict[str, RowDraw]] = defaultdict(dict)
    racks: dict[str, dict[str, PlanRow]] = defaultdict(dict)
    index = {name: row for row, name in enumerate(problem.row_names)}
    for name, draw in plan_draws(problem, n_racks, last, draws).items():
        site, row = split_name(name)
        planned[site][row] = draw
        standing = [int(n) for n in n_racks[index[name], : len(facts), last]]
        n_gpus = sum(n * fact.gpus for n, fact in zip(standing, facts, strict=True))
        racks[site][row] = PlanRow(sum(standing), n_gpus, draw.it_w)
    failures: list[Failure] = []
    for site, graphs in graphs_by_site.items():
        everything = occupied_draws(graphs, world.catalog) | planned[site]
        failures += site_failures(site, graphs, problem.periods[last], everything, racks[site])
    return tuple(failures)


def _ineligible(problem: Problem) -> tuple[IneligibleCount, ...]:
    counted: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in problem.ineligible:
        counted[one.site, one.configuration, one.reason].append(one.row)
    return tuple(IneligibleCount(*key, len(rows), rows[0]) for key, rows in counted.items())
