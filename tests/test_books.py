"""A plan in the books of provider, customer and chain: by hand, adding up to the cent, and checked by `verify`."""

from __future__ import annotations

import shutil
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
from fixtures.small_site import PROVENANCE
from fixtures.small_world import small_world
from hypothesis import given
from hypothesis import strategies as st
from run_cases import lowered_of, make_run, solution_of, with_one_more, world_of
from test_cash import VARIED, document_of
from toy_cases import TOYS
from work_cases import tier, working_world, workload

from planner.export.effective import plan_value_cents
from planner.lower import lower
from planner.money.books import tax_cents
from planner.money.depreciation import straight_line
from planner.money.flows import cash_flow
from planner.money.lines import Line, Party
from planner.problem import SHARE_BITS
from planner.run.create import RunRequest, create_run
from planner.run.evaluate import evaluate
from planner.solve.options import SolveOptions
from planner.verify import verify
from sites.faults import InputError
from sites.world import load_world

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from planner.lower.lowered import Lowered
    from sites.world import World

PARTIES = ("provider", "customer", "chain")
SUMS = ("net_cents", "depreciation_cents", "income_cents", "tax_cents", "after_tax_cents")
BOOKS = {
    "lives": {"servers_years": 1, "network_years": 2, "facility_years": 10},
    "tax": {"rate": "25 %"},
    "operations": [{"name": "staff", "share": "0.3", "provenance": PROVENANCE}],
    "provenance": PROVENANCE,
}


