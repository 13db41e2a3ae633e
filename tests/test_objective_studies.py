"""Objectives that several solves answer: brute force on toys, and what their certificates prove."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from run_cases import lowered_of, world_of
from test_objectives import OPTIONS, failed, run_with, world_with

from planner.cli.main import main
from planner.errors import InfeasibleError
from planner.lower import lower
from planner.objectives.earliest import earliest
from planner.objectives.floored import floored
from planner.objectives.measuring import Measuring
from planner.objectives.pareto import pareto
from planner.objectives.scales import proven_usd, whole_weights
from planner.objectives.study import Study
from planner.problem import Plan
from planner.side.decide import best_decisions
from planner.solve.feasible import holds
from planner.solve.value import objective_cents
from planner.verify import verify
from sites.faults import InputError
from sites.schema.objective import measure_of
from sites.yaml_edit import with_top_key

if TYPE_CHECKING:
    from pathlib import Path

    from sites.schema.objective import Measure
    from sites.world import World

NPV, RACKS, COST, TOKENS = (measure_of(text) for text in ("npv", "racks", "cost", "tokens"))


def npv_of(n: int) -> int:
    """Worth in USD of n racks of `toy-contract`: the market loses 21,160 on each, the contract adds up to 250,000."""
    return -21_160 * n + min(78_840 * n, 250_000)


def study(world: World, folder: Path) -> Study:
    return Study(world, folder, OPTIONS, lambda name, progress: None)


# --- one after the other


@pytest.mark.parametrize("share", ["0", "0.11", "0.5", "1"])
def test_the_second_is_the_best_of_all_plans_that_keep_enough_of_the_first(share: str, tmp_path: Path) -> None:
    run = run_with("toy-contract", f"{{lexicographic: [racks, npv], tolerance: {share}}}", tmp_path)
    least = 20 - Fraction(share) * 20
    best = max(npv_of(n) for n in range(21) if n >= least)
    aim = run.document["aim"]
    assert aim["values"]["npv"]["value"] == str(best)
    assert aim["first"] == {"measure": "racks", "best_found": "20", "at_most": "20"}
    assert aim["first_at_least"] == str(least)
    assert best <= Fraction(aim["second"]["at_most"])
    assert failed(run.folder) == []


def test_money_first_then_racks(tmp_path: Path) -> None:
    """Half of 173,040 USD may go: 7 racks still bring 101,880, 8 bring 80,720."""
    run = run_with("toy-contract", "{lexicographic: [npv, racks], tolerance: 0.5}", tmp_path)
    aim = run.document["aim"]
    assert Fraction(aim["values"]["npv"]["value"]) >= 86_520
    assert 4 <= int(aim["values"]["racks"]["value"]) <= 7 <= Fraction(aim["second"]["at_most"])
    assert failed(run.folder) == []


def test_a_changed_claim_is_refused(tmp_path: Path) -> None:
    run = run_with("toy-contract", "{lexicographic: [racks, npv], tolerance: 0.5}", tmp_path)
    first = (run.folder / "certificate-first.json").read_text()

    def refused(change: Any) -> list[str]:
        document = json.loads(json.dumps(run.document))
        change(document["aim"])
        (run.folder / "plan.json").write_text(json.dumps(document))
        return [check.name for check in verify(run.folder).failed()]

    assert refused(lambda aim: None) == []
    for change in (
        lambda aim: aim["first"].update(at_most="19"),
        lambda aim: aim["first"].update(best_found="16"),
        lambda aim: aim["second"].update(at_most="38399"),
        lambda aim: aim.update(first_at_least="11"),
        lambda aim: aim.update(form="weights"),
        lambda aim: aim.update(certificates=[]),
        lambda aim: aim["certificates"][0].update(bound=19),
        lambda aim: aim["certificates"][0].update(file="plan.json"),
        lambda aim: aim["certificates"][0].update(file="../certificate-first.json"),
        lambda aim: aim["weights"].update(npv="1/3"),
        lambda aim: aim["weights"].update(racks="-1"),
    ):
        assert refused(change), change
    (run.folder / "plan.json").write_text(json.dumps(run.document))
    (run.folder / "certificate-first.json").write_text(first.replace('"scale_bits": 30', '"scale_bits": 29'))
    assert failed(run.folder)


# --- cost for each token


def cheapest(world: World, least: Fraction) -> Fraction:
    """Least spent for each million tokens, over all whole racks and all amounts of work, by enumeration.

    More work on the same racks costs nothing more in the toys that are asked, so the most that racks can do counts.
    """
    lowered = lower(world)
    measuring, problem = Measuring(world, lowered), lowered.problem
    most_tokens = measuring.problem({TOKENS: Fraction(1)})
    shape = problem.period_value.shape
    best: list[Fraction] = []
    for counts in product(range(8), repeat=int(np.prod(shape))):
        plan = Plan(np.array(counts, np.int32).reshape(shape))
        if not holds(replace(problem, side=None), plan):
            continue
        decisions = best_decisions(most_tokens, plan.n_racks)
        assert decisions is not None
        worked = Plan(plan.n_racks, decisions.values)
        tokens = measuring.value(TOKENS, worked)
        if tokens >= least:
            best.append(-measuring.value(COST, worked) / tokens)
    return min(best)


@pytest.mark.parametrize("least", ["1e6", "20e9", "23.652e9"])
def test_cost_for_each_token_is_the_least_of_all_plans(least: str, tmp_path: Path) -> None:
    run = run_with("toy-work", f"{{cost_per_token: {{at_least: {least}}}}}", tmp_path)
    ratio = run.document["aim"]["usd_per_million_tokens"]
    expected = cheapest(world_with("toy-work", "npv", tmp_path), Fraction(least) / 10**6)
    assert Fraction(ratio["plan"]) == expected
    assert 0 <= expected - Fraction(ratio["at_least"]) < Fraction(1, 1000)
    assert [name for name in failed(run.folder) if not name.startswith(("cash", "terms"))] == []


def test_no_certificate_says_more_than_all_plans_do(tmp_path: Path) -> None:
    """27 billion tokens take the fourth rack, which has little to do: what is proven lies below what plans reach."""
    run = run_with("toy-work", "{cost_per_token: {at_least: 27e9}}", tmp_path)
    ratio = run.document["aim"]["usd_per_million_tokens"]
    assert Fraction(ratio["at_least"]) <= Fraction(ratio["plan"])
    assert Fraction(ratio["plan"]) == cheapest(world_with("toy-work", "npv", tmp_path), Fraction(27_000))


def test_more_tokens_than_anyone_asks_for_are_refused_with_proof(tmp_path: Path) -> None:
    with pytest.raises(InfeasibleError, match=r"27,594\.000 million tokens and no plan sells more"):
        run_with("toy-work", "{cost_per_token: {at_least: 28e9}}", tmp_path)


# --- earliest


def racks_over_time(tmp_path: Path, measure: str, target: int) -> dict[str, Any]:
    """3 racks in the first quarter, 5 in the second and third."""
    world = world_of("toy-supply")
    return earliest(study(world, tmp_path / "earliest"), measure_of(measure), Fraction(target))


@pytest.mark.parametrize(
    ("measure", "target", "reached", "not_before"),
    [
        ("racks", 3, "2027-Q1", "2027-Q1"),
        ("racks", 4, "2027-Q2", "2027-Q2"),
        ("gpus", 5 * 72, "2027-Q2", "2027-Q2"),
        ("meter-w", 600_000, "2027-Q2", "2027-Q2"),
        ("flops-fp8", 5 * 360, "2027-Q2", "2027-Q2"),
        ("racks", 6, None, None),
    ],
)
def test_the_first_quarter_that_reaches_is_found_and_proven(
    measure: str, target: int, reached: str | None, not_before: str | None, tmp_path: Path
) -> None:
    found = racks_over_time(tmp_path, measure, target)
    assert (found["reached_in"], found["not_before"], found["is_certain"]) == (reached, not_before, True)
    assert json.loads((tmp_path / "earliest" / "earliest.json").read_text()) == found
    for step in found["steps"]:
        assert (Fraction(step["value"]) >= target) is (step["outcome"] == "reached")
        assert (Fraction(step["at_most"]) < target) is (step["outcome"] == "impossible")


def test_every_step_is_a_run_that_is_accepted_and_kept(tmp_path: Path) -> None:
    found = racks_over_time(tmp_path, "racks", 4)
    assert all(failed(tmp_path / "earliest" / step["quarter"]) == [] for step in found["steps"])
    plans = {step["quarter"]: (tmp_path / "earliest" / step["quarter"] / "plan.json").stat() for step in found["steps"]}
    assert racks_over_time(tmp_path, "racks", 4) == found
    for quarter, known in plans.items():
        assert (tmp_path / "earliest" / quarter / "plan.json").stat().st_mtime_ns == known.st_mtime_ns


def test_earliest_as_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def end_of(*more: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["explain", "earliest", "toy-supply", "--out", str(tmp_path / "runs"), "--work-limit", "500", *more])
        return int(str(ended.value.code))

    assert end_of("--measure", "racks", "--target", "5") == 0
    assert "earliest: 2027-Q2, proven that none before reaches it" in capsys.readouterr().err
    assert end_of("--measure", "racks", "--target", "50") == 3
    assert "proven: no plan reaches it" in capsys.readouterr().err
    assert end_of("--measure", "npv", "--target", "50") == 2
    assert end_of("--target", "50") == 2
    assert "name --measure" in capsys.readouterr().err


# --- the front


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("front")
    return folder, pareto(study(world_of("toy-contract"), folder), (RACKS, NPV), 7)


def test_points_of_the_front_are_best_of_all_plans(front: tuple[Path, dict[str, Any]]) -> None:
    """Between 4 and 20 racks the front is one straight line, so that floors find its points."""
    _, found = front
    points = [one for one in found["points"] if one["on_front"]]
    assert found["measures"] == ["npv", "racks"]
    assert len(points) >= 7
    assert {one["kind"] for one in points} == {"end", "weights", "floor"}
    assert all(one["npv"] == npv_of(int(one["racks"])) for one in points)
    assert (points[0]["racks"], points[-1]["racks"]) == (3, 20)


def test_no_plan_exceeds_the_lines_that_certificates_prove(front: tuple[Path, dict[str, Any]]) -> None:
    _, found = front
    assert len(found["lines"]) == len(found["points"])
    for line in found["lines"]:
        least = Fraction(line["racks_at_least"] or 0)
        weights = {measure: Fraction(weight) for measure, weight in line["weights"].items()}
        for n in range(21):
            if n >= least:
                assert weights["npv"] * npv_of(n) + weights["racks"] * n <= Fraction(line["at_most_usd"])


def test_the_front_lies_in_files_and_goes_on_where_it_stopped(front: tuple[Path, dict[str, Any]]) -> None:
    folder, found = front
    with (folder / "front.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(found["points"])
    assert (folder / "front.svg").read_text().count("<svg") == 1
    assert json.loads((folder / "front.json").read_text()) == found
    times = {path: path.stat().st_mtime_ns for path in folder.glob("*/plan.json")}
    assert pareto(study(world_of("toy-contract"), folder), (NPV, RACKS), 7) == found
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*/plan.json")} == times


def test_points_of_the_front_are_accepted(front: tuple[Path, dict[str, Any]]) -> None:
    folder, found = front
    for kind in ("end", "weights", "floor"):
        name = next(one["point"] for one in found["points"] if one["kind"] == kind)
        assert [fault for fault in failed(folder / name) if not fault.startswith("terms")] == []


def test_fronts_of_measures_that_cannot_be_taken_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no workload of the portfolio counts tokens"):
        pareto(study(world_of("toy-contract"), tmp_path), (NPV, TOKENS), 3)


def test_pareto_as_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def end_of(*more: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["pareto", "toy-contract", "--out", str(tmp_path / "runs"), "--work-limit", "500", *more])
        return int(str(ended.value.code))

    assert end_of("--of", "npv,gpus", "--points", "3") == 0
    assert "the front of npv and gpus" in capsys.readouterr().out
    assert end_of("--of", "npv") == 2
    assert end_of("--of", "npv,npv") == 2
    assert end_of("--of", "npv,rack") == 2
    assert "did you mean 'racks'?" in capsys.readouterr().err


# --- pieces


def test_whole_weights_round_nothing_and_keep_proportions() -> None:
    measuring = Measuring(world_of("toy-contract"), lowered_of("toy-contract"))
    wanted: dict[Measure, Fraction] = {NPV: Fraction(1, 7), RACKS: Fraction(123_456, 11)}
    found = whole_weights(wanted)
    assert abs(found[RACKS] / found[NPV] / (wanted[RACKS] / wanted[NPV]) - 1) < Fraction(1, 100)
    problem = measuring.problem(found)
    for n in (0, 3, 4, 17):
        plan = Plan(np.full((1, 1, 1), n, np.int32))
        exact = sum(weight * measuring.value(measure, plan) for measure, weight in found.items())
        assert proven_usd(objective_cents(problem, plan), found) == exact


def test_a_floor_makes_each_unit_short_cost_its_price() -> None:
    measuring = Measuring(world_of("toy-contract"), lowered_of("toy-contract"))
    problem = measuring.problem({NPV: Fraction(1)})
    asked = floored(problem, measuring.coefficients(RACKS), Fraction(19, 2), 70_000)
    for n in range(21):
        plan = Plan(np.full((1, 1, 1), n, np.int32))
        assert objective_cents(asked, plan) == objective_cents(problem, plan) - 70_000 * max(0, 10 - n)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nkey:\n  b: 1\n# c\nd: 2\n", {"a": 1, "key": {"n": 1}, "d": 2}),
        ("a: 1\nkey: b # c\nd: 2", {"a": 1, "key": {"n": 1}, "d": 2}),
        ("a: 1", {"a": 1, "key": {"n": 1}}),
        ("{a: 1, b: {c: 2}}\n", {"a": 1, "b": {"c": 2}, "key": {"n": 1}}),
        ('{"key": {"b": 1},\n"a": 1}', {"key": {"n": 1}, "a": 1}),
        ("---\na: 1\n...\n", {"a": 1, "key": {"n": 1}}),
        ("key:\n- 1\n- 2\nd: 2\n", {"key": {"n": 1}, "d": 2}),
    ],
)
def test_a_key_of_a_file_is_exchanged_or_added_and_the_rest_stays(text: str, expected: dict[str, Any]) -> None:
    import yaml

    changed = with_top_key(text.encode(), "key", '{"n": 1}').decode()
    assert yaml.safe_load(changed) == expected
    assert changed.count("key") == 1
