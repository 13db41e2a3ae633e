"""The first quarter in which a plan reaches a target: bisection over quarters, each step with a certificate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planner.objectives.scales import per_unit, whole_weight
from planner.run.folder import write_json, write_whole
from sites.calendar import quarters_from
from sites.faults import Fault, InputError
from sites.objective_checks import measure_faults
from sites.portfolio_checks import decision_periods
from sites.schema.objective import Kind

if TYPE_CHECKING:
    from fractions import Fraction

    from planner.objectives.study import Answer, Study
    from sites.schema.objective import Measure

FORMAT = "gigaplan-earliest/1"
DOCUMENT = "earliest.json"
REACHED, IMPOSSIBLE, OPEN = "reached", "impossible", "open"
MAY_FALL = frozenset({Kind.METER_W})
"""Measures that a later quarter may have less of, as profiles change; every quarter is asked for these."""


def earliest(study: Study, measure: Measure, target: Fraction) -> dict[str, Any]:
    """Find the first decision quarter in which the target is reached, and up to which it is proven that it is not.

    Parameters: study, whose folder gets a run for each quarter that is asked; measure, without a quarter; target, in
    its unit. A step is `reached` by its plan, `impossible` by its bound, or `open`. Raises InputError where the
    measure cannot be taken of this portfolio.
    """
    portfolio = study.world.portfolio
    n_decided = decision_periods(portfolio)
    faults = list(measure_faults(measure, portfolio, study.world.catalog, n_decided))
    if faults:
        raise InputError([Fault("--measure", None, str(measure), fault) for fault in faults])
    quarters = quarters_from(portfolio.start, n_decided)
    search = _scan if measure.kind in MAY_FALL else _bisect
    steps = search(study, measure, target, quarters)
    document = {
        "format": FORMAT,
        "portfolio": portfolio.name,
        "measure": str(measure),
        "unit": measure.kind.unit,
        "target": str(target),
        **_verdict(steps, quarters, every_quarter=measure.kind in MAY_FALL),
        "steps": sorted(steps, key=lambda one: str(one["quarter"])),
    }
    study.out.mkdir(parents=True, exist_ok=True)
    write_whole(study.out / DOCUMENT, lambda path: write_json(path, document))
    return document


def _step(study: Study, measure: Measure, target: Fraction, quarter: str) -> dict[str, Any]:
    """The most of a measure in a quarter, and what that says of the target."""
    dated = replace(measure, quarter=quarter)
    answer = study.ask(quarter, {dated: whole_weight(measure)})
    value, at_most = answer.value(dated), _bound(answer, measure)
    outcome = REACHED if value >= target else IMPOSSIBLE if at_most < target else OPEN
    return {
        "quarter": quarter,
        "outcome": outcome,
        "value": str(value),
        "at_most": str(at_most),
        "run": str(answer.folder),
        "interrupted": answer.was_interrupted,
    }


def _bound(answer: Answer, measure: Measure) -> Fraction:
    """The bound in the measure's unit: under a whole weight each cent is one of its whole numbers."""
    return int(answer.document["bound"]) * per_unit(measure)


def _bisect(study: Study, measure: Measure, target: Fraction, quarters: tuple[str, ...]) -> list[dict[str, Any]]:
    """Steps at the last quarter, then halfway between those known not to reach and those known to."""
    low, high = -1, len(quarters)
    steps: list[dict[str, Any]] = []
    at = len(quarters) - 1
    while low < at < high:
        steps.append(_step(study, measure, target, quarters[at]))
        if steps[-1]["interrupted"]:
            break
        low, high = (low, at) if steps[-1]["outcome"] == REACHED else (at, high)
        at = (low + high) // 2
    return steps


def _scan(study: Study, measure: Measure, target: Fraction, quarters: tuple[str, ...]) -> list[dict[str, Any]]:
    """Steps at each quarter from the first on, up to one that reaches."""
    steps: list[dict[str, Any]] = []
    for quarter in quarters:
        steps.append(_step(study, measure, target, quarter))
        if steps[-1]["interrupted"] or steps[-1]["outcome"] == REACHED:
            break
    return steps


def _verdict(steps: list[dict[str, Any]], quarters: tuple[str, ...], *, every_quarter: bool) -> dict[str, Any]:
    """The first quarter that reaches, the first that may, and whether both are the same."""
    by_quarter = {one["quarter"]: one["outcome"] for one in steps}
    reached = next((quarter for quarter in quarters if by_quarter.get(quarter) == REACHED), None)
    ruled_out = [n for n, quarter in enumerate(quarters) if by_quarter.get(quarter) == IMPOSSIBLE]
    if every_quarter:
        ruled_out = [n for n in ruled_out if all(by_quarter.get(each) == IMPOSSIBLE for each in quarters[:n])]
    first_open = ruled_out[-1] + 1 if ruled_out else 0
    return {
        "reached_in": reached,
        "not_before": quarters[first_open] if first_open < len(quarters) else None,
        "is_certain": reached == quarters[first_open] if first_open < len(quarters) else True,
    }
