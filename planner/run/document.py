"""A run's plan as the JSON document of section 9 of the model."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.run.draws import split_name
from planner.solve.options import gap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.run.evaluate import Evaluation

FORMAT = "gigaplan-plan/1"


@dataclass(frozen=True)
class Outcome:
    """How a plan was found and how good it is; money in whole cents."""

    status: str
    objective: int
    bound: int
    stop_reason: str
    backend: str
    seed: int
    wall_s: float

    @property
    def gap(self) -> float | None:
        """Distance to the bound as a share of it; None where the bound is zero and the plan is not."""
        share = gap(self.objective, self.bound)
        return share if math.isfinite(share) else None


def placements(problem: Problem, n_racks: NDArray[np.int32]) -> Iterator[dict[str, Any]]:
    """Standing racks, one entry for each row, configuration and period that holds some."""
    for r, k, t in zip(*np.nonzero(n_racks), strict=True):
        site, row = split_name(problem.row_names[r])
        yield {
            "site": site,
            "row": row,
            "configuration": problem.configuration_names[k],
            "period": problem.periods[t],
            "n_racks": int(n_racks[r, k, t]),
        }


def plan_document(
    portfolio: str,
    problem: Problem,
    n_racks: NDArray[np.int32],
    outcome: Outcome,
    evaluation: Evaluation,
    decisions: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """The content of `plan.json`; `docs/formats.md` says what each key means.

    Parameters: decisions, by name of a column of the side program; None, and no key, without one.
    """
    return ({} if decisions is None else {"decisions": dict(decisions)}) | {
        "format": FORMAT,
        "status": outcome.status,
        "objective": outcome.objective,
        "bound": outcome.bound,
        "gap": outcome.gap,
        "stop_reason": outcome.stop_reason,
        "backend": outcome.backend,
        "seed": outcome.seed,
        "wall_s": outcome.wall_s,
        "portfolio": portfolio,
        "periods": list(problem.periods),
        "totals": [asdict(one) for one in evaluation.totals],
        "placements": list(placements(problem, n_racks)),
        "units": [_unit(asdict(one)) for one in evaluation.units],
        "ineligible": [asdict(one) for one in evaluation.ineligible],
        "binding": [asdict(one) for one in evaluation.binding],
        "stranding": [asdict(one) for one in evaluation.stranding],
        "failures": [asdict(one) for one in evaluation.failures],
        "money": {name: value for name, value in asdict(evaluation.money).items() if value is not None},
        "levels": [asdict(one) for one in evaluation.levels],
        "dates": asdict(evaluation.dates),
        "conversions": [asdict(one) for one in evaluation.conversions],
        "refreshes": [asdict(one) for one in evaluation.refreshes],
        "waiting": [asdict(one) for one in evaluation.waiting],
        "cash": asdict(evaluation.cash),
        "books": asdict(evaluation.books),
        **({"rates": [asdict(one) for one in evaluation.rates]} if evaluation.rates else {}),
        **({"openings": [asdict(one) for one in evaluation.openings]} if evaluation.openings else {}),
        **_work(evaluation),
    }


def _work(evaluation: Evaluation) -> dict[str, Any]:
    """What racks work for and what it costs; nothing where nothing works."""
    if not evaluation.served.tiers:
        return {}
    return {
        "service": [asdict(one) for one in evaluation.service],
        "served": asdict(evaluation.served),
        "unit_costs": asdict(evaluation.unit_costs),
    }


def _unit(entry: dict[str, Any]) -> dict[str, Any]:
    site, block = split_name(entry.pop("block"))
    return {"site": site, "block": block, **entry}


def npv_cents(document: Mapping[str, Any]) -> int:
    """What a plan is worth in money, whatever it was made for.

    Parameters: document, the content of `plan.json`.
    """
    return int(document.get("npv_cents", document["objective"]))


def racks_of_document(
    document: Mapping[str, Any], row_names: Sequence[str], configurations: Sequence[str]
) -> NDArray[np.int32]:
    """Standing racks of a plan document, [n_rows, n_configurations, n_periods].

    Parameters: document, the content of `plan.json`; row_names, `site:row` in order; configurations, in order.
    Raises KeyError for a placement in an unknown row, configuration or period.
    """
    row_idx = {name: index for index, name in enumerate(row_names)}
    configuration_idx = {name: index for index, name in enumerate(configurations)}
    period_idx = {name: index for index, name in enumerate(document["periods"])}
    n_racks = np.zeros((len(row_names), len(configurations), len(period_idx)), dtype=np.int32)
    for one in document["placements"]:
        key = row_idx[f"{one['site']}:{one['row']}"], configuration_idx[one["configuration"]], period_idx[one["period"]]
        n_racks[key] = one["n_racks"]
    return n_racks


def decisions_of_document(document: Mapping[str, Any], column_names: Sequence[str]) -> tuple[int, ...]:
    """What a plan document decides beside its racks, [n_columns]; 0 where a column is not named.

    Parameters: document, the content of `plan.json`; column_names of the side program, in order. Raises KeyError for a
    name that is none of these.
    """
    column_idx = {name: index for index, name in enumerate(column_names)}
    values = [0] * len(column_idx)
    for name, value in document.get("decisions", {}).items():
        values[column_idx[name]] = value
    return tuple(values)
