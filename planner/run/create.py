"""One run from world to folder: lower, solve, evaluate, write."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

from planner.money.ledger import cash_rows
from planner.run.document import Outcome, plan_document
from planner.run.evaluate import evaluate
from planner.run.folder import (
    CERTIFICATE,
    GUIDE,
    INPUTS,
    MANIFEST,
    PLAN,
    REPORT,
    new_run_folder,
    read_json,
    refuse_foreign_folder,
    require_run_folder,
    write_json,
    write_whole,
)
from planner.run.manifest import manifest
from planner.run.network import network_bill
from planner.run.tables import (
    CASH_COLUMNS,
    DATE_COLUMNS,
    FAILURE_COLUMNS,
    NETWORK_COLUMNS,
    PLACEMENT_COLUMNS,
    write_cash_parquet,
    write_csv,
    write_placements_parquet,
)
from planner.run.terms import terms_ledger
from sites.collection import uncollected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from planner.lower.lowered import Lowered
    from planner.lower.reuse import KnownSites
    from planner.objectives.aimed import Aimed
    from planner.solve.options import Progress, SolveOptions
    from planner.solve.solve import Solution
    from sites.checks import Finding
    from sites.expansion.graphs import SiteGraphs
    from sites.world import World


_MANY_SITES = 6
"""From so many sites on they are lowered in several processes."""


@dataclass(frozen=True)
class RunRequest:
    """What to plan with, and where to put it."""

    out: Path
    options: SolveOptions
    guide_file: Path | None = None
    with_report: bool = True
    """Whether `report.html` is written; `gigaplan report` writes it later too."""


@dataclass(frozen=True)
class Run:
    """A finished run: the content of `plan.json`, and where it lies."""

    folder: Path
    document: dict[str, Any]
    warnings: tuple[str, ...]
    """What the checks of the graphs found that a planner should know."""


def create_run(
    world: World, request: RunRequest, tell: Callable[[Progress], None], known: KnownSites | None = None
) -> Run:
    """Plan a world and write its run folder.

    Parameters: world, as loaded; request; tell, called with the solver's progress; known, sites lowered before, used
    and added to, by which nothing but the time changes. Raises InputError when the folder may not be written,
    InfeasibleError when no plan exists, BackendError when the backend does not run here, and GuideError when the guide
    does not fit. Nothing is written unless the whole run succeeds.
    """
    from planner.lower import lower
    from planner.objectives.aimed import solve_for_objective
    from planner.solve.guide import load_guide
    from planner.solve.options import Progress

    refuse_foreign_folder(request.out)
    started, clock = datetime.now(UTC), monotonic()
    tell(Progress("lowering", 0.0, 0, None, None))
    warnings, graphs = _sound(world, known)
    lowered = lower(world, request.options.n_threads if len(world.sites) >= _MANY_SITES else 1, known, graphs)
    lowering_s = monotonic() - clock
    options = request.options
    if request.guide_file is not None:
        from dataclasses import replace

        options = replace(options, guide=load_guide(request.guide_file, lowered.problem))
    aimed = solve_for_objective(world, lowered, options, tell)
    solution = aimed.solution
    tell(Progress("writing", monotonic() - clock, solution.work, solution.objective, solution.bound))
    times = {"started_utc": started.isoformat(timespec="seconds"), "lowering_s": lowering_s, "solve_s": solution.wall_s}
    document = write_run(world, lowered, aimed, request, times)
    return Run(request.out, document, warnings)


def write_run(
    world: World, lowered: Lowered, aimed: Aimed, request: RunRequest, times: Mapping[str, Any]
) -> dict[str, Any]:
    """Work out what a solved world comes to, and write its run folder.

    Parameters: world and lowered; aimed, its solution; request; times, for the manifest. Returns the content of
    `plan.json`. Raises InputError when the folder may not be written.
    """
    solution = aimed.solution
    record = manifest(world, _options_record(request, solution), times)
    certificate = solution.certificate_json(aimed.problem)
    with uncollected():
        document = _document(world, lowered, aimed, certificate)
    with new_run_folder(request.out) as folder, uncollected():
        _write(folder, world, aimed, certificate, document, record)
        if request.with_report:
            write_report(folder, document, record, world, lowered.graphs)
    return document


def check_world(world: World) -> tuple[str, ...]:
    """Warnings on the graphs of every site; raises InputError with every error of a site."""
    return _sound(world, None)[0]


@uncollected()
def _sound(world: World, known: KnownSites | None) -> tuple[tuple[str, ...], list[SiteGraphs] | None]:
    """Warnings on the graphs of every site, and the graphs, where they are not kept with the known sites."""
    from sites.checks import require_sound
    from sites.expansion import expand

    of_sites: list[Sequence[Finding]]
    graphs: list[SiteGraphs] | None = None
    if known is not None:
        of_sites = [known.sound(world, number) for number in range(len(world.sites))]
    else:
        of_sites, graphs = [], []
        for one in world.sites:
            graphs.append(expand(one.site, world.catalog))
            of_sites.append(require_sound(graphs[-1]))
    warnings = [f"{one.name}: {found}" for one, own in zip(world.sites, of_sites, strict=True) for found in own]
    return tuple(warnings), graphs


def _options_record(request: RunRequest, solution: Solution) -> dict[str, Any]:
    options = request.options
    return {
        "backend": solution.backend,
        "seed": solution.seed,
        "options": {
            "backend": options.backend,
            "time_limit_s": options.time_limit_s,
            "work_limit": options.work_limit,
            "n_lanes": options.n_lanes,
            "n_threads": options.n_threads,
            "guide_replayed": request.guide_file is not None,
        },
    }


def _document(world: World, lowered: Lowered, aimed: Aimed, certificate: Mapping[str, Any]) -> dict[str, Any]:
    solution = aimed.solution
    n_racks = solution.plan.n_racks
    outcome = Outcome(
        status=str(solution.status),
        objective=solution.objective,
        bound=solution.bound,
        stop_reason=str(solution.stop_reason),
        backend=solution.backend,
        seed=solution.seed,
        wall_s=solution.wall_s,
    )
    evaluation = evaluate(world, lowered, lowered.graphs, n_racks, solution.decisions)
    if evaluation.money.objective_cents != aimed.npv_cents:
        msg = (
            f"the plan is worth {evaluation.money.objective_cents} cents by its parts and {aimed.npv_cents} by the "
            "search; these must agree, so nothing was written"
        )
        raise AssertionError(msg)
    placed = lowered.refreshes.as_they_are(n_racks)
    document = plan_document(world.portfolio.name, lowered.problem, placed, outcome, evaluation, solution.decisions)
    terms = terms_ledger(world, lowered, n_racks, solution.decisions or {}, certificate)
    if terms is not None:
        document["terms"] = asdict(terms)
    if aimed.statement is not None:
        document |= {"aim": aimed.statement, "npv_cents": aimed.npv_cents}
    return document


def _write(
    folder: Path,
    world: World,
    aimed: Aimed,
    certificate: Mapping[str, Any],
    document: Mapping[str, Any],
    record: Mapping[str, Any],
) -> None:
    import numpy as np

    from sites.world import save_inputs

    write_json(folder / PLAN, document)
    solution = aimed.solution
    write_json(folder / CERTIFICATE, certificate)
    for name, other in aimed.certificates.items():
        write_json(folder / name, other)
    write_json(folder / MANIFEST, record)
    if solution.guide is not None:
        np.savez_compressed(folder / GUIDE, allow_pickle=False, **solution.guide.arrays())
    save_inputs(world, folder / INPUTS)
    write_csv(folder / "placements.csv", PLACEMENT_COLUMNS, document["placements"])
    write_placements_parquet(folder / "placements.parquet", document["placements"])
    write_csv(folder / "failures.csv", FAILURE_COLUMNS, document["failures"])
    write_csv(folder / "dates.csv", DATE_COLUMNS, document["dates"]["tranches"])
    cash = list(cash_rows(document["cash"]))
    write_csv(folder / "cash.csv", CASH_COLUMNS, cash)
    write_cash_parquet(folder / "cash.parquet", cash)
    write_csv(folder / "network.csv", NETWORK_COLUMNS, [asdict(line) for line in network_bill(document, world).lines])


def write_report(
    folder: Path,
    document: Mapping[str, Any],
    record: Mapping[str, Any],
    world: World,
    graphs_by_site: Mapping[str, SiteGraphs],
) -> None:
    """Write `report.html` into a folder, beside and then over any that is there."""
    from planner.report.render import render_report

    text = render_report(document, record, world, graphs_by_site)
    write_whole(folder / REPORT, lambda path: path.write_text(text, encoding="utf-8"))


def report_again(folder: Path) -> Path:
    """Write `report.html` of a run folder again, from its plan and its inputs; return its path.

    Raises InputError where the folder does not hold a run.
    """
    from sites.expansion import expand
    from sites.world import load_world_from_inputs

    require_run_folder(folder)
    world = load_world_from_inputs(folder / INPUTS)
    graphs = {one.name: expand(one.site, world.catalog) for one in world.sites}
    write_report(folder, read_json(folder / PLAN), read_json(folder / MANIFEST), world, graphs)
    return folder / REPORT
