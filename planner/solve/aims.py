"""Aims: the relaxation's racks of each class as extra, soft limits that steer construction and half of the lanes.

They make blocks of a class start one after the other as supply and landing allow, instead of all at once in part.
They are no part of the problem: lanes without aims drop them, and no check knows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import PackingModel

RELEASED = np.int64(2**62)
"""Slack of an aim that does not bind."""


def aim_capacity(racks: NDArray[np.float64], system_of_configuration_idx: NDArray[np.int32], group: NDArray[np.int64],
                 dealt: NDArray[np.float64]) -> NDArray[np.int64]:  # fmt: skip
    """Racks of each (group of rows, system) in each period, rounded up and never falling.

    Parameters: racks [n_rows, n_configurations, n_periods]; group [n_rows]; dealt [n_groups, n_systems], factor by
    which the first plan holds more blocks than the relaxation. Returns [n_groups · n_systems, n_periods].
    """
    total = np.zeros((*dealt.shape, racks.shape[2]))
    for configuration, system in enumerate(system_of_configuration_idx):
        np.add.at(total, (group, system), racks[:, configuration])
    rounded = np.ceil(np.round(total * dealt[:, :, None], 4)).astype(np.int64)
    return np.maximum.accumulate(rounded, axis=2).reshape(-1, racks.shape[2])


def with_aims(model: PackingModel, capacity: NDArray[np.int64], group: NDArray[np.int64],
              system_of_configuration_idx: NDArray[np.int64]) -> PackingModel:  # fmt: skip
    """The model with one more limit for each (group, system): the last `len(capacity)` limits are aims.

    Parameters: capacity [n_groups · n_systems, n_periods]; group [n_rows]; system_of_configuration_idx
    [n_configurations].
    """
    n_limits, n_rows, n_systems = model.capacity.shape[0], group.size, model.unit_racks.size
    row_of_entry = np.repeat(np.arange(n_rows), np.diff(model.row_ptr))
    aim_row = np.repeat(np.arange(n_rows), n_systems)
    aim_limit = n_limits + (group[:, None] * n_systems + np.arange(n_systems)).ravel()
    aim_coefficient = (system_of_configuration_idx[None, :] == np.arange(n_systems)[:, None]).astype(np.int64)
    rows = np.concatenate((row_of_entry, aim_row))
    order = np.argsort(rows, kind="stable")
    limits = np.concatenate((model.entry_limit_idx, aim_limit))[order]
    coefficients = np.concatenate((model.entry_coefficient, np.tile(aim_coefficient, (n_rows, 1))))[order]
    counts = np.bincount(rows, minlength=n_rows)
    return model._replace(
        row_ptr=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        entry_limit_idx=limits.astype(np.int64),
        entry_coefficient=np.ascontiguousarray(coefficients),
        capacity=np.concatenate((model.capacity, capacity)),
    )
