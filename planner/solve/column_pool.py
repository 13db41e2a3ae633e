"""Block columns that several problems of one graph share: made for one, they hold in all whose rows can take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.solve.formulation import MONEY_CENTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.solve.formulation import Formulation
    from planner.solve.master import Master
    from planner.solve.patterns import RowPatterns


@dataclass(frozen=True)
class ColumnPool:
    """Columns in order of their making, as arrays."""

    place: NDArray[np.int64]
    """[n_columns, 3] class of blocks, system and period."""
    n_racks: NDArray[np.int64]
    n_units: NDArray[np.int64]
    """[n_columns] scalable units."""
    made_for: NDArray[np.int64]
    """[n_columns, most row classes of a block] pattern sets of the rows that a column was made for, padded with -2."""
    ptr: NDArray[np.int64]
    row: NDArray[np.int64]
    """Rows of the master in which a column has terms."""
    factor: NDArray[np.float64]

    def put_into(self, formulation: Formulation, master: Master) -> None:
        """Hand all columns to the master of a problem; those that its rows cannot take are held at nothing."""
        index, system, period = self.place.T
        cost = formulation.values.unit_cost[formulation.block_first][index, system, period] / MONEY_CENTS
        gain = -cost * self.n_units * formulation.block_size[index]
        usable = (self.made_for == sets_at(formulation, formulation.patterns, self.place)).all(axis=1)
        master.extend(gain, np.where(usable, np.inf, 0.0), (self.ptr, self.row, self.factor))
        for b, s, t, n_racks in zip(index, system, period, self.n_racks, strict=True):
            formulation.fillings.append((int(b), int(s), int(t), int(n_racks)))


def sets_at(formulation: Formulation, patterns: RowPatterns, place: NDArray[np.int64]) -> NDArray[np.int64]:
    """[n_places, most row classes of a block] pattern sets of the rows of a block; -2 where it has no such row."""
    most = max(shape.row_idx.size for shape in formulation.shapes)
    rows = np.full((len(formulation.shapes), most), -1, np.int64)
    for index, shape in enumerate(formulation.shapes):
        rows[index, : shape.row_idx.size] = shape.row_idx
    own = rows[place[:, 0]]
    return np.where(own >= 0, patterns.pattern_set_idx[own, place[:, 1:2], place[:, 2:3]], -2)


class PoolMaker:
    """Gathers the columns that are made for one problem after another."""

    def __init__(self) -> None:
        self._parts: list[tuple[Any, ...]] = []
        self._known: set[tuple[Any, ...]] = set()

    def collect(self, formulation: Formulation) -> None:
        """Add the columns that were made for this problem; those that are there already are not taken twice."""
        places = np.array(formulation.fillings[len(formulation.fillings) - len(formulation.made) :], np.int64)
        if not places.size:
            return
        sets = sets_at(formulation, formulation.patterns, places[:, :3])
        for place, made_for, column in zip(places, sets, formulation.made, strict=True):
            key = (*place.tolist(), column.n_units, column.racks.tobytes(), *made_for.tolist())
            if key not in self._known:
                self._known.add(key)
                index, system, period = (int(x) for x in place[:3])
                _, rows, factors = formulation.column_terms(index, system, period, column)
                self._parts.append((place, column.n_units, made_for, rows, factors))

    def pool(self) -> ColumnPool:
        """All columns so far."""
        place, n_units, made_for, rows, factors = zip(*self._parts, strict=True)
        places = np.array(place, np.int64)
        return ColumnPool(
            place=places[:, :3], n_racks=places[:, 3], n_units=np.array(n_units, np.int64), made_for=np.array(made_for),
            ptr=np.cumsum([0] + [one.size for one in rows]), row=np.concatenate(rows), factor=np.concatenate(factors),
        )  # fmt: skip
