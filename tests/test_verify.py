"""The checker accepts what the planner writes and refuses every mutation of it, over all toys."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from run_cases import rehash
from toy_cases import change, toy_cases

from planner.cli.verify_command import command
from planner.lower import lower
from planner.problem import INACTIVE
from planner.run.create import RunRequest, create_run
from planner.solve.options import SolveOptions
from planner.verify import verify
from planner.verify.bound_check import check_bound
from planner.verify.check import Verification
from planner.verify.conservatism import Gaps
from planner.verify.inputs import check_hashes, read_run
from planner.verify.machinery import Part, fan_factor, pump_factor
from planner.verify.plant_hour import DesignHour
from planner.verify.power import Normal, PowerCheck
from planner.verify.report import Report, Spread
from sites.world import load_world, load_world_from_inputs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CASES = {case.name: case for case in toy_cases()}
FEASIBLE = [name for name, case in CASES.items() if case.is_feasible]
WORK_LIMIT = 20_000


@pytest.fixture(scope="session")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The run folder of a toy, planned once; tests copy it before they change it."""
    parent = tmp_path_factory.mktemp("runs")

    @cache
    def planned(name: str) -> Path:
        out = parent / name
        request = RunRequest(out, SolveOptions(work_limit=WORK_LIMIT))
        create_run(load_world(CASES[name].portfolio), request, lambda _: None)
        return out

    return planned


