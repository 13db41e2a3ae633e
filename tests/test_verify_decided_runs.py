"""Runs with work: what the planner states of them verification finds too, and every change of it is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from run_cases import rehash
from test_side_matches_lowering import portfolios
from toy_cases import TOYS
from verify_cases import verification_of
from work_cases import working_world

from planner.lower import lower
from planner.run.create import RunRequest, create_run
from planner.run.document import Outcome, plan_document
from planner.run.evaluate import evaluate
from planner.side.decide import best_decisions
from planner.solve.options import SolveOptions
from planner.solve.solve import solve
from planner.verify import verify
from sites.world import load_world

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sites.world import World

OPTIONS = SolveOptions(work_limit=1_000)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which racks work for a tier with a penalty."""
    out = tmp_path_factory.mktemp("decided") / "run"
    create_run(load_world(TOYS / "toy-penalty" / "portfolio.yaml"), RunRequest(out, OPTIONS), lambda _: None)
    return out


def _serve(plan: dict[str, Any]) -> str:
    return str(next(name for name in plan["decisions"] if name.startswith("serve")))


def _above_its_most(plan: dict[str, Any], _: dict[str, Any]) -> None:
    plan["decisions"][_serve(plan)] = 10**9


def _a_unit_too_many(plan: dict[str, Any], _: dict[str, Any]) -> None:
    """All that the racks do is sold already."""
    plan["decisions"][next(name for name in plan["decisions"] if name.startswith("sold"))] += 1


def _an_hour_too_many(plan: dict[str, Any], _: dict[str, Any]) -> None:
    plan["decisions"][_serve(plan)] += 1


def _unknown_name(plan: dict[str, Any], _: dict[str, Any]) -> None:
    plan["decisions"]["sold:mail:contracted:2027-Q1"] = 0


def _nothing_sold(plan: dict[str, Any], _: dict[str, Any]) -> None:
    del plan["decisions"]


def _a_cent_more(plan: dict[str, Any], _: dict[str, Any]) -> None:
    plan["objective"] += 1


def _a_cent_of_work(plan: dict[str, Any], _: dict[str, Any]) -> None:
    plan["money"]["decisions_cents"] += 1


def _a_cent_of_penalty(plan: dict[str, Any], _: dict[str, Any]) -> None:
    plan["money"]["constant_cents"] += 1


def _without_penalty(plan: dict[str, Any], _: dict[str, Any]) -> None:
    del plan["money"]["constant_cents"]


def _an_hour_more_stated(plan: dict[str, Any], _: dict[str, Any]) -> None:
    plan["service"][0]["hours"] += 1


def _work_of_nobody(plan: dict[str, Any], _: dict[str, Any]) -> None:
    plan["service"].append(plan["service"][0] | {"workload": "mail"})


def _less_is_asked(plan: dict[str, Any], _: dict[str, Any]) -> None:
    plan["served"]["tiers"][0]["demand_units"][0] -= 1


def _a_cent_of_revenue(plan: dict[str, Any], _: dict[str, Any]) -> None:
    plan["served"]["tiers"][0]["revenue_cents"][0] += 1


def _a_tier_is_silent(plan: dict[str, Any], _: dict[str, Any]) -> None:
    plan["served"]["tiers"] = []


def _no_list(plan: dict[str, Any], _: dict[str, Any]) -> None:
    plan["served"] = []


