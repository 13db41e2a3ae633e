"""The checker accepts what the planner writes and refuses every mutation of it, over all toys."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
from toy_cases import toy_cases

from planner.lower import lower
from planner.problem import INACTIVE
from planner.run.create import RunRequest, create_run
from planner.solve.options import SolveOptions
from planner.verify import verify
from planner.verify.check import Verification
from planner.verify.flow import Flow, RoundedUp
from planner.verify.inputs import check_hashes, read_run
from planner.verify.power import _scaled, epochs_of
from planner.verify.report import Report
from sites.world import input_hash, load_world, load_world_from_inputs

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


def _rehash(folder: Path) -> None:
    """Make the manifest fit the changed inputs, as a careful forger would."""
    manifest = _read(folder, "manifest.json")
    for entry in manifest["inputs"]:
        entry["sha256"] = hashlib.sha256((folder / "inputs" / entry["name"]).read_bytes()).hexdigest()
    manifest["input_hash"] = input_hash(load_world_from_inputs(folder / "inputs"))
    _write(folder, manifest, "manifest.json")


@pytest.mark.parametrize("name", FEASIBLE)
def test_every_toy_is_accepted(name: str, run_of: Callable[[str], Path]) -> None:
    report = verify(run_of(name))
    assert report.ok, report.failed()
    assert {check.name for check in report.checks} == {
        "inputs", "form", "tables", "placements", "eligibility", "growth", "blocks", "units", "limits", "power",
        "failures", "totals", "money", "binding", "ineligible", "objective", "bound", "nonlinear chain",
        "plant at its hour",
    }  # fmt: skip


@pytest.mark.parametrize("name", FEASIBLE)
def test_a_bound_lowered_by_one_cent_is_refused(name: str, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of(name)
    plan = _read(folder)
    plan["bound"] -= 1
    _write(folder, plan)
    assert _failed(verify(folder)) == {"bound"}


@pytest.mark.parametrize("name", FEASIBLE)
def test_an_objective_raised_by_one_cent_is_refused(name: str, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of(name)
    plan = _read(folder)
    plan["objective"] += 1
    _write(folder, plan)
    assert _failed(verify(folder)) == {"objective", "money"}


@pytest.mark.parametrize("name", FEASIBLE)
def test_a_rack_too_many_no_longer_reconciles(name: str, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of(name)
    plan = _read(folder)
    if not plan["placements"]:
        pytest.skip("the best plan of this toy is empty")
    plan["placements"][-1]["n_racks"] += 1
    _write_placements(folder, plan)
    assert {"totals", "objective"} <= _failed(verify(folder))


@pytest.mark.parametrize("name", [name for name in FEASIBLE if CASES[name].binding])
def test_a_rack_too_many_breaks_the_limit_that_binds(name: str, copy_of: Callable[[str], Path]) -> None:
    """Where a limit of the toy's answer leaves no room for one more rack, adding it is refused by that limit."""
    folder = copy_of(name)
    plan = _read(folder)
    verification = Verification(folder, read_run(folder))
    names = _limit_names(verification)
    for pattern in CASES[name].binding:
        for limit in filter(lambda one, pattern=pattern: fnmatchcase(one, pattern), names):
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
    names = verification.everything.joint_names()
    for site, limits in verification.limits.items():
        names += [":".join([site, *(part for part in parts if part)]) for parts in limits.names()]
        elements = [limits.walker.network.names[e] for e in limits.walker.network.elements]
        names += [f"{site}:power:{element}" for element in elements]
        names += [f"{site}:power:{e}:{f}" for e in elements for f in elements if e != f]
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
    """The service of every site falls to a watt; with hashes made to fit, the meter limit breaks."""
    folder = copy_of(name)
    for file in (folder / "inputs" / "sites").iterdir():
        site = yaml.safe_load(file.read_text(encoding="utf-8"))
        for step in site["service"]["steps"]:
            step["capacity"] = "1 W"
        file.write_text(yaml.safe_dump(site, sort_keys=False), encoding="utf-8")
    assert "inputs" in _failed(verify(folder))
    _rehash(folder)
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
    _rehash(folder)
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
    for r, full in enumerate(problem.row_names):
        site, _, row = full.partition(":")
        for k, configuration in enumerate(problem.configuration_names):
            first = verification.eligibility[site].first_period(row, configuration)
            assert (problem.n_periods if first is None else first) == problem.first_period[r, k]
            price = verification.ledger.site_prices[site]
            for t in range(problem.n_periods):
                money = verification.ledger.money
                assert money.period_value(configuration, t, price) == problem.period_value[r, k, t]
                assert money.contract_revenue(configuration, t) == problem.contract_revenue[r, k, t]
                system = problem.system_of_configuration_idx[k]
                assert money.start_value(problem.system_names[system], t, price) == problem.start_value[r, system, t]


@pytest.mark.parametrize("name", FEASIBLE)
def test_rounded_flows_never_fall_below_the_published_rule(name: str, run_of: Callable[[str], Path]) -> None:
    """The quick integers that clear most limits are bounds from above: for every element, failure and period."""
    folder = run_of(name)
    verification = Verification(folder, read_run(folder))
    for site, standing in verification.standing.items():
        for draws in epochs_of(standing):
            network, wiring = draws.walker.network, draws.wiring
            loads = {node: _scaled(draws.draw_w(node)) for node in draws.loads()}
            flow = Flow(network, wiring, loads, RoundedUp(network), len(draws.rows))
            outputs = {None: {e: flow.output[e] for e in network.elements if e not in wiring.dead}}
            for failed in outputs[None]:
                outage = draws.walker.outage(draws.epoch, failed)
                silenced = {node: _scaled(watts) for node, watts in draws.silenced(outage).items()}
                outputs[failed] = flow.after(outage, silenced)
            _assert_above(site, verification, draws, outputs)


def _assert_above(site: str, verification: Verification, draws: Any, outputs: Any) -> None:
    network, standing = draws.walker.network, verification.standing[site]
    for failed, of_elements in outputs.items():
        for element, output in of_elements.items():
            for at, t in enumerate(draws.periods):
                detail = None if failed is None else network.names[failed]
                terms = standing.limits.terms("power", network.names[element], detail, standing.periods[t])
                assert terms is not None
                rule = standing.load(terms.rows, t) + (network.rating_w[element] << 20) - terms.capacity
                room = 1 + sum(sum(kinds.values()) for kinds in draws.rows[at].values())
                assert rule <= (output[at] >> 12) + 1 + room
                assert (output[at] >> 12) <= rule + 1


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
    assert not lowered_bound._bound_check(plan["objective"]).ok

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
    for key in ("setting", "limits", "everything", "eligibility", "ledger", "_power"):
        changed.__dict__[key] = sound.__dict__[key]
    return changed
