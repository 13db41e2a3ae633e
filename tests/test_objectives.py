"""Other objectives: measures by hand, weighted sums to the cent, and a checker that works them out anew."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from run_cases import lowered_of, make_run, world_of
from toy_cases import TOYS

from planner.objectives.measuring import Measuring
from planner.problem import Plan
from planner.run.create import RunRequest, create_run
from planner.solve.options import SolveOptions
from planner.solve.solve import solve
from planner.solve.value import objective_cents
from planner.verify import verify
from sites.faults import InputError
from sites.schema.objective import Kind, Measure, measure_of
from sites.world import load_world

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from planner.run.create import Run
    from sites.world import World

OPTIONS = SolveOptions(work_limit=2_000)


def world_with(toy: str, objective: str, folder: Path) -> World:
    """A toy with an objective of its own."""
    copy = folder / toy
    if not copy.exists():
        shutil.copytree(TOYS / toy, copy)
    portfolio = copy / "portfolio.yaml"
    portfolio.write_text((TOYS / toy / "portfolio.yaml").read_text() + f"\nobjective: {objective}\n")
    return load_world(portfolio)


def run_with(toy: str, objective: str, folder: Path) -> Run:
    return create_run(world_with(toy, objective, folder), RunRequest(folder / "run", OPTIONS), lambda _: None)


def weights(text: Mapping[str, str]) -> dict[Measure, Fraction]:
    return {measure_of(measure): Fraction(weight) for measure, weight in text.items()}


def failed(folder: Path) -> list[str]:
    return [f"{check.name}: {check.detail}" for check in verify(folder).failed()]


def test_money_alone_is_the_problem_itself_byte_for_byte(tmp_path: Path) -> None:
    measuring = Measuring(world_of("toy-contract"), lowered_of("toy-contract"))
    assert measuring.problem(weights({"npv": "1"})) is lowered_of("toy-contract").problem
    named, missing = run_with("toy-contract", "npv", tmp_path), make_run("toy-contract", tmp_path / "missing")
    assert named.document | {"wall_s": 0} == missing.document | {"wall_s": 0}
    certificates = [(run.folder / "certificate.json").read_bytes() for run in (named, missing)]
    assert certificates[0] == certificates[1]
    assert "aim" not in named.document


def test_measures_of_twenty_racks_by_hand() -> None:
    """A rack costs 100,000 USD, rents for 78,840 in the market, has 72 GPUs of 5 PFLOP/s in FP8 and takes 132 kW."""
    measuring = Measuring(world_of("toy-contract"), lowered_of("toy-contract"))
    plan = Plan(np.full((1, 1, 1), 20, np.int32))
    found = {kind: measuring.value(Measure(kind), plan) for kind in Kind if kind is not Kind.TOKENS}
    meter_w = found.pop(Kind.METER_W)
    assert found == {
        Kind.NPV: -20 * 21_160 + 250_000,
        Kind.COST: -20 * 100_000,
        Kind.RACKS: 20,
        Kind.GPUS: 1440,
        Kind.FLOPS_NVFP4: 20 * 72 * 10,
        Kind.FLOPS_FP8: 20 * 72 * 5,
        Kind.FLOPS_BF16: 20 * 72 * Fraction(5, 2),
    }
    assert meter_w % 20 == 0
    assert 20 * 132_000 < meter_w < 20 * 140_000


def test_flops_count_every_quarter_and_racks_the_last_or_the_one_named() -> None:
    lowered = lowered_of("toy-supply")
    measuring, problem = Measuring(world_of("toy-supply"), lowered), lowered.problem
    n_racks = np.zeros(problem.period_value.shape, np.int32)
    n_racks[0, 0] = np.arange(problem.n_periods) + 1
    plan = Plan(n_racks)
    assert problem.n_periods > 1
    assert measuring.value(measure_of("racks"), plan) == problem.n_periods
    assert measuring.value(measure_of(f"racks@{problem.periods[0]}"), plan) == 1
    gpus = measuring.value(measure_of(f"gpus@{problem.periods[0]}"), plan)
    of_quarter = measuring.value(measure_of(f"flops-fp8@{problem.periods[0]}"), plan)
    assert of_quarter == gpus * 5
    assert measuring.value(measure_of("flops-fp8"), plan) == of_quarter * sum(range(1, problem.n_periods + 1))


@pytest.mark.parametrize("toy", ["toy-contract", "toy-supply", "toy-minimum-demand", "toy-conversion-taps"])
@pytest.mark.parametrize("of", [{"npv": "2", "racks": "-3"}, {"cost": "1/3", "gpus": "700/3"}, {"flops-bf16": "0.1"}])
def test_a_weighted_sum_is_the_sum_of_its_measures_but_for_rounding_down(toy: str, of: dict[str, str]) -> None:
    measuring, problem = Measuring(world_of(toy), lowered_of(toy)), lowered_of(toy).problem
    weighed, given = measuring.problem(weights(of)), weights(of)
    draw = np.random.default_rng(1)
    for _ in range(5):
        n_racks = np.maximum.accumulate(draw.integers(0, 4, problem.period_value.shape), axis=2).astype(np.int32)
        plan = Plan(n_racks)
        exact = sum(100 * weight * measuring.value(measure, plan) for measure, weight in given.items())
        n_terms = 4 * int(n_racks.sum()) + 4 * n_racks.size + 2
        assert 0 <= exact - objective_cents(weighed, plan) <= n_terms


@pytest.mark.parametrize("of", [{"racks": "1"}, {"npv": "1", "racks": "30000"}, {"cost": "1", "gpus": "1500"}])
def test_the_solver_finds_the_best_of_all_plans_of_a_row_of_twenty(of: dict[str, str]) -> None:
    problem = Measuring(world_of("toy-contract"), lowered_of("toy-contract")).problem(weights(of))
    best = max(objective_cents(problem, Plan(np.full((1, 1, 1), n, np.int32))) for n in range(21))
    found = solve(problem, OPTIONS)
    assert found.objective == found.bound == best


OBJECTIVES = [
    ("toy-contract", "racks"),
    ("toy-contract", "{weights: {cost: 1, racks: 110000}}"),
    ("toy-minimum-demand", "{weights: {npv: 2/3, racks: -7}}"),
    ("toy-conversion-taps", "{weights: {cost: 1/2, gpus@2027-Q1: 7000/3, npv: 1/7}}"),
    ("toy-supply", "flops-nvfp4"),
    ("toy-non-firm-contract", "{weights: {npv: 1, meter-w: 1/3}}"),
]


@pytest.mark.parametrize(("toy", "objective"), OBJECTIVES)
def test_a_run_with_another_objective_is_accepted(toy: str, objective: str, tmp_path: Path) -> None:
    run = run_with(toy, objective, tmp_path)
    assert failed(run.folder) == []
    assert run.document["objective"] <= run.document["bound"]
    assert run.document["aim"]["values"]["npv"]["value"] == str(Fraction(run.document["npv_cents"], 100))


def test_a_changed_statement_of_the_objective_is_refused(tmp_path: Path) -> None:
    run = run_with("toy-contract", "{weights: {npv: 1, racks: 1000}}", tmp_path)

    def refused(change: Any) -> list[str]:
        document = json.loads(json.dumps(run.document))
        change(document)
        (run.folder / "plan.json").write_text(json.dumps(document))
        return [check.name for check in verify(run.folder).failed()]

    assert refused(lambda plan: None) == []
    assert "aim" in refused(lambda plan: plan.pop("aim"))
    assert "aim" in refused(lambda plan: plan["aim"]["weights"].update(racks="999"))
    assert "aim" in refused(lambda plan: plan["aim"]["weights"].update(racks="1e3"))
    assert "aim" in refused(lambda plan: plan["aim"]["values"]["racks"].update(value="4"))
    assert "aim" in refused(lambda plan: plan.update(npv_cents=plan["npv_cents"] + 1))
    assert "objective" in refused(lambda plan: plan.update(objective=plan["objective"] + 1))
    assert "bound" in refused(lambda plan: plan.update(bound=plan["bound"] + 1))


def test_an_objective_that_the_portfolio_does_not_ask_for_is_refused(tmp_path: Path) -> None:
    run = make_run("toy-contract", tmp_path / "run")
    document = run.document | {"aim": {"weights": {"racks": "1"}}, "npv_cents": 0}
    (run.folder / "plan.json").write_text(json.dumps(document))
    assert any(fault.startswith("aim: 'aim' is stated") for fault in failed(run.folder))


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ("rack", "objective: unknown measure 'rack'; did you mean 'racks'?"),
        ("racks@2029-Q1", "found 'racks@2029-Q1'; a quarter from 2027-Q1 to 2027-Q1 is allowed"),
        ("racks@soon", "'soon' is not a quarter"),
        ("npv@2027-Q1", "'npv' is of the whole plan"),
        ("tokens", "no workload of the portfolio counts tokens"),
        ("racks:chat", "workloads are named for tokens only"),
        ("3", "a mapping of keys is due"),
        ("{weights: {npv: -1}}", "found -1 for 'npv'"),
        ("{weights: {npv: 0}}", "every weight is 0"),
        ("{weights: {npv: 1e400}}", "found '1e400'; a number of USD for each unit is due"),
        ("{weights: {npv: 1}, earliest: {measure: racks, target: 1}}", "give exactly one of"),
        ("{lexicographic: [racks, npv]}", "'lexicographic' and 'tolerance' come together"),
        ("{lexicographic: [npv, npv], tolerance: 0}", "found 'npv' twice"),
        ("{cost_per_token: {at_least: 0}}", "a ratio needs tokens"),
        ("{earliest: {measure: npv, target: 3}}", "a measure without a quarter is due"),
    ],
)
def test_faults_of_an_objective_say_what_is_allowed(objective: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        world_with("toy-contract", objective, tmp_path)
    assert message in str(caught.value)


def test_weights_that_are_too_large_to_compute_exactly_are_refused(tmp_path: Path) -> None:
    world = world_with("toy-contract", "{weights: {npv: 1e12}}", tmp_path)
    with pytest.raises(InputError, match="divide every weight by the same number"):
        create_run(world, RunRequest(tmp_path / "run", OPTIONS), lambda _: None)
