"""Every toy: our plan, the optimum of HiGHS and the answer by hand are the same, and the rule in question decides."""

from __future__ import annotations

import dataclasses
import json
import shutil
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
from toy_cases import RULES, ToyCase, change, toy_cases

from planner.errors import InfeasibleError
from planner.export import highs_optimum
from planner.lower import lower
from planner.problem import INACTIVE
from planner.run.create import RunRequest, create_run
from planner.run.document import racks_of_document
from planner.solve.options import SolveOptions
from planner.solve.solve import solve
from planner.verify import verify
from sites.world import load_world

if TYPE_CHECKING:
    from planner.export import HighsOptimum
    from planner.lower.lowered import Lowered
    from planner.problem import Problem
    from sites.world import World

CASES = {case.name: case for case in toy_cases()}
FEASIBLE = [name for name, case in CASES.items() if case.is_feasible]
MONEY = [name for name in FEASIBLE if not CASES[name].aim]
"""Toys whose plan is worth what it is worth in money, so that one solve finds it."""
WORK_LIMIT = 20_000


@cache
def _world(name: str) -> World:
    return load_world(CASES[name].portfolio)


@cache
def _lowered(name: str) -> Lowered:
    return lower(_world(name))


@cache
def _highs(name: str) -> HighsOptimum:
    return highs_optimum(_lowered(name).problem)


def _counts(problem: Problem, n_racks: np.ndarray[Any, Any]) -> dict[tuple[str, str], int]:
    """Standing racks of all rows by (configuration, quarter), zeros left out."""
    totals = n_racks.sum(axis=0)
    return {
        (configuration, quarter): int(totals[k, t])
        for k, configuration in enumerate(problem.configuration_names)
        for t, quarter in enumerate(problem.periods)
        if totals[k, t]
    }


def _last(problem: Problem, counts: dict[tuple[str, str], int]) -> dict[str, int]:
    """Racks in the last quarter by configuration."""
    return {configuration: n for (configuration, quarter), n in counts.items() if quarter == problem.periods[-1]}