def run_of(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A run of five racks that are bought in the one decision quarter and live for six, its portfolio changed."""
    shutil.copytree(TOYS / "toy-opex", folder / "in")
    file = folder / "in" / "portfolio.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    content["money"] |= {"economic_life_quarters": 6, "acceptance_lag_quarters": 1}
    content["money"]["systems"][0] |= {"rack_price": "60000 USD", "network_price": "1000 USD"}
    change(content)
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    site = folder / "in" / "site.yaml"
    capex = site.read_text(encoding="utf-8").replace("avoidable_capex: 0 USD", "avoidable_capex: 10000 USD")
    site.write_text(capex, encoding="utf-8")
    request = RunRequest(folder / "run", SolveOptions(backend="numpy", work_limit=500))
    return create_run(load_world(file), request, lambda _: None).folder


@pytest.fixture(scope="module")
def taxed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Servers written off in four quarters, network in eight, shell in forty; a quarter of income goes to tax."""
    return run_of(tmp_path_factory.mktemp("taxed"), lambda content: content.update(books=BOOKS))


def lines_of(book: dict[str, Any]) -> dict[str, list[int]]:
    return {one["line"]: one["cents"] for one in book["lines"]}


def test_provider_books_worked_by_hand(taxed: Path) -> None:
    """Racks 300,000 over 4 quarters, network 8,000 over 8, shell 10,000 over 40; the first loss is carried forward."""
    books = document_of(taxed)["books"]
    own = books["provider"]
    assert own["net_cents"] == document_of(taxed)["cash"]["net_cents"] == [-87_184_000, *[23_456_000] * 5]
    assert own["depreciation_cents"] == [7_625_000] * 4 + [125_000] * 2
    assert own["income_cents"] == [-55_384_000 - 7_625_000, *[15_831_000] * 3, *[23_331_000] * 2]
    first_tax = (23_331_000 - (63_009_000 - 3 * 15_831_000)) // 4
    assert own["tax_cents"] == [0, 0, 0, 0, first_tax, 5_832_750]
    assert own["after_tax_cents"][-1] == 23_456_000 - 5_832_750
    assert own["npv_after_tax_cents"] == own["npv_cents"] - sum(own["tax_cents"])  # no discount
    left = {one["asset"]: one["value_cents"][-1] for one in books["depreciation"]}
    assert left == {"servers": 0, "network": 200_000, "facility": 850_000}


def test_customer_and_chain_books_worked_by_hand(taxed: Path) -> None:
    """What the provider receives is what the customer pays; the chain has the costs alone."""
    books = document_of(taxed)["books"]
    assert lines_of(books["customer"]) == {
        "rental at market price": [-70_956_000] * 6,
        "not yet accepted": [78_840_000, 0, 0, 0, 0, 0],
    }
    assert books["chain"]["net_cents"] == [-47_500_000 - 31_800_000, *[-47_500_000] * 5]
    assert not {"rental at market price", "not yet accepted"} & lines_of(books["chain"]).keys()


def test_operations_are_cut_into_their_parts(taxed: Path) -> None:
    own = lines_of(document_of(taxed)["books"]["provider"])
    assert own["operations: staff"] == [-14_250_000] * 6
    assert own["operations: other"] == [-33_250_000] * 6
    assert "operations" not in own


def test_payments_follow_the_terms_and_racks_bring_their_residual_value(tmp_path: Path) -> None:
    """A third of 300,000 USD is a deposit, the rest due two quarters on; a tenth comes back after six quarters."""
    terms = [{"share": "0.25", "offset_quarters": -1}, {"share": "0.75", "offset_quarters": 2}]
    folder = run_of(tmp_path, lambda content: content["money"].update(payment_terms=terms, residual="0.1"))
    cash = document_of(folder)["cash"]
    lines = {one["line"]: one["cents"] for one in cash["lines"]}
    assert cash["quarters"][-1] == "2028-Q3"
    assert lines["racks"] == [-7_500_000, 0, -22_500_000, 0, 0, 0, 0]
    assert lines["residual value"] == [0, 0, 0, 0, 0, 0, 3_000_000]
    servers = document_of(folder)["books"]["depreciation"][0]
    assert servers["additions_cents"][0] == 30_000_000, "an asset from its start, whenever it is paid"
    assert sum(servers["charge_cents"]) == 30_000_000, "gone after six quarters, though the catalogue says five years"
    assert verify(folder).ok


def test_facility_of_the_catalogue_is_a_line_of_the_books_alone(tmp_path: Path) -> None:
    """5 racks of 190 kW at 11.7 USD a watt, less the 10,000 USD that the plan pays."""
    own = {"facility": "facility-shell-and-plant", "connection": "grid-connection", "provenance": PROVENANCE}
    folder = run_of(tmp_path, lambda content: content.update(books=own))
    document = document_of(folder)
    books, meter_w = document["books"], document["totals"][0]["plan_meter_w"]["toy-opex"]
    lines = lines_of(books["provider"])
    assert lines["facility beyond the plan"][0] == -(950_000 * 1170 - 1_000_000)
    assert lines["grid connection"][0] == -meter_w * 90
    assert "facility beyond the plan" not in {one["line"] for one in document["cash"]["lines"]}
    beyond = books["beyond_cents"]
    assert beyond == lines["facility beyond the plan"][0] + lines["grid connection"][0]
    parts = (document["objective"], books["coefficients_cents"], books["entries_cents"], beyond)
    assert sum(parts) == books["provider"]["npv_cents"]
    assert verify(folder).ok


@pytest.mark.parametrize("name", VARIED)
def test_provider_and_customer_make_the_chain_to_the_cent(name: str) -> None:
    lowered = lowered_of(name)
    books = evaluate(world_of(name), lowered, lowered.graphs, solution_of(name).plan.n_racks).books
    for key in SUMS:
        two = zip(getattr(books.provider, key), getattr(books.customer, key), strict=True)
        assert tuple(a + b for a, b in two) == getattr(books.chain, key)
    chain = tuple(sum(one.cents[t] for one in books.chain.lines) for t in range(len(books.chain.net_cents)))
    assert chain == books.chain.net_cents, "transfers cancel to the cent"


def random_plan(lowered: Lowered, seed: int) -> tuple[NDArray[np.int32], dict[str, int]]:
    """Racks that never fall, one configuration of one system in a row, and decisions anywhere in their range."""
    random, problem = np.random.default_rng(seed), lowered.problem
    n_racks = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int32)
    for row in range(problem.n_rows):
        n_racks[row, random.integers(problem.n_configurations)] = np.sort(random.integers(0, 5, problem.n_periods))
    side = problem.side
    names, most = ((), ()) if side is None else (side.column_names, side.column_most)
    return n_racks, {name: int(random.integers(0, limit + 1)) for name, limit in zip(names, most, strict=True)}


