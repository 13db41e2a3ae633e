"""Batches on a Dask cluster: the same bytes, whichever workers die; workers that do not fit are refused by name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from batch_cases import batch_file, held, killed, planned, run, tables

from planner.batch import dask_executor, dask_worker
from planner.batch.dask_executor import MOST_LOSSES, DaskExecutor
from planner.batch.engine import Result, Wishes, locked, run_batch
from planner.batch.executor import Job, LostError
from planner.batch.outcome import Outcome
from planner.batch.perform import perform
from planner.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from planner.batch.progress import Progress

ROOT = Path(__file__).parent.parent
SAMPLES = """combination: sampled
samples:
  n: 4
  together: 4
  draws:
    - name: use
      paths: [portfolio.money.utilisation]
      change: factor
      uniform: [0.5, 1]
      provenance: {status: assumption, source: A test}
"""


@dataclass
class Cluster:
    """A scheduler and two workers, each with the nanny that starts it again, on this machine."""

    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.folder / "scheduler.json"

    @property
    def note(self) -> Path:
        """Where `held` says which process holds a unit."""
        return self.folder / "held-by"

    def start(self, *words: str) -> None:
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        environment = os.environ | {"PYTHONPATH": path, "HELD_BY": str(self.note)}
        command = [sys.executable, "-m", "dask", *words, "--scheduler-file", str(self.file), "--no-dashboard"]
        log = (self.folder / f"log-{len(self.processes)}.txt").open("wb")
        self.processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=self.folder))

    def end(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    made.start("scheduler", "--host", "127.0.0.1", "--port", "0")
    for _ in range(2):
        made.start("worker", "--nthreads", "1", "--memory-limit", "2GiB", "--local-directory", str(tmp_path))
    yield made
    made.end()


def on_cluster(
    address: Path | str, file: Path, out: Path, act: Any = perform,
    show: Callable[[Progress], None] = lambda _: None, wishes: Wishes | None = None,
) -> tuple[Result, list[str]]:  # fmt: skip
    """Run a batch on a cluster, and what was said of its workers."""
    said: list[str] = []
    with locked(out):
        store, plan = planned(file, out)
        executor = DaskExecutor(store, str(address), act, said.append)
        try:
            return run_batch(out, store, plan, wishes or Wishes(), executor, show), said
        finally:
            executor.close()


def kill_holder(note: Path) -> Callable[[Progress], None]:
    """Kills the worker that holds a unit, once others are done."""

    def act(progress: Progress) -> None:
        if progress.n_done >= 2 and note.exists() and (holder := note.read_text(encoding="utf-8")) != "gone":
            os.kill(int(holder), signal.SIGKILL)
            note.write_text("gone", encoding="utf-8")

    return act


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes_whatever_dies(cluster: Cluster, tmp_path: Path) -> None:
    """A worker is killed in the middle of a unit; a unit kills every worker that it gets; the scheduler goes away."""
    file = batch_file(tmp_path)
    assert run(file, tmp_path / "one-by-one").n_computed == 6
    expected = tables(tmp_path / "one-by-one")
    until_s = time.monotonic() + 120
    while not cluster.file.exists() and time.monotonic() < until_s:
        time.sleep(0.1)

    result, said = on_cluster(cluster.file, file, tmp_path / "lost", held, kill_holder(cluster.note))
    assert (result.n_computed, result.n_failed, result.lost) == (6, 0, None)
    assert cluster.note.read_text(encoding="utf-8") == "gone"
    assert sum("was lost" in one and "tried again" in one for one in said) == 1
    assert tables(tmp_path / "lost") == expected
    assert not list((tmp_path / "lost").rglob("*.partial"))

    result, said = on_cluster(cluster.file, file, tmp_path / "poison", killed)
    assert (result.n_computed, result.n_failed, result.lost) == (5, 1, None)
    [row] = [row for row in result.rows if row["status"] == "failed"]
    assert (row["site"], row["scenario"], row["reason_kind"]) == ("toy-budget", "slow", "killed")
    assert f"the {MOST_LOSSES} workers that it was given to were lost" in row["reason"]
    others = {name: content for name, content in tables(tmp_path / "poison").items() if "scenario=base" in name}
    assert others.items() <= expected.items()

    def end_scheduler(progress: Progress) -> None:
        if progress.n_done == 1:
            cluster.processes[0].kill()

    result, _ = on_cluster(cluster.file, file, tmp_path / "gone", show=end_scheduler)
    assert result.lost is not None
    assert "the scheduler at" in result.lost
    assert 1 <= result.n_computed < 6
    resumed = run(file, tmp_path / "gone")
    assert (resumed.n_there, resumed.n_computed) == (result.n_computed, 6 - result.n_computed)
    assert tables(tmp_path / "gone") == expected


@contextmanager
def one_worker(**options: Any) -> Iterator[str]:
    """A scheduler with a worker of one thread in this process."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, worker_dashboard_address=None,
        **options,
    ) as made:  # fmt: skip
        yield made.scheduler_address


def test_a_worker_with_other_code_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_executor, "_SETTLE_S", 0.1)
    monkeypatch.setattr(dask_worker, "code_digest", lambda: "0" * 64)
    with one_worker() as address:
        result, said = on_cluster(address, batch_file(tmp_path), tmp_path / "out")
    assert result.lost is not None
    assert "no worker of" in result.lost
    assert "other code (digest 000000000000" in result.lost
    assert any(one.startswith("worker inproc://") and "is not used: it runs other code" in one for one in said)
    assert result.n_left == 6


