"""Racks of a run in the words of a problem: rows that are refreshed hold configurations of their refresh."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.problem import Problem

Place = tuple[str, str, str, int]
"""Row, configuration, quarter and racks."""


def plan_of_run(document: Mapping[str, Any], problem: Problem) -> Plan:
    """The racks of a plan document, the best that can be decided beside them left open.

    Parameters: document, the content of `plan.json`; problem, of its own inputs or of others. Raises KeyError for what
    the problem does not know: a row, a configuration or refresh, a quarter.
    """
    row_idx = {name: index for index, name in enumerate(problem.row_names)}
    configuration_idx = {name: index for index, name in enumerate(problem.configuration_names)}
    period_idx = {name: index for index, name in enumerate(problem.periods)}
    n_racks = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int32)
    for row, configuration, quarter, n in _places(document):
        n_racks[row_idx[row], configuration_idx[configuration], period_idx[quarter]] = n
    return Plan(n_racks)


def _places(document: Mapping[str, Any]) -> Iterator[Place]:
    """Placements, those of refreshed rows by the configurations of their refresh, and racks that are exchanged."""
    refreshed = {}
    for one in document.get("refreshes") or ():
        row, name = f"{one['site']}:{one['row']}", f"{one['before']}>{one['after']}@{one['quarter']}"
        refreshed[row] = name
        for quarter, n_racks in one["exchanged"].items():
            yield row, f"{name}/down", quarter, n_racks
    for one in document["placements"]:
        row = f"{one['site']}:{one['row']}"
        prefix = f"{refreshed[row]}/" if row in refreshed else ""
        yield row, prefix + one["configuration"], one["period"], one["n_racks"]
