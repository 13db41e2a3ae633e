"""Openings of sites and phases: what they cost, what they prove, and that the plan opens what pays."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from solve_cases import broken_rules, random_problem
from test_portfolio_scale import portfolio_of

from planner.cli.main import main
from planner.export import highs_optimum
from planner.lower import lower
from planner.lower.reuse import KnownSites
from planner.problem import Opening, Plan, Problem
from planner.run.create import RunRequest, create_run
from planner.solve.batch import solve_batch
from planner.solve.certificate import bound_cents
from planner.solve.feasible import holds
from planner.solve.opened import blocks_term
from planner.solve.openings import paying, shared_out
from planner.solve.options import SolveOptions, StopReason
from planner.solve.patterns import row_patterns
from planner.solve.portfolio import split
from planner.solve.portfolio.summary import contributions
from planner.solve.solve import solve
from planner.solve.value import objective_cents
from planner.verify import verify
from sites import library
from sites.faults import InputError
from sites.world import load_world

TOY = library.FOLDER / "toys" / "toy-opening-phases"
OPTIONS = SolveOptions(backend="numpy", work_limit=2_000, n_threads=1)


def with_openings(problem: Problem, seed: int) -> Problem:
    """Blocks in groups of one to three, most of them to be opened at a cost about as large as what they are worth."""
    random = np.random.default_rng([seed, 7])
    found: list[Opening] = []
    block = 0
    while block < problem.n_blocks:
        n = int(random.integers(1, 4))
        blocks = tuple(range(block, min(block + n, problem.n_blocks)))
        block += n
        if random.random() < 0.8:
            cents = int(random.integers(1, 12)) * 20_000_000 * len(blocks)
            cost = tuple(cents - cents * t // 50 for t in range(problem.n_periods))
            found.append(Opening(f"phase-{len(found)}", blocks, cost))
    return replace(problem, openings=tuple(found))


@pytest.mark.parametrize("seed", range(24))
def test_the_best_plan_lies_between_plan_and_bound(seed: int) -> None:
    problem = with_openings(random_problem(seed), seed)
    solution = solve(problem, OPTIONS)
    optimum = highs_optimum(problem).objective_cents
    assert solution.objective <= optimum <= solution.bound
    assert holds(problem, solution.plan)
    assert broken_rules(problem, solution.plan.n_racks) == []
    assert solution.objective == objective_cents(problem, solution.plan)
    if solution.tree is None:
        assert bound_cents(problem, row_patterns(problem), solution.certificate) == solution.bound


@pytest.mark.parametrize("seed", range(8))
def test_site_by_site_plan_and_bound_hold_and_reconcile(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of both sites and of what they share add up to the plan's worth and to the bound."""
    problem = with_openings(portfolio_of(seed), seed)
    # Blocks stand at two sites by turns, and an opening is at one: every second block of each.
    problem = replace(
        problem, openings=tuple(replace(one, block_idx=one.block_idx[::2]) for one in problem.openings)
    )  # fmt: skip
    monkeypatch.setattr(split, "FEWEST_ROWS", 1)
    solution = solve(problem, replace(OPTIONS, work_limit=600))
    optimum = highs_optimum(problem).objective_cents
    assert solution.objective <= optimum <= solution.bound
    assert holds(problem, solution.plan)
    parts = contributions(problem, solution.certificate, solution.plan)
    assert (parts.objective, parts.bound) == (solution.objective, solution.bound)
    assert bound_cents(problem, row_patterns(problem), solution.certificate) == solution.bound
    assert all(one.gap_cents >= 0 for one in parts.sites)


def test_what_blocks_add_is_the_most_over_quarters_of_opening() -> None:
    """Blocks 0 and 1 wait: 3 + 4 from the second quarter on less 5 beat 10 less 9 at once; block 2 counts in full."""
    problem = replace(random_problem(0), openings=(Opening("both", (0, 1), (9, 5)),))
    worth = [[2, 3], [1, 4], [7, 0]]
    assert blocks_term(problem, worth, 0) == 2 + 7
    dear = replace(problem, openings=(Opening("both", (0, 1), (11, 8)),))
    assert blocks_term(dear, worth, 0) == 7
    assert blocks_term(problem, [[2 * x for x in own] for own in worth], 1) == 2 * (2 + 7)


@pytest.mark.parametrize("seed", range(6))
def test_shared_out_costs_never_pass_the_opening(seed: int) -> None:
    problem = with_openings(random_problem(seed), seed)
    added = shared_out(problem).open_cost - problem.open_cost
    for one in problem.openings:
        assert (added[list(one.block_idx)].sum(axis=0) <= np.array(one.cost)).all()
        assert (np.array(one.cost) - added[list(one.block_idx)].sum(axis=0) < len(one.block_idx)).all()


