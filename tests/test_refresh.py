"""Refreshes: what may be asked for, how racks of windows count everywhere, and two readings of one rule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fixtures.small_site import PROVENANCE
from fixtures.small_world import small_world
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from verify_cases import lowered_side, supply, verification_of, verified_side
from work_cases import working_world, workload

from planner.bench.judge import judge
from planner.bench.small_world import write_small_world
from planner.export import highs_optimum
from planner.lower import lower
from planner.problem import INACTIVE, may_stand
from planner.run.create import RunRequest, create_run
from planner.solve.options import SolveOptions
from planner.verify import verify
from sites.faults import InputError
from sites.schema.portfolio import Perspective
from sites.schema.refresh import Refresh
from sites.world import load_world

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = SolveOptions(work_limit=500, n_lanes=4, n_threads=1)
OLD, NEW = "gb200-nvl72", "gb300-nvl72"
SHARES = st.sampled_from(["0", "0.1", "0.37", "0.9"])
OPTION = f"{OLD}>{NEW}@2027-Q3"


def refresh(**changes: Any) -> dict[str, Any]:
    """GB200 makes way for GB300 in 2027-Q3, down for a quarter."""
    content = {
        "before": OLD, "after": NEW, "quarters": ["2027-Q3"], "downtime_quarters": 1, "removal_cost": "9000 USD",
        "resale": [{"age_quarters": 0, "share": "0.7"}, {"age_quarters": 2, "share": "0.3"}], "provenance": PROVENANCE,
    }  # fmt: skip
    return content | changes


@st.composite
def portfolios(draw: st.DrawFn) -> dict[str, Any]:
    """Keys of a portfolio with one or two refreshes, in anybody's books, with every kind of money."""
    committed = draw(st.sampled_from([(), (OLD,), (NEW,), (OLD, NEW)]))
    money: dict[str, Any] = {
        "discount_rate_per_year": draw(SHARES), "rental_decline_per_year": draw(SHARES), "annual_pue": "1.21",
        "opex_per_it_watt_year": "0.3 USD/W", "economic_life_quarters": draw(st.integers(6, 9)),
        "acceptance_lag_quarters": draw(st.integers(0, 3)), "residual": draw(SHARES),
        "rack_budget": "7000001.37 USD",
    }  # fmt: skip
    if committed:
        money["storage_share_per_quarter"] = draw(SHARES)
    if draw(st.booleans()):
        money["payment_terms"] = [{"share": "0.3", "offset_quarters": -2}, {"share": "0.7", "offset_quarters": 3}]
    found = [
        refresh(
            before=before, after=after, downtime_quarters=draw(st.integers(0, 2)),
            quarters=draw(st.sampled_from([["2027-Q2"], ["2027-Q2", "2027-Q4"], ["2027-Q4"]])),
        )
        for before, after in ((OLD, NEW), (NEW, OLD))[: draw(st.integers(1, 2))]
    ]  # fmt: skip
    supplies = [
        supply(("2027-Q1", 7), ("2027-Q3", 5), system=system, committed=system in committed) for system in (OLD, NEW)
    ]
    return {"money": money, "refresh": found, "supply": supplies}


@pytest.mark.parametrize("perspective", list(Perspective))
@settings(max_examples=4, deadline=None)
@given(portfolios())
def test_lowering_and_verification_read_the_rule_alike(perspective: str, content: dict[str, Any]) -> None:
    """Cents, windows, limits and what every plan pays, integer by integer."""
    world = small_world(**(content | {"perspective": perspective}))
    problem, verification = lower(world).problem, verification_of(world)
    ledger, draws = verification.ledger, verification.setting.draws
    assert problem.configuration_names == tuple(draws)
    assert problem.constant_cents == verification.side.constant_cents
    able = may_stand(problem)
    for r, full in enumerate(problem.row_names):
        site, _, row = full.partition(":")
        for t in range(problem.n_periods):
            for k, name in enumerate(problem.configuration_names):
                assert able[r, k, t] == verification.eligibility[site].may_stand(row, name, t)
                assert problem.period_value[r, k, t] == ledger.period_value(site, name, t)
                assert problem.contract_revenue[r, k, t] == ledger.contract_revenue(site, name, t)
            for s, system in enumerate(problem.system_names):
                assert problem.start_value[r, s, t] == ledger.start_value(site, row, system, t)
                assert problem.unit_cost[0, s, t] == ledger.money.unit_cost(system, t)
                assert problem.unit_racks[s] == ledger.money.unit_racks(system)
    for index, t in np.argwhere(problem.capacity != INACTIVE):
        terms = verification.everything.terms(problem.limits[index].name, problem.periods[t])
        assert terms is not None
        assert terms.capacity == problem.capacity[index, t]
        for entry in range(problem.limit_ptr[index], problem.limit_ptr[index + 1]):
            name = problem.row_names[problem.entry_row_idx[entry]]
            due = [terms.coefficient(name, one) for one in draws.values()]
            assert due == problem.entry_coefficient[entry].tolist()


