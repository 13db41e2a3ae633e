"""Search and construct with one thread for each lane, or for each period of a lane, on plans in global memory.

The form for models whose state does not fit a thread block's shared memory. Every phase of a step is a launch of its
own over all lanes, so nothing is copied back and a body needs few registers; the loops' own functions do the work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kernels.constants import MOST_BLOCKS
from kernels.cuda.api import cuda
from kernels.cuda.compile_list import CompileCase
from kernels.cuda.device_home import DeviceHome
from kernels.cuda.faults import INDEX
from kernels.cuda.launch import Grid, over, repeat
from kernels.cuda.memory import array_module
from kernels.cuda.soundness import sound
from kernels.loops.random import draw_of, step_word
from kernels.loops.refill import clear_block, fill_block, raise_block, start_block, start_rows, trim
from kernels.loops.search import choose_pattern, keep_block, put_back, revalue
from kernels.loops.value import premium
from kernels.vectorised.random import COMMON_LANE, lane_words, step_words
from kernels.vectorised.search import choose_blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from kernels.contract import PackingModel, Schedule, SearchGuide, SearchState

    Launch = tuple[Callable[..., None], Grid, dict[str, Any]]


class LaneRoom(NamedTuple):
    """Where the launches of a step leave for each other what they found, on the device."""

    blocks: Any
    """[n_steps, n_places] blocks that a step refills, in order; -1 where it takes fewer."""
    pattern: Any
    """[n_places, n_lanes] pattern that each of them is filled with; -1 for none."""
    word: Any
    """[n_lanes] state of the generator after seed, lane and step."""
    before: Any
    """[n_lanes] cents of the plan before the step."""
    refused: Any
    """[n_lanes] 1 where the step made the plan too much worse."""
    counts: Any
    """[n_periods, n_lanes] racks for which a row has room."""
    kept: Any
    """[n_kept_rows, n_configurations, n_periods, n_lanes] racks of the blocks that the step empties, as they were."""


def search(model: PackingModel, guide: SearchGuide, state: SearchState, schedule: Schedule) -> None:
    """Make one step for each entry of the schedule's thresholds, in every lane; the state is changed in place."""
    largest = sound("search", model, guide).largest_block
    blocks = step_blocks(model, schedule)
    room = lane_room(DeviceHome().put(blocks), state, MOST_BLOCKS * largest)
    lanes, places = over(state.objective.size), over(state.revenue.size)
    here: dict[str, Any] = {"model": model, "state": state, "room": room}
    launches: list[Launch] = []
    for step in range(blocks.shape[0]):
        launches.append((begin_kernel, lanes, {**here, "guide": guide, "schedule": schedule, "step": step}))
        launches.append((empty_kernel, places, {**here, "step": step}))
        for number in range(int((blocks[step] >= 0).sum())):
            drawn = schedule.first_step + step > 0
            launches += _refills(model, guide, state, room, step, number, drawn, emptied=True)
        launches.append((accept_kernel, lanes, {**here, "schedule": schedule, "step": step}))
        launches.append((put_back_kernel, places, {**here, "step": step}))
        launches.append((revalue_kernel, lanes, {**here, "step": step}))
    repeat("search", 1, *launches)


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
    lanes = over(state.objective.size)
    room = lane_room(array_module().zeros((1, block_order_idx.size), np.int64), state, 1)
    order: dict[str, Any] = {
        "model": model, "guide": guide, "state": state, "room": room, "schedule": schedule,
        "block_pattern_idx": block_pattern_idx, "block_order_idx": block_order_idx,
    }  # fmt: skip
    launches: list[Launch] = [(order_kernel, lanes, order)]
    for number in range(block_order_idx.size):
        launches += _refills(model, guide, state, room, 0, number, schedule.first_step > 0, emptied=False)
    launches.append((settle_kernel, lanes, {"model": model, "state": state}))
    repeat("construct", 1, *launches)


def _refills(
    model: PackingModel, guide: SearchGuide, state: SearchState, room: LaneRoom, step: int, number: int, drawn: bool,
    *, emptied: bool,
) -> list[Launch]:  # fmt: skip
    """The launches that fill one of a step's blocks in every lane and value it again."""
    lanes, places = over(state.objective.size), over(state.revenue.size)
    here: dict[str, Any] = {
        "model": model, "guide": guide, "state": state, "room": room, "step": step, "number": number,
    }  # fmt: skip
    return [
        (fill_kernel, lanes, {**here, "drawn": drawn}),
        (raise_kernel, places, here),
        (start_kernel, lanes, {**here, "emptied": emptied}),
    ]


def step_blocks(model: PackingModel, schedule: Schedule) -> NDArray[np.int64]:
    """Blocks that each step of a schedule empties in all lanes: [n_steps, MOST_BLOCKS], -1 where it empties fewer."""
    n_steps, n_blocks = schedule.threshold.size, model.block_ptr.size - 1
    found = np.full((n_steps, MOST_BLOCKS), -1, np.int64)
    common = lane_words(schedule.seed, np.array([COMMON_LANE]))
    for step in range(n_steps):
        chosen = choose_blocks(step_words(common, schedule.first_step + step), n_blocks)
        found[step, : len(chosen)] = chosen
    return found


