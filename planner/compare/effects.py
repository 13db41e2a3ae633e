"""Two runs apart by input: each plan valued under the other's inputs, one group of inputs after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.compare.placed import plan_of_run
from planner.errors import InfeasibleError
from planner.lower import lower
from planner.run.document import npv_cents
from planner.side.capacity import most_capacity
from planner.solve.feasible import limit_loads
from planner.solve.value import objective_cents
from sites.faults import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.problem import Plan, Problem
    from sites.world import World

Document = dict[str, Any]
PORTFOLIO_GROUPS: dict[str, tuple[str, ...]] = {
    "prices and money": ("money", "contract", "perspective", "books"),
    "workloads": ("workloads", "software_gains", "gain_case", "co_design_gains", "goodput", "throughput_files"),
    "contract clauses": ("floors", "shares", "tranches", "commitments", "termination"),
    "deliveries": ("supply",),
    "refreshes": ("refresh",),
    "envelope": ("envelope",),
    "quarters": ("start", "periods", "decisions_until"),
}
"""Keys of a portfolio that are exchanged together, in the order in which that is done."""
CATALOGUE, SITES, OFFER = "catalogue", "sites and their dates", "sites and configurations on offer"
_NOT_WORTH = frozenset({"format", "name", "title", "objective"})
"""Keys that change no plan's worth in money."""
_MOST_NAMES = 5


@dataclass(frozen=True)
class Standing:
    """A plan under some inputs."""

    cents: int | None
    """What it is worth; None where it cannot be placed there."""
    reason: str | None
    """Why it cannot."""
    broken: tuple[str, ...] = ()
    """Limits of these inputs that it breaks."""


def effects(world_a: World, world_b: World, plan_a: Document, plan_b: Document) -> Document:
    """What of the difference of two runs is inputs, and what is the plan.

    Parameters: worlds and plan documents of the two runs. The first plan is valued under its own inputs and after each
    group of inputs is exchanged for the second's; what is left is the plan: the second one under its own inputs less
    the first under the same. `steps` sum to the difference. A plan is valued whether or not it keeps the limits there;
    `broken` names those that it does not keep.
    """
    steps = list(_steps(world_a, world_b, plan_a))
    last, there = npv_cents(plan_a), steps[-1].get("standing") if steps else None
    lines = []
    for step in steps:
        standing: Standing = step["standing"]
        if standing.cents is None:
            lines.append(_line(step["cause"], None, last, last, standing))
            continue
        lines.append(_line(step["cause"], "inputs", last, standing.cents, standing))
        last = standing.cents
    known = there is None or there.cents is not None
    cause = "the plan" if known else "the plan, and inputs under which the first one cannot be placed"
    lines.append(_line(cause, "plan", last, npv_cents(plan_b), Standing(last, None)))
    back = _standing(world_a, plan_b) if steps else Standing(npv_cents(plan_b), None)
    return {
        "steps": lines,
        "second_under_first": {"cents": back.cents, "reason": back.reason, **_broken(back)},
    }


def _line(cause: str, kind: str | None, before: int, after: int, standing: Standing) -> Document:
    return {
        "cause": cause,
        "kind": kind,
        "before": before,
        "after": after,
        "difference": after - before,
        "reason": standing.reason,
        **_broken(standing),
    }


def _broken(standing: Standing) -> Document:
    return {"n_broken": len(standing.broken), "broken": list(standing.broken[:_MOST_NAMES])}


def _steps(world_a: World, world_b: World, plan_a: Document) -> Iterator[Document]:
    """Each group of inputs that differs, and the first plan once it is exchanged too."""
    mixed = world_a
    for cause, exchanged in _exchanges(world_a, world_b):
        mixed = exchanged(mixed)
        yield {"cause": cause, "standing": _standing(mixed, plan_a)}


def _exchanges(world_a: World, world_b: World) -> Iterator[tuple[str, Any]]:
    """Groups that differ, each with what puts the second world's into another."""
    a, b = world_a.portfolio, world_b.portfolio
    known = set().union(*PORTFOLIO_GROUPS.values()) | _NOT_WORTH
    rest = tuple(key for key in type(a).model_fields if key not in known)
    if _catalogue_files(world_a) != _catalogue_files(world_b):
        yield CATALOGUE, lambda mixed: replace(mixed, catalog=world_b.catalog)
    for cause, keys in PORTFOLIO_GROUPS.items():
        changed = {key: getattr(b, key) for key in keys if getattr(a, key, None) != getattr(b, key, None)}
        if changed:
            yield (
                cause,
                lambda mixed, changed=changed: replace(mixed, portfolio=mixed.portfolio.model_copy(update=changed)),
            )
    changed = {key: getattr(b, key) for key in rest if getattr(a, key) != getattr(b, key)}
    own = [(one.name, one.site) for one in world_a.sites]
    others = [(one.name, one.site) for one in world_b.sites]
    if changed or own != others:
        cause = SITES if [name for name, _ in own] == [name for name, _ in others] and not changed else OFFER
        yield (
            cause,
            lambda mixed: replace(mixed, sites=world_b.sites, portfolio=mixed.portfolio.model_copy(update=changed)),
        )


def _catalogue_files(world: World) -> list[tuple[str, bytes]]:
    return [(file.name, file.content) for file in world.files if file.role in {"catalog", "throughput"}]


def _standing(world: World, plan: Mapping[str, Any]) -> Standing:
    """A plan of one run under the inputs of a world."""
    try:
        problem = lower(world).problem
    except (InputError, InfeasibleError) as error:
        return Standing(None, f"these inputs alone cannot be planned: {str(error).splitlines()[0]}")
    if tuple(plan["periods"]) != problem.periods:
        return Standing(None, f"it decides over other quarters than {problem.periods[0]} to {problem.periods[-1]}")
    try:
        placed = plan_of_run(plan, problem)
    except KeyError as error:
        return Standing(None, f"it has racks where none can stand here: {error.args[0]}")
    return Standing(objective_cents(problem, placed), None, tuple(_broken_limits(problem, placed)))


def _broken_limits(problem: Problem, plan: Plan) -> Iterator[str]:
    over = limit_loads(problem, plan.n_racks) > most_capacity(problem)
    for number in np.flatnonzero(over.any(axis=1)):
        yield problem.limits[number].name
