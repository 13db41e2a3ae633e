"""An objective against its portfolio and the catalogue: quarters that are decided, workloads that count tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.calendar import quarter_index, quarter_name
from sites.nearest import unknown
from sites.schema.objective import FLOPS, Kind, measure_of
from sites.workloads import TOKENS_PER_UNIT, counts_per_unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.catalog.loader import Catalog
    from sites.explain import Step
    from sites.faults import Fault
    from sites.loading import Document
    from sites.schema.objective import Measure, Objective
    from sites.schema.portfolio import PortfolioFile

Place = tuple["Step", ...]


def objective_faults(portfolio: Document[PortfolioFile], catalog: Catalog, n_decided: int) -> Iterator[Fault]:
    """Every fault of an objective that shows only beside the rest of its portfolio.

    Parameters: n_decided, decision quarters of the plan.
    """
    objective = portfolio.value.objective
    for measure, path in _measures(objective) if objective is not None else ():
        for message in measure_faults(measure, portfolio.value, catalog, n_decided):
            yield portfolio.fault(message, *path)


def _measures(objective: Objective) -> Iterator[tuple[Measure, Place]]:
    """Every measure that an objective names, and where."""
    for text in objective.weights or ():
        yield measure_of(text), ("objective", "weights")
    for position, text in enumerate(objective.lexicographic or ()):
        yield measure_of(text), ("objective", "lexicographic", position)
    if objective.cost_per_token is not None:
        workloads = f":{'+'.join(objective.cost_per_token.workloads)}" if objective.cost_per_token.workloads else ""
        yield measure_of(f"tokens{workloads}"), ("objective", "cost_per_token")
    if objective.earliest is not None:
        yield measure_of(objective.earliest.measure), ("objective", "earliest", "measure")


def measure_faults(measure: Measure, portfolio: PortfolioFile, catalog: Catalog, n_decided: int) -> Iterator[str]:
    """Why a measure cannot be taken of the plans of a portfolio."""
    first = quarter_index(portfolio.start)
    if measure.quarter is not None:
        last = first + n_decided - 1
        if measure.kind is Kind.TOKENS:
            last = first + n_decided + portfolio.money.economic_life_quarters - 2
        if not first <= quarter_index(measure.quarter) <= last:
            yield f"found '{measure}'; a quarter from {portfolio.start} to {quarter_name(last)} is allowed"
    if measure.kind is Kind.TOKENS:
        yield from _token_faults(measure, portfolio, catalog)
    if measure.kind in FLOPS:
        key = f"{measure.kind.removeprefix('flops-')}_dense_per_gpu"
        for system in dict.fromkeys(supply.system for supply in portfolio.supply):
            figure = getattr(catalog.rack_systems.get(system), key, None)
            if figure is not None and figure.value is None:
                yield f"found '{measure}', but the catalogue has no figure for '{system}': {figure.reason}"


def _token_faults(measure: Measure, portfolio: PortfolioFile, catalog: Catalog) -> Iterator[str]:
    counting = [
        one.name
        for one in portfolio.workloads
        if one.basis in catalog.throughput and counts_per_unit(catalog.throughput[one.basis]) == TOKENS_PER_UNIT
    ]
    for name in measure.workloads:
        if name not in counting:
            yield f"found '{measure}': {unknown('workload that counts tokens', name, counting)}"
    if not counting:
        yield f"found '{measure}', but no workload of the portfolio counts tokens; add 'workloads', or ask for another"
