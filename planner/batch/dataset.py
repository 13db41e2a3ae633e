"""The results of a batch as tables: the same bytes for the same results, whoever computed them and in what order.

`results/scenario=…/site=….parquet` holds what stands at each site in each quarter; `summary.parquet` and `.csv` one row
for each cell. What differs from run to run (clock, machine) is in `timings.parquet` alone.
"""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.batch.store import flush, flush_folder, write_durably

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.batch.cells import Cell
    from planner.batch.store import Store

RESULTS, SUMMARY, SUMMARY_CSV, TIMINGS = "results", "summary.parquet", "summary.csv", "timings.parquet"
FAILED, LEFT = "failed", "left"
"""Status of cells in quarantine, and of those that have not been computed."""
_TEXTS = (
    "portfolio", "site", "scenario", "settings", "status", "reason_kind", "reason", "stop_reason", "method",
    "first_quarter", "last_quarter", "key",
)  # fmt: skip
_NUMBERS = ("objective_cents", "bound_cents", "npv_cents", "n_racks", "n_gpus", "it_w", "meter_w")
COLUMNS = (
    "portfolio", "site", "scenario", "settings", "status", "verified", "objective_cents", "bound_cents", "gap",
    "npv_cents", "first_quarter", "last_quarter", "n_racks", "n_gpus", "it_w", "meter_w", "stop_reason", "method",
    "reason_kind", "reason", "key",
)  # fmt: skip
"""Of the summary; racks, GPUs and watts are those of the last quarter, `first_quarter` that of the first rack."""


def write_dataset(folder: Path, store: Store, cells: Sequence[Cell], *, tried: bool) -> list[dict[str, Any]]:
    """Write all tables of a batch and return the rows of the summary.

    Parameters: folder, of the batch; cells, in the order of the batch; tried, whether quarantined units count as
    failed (else as left, when they are about to be tried again).
    """
    rows = [summary_row(store, cell, tried=tried) for cell in cells]
    _write_results(folder / RESULTS, store, cells)
    write_durably(folder / SUMMARY, _parquet(_summary_table(rows)))
    write_durably(folder / SUMMARY_CSV, _csv(rows))
    write_durably(folder / TIMINGS, _parquet(_timings_table(store, cells)))
    return rows


def summary_row(store: Store, cell: Cell, *, tried: bool = True) -> dict[str, Any]:
    """The row of one cell; figures that there are not are None."""
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {"portfolio": cell.portfolio, "site": cell.site, "scenario": cell.scenario, "settings": cell.settings}
    row["key"] = cell.key
    if not store.has(cell.key):
        failure = store.reason(cell.key) if tried else None
        row["status"] = LEFT if failure is None else FAILED
        if failure is not None:
            row |= {"reason_kind": failure["kind"], "reason": failure["text"]}
        return row
    found = store.summary(cell.key)
    row |= {name: found[name] for name in COLUMNS if name in found}
    lines = found["lines"]
    if lines:
        last = max(line["quarter"] for line in lines)
        standing = [line for line in lines if line["quarter"] == last]
        row["last_quarter"] = last
        row["first_quarter"] = min((line["quarter"] for line in lines if line["n_racks"]), default=None)
        for name in ("n_racks", "n_gpus", "it_w", "meter_w"):
            values = [line[name] for line in standing if line[name] is not None]
            row[name] = sum(values) if values else None
    return row


def _write_results(place: Path, store: Store, cells: Sequence[Cell]) -> None:
    """All partitions in a folder of their own, which then takes the place of the old one."""
    parts: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        if store.has(cell.key):
            parts.setdefault((cell.scenario, cell.site), []).append(cell)
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".partial", dir=place.parent))
    try:
        for (scenario, site), own in parts.items():
            folder = partial / f"scenario={scenario}"
            folder.mkdir(exist_ok=True)
            (folder / f"site={site}.parquet").write_bytes(_parquet(_results_table(store, own)))
        partial.chmod(0o755)
        flush(partial)
        shutil.rmtree(place, ignore_errors=True)
        partial.rename(place)
        flush_folder(place.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _results_table(store: Store, cells: Sequence[Cell]) -> Any:
    """What stands, by portfolio, settings, site and quarter, in the order of the batch."""
    import pyarrow as pa

    lines = [
        {"portfolio": cell.portfolio, "settings": cell.settings, "key": cell.key, **line,
         "site": cell.site, "at_site": line["site"],
         "racks": [{"configuration": name, "n_racks": n} for name, n in line["racks"].items()]}
        for cell in cells
        for line in store.summary(cell.key)["lines"]
    ]  # fmt: skip
    racks = pa.list_(pa.struct([("configuration", pa.string()), ("n_racks", pa.int64())]))
    schema = pa.schema([
        ("portfolio", pa.string()), ("settings", pa.string()), ("site", pa.string()), ("at_site", pa.string()),
        ("quarter", pa.string()), ("n_racks", pa.int64()), ("n_gpus", pa.int64()), ("it_w", pa.int64()),
        ("meter_w", pa.int64()), ("racks", racks), ("key", pa.string()),
    ])  # fmt: skip
    return pa.Table.from_pylist(lines, schema=schema)


def _summary_table(rows: Sequence[dict[str, Any]]) -> Any:
    import pyarrow as pa

    kinds = dict.fromkeys(_TEXTS, pa.string()) | dict.fromkeys(_NUMBERS, pa.int64())
    kinds |= {"verified": pa.bool_(), "gap": pa.float64()}
    return pa.Table.from_pylist(list(rows), schema=pa.schema([(name, kinds[name]) for name in COLUMNS]))


def _timings_table(store: Store, cells: Sequence[Cell]) -> Any:
    """One row for each result, in order of the keys."""
    import pyarrow as pa

    seconds = ("started_utc_s", "wall_s", "cpu_s", "load_s", "plan_s", "verify_s")
    whole = ("peak_bytes", "process")
    schema = pa.schema([
        ("key", pa.string()), *((name, pa.float64()) for name in seconds), *((name, pa.int64()) for name in whole),
    ])  # fmt: skip
    keys = sorted({cell.key for cell in cells if store.has(cell.key)})
    return pa.Table.from_pylist([{"key": key, **store.timings(key)} for key in keys], schema=schema)


def _parquet(table: Any) -> bytes:
    """A table in fixed form: one version of the format, one compression, no statistics of who wrote it when."""
    import pyarrow as pa
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, version="2.6", compression="zstd", store_schema=False)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _csv(rows: Sequence[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row[name] for name in COLUMNS] for row in rows)
    return text.getvalue().encode("utf-8")