@settings(max_examples=4, deadline=None, phases=[Phase.generate])
@given(portfolios(), st.sampled_from(["chain", "customer"]), st.integers(0, 2))
def test_racks_of_windows_work_as_what_they_are(content: dict[str, Any], perspective: str, lag: int) -> None:
    content["money"]["acceptance_lag_quarters"] = lag
    goodput = {"share": "0.83", "provenance": PROVENANCE}
    world = working_world(**(content | {"perspective": perspective, "workloads": [workload()], "goodput": goodput}))
    problem, verification = lower(world).problem, verification_of(world)
    assert lowered_side(problem) == verified_side(verification.side)


def test_racks_that_have_left_do_no_work_after_the_decisions() -> None:
    goodput = {"share": "1", "provenance": PROVENANCE}
    world = working_world(
        perspective="chain", workloads=[workload()], goodput=goodput, refresh=[refresh(downtime_quarters=0)]
    )
    rows, _ = lowered_side(lower(world).problem)
    hours = {name: racks for name, (_, racks) in rows.items() if name.startswith("hours:small:")}
    decided, rest = hours[f"hours:small:{OLD}:2027-Q2"], hours[f"hours:small:{OLD}:2028-Q4"]
    assert decided["small", f"{OPTION}/{OLD}", 1] == decided["small", OLD, 1] == 2190
    assert not any(name.startswith(OPTION) for _, name, _ in rest)
    later = hours[f"hours:small:{NEW}:2028-Q4"]
    assert later["small", f"{OPTION}/{NEW}", 5] == 2190


@pytest.mark.parametrize("seed", [516, 517, 519])
def test_small_worlds_with_refreshes_are_planned_and_verified(seed: int, tmp_path: Path) -> None:
    """From files to a verified run; the plan is no worse than HiGHS's, the bound no lower."""
    path = write_small_world(tmp_path, seed)
    content = json.loads(path.read_text(encoding="utf-8"))
    systems = [entry["system"] for entry in content["supply"]]
    assert len(systems) == 2
    assert content["periods"] >= 3
    for before, after in (systems, systems[::-1]):
        one = refresh(before=before, after=after, quarters=["2027-Q2"], downtime_quarters=int(before > after))
        content.setdefault("refresh", []).append(one | {"provenance": content["envelope"]["provenance"]})
    path.write_text(json.dumps(content), encoding="utf-8")
    world = load_world(str(path))
    run = create_run(world, RunRequest(tmp_path / "run", OPTIONS), lambda _: None)
    report = verify(run.folder)
    assert report.ok, report.failed()
    problem = lower(world).problem
    assert problem.closed is not None
    peer = judge(problem, highs_optimum(problem).n_racks)
    assert not peer.faults
    assert run.document["objective"] <= peer.value_cents <= run.document["bound"]


def test_plan_says_what_is_refreshed_and_what_waits(tmp_path: Path) -> None:
    for name, key in (("toy-refresh-downtime", "refreshes"), ("toy-wait", "waiting")):
        folder = tmp_path / name
        create_run(load_world(name), RunRequest(folder, OPTIONS), lambda _: None)
        plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        if key == "refreshes":
            [one] = plan[key]
            assert (one["before"], one["after"], one["quarter"], one["stands"]) == (
                "gb300-nvl72", "vr-nvl72", "2027-Q3", "2027-Q4"
            )  # fmt: skip
            assert one["exchanged"] == {"2027-Q3": 2}
            worths = [one["worth_cents"], one["worth_if_kept_cents"], one["worth_if_waited_cents"]]
            assert worths == [31_127_300, 29_565_000, 23_257_800]
            assert not any(entry["period"] == "2027-Q3" for entry in plan["placements"])
        else:
            [two] = plan[key]
            assert (two["could_stand"], two["starts"], two["waits_for"]) == ("2027-Q1", "2027-Q3", "delivery")


