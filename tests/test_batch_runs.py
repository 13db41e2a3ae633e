"""Batches: keys, resuming, failures that concern nobody else, and results that are the same whoever computed them."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.dataset
import pytest
from batch_cases import attended, batch_file, harmful, planned, run, tables, timings, without_room

from planner.batch import task as task_module
from planner.batch.engine import Wishes, locked, run_batch
from planner.batch.local import InlineExecutor, LocalExecutor
from planner.batch.memory import UNKNOWN_BYTES, Predictions, allowance_bytes, predicted_bytes
from planner.batch.perform import alone, known_sites, perform
from planner.batch.progress import Progress, duration
from planner.batch.store import Store
from planner.cli.main import main
from sites import library
from sites.faults import InputError
from sites.scenarios.apply import Documents, for_site
from sites.scenarios.futures import BASE_FUTURE, load_futures
from sites.world import gather_files, world_of_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.batch.executor import Event, Job

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two toys under three scenarios, one after the other in this process."""
    folder = tmp_path_factory.mktemp("undisturbed")
    result = run(batch_file(folder), folder / "out")
    assert (result.n_computed, result.n_failed, result.is_whole) == (6, 0, True)
    return folder / "out"


def by_cell(out: Path) -> dict[tuple[str, str], dict[str, object]]:
    rows = pyarrow.dataset.dataset(out / "summary.parquet").to_table().to_pylist()
    return {(row["site"], row["scenario"]): row for row in rows}


def test_every_unit_is_planned_and_verified(undisturbed: Path) -> None:
    cells = by_cell(undisturbed)
    assert len(cells) == 6
    assert {row["status"] for row in cells.values()} == {"optimal"}
    assert all(row["verified"] for row in cells.values())
    answer = (library.FOLDER / "toys/toy-supply/README.md").read_text(encoding="utf-8")
    assert "5 racks" in answer or "five racks" in answer
    assert cells["toy-supply", "base"]["n_racks"] == 5
    assert cells["toy-supply", "slow"]["objective_cents"] < cells["toy-supply", "base"]["objective_cents"]


def test_results_open_as_a_partitioned_dataset(undisturbed: Path) -> None:
    found = pyarrow.dataset.dataset(undisturbed / "results", partitioning="hive").to_table().to_pylist()
    assert {row["scenario"] for row in found} == {"base", "cheap", "slow"}
    last = max(row["quarter"] for row in found if row["at_site"] == "toy-supply")
    [row] = [one for one in found if (one["at_site"], one["scenario"], one["quarter"]) == ("toy-supply", "base", last)]
    assert row["n_racks"] == sum(one["n_racks"] for one in row["racks"]) == 5
    assert row["n_gpus"] == 5 * 72
    assert 0 < row["it_w"] <= row["meter_w"]


def test_a_pool_gives_the_same_bytes(undisturbed: Path, tmp_path: Path) -> None:
    run(batch_file(tmp_path), tmp_path / "out", n_workers=2)
    assert tables(tmp_path / "out") == tables(undisturbed)


def test_units_come_place_by_place_the_largest_first(tmp_path: Path) -> None:
    store, plan = planned(batch_file(tmp_path), tmp_path / "out")
    of_site = {cell.key: cell.site for cell in plan.cells}
    plan.predicted_bytes.update({key: 2 if site == "toy-budget" else 1 for key, site in of_site.items()})
    taken: list[Job] = []

    def take(store: Store, job: Job, tell: Callable[[Event], None]) -> None:
        taken.append(job)
        perform(store, job, tell)

    run_batch(tmp_path / "out", store, plan, Wishes(), InlineExecutor(store, take), lambda _: None)
    assert [of_site[job.tasks[0].key] for job in taken] == ["toy-budget"] * 3 + ["toy-supply"] * 3
    assert len({job.place for job in taken}) == 2


