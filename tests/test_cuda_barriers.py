"""Barriers that some threads of a block may miss are found in PTX, and others are not."""

from __future__ import annotations

import pytest

from kernels.cuda.barriers import divergent_barriers

HEAD = """.visible .entry kernel(.param .u64 n)
{
	.reg .pred %p<9>;
	mov.u32 %r1, %tid.x;
	ld.param.u64 %rd1, [n];
"""


def kernel(*lines: str) -> str:
    return HEAD + "".join(f"\t{line}\n" if line.startswith("$") else f"\t{line};\n" for line in lines) + "\tret;\n}\n"


def test_a_barrier_after_threads_meet_again_is_reached_by_all() -> None:
    lines = "setp.eq.s32 %p1, %r1, 0", "@%p1 bra $L_1", "st.shared.u64 [room], %rd1", "$L_1:", "bar.sync 0"
    assert divergent_barriers(kernel(*lines)) == []


def test_a_barrier_that_only_some_threads_pass_is_found() -> None:
    lines = "setp.eq.s32 %p1, %r1, 0", "@%p1 bra $L_1", "bar.sync 0", "$L_1:"
    assert divergent_barriers(kernel(*lines)) == ["@%p1 bra $L_1"]


def test_a_barrier_on_each_of_two_ways_is_found() -> None:
    lines = (
        "setp.eq.s32 %p1, %r1, 0", "@%p1 bra $L_1", "bar.sync 0", "bra.uni $L_2", "$L_1:", "bar.sync 0", "$L_2:",
    )  # fmt: skip
    assert divergent_barriers(kernel(*lines)) == ["@%p1 bra $L_1"]


@pytest.mark.parametrize(("begin", "found"), [("0", []), ("%r1", ["@%p1 bra $L_1"])])
def test_a_loop_that_all_threads_leave_together_may_hold_a_barrier(begin: str, found: list[str]) -> None:
    lines = (
        f"mov.u32 %r2, {begin}", "$L_1:", "bar.sync 0", "add.s32 %r2, %r2, 1", "setp.lt.s32 %p1, %r2, 9",
        "@%p1 bra $L_1",
    )  # fmt: skip
    assert divergent_barriers(kernel(*lines)) == found


@pytest.mark.parametrize(("address", "found"), [("[room+8]", []), ("[%r1]", ["@%p2 bra $L_2"])])
def test_a_shared_word_is_alike_and_a_word_of_each_thread_is_not(address: str, found: list[str]) -> None:
    lines = f"ld.shared.u64 %rd2, {address}", "setp.eq.s64 %p2, %rd2, 0", "@%p2 bra $L_2", "bar.sync 0", "$L_2:"
    assert divergent_barriers(kernel(*lines)) == found


@pytest.mark.parametrize(
    ("other", "found"), [("ld.shared.u32 %rd2, [room+8]", []), ("mov.u64 %rd2, 1", ["@%p2 bra $L_2"])]
)
def test_what_threads_bring_from_two_ways_is_alike_only_where_it_is_the_same_word(other: str, found: list[str]) -> None:
    lines = (
        "setp.eq.s32 %p1, %r1, 0", "ld.shared.u64 %rd2, [room+8]", "@%p1 bra $L_1", other, "$L_1:",
        "setp.eq.s64 %p2, %rd2, 0", "@%p2 bra $L_2", "bar.sync 0", "$L_2:",
    )  # fmt: skip
    assert divergent_barriers(kernel(*lines)) == found


def test_trips_of_a_loop_that_threads_leave_one_by_one_differ_after_it() -> None:
    lines = (
        "mov.u32 %r2, 0", "$L_1:", "add.s32 %r2, %r2, 1", "setp.lt.s32 %p1, %r2, %r1", "@%p1 bra $L_1",
        "setp.gt.s32 %p2, %r2, 3", "@%p2 bra $L_2", "bar.sync 0", "$L_2:",
    )  # fmt: skip
    assert divergent_barriers(kernel(*lines)) == ["@%p2 bra $L_2"]


def test_barriers_beside_calls_are_refused() -> None:
    with pytest.raises(ValueError, match="not inlined"):
        divergent_barriers(kernel("bar.sync 0", "call.uni (retval0), other, (param0)"))
