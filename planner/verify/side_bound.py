"""What prices of the side program's rows add to the bound, in exact integers (section 8a of `docs/model.md`)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.certificate import Multipliers
    from planner.verify.side import Place, Side, SideColumn


def rack_gains(side: Side, prices: Mapping[str, int]) -> dict[Place, int]:
    """What prices add to a standing rack, by site, configuration and period, in units of the grid.

    Parameters: prices by row, in units of the grid for each unit of the row.
    """
    gains: dict[Place, int] = defaultdict(int)
    for name, price in prices.items():
        for place, each in side.rows[name].racks.items() if price else ():
            gains[place] += price * each
    return dict(gains)


def side_term(side: Side, multipliers: Multipliers, ranges: Mapping[str, tuple[int, int]] | None = None) -> int:
    """What the side program adds to the bound beside that, in units of the grid and 2^-20.

    The right-hand sides at their prices, the best of every column by itself, and what every plan earns alike.

    Parameters: ranges, least and most of columns that may not be all of 0 to their most.
    """
    total = side.constant_cents << (multipliers.grid_bits + 20)
    total += sum(price * side.rows[name].right for name, price in multipliers.side.items()) << 20
    for name, column in side.columns.items():
        least, most = (ranges or {}).get(name, (0, column.most))
        worth = _reduced_worth(column, multipliers)
        total += max(least * worth, most * worth)
    return total


def _reduced_worth(column: SideColumn, multipliers: Multipliers) -> int:
    """What a unit of a column is worth beyond what it takes of rows, with what it adds to capacities."""
    worth = column.worth_scaled << multipliers.grid_bits
    worth -= sum(multipliers.side.get(row, 0) * coefficient for row, coefficient in column.terms.items()) << 20
    return worth + sum(
        multipliers.limits.get(limit, {}).get(t, 0) * amount for (limit, t), amount in column.raises.items()
    )
