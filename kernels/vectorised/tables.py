"""The model rearranged for whole-array work: a small dense table of limits for each block, built when first used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import PackingModel, SearchGuide

_LARGEST = 1 << 50
"""Loads of a block up to which float64 holds every number of the filling exactly, with room to spare."""

_ONE_THREAD = 1 << 18
"""Multiplications of a matrix product up to which OpenBLAS stays on one thread; waking others costs more."""


@dataclass(frozen=True)
class BlockTable:
    """One block's rows and limits; `coefficient` is 0 where a row does not touch a limit."""

    row_idx: NDArray[np.int64]
    """[n_block_rows]"""
    limit_idx: NDArray[np.int64]
    """[n_block_limits] every limit that a row of the block touches, once."""
    coefficient: NDArray[Any]
    """[n_block_rows, n_configurations, n_block_limits] float64 where that is exact, else int64."""
    most_slack: int
    """Slack beyond which a limit cannot bind in this block."""

    @property
    def in_floats(self) -> bool:
        """Whether whole numbers of this block are worked on as float64: exact, and several times faster."""
        return self.coefficient.dtype == np.float64

    def load(self, racks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Load [n_block_limits, n_periods, n_lanes] of racks [n_block_rows, n_configurations, n_periods, n_lanes]."""
        n_limits, tail = self.limit_idx.size, racks.shape[2:]
        flat = racks.reshape(-1, tail[0] * tail[1]).astype(self.coefficient.dtype)
        by_limit = self.coefficient.reshape(-1, n_limits).T
        load = np.empty((n_limits, flat.shape[1]), flat.dtype)
        width = max(_ONE_THREAD // max(by_limit.size, 1), 1)
        # Every product and sum is a whole number below 2^53, so the order of a matrix product does not matter.
        for first in range(0, flat.shape[1], width):
            columns = slice(first, first + width)
            np.matmul(by_limit, flat[:, columns], out=load[:, columns])
        return load.astype(np.int64, copy=False).reshape(n_limits, *tail)


class Tables:
    """What the vectorised kernels look up again and again during one call."""

    model: PackingModel
    guide: SearchGuide
    n_profiles: NDArray[np.int64]
    """[n_systems] configurations of each system."""
    configuration_idx: NDArray[np.int64]
    """[most profiles, n_systems] lowest first; the last one repeated where a system has fewer."""
    lowest: NDArray[np.int64]
    """[n_rows, n_systems] position of the lowest configuration that may ever stand (any where none may)."""
    last_start: NDArray[np.int64]
    """[n_rows, n_systems, n_periods] latest period up to this one in which starting pays, -1 for none."""

    def __init__(self, model: PackingModel, guide: SearchGuide) -> None:
        self.model, self.guide = model, guide
        self._blocks: dict[int, BlockTable] = {}
        self.n_profiles = np.diff(model.system_ptr)
        position = np.minimum(np.arange(self.n_profiles.max())[:, None], self.n_profiles - 1)
        self.configuration_idx = model.system_configuration_idx[model.system_ptr[:-1] + position]
        self.lowest = (model.most_racks[:, self.configuration_idx, -1] > 0).argmax(axis=1)
        periods = np.arange(model.value.shape[2])
        self.last_start = np.maximum.accumulate(np.where(guide.may_start == 1, periods, -1), axis=2)

    def block(self, block: int) -> BlockTable:
        """The table of a block."""
        if block not in self._blocks:
            self._blocks[block] = block_table(self.model, block)
        return self._blocks[block]


def block_table(model: PackingModel, block: int) -> BlockTable:
    """Gather the entries of a block's rows."""
    rows = model.block_row_idx[model.block_ptr[block] : model.block_ptr[block + 1]]
    counts = model.row_ptr[rows + 1] - model.row_ptr[rows]
    entries = np.concatenate([np.arange(model.row_ptr[row], model.row_ptr[row + 1]) for row in rows])
    limits, place = np.unique(model.entry_limit_idx[entries], return_inverse=True)
    coefficient = np.zeros((rows.size, limits.size, model.entry_coefficient.shape[1]), np.int64)
    coefficient[np.repeat(np.arange(rows.size), counts), place] = model.entry_coefficient[entries]
    n_most = int(model.most_racks[rows].max(axis=(1, 2), initial=0).sum())
    in_floats = int(np.abs(coefficient).max(initial=0)) * max(n_most, 1) <= _LARGEST
    return BlockTable(
        row_idx=rows,
        limit_idx=limits,
        coefficient=np.ascontiguousarray(coefficient.transpose(0, 2, 1), np.float64 if in_floats else np.int64),
        most_slack=2 * _LARGEST if in_floats else np.iinfo(np.int64).max,
    )
