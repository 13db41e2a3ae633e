"""Groups of samples: a member that ends its worker concerns nobody else, and names that would be taken twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from batch_cases import batch_file, deadly_to_all, deadly_to_the_fifth, run

from planner.batch.executor import Job
from planner.batch.local import LocalExecutor
from planner.batch.outcome import MEMORY, Outcome
from planner.batch.store import Store
from planner.batch.task import TOGETHER, Settings, Task
from sites.faults import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

N_MEMBERS = 11


def outcomes(act: Callable[..., None], folder: Path) -> dict[int, Outcome]:
    """By number of the member, what becomes of a group that two workers carry out."""
    tasks = tuple(Task((), Settings(seed=n), "none", TOGETHER, "all of them") for n in range(N_MEMBERS))
    executor = LocalExecutor(Store(folder), 2, None, act)
    executor.submit(Job(tasks, 1 << 20, 1 << 30, tasks))
    number, found = {task.key: n for n, task in enumerate(tasks)}, {}
    try:
        while len(found) < N_MEMBERS:
            event = executor.next_event(30.0)
            if isinstance(event, Outcome):
                assert number[event.key] not in found
                found[number[event.key]] = event
    finally:
        executor.close()
    return found


def test_a_member_that_ends_its_worker_concerns_no_other(tmp_path: Path) -> None:
    found = outcomes(deadly_to_the_fifth, tmp_path)
    failed = {number: one.failure for number, one in found.items() if one.failure is not None}
    assert list(failed) == [4]
    assert failed[4] is not None
    assert failed[4].kind == MEMORY


def test_a_group_that_ends_every_worker_is_given_up(tmp_path: Path) -> None:
    found = outcomes(deadly_to_all, tmp_path)
    assert all(one.failure is not None and one.failure.kind == MEMORY for one in found.values())


SAMPLED = """\
combination: sampled
samples:
  n: 2
  seed: 1
  draws:
    - {name: rent, paths: ["portfolio.money.utilisation"], change: factor, uniform: [0.8, 0.9],
       provenance: {status: assumption, source: A test}}
"""


def test_a_scenario_may_not_be_named_as_a_sample_is(tmp_path: Path) -> None:
    file = batch_file(tmp_path, portfolios="toy-supply", scenarios="[base, base-sample-000001]", more=SAMPLED)
    text = (tmp_path / "scenarios.yaml").read_text(encoding="utf-8").replace("cheap", "base-sample-000001")
    (tmp_path / "scenarios.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"base-sample-000001.*rename"):
        run(file, tmp_path / "out")
