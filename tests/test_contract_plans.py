"""Plans under random clauses are as good as HiGHS' optimum of the exported problem, and their bound holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from contract_cases import floor, share, tranche
from fixtures.small_site import PROVENANCE
from fixtures.small_world import small_world

from planner.export import highs_optimum
from planner.lower import lower
from planner.solve.options import SolveOptions
from planner.solve.solve import solve

if TYPE_CHECKING:
    from planner.problem import Problem

QUARTERS = ("2027-Q3", "2027-Q4", "2028-Q1", "2028-Q2")


def random_clauses(seed: int) -> Problem:
    """The small site, whose rows exist from the third quarter on, under a floor, a share and two tranches."""
    random = np.random.default_rng(seed)

    def drawn(low: int, high: int) -> int:
        return int(random.integers(low, high))

    systems = [
        {
            "system": system,
            "rack_price": f"{drawn(3, 9)}00000 USD",
            "network_price": "0 USD",
            "rental": f"{drawn(1, 4)}.{drawn(0, 9)} USD/gpu/h",
            "provenance": PROVENANCE,
        }
        for system in ("gb200-nvl72", "gb300-nvl72")
    ]
    binds = ("at_most", "at_least")[seed % 2]
    money = {"rack_budget": f"{drawn(3, 9)}e5 USD", "discount_rate_per_year": "0.1", "economic_life_quarters": 6}
    world = small_world(
        floors=[floor("racks", drawn(2, 9), f"{drawn(1, 40)}000 USD", start=QUARTERS[drawn(0, 4)])],
        shares=[share("racks", f"{drawn(1, 90)}000 USD", systems=["gb300-nvl72"], **{binds: f"{drawn(10, 80)} %"})],
        tranches=[
            tranche("racks", drawn(1, 4), by=QUARTERS[drawn(0, 2)], rack_budget=f"{drawn(3, 12)}e5 USD"),
            tranche(
                "it-w", f"{drawn(2, 6)}00 kW", by=QUARTERS[drawn(1, 4)], name="second", cash=f"{drawn(1, 9)}e5 USD"
            ),
        ],
        money=money | {"acceptance_lag_quarters": drawn(0, 2), "systems": systems},
    )
    return lower(world).problem


@pytest.mark.parametrize("seed", range(3))
def test_plan_is_the_optimum(seed: int) -> None:
    """What stands and what is decided beside it earn the most that the clauses leave."""
    problem = random_clauses(seed)
    optimum = highs_optimum(problem)
    solution = solve(problem, SolveOptions(backend="numpy", work_limit=2000))
    assert solution.objective == optimum.objective_cents
    assert solution.bound >= solution.objective
