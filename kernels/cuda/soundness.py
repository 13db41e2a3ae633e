"""Whether a model and its guide point inside their arrays: looked at once on the host, before any lane follows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.cuda.device_home import DeviceHome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernels.contract import PackingModel, SearchGuide

_MOST_KNOWN = 8
"""Models that are remembered: those of one search, in a few variants."""


@dataclass(frozen=True)
class Sound:
    """A model and a guide whose indices were looked at; kept so that no other arrays take their place in memory."""

    model: PackingModel
    guide: SearchGuide
    largest_block: int
    """Rows of the block that has most."""


_known: list[Sound] = []


def sound(kernel: str, model: PackingModel, guide: SearchGuide) -> Sound:
    """Look through a model's and a guide's indices, on the device, once for each pair of them.

    Parameters: kernel, the name that an error gives. Raises IndexError that says which index points outside.
    """
    for known in _known:
        ours, theirs = (*known.model, *known.guide), (*model, *guide)
        if all(one is other for one, other in zip(ours, theirs, strict=True)):
            return known
    for name, pointer, end in _pointers(model, guide):
        _require_pointer(f"kernel '{kernel}' on backend cuda: {name}", DeviceHome().get(pointer), end)
    for name, index, end in _indices(model, guide):
        require_index(f"kernel '{kernel}' on backend cuda: {name}", DeviceHome().get(index), end)
    block_ptr = DeviceHome().get(model.block_ptr)
    found = Sound(model, guide, int(np.diff(block_ptr).max(initial=0)))
    _known.append(found)
    del _known[:-_MOST_KNOWN]
    return found


def _pointers(model: PackingModel, guide: SearchGuide) -> Iterator[tuple[str, Any, int]]:
    """Names of offsets, the offsets, and what their last one must be."""
    yield "model.row_ptr", model.row_ptr, model.entry_limit_idx.size
    yield "model.block_ptr", model.block_ptr, model.block_row_idx.size
    yield "model.system_ptr", model.system_ptr, model.system_configuration_idx.size
    yield "guide.pool_ptr", guide.pool_ptr, guide.pattern_racks.size


def _indices(model: PackingModel, guide: SearchGuide) -> Iterator[tuple[str, Any, int]]:
    """Names of indices, the indices, and what each must be below."""
    n_rows, n_configurations, _ = model.value.shape
    yield "model.entry_limit_idx", model.entry_limit_idx, model.capacity.shape[0]
    yield "model.block_row_idx", model.block_row_idx, n_rows
    yield "model.system_configuration_idx", model.system_configuration_idx, n_configurations
    yield "guide.pool_of_block_idx", guide.pool_of_block_idx, guide.pool_ptr.size - 1
    yield "guide.pattern_system_idx", guide.pattern_system_idx, model.unit_racks.size


def _require_pointer(name: str, pointer: Any, end: int) -> None:
    falls = np.flatnonzero(np.diff(pointer) < 0)
    if pointer.size == 0 or pointer[0] != 0 or pointer[-1] != end or falls.size:
        at = f"; it falls after place {falls[0]}" if falls.size else ""
        ends = f"{pointer[0]} to {pointer[-1]}" if pointer.size else "nothing"
        msg = f"{name} goes from {ends}, it must rise from 0 to {end}{at}"
        raise IndexError(msg)


def require_index(name: str, index: Any, end: int) -> None:
    """Raise IndexError for the first index that is not from 0 to end − 1. Parameters: index, in the host's memory."""
    outside = np.flatnonzero((index < 0) | (index >= end))
    if outside.size:
        msg = f"{name}[{outside[0]}] is {index[outside[0]]}, it must lie from 0 to {end - 1}"
        raise IndexError(msg)