def lane_room(blocks: Any, state: SearchState, n_kept_rows: int) -> LaneRoom:
    """Room for every lane of a state."""
    xp = array_module()
    _, n_configurations, n_periods, n_lanes = state.n_racks.shape
    return LaneRoom(
        blocks=blocks,
        pattern=xp.zeros((blocks.shape[1], n_lanes), np.int64),
        word=xp.zeros(n_lanes, np.uint64),
        before=xp.zeros(n_lanes, np.int64),
        refused=xp.zeros(n_lanes, np.int64),
        counts=xp.empty((n_periods, n_lanes), np.int64),
        kept=xp.empty((n_kept_rows, n_configurations, n_periods, n_lanes), np.int64),
    )


def begin_kernel(model: Any, state: Any, room: Any, guide: Any, schedule: Any, step: int, fault: Any) -> None:  # noqa: ARG001
    """One thread for each lane draws a pattern for each block of a step, and takes the premium off the objective."""
    lane = np.uint32(cuda.grid(1))
    while lane < state.objective.shape[0]:
        word = step_word(schedule.seed, schedule.first_lane + lane, schedule.first_step + step)
        room.word[lane] = word
        for number in range(room.blocks.shape[1]):
            block = room.blocks[step, number]
            if block >= 0:
                room.pattern[number, lane] = choose_pattern(guide, np.uint32(block), draw_of(word, block + (1 << 20)))
        room.before[lane] = state.objective[lane]
        state.objective[lane] -= premium(model, state.revenue, lane)
        lane = np.uint32(lane + cuda.gridsize(1))


def order_kernel(
    model: Any, guide: Any, state: Any, room: Any, schedule: Any, block_pattern_idx: Any, block_order_idx: Any,
    fault: Any,
) -> None:  # fmt: skip
    """One thread for each lane notes which blocks to fill after which patterns, and takes the premium off."""
    lane = np.uint32(cuda.grid(1))
    while lane < state.objective.shape[0]:
        room.word[lane] = step_word(schedule.seed, schedule.first_lane + lane, schedule.first_step)
        place = np.uint32(0)
        while place < block_order_idx.shape[0]:
            block, pattern = block_order_idx[place], -1
            if block >= 0 and block < block_pattern_idx.shape[0]:
                pattern = block_pattern_idx[np.uint32(block)]
            else:
                cuda.atomic.max(fault, 0, INDEX)
            if pattern >= guide.pattern_racks.shape[0]:
                cuda.atomic.max(fault, 0, INDEX)
                pattern = -1
            room.blocks[np.uint32(0), place] = block
            room.pattern[place, lane] = pattern
            place = np.uint32(place + 1)
        state.objective[lane] -= premium(model, state.revenue, lane)
        lane = np.uint32(lane + cuda.gridsize(1))


