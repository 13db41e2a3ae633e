"""`gigaplan batch`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from planner.cli.exits import BAD_INPUT, INTERRUPTED, PART_FAILED, Ended
from planner.cli.screen import StatusLine, counted, put_json, put_table, say

if TYPE_CHECKING:
    from planner.batch.engine import Result
    from planner.batch.executor import Executor
    from planner.batch.file import BatchFile
    from planner.batch.progress import Progress
    from planner.batch.store import Store
    from sites.loading import Document

_BATCH_FORMAT = "gigaplan-batch/1"
_MOST_SHOWN = 40


@click.command("batch")
@click.argument("file", required=False)
@click.option("--scenarios", help="Names with commas between them, or 'all'.  [default: all of the library's 'deal']")
@click.option("--scenario-file", "scenario_files", multiple=True, help="In place of the library's; may be given again.")
@click.option("--sites", help="'each' for itself, 'all' jointly, or names with commas between them.  [default: each]")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the batch.  [default: runs/batch-NAME]")
@click.option("--workers", type=click.IntRange(min=0), help="Worker processes; 0: none.  [default: one for each core]")
@click.option(
    "--scheduler", metavar="ADDRESS", help="Use the workers of a Dask cluster: its address or scheduler file."
)
@click.option("--resume", is_flag=True, help="Go on with the batch in --out; FILE is not needed.")
@click.option("--retry-failed", is_flag=True, help="Try units again that have failed before.")
@click.option("--verify/--no-verify", default=True, show_default=True, help="Check every plan as 'verify' does.")
@click.option("--work-limit", type=click.IntRange(min=1), metavar="N", help="Search steps of a unit; for portfolios.")
@click.option("--gap", type=click.FloatRange(min=0), metavar="SHARE", help="Proven gap to stop at; for portfolios.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the search; for portfolios.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(
    file: str | None, scenarios: str | None, scenario_files: tuple[str, ...], sites: str | None, out: Path | None,
    workers: int | None, scheduler: str | None, resume: bool, retry_failed: bool, verify: bool, work_limit: int | None,
    gap: float | None, seed: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Plan sites × scenarios × settings: FILE is a batch file, or a portfolio as for `plan`.

    Every unit is keyed by all that it depends on. What is in the folder already is not computed again, whether the
    batch was ended by Ctrl-C, a kill, a power cut or a full disk. A unit that fails is set aside with its reason, and
    the others go on. Ends with 0 when every unit has its result, and with 4 when part of them failed.

    \b
    Examples:
      gigaplan batch my-batch.yaml --out runs/overnight
      gigaplan batch --resume --out runs/overnight
      gigaplan batch claude-on-azure-1gw --scenarios base,expansion,overcommitment --sites all
    """
    from planner.batch.engine import Wishes, locked, read_plan, run_batch, write_plan
    from planner.batch.memory import free_bytes
    from planner.batch.store import Store

    document = None if file is None else _document(
        file, {"scenarios": scenarios, "scenario_files": scenario_files, "sites": sites, "work_limit": work_limit,
               "gap": gap, "seed": seed}
    )  # fmt: skip
    if document is None and not (resume and out is not None):
        say("gigaplan: name a batch file or a portfolio, or go on with a batch: gigaplan batch --resume --out FOLDER")
        raise Ended(BAD_INPUT)
    folder = out if out is not None or document is None else Path("runs") / f"batch-{document.value.name}"
    assert folder is not None
    if resume and not (folder / "batch.json").is_file():
        say(f"{folder}: there is no batch to resume here; name its folder with --out, or leave --resume out")
        raise Ended(BAD_INPUT)
    if scheduler is not None and workers is not None:
        say(
            "gigaplan: --workers is for this machine, a cluster has its own; leave one of --workers and --scheduler out"
        )
        raise Ended(BAD_INPUT)
    with locked(folder):
        store = Store(folder)
        store.sweep()
        if document is None:
            plan = read_plan(folder)
        else:
            from planner.batch.cells import plan_batch

            say("resolving scenarios, keying units")
            line = _Line()
            plan = plan_batch(document, store, verify=verify, told=line.keyed)
            line.end()
            write_plan(folder, plan)
        executor = _executor(store, workers, scheduler)
        memory = free_bytes() if scheduler is None else None  # a cluster's executor looks at its workers' memory
        line = _Line()
        try:
            result = run_batch(folder, store, plan, Wishes(retry_failed, memory), executor, line)
        finally:
            executor.close()
            line.end()
        _write_report(folder)
    _report(result, folder, as_json=as_json)


def _document(file: str, given: dict[str, Any]) -> Document[BatchFile]:
    """The batch file, or one made of a portfolio and the options."""
    from planner.batch.file import BatchFile
    from sites.loading import document_format, load_document, read_bytes

    path = Path(file)
    if path.is_file():
        content = read_bytes(path)
        if document_format(content, file) == _BATCH_FORMAT:
            _refuse_options({key: value for key, value in given.items() if value not in (None, ())})
            return load_document(content, BatchFile, file)
    settings = {key: given[key] for key in ("work_limit", "gap", "seed") if given[key] is not None}
    made: dict[str, Any] = {
        "format": _BATCH_FORMAT, "name": path.stem or "batch", "portfolios": [file],
        "scenarios": _names(given["scenarios"], "all"), "sites": _names(given["sites"], "each", "all"),
        "settings": [{"name": "default", **settings}],
    }  # fmt: skip
    if given["scenario_files"]:
        made["scenario_files"] = list(given["scenario_files"])
    return load_document(json.dumps(made).encode(), BatchFile, "command line")