def test_verification_refuses_a_refresh_told_otherwise(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    create_run(load_world("toy-refresh-downtime"), RunRequest(folder, OPTIONS), lambda _: None)
    told = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    for change, words in (
        ({"exchanged": {"2027-Q3": 1}}, "growth"),
        ({"exchanged": {}}, "placements"),
        ({"quarter": "2027-Q4"}, "placements"),
        ({"n_racks": 3}, "placements"),
    ):
        plan = told | {"refreshes": [told["refreshes"][0] | change]}
        (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        assert words in {check.name for check in verify(folder).failed()}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"before": "gb300-nvl27"}, "unknown rack system"),
        ({"after": "vr-nvl72"}, "no configuration of 'vr-nvl72' is on offer"),
        ({"after": OLD}, "from one system to another"),
        ({"quarters": ["2027-Q1"]}, "a quarter from 2027-Q2 to 2028-Q1 is allowed"),
        ({"quarters": ["2028-Q2"]}, "a quarter from 2027-Q2 to 2028-Q1 is allowed"),
        ({"downtime_quarters": 5}, "no quarter is left"),
    ],
)
def test_refreshes_that_cannot_be_had_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        lower(small_world(refresh=[refresh(**changes)]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quarters": ["2027-Q3", "2027-Q2"]}, "ascend"),
        ({"quarters": [f"2027-Q{n}" for n in (1, 2, 3, 4)] + ["2028-Q1"]}, "at most 4"),
        ({"resale": [{"age_quarters": 1, "share": "0.5"}]}, "begin with age_quarters: 0"),
        ({"resale": []}, "begin with age_quarters: 0"),
    ],
)
def test_refreshes_are_written_in_order(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Refresh.model_validate(refresh(**changes))


def test_two_entries_for_one_pair_are_refused() -> None:
    with pytest.raises(InputError, match="a second time"):
        lower(small_world(refresh=[refresh(), refresh(quarters=["2027-Q4"])]))


def test_rows_that_cannot_be_refreshed_say_why() -> None:
    late = [supply(system=OLD), supply(("2028-Q1", 3), system=NEW)]
    problem = lower(small_world(refresh=[refresh(quarters=["2027-Q4"])], supply=late)).problem
    option = f"{OLD}>{NEW}@2027-Q4"
    reasons = {one.reason for one in problem.ineligible if one.configuration == option}
    assert reasons >= {f"no rack of {NEW} is delivered by 2027-Q4"}
    assert not may_stand(problem)[:, [name.startswith(option) for name in problem.configuration_names]].any()


@pytest.mark.parametrize("lag", [0, 2])
def test_rent_under_a_commitment_ends_with_the_racks(lag: int) -> None:
    """Old racks pay rent until they make way, new ones from when they stand; each is refunded until it is accepted."""
    promised = {
        "name": "cloud", "title": "Rent promised", "amount": "9e6 USD", "start": "2027-Q2", "end": "2029-Q4",
        "provenance": PROVENANCE,
    }  # fmt: skip
    money: dict[str, Any] = {"economic_life_quarters": 7, "acceptance_lag_quarters": lag}
    goodput = {"share": "1", "provenance": PROVENANCE}
    world = working_world(
        perspective="customer", workloads=[workload()], goodput=goodput, money=money, commitments=[promised],
        refresh=[refresh(quarters=["2028-Q1"])],
    )  # fmt: skip
    problem, verification = lower(world).problem, verification_of(world)
    rows, columns = lowered_side(problem)
    assert (rows, columns) == verified_side(verification.side)
    _, racks = rows["commitment:cloud"]
    option = f"{OLD}>{NEW}@2028-Q1"
    rent = problem.contract_revenue[0, 0, 0]
    # The term begins in the second quarter; a rack of the first that waits for two pays in the third and fourth.
    paid = sum(racks.get(("small", f"{option}/{OLD}", t), 0) for t in range(4))
    assert paid == rent * (3 if lag == 0 else 2)
    assert not any(name == f"{option}/down" for _, name, _ in racks)
