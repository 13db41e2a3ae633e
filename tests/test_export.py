"""The exported integer problem is the planner's: against brute force, HiGHS and the MPS text read back."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from planner.export import highs_optimum, integer_model, write_mps
from planner.export.effective import plan_value_cents, violated_limits
from planner.export.mps import decimal_text
from planner.problem import INACTIVE, LimitInfo, Problem

if TYPE_CHECKING:
    from pathlib import Path

ONE = 2**20


def _limit(family: str, element: str) -> LimitInfo:
    return LimitInfo(f"toy:{family}:{element}", "toy", family, element, None, "W")


def small_problem(seed: int, *, partial_units: bool = True, contract: int = 0) -> Problem:
    """Two rows in one or two blocks, two systems of which one has two profiles, two periods."""
    draw = random.Random(seed)
    draws_w = np.array([100, 130, 90], dtype=np.int64)
    n_periods = 2
    shared = draws_w * int(ONE * 2 / 3 + 1)
    entries = [[0], [1], [0, 1]]
    coefficient = np.concatenate([np.full((1, 3), ONE), np.full((1, 3), ONE), np.stack([shared, shared])])
    shared_capacity = [draw.randrange(150, 300) * ONE, draw.randrange(200, 400) * ONE]
    capacity = np.array([[2 * ONE] * n_periods, [2 * ONE] * n_periods, shared_capacity], dtype=np.int64)
    if draw.random() < 0.3:
        capacity[2, 0] = INACTIVE
    value = np.array([[[draw.randrange(-20, 200) for _ in range(n_periods)] for _ in range(3)] for _ in range(2)])
    return Problem(
        row_names=("toy:r1", "toy:r2"),
        configuration_names=("a", "b/low", "b/high"),
        system_names=("a", "b"),
        block_names=("toy:x",) if seed % 2 else ("toy:x", "toy:y"),
        periods=("2027-Q1", "2027-Q2"),
        system_of_configuration_idx=np.array([0, 1, 1], dtype=np.int32),
        block_of_row_idx=np.array([0, 0 if seed % 2 else 1], dtype=np.int32),
        first_period=np.array([[0, 0, 1], [1, 0, 0]], dtype=np.int32),
        limits=(_limit("position", "r1"), _limit("position", "r2"), _limit("power", "ups")),
        limit_ptr=np.array([0, 1, 2, 4], dtype=np.int64),
        entry_row_idx=np.array(list(itertools.chain(*entries)), dtype=np.int32),
        entry_coefficient=coefficient.astype(np.int64),
        capacity=capacity,
        period_value=value.astype(np.int64),
        contract_revenue=np.abs(value).astype(np.int64),
        start_value=-np.array([[[draw.randrange(0, 60) for _ in range(2)] for _ in range(2)] for _ in range(2)]),
        open_cost=np.array([[draw.randrange(0, 90), draw.randrange(0, 90)] for _ in range(1 if seed % 2 else 2)]),
        unit_cost=np.array(
            [[[draw.randrange(0, 30), draw.randrange(0, 30)] for _ in range(2)] for _ in range(1 if seed % 2 else 2)]
        ),
        unit_racks=np.array([2, 2], dtype=np.int64),
        partial_units=np.full(2, partial_units),
        contract_amount=contract,
        contract_rate=np.array([ONE // 2, ONE // 3], dtype=np.int64),
        ineligible=(),
    )


def _allowed(problem: Problem, racks: np.ndarray) -> bool:
    """Every rule of section 6, by enumeration."""
    eligible = np.arange(problem.n_periods)[None, None, :] >= problem.first_period[:, :, None]
    if (racks[~eligible] != 0).any() or violated_limits(problem, racks):
        return False
    by_system = np.stack([racks[:, problem.system_of_configuration_idx == s].sum(axis=1) for s in range(2)], axis=1)
    if (np.diff(by_system, axis=2) < 0).any():
        return False
    for block in range(problem.n_blocks):
        of_block = by_system[problem.block_of_row_idx == block].sum(axis=0)
        if (of_block.sum(axis=1) > 0).sum() > 1:
            return False
        if not problem.partial_units[block] and (of_block % problem.unit_racks[:, None]).any():
            return False
    return True


def _brute_force(problem: Problem) -> int:
    one_row = [
        np.array(counts).reshape(3, 2)
        for counts in itertools.product(range(3), repeat=6)
        if sum(counts[0::2]) <= 2 and sum(counts[1::2]) <= 2
    ]
    best = -(10**9)
    too_early = np.arange(2)[None, None, :] < problem.first_period[:, :, None]
    usable = [[racks for racks in one_row if _grows(racks) and not racks[too_early[row]].any()] for row in range(2)]
    for left, right in itertools.product(*usable):
        racks = np.stack([left, right])
        value = plan_value_cents(problem, racks)
        if value > best and _allowed(problem, racks):
            best = value
    return best


def _grows(racks: np.ndarray) -> bool:
    return racks[0, 1] >= racks[0, 0] and racks[1:, 1].sum() >= racks[1:, 0].sum()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("partial_units", [True, False])
def test_highs_optimum_is_the_best_plan_by_enumeration(seed: int, partial_units: bool) -> None:
    problem = small_problem(seed, partial_units=partial_units, contract=100 if seed % 3 else 0)
    optimum = highs_optimum(problem)
    assert _allowed(problem, optimum.n_racks)
    assert optimum.objective_cents == _brute_force(problem)
    assert abs(optimum.dual_bound_cents - optimum.objective_cents) < 1


def test_mps_read_back_by_highs_has_the_same_optimum(tmp_path: Path) -> None:
    import highspy

    problem = small_problem(4, contract=100)
    write_mps(problem, tmp_path / "toy.mps")
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", 0.0)
    assert solver.readModel(str(tmp_path / "toy.mps")) == highspy.HighsStatus.kOk
    solver.run()
    exact = highs_optimum(problem).objective_cents
    assert exact <= -solver.getInfo().objective_function_value + 1e-6 < exact + 1


def test_rows_divided_by_their_common_divisor_keep_every_integer_point() -> None:
    problem = small_problem(3)
    model = integer_model(problem)
    rows = {row.name: row for row in model.rows}
    power = rows["limit_2_t1"]
    assert set(power.coefficient) == {10, 13, 9}
    scale = 10 * int(ONE * 2 / 3 + 1)
    assert power.right == int(problem.capacity[2, 1]) // scale


@pytest.mark.parametrize(("numerator", "shift"), [(0, 0), (7, 0), (-3, 1), (2**62 - 1, 42), (-(2**55) - 1, 20), (8, 3)])
def test_decimal_text_is_exact(numerator: int, shift: int) -> None:
    assert Fraction(decimal_text(numerator, shift)) == Fraction(numerator, 2**shift)


def test_inactive_limits_write_no_row() -> None:
    problem = next(p for seed in range(50) if (p := small_problem(seed)).capacity[2, 0] == INACTIVE)
    names = {row.name for row in integer_model(problem).rows}
    assert "limit_2_t0" not in names
    assert "limit_2_t1" in names


def test_a_row_without_any_limit_is_refused() -> None:
    problem = small_problem(1)
    capacity = problem.capacity.copy()
    capacity[:, 1] = INACTIVE
    broken = Problem(**{**problem.__dict__, "capacity": capacity})
    with pytest.raises(ValueError, match="no limit on 'a'"):
        integer_model(broken)
