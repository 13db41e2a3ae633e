"""A tariff's minimum demand: what falls short of it, in the value, the bound, the search and every export."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from solve_cases import (
    FULL_SIZE,
    ONE,
    all_plans,
    broken_rules,
    changed,
    proof_of,
    random_certificate,
    random_problem,
    tiny_problem,
    with_minimum_demands,
)
from toy_cases import TOYS

from planner.export import highs_optimum, write_mps
from planner.export.effective import plan_value_cents
from planner.lower import lower
from planner.problem import MinimumDemand, Plan
from planner.run.create import RunRequest, create_run
from planner.solve import SolveOptions, solve
from planner.solve.assignment import assign
from planner.solve.certificate import bound_cents
from planner.solve.classes import refine
from planner.solve.demand import demand_value
from planner.solve.guide import GuideError, load_guide
from planner.solve.patterns import row_patterns
from planner.solve.recombine import path_pool, recombine
from planner.solve.relaxation import relax
from planner.solve.value import objective_cents
from planner.verify import verify
from sites.world import load_world

if TYPE_CHECKING:
    from pathlib import Path

    from planner.problem import Problem

SEEDS = range(12)
PAYS = "toy-minimum-demand-pays"


@cache
def problem_of(seed: int) -> Problem:
    return with_minimum_demands(random_problem(seed), seed)


@cache
def best_of(seed: int) -> int:
    """HiGHS's exact value of its optimum."""
    return highs_optimum(problem_of(seed)).objective_cents


@cache
def paying() -> Problem:
    """The toy in which racks lose money but for the minimum."""
    return lower(load_world(TOYS / PAYS / "portfolio.yaml")).problem


