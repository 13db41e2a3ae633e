"""Bounds and starts that are found beside the search: sharper never proves less, and nothing depends on threads."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
from solve_cases import FULL_SIZE, broken_rules, random_problem

from planner.solve.beside import Beside
from planner.solve.bounding import Bounding
from planner.solve.certificate import bound_cents
from planner.solve.options import SolveOptions
from planner.solve.patterns import row_patterns
from planner.solve.relaxation import relax
from planner.solve.solve import solve
from planner.solve.start import Deeper, Starter


def _no_limit() -> float | None:
    return None


def test_a_call_beside_gives_its_result_once_it_is_done() -> None:
    gate = threading.Event()

    def call() -> int:
        gate.wait(30.0)
        return 7

    beside = Beside(call)
    assert not beside.done
    gate.set()
    assert beside.result() == 7
    assert beside.done


def test_what_a_call_beside_raises_is_raised_where_its_result_is_asked_for() -> None:
    def call() -> int:
        msg = "no plan"
        raise ValueError(msg)

    beside = Beside(call)
    with pytest.raises(ValueError, match="no plan"):
        beside.result()


@pytest.mark.parametrize("seed", range(8))
def test_the_first_bound_is_valid_and_the_sharper_one_proves_no_less(seed: int) -> None:
    problem = random_problem(seed, FULL_SIZE)
    bounding = Bounding(problem, "auto", "numpy")
    first = bounding.first(None)
    sharper = bounding.sharper(first, _no_limit)
    assert sharper.bound <= first.bound
    for one in (first, sharper):
        assert one.bound == bound_cents(problem, row_patterns(problem), one.proof)
    refined = relax(problem, bounding.patterns, bounding.classes)
    assert sharper.bound >= solve(problem, SolveOptions(work_limit=500, backend="numpy")).objective
    assert sharper.bound <= max(refined.value * (1 + 1e-3), first.relaxation.value * (1 + 1e-3)) + 1


@pytest.mark.parametrize("seed", range(4))
def test_deeper_starts_come_after_the_same_rounds_whatever_the_time_they_take(seed: int) -> None:
    problem = random_problem(seed, FULL_SIZE)
    bounding = Bounding(problem, "auto", "numpy")
    starter = Starter(problem, bounding.patterns, bounding.classes, bounding.first(None).relaxation, _no_limit)

    def taken() -> list[tuple[int, bytes]]:
        deeper, found = Deeper(starter), []
        for round_number in range(1, 140):
            plan = deeper.after(round_number, round_number)
            if plan is not None:
                assert broken_rules(problem, plan) == []
                found.append((round_number, np.ascontiguousarray(plan).tobytes()))
        return found

    assert taken() == taken()


def test_a_time_limit_of_nothing_still_gives_a_plan_and_a_bound() -> None:
    problem = random_problem(4, FULL_SIZE)
    solution = solve(problem, SolveOptions(time_limit_s=1e-6, backend="numpy"))
    assert solution.work == 0
    assert 0 < solution.objective <= solution.bound
    assert broken_rules(problem, solution.plan.n_racks) == []


def test_an_interpreter_that_ends_is_not_aborted_by_a_call_that_goes_on() -> None:
    code = """
import highspy
from planner.solve.beside import Beside

def forever():
    while True:
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.run()

kept = Beside(forever)
"""
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
