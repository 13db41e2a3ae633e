"""Who waited for whom: four dates for the racks of each lineup, and the weeks that stood idle for the last of them.

Racks, network, facility and power must all be there before a rack stands. Whatever is ready earlier stands idle until
the last of the four has come, and from then on for as long as the plan leaves it so.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from planner.run.draws import split_name
from planner.run.holding import Holding
from planner.run.ready import Ready, lineups_ready
from planner.run.totals import system_counts
from sites.calendar import quarter_index, quarter_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.run.ready import LineupReady
    from planner.run.totals import ConfigurationFacts
    from sites.expansion.graphs import SiteGraphs
    from sites.schema.portfolio import Supply
    from sites.world import World

WEEKS = 13
"""Weeks of a quarter."""
RACKS, NETWORK, FACILITY, POWER = "racks", "network", "facility", "power"
PARTIES = (RACKS, NETWORK, FACILITY, POWER)
_LAST_OF_EQUALS = (FACILITY, POWER, NETWORK, RACKS)
"""Of dates that are equally late the first of these binds."""
PLAN = "plan"
"""What is waited for once all four are there: the plan's own limits, or a better use of the racks."""


@dataclass(frozen=True)
class Tranche:
    """Racks of one system that start in one lineup in one quarter, or a lineup that holds none to the end."""

    site: str
    building: str
    lineup: str
    system: str | None
    stands: str | None
    """Quarter in which they start; None for an empty lineup."""
    n_racks: int
    positions: int
    it_w: int
    racks: str | None
    """Quarter in which the last of them is delivered, deliveries taken in the order in which racks start."""
    network: str
    facility: str
    facility_part: str
    power: str
    power_part: str
    binds: str
    """Which of the four is last."""
    held_by: tuple[str, ...]
    """Families of limits that bind there in the quarter before they start, where all four were ready earlier."""
    idle_racks_weeks: int
    idle_network_weeks: int
    idle_facility_weeks: int
    idle_power_weeks: int


@dataclass(frozen=True)
class LedgerLine:
    """What stood ready and idle on a site, by who was waited for."""

    site: str
    ready: str
    waits_for: str
    watt_weeks: int
    position_weeks: int


@dataclass(frozen=True)
class DatesLedger:
    """The four dates of everything that stands, and the ledger of idle weeks."""

    tranches: tuple[Tranche, ...]
    ledger: tuple[LedgerLine, ...]


@dataclass(frozen=True)
class _FourDates:
    """When each of the four is ready; no racks for a lineup that stays empty."""

    racks: Ready | None
    lineup: LineupReady

    @property
    def quarters(self) -> dict[str, int]:
        """Quarters since year 0 by party, in their order."""
        racks = {} if self.racks is None else {RACKS: self.racks.quarter}
        others = {NETWORK: self.lineup.network, FACILITY: self.lineup.facility, POWER: self.lineup.power}
        return racks | {party: one.quarter for party, one in others.items()}

    @property
    def binds(self) -> str:
        """Which is last."""
        quarters = self.quarters
        return max((party for party in _LAST_OF_EQUALS if party in quarters), key=lambda party: quarters[party])

    def idle_weeks(self, party: str, begin: int, end: int) -> int:
        """Weeks from when a party is ready, or the plan begins, to the quarter `end`; all as quarters since year 0."""
        ready = self.quarters.get(party)
        return 0 if ready is None else WEEKS * max(end - max(ready, begin), 0)


@dataclass(frozen=True)
class _Start:
    """Racks that start: a tranche without its dates; `period` is the number of the decision quarter."""

    site: str
    lineup: str
    system: int
    period: int
    n_racks: int
    it_w: int


def dates_ledger(
    world: World,
    problem: Problem,
    graphs_by_site: Mapping[str, SiteGraphs],
    n_racks: NDArray[np.int32],
    facts: Sequence[ConfigurationFacts],
    loads: NDArray[np.int64],
) -> DatesLedger:
    """The four dates of every tranche and what stood idle for them.

    Parameters: world; problem; graphs of each site; n_racks, [n_rows, n_configurations, n_periods]; facts, in the
    problem's order of configurations; loads, scaled by 2^20, [n_limits, n_periods]. Weeks before the plan begins do
    not count.
    """
    lineup_of_row = [_lineup_of(graphs_by_site, name) for name in problem.row_names]
    holding = Holding(problem, loads, lineup_of_row)
    ready = {site: lineups_ready(graphs) for site, graphs in graphs_by_site.items()}
    tranches: list[Tranche] = []
    starts = list(_starts(problem, lineup_of_row, n_racks, facts))
    delivered = _delivered(starts, problem.system_names, world.portfolio.supply)
    for start, quarter in zip(starts, delivered, strict=True):
        dates = _FourDates(Ready(quarter, RACKS), ready[start.site][start.lineup])
        tranches.append(_tranche(world, problem, start, dates, holding))
    filled = {(start.site, start.lineup) for start in starts}
    for site, lineup in dict.fromkeys(lineup_of_row):
        if (site, lineup) not in filled:
            positions = _positions(graphs_by_site[site], lineup)
            tranches.append(_empty(problem, site, lineup, positions, _FourDates(None, ready[site][lineup]), holding))
    return DatesLedger(tuple(tranches), ledger(tranches))


def _positions(graphs: SiteGraphs, lineup: str) -> int:
    tree = graphs.containment
    return sum(int(tree.nodes[row]["positions"]) for row in tree.successors(lineup))


def _lineup_of(graphs_by_site: Mapping[str, SiteGraphs], name: str) -> tuple[str, str]:
    site, row = split_name(name)
    return site, graphs_by_site[site].containment.nodes[row]["lineup_id"]