@pytest.mark.parametrize("seed", range(8))
def test_the_reason_to_stop_is_that_of_true_costs(seed: int) -> None:
    """The search reaches gaps with costs shared out over blocks; what is told holds with costs as they are due."""
    solution = solve(with_openings(random_problem(seed), seed), replace(OPTIONS, gap=0.11))
    if solution.stop_reason == StopReason.OPTIMAL:
        assert solution.objective == solution.bound
    else:
        assert (solution.stop_reason == StopReason.GAP) == (solution.gap <= 0.11)


def test_what_does_not_pay_is_given_up() -> None:
    """A plan with every phase of the toy open drops the one that costs more than its racks bring."""
    problem = lower(load_world("toy-opening-phases")).problem
    racks = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int32)
    racks[:2] = 5
    racks[2, :, 2:] = 5
    kept = paying(problem, racks)
    assert kept.sum(axis=(1, 2)).tolist() == [20, 0, 10]
    assert objective_cents(problem, Plan(kept)) == 54_781_250


def test_nothing_stands_before_a_phase_may_open() -> None:
    problem = lower(load_world("toy-opening-phases")).problem
    first = dict(zip(problem.row_names, problem.first_period[:, 0].tolist(), strict=True))
    assert [first[name] for name in sorted(first)] == [0, 0, 2]


def test_scenarios_of_one_graph_and_other_objectives_are_refused() -> None:
    problem = lower(load_world("toy-opening-phases")).problem
    with pytest.raises(ValueError, match="opened at a cost"):
        solve_batch(problem, [problem])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("openings") / "run"
    create_run(load_world("toy-opening-phases"), RunRequest(folder, OPTIONS), lambda _: None)
    return folder


def test_the_plan_says_what_is_opened_when_and_at_what_cost(run: Path) -> None:
    plan = json.loads((run / "plan.json").read_text())
    stated = [(one["name"], one["opened"], one["cost_cents"], one["n_racks"]) for one in plan["openings"]]
    assert stated == [
        ("first", "2027-Q1", 100_000_000, 5),
        ("second", None, 0, 0),
        ("third", "2027-Q3", 30_000_000, 5),
    ]
    assert plan["money"]["opening_cents"] == 130_000_000
    assert "Opening sites and phases" in (run / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("key", "value", "check"),
    [("opened", "2027-Q1", "openings"), ("cost_cents", 0, "openings"), ("money", 0, "money")],
)
def test_the_checker_finds_openings_that_are_misstated(
    run: Path, tmp_path: Path, key: str, value: object, check: str
) -> None:
    folder = Path(shutil.copytree(run, tmp_path / "run"))
    plan = json.loads((folder / "plan.json").read_text())
    if key == "money":
        plan["money"]["opening_cents"] = value
    else:
        plan["openings"][2][key] = value
    (folder / "plan.json").write_text(json.dumps(plan))
    assert check in {one.name for one in verify(folder).failed()}


def changed_toy(tmp_path: Path, before: str, after: str) -> Path:
    folder = Path(shutil.copytree(TOY, tmp_path / "toy"))
    path = folder / "portfolio.yaml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("buildings: [b2]", "buildings: [b1]", "is opened by 'first' already"),
        ("buildings: [b2]", "buildings: [b4]", "unknown building of ours 'b4'"),
        ("name: second, site: toy-opening-phases", "name: second, site: elsewhere", "unknown site of the portfolio"),
        ("name: second", "name: first", "stands here a second time"),
        ("cost: 1500000 USD", "cost: 0 USD", "changes nothing"),
        ("periods: 4", "periods: 4\nobjective: racks", "weighed in money alone"),
    ],
)
def test_openings_that_cannot_be_are_refused(tmp_path: Path, before: str, after: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_world(changed_toy(tmp_path, before, after))


def test_an_opening_after_the_last_decision_is_a_reason(tmp_path: Path) -> None:
    world = load_world(changed_toy(tmp_path, "earliest: 2027-Q3", "earliest: 2029-Q1"))
    problem = lower(world).problem
    assert {one.reason for one in problem.ineligible} == {
        "the opening 'third' may come only in 2029-Q1, after the last decision"
    }
    assert [one.name for one in problem.openings] == ["first", "second"]
    folder = tmp_path / "run"
    create_run(world, RunRequest(folder, OPTIONS), lambda _: None)
    assert verify(folder).ok


def test_the_command_says_what_is_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["plan", "toy-opening-phases", "--out", str(tmp_path / "run"), "--backend", "numpy"])
    assert ended.value.code == 0
    written = capsys.readouterr()
    assert "third (toy-opening-phases): opened in 2027-Q3 for $300.00 k" in written.out + written.err
    assert "second (toy-opening-phases): stays closed" in written.out + written.err


def test_a_site_that_was_lowered_before_still_waits_for_its_opening(tmp_path: Path) -> None:
    """Portfolios that differ in when a phase may open do not share what a site alone says."""
    known = KnownSites()
    later = load_world(changed_toy(tmp_path, "earliest: 2027-Q3", "earliest: 2027-Q4"))
    first = [lower(world, known=known).problem.first_period for world in (load_world("toy-opening-phases"), later)]
    assert [int(own.max()) for own in first] == [2, 3]
