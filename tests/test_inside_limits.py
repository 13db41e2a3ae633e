"""Multipliers of limits inside a block, one for each system: read strictly, tighter, and never below a plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from solve_cases import FULL_SIZE, proof_of, random_certificate, random_problem
from toy_cases import toy_cases

from planner.export import highs_optimum
from planner.run.create import RunRequest, create_run
from planner.solve.certificate import bound_cents
from planner.solve.options import SolveOptions
from planner.solve.patterns import limits_inside_blocks, row_patterns
from planner.verify import verify
from planner.verify.check import Verification
from planner.verify.inputs import read_run
from sites.world import load_world

if TYPE_CHECKING:
    from pathlib import Path

TOY = "toy-scheme-distributed-4n3"
CASES = {case.name: case for case in toy_cases()}


def planned(name: str, folder: Path) -> Path:
    options = SolveOptions(work_limit=20_000)
    create_run(load_world(CASES[name].portfolio), RunRequest(folder, options), lambda _: None)
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return planned(TOY, tmp_path / "run")


def _certificate(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "certificate.json").read_text(encoding="utf-8"))
    return content


def _write(run: Path, content: dict[str, Any]) -> None:
    (run / "certificate.json").write_text(json.dumps(content), encoding="utf-8")


def _bound(run: Path) -> int:
    return Verification(run, read_run(run))._bound_cents()


def test_a_limit_lies_inside_the_block_of_all_its_rows() -> None:
    problem = random_problem(2, FULL_SIZE)
    found = limits_inside_blocks(problem)
    for limit in range(problem.n_limits):
        rows = problem.entry_row_idx[problem.limit_ptr[limit] : problem.limit_ptr[limit + 1]]
        blocks = {int(problem.block_of_row_idx[row]) for row in rows}
        assert found[limit] == (blocks.pop() if len(blocks) == 1 else -1)


@pytest.mark.parametrize("seed", range(10))
def test_any_multipliers_inside_blocks_prove_a_bound_above_the_optimum(seed: int) -> None:
    problem = random_problem(seed)
    optimum = highs_optimum(problem).objective_cents
    for bits in (4, 20, 40):
        assert bound_cents(problem, row_patterns(problem), random_certificate(problem, seed, bits)) >= optimum


@pytest.mark.parametrize("seed", range(10))
def test_forgetting_the_multipliers_inside_blocks_never_spoils_validity(seed: int) -> None:
    problem = random_problem(seed)
    patterns, proof = proof_of(problem)
    assert bound_cents(problem, patterns, proof) >= highs_optimum(problem).objective_cents
    for prices in proof.inside.values():
        assert (prices >= 0).all()


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ({f"{TOY}:power:nowhere": {"gb200-nvl72": {"2027-Q1": "5"}}}, "there is no limit"),
        ({f"{TOY}:leaf:b1/h1/leaf-01:ndr-400g": {"no-system": {"2027-Q1": "5"}}}, "systems of the portfolio"),
        ({f"{TOY}:leaf:b1/h1/leaf-01:ndr-400g": {"gb200-nvl72": {"2027-Q1": "-5"}}}, "a whole number"),
        ({f"{TOY}:leaf:b1/h1/leaf-01:ndr-400g": {"gb200-nvl72": {"1999-Q1": "5"}}}, "a decision period"),
        ([], "an object"),
    ],
)
def test_what_is_no_limit_inside_a_block_is_refused(inside: object, said: str, run: Path) -> None:
    _write(run, _certificate(run) | {"inside": inside, "trees": {}})
    details = {one.name: one.detail for one in verify(run).failed()}
    assert said in details["bound"]


def test_a_limit_over_two_blocks_is_none_inside_one(tmp_path: Path) -> None:
    folder = planned("toy-redundancy-ramps", tmp_path / "run")
    inside = {"*:supply:gb200-nvl72": {"gb200-nvl72": {"2027-Q1": "5"}}}
    _write(folder, _certificate(folder) | {"inside": inside, "trees": {}})
    details = {one.name: one.detail for one in verify(folder).failed()}
    assert "touches 2 blocks" in details["bound"]


def test_rows_that_never_hold_a_rack_count_in_no_block(tiny: Path, tmp_path: Path) -> None:
    """The other block of the building cannot be filled by us, so the spine lies inside the one that can."""
    folder = tmp_path / "run"
    create_run(load_world(tiny / "portfolio.yaml"), RunRequest(folder, SolveOptions(work_limit=2_000)), lambda _: None)
    certificate = _certificate(folder)
    assert "tiny:spine:b1/spine" in {**certificate["whole"], **certificate["inside"]}
    report = verify(folder)
    assert report.ok, report.failed()


def test_multipliers_inside_blocks_count_in_the_checker(run: Path) -> None:
    content = _certificate(run) | {"trees": {}}
    own, name = content["inside"], f"{TOY}:leaf:b1/h1/leaf-01:ndr-400g"
    _write(run, content)
    before = _bound(run)
    for price, same in (("0", True), (str(2**50), False)):
        _write(run, content | {"inside": own | {name: {"gb200-nvl72": {"2027-Q1": price}}}})
        assert (_bound(run) == before) == same


def test_draws_of_random_certificates_price_limits_inside_blocks() -> None:
    problem = random_problem(1)
    assert any(np.any(prices != 0) for prices in random_certificate(problem, 1, 20).inside.values())