def _starts(
    problem: Problem,
    lineup_of_row: Sequence[tuple[str, str]],
    n_racks: NDArray[np.int32],
    facts: Sequence[ConfigurationFacts],
) -> Iterator[_Start]:
    """Racks that start, by quarter, then in order of the rows; their watts are those of their first quarter."""
    counts = system_counts(problem, n_racks)
    before = counts * 0
    before[:, :, 1:] = counts[:, :, :-1]
    for t in range(problem.n_periods):
        started: dict[tuple[str, str, int], list[int]] = defaultdict(lambda: [0, 0])
        for r, s in zip(*(counts[:, :, t] > before[:, :, t]).nonzero(), strict=True):
            n = int(counts[r, s, t] - before[r, s, t])
            standing_w = sum(
                fact.it_w * int(n_racks[r, k, t])
                for k, fact in enumerate(facts)
                if problem.system_of_configuration_idx[k] == s
            )
            entry = started[(*lineup_of_row[r], int(s))]
            entry[0] += n
            entry[1] += standing_w * n // int(counts[r, s, t])
        for (site, lineup, system), (n, watts) in started.items():
            yield _Start(site, lineup, system, t, n, watts)


def _delivered(starts: Sequence[_Start], systems: Sequence[str], supply: Sequence[Supply]) -> Iterator[int]:
    """Quarter in which the last rack of each tranche is delivered; first delivered, first started."""
    deliveries = {entry.system: entry.deliveries for entry in supply}
    n_started: dict[int, int] = defaultdict(int)
    for start in starts:
        n_started[start.system] += start.n_racks
        lots = deliveries[systems[start.system]]
        so_far = accumulate(lot.racks for lot in lots)
        enough = (lot for lot, n in zip(lots, so_far, strict=True) if n >= n_started[start.system])
        yield quarter_index(next(enough).quarter)


def _tranche(world: World, problem: Problem, start: _Start, dates: _FourDates, holding: Holding) -> Tranche:
    system = problem.system_names[start.system]
    begin, stands = quarter_index(problem.periods[0]), quarter_index(problem.periods[start.period])
    held = stands > max(begin, *dates.quarters.values())
    return Tranche(
        site=start.site,
        building=dates.lineup.building,
        lineup=start.lineup,
        system=system,
        stands=problem.periods[start.period],
        n_racks=start.n_racks,
        positions=start.n_racks * (world.catalog.rack_systems[system].positions.value or 0),
        it_w=start.it_w,
        racks=quarter_name(dates.quarters[RACKS]),
        network=quarter_name(dates.lineup.network.quarter),
        facility=quarter_name(dates.lineup.facility.quarter),
        facility_part=dates.lineup.facility.part,
        power=quarter_name(dates.lineup.power.quarter),
        power_part=dates.lineup.power.part,
        binds=dates.binds,
        held_by=holding.families(start.site, start.lineup, start.system, start.period - 1) if held else (),
        idle_racks_weeks=dates.idle_weeks(RACKS, begin, stands),
        idle_network_weeks=dates.idle_weeks(NETWORK, begin, stands),
        idle_facility_weeks=dates.idle_weeks(FACILITY, begin, stands),
        idle_power_weeks=dates.idle_weeks(POWER, begin, stands),
    )


def _empty(problem: Problem, site: str, lineup: str, positions: int, dates: _FourDates, holding: Holding) -> Tranche:
    """A lineup in which no rack ever stands: idle from when it is ready to the end of the decision quarters."""
    begin, end = quarter_index(problem.periods[0]), quarter_index(problem.periods[-1]) + 1
    return Tranche(
        site=site,
        building=dates.lineup.building,
        lineup=lineup,
        system=None,
        stands=None,
        n_racks=0,
        positions=positions,
        it_w=0,
        racks=None,
        network=quarter_name(dates.lineup.network.quarter),
        facility=quarter_name(dates.lineup.facility.quarter),
        facility_part=dates.lineup.facility.part,
        power=quarter_name(dates.lineup.power.quarter),
        power_part=dates.lineup.power.part,
        binds=dates.binds,
        held_by=holding.families(site, lineup, None, problem.n_periods - 1),
        idle_racks_weeks=0,
        idle_network_weeks=dates.idle_weeks(NETWORK, begin, end),
        idle_facility_weeks=dates.idle_weeks(FACILITY, begin, end),
        idle_power_weeks=dates.idle_weeks(POWER, begin, end),
    )


def waits(tranche: Tranche, party: str) -> tuple[int, int]:
    """Weeks in which a party of a tranche stood ready and idle for the last of the four, and then for the plan."""
    weeks = {
        RACKS: tranche.idle_racks_weeks,
        NETWORK: tranche.idle_network_weeks,
        FACILITY: tranche.idle_facility_weeks,
        POWER: tranche.idle_power_weeks,
    }
    for_plan = weeks[tranche.binds]
    return max(weeks[party] - for_plan, 0), min(weeks[party], for_plan)


def ledger(tranches: Sequence[Tranche]) -> tuple[LedgerLine, ...]:
    """Idle weeks of a plan by site, by what stood ready and by what was waited for, largest position-weeks first.

    Parameters: tranches. An empty lineup waits for the plan; its watts are unknown and count as 0.
    """
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in tranches:
        for party in PARTIES:
            for waited_for, weeks in zip((one.binds, PLAN), waits(one, party), strict=True):
                if weeks:
                    entry = sums[one.site, party, waited_for]
                    entry[0] += weeks * one.it_w
                    entry[1] += weeks * one.positions
    lines = (LedgerLine(*key, *amounts) for key, amounts in sums.items())
    return tuple(sorted(lines, key=lambda line: (line.site, -line.position_weeks, line.ready, line.waits_for)))