def empty_kernel(model: Any, state: Any, room: Any, step: int, fault: Any) -> None:  # noqa: ARG001
    """One thread for each place [period, lane] keeps what stands in a step's blocks and takes it out."""
    n_lanes = state.n_racks.shape[3]
    place = cuda.grid(1)
    while place < state.revenue.size:
        lane, period = np.uint32(place % n_lanes), np.uint32(place // n_lanes)
        first = np.uint32(0)
        for number in range(room.blocks.shape[1]):
            block = room.blocks[step, number]
            if block >= 0:
                first = keep_block(model, state.n_racks, np.uint32(block), first, period, lane, room.kept)
                clear_block(model, state.n_racks, state.slack, np.uint32(block), period, lane)
        place += cuda.gridsize(1)


def fill_kernel(
    model: Any,
    guide: Any,
    state: Any,
    room: Any,
    step: int,
    number: int,
    drawn: bool,
    fault: Any,  # noqa: ARG001
) -> None:
    """One thread for each lane fills a block after its pattern and cuts it to the pattern's racks and whole units."""
    lane = np.uint32(cuda.grid(1))
    while lane < state.objective.shape[0]:
        pattern = room.pattern[np.uint32(number), lane]
        if pattern >= 0:
            block = np.uint32(room.blocks[np.uint32(step), np.uint32(number)])
            system = np.uint32(guide.pattern_system_idx[np.uint32(pattern)])
            turn = 0
            while turn < 2:
                fill_block(
                    model, guide, state.n_racks, state.slack, block, system, lane, room.word[lane], drawn, turn,
                    room.counts,
                )  # fmt: skip
                turn += 1
            most = guide.pattern_racks[np.uint32(pattern)]
            trim(model, state.n_racks, state.slack, block, system, most, lane)
        lane = np.uint32(lane + cuda.gridsize(1))


def raise_kernel(
    model: Any,
    guide: Any,
    state: Any,
    room: Any,
    step: int,
    number: int,
    fault: Any,  # noqa: ARG001
) -> None:
    """One thread for each place [period, lane] exchanges a block's racks for profiles of more value."""
    n_lanes = state.n_racks.shape[3]
    place = cuda.grid(1)
    while place < state.revenue.size:
        lane, period = np.uint32(place % n_lanes), np.uint32(place // n_lanes)
        pattern = room.pattern[np.uint32(number), lane]
        if pattern >= 0:
            block = np.uint32(room.blocks[np.uint32(step), np.uint32(number)])
            system = np.uint32(guide.pattern_system_idx[np.uint32(pattern)])
            raise_block(model, guide, state.n_racks, state.slack, block, system, period, lane, room.word[lane])
        place += cuda.gridsize(1)


def start_kernel(
    model: Any,
    guide: Any,
    state: Any,
    room: Any,
    step: int,
    number: int,
    emptied: bool,
    fault: Any,  # noqa: ARG001
) -> None:
    """One thread for each lane clears a block before the period from which it is worth most, and values it again."""
    lane = np.uint32(cuda.grid(1))
    while lane < state.objective.shape[0]:
        pattern = room.pattern[np.uint32(number), lane]
        block = np.uint32(room.blocks[np.uint32(step), np.uint32(number)])
        if pattern >= 0:
            system = np.uint32(guide.pattern_system_idx[np.uint32(pattern)])
            start_rows(model, guide, state.n_racks, state.slack, block, lane)
            start_block(model, guide, state.n_racks, state.slack, block, system, lane)
        if pattern >= 0 or emptied:
            revalue(model, state, block, lane)
        lane = np.uint32(lane + cuda.gridsize(1))


def accept_kernel(model: Any, state: Any, room: Any, schedule: Any, step: int, fault: Any) -> None:  # noqa: ARG001
    """One thread for each lane accepts a step within its threshold, or notes that it is refused."""
    lane = np.uint32(cuda.grid(1))
    while lane < state.objective.shape[0]:
        after = state.objective[lane] + premium(model, state.revenue, lane)
        refused = after + schedule.threshold[np.uint32(step)] < room.before[lane]
        room.refused[lane] = 1 if refused else 0
        if not refused:
            state.objective[lane] = after
        lane = np.uint32(lane + cuda.gridsize(1))


def put_back_kernel(model: Any, state: Any, room: Any, step: int, fault: Any) -> None:  # noqa: ARG001
    """One thread for each place [period, lane] brings a refused step's blocks back to what was kept."""
    n_lanes = state.n_racks.shape[3]
    place = cuda.grid(1)
    while place < state.revenue.size:
        lane, period = np.uint32(place % n_lanes), np.uint32(place // n_lanes)
        first = np.uint32(0)
        for number in range(room.blocks.shape[1] if room.refused[lane] else 0):
            block = room.blocks[step, number]
            if block >= 0:
                first = put_back(model, state.n_racks, state.slack, np.uint32(block), first, period, lane, room.kept)
        place += cuda.gridsize(1)


def revalue_kernel(model: Any, state: Any, room: Any, step: int, fault: Any) -> None:  # noqa: ARG001
    """One thread for each lane values a refused step's blocks again."""
    lane = np.uint32(cuda.grid(1))
    while lane < state.objective.shape[0]:
        number = np.uint32(0 if room.refused[lane] else room.blocks.shape[1])
        while number < room.blocks.shape[1] and room.blocks[np.uint32(step), number] >= 0:
            revalue(model, state, np.uint32(room.blocks[np.uint32(step), number]), lane)
            number = np.uint32(number + 1)
        if room.refused[lane]:
            state.objective[lane] = room.before[lane]
        lane = np.uint32(lane + cuda.gridsize(1))


def settle_kernel(model: Any, state: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each lane adds the contract's premium to the objective."""
    lane = np.uint32(cuda.grid(1))
    while lane < state.objective.shape[0]:
        state.objective[lane] += premium(model, state.revenue, lane)
        lane = np.uint32(lane + cuda.gridsize(1))


def compile_cases() -> list[CompileCase]:
    """How the bodies are launched."""
    from kernels.plans import empty_state
    from kernels.samples.packing import CaseShape, make_case, schedule

    case = make_case(CaseShape(1, (1,), (1,), 1, partial_units=True, contract=True, heavy=False))
    model, guide, state, plan = case.model, case.guide, empty_state(case.model, 1), schedule(1)
    one = np.zeros(1, np.int64)
    room = LaneRoom(one[:, None], one[:, None], one.view(np.uint64), one, one, one[:, None], state.n_racks)
    step = (model, state, room, 0)
    refill = (model, guide, state, room, 0, 0)
    return [
        CompileCase("search", begin_kernel, (model, state, room, guide, plan, 0)),
        CompileCase("construct", order_kernel, (model, guide, state, room, plan, one, one)),
        CompileCase("search", empty_kernel, step),
        CompileCase("search", fill_kernel, (*refill, True)),
        CompileCase("search", raise_kernel, refill),
        CompileCase("search", start_kernel, (*refill, True)),
        CompileCase("search", accept_kernel, (model, state, room, plan, 0)),
        CompileCase("search", put_back_kernel, step),
        CompileCase("search", revalue_kernel, step),
        CompileCase("construct", settle_kernel, (model, state)),
    ]
