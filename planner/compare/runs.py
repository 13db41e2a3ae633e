"""Two runs side by side: quarter by quarter, and by what makes the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.compare.causes import SPLITS, causes
from planner.compare.lost import lost_rows
from planner.compare.measures import Document, racks_by_system
from planner.run.folder import PLAN, read_json, require_run_folder
from planner.run.totals import JOINT
from sites.calendar import quarter_index
from sites.faults import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

FORMAT = "gigaplan-comparison/1"
COLUMNS = ("part", "quarter", "name", "unit", "a", "b", "difference")
_CONDITIONS = ("portfolio", "status", "stop_reason", "backend", "seed", "wall_s", "gap")
_NEEDED = ("totals", "money", "binding", "ineligible", "objective", "bound", "periods", "cash", "placements")
_COSTS = ("open_cost_cents", "unit_cost_cents", "minimum_demand_cents", "opening_cents")
"""Terms of the objective that are subtracted."""
_BESIDE = ("contract_amount_cents", "contract_used_cents", "rack_spend_cents")
"""Sums that `money` states beside the terms of the objective."""


def compare_runs(folder_a: Path, folder_b: Path, *, by_cause: bool = False) -> Document:
    """The comparison of two runs; differences are B less A.

    Parameters: two run folders; by_cause, whether to split the difference in money by cause, for which both portfolios
    are lowered. Raises InputError when one is no run folder, or holds no whole plan.
    """
    a, b = _plan(folder_a), _plan(folder_b)
    return {
        "format": FORMAT,
        "a": {"run": str(folder_a), **{key: a.get(key) for key in _CONDITIONS}},
        "b": {"run": str(folder_b), **{key: b.get(key) for key in _CONDITIONS}},
        "worth": [_line("worth", None, key, "cent", a[key], b[key]) for key in ("objective", "bound")],
        "quarters": _quarters(a, b),
        "money": _money(a["money"], b["money"]),
        "binding": _binding(a["binding"], b["binding"]),
        "lost": _lost(a["ineligible"], b["ineligible"]),
        "causes": causes(folder_a, folder_b, a, b) if by_cause else None,
    }


def _plan(folder: Path) -> Document:
    require_run_folder(folder)
    document = read_json(folder / PLAN)
    missing = [key for key in _NEEDED if key not in document]
    if missing:
        message = f"the plan lacks {', '.join(missing)}; make the run again"
        raise InputError([Fault(str(folder / PLAN), None, "", message)])
    return document


def _line(part: str, quarter: str | None, name: str, unit: str, a: int | None, b: int | None) -> Document:
    """One figure of both runs; a figure that one run does not have counts as nothing in the difference."""
    return {
        "part": part, "quarter": quarter, "name": name, "unit": unit, "a": a, "b": b, "difference": (b or 0) - (a or 0),
    }  # fmt: skip


def _quarters(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Document]:
    """Figures of every quarter that either run plans."""
    by_run = [{total["period"]: _figures(total) for total in one["totals"]} for one in (a, b)]
    lines = []
    for quarter in sorted({quarter for one in by_run for quarter in one}, key=quarter_index):
        here, there = (one.get(quarter, {}) for one in by_run)
        for name, unit in dict.fromkeys((*here, *there)):
            lines.append(_line("quarter", quarter, name, unit, here.get((name, unit)), there.get((name, unit))))
    return lines


def _figures(total: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    """Figures of a quarter by name and unit: racks by system, GPUs, watts, what the contract takes."""
    systems = {(system, "rack"): n_racks for system, n_racks in sorted(racks_by_system(total["racks"]).items())}
    meters = {
        (f"meter of {site}" if site != JOINT else "meter", "W"): watts for site, watts in total["meter_w"].items()
    }
    return {
        **systems,
        ("racks", "rack"): sum(total["racks"].values()),
        ("GPUs", "GPU"): total["gpus"],
        ("IT", "W"): total["it_w"],
        **meters,
        ("meter, the plan's racks", "W"): total["plan_meter_w"][JOINT],
        ("contract used", "cent"): total["contract_used_cents"],
    }


def _money(a: Mapping[str, int], b: Mapping[str, int]) -> list[Document]:
    """Terms of the objective with the sign that they have in it, then sums beside it."""
    lines = []
    for key in dict.fromkeys((*a, *b)):
        sign, part = (-1 if key in _COSTS else 1), "beside the objective" if key in _BESIDE else "objective"
        values = (None if one.get(key) is None else sign * one[key] for one in (a, b))
        lines.append(_line(part, None, key.removesuffix("_cents").replace("_", " "), "cent", *values))
    return lines


def _binding(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> list[Document]:
    """How many limits of each family bind at each site, which in one run alone, and in how many quarters together."""
    counts = [_by_family(one) for one in (a, b)]
    names = [{entry["limit"] for entry in one} for one in (a, b)]
    lines = []
    for site, family in sorted({key for one in counts for key in one}):
        here, there = (one.get((site, family), []) for one in counts)
        lines.append(
            {
                "site": site,
                "family": family,
                "a": len(here),
                "b": len(there),
                "only_a": sorted(entry["limit"] for entry in here if entry["limit"] not in names[1]),
                "only_b": sorted(entry["limit"] for entry in there if entry["limit"] not in names[0]),
                "quarters_a": sum(len(entry["periods"]) for entry in here),
                "quarters_b": sum(len(entry["periods"]) for entry in there),
            }
        )
    return lines


def _by_family(binding: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for entry in binding:
        found.setdefault((entry["site"], entry["family"]), []).append(entry)
    return found


def _lost(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> dict[str, list[Document]]:
    lost_a, lost_b = lost_rows([a, b])
    return {"a": lost_a, "b": lost_b}


def table_lines(document: Mapping[str, Any]) -> list[Document]:
    """One flat line for each figure, keys as in `COLUMNS`."""
    binding = [
        _line("binding limits", None, f"{one['site']}:{one['family']}", "limit", one["a"], one["b"])
        for one in document["binding"]
    ]
    return [*document["worth"], *document["quarters"], *document["money"], *binding, *_cause_lines(document["causes"])]


def _cause_lines(found: Mapping[str, Any] | None) -> list[Document]:
    """Every split of the difference in money, none where it was not asked for."""
    if found is None:
        return []
    splits = [
        _line(f"by {split}", None, one["name"], "cent", one["a"], one["b"]) for split in SPLITS for one in found[split]
    ]
    steps = [_line("by input", None, one["cause"], "cent", one["before"], one["after"]) for one in found["steps"]]
    return [*splits, *steps]
