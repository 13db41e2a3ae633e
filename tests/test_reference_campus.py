"""The reference campus: which level binds for which configuration, and a plan that uses every configuration."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pytest

from planner.lower import lower
from planner.problem import INACTIVE, SHARE_BITS
from planner.solve.options import SolveOptions
from planner.solve.solve import solve
from sites.world import load_world

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.lower.lowered import Lowered
    from planner.problem import Problem

GB200, GB300, MAX_Q, MAX_P = "gb200-nvl72", "gb300-nvl72", "vr-nvl72/max-q", "vr-nvl72/max-p"


@pytest.fixture(scope="module")
def lowered() -> Lowered:
    return lower(load_world("reference-1gw"))


class Filler:
    """Places one configuration rack by rack, row after row, while every limit of one period holds."""

    def __init__(self, problem: Problem, without: str) -> None:
        self.problem = problem
        self.used = np.array([limit.family != without for limit in problem.limits])
        limit_idx = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))
        order = np.argsort(problem.entry_row_idx, kind="stable")
        self.row_ptr = np.searchsorted(problem.entry_row_idx[order], np.arange(problem.n_rows + 1))
        self.limit_idx, self.coefficient = limit_idx[order], problem.entry_coefficient[order]

    def binding(self, configuration: int, period: int) -> set[str]:
        """Levels that refuse one more rack of the configuration to some row when no row takes another."""
        slack = np.where(self.used, self.problem.capacity[:, period], INACTIVE).copy()
        rows = np.flatnonzero(self.problem.first_period[:, configuration] <= period)
        open_rows, refused = list(rows), set[int]()
        while open_rows:
            open_rows = [row for row in open_rows if self._place(int(row), configuration, slack, refused)]
        return {self._level(index) for index in refused}

    def _place(self, row: int, configuration: int, slack: NDArray[np.int64], refused: set[int]) -> bool:
        part = slice(self.row_ptr[row], self.row_ptr[row + 1])
        limits, needs = self.limit_idx[part], self.coefficient[part, configuration]
        short = limits[(slack[limits] < needs) & (slack[limits] < INACTIVE // 2)]
        refused.update(int(index) for index in short)
        if short.size == 0:
            slack[limits] -= needs
        return bool(short.size == 0)

    def _level(self, index: int) -> str:
        limit = self.problem.limits[index]
        if limit.family != "power":
            return limit.family
        return limit.element.rsplit("/", 1)[-1].rstrip("0123456789").removesuffix("-")


@pytest.fixture(scope="module")
def binding(lowered: Lowered) -> dict[str, set[str]]:
    """{level: configurations for which it binds}, over fills with and without the limits of supply."""
    problem = lowered.problem
    found: dict[str, set[str]] = defaultdict(set)
    for without in ("none", "supply"):
        filler = Filler(problem, without)
        for quarter in ("2027-Q1", "2027-Q3", "2027-Q4", "2028-Q2", "2029-Q4", "2030-Q1", "2030-Q4"):
            for k, name in enumerate(problem.configuration_names):
                for level in filler.binding(k, problem.periods.index(quarter)):
                    found[level].add(name)
    return found


def test_every_level_binds_for_some_configuration(binding: dict[str, set[str]]) -> None:
    every = {GB200, GB300, MAX_Q, MAX_P}
    assert binding == {
        "position": {GB200},
        "floor": {GB200, GB300},
        "busway": {GB200, GB300, MAX_P},
        "ups": {MAX_P},
        "unit-substation": {GB200, GB300, MAX_P},
        "feeder": {GB300, MAX_P},
        "main-transformer": {GB200, GB300, MAX_P},
        "meter": {GB300, MAX_P},
        "swing": {GB200},
        "envelope": {GB300, MAX_Q, MAX_P},
        "liquid": {MAX_P},
        "flow": {MAX_P},
        "air": {GB300},
        "dry": {MAX_P},
        "chiller": {GB300, MAX_P},
        "leaf": {GB200},
        "support": {GB200},
        "spine": {MAX_Q},
        "landing": every,
        "supply": every,
    }


def test_a_certified_plan_uses_every_configuration(lowered: Lowered) -> None:
    solved = solve(lowered.problem, SolveOptions(backend="numba", work_limit=12_000))
    assert solved.gap <= 0.025
    most = solved.plan.n_racks.sum(axis=0).max(axis=1)
    racks = dict(zip(lowered.problem.configuration_names, most.tolist(), strict=True))
    assert racks.keys() == {GB200, GB300, MAX_Q, MAX_P}
    assert racks[GB200] > 400
    assert racks[GB300] > 1_000
    assert racks[MAX_Q] > 20
    assert racks[MAX_P] > 1_800


def test_the_design_day_factor_is_near_one_point_two(lowered: Lowered) -> None:
    """Watts at the meter for each rack watt: all of it at 1 GW, with no-load losses, house loads and support gear."""
    (meter,) = lowered.meters
    last = lowered.problem.n_periods - 1
    constant_w = meter.constant[last] / 2**SHARE_BITS
    for k, configuration in enumerate(lowered.configurations):
        coefficients = meter.coefficient[:, k, last] / 2**SHARE_BITS
        n_racks = (1e9 - constant_w) / coefficients.mean()
        factor = 1e9 / (n_racks * configuration.it_w)
        assert 1.18 <= factor <= 1.32, configuration.name


def test_one_cdu_less_would_make_a_feeder_the_thermal_limit() -> None:
    """Five CDUs on four boards: the loss of one feeder leaves three, which carry 27 racks at Max-P instead of 36."""
    world = load_world("reference-1gw")
    site = world.sites[0].site
    standard = site.lineup_templates["standard"]
    assert standard.liquid is not None
    fewer = standard.liquid.cdus.model_copy(update={"count": 5, "spares": 1})
    liquid = standard.liquid.model_copy(update={"cdus": fewer})
    templates = {**site.lineup_templates, "standard": standard.model_copy(update={"liquid": liquid})}
    buildings = tuple(one for one in site.buildings if one.name == "b1")
    changed = site.model_copy(update={"lineup_templates": templates, "buildings": buildings})
    problem = lower(dataclasses.replace(world, sites=(dataclasses.replace(world.sites[0], site=changed),))).problem
    heads = [(limit.contingency, index) for index, limit in enumerate(problem.limits) if limit.family == "liquid"]
    ((contingency, tightest),) = [one for one in heads if problem.limits[one[1]].element.startswith("b1/h1/l01/")]
    assert contingency in {"b1/feeder-1", "b1/mechanical-board-1"}
    part = slice(problem.limit_ptr[tightest], problem.limit_ptr[tightest + 1])
    need = problem.entry_coefficient[part, problem.configuration_names.index(MAX_P)].max()
    assert problem.capacity[tightest].min() // need == 27