def test_a_worker_stays_with_its_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTED_IN", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
    run(batch_file(tmp_path / "batch"), tmp_path / "batch/out", n_workers=2, act=attended)
    notes = sorted(tmp_path.glob("*.*"), key=lambda file: file.stat().st_mtime_ns)
    places: dict[str, list[str]] = {}
    for note in notes:
        places.setdefault(note.suffix, []).append(note.read_text(encoding="utf-8"))
    assert len(notes) == 6
    first, second = (own[:2] for own in places.values())
    assert len(set(first)) == len(set(second)) == 1
    assert first != second


def test_what_failed_leaves_no_site_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that ran out of memory half-way is made anew, as nobody knows what of it is whole."""
    store, plan = planned(batch_file(tmp_path), tmp_path / "out")
    task = plan.tasks[plan.cells[0].key]
    with monkeypatch.context() as patch:
        patch.setattr("planner.run.create.write_run", _out_of_memory)
        with pytest.raises(MemoryError):
            alone(store, task, lambda _: None)
    made = known_sites().n_made
    alone(store, task, lambda _: None)
    assert known_sites().n_made == made + 1


def _out_of_memory(*_: object) -> None:
    raise MemoryError


def test_a_second_run_computes_nothing_and_a_changed_scenario_only_its_units(undisturbed: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(undisturbed, tmp_path / "out"))
    before = timings(out)
    again = run(batch_file(tmp_path), out)
    assert (again.n_there, again.n_computed) == (6, 0)
    assert tables(out) == tables(undisturbed)
    changed = run(batch_file(tmp_path, factor="0.7"), out)
    assert (changed.n_there, changed.n_computed) == (4, 2)
    assert {key: timings(out)[key] for key in before} == before


def test_keys_depend_on_inputs_settings_and_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def keys(more: str = "", factor: str = "0.8") -> set[str]:
        return set(planned(batch_file(tmp_path, more=more, factor=factor), tmp_path / "out")[1].tasks)

    first = keys()
    assert keys() == first
    assert len(keys(factor="0.7") - first) == 2
    for settings in ("seed: 1", "work_limit: 9", "gap: 1 %", "gap: null", "backend: numpy"):
        assert not keys(f"settings: [{{{settings}}}]") & first
    monkeypatch.setattr(task_module, "_ROOT", tmp_path)
    task_module.code_digest.cache_clear()
    try:
        assert not keys() & first
    finally:
        task_module.code_digest.cache_clear()


def start(out: Path, file: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "planner.cli.main", "batch", str(file), "--out", str(out), "--workers", "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


def test_a_batch_killed_at_any_moment_goes_on_where_it_was(undisturbed: Path, tmp_path: Path) -> None:
    """Killed a random moment after some of its results were there; its workers die with it."""
    file, out, draw = batch_file(tmp_path), tmp_path / "out", random.Random()
    process = start(out, file)
    until_s = time.monotonic() + 120
    while len(timings(out)) < 2 and process.poll() is None and time.monotonic() < until_s:
        time.sleep(0.01)
    time.sleep(draw.random() * 0.5)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    time.sleep(0.1)
    done = timings(out)
    assert len(done) >= 2
    last = start(out, file)
    _, told = last.communicate(timeout=120)
    assert last.returncode == 0, told.decode()
    assert f"{len(done)} there before, {6 - len(done)} computed" in told.decode()
    assert {key: timings(out)[key] for key in done} == done
    assert tables(out) == tables(undisturbed)
    assert not list(out.rglob("*.partial"))


@pytest.fixture
def poisoned(tmp_path: Path) -> Path:
    """A portfolio of two sites, the second of which is bad data."""
    toy = library.FOLDER / "toys/toy-supply"
    text = (toy / "portfolio.yaml").read_text(encoding="utf-8")
    site = (toy / "site.yaml").read_text(encoding="utf-8")
    (tmp_path / "good.yaml").write_text(site.replace("name: toy-supply\n", "name: good\n"), encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(site.replace("name: toy-supply\n", "name: bad\nnonsense: 1\n"), encoding="utf-8")
    before, _, after = text.partition("sites:\n")
    rest = after[after.index("\nconfigurations:") :]
    source = "provenance: &toy {status: assumption, source: A test}"
    entries = f"  - {{site: ./good.yaml, {source}}}\n  - {{site: ./bad.yaml, provenance: *toy}}"
    (tmp_path / "portfolio.yaml").write_text(f"{before}sites:\n{entries}{rest}", encoding="utf-8")
    return tmp_path


def test_a_poisoned_site_concerns_nobody_else(poisoned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = batch_file(poisoned, portfolios="./portfolio.yaml", scenarios="[base, slow]")
    with pytest.raises(SystemExit) as ended:
        main(["batch", str(file), "--out", str(poisoned / "out"), "--workers", "0", "--json"])
    assert ended.value.code == 4
    found = json.loads(capsys.readouterr().out)
    status = {(row["site"], row["scenario"]): (row["status"], row["reason_kind"]) for row in found["cells"]}
    assert status == {
        ("good", "base"): ("optimal", None), ("bad", "base"): ("failed", "input"),
        ("good", "slow"): ("optimal", None), ("bad", "slow"): ("failed", "input"),
    }  # fmt: skip
    reasons = [row["reason"] for row in found["cells"] if row["site"] == "bad"]
    assert all("sites/bad.yaml:" in reason and "nonsense" in reason for reason in reasons)
    again = run(file, poisoned / "out")
    assert (again.n_computed, again.n_failed) == (0, 2)
    tried = run(file, poisoned / "out", wishes=Wishes(retry_failed=True))
    assert (tried.n_computed, tried.n_failed) == (0, 2)
    (poisoned / "bad.yaml").unlink()
    with pytest.raises(InputError, match=r"portfolio.yaml:\d+: .*no such file"):
        run(file, poisoned / "out")


def test_a_unit_that_takes_all_memory_or_is_killed_is_set_aside(undisturbed: Path, tmp_path: Path) -> None:
    file, out = batch_file(tmp_path, scenarios="[base, slow]"), tmp_path / "out"
    result = run(file, out, n_workers=1, act=harmful)
    assert (result.n_computed, result.n_failed) == (2, 2)
    failed = {row["site"]: row for row in result.rows if row["status"] == "failed"}
    assert {row["scenario"] for row in failed.values()} == {"slow"}
    assert {row["reason_kind"] for row in failed.values()} == {"memory"}
    assert "out of memory" in failed["toy-budget"]["reason"]
    assert "killed by signal 9" in failed["toy-supply"]["reason"]
    others = {name: content for name, content in tables(out).items() if name.startswith("results/scenario=base")}
    assert others
    assert others.items() <= tables(undisturbed).items()
    healed = run(batch_file(tmp_path), out, wishes=Wishes(retry_failed=True))
    assert (healed.n_there, healed.n_computed) == (2, 4)
    assert tables(out) == tables(undisturbed)


def test_a_full_disk_leaves_units_to_be_done_and_nothing_half_written(undisturbed: Path, tmp_path: Path) -> None:
    file, out = batch_file(tmp_path), tmp_path / "out"
    result = run(file, out, act=without_room)
    assert result.without_room is None or "too large" in result.without_room
    assert (result.n_computed, result.n_left) == (5, 1)
    assert not result.is_whole
    assert not list((out / "units").glob(".*"))
    assert len(list((out / "units").iterdir())) == 5
    assert run(file, out).n_computed == 1
    assert tables(out) == tables(undisturbed)


def test_memory_is_predicted_and_a_unit_too_large_is_not_begun(tmp_path: Path) -> None:
    assert predicted_bytes([1000, 1], 16) > predicted_bytes([1000], 16) > predicted_bytes([1000], 8)
    assert predicted_bytes([1000, 1000], 16) < 2 * predicted_bytes([1000], 16)
    small = Predictions().of(gather_files("toy-supply"))
    large = Predictions().of(gather_files("reference-1gw"))
    assert small < large
    assert small > 181 << 20, "measured when it was planned and verified"
    assert 861 << 20 < large < 2 * (861 << 20)
    result = run(batch_file(tmp_path), tmp_path / "out", wishes=Wishes(memory_bytes=small // 2))
    assert (result.n_computed, result.n_failed) == (0, 6)
    assert {row["reason_kind"] for row in result.rows} == {"memory"}
    assert allowance_bytes(small) > small


def test_predictions_know_how_many_quarters_there_are_and_forget_faults() -> None:
    files = gather_files("toy-supply")

    known = Predictions()

    def predicted(before: bytes, after: bytes) -> int:
        assert before in files[0].content
        return known.of((replace(files[0], content=files[0].content.replace(before, after)), *files[1:]))

    assert predicted(b"perspective: provider", b"perspective: nobody") == UNKNOWN_BYTES
    long, short = known.of(files), predicted(b"periods: 3", b"periods: 1")
    assert short < long < UNKNOWN_BYTES


def test_what_is_left_of_other_runs_gives_way(undisturbed: Path, tmp_path: Path) -> None:
    """A unit of which only a part is there is no result, and half-written tables go before the next run."""
    out = Path(shutil.copytree(undisturbed, tmp_path / "out"))
    (next((out / "units").iterdir()) / "summary.json").unlink()
    (out / ".results.x.partial").mkdir()
    (out / ".batch.json.x.partial").write_text("{", encoding="utf-8")
    Store(out).sweep()
    assert run(batch_file(tmp_path), out).n_computed == 1
    assert tables(out) == tables(undisturbed)
    assert not list(out.rglob("*.partial"))


def test_a_site_alone_keeps_its_own_openings(tmp_path: Path) -> None:
    toy, source = library.FOLDER / "toys/toy-opening-phases", "provenance: *toy"
    for name in ("near", "far"):
        text = (toy / "site.yaml").read_text(encoding="utf-8")
        text = text.replace("name: toy-opening-phases\n", f"name: {name}\n")
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    text = (toy / "portfolio.yaml").read_text(encoding="utf-8").replace("toy-opening-phases, b", "near, b")
    text = text.replace("site: toy-opening-phases", "site: near").replace("{site: site.yaml", "{site: ./near.yaml")
    text = text.replace("openings:", f"  - {{site: ./far.yaml, {source}}}\nopenings:")
    (tmp_path / "portfolio.yaml").write_text(text, encoding="utf-8")
    files = gather_files(tmp_path / "portfolio.yaml")
    near, far = (world_of_files(for_site(files, name)).portfolio for name in ("near", "far"))
    assert [one.name for one in near.openings] == ["first", "second", "third"]
    assert far.openings == ()


def test_one_batch_at_a_time_works_in_a_folder(tmp_path: Path) -> None:
    with locked(tmp_path / "out"), pytest.raises(InputError, match="another batch"), locked(tmp_path / "out"):
        pass
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="not of a batch"), locked(tmp_path):
        pass


def test_resuming_needs_no_file(undisturbed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = Path(shutil.copytree(undisturbed, tmp_path / "out"))
    shutil.rmtree(next((out / "units").iterdir()))
    with pytest.raises(SystemExit) as ended:
        main(["batch", "--resume", "--out", str(out), "--workers", "0"])
    assert ended.value.code == 0
    assert "5 there before, 1 computed" in capsys.readouterr().err
    assert tables(out) == tables(undisturbed)
    with pytest.raises(SystemExit) as ended:
        main(["batch", "--resume", "--out", str(tmp_path / "elsewhere")])
    assert ended.value.code == 2


SAMPLES = """combination: sampled
samples:
  n: {n}
  seed: 3
  together: {together}
  draws:
    - name: rent
      paths: ["portfolio.money.systems[*].rental"]
      change: factor
      triangular: [0.5, 1, 1.1]
      provenance: &source {{status: assumption, source: A test}}
    - name: use
      paths: [portfolio.money.utilisation]
      change: factor
      choice: [0.5, 1]
      weights: [1, 3]
      provenance: *source
