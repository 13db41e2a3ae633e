"""The whole verification of a run, one check after the other."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from planner.verify.aim import Aim
from planner.verify.books import check_books
from planner.verify.bound_check import check_bound, proven_cents
from planner.verify.cash import check_cash
from planner.verify.cash_table import CashTable
from planner.verify.chain import Chain, check_chain
from planner.verify.decisions import (
    Setting,
    block_counts,
    check_blocks,
    check_eligibility,
    check_growth,
    check_units,
    read_placements,
)
from planner.verify.draws import UnknownFigureError, draws_of, rack_price_cents, with_flows
from planner.verify.eligibility import Eligibility
from planner.verify.failures import FailureTable, check_tables, stated_failures
from planner.verify.fits import Fits
from planner.verify.inputs import Run, UnreadableRunError, check_hashes, read_certificate, read_run
from planner.verify.joint import AllLimits
from planner.verify.limit_check import Loads, check_limits
from planner.verify.limits import SiteLimits
from planner.verify.meter_money import meter_money
from planner.verify.money import MoneyRule
from planner.verify.objective import Ledger
from planner.verify.openings import check_openings, openings_of
from planner.verify.plant_hour import check_plants, design_hours
from planner.verify.power import After, PowerCheck
from planner.verify.refresh import spell_draws, spells_of, with_refreshes
from planner.verify.report import Check, Report, check_of
from planner.verify.served import check_served, has_service
from planner.verify.side_check import check_decisions, read_decisions
from planner.verify.side_program import side_program
from planner.verify.standing import Counts, Standing
from planner.verify.statements import check_binding, check_ineligible, check_money
from planner.verify.terms import Occupied
from planner.verify.terms_check import check_terms, has_terms
from planner.verify.totals import check_totals
from planner.verify.work_costs import check_work_costs
from sites.calendar import quarter_index, quarters_from
from sites.collection import uncollected

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from planner.verify.draws import RackDraws
    from planner.verify.plant_hour import DesignHour
    from planner.verify.report import LevelGap
    from planner.verify.side import Side

_STATUSES = {"optimal", "feasible"}


def verify(directory: Path) -> Report:
    """Check a run folder with code that shares nothing with lowering, search and kernels.

    Parameters: directory, as `gigaplan plan` wrote it. Every limit is derived again from the site graphs, every
    placement, failure, total, the objective and the bound are worked out again in exact integers and rationals.
    """
    with uncollected():
        try:
            verification = Verification(directory, read_run(directory))
            checks = tuple(verification.checks())
        except (UnreadableRunError, UnknownFigureError) as error:
            return Report((Check("readable", False, str(error)),))
        return Report(checks, verification.levels)


@dataclass
class Verification:
    """One run under verification; everything is derived from its inputs when it is first needed."""

    directory: Path
    run: Run

    def checks(self) -> list[Check]:
        """All checks, the ones that need sound placements last and only with these."""
        placed, faults = self._placements
        first = [
            check_hashes(self.directory, self.run),
            self._form(),
            check_tables(self.directory, self.run.plan),
            check_of("placements", faults, f"placements in {sum(len(rows) for rows in placed.values())} rows exist"),
        ]
        if faults:
            return first
        blocks = block_counts(placed, self.setting)
        values, _ = self._decisions
        cash = CashTable(self.ledger, placed, blocks, values)
        first += [
            check_eligibility(placed, self.eligibility),
            check_growth(placed, self.setting),
            check_blocks(blocks, self.setting, self.ledger.money),
            check_units(self.run.plan, blocks, self.setting, self.ledger.money),
            check_decisions(self.side, placed, *self._decisions),
            self._limit_check(),
            *self._power_checks(),
            check_totals(self.run.plan, placed, self.standing, self.ledger, self.everything),
            self.aim.check(placed, blocks, values),
            check_money(self.run.plan, placed, blocks, self.ledger, self.side, values),
            check_cash(self.run.plan, cash),
            check_books(self.run.plan, cash),
            *([check_work_costs(self.run.plan, cash)] if cash.money.portfolio.workloads else []),
            check_binding(self.run.plan, self._loads, self.everything, self._raised),
            check_ineligible(self.run.plan, self.eligibility),
        ]
        if has_service(self.run.plan, self.ledger):
            first.append(check_served(self.run.plan, self.side, values, self.ledger))
        if self.run.world.portfolio.openings:
            first.append(check_openings(self.run.plan, self.ledger.openings, blocks))
        if has_terms(self.run.world.portfolio):
            first.append(check_terms(self.run.plan, placed, values, self.ledger, self.limits, self.side))
        side = self.aim.aimed_side
        objective = self.aim.aimed_ledger.objective(placed, blocks) + side.worth_cents(values) + side.constant_cents
        bound = check_bound(self.run.plan, objective, self._bound_cents)
        return [*first, self._objective_check(objective), bound, *self._nonlinear_checks()]

    @cached_property
    def periods(self) -> tuple[str, ...]:
        """Decision quarters."""
        portfolio = self.run.world.portfolio
        n_periods = portfolio.periods
        if portfolio.decisions_until is not None:
            wanted = quarter_index(portfolio.decisions_until) - quarter_index(portfolio.start) + 1
            n_periods = min(n_periods, wanted)
        return quarters_from(portfolio.start, n_periods)

    @cached_property
    def _loops(self) -> set[tuple[str, Fraction]]:
        """Coolant and rise of every liquid loop."""
        return {
            (fields["coolant"], Fraction(fields["liquid_rise_k"]))
            for graphs in self.run.graphs.values()
            for _, fields in graphs.containment.nodes(data=True)
            if fields["kind"] == "row" and fields["coolant"] is not None
        }

    def _draws(self, name: str) -> RackDraws:
        portfolio, catalog = self.run.world.portfolio, self.run.world.catalog
        system = catalog.configuration(name).system.name
        return with_flows(draws_of(name, catalog, rack_price_cents(system, portfolio, catalog)), self._loops)

    @cached_property
    def setting(self) -> Setting:
        """What placements may refer to."""
        graphs, portfolio = self.run.graphs, self.run.world.portfolio
        offered = {name: self._draws(name) for name in portfolio.configurations}
        spells = spells_of(portfolio, self.run.world.catalog, len(self.periods))
        return Setting(
            periods=self.periods,
            draws=offered | {name: spell_draws(spell, offered) for name, spell in spells.items()},
            spells=spells,
            rows={
                site: {row: fields for row, fields in one.containment.nodes(data=True) if fields["kind"] == "row"}
                for site, one in graphs.items()
            },
            partial_units={
                site: {
                    block: bool(fields["partial_units"])
                    for block, fields in one.fabric.nodes(data=True)
                    if fields["kind"] == "leaf-group"
                }
                for site, one in graphs.items()
            },
        )

    @cached_property
    def limits(self) -> dict[str, SiteLimits]:
        """The limits of each site."""
        found = {}
        for site, graphs in self.run.graphs.items():
            occupied = {
                row: Occupied(self._draws(str(fields["occupied_configuration"])), int(fields["occupied_racks"]))
                for row, fields in self.setting.rows[site].items()
                if fields["occupied_racks"]
            }
            found[site] = SiteLimits(graphs, occupied, self.fits[site])
        return found

    @cached_property
    def fits(self) -> dict[str, Fits]:
        """What the rows of each site take, dates aside."""
        world = self.run.world
        return {
            one.name: Fits(self.run.graphs[one.name], world.portfolio, world.catalog, one.entry.buildings)
            for one in world.sites
        }

    @cached_property
    def everything(self) -> AllLimits:
        """Every limit by name."""
        return AllLimits(self.run.world.portfolio, self.limits)

    @cached_property
    def eligibility(self) -> dict[str, Eligibility]:
        """What may stand where, by site."""
        world = self.run.world
        return {
            one.name: Eligibility(self.limits[one.name], world.portfolio, world.catalog, self.periods)
            for one in world.sites
        }

    @cached_property
    def _placements(self) -> tuple[dict[str, dict[str, Counts]], list[str]]:
        placed, faults = read_placements(self.run.plan, self.setting)
        faults += with_refreshes(self.run.plan, placed, self.setting.spells, self.periods)
        return placed, faults

    @cached_property
    def side(self) -> Side:
        """What is decided beside the racks."""
        return side_program(self.ledger, self.limits)

    @cached_property
    def aim(self) -> Aim:
        """What the plan is to be best at."""
        read = partial(read_certificate, self.directory)
        return Aim(self.run.plan, self.ledger, self.side, self.limits, self._proven_cents, read)

    @cached_property
    def _decisions(self) -> tuple[dict[str, int], list[str]]:
        return read_decisions(self.run.plan, self.side)

    @cached_property
    def _raised(self) -> dict[tuple[str, str], int]:
        """What the plan's decisions add to limits, by name and quarter, scaled by 2^20."""
        values, _ = self._decisions
        return {(limit, self.periods[t]): amount for (limit, t), amount in self.side.raised(values).items()}

    @cached_property
    def standing(self) -> dict[str, Standing]:
        """What stands at each site."""
        placed, _ = self._placements
        return {
            site: Standing(limits, self.periods, self.setting.draws, placed[site])
            for site, limits in self.limits.items()
        }

    @cached_property
    def _loads(self) -> Loads:
        """What the plan's racks put on limits."""
        return Loads(self.standing, self.periods)

    @cached_property
    def ledger(self) -> Ledger:
        """Money by parts."""
        world = self.run.world
        capex: dict[tuple[str, str], Fraction] = {}
        for site, graphs in self.run.graphs.items():
            for _, fields in graphs.containment.nodes(data=True):
                if fields["kind"] == "lineup":
                    block = (site, str(fields["block_id"]))
                    capex[block] = capex.get(block, Fraction(0)) + Fraction(fields["avoidable_capex_usd"])
        money = MoneyRule(world.portfolio, world.catalog, len(self.periods))
        return Ledger(
            money=money,
            setting=self.setting,
            meters={
                one.name: meter_money(
                    self.limits[one.name],
                    world.portfolio.start,
                    Fraction(one.site.energy_price),
                    self.setting.draws.values(),
                )
                for one in world.sites
            },
            fits=self.fits,
            capex_usd=capex,
            openings=openings_of(world.portfolio, self.setting.rows, money, self.periods),
        )

    def _form(self) -> Check:
        """Status, periods and portfolio are those of the inputs."""
        plan = self.run.plan
        due = {"periods": list(self.periods), "portfolio": self.run.world.portfolio.name}
        faults = [f"'{key}' is not {value}" for key, value in due.items() if plan.get(key) != value]
        if plan.get("status") not in _STATUSES:
            faults.append(f"'status' is {plan.get('status')!r}; {' or '.join(sorted(_STATUSES))} is due")
        faults += [f"'{key}' must be whole cents" for key in ("objective", "bound") if type(plan.get(key)) is not int]
        return check_of("form", faults, f"a {plan.get('status')} plan over {len(self.periods)} decision periods")

    def _limit_check(self) -> Check:
        return check_limits(self._loads, self.everything, self.periods, self._raised)

    @cached_property
    def _power(self) -> tuple[dict[str, PowerCheck], dict[str, FailureTable], list[Chain]]:
        """Power limits, failures and the nonlinear chain of every site, walked together."""
        stated, _ = stated_failures(self.run.plan)
        power, tables, chains = {}, {}, []
        for site, standing in self.standing.items():
            power[site] = PowerCheck(site, standing)
            tables[site] = FailureTable(site, standing, self.eligibility[site], stated.get(site, {}))
            chain = Chain(site, standing, self._hours[site])
            for state in power[site].states():
                if isinstance(state, After):
                    tables[site].look(state)
                chain.look(state)
            tables[site].finish()
            chains.append(chain)
        return power, tables, chains

    @cached_property
    def _hours(self) -> dict[str, dict[str, DesignHour]]:
        """The design hour of every plant of every site."""
        return {one.name: design_hours(one.site, self.run.world.catalog) for one in self.run.world.sites}

    @property
    def levels(self) -> tuple[LevelGap, ...]:
        """How conservative the linear limits are at every level; empty where the plan's placements are faulty."""
        if self._placements[1]:
            return ()
        return tuple(level for chain in self._power[2] for level in chain.gaps.levels())

    def _power_checks(self) -> list[Check]:
        power, tables, _ = self._power
        overloads = [str(one) for check in power.values() for one in check.overloads]
        n_limits = sum(check.n_limits for check in power.values())
        n_exact = sum(check.n_exact for check in power.values())
        held = f"{n_limits} loads of elements hold, normal and after every failure ({n_exact} to the last unit)"
        stated, faults = stated_failures(self.run.plan)
        faults += [f"site '{site}' of the failure table does not exist" for site in sorted(set(stated) - set(tables))]
        faults += [fault for table in tables.values() for fault in table.faults]
        n_failures = sum(len(table.seen) for table in tables.values())
        return [check_of("power", overloads, held), check_of("failures", faults, f"{n_failures} failures reconcile")]

    def _objective_check(self, objective: int) -> Check:
        stated = self.run.plan.get("objective")
        ok = stated == objective
        return Check("objective", ok, f"{objective} cents" + ("" if ok else f", stated {stated}"))

    def _bound_cents(self) -> int:
        return self._proven_cents(self.run.certificate, self.aim.aimed_ledger, self.aim.aimed_side)

    def _proven_cents(self, certificate: Mapping[str, Any], ledger: Ledger, side: Side) -> int:
        """What a certificate proves under coefficients by parts and worths beside the racks."""
        power, _, _ = self._power
        return proven_cents(certificate, ledger, side, self.everything, self.eligibility, power)

    def _nonlinear_checks(self) -> list[Check]:
        _, _, chains = self._power
        return [check_chain(chains), check_plants(self.standing, self._hours)]
