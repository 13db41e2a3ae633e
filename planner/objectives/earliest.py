"""The first quarter in which a plan reaches a target: bisection over quarters, each step with a certificate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from planner.errors import InfeasibleError
from planner.objectives.scales import per_unit, whole_weight
from planner.run.folder import write_json, write_whole
from sites.calendar import quarters_from
from sites.faults import Fault, InputError
from sites.objective_checks import measure_faults
from sites.portfolio_checks import decision_periods
from sites.schema.objective import Kind, measure_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from planner.objectives.study import Study
    from planner.objectives.trials import Trial, Trials
    from sites.schema.objective import Earliest, Measure
    from sites.schema.portfolio import PortfolioFile
    from sites.world import World

FORMAT = "gigaplan-earliest/1"
DOCUMENT = "earliest.json"


def may_fall(measure: Measure, portfolio: PortfolioFile) -> bool:
    """Whether a later quarter may have less, as profiles change or rows are refreshed; then every quarter is asked."""
    if measure.kind is Kind.TOKENS:
        return False
    return measure.kind is Kind.METER_W or bool(portfolio.refresh)


class Outcome(StrEnum):
    """What is known of a quarter."""

    REACHED = "reached"
    """By a plan."""
    IMPOSSIBLE = "impossible"
    """By a bound."""
    OPEN = "open"


@dataclass(frozen=True)
class Step:
    """The most of a measure in one quarter."""

    quarter: str
    outcome: Outcome
    value: Fraction
    """Of the plan."""
    at_most: Fraction
    """What no plan exceeds."""
    was_interrupted: bool
    run: str | None = None
    """Folder, where the step has one."""
    trial: Trial | None = None
    """Solve, where it has none."""


@dataclass(frozen=True)
class Dates:
    """What steps say of a target."""

    steps: tuple[Step, ...]
    """In the order in which they were made."""
    reached_in: str | None
    """First quarter that is known to reach it."""
    not_before: str | None
    """First quarter that is not proven to miss it; None where all of them are."""
    missed: tuple[Step, ...]
    """Steps that prove `not_before`."""

    @property
    def is_certain(self) -> bool:
        """Whether nothing is left open."""
        return self.reached_in == self.not_before


def ask_quarters(quarters: tuple[str, ...], step: Callable[[str], Step], *, every_quarter: bool) -> Dates:
    """Make steps until the first quarter that reaches is known, or time ends.

    Parameters: quarters of the plan in order; step, which makes the measure best in one of them; every_quarter,
    whether one says nothing of those before it.
    """
    steps = _scan(quarters, step) if every_quarter else _bisect(quarters, step)
    outcomes = {one.quarter: one.outcome for one in steps}
    reached = next((quarter for quarter in quarters if outcomes.get(quarter) is Outcome.REACHED), None)
    missed = [one for one in steps if one.outcome is Outcome.IMPOSSIBLE]
    if every_quarter:
        n_missed = next((n for n, q in enumerate(quarters) if outcomes.get(q) is not Outcome.IMPOSSIBLE), len(quarters))
        missed = [one for one in missed if one.quarter in quarters[:n_missed]]
    else:
        missed = sorted(missed, key=lambda one: one.quarter)[-1:]
        n_missed = quarters.index(missed[0].quarter) + 1 if missed else 0
    return Dates(
        steps=tuple(steps),
        reached_in=reached,
        not_before=quarters[n_missed] if n_missed < len(quarters) else None,
        missed=tuple(missed),
    )


def _bisect(quarters: tuple[str, ...], step: Callable[[str], Step]) -> list[Step]:
    """Steps at the last quarter, then halfway between those known not to reach and those known to."""
    low, high, at = -1, len(quarters), len(quarters) - 1
    steps: list[Step] = []
    while low < at < high:
        steps.append(step(quarters[at]))
        if steps[-1].was_interrupted:
            break
        low, high = (low, at) if steps[-1].outcome is Outcome.REACHED else (at, high)
        at = (low + high) // 2
    return steps


def _scan(quarters: tuple[str, ...], step: Callable[[str], Step]) -> list[Step]:
    """Steps at each quarter from the first on, up to one that reaches."""
    steps: list[Step] = []
    for quarter in quarters:
        steps.append(step(quarter))
        if steps[-1].was_interrupted or steps[-1].outcome is Outcome.REACHED:
            break
    return steps


def outcome_of(value: Fraction, at_most: Fraction, target: Fraction) -> Outcome:
    """What a plan and a bound say of a target."""
    if value >= target:
        return Outcome.REACHED
    return Outcome.IMPOSSIBLE if at_most < target else Outcome.OPEN


def solve_earliest(trials: Trials, asked: Earliest) -> Dates:
    """Find the first quarter with solves alone.

    Parameters: trials, of any measures. Raises InfeasibleError where no plan is found that reaches the target.
    """
    measure, problem = measure_of(asked.measure), trials.measuring.lowered.problem

    def step(quarter: str) -> Step:
        dated = replace(measure, quarter=quarter)
        trial = replace(trials, measures=(dated,)).run({dated: whole_weight(dated)})
        value, at_most = trial.values[dated], trial.solution.bound * per_unit(measure)
        outcome = outcome_of(value, at_most, asked.target)
        return Step(quarter, outcome, value, at_most, trial.was_interrupted, trial=trial)

    every_quarter = may_fall(measure, trials.measuring.world.portfolio)
    found = ask_quarters(problem.periods, step, every_quarter=every_quarter)
    if found.reached_in is None:
        proven = (
            "and it is proven that none does" if found.not_before is None else "but it is not proven that none does"
        )
        msg = f"no plan was found with {float(asked.target):,.6g} {measure.kind.unit} of '{measure}', {proven}"
        raise InfeasibleError(msg)
    return found


def earliest(study: Study, measure: Measure, target: Fraction) -> dict[str, Any]:
    """Find the first decision quarter in which the target is reached, and up to which it is proven that it is not.

    Parameters: study, whose folder gets a run for each quarter that is asked; measure, without a quarter; target, in
    its unit. Raises InputError where the measure cannot be taken of this portfolio.
    """
    quarters = _quarters(study.world, measure)

    def step(quarter: str) -> Step:
        dated = replace(measure, quarter=quarter)
        answer = study.ask(quarter, {dated: whole_weight(measure)})
        value, at_most = answer.value(dated), int(answer.document["bound"]) * per_unit(measure)
        outcome = outcome_of(value, at_most, target)
        return Step(quarter, outcome, value, at_most, answer.was_interrupted, run=str(answer.folder))

    found = ask_quarters(quarters, step, every_quarter=may_fall(measure, study.world.portfolio))
    document = {
        "format": FORMAT,
        "portfolio": study.world.portfolio.name,
        "measure": str(measure),
        "unit": measure.kind.unit,
        "target": str(target),
        "reached_in": found.reached_in,
        "not_before": found.not_before,
        "is_certain": found.is_certain,
        "steps": [_line(one) for one in sorted(found.steps, key=lambda one: one.quarter)],
    }
    study.out.mkdir(parents=True, exist_ok=True)
    write_whole(study.out / DOCUMENT, lambda path: write_json(path, document))
    return document


def _quarters(world: World, measure: Measure) -> tuple[str, ...]:
    n_decided = decision_periods(world.portfolio)
    faults = list(measure_faults(measure, world.portfolio, world.catalog, n_decided))
    if faults:
        raise InputError([Fault("earliest", None, "--measure", fault) for fault in faults])
    return quarters_from(world.portfolio.start, n_decided)


def _line(step: Step) -> dict[str, Any]:
    return {
        "quarter": step.quarter,
        "outcome": str(step.outcome),
        "value": str(step.value),
        "at_most": str(step.at_most),
        "run": step.run,
        "interrupted": step.was_interrupted,
    }
