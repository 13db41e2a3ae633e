"""Rows that the plan converts for a system, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.money import conversion_cents
from planner.run.draws import split_name
from planner.run.totals import system_counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from planner.lower.lowered import Lowered
    from sites.catalog.loader import Catalog


@dataclass(frozen=True)
class ConvertedRow:
    """A row that is converted before racks of a system start in it."""

    site: str
    row: str
    system: str
    conversion: str
    period: str
    """Quarter in which the first of them start."""
    n_racks: int
    """That stand there in the last decision quarter."""
    cost_cents: int
    """For all of them, undiscounted."""


def converted_rows(catalog: Catalog, lowered: Lowered, n_racks: NDArray[np.int32]) -> Iterator[ConvertedRow]:
    """Rows that hold racks of a system only because they were converted for it, in the problem's order.

    Parameters: catalog; lowered; n_racks, [n_rows, n_configurations, n_periods].
    """
    problem = lowered.problem
    options = {option.name: option for option in lowered.refreshes.options}
    counts = system_counts(problem, n_racks)
    for r, s in zip(*np.nonzero(counts[:, :, -1]), strict=True):
        name, system = problem.row_names[r], problem.system_names[s]
        conversion = lowered.conversions.get((name, system))
        if conversion is not None:
            option = options.get(system)
            own = system if option is None else option.refresh.after
            positions = (
                (catalog.rack_systems[system].positions.value or 0)
                if option is None
                else lowered.refreshes.positions(option)
            )
            n_standing = int(counts[r, s, -1])
            yield ConvertedRow(
                *split_name(name),
                system=own,
                conversion=conversion.name,
                period=problem.periods[int(np.flatnonzero(counts[r, s])[0])],
                n_racks=n_standing,
                cost_cents=n_standing * conversion_cents(conversion, positions),
            )
