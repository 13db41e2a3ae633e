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
    import pyarrow as pa
    from pyarrow import parquet

    text = pa.dictionary(pa.int32(), pa.string())
    fields = [(column, pa.int32() if column == "n_racks" else text) for column in PLACEMENT_COLUMNS]
    columns = [pa.array([entry[column] for entry in entries], pa.int32() if column == "n_racks" else pa.string())
               for column in PLACEMENT_COLUMNS]  # fmt: skip
    encoded = [column.dictionary_encode() if pa.types.is_string(column.type) else column for column in columns]
    parquet.write_table(pa.table(encoded, schema=pa.schema(fields)), path)