def value_cents(lowered: Lowered, n_racks: NDArray[np.int32], decisions: dict[str, int]) -> int:
    """The published objective: racks, side program and what every plan pays alike."""
    side = lowered.problem.side
    return plan_value_cents(lowered.problem, n_racks, [decisions[name] for name in side.column_names] if side else ())


WORK = workload(
    tiers=[
        tier("contracted", "1000", "8", penalty="3 USD/million"),
        tier("spot", "500", "2", price_decline_per_year="0.2"),
    ],
    charges=[{"name": "egress", "cost": "0.5 USD/million", "provenance": PROVENANCE}],
)
MONEY: dict[str, Any] = {
    "discount_rate_per_year": "0.1",
    "rental_decline_per_year": "0.2",
    "opex_per_it_watt_year": "1 USD/W",
    "acceptance_lag_quarters": 1,
    "residual": "0.15",
    "storage_share_per_quarter": "0.01",
    "payment_terms": [{"share": "0.3", "offset_quarters": -2}, {"share": "0.7", "offset_quarters": 1}],
}
SUPPLY = [
    {
        "system": system,
        "deliveries": [{"quarter": quarter, "racks": 60}],
        "committed": committed,
        "provenance": PROVENANCE,
    }
    for system, quarter, committed in (("gb200-nvl72", "2026-Q4", True), ("gb300-nvl72", "2027-Q2", False))
]


def asked(perspective: str) -> World:
    if perspective == "provider":
        contract = {"amount": "9e6 USD", "provenance": PROVENANCE}
        return small_world(money=MONEY | {"market_factor": "0.8"}, supply=SUPPLY, contract=contract)
    return working_world(workloads=[WORK], money=MONEY, supply=SUPPLY, perspective=perspective)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("perspective", PARTIES)
def test_discounted_cash_is_the_objective_in_every_perspective(perspective: str, seed: int) -> None:
    """Whatever stands and is served: each coefficient rounds against the plan by less than a cent, or its 2^20th."""
    world = asked(perspective)
    lowered = lower(world)
    n_racks, decisions = random_plan(lowered, seed)
    flow = cash_flow(world, lowered, n_racks, decisions)
    gap = flow.present_value_usd() * 100 - value_cents(lowered, n_racks, decisions)
    problem = lowered.problem
    most = 3 * int(n_racks.sum()) + problem.n_blocks * problem.n_periods * 3 + 10
    assert 0 <= gap <= most + Fraction(sum(decisions.values()) + problem.contract_amount, 1 << SHARE_BITS)
    assert flow.party is Party(perspective)


def test_committed_racks_are_paid_and_stored_whether_they_stand_or_not() -> None:
    """60 racks of 100,000 USD come a quarter before the plan: 6 million at the two payments, 1 % of it a quarter."""
    world = asked("chain")
    lowered = lower(world)
    empty = np.zeros((lowered.problem.n_rows, 2, lowered.problem.n_periods), np.int32)
    flow = cash_flow(world, lowered, empty)
    assert flow.line_cents(Line.RACKS)[:3] == (-600_000_000, 0, 0), "what is due before the plan is due at its start"
    assert flow.line_cents(Line.STORAGE)[:7] == (-6_000_000,) * 6 + (0,)
    assert flow.line_cents(Line.PENALTIES)[0] == -7_884_000 * 3 * 100 // 1000


