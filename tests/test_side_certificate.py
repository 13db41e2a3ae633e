"""Small worlds with work and clauses: the checker proves from the certificate, tree included, what the planner says."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from contract_cases import floor, share, tranche
from verify_cases import verification_of
from work_cases import tier, working_world, workload

from planner.lower import lower
from planner.solve import SolveOptions, solve
from planner.solve import prove as prove_module

if TYPE_CHECKING:
    import pytest

    from sites.world import World


def random_world(seed: int) -> World:
    """One or two workloads in the books of the chain or of a customer, with a floor, an instalment or a share."""
    draw = random.Random(seed)
    tiers = [tier("contracted", f"{draw.randrange(500, 4000)}", "8", penalty="3 USD/million"), tier("spot", "900", "2")]
    content: dict[str, Any] = {
        "workloads": [workload(tiers=tiers), workload(name="batch", speed=None)][: draw.randrange(1, 3)],
        "perspective": draw.choice(["chain", "customer"]),
        "money": {"acceptance_lag_quarters": draw.randrange(0, 2)},
    }
    if draw.random() < 0.5:
        content["floors"] = [floor("meter-w", f"{draw.randrange(100, 2000)} kW", "1 USD/W", start="2027-Q2")]
    if draw.random() < 0.7:
        unlocks = {"cash": f"{draw.randrange(10**5, 10**7)} USD"}
        content["tranches"] = [tranche("racks", draw.randrange(1, 20), by="2027-Q4", **unlocks)]
    if draw.random() < 0.4:
        content["shares"] = [share("racks", "90000 USD", at_most="40 %", systems=["gb300-nvl72"])]
    return working_world(**content)


def test_the_checker_proves_what_the_planner_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """With multipliers alone, and with trees, some of whose nodes split a decision."""
    trees = []
    for seed, most_work in ((3, 0), (5, 2_500), (7, 2_500)):
        monkeypatch.setattr(prove_module, "_MOST_WORK", most_work)
        world = random_world(seed)
        problem = lower(world).problem
        assert problem.side is not None
        solution = solve(problem, SolveOptions(work_limit=1, backend="numpy"))
        assert solution.objective <= solution.bound
        certificate = solution.certificate_json(problem)
        assert certificate["side"]
        assert verification_of(world, **certificate)._bound_cents() == solution.bound
        trees.append(str(certificate["trees"]))
    assert trees[0] == "{}"
    assert any("'decision'" in tree for tree in trees)