def _refuse_options(given: dict[str, Any]) -> None:
    """A batch file says all of this itself."""
    if given:
        options = {"scenario_files": "scenario-file"}
        names = ", ".join(f"--{options.get(key, key.replace('_', '-'))}" for key in given)
        say(f"gigaplan: {names}: this is for portfolios; a batch file says it itself, change it there")
        raise Ended(BAD_INPUT)


def _names(text: str | None, default: str, *words: str) -> str | list[str]:
    if text is None or text in {default, *words}:
        return text or default
    return [name.strip() for name in text.split(",") if name.strip()]


def _executor(store: Store, workers: int | None, scheduler: str | None) -> Executor:
    from planner.batch.local import InlineExecutor, LocalExecutor
    from planner.batch.memory import free_bytes
    from planner.batch.perform import perform
    from planner.run.manifest import n_usable_cores

    if scheduler is not None:
        return _cluster(store, scheduler)
    if workers == 0:
        return InlineExecutor(store, perform)
    return LocalExecutor(store, workers or n_usable_cores(), free_bytes(), perform)


def _cluster(store: Store, scheduler: str) -> Executor:
    from planner.batch.dask_executor import DaskExecutor
    from planner.batch.executor import LostError
    from planner.batch.perform import perform

    try:
        return DaskExecutor(store, scheduler, perform, say)
    except LostError as error:
        say(f"gigaplan: {error}")
        raise Ended(BAD_INPUT) from None


def _write_report(folder: Path) -> None:
    """The report of the whole; where there is no room for it, the results are there all the same."""
    from planner.batch.report.write import write_batch_report

    try:
        write_batch_report(folder)
    except OSError as error:
        say(f"gigaplan: the report could not be written ({error.strerror}); free some room, then: gigaplan report "
            f"{folder}")  # fmt: skip


class _Line:
    """Where a batch stands: one line on a terminal, and a line every few seconds elsewhere."""

    def __init__(self) -> None:
        self._line = StatusLine()
        self._shown_s, self._text = time.monotonic() - 9.0, ""

    def __call__(self, progress: Progress) -> None:
        self._put(progress.text(), is_last=not progress.n_left)

    def keyed(self, n_units: int) -> None:
        """So many units are keyed so far."""
        if n_units:
            self._put(f"units keyed: {n_units:,}", is_last=False)

    def _put(self, text: str, *, is_last: bool) -> None:
        now = time.monotonic()
        pause = 0.2 if self._line.on_terminal else 10.0
        if text == self._text or (not is_last and now - self._shown_s < pause):
            return
        self._text, self._shown_s = text, now
        self._line.put(text)

    def end(self) -> None:
        """Leave the line."""
        self._line.end()


def _report(result: Result, folder: Path, *, as_json: bool) -> None:
    """What a batch has come to, and the exit code for it."""
    if as_json:
        put_json({"cells": result.rows, "there": result.n_there, "computed": result.n_computed,
                  "failed": result.n_failed, "left": result.n_left, "folder": str(folder)})  # fmt: skip
    else:
        _tables(result)
    n_units = counted(len({row["key"] for row in result.rows}), "unit")
    say(f"{counted(len(result.rows), 'cell')} of {n_units}: {result.n_there:,} there before, "
        f"{result.n_computed:,} computed, {result.n_failed:,} failed, {result.n_left:,} left")  # fmt: skip
    say(f"summary {folder / 'summary.csv'}")
    say(f"results {folder / 'results'}")
    say(f"report  {folder / 'report.html'}")
    if result.without_room is not None:
        say(f"gigaplan: results could not be written: {result.without_room}; free some room, then: "
            f"gigaplan batch --resume --out {folder}")  # fmt: skip
    if result.lost is not None:
        say(f"gigaplan: {result.lost}; go on with: gigaplan batch --resume --out {folder}")
        raise Ended(PART_FAILED)
    if result.interrupted:
        say(f"interrupted; go on with: gigaplan batch --resume --out {folder}")
        raise Ended(INTERRUPTED)
    if not result.is_whole:
        say(f"failed units are in {folder / 'quarantine'}; try them again with --retry-failed")
        raise Ended(PART_FAILED)


def _tables(result: Result) -> None:
    from planner.report.words import dollars, gap_text

    shown = [row for row in result.rows if row["reason"] is None][:_MOST_SHOWN]
    lines = [
        (
            row["portfolio"], row["site"], row["scenario"], row["settings"], row["status"],
            "" if row["objective_cents"] is None else dollars(row["objective_cents"]),
            "" if row["gap"] is None else gap_text(row["gap"]),
            "" if row["n_racks"] is None else f"{row['n_racks']:,}",
        )
        for row in shown
    ]  # fmt: skip
    if lines:
        columns = ("portfolio", "site", "scenario", "settings", "status", "worth", "gap", "racks")
        put_table("units", columns, lines, right=(5, 6, 7))
    reasons = [row for row in result.rows if row["reason"] is not None]
    if reasons:
        heads = ("portfolio", "site", "scenario", "status", "reason")
        told = [(row["portfolio"], row["site"], row["scenario"], row["status"], row["reason"]) for row in reasons]
        put_table("units without a plan", heads, told[:_MOST_SHOWN])