"""


def test_samples_do_not_change_when_there_are_more_of_them(tmp_path: Path) -> None:
    def plan(n: int) -> list[tuple[str, str]]:
        file = batch_file(tmp_path, "toy-supply", "[base]", SAMPLES.format(n=n, together=0))
        _, found = planned(file, tmp_path / "out")
        return [(cell.scenario, cell.key) for cell in found.cells]

    few, many = plan(5), plan(12)
    assert many[:5] == few
    assert few[0][0] == "base-sample-000000"
    assert len({key for _, key in many}) == 12


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("portfolios: [toy-suply]", "did you mean 'toy-supply'"),
        ("portfolios: [toy-supply]\nscenarios: [expantion]", "did you mean 'expansion'"),
        ("portfolios: [toy-supply]\nsites: [nowhere]", "unknown site 'nowhere'"),
        ("portfolios: [toy-supply, toy-budget]\nsites: [toy-supply, toy-bugdet]", "unknown site 'toy-bugdet'.*budget"),
        ("portfolios: [toy-supply]\ncombination: list", "the key 'units' is missing"),
        ("portfolios: [toy-supply]\nunits: [{}]", "only the combination 'list'"),
        ("portfolios: [toy-supply, toy-supply]", "a second time"),
        ("portfolios: [toy-supply]\ncombination: list\nunits: [{scenario: bse}]", "unknown scenario 'bse'"),
        ("portfolios: [toy-supply]\nsettings: [{name: a}, {name: a}]", "needs a name of its own"),
    ],
)
def test_faulty_batch_files_are_refused(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "batch.yaml"
    file.write_text(f"format: gigaplan-batch/1\nname: x\n{text}\n", encoding="utf-8")
    with pytest.raises(InputError, match=told):
        run(file, tmp_path / "out")


def test_a_list_names_its_units(tmp_path: Path) -> None:
    units = "combination: list\nunits: [{site: toy-supply}, {portfolio: toy-budget, scenario: slow}]"
    _, plan = planned(batch_file(tmp_path, scenarios="all", more=units), tmp_path / "out")
    assert [(cell.portfolio, cell.site, cell.scenario) for cell in plan.cells] == [
        ("toy-supply", "toy-supply", "base"), ("toy-budget", "all", "slow"),
    ]  # fmt: skip


def test_progress_says_what_is_done_and_what_is_left() -> None:
    from planner.batch.outcome import Beat, Failure, Outcome

    now = iter([0.0, 30.0, 30.0, 30.0, 30.0])
    progress = Progress({"a": 3.0, "b": 1.0, "c": 2.0, "d": 4.0}, 2, lambda: next(now))
    progress.take(Outcome("a", None, 0.01))
    progress.take(Outcome("b", Failure("error", "x")))
    progress.take(Beat("cccccccccc", "search", 90_00, 100_00))
    assert progress.text() == (
        "done 1  there already 2  failed 1  left 2  about 45 s left  gap worst 1.00%, median 1.00%  "
        "now cccccccc search, bound $100.00, gap 10.00%"
    )
    assert [duration(s) for s in (5, 600, 7200)] == ["5 s", "10 min", "2.0 h"]


def test_a_worker_dies_with_its_parent(tmp_path: Path) -> None:
    store, plan = planned(batch_file(tmp_path, "toy-supply", "[base]"), tmp_path / "out")
    executor = LocalExecutor(store, 1, None, perform)
    executor.close()
    assert plan.cells
    assert executor.next_event(0.01) is None


def group_file(folder: Path, n: int, together: int = 4) -> Path:
    """Samples of a toy in groups; those of a group are solved together."""
    return batch_file(folder, "toy-supply", "[base]", SAMPLES.format(n=n, together=together))


def optima(out: Path) -> dict[str, tuple[object, object]]:
    """Worth and bound of each sample by scenario."""
    return {scenario: (row["objective_cents"], row["bound_cents"]) for (_, scenario), row in by_cell(out).items()}


def test_samples_solved_together_are_as_good_as_alone(tmp_path: Path) -> None:
    result = run(group_file(tmp_path, 4), tmp_path / "out")
    assert (result.n_computed, result.n_failed) == (4, 0)
    assert {row["method"] for row in result.rows} == {"together"}
    assert [row["verified"] for row in result.rows] == [n == 0 for n in range(4)]
    run(group_file(tmp_path / "alone", 4, together=0), tmp_path / "alone" / "out")
    alone = optima(tmp_path / "alone" / "out")
    for scenario, (worth, bound) in optima(tmp_path / "out").items():
        assert alone[scenario][0] == alone[scenario][1]
        assert worth == alone[scenario][0]
        assert bound >= alone[scenario][1]
    quarters = pyarrow.dataset.dataset(tmp_path / "out/results", partitioning="hive").to_table().to_pylist()
    of_alone = pyarrow.dataset.dataset(tmp_path / "alone/out/results", partitioning="hive").to_table().to_pylist()
    assert [row | {"key": ""} for row in quarters] == [row | {"key": ""} for row in of_alone]


def test_a_group_that_was_cut_off_ends_as_if_it_was_not(tmp_path: Path) -> None:
    """What is left of a group is learned from all of it; groups that are full stay when there are more samples."""
    file, out = group_file(tmp_path, 8), tmp_path / "out"
    run(file, out)
    whole, before = tables(out), timings(out)
    for key in sorted(before)[::3]:
        shutil.rmtree(out / "units" / key)
    again = run(file, out)
    assert (again.n_there, again.n_computed) == (5, 3)
    assert tables(out) == whole
    more = run(group_file(tmp_path, 12), out)
    assert (more.n_there, more.n_computed) == (8, 4)


def test_a_group_checks_every_number(tmp_path: Path) -> None:
    from dataclasses import replace

    from planner.batch.perform import RefusedError
    from planner.batch.together import require_exact
    from planner.lower import lower
    from planner.solve.batch import solve_batch
    from planner.solve.patterns import row_patterns
    from sites.world import load_world

    problem = lower(load_world("toy-supply")).problem
    [solution] = solve_batch(problem, [problem])
    require_exact(problem, solution, row_patterns(problem))
    more = replace(solution.plan, n_racks=solution.plan.n_racks + 1)
    for wrong in (
        replace(solution, objective=solution.objective + 1),
        replace(solution, bound=solution.bound - 1),
        replace(solution, plan=more),
    ):
        with pytest.raises(RefusedError):
            require_exact(problem, wrong, row_patterns(problem))


def test_nothing_is_added_to_a_site_that_cannot_be_read(tmp_path: Path) -> None:
    """Its unit then says what is wrong with the file, and not that everything but the addition is missing."""
    toy = library.FOLDER / "toys/toy-supply"
    shutil.copytree(toy, tmp_path / "toy")
    (tmp_path / "toy/site.yaml").write_text("name: [", encoding="utf-8")
    (tmp_path / "scenarios.yaml").write_text(
        "format: gigaplan-scenarios/1\ntitle: Ours\nscenarios:\n  - name: one\n    title: One\n"
        "    provenance: {status: assumption, source: A test}\n"
        "    overrides: [{path: 'sites[*].title', value: Another, where: present}]\n",
        encoding="utf-8",
    )
    files = gather_files(tmp_path / "toy/portfolio.yaml")
    documents, futures = Documents(files), load_futures(["./scenarios.yaml"], tmp_path)
    assert documents.under(BASE_FUTURE).files == documents.under(futures["one"]).files == files