def cost_cents(problem: Problem, n_racks: np.ndarray[Any, Any]) -> int:
    """The published rule once more, rack by rack."""
    total = 0
    for demand in problem.minimum_demands:
        for t, price in enumerate(demand.price_cents_per_w):
            left = Fraction(demand.minimum_w[t])
            for row in demand.row_idx:
                left -= sum(
                    Fraction(w, ONE) * int(n) for w, n in zip(demand.draw_scaled, n_racks[row, :, t], strict=True)
                )
            cents = price * max(left, Fraction(0))
            total += -(-cents.numerator // cents.denominator)
    return total


def test_a_shortfall_by_hand() -> None:
    """1000.5 W a rack against 2500 W at a third of a cent: 1499.5 / 3 cents and 499 / 3 cents, each rounded up."""
    plain = tiny_problem(1, partial_units=True, n_profiles=1, contract=False)
    demand = MinimumDemand("toy", (0, 1), (1000 * ONE + ONE // 2,), (2500, 2500), (Fraction(1, 3), Fraction(1, 3)))
    problem = changed(plain, minimum_demands=(demand,))
    racks = np.zeros((2, 1, 2), np.int32)
    racks[0, 0], racks[1, 0] = (1, 1), (0, 1)
    loss = objective_cents(plain, Plan(racks)) - objective_cents(problem, Plan(racks))
    assert loss == 500 + 167
    assert objective_cents(plain, Plan(0 * racks)) - objective_cents(problem, Plan(0 * racks)) == 2 * 834


@given(seed=st.integers(0, 24), most=st.integers(0, 6), draw=st.integers(0, 2**32))
@settings(max_examples=60)
def test_value_and_export_follow_the_published_rule(seed: int, most: int, draw: int) -> None:
    problem = with_minimum_demands(random_problem(seed), seed)
    shape = (problem.n_rows, problem.n_configurations, problem.n_periods)
    racks = np.random.default_rng(draw).integers(0, most + 1, shape).astype(np.int32)
    without = objective_cents(changed(problem, minimum_demands=()), Plan(racks))
    assert objective_cents(problem, Plan(racks)) == without - cost_cents(problem, racks)
    assert plan_value_cents(problem, racks) == objective_cents(problem, Plan(racks))


@given(seed=st.sampled_from(SEEDS), multipliers=st.integers(0, 2**32), bits=st.integers(1, 58))
@settings(max_examples=60, deadline=None)
def test_any_multipliers_prove_a_bound(seed: int, multipliers: int, bits: int) -> None:
    problem = problem_of(seed)
    proof = random_certificate(problem, multipliers, bits)
    assert bound_cents(problem, row_patterns(problem), proof) >= best_of(seed)


def test_a_multiplier_above_the_price_may_prove_too_little() -> None:
    """Why the checker refuses it: such a bound lies below the best plan."""
    problem = paying()
    idle = changed(problem, period_value=problem.period_value - 10**9)
    patterns, proof = proof_of(idle)
    best = highs_optimum(idle).objective_cents
    assert proof.demand == ((45 << 30,),)
    assert bound_cents(idle, patterns, proof) == best == -22_500_000
    assert bound_cents(idle, patterns, replace(proof, demand=((46 << 30,),))) < best


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bound_holds_and_plans_come_close(seed: int) -> None:
    problem = problem_of(seed)
    solution = solve(problem, SolveOptions(work_limit=2000, backend="numpy"))
    assert broken_rules(problem, solution.plan.n_racks) == []
    assert best_of(seed) <= solution.bound
    assert solution.objective == objective_cents(problem, solution.plan) <= solution.bound
    # Of what the minimum costs an empty plan and the best one earns beyond it.
    empty = objective_cents(problem, Plan(0 * solution.plan.n_racks))
    assert solution.objective - empty >= 0.97 * (best_of(seed) - empty)


def test_prices_on_demand_tighten_the_bound() -> None:
    tighter = 0
    for seed in SEEDS:
        problem = problem_of(seed)
        patterns, proof = proof_of(problem)
        nothing = tuple((0,) * problem.n_periods for _ in problem.minimum_demands)
        without = bound_cents(problem, patterns, replace(proof, demand=nothing))
        assert best_of(seed) <= bound_cents(problem, patterns, proof) <= without
        tighter += bound_cents(problem, patterns, proof) < without
    assert tighter >= len(SEEDS) // 2


@pytest.mark.parametrize("seed", range(8))
def test_the_best_of_all_plans_is_found_and_proven(seed: int) -> None:
    demand = MinimumDemand("toy", (0, 1), (3 * ONE + 7, 5 * ONE), (9 + seed, 12), (Fraction(15), Fraction(14, 3)))
    problem = changed(tiny_problem(seed, partial_units=seed % 2 == 0, contract=False), minimum_demands=(demand,))
    best = max(objective_cents(problem, Plan(racks.astype(np.int32))) for racks in all_plans(problem))
    solution = solve(problem, SolveOptions(work_limit=2000, backend="numpy"))
    assert highs_optimum(problem).objective_cents == best
    assert solution.objective == best <= solution.bound


def test_a_site_without_usable_rows_pays_all_the_same() -> None:
    problem = random_problem(3)
    prices = (Fraction(1, 3),) * problem.n_periods
    demand = MinimumDemand("idle", (), (ONE,) * problem.n_configurations, (1000,) * problem.n_periods, prices)
    paid = changed(problem, minimum_demands=(demand,))
    both = [solve(one, SolveOptions(work_limit=1000, backend="numpy")) for one in (problem, paid)]
    assert both[0].objective - both[1].objective == 334 * problem.n_periods
    assert highs_optimum(problem).objective_cents - highs_optimum(paid).objective_cents == 334 * problem.n_periods


def test_sites_with_a_minimum_are_classes_of_their_own() -> None:
    n_shared = 0
    for seed in range(12):
        plain = random_problem(seed, FULL_SIZE)
        problem = with_minimum_demands(plain, seed)
        at_toy = np.isin(np.arange(problem.n_rows), problem.minimum_demands[0].row_idx)
        row, before = refine(problem).row, refine(plain).row
        n_shared += len(set(before[at_toy]) & set(before[~at_toy]))
        assert not set(row[at_toy]) & set(row[~at_toy])
    assert n_shared > 0


def test_the_assignment_places_racks_that_the_minimum_pays_for() -> None:
    problem = paying()
    patterns, classes = row_patterns(problem), refine(problem)
    found = assign(problem, patterns, classes, relax(problem, patterns, classes), 0, None)
    assert found is not None
    assert found.racks.sum() > 0
    free = changed(problem, minimum_demands=())
    without = assign(free, patterns, classes, relax(free, patterns, classes), 0, None)
    assert without is None or without.racks.sum() == 0


def test_recombination_stops_where_the_minimum_is_used_up() -> None:
    """Paths of one to five racks of the toy, given at their price on demand; two are best."""
    problem = paying()
    _, proof = proof_of(problem)
    priced = demand_value(problem, np.array(proof.demand, np.int64))
    pool = path_pool(problem, proof, refine(problem), priced)
    free = changed(problem, minimum_demands=())
    for count in range(1, 6):
        racks = np.full((1, 1, 1), count, np.int32)
        value = objective_cents(free, Plan(racks)) + int((priced * racks).sum())
        pool.collect(racks, np.array([value]))
    found = recombine(pool, None)
    assert found is not None
    assert found.tolist() == [[[2]]]


def test_a_guide_replays_its_price_on_demand(tmp_path: Path) -> None:
    problem = problem_of(4)
    options = SolveOptions(work_limit=1000, backend="numpy")
    first = solve(problem, options)
    assert first.guide.demand_price.any()
    path = tmp_path / "guide.npz"
    np.savez(path, **first.guide.arrays())
    again = solve(problem, replace(options, guide=load_guide(path, problem)))
    assert np.array_equal(first.plan.n_racks, again.plan.n_racks)
    with pytest.raises(GuideError, match="demand_price"):
        load_guide(path, random_problem(4))


def test_the_mps_file_names_what_falls_short(tmp_path: Path) -> None:
    write_mps(paying(), tmp_path / "paying.mps")
    text = (tmp_path / "paying.mps").read_text(encoding="ascii")
    assert f"* d0 = {PAYS}" in text
    assert " G demand_d0_t0" in text
    assert " m_d0_t0 objective 1\n" in text
    write_mps(random_problem(1), tmp_path / "plain.mps")
    assert "m_d" not in (tmp_path / "plain.mps").read_text(encoding="ascii")


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    request = RunRequest(tmp_path / "run", SolveOptions(backend="numpy", work_limit=2000))
    return create_run(load_world(TOYS / "toy-minimum-demand" / "portfolio.yaml"), request, lambda _: None).folder


def failed_after(folder: Path, name: str, place: tuple[str, ...], value: object) -> dict[str, str]:
    """Checks that fail once an entry of a run's file is another."""
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    at = content
    for key in place[:-1]:
        at = at.setdefault(key, {})
    at[place[-1]] = value
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return {one.name: one.detail for one in verify(folder).failed()}


def test_the_run_states_what_falls_short(run_folder: Path) -> None:
    plan = json.loads((run_folder / "plan.json").read_text(encoding="utf-8"))
    assert plan["money"]["minimum_demand_cents"] == 10_116_000
    assert "Minimum demand" in (run_folder / "report.html").read_text(encoding="utf-8")
    assert verify(run_folder).ok
    assert set(failed_after(run_folder, "plan.json", ("money", "minimum_demand_cents"), 10_115_999)) == {"money"}


@pytest.mark.parametrize(
    ("site", "quarter", "price", "words"),
    [
        ("toy-minimum-demand", "2027-Q1", 45 * 2**30 + 1, "above the price of a watt"),
        ("toy-minimum-demand", "2027-Q1", 44 * 2**30, "the certificate proves"),
        ("toy-minimum-demand", "2029-Q1", 1, "a decision period"),
        ("nowhere", "2027-Q1", 1, "sites with a minimum demand"),
    ],
)
def test_the_checker_refuses_other_prices(site: str, quarter: str, price: int, words: str, run_folder: Path) -> None:
    failed = failed_after(run_folder, "certificate.json", ("demand", site, quarter), str(price))
    assert words in failed["bound"]


def test_several_sites_and_a_step_that_rises(tmp_path: Path) -> None:
    """Two sites under one envelope, discounted, with minima of their own: checker and solver agree to the cent."""
    shutil.copytree(TOYS / "toy-shared-envelope", tmp_path / "run-in")
    for number, file in enumerate(tmp_path / "run-in" / name for name in ("site.yaml", "second.yaml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        provenance = content["service"]["provenance"]
        content["service"] |= {
            "demand_charge": f"{7 + number} USD/kW/month",
            "demand_charge_provenance": provenance,
            "minimum_demand": {
                "steps": [{"start": "2026-Q1", "capacity": "333.3 kW"}, {"start": "2027-Q2", "capacity": "2 MW"}],
                "provenance": provenance,
            },
        }
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
    portfolio = tmp_path / "run-in" / "portfolio.yaml"
    content = yaml.safe_load(portfolio.read_text(encoding="utf-8"))
    content["money"] |= {"discount_rate_per_year": 0.08, "economic_life_quarters": 3}
    content["periods"] = 3
    portfolio.write_text(yaml.safe_dump(content), encoding="utf-8")
    world = load_world(portfolio)
    problem = lower(world).problem
    assert [one.minimum_w for one in problem.minimum_demands] == [(333_300, 2_000_000, 2_000_000)] * 2
    request = RunRequest(tmp_path / "run", SolveOptions(backend="numpy", work_limit=2000))
    run = create_run(world, request, lambda _: None)
    report = verify(run.folder)
    assert report.ok, report.failed()
