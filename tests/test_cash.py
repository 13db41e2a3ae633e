"""Cash by quarter: worked by hand, adding up to the cent, and checked again by `verify`."""

from __future__ import annotations

import csv
import json
import shutil
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pyarrow import parquet
from run_cases import lowered_of, solution_of, with_one_more, world_of
from toy_cases import TOYS

from planner.money.flows import cash_flow
from planner.money.lines import BEYOND, PROMISES, SERVED, Line
from planner.money.measures import annual_rate, payback
from planner.run.create import RunRequest, create_run
from planner.solve.options import SolveOptions
from planner.verify import verify
from sites.world import load_world

if TYPE_CHECKING:
    from pathlib import Path

VARIED = (
    "toy-opex", "toy-profiles", "toy-contract", "toy-minimum-demand", "toy-conversion-taps", "toy-opening-cost",
    "toy-acceptance-lag", "toy-demand-charge", "toy-shared-envelope", "toy-wait-for-next", "toy-partial-unit",
)  # fmt: skip


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five racks that are bought in the one decision quarter and live for six."""
    folder = tmp_path_factory.mktemp("by-hand")
    shutil.copytree(TOYS / "toy-opex", folder / "in")
    file = folder / "in" / "portfolio.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    content["money"] |= {"economic_life_quarters": 6, "acceptance_lag_quarters": 1}
    content["money"]["systems"][0] |= {"rack_price": "60000 USD", "network_price": "1000 USD"}
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    site = folder / "in" / "site.yaml"
    capex = site.read_text(encoding="utf-8").replace("avoidable_capex: 0 USD", "avoidable_capex: 10000 USD")
    site.write_text(capex, encoding="utf-8")
    request = RunRequest(folder / "run", SolveOptions(backend="numpy", work_limit=500))
    return create_run(load_world(file), request, lambda _: None).folder


def document_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    return content


def test_cash_worked_by_hand(by_hand: Path) -> None:
    """72 GPUs · 2,190 h · 1 USD · 0.9 is 141,912 USD a rack and quarter; 190 kW at 2 USD a watt and year 95,000 USD."""
    cash = document_of(by_hand)["cash"]
    assert cash["quarters"] == ["2027-Q1", "2027-Q2", "2027-Q3", "2027-Q4", "2028-Q1", "2028-Q2"]
    lines = {one["line"]: one["cents"] for one in cash["lines"]}
    assert lines == {
        "rental at market price": [70_956_000] * 6,
        "not yet accepted": [-78_840_000, 0, 0, 0, 0, 0],  # at performance 1: 157,680 USD a rack
        "operations": [-47_500_000] * 6,
        "racks": [-30_000_000, 0, 0, 0, 0, 0],
        "network": [-800_000, 0, 0, 0, 0, 0],  # a whole unit of 8 racks
        "avoidable capex": [-1_000_000, 0, 0, 0, 0, 0],
    }
    assert cash["net_cents"] == [-87_184_000, *[23_456_000] * 5]


def test_measures_worked_by_hand(by_hand: Path) -> None:
    measured = document_of(by_hand)["cash"]["measures"]
    assert measured["npv_cents"] == -87_184_000 + 5 * 23_456_000  # no discount
    assert measured["rounding_cents"] == 0
    assert measured["capital_cents"] == 31_800_000
    assert measured["payback_quarter"] == "2028-Q1"  # 4 · 234,560 exceeds 871,840 USD
    hours = 5 * 72 * 2190 * 6
    assert measured["cost_per_gpu_hour_usd"] == pytest.approx((318_000 + 6 * 475_000) / hours)
    assert measured["cost_per_megawatt_year_usd"] == pytest.approx((318_000 + 6 * 475_000) / (5 * 0.190 * 1.5))
    quarterly = (1 + measured["irr_per_year"]) ** 0.25
    assert sum(c / quarterly**t for t, c in enumerate([-87_184_000, *[23_456_000] * 5])) == pytest.approx(0, abs=1)


def test_the_csv_adds_up_to_the_net_of_the_plan(by_hand: Path) -> None:
    with (by_hand / "cash.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["site"] for row in rows} == {"toy-opex"}
    assert sum(int(row["cents"]) for row in rows) == sum(document_of(by_hand)["cash"]["net_cents"])
    table = parquet.read_table(by_hand / "cash.parquet").to_pylist()
    assert [{**row, "cents": str(row["cents"])} for row in table] == rows


@pytest.mark.parametrize("name", VARIED)
def test_discounted_cash_is_the_objective_but_for_rounding(name: str) -> None:
    """Each coefficient rounds against the plan by less than a cent."""
    world, lowered, solution = world_of(name), lowered_of(name), solution_of(name)
    flow = cash_flow(world, lowered, solution.plan.n_racks)
    problem = lowered.problem
    most = 2 * int(solution.plan.n_racks.sum()) + problem.n_blocks * problem.n_periods + problem.n_periods + 1
    assert 0 <= flow.present_value_usd() * 100 - solution.objective <= most


def test_every_line_is_met_by_some_toy() -> None:
    met = {
        line
        for name in VARIED
        for _, line in cash_flow(world_of(name), lowered_of(name), solution_of(name).plan.n_racks).cents
    }
    elsewhere = {Line.SHELL, Line.STORAGE, Line.RESIDUAL, Line.SHORTFALL, Line.REMOVAL, Line.RESALE}  # by hand
    elsewhere |= SERVED | PROMISES | BEYOND
    assert met == set(Line) - elsewhere


def test_the_checker_accepts_the_cash_and_refuses_a_cent_more(by_hand: Path, tmp_path: Path) -> None:
    assert verify(by_hand).ok
    for place, due in (
        (("net_cents", 0), "net_cents"),
        (("lines", 0, "cents", 3), "rental"),
        (("measures", "npv_cents"), "npv"),
    ):
        folder = with_one_more(by_hand, tmp_path / str(due), "cash", *place)
        failed = {one.name: one.detail for one in verify(folder).failed()}
        assert set(failed) == {"cash"}
        assert due in failed["cash"]


def test_the_report_shows_the_cash(by_hand: Path) -> None:
    text = (by_hand / "report.html").read_text(encoding="utf-8")
    assert "Cash by year" in text
    assert "Not yet accepted" in text
    assert "2028-Q1" in text


def test_no_rate_where_cash_never_changes_its_sign() -> None:
    rate, note = annual_rate([5, 0, 7])
    assert rate is None
    assert "never changes its sign" in note
    _, note = annual_rate([-100, 300, -150, 200])
    assert "3 times" in note


def test_payback_is_the_quarter_from_which_the_sum_stays() -> None:
    quarters = ("a", "b", "c", "d")
    assert payback(quarters, [-5, 6, -3, 4]) == "d"
    assert payback(quarters, [-5, 6, 0, 0]) == "b"
    assert payback(quarters, [-5, 1, 1, 1]) is None
    assert payback(quarters, [Fraction(1), Fraction(0), Fraction(0), Fraction(0)]) == "a"
