"""Search and construct on a device: one thread block for each lane where a block's reduced state fits its memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kernels.constants import MOST_BLOCKS
from kernels.cuda import lane_search
from kernels.cuda.block_search import construct_kernel, search_kernel
from kernels.cuda.block_state import Kept, LaneNumbers, LaneState, Plans
from kernels.cuda.block_tables import (
    WORD_BYTES,
    BlockTables,
    ModelIndices,
    SharedRoom,
    Slots,
    deal_out,
    indices_of,
    number_slots,
    shared_room,
)
from kernels.cuda.device_home import DeviceHome
from kernels.cuda.launch import MOST_SHARED_BYTES, MOST_THREADS, Grid, launch, limits
from kernels.cuda.memory import array_module, is_on_device
from kernels.cuda.soundness import sound

if TYPE_CHECKING:
    from kernels.contract import PackingModel, Schedule, SearchGuide, SearchState


@dataclass
class BlockThreads:
    """The largest thread block of a lane; tests make it tiny so that threads stride over periods and slots."""

    n_periods: int = 64
    n_parts: int = 8


block_threads = BlockThreads()


@dataclass(frozen=True)
class _Arranged:
    """What one model needs to be searched by thread blocks."""

    arrays: tuple[Any, ...]
    """Those of the model that it is made of, kept so that no others take their places in memory."""
    n_limits: int
    indices: ModelIndices
    slots: Slots
    tables: dict[int, BlockTables]
    """By number of parts."""

    def fits(self, arrays: tuple[Any, ...], n_limits: int) -> bool:
        """Whether it was made of these arrays."""
        return n_limits == self.n_limits and all(a is b for a, b in zip(arrays, self.arrays, strict=True))


_arranged: list[_Arranged] = []
_MOST_ARRANGED = 4
"""Models that are remembered: those of one search, in a few variants."""


def search_form(model: PackingModel) -> tuple[Literal["blocks"], int] | tuple[Literal["lanes"], str]:
    """How search runs on a device: by thread blocks with so many bytes of shared memory, or thread by thread and why.

    Parameters: model, on the host or the device. Raises IndexError where it names a limit that does not exist.
    """
    room = _room(model, _arrangement(model))
    n_bytes = room.end * WORD_BYTES
    if n_bytes <= MOST_SHARED_BYTES:
        return "blocks", n_bytes
    why = (
        f"a fabric block of {room.n_rows} rows, {room.n_positions} configurations of a system, {room.n_slots} limits "
        f"and {model.capacity.shape[1]} periods takes {n_bytes} bytes of shared memory; "
        f"a thread block has {MOST_SHARED_BYTES}"
    )
    return "lanes", why


def search(model: PackingModel, guide: SearchGuide, state: SearchState, schedule: Schedule) -> None:
    """Make one step for each entry of the schedule's thresholds, in every lane; the state is changed in place."""
    sound("search", model, guide)
    if search_form(model)[0] == "lanes":
        lane_search.search(model, guide, state, schedule)
        return
    tables = tables_of(model)
    grid = grid_of(model, state.objective.shape[0], tables.room)
    plans = _plans(model, state, tables.room, grid, schedule.first_lane)
    launch("search", search_kernel, grid, model=model, guide=guide, tables=tables, plans=plans, schedule=schedule)
    _bring_back(plans)


def construct(
    model: PackingModel,
    guide: SearchGuide,
    state: SearchState,
    block_pattern_idx: Any,
    block_order_idx: Any,
    schedule: Schedule,
) -> None:
    """Fill empty blocks in the given order after the given patterns; arguments as in `kernels.loops.search`."""
    sound("construct", model, guide)
    if search_form(model)[0] == "lanes":
        lane_search.construct(model, guide, state, block_pattern_idx, block_order_idx, schedule)
        return
    tables = tables_of(model)
    grid = grid_of(model, state.objective.shape[0], tables.room)
    plans = _plans(model, state, tables.room, grid, schedule.first_lane)
    launch(
        "construct",
        construct_kernel,
        grid,
        model=model,
        guide=guide,
        tables=tables,
        plans=plans,
        block_pattern_idx=block_pattern_idx,
        block_order_idx=block_order_idx,
        schedule=schedule,
    )
    _bring_back(plans)