def test_a_gpu_worker_whose_gpu_does_not_run_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_executor, "_SETTLE_S", 0.1)
    monkeypatch.setattr("kernels.backends.why_not_auto", lambda name: "no device" if name == "cuda" else None)
    with one_worker(resources={"GPU": 1}) as address:
        result, _ = on_cluster(address, batch_file(tmp_path), tmp_path / "out")
    assert result.lost is not None
    assert "started with GPU resources, and the backend cuda does not run there: no device" in result.lost


def test_units_that_suit_no_worker_are_set_aside_and_the_others_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_executor, "_SETTLE_S", 0.1)
    monkeypatch.setattr("kernels.backends.why_not", lambda name: None if name == "numpy" else "not here")
    file = batch_file(tmp_path, "toy-supply", "[base]", "settings: [{name: a}, {name: b, backend: cuda}]")
    with one_worker(memory_limit="1GiB") as address:
        result, _ = on_cluster(address, file, tmp_path / "out")
        reasons = {row["settings"]: row["reason"] for row in result.rows}
        assert (result.n_computed, reasons["a"]) == (1, None)
        assert "the backend cuda runs on no worker" in reasons["b"]
        small = batch_file(tmp_path, "toy-budget", "[base]")
        with monkeypatch.context() as patch:
            patch.setattr(dask_worker, "_memory_bytes", lambda limit: 1 << 20)
            result, _ = on_cluster(address, small, tmp_path / "small")
    [row] = result.rows
    assert (row["status"], row["reason_kind"]) == ("failed", "memory")
    assert "the largest worker has 0.0 GiB" in row["reason"]


def test_of_units_solved_together_only_the_cause_is_given_up(tmp_path: Path) -> None:
    """A job of several units that has cost its workers is halved, until the one that costs them is alone."""
    store, plan = planned(batch_file(tmp_path, "toy-supply", "[base, slow]"), tmp_path / "out")
    first, second = plan.tasks.values()
    job = Job((first, second), max(plan.predicted_bytes.values()), 0)
    lost = tuple(f"tcp://nowhere:{number}" for number in range(MOST_LOSSES))
    with one_worker() as address:
        executor = DaskExecutor(store, address, perform, lambda _: None)
        try:
            executor._try_again(dask_executor._Try(job, lost))
            executor._try_again(dask_executor._Try(replace(job, tasks=(first,)), lost))
            outcomes: list[Outcome] = []
            until_s = time.monotonic() + 120
            while len(outcomes) < 3 and time.monotonic() < until_s:
                event = executor.next_event(0.5)
                outcomes += [event] if isinstance(event, Outcome) else []
        finally:
            executor.close()
    assert outcomes[0].key == first.key
    assert outcomes[0].failure is not None
    assert outcomes[0].failure.kind == "killed"
    assert {(one.key, one.failure) for one in outcomes[1:]} == {(first.key, None), (second.key, None)}


def test_samples_solved_together_come_back_as_they_are_here(tmp_path: Path) -> None:
    file = batch_file(tmp_path, "toy-supply", "[base]", SAMPLES)
    run(file, tmp_path / "here")
    with one_worker() as address:
        result, _ = on_cluster(address, file, tmp_path / "there")
    assert {row["method"] for row in result.rows} == {"together"}
    assert result.n_computed == 4
    assert tables(tmp_path / "there") == tables(tmp_path / "here")


def test_a_worker_that_is_closed_on_purpose_incriminates_nobody(tmp_path: Path) -> None:
    """As at the end of a worker's lifetime: however often that happens, the job is only begun again."""
    store, plan = planned(batch_file(tmp_path, "toy-supply", "[base]"), tmp_path / "out")
    [key] = plan.tasks
    said: list[str] = []
    n_closed, outcome = 0, None
    with one_worker() as address:
        executor = DaskExecutor(store, address, perform, said.append)
        executor.submit(Job((plan.tasks[key],), plan.predicted_bytes[key], 0))
        try:
            until_s = time.monotonic() + 120
            while outcome is None and time.monotonic() < until_s:
                event = executor.next_event(0.2)
                outcome = event if isinstance(event, Outcome) else None
                [worker] = executor._client.scheduler_info()["workers"]
                if n_closed <= MOST_LOSSES and any(one.attempt for one in executor._running.values()):
                    executor._messages.put((None, {"action": "remove-worker", "worker": worker, "expected": True}))
                    n_closed += 1
        finally:
            executor.close()
    assert n_closed > MOST_LOSSES
    assert outcome == replace(outcome or Outcome(""), key=key, failure=None)
    assert not said
    assert store.has(key)


def test_what_a_cluster_needs_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ended(*options: str) -> tuple[Any, str]:
        with pytest.raises(SystemExit) as stop:
            main(["batch", str(batch_file(tmp_path)), "--out", str(tmp_path / "out"), *options])
        return stop.value.code, capsys.readouterr().err

    code, told = ended("--scheduler", "tcp://127.0.0.1:1", "--workers", "2")
    assert code == 2
    assert "leave one of --workers and --scheduler out" in told
    monkeypatch.setattr("planner.batch.dask_cluster._CONNECT_S", 0.5)
    code, told = ended("--scheduler", "tcp://127.0.0.1:1")
    assert code == 2
    assert "no scheduler answers at tcp://127.0.0.1:1" in told
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, told = ended("--scheduler", "tcp://127.0.0.1:1")
    assert code == 2
    assert "pip install 'gigaplan[cluster]'" in told
    with pytest.raises(LostError):
        DaskExecutor(planned(batch_file(tmp_path), tmp_path / "out")[0], "tcp://127.0.0.1:1", perform, print)
