"""`gigaplan export`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from planner.cli.screen import counted, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sites.world import World

_FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True)
class State:
    """Which state of which site a load-flow case is of."""

    run: Path
    site: str | None
    building: str | None
    quarter: str | None
    failure: str | None


@click.command("export")
@click.argument("file")
@click.option("--mps", type=_FILE, help="MPS file to write: the integer problem.")
@click.option("--graphml", type=_FILE, help="GraphML file to write: power, cooling and fabric of a site.")
@click.option("--power-grid-model", "power_grid_model", type=_FILE, help="Load-flow case to write, for a run.")
@click.option("--site", help="The site of a drawing or case; needed where FILE has several.")
@click.option("--run", type=click.Path(path_type=Path), help="Run folder of FILE whose loads a case has.")
@click.option("--building", help="Only this building in a case; what others draw stays as loads above it.")
@click.option("--quarter", help="Decision quarter of a case.  [default: the last]")
@click.option("--failure", help="Element or common-mode group that is out in a case.  [default: none]")
def command(
    file: str, mps: Path | None, graphml: Path | None, power_grid_model: Path | None, site: str | None, **state: Any
) -> None:
    """Write FILE for other programs: its integer problem, its graphs, or a load-flow case of a plan.

    The MPS file is the very problem that is solved, bounded and checked. A load-flow case is JSON that
    power-grid-model reads, of one quarter, in normal operation or after one failure.

    \b
    Examples:
      gigaplan export claude-on-azure-1gw --mps problem.mps
      gigaplan export reference-1gw --graphml one-line.graphml
      gigaplan export reference-1gw --power-grid-model case.json --run runs/reference-1gw --building b1
    """
    from sites.world import load_world

    _refuse_useless(mps or graphml or power_grid_model, power_grid_model, state)
    if site is not None and graphml is None and power_grid_model is None:
        msg = "--site says of which site a drawing or case is; the integer problem is of all sites together"
        raise click.UsageError(msg)
    world = load_world(file)
    if mps is not None:
        _export_mps(world, mps)
    if graphml is not None:
        _export_graphml(world, site, graphml)
    if power_grid_model is not None:
        _export_case(world, State(site=site, **state), power_grid_model)


def _refuse_useless(target: Path | None, case: Path | None, state: Mapping[str, object]) -> None:
    """Raise UsageError when nothing is to be written, or when an option would have no effect."""
    if target is None:
        msg = "nothing to write: give --mps, --graphml or --power-grid-model with the file to write"
        raise click.UsageError(msg)
    if case is None:
        for name, value in state.items():
            if value is not None:
                msg = f"--{name} says of which state a case is, so it needs --power-grid-model"
                raise click.UsageError(msg)
    elif state["run"] is None:
        msg = "--power-grid-model needs --run with the run folder whose racks draw the power"
        raise click.UsageError(msg)


def _chosen(world: World, site: str | None) -> str:
    """The site meant; raises UsageError when it is unknown or could be several."""
    from sites.nearest import unknown

    names = [one.name for one in world.sites]
    if site is None and len(names) > 1:
        msg = f"this is of one site; add --site with one of: {', '.join(names)}"
        raise click.UsageError(msg)
    if site is not None and site not in names:
        raise click.UsageError(unknown("site", site, names))
    return names[0] if site is None else site


def _write(target: Path, write: Callable[[Path], object]) -> None:
    """Write beside the target and rename, so that it is whole or as it was."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        write(partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    click.echo(target)


def _export_mps(world: World, target: Path) -> None:
    from planner.export import write_mps
    from planner.lower import lower

    problem = lower(world).problem
    parts = {"row": problem.n_rows, "configuration": problem.n_configurations, "quarter": problem.n_periods,
             "limit": problem.n_limits}  # fmt: skip
    say(", ".join(counted(n, noun) for noun, n in parts.items()))
    _write(target, lambda path: write_mps(problem, path))


def _export_graphml(world: World, site: str | None, target: Path) -> None:
    from planner.export.one_line import GRAPHS, write_graphml
    from sites.expansion import expand

    name = _chosen(world, site)
    graphs = next(expand(one.site, world.catalog) for one in world.sites if one.name == name)
    sizes = ", ".join(f"{graph} {len(getattr(graphs, graph)):,} nodes" for graph in GRAPHS)
    say(f"{name}: {sizes}")
    _write(target, lambda path: write_graphml(graphs, path))


def _export_case(world: World, state: State, target: Path) -> None:
    from planner.export.condition import quarter_draws, standing_of_run
    from planner.export.power_case import power_case, write_power_case

    name = _chosen(world, state.site)
    _refuse_other_inputs(world, state.run)
    standing = standing_of_run(state.run)[name]
    found = quarter_draws(standing, state.quarter or standing.periods[-1]).condition(state.failure)
    case = power_case(found, state.building)
    sizes = ", ".join(f"{len(members)} {kind}" for kind, members in case.components.items())
    say(f"{name} in {found.quarter}, {state.failure or 'no failure'}: {sizes}")
    _write(target, lambda path: write_power_case(case, path))


def _refuse_other_inputs(world: World, run: Path) -> None:
    """Raise InputError unless the run was made from these very input files."""
    from planner.run.folder import MANIFEST, read_json, require_run_folder
    from sites.faults import Fault, InputError
    from sites.world import input_hash

    require_run_folder(run)
    if read_json(run / MANIFEST).get("input_hash") != input_hash(world):
        message = "this run was made from other input files; name the file that it was made from, or plan again"
        raise InputError([Fault(str(run), None, "", message)])
