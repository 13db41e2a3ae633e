"""The tables by which a thread block refills a fabric block hold the model's entries, each once and with its owner."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import case_shapes

pytest.importorskip("numba_cuda", reason="the package numba-cuda is not installed")

from kernels.cuda.block_tables import N_WORDS, deal_out, indices_of, number_slots, shared_room
from kernels.samples.packing import CaseShape, make_case


@given(shape=case_shapes, n_parts=st.integers(1, 8))
def test_every_entry_is_dealt_to_the_part_of_its_slot(shape: CaseShape, n_parts: int) -> None:
    model = make_case(shape).model
    slots = number_slots(indices_of(model), model.capacity.shape[0])
    room = shared_room(indices_of(model), slots, shape.n_periods, n_parts)
    part_ptr, order = deal_out(slots, room, model.block_row_idx.size)
    found = []
    for block in range(model.block_ptr.size - 1):
        limits = slots.slot_limit_idx[slots.slot_ptr[block] : slots.slot_ptr[block + 1]]
        assert len(set(limits.tolist())) == limits.size <= room.n_slots, "a limit has two slots"
        for place in range(model.block_ptr[block], model.block_ptr[block + 1]):
            for part in range(n_parts):
                for at in range(part_ptr[place * n_parts + part], part_ptr[place * n_parts + part + 1]):
                    slot, entry = slots.entry_slot_idx[order[at]], slots.entry_idx[order[at]]
                    assert slot % n_parts == part
                    found.append((int(model.block_row_idx[place]), int(limits[slot]), int(entry)))
    row_of_entry = np.repeat(np.arange(model.row_ptr.size - 1), np.diff(model.row_ptr)).tolist()
    limit_idx = model.entry_limit_idx.tolist()
    assert sorted(found) == sorted(zip(row_of_entry, limit_idx, range(len(limit_idx)), strict=True))


def test_a_block_lies_in_shared_memory_without_overlap() -> None:
    model = make_case(CaseShape(3, (2, 3), (2, 1), 4, partial_units=True, contract=True, heavy=False)).model
    slots = number_slots(indices_of(model), model.capacity.shape[0])
    room = shared_room(indices_of(model), slots, 4, 5)
    sizes = [N_WORDS, 4, 5 * 4, 2 * 3, 3 * 4, 3 * 2 * 4, room.n_slots * 4]
    ends = [room.least, room.parts, room.rows, room.by_row, room.racks, room.slack, room.end]
    assert ends == np.cumsum(sizes).tolist()
    assert (room.n_parts, room.n_rows, room.n_positions) == (5, 3, 2)


@pytest.mark.parametrize("limit", [-1, 10**6])
def test_an_entry_of_no_limit_is_named(limit: int) -> None:
    model = make_case(CaseShape(3, (2, 3), (2, 1), 4, partial_units=True, contract=True, heavy=False)).model
    model.entry_limit_idx[2] = limit
    with pytest.raises(IndexError, match=rf"entry_limit_idx\[2\] is {limit}, it must lie from 0 to"):
        number_slots(indices_of(model), model.capacity.shape[0])
