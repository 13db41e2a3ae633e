"""Contract clauses against the rest of a portfolio: names resolve, quarters lie in the plan, effects can happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.calendar import quarter_index, quarter_name
from sites.nearest import unknown
from sites.schema.terms import Part, Served
from sites.workloads import counts_per_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sites.catalog.loader import Catalog
    from sites.explain import Step
    from sites.schema.catalog import RackSystem
    from sites.schema.portfolio import PortfolioFile
    from sites.schema.terms import Commitment, Floor, Share, Termination, Tranche

    Clause = Floor | Share | Tranche | Commitment | Termination

Found = tuple[str, tuple["Step", ...]]
"""A message and the keys of the portfolio that it is about."""


def terms_findings(
    portfolio: PortfolioFile, site_names: Sequence[str] | None, catalog: Catalog, n_decided: int
) -> Iterator[Found]:
    """Everything that clauses ask for and cannot have.

    Parameters: site_names, of all sites, None where some could not be loaded; n_decided, decision quarters.
    """
    if n_decided < 1:
        return
    first = quarter_index(portfolio.start)
    last = first + n_decided - 1
    seen: set[str] = set()
    for key, index, clause in _clauses(portfolio):
        if clause.name in seen:
            yield (
                f"clause '{clause.name}' stands in the portfolio already; clauses need names of their own",
                (
                    key,
                    index,
                    "name",
                ),
            )
        seen.add(clause.name)
        if isinstance(clause, Part):
            yield from _under(key, index, _part(clause, site_names, _offered(portfolio, catalog)))
        elif isinstance(clause, Served):
            yield from _under(key, index, _workloads(clause, portfolio, catalog))
    for index, floor in enumerate(portfolio.floors):
        yield from _under("floors", index, _floor_dates(floor, last))
    for index, share in enumerate(portfolio.shares):
        yield from _under("shares", index, _share_dates(share, first, last))
    for index, tranche in enumerate(portfolio.tranches):
        yield from _under("tranches", index, _tranche(tranche, portfolio, first, last))
    last_alive = last + portfolio.money.economic_life_quarters - 1
    for index, commitment in enumerate(portfolio.commitments):
        yield from _under("commitments", index, _term(commitment, first, last_alive))
    for index, termination in enumerate(portfolio.termination):
        yield from _under("termination", index, _exit(termination, portfolio.commitments))


def _clauses(portfolio: PortfolioFile) -> Iterator[tuple[str, int, Clause]]:
    """Key, position and content of every clause."""
    lists: Mapping[str, Sequence[Clause]] = {
        "floors": portfolio.floors,
        "shares": portfolio.shares,
        "tranches": portfolio.tranches,
        "commitments": portfolio.commitments,
        "termination": portfolio.termination,
    }
    return ((key, index, clause) for key, clauses in lists.items() for index, clause in enumerate(clauses))


def _under(key: str, index: int, found: Iterator[Found]) -> Iterator[Found]:
    return ((message, (key, index, *path)) for message, path in found)


def _offered(portfolio: PortfolioFile, catalog: Catalog) -> dict[str, RackSystem]:
    """Systems of the configurations on offer that the catalogue knows; others are faults elsewhere."""
    names = dict.fromkeys(name.partition("/")[0] for name in portfolio.configurations)
    return {name: catalog.rack_systems[name] for name in names if name in catalog.rack_systems}


def _part(part: Part, site_names: Sequence[str] | None, systems: Mapping[str, RackSystem]) -> Iterator[Found]:
    """Every name is known, and some system on offer is in the part."""
    vendors = {name: system.vendor for name, system in systems.items()}
    known_vendors = [vendor for vendor in vendors.values() if vendor is not None]
    if site_names is not None:
        yield from _names("sites", "site of the portfolio", part.sites, site_names)
    yield from _names("systems", "system on offer", part.systems, systems)
    yield from _names("vendors", "vendor of a system on offer", part.vendors, known_vendors)
    if part.vendors is None:
        return
    nameless = [name for name, vendor in vendors.items() if vendor is None]
    if nameless:
        message = (
            f"the catalogue names no vendor of system '{nameless[0]}', which is on offer; add its 'vendor' there, or "
            "name 'systems' here"
        )
        yield message, ("vendors",)
    wanted = part.systems or tuple(systems)
    if not any(vendors.get(name) in part.vendors for name in wanted):
        message = f"none of the systems {', '.join(wanted)} is of the vendors {', '.join(part.vendors)}; change either"
        yield message, ("vendors",)


def _names(
    key: str, what: str, found: Sequence[str] | None, allowed: Sequence[str] | Mapping[str, RackSystem]
) -> Iterator[Found]:
    for position, name in enumerate(found or ()):
        if name not in allowed:
            yield unknown(what, name, allowed), (key, position)
        elif name in (found or ())[:position]:
            yield f"'{name}' stands here a second time; remove one", (key, position)


def _workloads(clause: Served, portfolio: PortfolioFile, catalog: Catalog) -> Iterator[Found]:
    """Workloads that exist, and that count alike so that they add up."""
    bases = {workload.name: catalog.throughput.get(workload.basis) for workload in portfolio.workloads}
    yield from _names("workloads", "workload", clause.workloads, list(bases))
    counted = {name: basis for name in clause.workloads if (basis := bases.get(name)) is not None}
    if len({(basis.counts, counts_per_unit(basis)) for basis in counted.values()}) > 1:
        told = ", ".join(f"'{name}' {basis.counts}" for name, basis in counted.items())
        yield f"these workloads do not add up: they count {told}; make a clause for each", ("workloads",)


def _floor_dates(floor: Floor, last: int) -> Iterator[Found]:
    for position, step in enumerate(floor.steps):
        if quarter_index(step.start) > last:
            message = (
                f"found {step.start}, after the last decision in {quarter_name(last)}, up to which floors are judged; "
                "move 'decisions_until' past it, or remove the step"
            )
            yield message, ("steps", position, "start")


def _share_dates(share: Share, first: int, last: int) -> Iterator[Found]:
    for key, quarter in (("start", share.start), ("end", share.end)):
        if quarter is not None and not first <= quarter_index(quarter) <= last:
            yield _outside(quarter, first, last), (key,)


def _outside(quarter: str, first: int, last: int) -> str:
    return f"found {quarter}; a decision quarter is due, from {quarter_name(first)} to {quarter_name(last)}"


def _tranche(tranche: Tranche, portfolio: PortfolioFile, first: int, last: int) -> Iterator[Found]:
    """A milestone in the decision quarters, above 0, whose effect can happen."""
    if not first <= quarter_index(tranche.by) <= last:
        yield _outside(tranche.by, first, last), ("by",)
    if tranche.target == 0:
        yield "found a target of 0, which every plan reaches; give one above 0", ("target",)
    if not tranche.rack_budget:
        return
    if portfolio.money.rack_budget is None:
        message = "'money' has no 'rack_budget' that this could add to, so racks have no limit of money; give one there"
        yield message, ("rack_budget",)
    elif quarter_index(tranche.by) == last:
        message = (
            f"found {tranche.by}, the last decision quarter, so that no rack could be bought with it; set an earlier "
            "'by', or give 'cash'"
        )
        yield message, ("by",)


def _term(commitment: Commitment, first: int, last_alive: int) -> Iterator[Found]:
    """A term that the plan sees whole: spending before it is not known, after its last rack there is none."""
    if quarter_index(commitment.start) < first:
        message = (
            f"found {commitment.start}, before the plan's start in {quarter_name(first)}; begin there, with the amount "
            "that is still due"
        )
        yield message, ("start",)
    if quarter_index(commitment.end) > last_alive:
        message = (
            f"found {commitment.end}, when no rack of the plan can stand any more; a quarter up to "
            f"{quarter_name(last_alive)} is allowed"
        )
        yield message, ("end",)


def _exit(termination: Termination, commitments: Sequence[Commitment]) -> Iterator[Found]:
    named = {one.name: one for one in commitments}
    commitment = named.get(termination.commitment)
    if commitment is None:
        yield unknown("commitment", termination.commitment, named), ("commitment",)
        return
    for position, step in enumerate(termination.steps):
        if quarter_index(step.start) > quarter_index(commitment.end):
            message = f"found {step.start}, after the end of '{commitment.name}' in {commitment.end}; remove the step"
            yield message, ("steps", position, "start")
