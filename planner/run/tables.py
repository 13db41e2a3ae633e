"""The tables of a run folder: placements as CSV and Parquet, failures, dates and network as CSV."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PLACEMENT_COLUMNS = ("site", "row", "configuration", "period", "n_racks")
FAILURE_COLUMNS = (
    "site", "element", "kind", "dropped_rows", "dropped_racks", "dropped_gpus", "dropped_it_w", "shed_w", "capped_w",
    "worst_element", "worst_load_w", "worst_rating_w", "worst_load", "verdict",
)  # fmt: skip

DATE_COLUMNS = (
    "site", "building", "lineup", "system", "stands", "n_racks", "positions", "it_w", "racks", "network", "facility",
    "facility_part", "power", "power_part", "binds", "held_by", "idle_racks_weeks", "idle_network_weeks",
    "idle_facility_weeks", "idle_power_weeks",
)  # fmt: skip
CASH_COLUMNS = ("site", "line", "quarter", "cents")
NETWORK_COLUMNS = ("site", "building", "block", "part", "item", "length_m", "n_items", "n_optics", "power_w")


def write_csv(path: Path, columns: Sequence[str], entries: Sequence[Mapping[str, Any]]) -> None:
    """Write entries as CSV (RFC 4180, UTF-8, header first); None becomes an empty field, lists are joined by spaces."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_cell(entry[column]) for column in columns] for entry in entries)


def _cell(value: object) -> object:
    return " ".join(value) if isinstance(value, (list, tuple)) else value


def write_placements_parquet(path: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write placements as Parquet: texts dictionary-encoded, `n_racks` as int32."""
    _write_parquet(path, PLACEMENT_COLUMNS, entries, "int32")


def write_cash_parquet(path: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write cash as Parquet: texts dictionary-encoded, `cents` as int64."""
    _write_parquet(path, CASH_COLUMNS, entries, "int64")


def _write_parquet(path: Path, columns: Sequence[str], entries: Sequence[Mapping[str, Any]], number: str) -> None:
    """Columns of text, the last one of whole numbers."""
    import pyarrow as pa
    from pyarrow import parquet

    text, last = pa.dictionary(pa.int32(), pa.string()), pa.type_for_alias(number)
    *texts, counted = columns
    arrays = [pa.array([entry[name] for entry in entries], pa.string()).dictionary_encode() for name in texts]
    arrays.append(pa.array([entry[counted] for entry in entries], last))
    schema = pa.schema([*((name, text) for name in texts), (counted, last)])
    parquet.write_table(pa.table(arrays, schema=schema), path)