def _arrangement(model: PackingModel) -> _Arranged:
    """The model's blocks and their slots, found once; its index arrays are copied to the host for that."""
    indices, n_limits = indices_of(model), model.capacity.shape[0]
    arrays = (*indices, model.entry_coefficient)
    for known in _arranged:
        if known.fits(arrays, n_limits):
            return known
    if is_on_device(model.row_ptr):
        indices = DeviceHome().get(indices)
    found = _Arranged(arrays, n_limits, indices, number_slots(indices, n_limits), {})
    _arranged.append(found)
    del _arranged[:-_MOST_ARRANGED]
    return found


def _threads(model: PackingModel) -> tuple[int, int]:
    """Threads of a block: as many as there are periods, times parts of the slots."""
    most = min(limits.n_threads, MOST_THREADS)
    n_periods = min(model.capacity.shape[1], block_threads.n_periods, most)
    return n_periods, min(block_threads.n_parts, most // n_periods)


def _room(model: PackingModel, arranged: _Arranged) -> SharedRoom:
    return shared_room(arranged.indices, arranged.slots, model.capacity.shape[1], _threads(model)[1])


def tables_of(model: PackingModel) -> BlockTables:
    """The tables of a model's blocks, on the device, made once."""
    arranged = _arrangement(model)
    room = _room(model, arranged)
    if room.n_parts not in arranged.tables:
        put, slots = DeviceHome().put, arranged.slots
        part_ptr, order = deal_out(slots, room, arranged.indices.block_row_idx.size)
        arranged.tables[room.n_parts] = BlockTables(
            part_ptr=put(part_ptr),
            entry_slot_idx=put(slots.entry_slot_idx[order]),
            entry_coefficient=model.entry_coefficient[put(slots.entry_idx[order])],
            slot_ptr=put(slots.slot_ptr),
            slot_limit_idx=put(slots.slot_limit_idx),
            room=room,
        )
    return arranged.tables[room.n_parts]


def grid_of(model: PackingModel, n_lanes: int, room: SharedRoom) -> Grid:
    """Thread blocks, one for each lane at a time, and their shared memory."""
    n_threads, n_parts = _threads(model)
    n_blocks = max(1, min(n_lanes, limits.n_blocks))
    return Grid(n_blocks, n_threads, n_parts, room.end * WORD_BYTES)


def _plans(model: PackingModel, state: SearchState, room: SharedRoom, grid: Grid, first_lane: int) -> Plans:
    """The state with racks and slack turned so that lanes lie outermost; all lanes go by one model."""
    xp = array_module()
    own = LaneState(state.n_racks.transpose(3, 0, 1, 2).copy(), state.slack.transpose(2, 0, 1).copy())
    lane_idx = xp.arange(state.objective.shape[0], dtype="int64")
    lanes = LaneNumbers(lane_idx, xp.zeros_like(lane_idx), lane_idx + first_lane)
    return Plans(state, own, kept_of(model, room, grid), lanes)


def kept_of(model: PackingModel, room: SharedRoom, grid: Grid) -> Kept:
    """Room for what steps keep."""
    xp, n_periods = array_module(), model.capacity.shape[1]
    shape = (grid.n_blocks, MOST_BLOCKS * room.n_rows, model.value.shape[1], n_periods)
    return Kept(
        n_racks=xp.zeros(shape, "int64"),
        slack=xp.zeros((grid.n_blocks, MOST_BLOCKS * room.n_slots, n_periods), "int64"),
        revenue=xp.zeros((grid.n_blocks, MOST_BLOCKS + 1, n_periods), "int64"),
    )


def _bring_back(plans: Plans) -> None:
    plans.state.n_racks[...] = plans.own.n_racks.transpose(1, 2, 3, 0)
    plans.state.slack[...] = plans.own.slack.transpose(1, 2, 0)