def _counts_by_site(problem: Problem, n_racks: np.ndarray[Any, Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row, name in enumerate(problem.row_names):
        site = name.split(":")[0]
        counts[site] = counts.get(site, 0) + int(n_racks[row, :, -1].sum())
    return counts


def _assert_answer(case: ToyCase, problem: Problem, n_racks: np.ndarray[Any, Any], objective_cents: int) -> None:
    assert _counts(problem, n_racks) == case.n_racks
    if case.n_racks_by_site:
        assert _counts_by_site(problem, n_racks) == case.n_racks_by_site
    if case.objective_cents is not None:
        assert objective_cents == case.objective_cents


def test_every_rule_decides_a_toy() -> None:
    """A rule of the model without its toy fails, and so does a toy that names a rule which is not there."""
    decided = {rule for case in CASES.values() for rule in case.decides}
    assert decided == set(RULES)


@pytest.mark.parametrize("name", CASES)
def test_toy_is_complete(name: str) -> None:
    """Each toy has its files, says what it decides, and explains its arithmetic."""
    folder = CASES[name].portfolio.parent
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert CASES[name].decides
    assert "Answer:" in readme
    assert _world(name).portfolio.name == name


@pytest.mark.parametrize("name", MONEY)
def test_highs_optimum_is_the_answer(name: str) -> None:
    """HiGHS on the exported problem finds the answer worked out by hand."""
    optimum, problem = _highs(name), _lowered(name).problem
    _assert_answer(CASES[name], problem, optimum.n_racks, optimum.objective_cents)
    if CASES[name].decisions:
        named = dict(zip(problem.side.column_names if problem.side else (), optimum.decisions, strict=True))
        assert {column: value for column, value in named.items() if value} == CASES[name].decisions


@pytest.mark.parametrize("name", MONEY)
def test_plan_is_the_answer(name: str) -> None:
    """Our plan is the answer too, worth as much as HiGHS's, under a bound that holds."""
    problem = _lowered(name).problem
    solution = solve(problem, SolveOptions(backend="numpy", work_limit=WORK_LIMIT))
    _assert_answer(CASES[name], problem, solution.plan.n_racks, solution.objective)
    if CASES[name].decisions:
        assert solution.decisions == CASES[name].decisions
    assert solution.objective == _highs(name).objective_cents
    assert solution.bound >= solution.objective


@pytest.mark.parametrize("name", [name for name in FEASIBLE if CASES[name].binding])
def test_limit_decides(name: str) -> None:
    """With twice the capacity of the limits that the toy names, the best plan is worth more."""
    problem = _lowered(name).problem
    named = np.array([any(fnmatchcase(limit.name, one) for one in CASES[name].binding) for limit in problem.limits])
    doubled = named[:, None] & (problem.capacity != INACTIVE)
    assert doubled.any(), [limit.name for limit in problem.limits]
    capacity = np.where(doubled, 2 * problem.capacity, problem.capacity)
    relaxed = highs_optimum(dataclasses.replace(problem, capacity=capacity))
    assert relaxed.objective_cents > _highs(name).objective_cents


@pytest.mark.parametrize("name", FEASIBLE)
def test_verify_accepts_the_run(name: str, tmp_path: Path) -> None:
    """The run folder of each toy stands up to the independent checker."""
    options = SolveOptions(backend="numpy", work_limit=WORK_LIMIT)
    run = create_run(_world(name), RunRequest(tmp_path / "run", options), lambda _: None)
    report = verify(run.folder)
    assert report.ok, report.failed()


@pytest.mark.parametrize("name", [name for name in FEASIBLE if CASES[name].aim])
def test_objective_is_answered(name: str, tmp_path: Path) -> None:
    """What several solves find and prove is what was worked out by hand."""
    options = SolveOptions(backend="numpy", work_limit=WORK_LIMIT)
    run = create_run(_world(name), RunRequest(tmp_path / "run", options), lambda _: None)
    for key, value in CASES[name].aim.items():
        found: Any = run.document["aim"]
        for step in key.split("."):
            found = found[step]
        assert found == value, key
    problem = _lowered(name).problem
    if CASES[name].n_racks:
        n_racks = racks_of_document(run.document, problem.row_names, problem.configuration_names)
        assert _counts(problem, n_racks) == CASES[name].n_racks


@pytest.mark.parametrize("name", [name for name in FEASIBLE if CASES[name].failures])
def test_failure_table_says_so(name: str, tmp_path: Path) -> None:
    """What a failure drops, sheds and overloads stands in the plan."""
    options = SolveOptions(backend="numpy", work_limit=WORK_LIMIT)
    run = create_run(_world(name), RunRequest(tmp_path / "run", options), lambda _: None)
    table = {one["element"]: one for one in json.loads((run.folder / "plan.json").read_text())["failures"]}
    for expected in CASES[name].failures:
        entry = table[str(expected["element"])]
        assert {key: entry[key] for key in expected} == expected


@pytest.mark.parametrize("name", [name for name in FEASIBLE if CASES[name].terms])
def test_contract_ledger_says_so(name: str, tmp_path: Path) -> None:
    """What the plan makes of its contract stands in plan.json."""
    options = SolveOptions(backend="numpy", work_limit=WORK_LIMIT)
    run = create_run(_world(name), RunRequest(tmp_path / "run", options), lambda _: None)
    stated = json.loads((run.folder / "plan.json").read_text())["terms"]
    for kind, lines in CASES[name].terms.items():
        for line in lines:
            assert any(_has(one, line) for one in stated[kind]), stated[kind]


def _has(stated: Any, asked: Any) -> bool:
    """Whether all that is asked stands there, mapping by mapping and item by item."""
    if isinstance(asked, dict):
        return isinstance(stated, dict) and all(_has(stated.get(key), value) for key, value in asked.items())
    if isinstance(asked, list):
        return isinstance(stated, list) and all(any(_has(one, item) for one in stated) for item in asked)
    return bool(stated == asked)


OTHERS = [(name, index) for name in FEASIBLE for index in range(len(CASES[name].otherwise))]


@pytest.mark.parametrize(("name", "index"), OTHERS)
def test_figure_decides(name: str, index: int, tmp_path: Path) -> None:
    """With another value of the figure that the toy is about, another plan is best."""
    other = CASES[name].otherwise[index]
    folder = Path(shutil.copytree(CASES[name].portfolio.parent, tmp_path / name))
    file = folder / f"{other.file}.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    change(document, other.key, other.value)
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    problem = lower(load_world(folder)).problem
    last = _last(problem, _counts(problem, highs_optimum(problem).n_racks))
    assert last == other.n_racks
    assert last != _last(problem, CASES[name].n_racks)


@pytest.mark.parametrize("name", [name for name in FEASIBLE if CASES[name].ineligible])
def test_row_refuses_with_its_reason(name: str) -> None:
    """What may never stand in a row is named with the reason."""
    refused = _lowered(name).problem.ineligible
    for refusal in CASES[name].ineligible:
        place = (refusal.row, refusal.configuration)
        reasons = [one.reason for one in refused if (one.row, one.configuration) == place]
        assert any(str(refusal.reason).lower() in reason.lower() for reason in reasons), refused


@pytest.mark.parametrize("name", [name for name in CASES if name not in FEASIBLE])
def test_no_plan_says_why(name: str) -> None:
    """Where no plan exists, lowering says which limit or row is in the way."""
    with pytest.raises(InfeasibleError, match=CASES[name].message):
        lower(_world(name))


@pytest.mark.parametrize("name", FEASIBLE)
def test_four_more_quarters_without_decisions_change_nothing(name: str) -> None:
    """A longer horizon in which nothing can be decided lowers to the very same problem, hence the same placements."""
    world, problem = _world(name), _lowered(name).problem
    longer = world.portfolio.model_copy(
        update={"periods": world.portfolio.periods + 4, "decisions_until": problem.periods[-1]}
    )
    other = lower(dataclasses.replace(world, portfolio=longer)).problem
    assert _differing(problem, other) == []


def _differing(one: Any, other: Any) -> list[str]:
    """Fields in which two dataclasses of arrays differ, those inside their own fields included."""
    found: list[str] = []
    for field in dataclasses.fields(one):
        before, after = getattr(one, field.name), getattr(other, field.name)
        if dataclasses.is_dataclass(before) and type(before) is type(after):
            found += [f"{field.name}.{name}" for name in _differing(before, after)]
        elif isinstance(before, np.ndarray) and isinstance(after, np.ndarray):
            found += [] if np.array_equal(before, after) else [field.name]
        elif before != after:
            found.append(field.name)
    return found
