"""Scenarios side by side: the same plans and proofs as one after the other, in any chunks and any order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from solve_cases import FULL_SIZE, random_problem, scenarios_of

from planner.bench.campus import CampusSize, write_campus
from planner.bench.scenarios import draw_scenario
from planner.lower import lower
from planner.solve import scenario as scenario_module
from planner.solve.batch import solve_batch
from planner.solve.polish import Polish
from planner.solve.scenario import BatchOptions
from sites.world import load_world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.problem import Problem
    from planner.solve.scenario import BatchSolution

OPTIONS = BatchOptions(gap=0.0, most_rounds=5, n_probes=2, n_processes=1, backend="numba")


class OneByOne:
    """What `PolishTogether` does, by the kernels of one model in one lane after the other."""

    def __init__(self, begun: Sequence[Any], backend: str, seed: int) -> None:
        self._lanes = [Polish(*each, backend, seed) for each in begun]

    def n_racks(self, lane: int) -> Any:
        return self._lanes[lane].n_racks

    def round(self, lanes: Sequence[int]) -> None:
        for lane in lanes:
            self._lanes[lane].round()


def told(solved: Sequence[BatchSolution], problems: Sequence[Problem]) -> list[tuple[Any, ...]]:
    """All of solutions but the time that they took."""
    return [
        (
            one.plan.n_racks.tobytes(), one.objective, one.bound, one.first_bound, one.n_rounds, one.n_columns,
            str(one.certificate.to_json(problem)),
        )
        for one, problem in zip(solved, problems, strict=True)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    folder = tmp_path_factory.mktemp("campus")
    return lower(load_world(write_campus(folder, 7, CampusSize(24, 4)))).problem


@pytest.fixture(scope="module")
def drawn(campus: Problem) -> list[Problem]:
    return [draw_scenario(campus, seed) for seed in range(6)]


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("seed", [3, 5])
def test_small_problems_get_what_one_after_the_other_gives(
    backend: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = random_problem(seed, FULL_SIZE)
    problems = scenarios_of(base, seed, 4)
    options = replace(OPTIONS, backend=backend)
    found = told(solve_batch(base, problems, options), problems)
    monkeypatch.setattr(scenario_module, "PolishTogether", OneByOne)
    assert told(solve_batch(base, problems, options), problems) == found


def test_a_campus_gets_what_one_after_the_other_gives(
    campus: Problem, drawn: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = replace(OPTIONS, gap=0.0875, most_rounds=9)
    solved = solve_batch(campus, drawn, options)
    assert len({one.n_rounds for one in solved}) > 2, "all leave at once, which proves little"
    found = told(solved, drawn)
    monkeypatch.setattr(scenario_module, "PolishTogether", OneByOne)
    assert told(solve_batch(campus, drawn, options), drawn) == found


@pytest.mark.parametrize("n_lanes", [1, 4])
def test_chunks_change_nothing(campus: Problem, drawn: list[Problem], n_lanes: int) -> None:
    numbers: list[int] = []
    whole = solve_batch(campus, drawn, OPTIONS, lambda number, _: numbers.append(number))
    assert sorted(numbers) == list(range(6))
    assert told(solve_batch(campus, drawn, replace(OPTIONS, n_lanes=n_lanes)), drawn) == told(whole, drawn)


def test_neither_order_nor_company_changes_a_plan(campus: Problem, drawn: list[Problem]) -> None:
    whole = told(solve_batch(campus, drawn, OPTIONS), drawn)
    chosen = [4, 0, 3]
    some = solve_batch(campus, drawn, OPTIONS, chosen=chosen)
    assert told(some, [drawn[number] for number in chosen]) == [whole[number] for number in chosen]
