"""Which limits a fabric block's rows touch, arranged so that a thread block can refill it in shared memory.

A refill reads and writes little: racks of the block's rows and slack of the limits that they touch, its slots. Slots
are dealt out to the parts of a thread block; a row's entries lie part by part, so that each thread finds its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kernels.cuda.soundness import require_index

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import PackingModel

N_WORDS = 19
"""Words at the start of shared memory that a thread block keeps for itself.

`block_fill`, `block_state` and `block_search` name them."""
WORD_BYTES = 8


class SharedRoom(NamedTuple):
    """Where each thing begins in a thread block's shared memory, in words of 64 bits."""

    least: int
    """[n_periods] least of what the parts found, or what each period is worth."""
    parts: int
    """[n_parts, n_periods] what each part found."""
    rows: int
    """[2, most rows of a block] a period and a configuration's position for each row."""
    by_row: int
    """[most rows of a block, n_periods] racks or worth of each row."""
    racks: int
    """[most rows of a block, n_positions, n_periods] racks by configuration of the one system that a refill places."""
    slack: int
    """[most slots of a block, n_periods]"""
    end: int
    n_parts: int
    n_rows: int
    """Most rows of a block."""
    n_positions: int
    """Most configurations of a system."""
    n_slots: int
    """Most slots of a block."""


class BlockTables(NamedTuple):
    """The model's entries block by block; read-only and shared by all lanes."""

    part_ptr: NDArray[np.int64]
    """[n_rows * n_parts + 1] offsets of the entries of each row, in the order of `block_row_idx`, part by part."""
    entry_slot_idx: NDArray[np.int64]
    """[n_entries] slot of the entry's limit within its block."""
    entry_coefficient: NDArray[np.int64]
    """[n_entries, n_configurations] as in the model, in this order."""
    slot_ptr: NDArray[np.int64]
    """[n_blocks + 1] offsets of each block's slots."""
    slot_limit_idx: NDArray[np.int64]
    """[n_slots] limit of each slot."""
    room: SharedRoom


@dataclass(frozen=True)
class Slots:
    """Slots of every block, numbered in the order in which its rows first touch them."""

    entry_idx: NDArray[np.int64]
    """[n_entries] the model's entries, block by block and row by row."""
    place_of_entry: NDArray[np.int64]
    """[n_entries] position of the entry's row in `block_row_idx`."""
    entry_slot_idx: NDArray[np.int64]
    """[n_entries] slot within the block."""
    slot_ptr: NDArray[np.int64]
    slot_limit_idx: NDArray[np.int64]


class ModelIndices(NamedTuple):
    """The model's index arrays in the host's memory."""

    row_ptr: NDArray[np.int64]
    entry_limit_idx: NDArray[np.int64]
    block_ptr: NDArray[np.int64]
    block_row_idx: NDArray[np.int64]
    system_ptr: NDArray[np.int64]


def indices_of(model: PackingModel) -> ModelIndices:
    """The model's own index arrays, wherever they lie."""
    return ModelIndices(*(getattr(model, name) for name in ModelIndices._fields))


def number_slots(indices: ModelIndices, n_limits: int) -> Slots:
    """Find the limits that each block touches. Raises IndexError where an entry names a limit that does not exist."""
    limit_idx = indices.entry_limit_idx
    require_index("model.entry_limit_idx", limit_idx, n_limits)
    rows, n_blocks = indices.block_row_idx, indices.block_ptr.size - 1
    counts = indices.row_ptr[rows + 1] - indices.row_ptr[rows]
    place_of_entry = np.repeat(np.arange(rows.size), counts)
    begin = np.concatenate(([0], np.cumsum(counts)))[:-1]
    entry_idx = indices.row_ptr[rows[place_of_entry]] + np.arange(place_of_entry.size) - begin[place_of_entry]
    block = np.repeat(np.arange(n_blocks), np.diff(indices.block_ptr))[place_of_entry]
    _, first, number = np.unique(block * n_limits + limit_idx[entry_idx], return_index=True, return_inverse=True)
    # Entries stand block by block, so first places in order number the slots block by block too.
    rank = np.argsort(np.argsort(first))
    first = np.sort(first)
    slot_ptr = np.concatenate(([0], np.cumsum(np.bincount(block[first], minlength=n_blocks)))).astype(np.int64)
    return Slots(entry_idx, place_of_entry, rank[number] - slot_ptr[block], slot_ptr, limit_idx[entry_idx[first]])


def shared_room(indices: ModelIndices, slots: Slots, n_periods: int, n_parts: int) -> SharedRoom:
    """Lay out the shared memory that the largest block needs."""
    n_rows = int(np.diff(indices.block_ptr).max(initial=1))
    n_positions = int(np.diff(indices.system_ptr).max(initial=1))
    n_slots = int(np.diff(slots.slot_ptr).max(initial=1))
    sizes = [N_WORDS, n_periods, n_parts * n_periods, 2 * n_rows, n_rows * n_periods, n_rows * n_positions * n_periods]
    offsets: list[int] = np.cumsum([*sizes, n_slots * n_periods]).tolist()
    return SharedRoom(*(*offsets, n_parts, n_rows, n_positions, n_slots))


def deal_out(slots: Slots, room: SharedRoom, n_rows: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sort each row's entries by the part that holds their slot.

    Parameters: n_rows of the model. Returns `BlockTables.part_ptr` and the order of the slots' entries.
    """
    part = slots.place_of_entry * room.n_parts + slots.entry_slot_idx % room.n_parts
    counts = np.bincount(part, minlength=n_rows * room.n_parts)
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64), np.argsort(part, kind="stable")