@pytest.fixture
def copy_of(run_of: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a toy's run folder that a test may change."""
    return lambda name: shutil.copytree(run_of(name), tmp_path / name)


def _failed(report: Report) -> set[str]:
    return {check.name for check in report.failed()}


def _read(folder: Path, name: str = "plan.json") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return content


def _write(folder: Path, content: dict[str, Any], name: str = "plan.json") -> None:
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def _write_placements(folder: Path, plan: dict[str, Any]) -> None:
    """Change plan and table alike, so that only what the placements mean can be refused."""
    _write(folder, plan)
    columns = ("site", "row", "configuration", "period", "n_racks")
    with (folder / "placements.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([entry[column] for column in columns] for entry in plan["placements"])


CHECKS_OF_KEYS = {"openings": "openings", "terms": "terms", "served": "served", "unit_costs": "work costs"}
"""Checks of what only some portfolios ask for, by the key of the plan."""


@pytest.mark.parametrize("name", FEASIBLE)
def test_every_toy_is_accepted(name: str, run_of: Callable[[str], Path]) -> None:
    report, plan = verify(run_of(name)), _read(run_of(name))
    assert report.ok, report.failed()
    asked = {check for key, check in CHECKS_OF_KEYS.items() if key in plan}
    assert {check.name for check in report.checks} - asked == {
        "inputs", "form", "tables", "placements", "eligibility", "growth", "blocks", "units", "decisions", "limits",
        "power", "failures", "totals", "money", "cash", "books", "binding", "ineligible", "objective", "bound",
        "nonlinear chain", "plant at its hour", "aim",
    }  # fmt: skip
    assert asked <= {check.name for check in report.checks}
    works = bool(load_world(CASES[name].portfolio).portfolio.workloads)
    assert ({"served", "work costs"} <= {check.name for check in report.checks}) is works


@pytest.mark.parametrize("name", FEASIBLE)
def test_a_bound_lowered_by_one_cent_is_refused(name: str, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of(name)
    plan = _read(folder)
    plan["bound"] -= 1
    _write(folder, plan)
    assert _failed(verify(folder)) - {"aim"} == {"bound"}


@pytest.mark.parametrize("name", FEASIBLE)
def test_an_objective_raised_by_one_cent_is_refused(name: str, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of(name)
    plan = _read(folder)
    plan["objective"] += 1
    _write(folder, plan)
    expected = {"objective"} if CASES[name].aim else {"objective", "money", "cash", "books"}
    assert _failed(verify(folder)) == expected


@pytest.mark.parametrize("name", FEASIBLE)
def test_a_rack_too_many_no_longer_reconciles(name: str, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of(name)
    plan = _read(folder)
    if not plan["placements"]:
        pytest.skip("the best plan of this toy is empty")
    plan["placements"][-1]["n_racks"] += 1
    _write_placements(folder, plan)
    # Racks of a row that is refreshed must fit the refresh before anything is made of them.
    due = {"placements"} if plan.get("refreshes") else {"totals", "aim" if CASES[name].aim else "objective"}
    assert due <= _failed(verify(folder))


@pytest.mark.parametrize("name", [name for name in FEASIBLE if CASES[name].binding])
def test_a_rack_too_many_breaks_the_limit_that_binds(name: str, copy_of: Callable[[str], Path]) -> None:
    """Where a limit of the toy's answer leaves no room for one more rack, adding it is refused by that limit."""
    folder = copy_of(name)
    plan = _read(folder)
    verification = Verification(folder, read_run(folder))
    names = _limit_names(verification)
    for pattern in CASES[name].binding:
        for limit in [one for one in names if fnmatchcase(one, pattern)]:
            entry = _no_room(verification, plan, limit)
            if entry is not None:
                entry["n_racks"] += 1
                _write_placements(folder, plan)
                check = "power" if ":power:" in limit else "limits"
                detail = {one.name: one.detail for one in verify(folder).failed()}[check]
                assert limit in detail or "more)" in detail
                return
    pytest.skip("its binding limits leave room for a rack of what is placed")


def _limit_names(verification: Verification) -> list[str]:
    """Every limit that exists in the last quarter, those after failures included."""
    everything, quarter = verification.everything, verification.periods[-1]
    names = [*everything.joint_names(), *everything.site_names(None)]
    for site, limits in verification.limits.items():
        states, epoch = limits.states, limits.states.epoch(quarter)
        elements = [limits.network.names[element] for element in limits.network.elements]
        names += [f"{site}:power:{element}" for element in elements]
        failures = [f for f in states.failures(epoch) if states.contingencies.unit(f) is None]
        for failure in map(states.contingencies.name, failures):
            names += [f"{site}:power:{e}:{failure}{after}" for e in elements for after in ("", ":before")]
            names += [f"{site}:{family}:{place}:{failure}" for family, place in limits.banks.names()]
    return names


def _no_room(verification: Verification, plan: dict[str, Any], limit: str) -> dict[str, Any] | None:
    """A placement whose next rack this limit refuses."""
    all_draws = verification.setting.draws
    for entry in plan["placements"]:
        terms = verification.everything.terms(limit, entry["period"])
        if terms is None:
            continue
        load = sum(
            one["n_racks"] * terms.coefficient(f"{one['site']}:{one['row']}", all_draws[one["configuration"]])
            for one in plan["placements"]
            if one["period"] == entry["period"]
        )
        draws = all_draws[entry["configuration"]]
        if load + terms.coefficient(f"{entry['site']}:{entry['row']}", draws) > terms.capacity:
            found: dict[str, Any] = entry
            return found
    return None


@pytest.mark.parametrize("name", FEASIBLE)
def test_a_placement_in_a_row_that_does_not_exist_is_refused(name: str, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of(name)
    plan = _read(folder)
    site = plan["failures"][0]["site"]
    configuration = next(iter(plan["totals"][0]["racks"]))
    place = {"site": site, "row": "b1/h1/l01/r99", "period": plan["periods"][0]}
    plan["placements"].append({**place, "configuration": configuration, "n_racks": 1})
    _write_placements(folder, plan)
    [check] = [one for one in verify(folder).failed() if one.name == "placements"]
    assert "r99" in check.detail
    assert "does not exist" in check.detail


@pytest.mark.parametrize("name", FEASIBLE)
def test_a_changed_cap_is_refused_by_its_hash_and_then_by_its_limit(name: str, copy_of: Callable[[str], Path]) -> None:
    """The supply of every site falls to some watts; with hashes made to fit, the meter limit breaks."""
    folder = copy_of(name)
    for file in (folder / "inputs" / "sites").iterdir():
        site = yaml.safe_load(file.read_text(encoding="utf-8"))
        for step in (*site["service"]["steps"], *site["service"].get("non_firm", {"steps": ()})["steps"]):
            step["capacity"] = "1 W"
        for sets in site.get("generation", ()):
            sets["rating"] = "1 W"
        file.write_text(yaml.safe_dump(site, sort_keys=False), encoding="utf-8")
    assert "inputs" in _failed(verify(folder))
    rehash(folder)
    failed = _failed(verify(folder))
    assert "inputs" not in failed
    if _read(folder)["placements"]:
        assert "limits" in failed


def test_a_raised_cap_with_its_hash_changes_the_bound(copy_of: Callable[[str], Path]) -> None:
    """More supply breaks no limit, but the certificate no longer proves the stated bound."""
    folder = copy_of("toy-supply")
    file = folder / "inputs" / "portfolio.yaml"
    text = file.read_text(encoding="utf-8")
    changed = re.sub(r"racks: (\d+)", lambda match: f"racks: {int(match[1]) + 1}", text)
    assert changed != text
    file.write_text(changed, encoding="utf-8")
    rehash(folder)
    assert "bound" in _failed(verify(folder))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("totals", 0, "gpus"), 1),
        (("totals", 0, "it_w"), 1),
        (("totals", 0, "contract_used_cents"), 1),
        (("totals", 0, "meter_w", "toy-scheme-2n"), 1),
        (("failures", 0, "dropped_racks"), 99),
        (("failures", 0, "worst_load_w"), 5),
        (("failures", 0, "verdict"), "overload"),
        (("totals", 0, "envelope_w"), 1),
        (("units", 0, "n_units"), 50),
        (("money", "start_value_cents"), 1),
        (("money", "rack_spend_cents"), 1),
        (("binding", 0, "slack"), -1),
        (("binding", 0, "limit"), "toy-scheme-2n:power:nothing"),
        (("ineligible",), [{"site": "toy-scheme-2n", "configuration": "gb200-nvl72", "n_rows": 3}]),
        (("placements",), "none"),
        (("totals",), [1]),
        (("gap",), 0.5),
        (("status",), "infeasible"),
        (("periods",), []),
    ],
)
def test_every_stated_figure_is_checked(path: tuple[Any, ...], value: Any, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("toy-scheme-2n")
    plan = _read(folder)
    place = plan
    for key in path[:-1]:
        place = place[key]
    assert place[path[-1]] != value
    place[path[-1]] = value
    _write(folder, plan)
    assert not verify(folder).ok


@pytest.mark.parametrize(
    "limit",
    [
        "power", "power:nobody", "power:b1/h1/l01/ups-1:nobody", "power:b1/h1/l01/ups-1:b1/h1/l01/cdu",
        "power:b1/h1/l01/ups-1:b1/h1/l01/ups-2:after", "power:b1/h1/l01/ups-1:b1/h1/l01/ups-2:before:before",
        "liquid:nobody", "liquid:b1/h1/l01/air", "liquid:b1/h1/l01/liquid:nobody", "air:b1/h1/l01/r1",
        "dry:b1/h1/l01/air",
        "leaf:nobody:ndr-400g", "leaf:b1/h1/leaf-01:none", "spine:nobody", "spine:b1/h1/leaf-01", "support:b1/spine",
        "support:nobody", "floor:nobody", "position:b1", "landing:b1/h1", "swing:service", "swing:nobody",
        "meter:main-1",
        "heat:b1", "envelope:meter",
    ],
)  # fmt: skip
def test_a_limit_that_does_not_exist_cannot_bind(limit: str, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("toy-scheme-2n")
    plan = _read(folder)
    plan["binding"][0]["limit"] = f"toy-scheme-2n:{limit}"
    _write(folder, plan)
    details = {one.name: one.detail for one in verify(folder).failed()}
    assert "there is no limit" in details["binding"]


@pytest.mark.parametrize(
    "change",
    [
        {"scale_bits": 31},
        {"limits": {"toy-supply:power:nowhere": {"2027-Q1": "5"}}},
        {"limits": {"*:supply:gb200-nvl72": {"2027-Q1": "-5"}}},
        {"limits": {"*:supply:gb200-nvl72": {"2027-Q1": 5}}},
        {"limits": {"*:supply:gb200-nvl72": {"2031-Q1": "5"}}},
        {"limits": []},
        {"monotone": 7},
        {"units": [["toy-supply:b1/h1/leaf-01", ["gb200-nvl72"], "2027-Q2", "5"]]},
        {"monotone": [["toy-supply:b1/h1/l01/r1", "gb200-nvl72", "2027-Q1", "5"]]},
        {"monotone": [["toy-supply:b1/h1/l01/r9", "gb200-nvl72", "2027-Q2", "5"]]},
        {"open": [["toy-supply:nowhere", "gb200-nvl72", "2027-Q2", "5"]]},
        {"contract": {"p": {"2027-Q1": "1e9"}, "h": "0"}},
        {"trees": {"b1": {}}},
        {"demand": None},
        {"demand": {"toy-supply": {"2027-Q1": "0"}}},
        {"format": "gigaplan-certificate/2"},
    ],
)
def test_a_malformed_certificate_is_refused(change: dict[str, Any], copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("toy-supply")
    _write(folder, _read(folder, "certificate.json") | change, "certificate.json")
    assert _failed(verify(folder)) in ({"bound"}, {"readable"})


def test_any_multipliers_prove_a_bound_that_is_no_lower_than_the_best_plan(copy_of: Callable[[str], Path]) -> None:
    """No certificate, however foolish, lets a bound below the optimum through."""
    draw = np.random.default_rng(7)
    folder = copy_of("toy-profiles")
    for _ in range(6):
        certificate = _read(folder, "certificate.json")
        for by_period in certificate["limits"].values():
            for quarter in by_period:
                by_period[quarter] = str(int(int(by_period[quarter]) * draw.uniform(0, 3)))
        _write(folder, certificate, "certificate.json")
        verification = Verification(folder, read_run(folder))
        assert verification._bound_cents() >= _read(folder)["objective"]


@pytest.mark.parametrize("name", ["plan.json", "certificate.json", "manifest.json", "inputs/resolved.json"])
@pytest.mark.parametrize("content", [None, "", "[]", "{", '{"bound": NaN}'])
def test_an_unreadable_file_is_a_failed_check_and_no_traceback(
    name: str, content: str | None, copy_of: Callable[[str], Path]
) -> None:
    folder = copy_of("toy-position")
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content, encoding="utf-8")
    assert not verify(folder).ok


@pytest.mark.parametrize("name", FEASIBLE)
def test_lowering_and_checker_derive_the_same_integers(name: str, run_of: Callable[[str], Path]) -> None:
    """Two codes, one rule: limits, first periods and money agree to the last unit."""
    folder = run_of(name)
    problem = lower(load_world_from_inputs(folder / "inputs")).problem
    verification = Verification(folder, read_run(folder))
    draws = [verification.setting.draws[k] for k in problem.configuration_names]
    for index, info in enumerate(problem.limits):
        entries = slice(int(problem.limit_ptr[index]), int(problem.limit_ptr[index + 1]))
        for t in np.flatnonzero(problem.capacity[index] != INACTIVE):
            terms = verification.everything.terms(info.name, problem.periods[t])
            assert terms is not None
            assert terms.capacity == int(problem.capacity[index, t]), info.name
            rows = problem.entry_row_idx[entries]
            for row, coefficients in zip(rows, problem.entry_coefficient[entries], strict=True):
                for k, coefficient in enumerate(coefficients):
                    if problem.first_period[row, k] <= t:
                        assert terms.coefficient(problem.row_names[row], draws[k]) == int(coefficient), info.name
    _assert_same_money(problem, verification)


def _assert_same_money(problem: Any, verification: Verification) -> None:
    ledger = verification.ledger
    for r, full in enumerate(problem.row_names):
        site, _, row = full.partition(":")
        for k, configuration in enumerate(problem.configuration_names):
            first = verification.eligibility[site].first_period(row, configuration)
            assert (problem.n_periods if first is None else first) == problem.first_period[r, k]
            for t in range(problem.n_periods):
                assert ledger.period_value(site, configuration, t) == problem.period_value[r, k, t]
                assert ledger.contract_revenue(site, configuration, t) == problem.contract_revenue[r, k, t]
                s = problem.system_of_configuration_idx[k]
                assert ledger.start_value(site, row, problem.system_names[s], t) == problem.start_value[r, s, t]
    for demand in problem.minimum_demands:
        meter = verification.ledger.meters[demand.site]
        assert [meter.demand_w[name] * 2**20 for name in problem.configuration_names] == list(demand.draw_scaled)
        for t in range(problem.n_periods):
            assert meter.minimum_demand_w(t) == demand.minimum_w[t]
            assert ledger.demand_price_cents(demand.site, t) == demand.price_cents_per_w[t]


@pytest.mark.parametrize("name", FEASIBLE)
def test_rounded_flows_never_fall_below_the_published_rule(name: str, run_of: Callable[[str], Path]) -> None:
    """The quick integers that clear most limits are bounds from above: for every element, failure and period."""
    folder = run_of(name)
    verification = Verification(folder, read_run(folder))
    for site, standing in verification.standing.items():
        for state in PowerCheck(site, standing).states():
            if isinstance(state, Normal):
                _assert_above(standing, state.draws, (), state.flow.output, standing.limits.network.rating_w)
                continue
            failure = standing.limits.states.contingencies.name(state.outage.failed)
            emergency_w = standing.limits.network.emergency_w
            _assert_above(standing, state.draws, (failure,), state.acted, emergency_w)
            if standing.limits.walker.flex:
                _assert_above(standing, state.draws, (failure, "before"), state.before, emergency_w)


def _assert_above(standing: Any, draws: Any, details: tuple[str, ...], outputs: Any, permitted_w: Any) -> None:
    network = standing.limits.network
    for element, output in outputs.items():
        for at, t in enumerate(draws.periods) if network.rating_w[element] is not None else ():
            name, quarter = network.names[element], standing.periods[t]
            terms = standing.limits.terms("power", name, details, quarter)
            if terms is None:
                assert details[1:] == ("before",)
                continue
            most_w = permitted_w[element]
            if details[1:]:
                shares = standing.limits.power_shares(name, details[0], quarter, before_action=True)
                most_w = standing.limits.permitted_w(element, True, shares)
            rule = standing.load(terms.rows, t) + (most_w << 20) - terms.capacity
            room = 1 + sum(watts[at] for kinds in draws.rows.values() for watts in kinds.values())
            assert rule <= (output[at] >> 12) + 1 + room
            assert (output[at] >> 12) <= rule + 1


ONE_TOO_MANY = {
    "toy-emergency-rating": "power:main-?:main-?",
    "toy-flex-after": "power:b1/h1/l01/ups-?:*",
    "toy-flex-before": "power:b1/h1/l01/ups-?:*:before",
    "toy-flex-slow": "power:b1/h1/l01/ups-?:*:before",
    "toy-flex-support": "power:main-?:main-?",
    "toy-flex-cooling": "liquid:b1/h1/l01/liquid:mech-*",
    "toy-maintenance-pair": "power:main-?:main-?+main-?",
    "toy-maintenance-group": "power:main-?:main-?+duct-bank",
    "toy-maintenance-cooling": "liquid:b1/h1/l01/liquid:mech-?+mech-?",
    "toy-thermal-header": "liquid:b1/h1/l01/liquid:mech-*",
    "toy-thermal-flow": "flow:b1/h1/l01/liquid:mech-*",
    "toy-thermal-air": "air:b1/h1/l01/air:mech-*",
    "toy-thermal-dry": "dry:b1/plant:mech-*",
    "toy-thermal-chiller": "chiller:b1/plant:mech-*",
    "toy-thermal-group": "liquid:b1/h1/l01/liquid:fire",
    "toy-dead-row-heat": "liquid:b1/h1/l01/liquid:board-*",
    "toy-dropped-draws": "power:feeder-3:fire",
    "toy-matched-plant": "power:mech-1:mech-*",
    "toy-support-heat-air": "air:b1/h1/l01/air",
    "toy-support-heat-plant": "dry:b1/plant",
    "toy-support-heat-pumps": "power:mech-1",
    "toy-support-places-mixed": "support:b1/h1/leaf-01",
    "toy-support-places-partial": "support:b1/h1/leaf-01",
    "toy-swing": "swing:service",
    "toy-swing-occupied": "swing:service",
    "toy-swing-ramp": "swing:service",
    "toy-generation": "meter:service",
    "toy-adiabatic": "chiller:b1/plant",
    "toy-conversion-floor-uniform": "floor:b1/h1/l01/r1",
    "toy-conversion-ports": "leaf:b1/h1/leaf-01:ndr-400g",
    "toy-single-feed": "power:b1/h1/l01/ups-1",
}
"""The limit that one rack more in the answer of a toy breaks."""


@pytest.mark.parametrize("name", ONE_TOO_MANY)
def test_one_rack_more_is_refused_by_the_limit_of_the_rule(name: str, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of(name)
    verification = Verification(folder, read_run(folder))
    plan, pattern = _read(folder), f"{name}:{ONE_TOO_MANY[name]}"
    limits = [one for one in _limit_names(verification) if fnmatchcase(one, pattern)]
    entry = next(found for limit in limits if (found := _no_room(verification, plan, limit)) is not None)
    entry["n_racks"] += 1
    _write_placements(folder, plan)
    details = {one.name: one.detail for one in verify(folder).failed()}
    said = details["power" if ":power:" in pattern else "limits"]
    assert any(fnmatchcase(word, pattern) for word in said.split()), said


REFUSED = [
    ("toy-thermal-drop", "b1/h1/l01/r1", "the failure of feeder-1 (feeder) stops b1/h1/l01/liquid"),
    ("toy-lone-board", "b1/h1/l01/r1", "stops b1/h1/l01/liquid"),
    ("toy-lone-board", "b1/h1/l02/r1", "stops b1/h1/leaf-02"),
    ("toy-leaf-boards", "b1/h1/l01/r1", "stops b1/h1/leaf-01"),
    ("toy-leaf-planes", "b1/h1/l01/r1", "the failure of b1/h1/leaf-01/leaf (leaf) stops b1/h1/leaf-01"),
    ("toy-unit-class", "b1/h1/l01/r1", "b1/h1/l01/cdu (cdu) stops b1/h1/l01/liquid"),
    ("toy-unit-class", "b1/h1/l02/r1", "b1/h1/l02/air-handler (air-handler) stops b1/h1/l02/air"),
    ("toy-unit-class", "b1/h1/l03/r1", "b1/plant/cooler (cooler) stops b1/plant:dry"),
    ("toy-unit-class", "b1/h1/l04/r1", "b1/plant/chiller (chiller) stops b1/plant:chiller"),
    ("toy-unit-class", "b1/h1/l05/r1", "b1/h1/leaf-05/leaf (leaf) stops b1/h1/leaf-05"),
    ("toy-unit-spare", "b1/h1/l01/r1", "b1/h1/l01/cdu (cdu) stops b1/h1/l01/liquid"),
    ("toy-maintenance-class", "b1/h1/l01/r1", "the planned outage of"),
    ("toy-maintenance-drop", "b1/h1/l01/r1", "main-1+main-2 (maintenance) cuts the row off"),
    ("toy-single-feed-class", "b1/h1/l01/r1", "(main-transformer) cuts the row off"),
    ("toy-single-feed", "b1/h1/l02/r1", "the row does not stand"),
    ("toy-pressure", "b1/h1/l01/r1", "pressure"),
    ("toy-storey-point", "b1/h2/l01/r1", "too heavy for the floor"),
]
"""A toy, a row of it that refuses, and why the checker says it does."""


@pytest.mark.parametrize(("name", "row", "reason"), REFUSED)
def test_a_row_that_may_not_hold_a_rack_says_why(
    name: str, row: str, reason: str, copy_of: Callable[[str], Path]
) -> None:
    folder = copy_of(name)
    plan = _read(folder)
    configuration = next(one.configuration for one in CASES[name].ineligible if one.row == row)
    place = {"site": name, "row": row, "period": plan["periods"][-1]}
    plan["placements"].append({**place, "configuration": configuration, "n_racks": 1})
    _write_placements(folder, plan)
    details = {one.name: one.detail for one in verify(folder).failed()}
    assert reason in details["eligibility"]


def test_a_rack_before_the_conversion_is_done_is_refused(copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("toy-conversion-taps")
    plan = _read(folder)
    plan["placements"].append({**plan["placements"][0], "period": plan["periods"][0]})
    if plan["placements"][0]["period"] == plan["periods"][0]:
        plan["placements"][-1]["row"] = "b1/h1/l02/r1"
    _write_placements(folder, plan)
    details = {one.name: one.detail for one in verify(folder).failed()}
    assert "conversion" in details["eligibility"]


INPUTS = [
    ("toy-emergency-rating", "equipment.transformer.emergency_rating.value", 1, "power"),
    ("toy-flex-before", "equipment.ups.short_time_duration.value", "4 s", "power"),
    ("toy-flex-after", "lineup_templates.plain.flex.cappable", 0, "power"),
    ("toy-thermal-spares", "power.mech.count", 2, "limits"),
    ("toy-swing-battery", "batteries.pack.in_service", "2027-Q3", "limits"),
    ("toy-generation", "generation.gas.in_service", "2027-Q2", "limits"),
    ("toy-fluid-cooler", "climate.design_wet_bulb", "27 degC", "limits"),
    ("toy-non-firm", "service.non_firm.curtailed_hours_per_year", "100 h", "objective"),
    ("toy-non-firm-contract", "service.non_firm.curtailed_hours_per_year", "100 h", "objective"),
    ("toy-energy-mix", "generation.gas.fuel_cost", "149 USD/MWh", "objective"),
    ("toy-demand-charge", "service.demand_charge", "1 USD/kW/month", "objective"),
    ("toy-minimum-demand", "service.minimum_demand.steps.0.capacity", "600 kW", "objective"),
    ("toy-conversion-taps", "lineup_templates.quick.conversions.new-whips.cost_per_position", "1 USD", "objective"),
]
"""A figure of a toy's site, another value, and the check that the plan then fails."""


@pytest.mark.parametrize(("name", "key", "value", "check"), INPUTS)
def test_a_plan_for_another_site_is_refused(
    name: str, key: str, value: object, check: str, copy_of: Callable[[str], Path]
) -> None:
    """With hashes made to fit, what the figure decides no longer holds."""
    folder = copy_of(name)
    [file] = (folder / "inputs" / "sites").iterdir()
    site = yaml.safe_load(file.read_text(encoding="utf-8"))
    change(site, key, value)
    file.write_text(yaml.safe_dump(site, sort_keys=False), encoding="utf-8")
    rehash(folder)
    failed = _failed(verify(folder))
    assert "inputs" not in failed
    assert check in failed


@pytest.mark.parametrize(
    ("name", "element", "key", "value"),
    [
        ("toy-flex-after", "b1/h1/l01/ups-2", "shed_w", 0),
        ("toy-flex-after", "b1/h1/l01/ups-2", "capped_w", 118_900),
        ("toy-flex-after", "b1/h1/l01/ups-2", "worst_load_w", 1_188_000),
        ("toy-emergency-rating", "main-1", "worst_rating_w", 1_000_000),
        ("toy-thermal-header", "mech-1", "worst_element", None),
        ("toy-thermal-header", "mech-1", "worst_load_w", 918_700),
        ("toy-thermal-header", "mech-1", "verdict", "overload"),
        ("toy-thermal-drop", "feeder-1", "dropped_gpus", 0),
        ("toy-thermal-drop", "feeder-1", "verdict", "holds"),
        ("toy-unit-class", "b1/h1/l06/cdu", "dropped_racks", 0),
        ("toy-unit-class", "b1/plant/chiller", "kind", "cooler"),
        ("toy-maintenance-drop", "main-1+main-2", "verdict", "forbidden-drop"),
        ("toy-maintenance-drop", "main-1+main-2", "dropped_it_w", 0),
    ],
)
def test_every_figure_of_the_failure_table_is_checked(
    name: str, element: str, key: str, value: object, copy_of: Callable[[str], Path]
) -> None:
    folder = copy_of(name)
    plan = _read(folder)
    entry = next(one for one in plan["failures"] if one["element"] == element)
    assert entry[key] != value
    entry[key] = value
    _write(folder, plan)
    details = {one.name: one.detail for one in verify(folder).failed()}
    assert element in details["failures"]


@pytest.mark.parametrize(
    ("name", "element"),
    [
        ("toy-unit-class", "b1/h1/l06/air-handler"),
        ("toy-leaf-planes", "b1/h1/leaf-02/leaf"),
        ("toy-maintenance-pair", "main-1+main-2"),
        ("toy-thermal-group", "fire"),
    ],
)
def test_a_failure_that_is_missing_or_that_cannot_happen_is_refused(
    name: str, element: str, copy_of: Callable[[str], Path]
) -> None:
    folder = copy_of(name)
    plan = _read(folder)
    entry = next(one for one in plan["failures"] if one["element"] == element)
    entry["element"] = "nobody"
    _write(folder, plan)
    details = {one.name: one.detail for one in verify(folder).failed()}
    assert f"{element} is missing" in details["failures"]
    assert "nobody cannot fail" in details["failures"]


@pytest.mark.parametrize("name", FEASIBLE)
def test_linear_loads_are_never_below_the_true_ones(name: str, run_of: Callable[[str], Path]) -> None:
    levels = verify(run_of(name)).levels
    assert {level.level for level in levels} >= {"meter"}
    for level in levels:
        smallest, middle, largest = _shares(level.everywhere) if level.everywhere is not None else (0.0, 0.0, 0.0)
        assert -1e-9 <= smallest <= middle <= largest
        if level.binding is not None:
            assert smallest <= level.binding.smallest <= level.binding.largest <= largest


def test_the_gap_of_a_level_by_hand(run_of: Callable[[str], Path]) -> None:
    """6 racks of 132 kW below a UPS of 10 MW that loses 5 % + 5 % at its plate: 871.2 kW linear; x = 0.0792, so

    792 + 10,000 · (0.05 · 0.0792 + 0.05 · 0.0792²) = 834.73632 kW are true: 4.3683 % less.
    """
    levels = {level.level: level for level in verify(run_of("toy-load-loss")).levels}
    feeder = levels["feeder"].everywhere
    assert feeder is not None
    assert feeder.n == 1
    assert feeder.median == pytest.approx(871.2 / 834.73632 - 1, rel=1e-9)
    assert levels["feeder"].binding is None
    assert _shares(levels["ups"].everywhere) == pytest.approx([0, 0, 0], abs=1e-12)


def _shares(spread: Spread | None) -> list[float]:
    assert spread is not None
    return [spread.smallest, spread.median, spread.largest]


def test_the_command_prints_the_levels(run_of: Callable[[str], Path]) -> None:
    folder = str(run_of("toy-load-loss"))
    said = CliRunner().invoke(command, [folder])
    assert said.exit_code == 0
    [line] = [line for line in said.output.splitlines() if " feeder " in line]
    assert line.split()[2:] == ["1", "nowhere", "4.37%,", "4.37%,", "4.37%", "(1)"]
    levels = json.loads(CliRunner().invoke(command, [folder, "--json"]).stdout)["levels"]
    [feeder] = [level for level in levels if level["level"] == "feeder"]
    assert feeder["binding"] is None
    assert feeder["everywhere"]["n"] == feeder["n_elements"] == 1
    assert feeder["everywhere"]["median"] == pytest.approx(0.0436829, abs=1e-7)


def test_a_linear_load_below_the_true_one_is_a_fault() -> None:
    gaps = Gaps("here")
    gaps.note("feeder", "feeder-1", 0, 100.0, 99.0, 100.0, "normal operation")
    gaps.note("feeder", "feeder-1", 0, 90.0, 80.0, 100.0, "the failure of main-1")
    gaps.note("feeder", "feeder-2", 0, 50.0, 40.0, 100.0, "normal operation")
    assert not gaps.faults
    [level] = gaps.levels()
    assert _shares(level.binding) == pytest.approx([1 / 99, 1 / 99, 1 / 99])
    assert _shares(level.everywhere) == pytest.approx([1 / 99, (1 / 99 + 0.25) / 2, 0.25])
    gaps.note("feeder", "feeder-2", 0, 50.0, 50.1, 100.0, "the failure of main-1")
    [fault] = gaps.faults
    assert "here:feeder-2 truly carries 50.1 W, above the linear 50.0 W, in the failure of main-1" in fault


def test_machinery_never_draws_more_than_in_proportion_to_its_heat() -> None:
    for law in (fan_factor, pump_factor):
        loads = [n / 1000 for n in range(1, 1001)]
        assert all(law(load) <= load for load in loads)
        assert law(1.0) == pytest.approx(1)
        assert all(law(b) > law(a) for a, b in pairwise(loads))


def test_a_bank_by_hand() -> None:
    """3 handlers of 100 kW, one of them spare, fans of 0.04 W for each watt of heat, 120 kW of heat.

    Two run at 0.6 of their flow: 0.04 · 200 kW · 0.6³ = 1,728 W. With two lost one runs, beyond its rating: 4,800 W.
    """
    fans = Part("air", 0.04, 1.0, 100_000.0, 3, 1, fan_factor, staged=False)
    assert fans.draw_w(120_000.0, 0) == pytest.approx(1_728)
    assert fans.draw_w(120_000.0, 1) == pytest.approx(1_728)
    assert fans.draw_w(120_000.0, 2) == pytest.approx(4_800)
    assert fans.draw_w(0.0, 0) == 0


def test_staged_chillers_by_hand() -> None:
    """Chillers of 1 MW at a COP of 4 that draw 0.1 + 0.9·x of full load at x: 1.5 MW run on two at 0.75.

    0.25 · 2 MW · (0.1 + 0.9 · 0.75) = 387.5 kW; 0.2 MW cycle one at half load: 0.25 · 0.2 MW · 0.55 / 0.5 = 55 kW.
    """
    hour = DesignHour(0.0, 0.0, 0.0, 0.25, (0.1, 0.9, 0.0))
    chillers = Part("chiller", 0.25, 1.0, 1e6, 4, 1, lambda load: load * hour.chiller_factor(load), staged=True)
    assert chillers.draw_w(1.5e6, 0) == pytest.approx(387_500)
    assert chillers.draw_w(0.2e6, 0) == pytest.approx(55_000)
    assert hour.worst_part_load == pytest.approx(1.1)
    assert hour.machinery_per_heat_watt == pytest.approx(0.275)


@pytest.mark.slow
def test_the_bundled_portfolio_is_accepted_and_its_mutations_refused(tmp_path: Path) -> None:
    """What holds for toys holds at scale: one walk of the whole portfolio, then cheap looks at changed plans."""
    folder = tmp_path / "run"
    request = RunRequest(folder, SolveOptions(time_limit_s=5.0))
    create_run(load_world("claude-on-azure-1gw"), request, lambda _: None)
    sound = Verification(folder, read_run(folder))
    assert Report(tuple(sound.checks())).ok
    plan = sound.run.plan

    lowered_bound = _changed(sound, bound=plan["bound"] - 1)
    assert not check_bound(lowered_bound.run.plan, plan["objective"], lowered_bound._bound_cents).ok

    one_more = _changed(sound, placements=[{**plan["placements"][0], "n_racks": 99}, *plan["placements"][1:]])
    assert not one_more._limit_check().ok

    nowhere = _changed(sound, placements=[*plan["placements"], {**plan["placements"][0], "row": "b9/h9/l99/r9"}])
    assert "does not exist" in {check.name: check.detail for check in nowhere.checks()}["placements"]

    file = folder / "inputs" / "portfolio.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    assert not check_hashes(folder, read_run(folder)).ok


def _changed(sound: Verification, **changes: Any) -> Verification:
    """The same run with a changed plan; what does not depend on the plan is shared."""
    changed = Verification(sound.directory, replace(sound.run, plan={**sound.run.plan, **changes}))
    for key in ("setting", "fits", "limits", "everything", "eligibility", "ledger", "side", "_power"):
        changed.__dict__[key] = sound.__dict__[key]
    return changed