def _a_price_less(_: dict[str, Any], certificate: dict[str, Any]) -> None:
    """Half a price of work: its units are worth more than that, each of them."""
    for holder in _with_prices(certificate):
        for name, text in holder["side"].items():
            holder["side"][name] = str(int(text) // 2) if name.startswith("work") else text


def _a_price_of_nothing(_: dict[str, Any], certificate: dict[str, Any]) -> None:
    for holder in _with_prices(certificate):
        holder["side"]["work:mail:2027-Q1"] = "1"


def _with_prices(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The certificate and every leaf of its tree."""
    below = [node[key] for key in ("below", "above") if key in node] + list(node.get("trees", {}).values())
    return ([node] if "side" in node else []) + [one for child in below for one in _with_prices(child)]


CHANGES: dict[Callable[[dict[str, Any], dict[str, Any]], None], set[str]] = {
    _above_its_most: {"decisions"},
    _a_unit_too_many: {"decisions"},
    _an_hour_too_many: {"decisions"},
    _unknown_name: {"decisions"},
    _nothing_sold: {"objective", "money"},
    _a_cent_more: {"objective", "money"},
    _a_cent_of_work: {"money"},
    _a_cent_of_penalty: {"money"},
    _without_penalty: {"money"},
    _an_hour_more_stated: {"served"},
    _work_of_nobody: {"served"},
    _less_is_asked: {"served"},
    _a_cent_of_revenue: {"served"},
    _a_tier_is_silent: {"served"},
    _no_list: {"readable"},
    _a_price_less: {"bound"},
    _a_price_of_nothing: {"bound"},
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_changes_are_refused_by_name(
    change: Callable[[dict[str, Any], dict[str, Any]], None], sound: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(sound, tmp_path / "run")
    plan, certificate = (json.loads((folder / f"{name}.json").read_text()) for name in ("plan", "certificate"))
    change(plan, certificate)
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / "certificate.json").write_text(json.dumps(certificate))
    assert CHANGES[change] <= {check.name for check in verify(folder).failed()}


@pytest.mark.parametrize(
    ("written", "instead", "refused"),
    [
        ("price: 10 USD/million", "price: 9 USD/million", {"objective", "money", "bound"}),
        ("penalty: 5 USD/million", "penalty: 6 USD/million", {"objective", "money", "bound"}),
        ("rate: 2000 1/s", "rate: 1999 1/s", {"decisions"}),
        ("share: 1,", "share: 0.9,", {"decisions"}),
    ],
)
def test_other_inputs_make_another_plan(
    written: str, instead: str, refused: set[str], sound: Path, tmp_path: Path
) -> None:
    """Inputs changed with their hashes, as a careful forger would: the plan no longer is theirs."""
    folder = shutil.copytree(sound, tmp_path / "run")
    file = folder / "inputs" / "portfolio.yaml"
    content = file.read_text(encoding="utf-8")
    assert written in content
    file.write_text(content.replace(written, instead), encoding="utf-8")
    rehash(folder)
    failed = {check.name for check in verify(folder).failed()}
    assert refused <= failed
    assert "inputs" not in failed


def test_sound_run_is_accepted_and_works(sound: Path) -> None:
    report = verify(sound)
    assert report.ok, report.failed()
    assert _serve(json.loads((sound / "plan.json").read_text()))


def documents(world: World, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Plan and certificate of a world: the bound is the planner's, the racks are those of another money.

    The best plan of a random portfolio is often to place nothing, which would leave nothing to check.
    """
    lowered = lower(world)
    problem, random = lowered.problem, np.random.default_rng(seed)
    paid = random.integers(-(10**7), 10**8, problem.period_value.shape)
    elsewhere = replace(problem, side=None, constant_cents=0, period_value=problem.period_value + paid)
    solution, racks = solve(problem, OPTIONS), solve(elsewhere, OPTIONS).plan.n_racks
    decided = best_decisions(problem, racks)
    names = () if problem.side is None else problem.side.column_names
    decisions = None if decided is None else {a: int(b) for a, b in zip(names, decided.values, strict=True) if b}
    evaluation = evaluate(world, lowered, lowered.graphs, racks, decisions or {})
    cents = evaluation.money.objective_cents
    status = "optimal" if cents == solution.bound else "feasible"
    outcome = Outcome(status, cents, solution.bound, "work-limit", "numpy", 0, 0.0)
    plan = plan_document(world.portfolio.name, problem, racks, outcome, evaluation, decisions)
    certificate = solution.certificate_json(problem)
    return json.loads(json.dumps(plan)), json.loads(json.dumps(certificate))


@settings(max_examples=3, deadline=None)
@given(portfolios())
def test_plans_of_random_portfolios_reconcile(content: dict[str, Any]) -> None:
    """Every check but those of files, over plans that place racks."""
    plan, certificate = documents(working_world(**content), seed=len(str(content)))
    assert plan["placements"]
    verification = verification_of(working_world(**content), plan, **certificate)
    failed = {check.name: check.detail for check in verification.checks() if not check.ok}
    assert not failed.keys() - {"inputs", "tables"}, failed