@pytest.mark.parametrize(
    ("name", "line", "signs"),
    [
        ("toy-take-or-pay", "take-or-pay shortfall: rent", (1, -1, 0)),
        ("toy-tranche-cash", "instalments: first", (1, 0, 1)),
        ("toy-floor-mw", "broken floors: live", (-1, 0, -1)),
    ],
)
def test_clauses_are_in_the_books_of_whom_they_bind(
    name: str, line: str, signs: tuple[int, int, int], tmp_path: Path
) -> None:
    """As the contract's own ledger states them; a shortfall moves from one party to the other."""
    document = make_run(name, tmp_path / "run").document
    terms = document["terms"]
    told = sum(one["shortfall_cents"] for one in terms["commitments"])
    told += sum(one["cash_cents"] for one in terms["tranches"]) + sum(one["price_cents"] for one in terms["floors"])
    assert told > 0
    found = tuple(sum(lines_of(document["books"][party]).get(line, [])) for party in PARTIES)
    assert found == tuple(sign * told for sign in signs)
    assert "The contract" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_a_shortfall_passes_within_a_chain(tmp_path: Path) -> None:
    """Chosen for both together, the commitment decides nothing; what is not rented moves between their books."""
    shutil.copytree(TOYS / "toy-take-or-pay", tmp_path / "in")
    file = tmp_path / "in" / "portfolio.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8")) | {"perspective": "chain"}
    content["commitments"][0]["amount"] = "9e7 USD"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    request = RunRequest(tmp_path / "run", SolveOptions(backend="numpy", work_limit=500))
    document = create_run(load_world(file), request, lambda _: None).document
    [commitment] = document["terms"]["commitments"]
    assert commitment["shortfall_cents"] > 0
    name = "take-or-pay shortfall: rent"
    assert sum(lines_of(document["books"]["provider"])[name]) == commitment["shortfall_cents"]
    assert sum(lines_of(document["books"]["customer"])[name]) == -commitment["shortfall_cents"]
    assert name not in lines_of(document["books"]["chain"])
    assert verify(tmp_path / "run").ok


def test_the_checker_refuses_a_cent_more_in_any_of_the_books(taxed: Path, tmp_path: Path) -> None:
    assert verify(taxed).ok
    for n, place in enumerate((
        ("provider", "tax_cents", 4), ("chain", "after_tax_cents", 0), ("customer", "npv_cents"),
        ("depreciation", 0, "charge_cents", 1), ("provider", "lines", 1, "cents", 2), ("coefficients_cents",),
    )):  # fmt: skip
        folder = with_one_more(taxed, tmp_path / str(n), "books", *place)
        assert {one.name for one in verify(folder).failed()} == {"books"}, place


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"facility": "life-of-servers"}, "facility cost"),
        ({"lives": {"servers_years": "5.1"}}, "whole number of quarters"),
        ({"operations": [{"name": name, "share": "0.6", "provenance": PROVENANCE} for name in "ab"]}, "at most 1"),
        ({"tax": {"rate": "130 %"}}, "out of range"),
    ],
)
def test_books_that_cannot_be_kept_are_refused(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    shutil.copytree(TOYS / "toy-opex", tmp_path / "in")
    file = tmp_path / "in" / "portfolio.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8")) | {"books": {"provenance": PROVENANCE, **change}}
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(InputError, match=told):
        load_world(file)


@given(st.integers(0, 10**12), st.integers(1, 80), st.integers(1, 80))
def test_straight_line_writes_off_the_whole_price(price: int, life: int, stands: int) -> None:
    charges = straight_line(price, life, stands)
    assert sum(charges) == price
    assert len(charges) == min(life, stands)
    assert all(0 <= cents - price // life <= 1 for cents in charges[:-1])


def test_losses_are_carried_forward() -> None:
    assert tax_cents([-100, 60, 60, -5, 15], Fraction(1, 3)) == (0, 0, 7, 0, 4)
