"""Batches of toys for tests, and functions that workers carry out in them."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from planner.batch.cells import Plan, plan_batch
from planner.batch.engine import Result, Wishes, locked, run_batch, write_plan
from planner.batch.file import BatchFile
from planner.batch.local import InlineExecutor, LocalExecutor
from planner.batch.outcome import ERROR, Failure, Outcome
from planner.batch.perform import guarded, perform
from planner.batch.store import Store
from sites.loading import load_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.batch.executor import Event, Executor, Job

MARK = b'"utilisation": 0.9'
TOYS = "toy-supply, toy-budget"
BATCH = """\
format: gigaplan-batch/1
name: toys
portfolios: [{portfolios}]
scenarios: {scenarios}
{more}
"""
SCENARIOS = """\
format: gigaplan-scenarios/1
title: Ours
scenarios:
  - name: cheap
    title: Rent is lower
    provenance: {{status: assumption, source: A test}}
    overrides: [{{path: 'portfolio.money.systems[*].rental', factor: {factor}}}]
  - name: slow
    title: Everything earns less
    provenance: {{status: assumption, source: A test}}
    overrides: [{{path: portfolio.money.utilisation, factor: 0.9}}]
"""


def batch_file(
    folder: Path, portfolios: str = TOYS, scenarios: str = "[base, cheap, slow]", more: str = "", factor: str = "0.8"
) -> Path:
    """A batch file beside scenarios of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scenarios.yaml").write_text(SCENARIOS.format(factor=factor), encoding="utf-8")
    more = f"scenario_files: [./scenarios.yaml]\n{more}"
    file = folder / "batch.yaml"
    file.write_text(BATCH.format(portfolios=portfolios, scenarios=scenarios, more=more), encoding="utf-8")
    return file


def planned(file: Path, out: Path) -> tuple[Store, Plan]:
    """The plan of a batch file in a folder."""
    store = Store(out)
    plan = plan_batch(load_document(file.read_bytes(), BatchFile, str(file)), store, verify=True)
    write_plan(out, plan)
    return store, plan


def run(
    file: Path,
    out: Path,
    n_workers: int = 0,
    wishes: Wishes | None = None,
    act: Callable[[Store, Job, Callable[[Event], None]], None] = perform,
) -> Result:
    """Run a batch file in a folder with so many workers; 0: in this process."""
    with locked(out):
        store, plan = planned(file, out)
        executor: Executor = (
            LocalExecutor(store, n_workers, None, act) if n_workers else InlineExecutor(store, act)
        )  # fmt: skip
        try:
            return run_batch(out, store, plan, wishes or Wishes(), executor, lambda _: None)
        finally:
            executor.close()


def tables(out: Path) -> dict[str, bytes]:
    """Every file of the results that must be the same whoever computed them."""
    files = [out / "summary.parquet", out / "summary.csv", *sorted((out / "results").rglob("*.parquet"))]
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in files}


def timings(out: Path) -> dict[str, bytes]:
    """When and by whom each result was computed; another computation would write others."""
    return {file.parent.name: file.read_bytes() for file in (out / "units").glob("[!.]*/timings.json")}


def is_marked(store: Store, job: Job, toy: bytes) -> bool:
    """Whether a job is the unit of a toy under `slow`."""
    contents = [file.content for task in job.tasks for file in store.inputs(task.inputs)]
    return any(MARK in content and toy in content for content in contents)


def harmful(store: Store, job: Job, tell: Callable[[Event], None]) -> None:
    """Takes more memory than it is allowed for one unit, as a test's only, and is killed over another."""
    if is_marked(store, job, b"toy-budget"):
        tell(guarded(job.tasks[0], partial(_eat, job.allowance_bytes + (4 << 30))))
    elif is_marked(store, job, b"toy-supply"):
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        perform(store, job, tell)


def _eat(n_bytes: int) -> None:
    taken = bytearray(n_bytes)
    taken[::4096] = b"x" * len(taken[::4096])


def without_room(store: Store, job: Job, tell: Callable[[Event], None]) -> None:
    """May write small files only while it works on one unit, as on a disk that is nearly full."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if is_marked(store, job, b"toy-budget"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))
    try:
        perform(store, job, tell)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def killed(store: Store, job: Job, tell: Callable[[Event], None]) -> None:
    """Is killed over one unit."""
    if is_marked(store, job, b"toy-budget"):
        os.kill(os.getpid(), signal.SIGKILL)
    perform(store, job, tell)


def attended(store: Store, job: Job, tell: Callable[[Event], None]) -> None:
    """Notes in `NOTED_IN` who carries out a job, once there are two who do; nothing is planned."""
    folder = Path(os.environ["NOTED_IN"])
    (folder / f"{job.tasks[0].key}.{os.getpid()}").write_text(job.place, encoding="utf-8")
    until_s = time.monotonic() + 60
    while len({file.suffix for file in folder.iterdir()}) < 2 and time.monotonic() < until_s:
        time.sleep(0.02)
    time.sleep(0.2)
    tell(Outcome(job.tasks[0].key, Failure(ERROR, "nothing was planned")))


def held(store: Store, job: Job, tell: Callable[[Event], None]) -> None:
    """Stays with one unit until it is killed, the first time; says by which process in `HELD_BY`."""
    note = Path(os.environ["HELD_BY"])
    if is_marked(store, job, b"toy-budget") and not note.exists():
        note.write_text(str(os.getpid()), encoding="utf-8")
        time.sleep(600)
    perform(store, job, tell)


def deadly_to_the_fifth(store: Store, job: Job, tell: Callable[[Event], None]) -> None:
    """Carries out a group whose fifth member ends the process."""
    del store
    for task in job.tasks:
        if task.settings.seed == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        tell(Outcome(task.key, None, 0.0))


def deadly_to_all(store: Store, job: Job, tell: Callable[[Event], None]) -> None:
    """Carries out a group that ends the process at once."""
    del store, job, tell
    os.kill(os.getpid(), signal.SIGKILL)
