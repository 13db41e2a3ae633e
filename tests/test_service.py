"""What racks work for, as a run states it: hours, demand served, cost of a million, and the checks of all that."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fixtures.small_site import PROVENANCE
from run_cases import make_run
from test_cash import document_of
from work_cases import tier, working_world, workload

from planner.lower import lower
from planner.money.flows import flow_of
from planner.money.lines import OWNED, Line
from planner.money.scene import scene_of
from planner.money.service import served, service
from planner.money.unit_costs import unit_costs
from planner.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from planner.money.scene import Scene


@pytest.fixture(scope="module")
def choice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two racks of each generation; each serves what it serves best."""
    return make_run("toy-work-choice", tmp_path_factory.mktemp("choice") / "run").folder


def test_hours_and_what_they_do(choice: Path) -> None:
    """Two racks work 4,380 hours; GB300 does 2,000 tokens a second in batch, Vera Rubin as many fast ones."""
    document = document_of(choice)
    lines = {(one["configuration"], one["workload"]): (one["hours"], one["units"]) for one in document["service"]}
    assert lines == {
        ("gb300-nvl72", "batch"): (4380, 4380 * 3600 * 2),
        ("vr-nvl72/max-q", "fast"): (4380, 4380 * 3600 * 2),
    }
    assert [one["served_units"] for one in document["served"]["tiers"]] == [[31_536_000], [31_536_000]]


def test_each_generation_costs_the_work_that_it_does(choice: Path) -> None:
    """GB300 racks at 100,000 USD make 31,536 million tokens; Vera Rubin's at 160,000 as many."""
    costs = document_of(choice)["unit_costs"]
    spent = -sum(sum(one["cents"]) for one in document_of(choice)["cash"]["lines"] if one["line"] == "racks")
    assert costs["total_cents"] == spent == sum(one["cost_cents"] for one in costs["workloads"])
    for one in costs["workloads"]:
        assert one["usd_per_million"] == pytest.approx(one["cost_cents"] / 100 / 31_536)


def test_the_report_shows_what_is_served(choice: Path) -> None:
    text = (choice / "report.html").read_text(encoding="utf-8")
    assert "Served against demand" in text
    assert "What a million costs" in text
    assert "In whose books" in text


def test_a_tampered_statement_of_work_is_refused(choice: Path, tmp_path: Path) -> None:
    assert verify(choice).ok
    for n, (check, place) in enumerate((
        ("served", ("service", 0, "units")), ("served", ("served", "tiers", 1, "served_units", 0)),
        ("work costs", ("unit_costs", "workloads", 0, "shared_cents")), ("work costs", ("unit_costs", "total_cents")),
        ("work costs", ("unit_costs", "workloads", 1, "rack_hours")),
    )):  # fmt: skip
        folder = tmp_path / str(n)
        shutil.copytree(choice, folder)
        content = document_of(folder)
        at: Any = content
        for key in place[:-1]:
            at = at[key]
        at[place[-1]] += 1
        (folder / "plan.json").write_text(json.dumps(content), encoding="utf-8")
        assert {one.name for one in verify(folder).failed()} == {check}, place


def scene(shares: dict[str, int]) -> Scene:
    """Ten GB200 racks and five GB300 racks that stand throughout; workloads get hours of GB200 as told."""
    charge = {"name": "egress", "cost": "0.5 USD/million", "provenance": PROVENANCE}
    tiers = [tier("contracted", "1000", "8", penalty="3 USD/million")]
    named = [workload(name=name, tiers=tiers, charges=[charge]) for name in shares]
    money = {"discount_rate_per_year": "0.1", "opex_per_it_watt_year": "1 USD/W"}
    world = working_world(workloads=named, money=money)
    lowered = lower(world)
    n_racks = np.zeros((lowered.problem.n_rows, 2, lowered.problem.n_periods), np.int32)
    n_racks[0, 0], n_racks[1, 1] = 10, 5
    decisions = {f"serve:small:gb200-nvl72:{name}:2027-Q2": n_hours for name, n_hours in shares.items()}
    decisions |= {f"sold:{name}:contracted:2027-Q2": 3600 * n_hours for name, n_hours in shares.items()}
    return scene_of(world, lowered, n_racks, decisions)


def test_racks_are_shared_by_hours_and_the_shares_sum_to_the_whole() -> None:
    told = scene({"chat": 900, "code": 300})
    flow = flow_of(told)
    costs = unit_costs(told, flow)
    chat, code = costs.workloads
    assert abs(chat.shared_cents - 3 * code.shared_cents) <= 3
    assert chat.usd_per_million == pytest.approx(code.usd_per_million), "like hours, like cost of a million"
    paid = flow.present_lines_usd(OWNED | {Line.CHARGES})
    assert 0 <= -paid * 100 - costs.total_cents < 3
    assert costs.unworked_cents > 0, "GB300 racks never work"
    assert costs.total_cents == chat.cost_cents + code.cost_cents + costs.unworked_cents


def test_nothing_served_costs_and_is_said_to_serve_nothing() -> None:
    told = scene({"chat": 0})
    costs = unit_costs(told, flow_of(told))
    assert costs.workloads[0].usd_per_million is None
    assert costs.total_cents == costs.unworked_cents > 0
    assert not service(told)


def test_demand_is_served_or_paid_for() -> None:
    """900 hours of 3.6 million tokens are 3,240 million of 7,884; the rest costs 3 USD a million."""
    [line] = served(scene({"chat": 900})).tiers
    quarter = 1
    assert line.demand_units[quarter] * line.unit == 7_884_000_000
    assert line.revenue_cents[quarter] == 3240 * 800
    assert line.penalty_cents[quarter] == Fraction(7884 - 3240) * 300
    assert line.served_units[0] == 0
    assert line.penalty_cents[0] == 7884 * 300
