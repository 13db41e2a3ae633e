"""One portfolio planned at several set-points of its technology loops, everything else equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.compare.loops import at_set_point, degc_text
from planner.compare.lost import lost_rows
from planner.compare.measures import Document, design_day_figures, design_days, totals_of
from planner.errors import InfeasibleError
from planner.run.create import RunRequest, create_run
from planner.run.folder import is_run_folder, refuse_foreign_folder, write_json, write_whole
from planner.run.tables import write_csv
from planner.year.year import YearRequest, year_of_run
from sites.faults import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from fractions import Fraction
    from pathlib import Path

    from planner.solve.options import Progress, SolveOptions
    from sites.world import World

FORMAT = "gigaplan-loops/1"
DOCUMENT, TABLE = "comparison.json", "comparison.csv"
AIR_NOTE = (
    "plants keep their number of units, and air handlers on them their rated heat, whatever the supply; judge both"
)
INTERRUPTED, SKIPPED = "interrupted", "not planned"
"""Outcomes of a set-point during whose search Ctrl-C was pressed, and of those that would have come after it."""
COLUMNS = (
    "set_point_degc", "outcome", "quarter", "racks", "gpus", "it_w", "meter_w", "objective_cents", "bound_cents", "gap",
    "peak_day_pue", "chiller_share", "annual_pue", "water_litres", "litres_per_kwh", "hours_with_compressor", "lost",
    "run",
)  # fmt: skip


@dataclass(frozen=True)
class LoopRequest:
    """What to plan at every set-point, and where the runs go."""

    out: Path
    """Folder of the comparison: one run folder `loop-30` for each set-point, `comparison.json` and `.csv`."""
    set_points_degc: tuple[Fraction, ...]
    options: SolveOptions
    weather: tuple[str, ...] = ()
    """Files for the hourly year, `FILE` or `SITE=FILE`; bundled stations where none is given."""


def compare_loops(world: World, request: LoopRequest, tell: Callable[[str, Progress], None]) -> Document:
    """Plan a world once for each set-point and write the comparison.

    Parameters: world, as loaded; request; tell, called with the set-point's name and the solver's progress. A
    set-point at which no plan exists, or at which the checks find the site unsound, is told in its place.
    Raises InputError when the folder may not be written or no site has a loop.
    """
    _refuse_folder(request)
    changed = {set_point: _changed(world, set_point) for set_point in request.set_points_degc}
    _refuse_all(changed)
    variants: list[Document] = []
    for set_point, found in changed.items():
        stopped = bool(variants) and variants[-1]["outcome"] in {INTERRUPTED, SKIPPED}
        variants.append(_skipped(set_point) if stopped else _variant(found, set_point, request, tell))
    planned = [variant for variant in variants if variant["run"]]
    for variant, lost in zip(planned, lost_rows([one.pop("ineligible") for one in planned]), strict=True):
        variant["lost"] = lost
    document = {
        "format": FORMAT,
        "portfolio": world.portfolio.name,
        "seed": request.options.seed,
        "time_limit_s": request.options.time_limit_s,
        "work_limit": request.options.work_limit,
        "note": AIR_NOTE,
        "variants": variants,
    }
    _write(request.out, document)
    return document


def _refuse_folder(request: LoopRequest) -> None:
    """Refuse before the first plan what could not be written after it."""
    if is_run_folder(request.out):
        message = "this is the folder of one run; name another for the comparison, which holds a run for each set-point"
        raise InputError([Fault(str(request.out), None, "--out", message)])
    for set_point in request.set_points_degc:
        refuse_foreign_folder(_run_folder(request, set_point))


def _run_folder(request: LoopRequest, set_point: Fraction) -> Path:
    return request.out / f"loop-{degc_text(set_point)}"


def _changed(world: World, set_point: Fraction) -> World | InputError:
    """The world at a set-point, or what is wrong with it there."""
    try:
        return at_set_point(world, set_point)
    except InputError as error:
        return error


def _refuse_all(changed: Mapping[Fraction, World | InputError]) -> None:
    """Where no set-point can be had, the reason is one of the files, not of a set-point."""
    errors = [found for found in changed.values() if isinstance(found, InputError)]
    if len(errors) == len(changed):
        raise errors[0]


def _variant(
    found: World | InputError, set_point: Fraction, request: LoopRequest, tell: Callable[[str, Progress], None]
) -> Document:
    """Plan at one set-point, and measure the plan."""
    name, variant = f"loop {degc_text(set_point)} degC", _blank(set_point)
    try:
        if isinstance(found, InputError):
            raise found
        folder = _run_folder(request, set_point)
        run = create_run(found, RunRequest(folder, request.options), lambda progress: tell(name, progress))
    except InputError as error:
        return variant | {"outcome": "refused", "reasons": [str(fault) for fault in error.faults]}
    except InfeasibleError as error:
        return variant | {"outcome": "infeasible", "reasons": [str(error)]}
    return variant | {
        "outcome": INTERRUPTED if run.document["stop_reason"] == INTERRUPTED else "planned",
        "run": str(folder),
        "ineligible": run.document["ineligible"],
        "totals": totals_of(run.document),
        "design_day": design_day_figures(design_days(found, run.document)),
        "year": _year(folder, request.weather),
    }


def _blank(set_point: Fraction) -> Document:
    return {"set_point_degc": float(set_point), "run": None, "reasons": [], "lost": []}


def _skipped(set_point: Fraction) -> Document:
    return _blank(set_point) | {"outcome": SKIPPED, "reasons": ["interrupted before its turn"]}


def _year(folder: Path, weather: tuple[str, ...]) -> Document:
    """Annual figures; where a site has neither a file nor a station near, the reason instead."""
    try:
        found = year_of_run(folder, YearRequest(weather))
    except InputError as error:
        return {"reasons": [str(fault) for fault in error.faults]}
    return {
        "reasons": [],
        **_year_figures(found["total"]),
        "hours_with_compressor": max(one["hours_with_compressor"] for one in found["sites"]),
        "by_site": [
            {
                "site": one["site"],
                "weather": one["weather"]["choice"],
                **_year_figures(one),
                "hours_with_compressor": one["hours_with_compressor"],
            }
            for one in found["sites"]
        ],
    }


def _year_figures(found: Mapping[str, Any]) -> Document:
    """PUE and water of the base year; water is what is drawn from the mains."""
    return {
        "pue": None if found["pue"] is None else found["pue"]["base"],
        "water_litres": found["water_litres"]["makeup"],
        "litres_per_kwh": None if found["wue_litres_per_kwh"] is None else found["wue_litres_per_kwh"]["base"],
    }


def table_lines(document: Mapping[str, Any]) -> list[Document]:
    """One flat line for each set-point, keys as in `COLUMNS`; None where there is no figure."""
    return [_line(variant) for variant in document["variants"]]


def _line(variant: Mapping[str, Any]) -> Document:
    totals, day, year = variant.get("totals", {}), variant.get("design_day", {}), variant.get("year", {})
    lost = [f"{one['site']}:{one['configuration']} ({one['n_rows_more']} rows)" for one in variant["lost"]]
    return {
        "set_point_degc": variant["set_point_degc"],
        "outcome": variant["outcome"],
        **{key: totals.get(key) for key in ("quarter", "racks", "gpus", "it_w", "meter_w", "gap")},
        "objective_cents": totals.get("objective"),
        "bound_cents": totals.get("bound"),
        **{key: day.get(key) for key in ("peak_day_pue", "chiller_share")},
        "annual_pue": year.get("pue"),
        **{key: year.get(key) for key in ("water_litres", "litres_per_kwh", "hours_with_compressor")},
        "lost": "; ".join(lost),
        "run": variant["run"],
    }


def _write(folder: Path, document: Document) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / DOCUMENT, lambda path: write_json(path, document))
    write_whole(folder / TABLE, lambda path: write_csv(path, COLUMNS, table_lines(document)))
