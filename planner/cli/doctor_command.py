"""`gigaplan doctor`."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from planner.cli.exits import OUR_FAULT, Ended
from planner.cli.screen import put_json, put_table, say


@click.command("doctor")
@click.option("--gpu", is_flag=True, help="Check and time the backend cuda on the GPU of this machine.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="With --gpu: write the report to FILE as JSON, and as text beside it.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(gpu: bool, out: Path | None, as_json: bool) -> None:
    """Say what runs here: Python, packages, backends and why not, solver, cores, memory.

    With --gpu: every kernel against the plain loops at several batch sizes, the device's memory, times of each kernel
    on a library campus against the device's memory bandwidth, and how the search would run. The report holds no name
    of a person or machine, no home folder and no serial number.

    \b
    Examples:
      gigaplan doctor
      gigaplan doctor --gpu --out gpu-report.json
    """
    if gpu:
        from planner.cli.doctor_gpu import check_gpu

        check_gpu(out, as_json=as_json)
        return
    if out is not None:
        msg = "--out writes the report of --gpu; give both"
        raise click.UsageError(msg)
    findings = _findings()
    if as_json:
        put_json(findings)
    else:
        _show(findings)
    if not any(backend["runs"] for backend in findings["backends"]):
        raise Ended(OUR_FAULT)


def _findings() -> dict[str, Any]:
    from planner.run.manifest import machine, versions

    return {
        "versions": versions(),
        "machine": machine(),
        "backends": _backends(),
        "solver": _solver(),
        "catalogue": _catalogue(),
    }


def _backends() -> list[dict[str, Any]]:
    """Every backend, whether it runs here, and why it does not, or why `auto` does not choose it."""
    from kernels.backends import BACKENDS, why_not, why_not_auto

    return [
        {"name": f"backend {name}", "runs": why_not(name) is None, "why_not": why_not_auto(name)} for name in BACKENDS
    ]


def _solver() -> dict[str, Any]:
    if find_spec("highspy") is None:
        return {"name": "solver HiGHS", "runs": False, "why_not": "the package highspy is not installed"}
    return {"name": f"solver HiGHS {version('highspy')}", "runs": True, "why_not": None}


def _catalogue() -> dict[str, Any]:
    from sites.catalog.loader import load_catalog
    from sites.faults import InputError

    try:
        catalog = load_catalog()
    except InputError as error:
        return {"name": "catalogue", "runs": False, "why_not": str(error)}
    n_entries = len(catalog.rack_systems) + len(catalog.power) + len(catalog.cooling) + len(catalog.switches)
    return {"name": f"catalogue, {n_entries} entries", "runs": True, "why_not": None}


def _show(findings: dict[str, Any]) -> None:
    machine = findings["machine"]
    memory = machine["memory_bytes"]
    shown_memory = "unknown" if memory is None else f"{memory / 2**30:.1f} GiB"
    versions = [(name, version or "not installed") for name, version in findings["versions"].items()]
    put_table("Versions", ("package", "version"), versions)
    system = f"{machine['system']} {machine['release']}, {machine['architecture']}"
    put_table("Machine", ("what", "found"), [("system", system), ("cores", machine["cores"]), ("memory", shown_memory)])
    parts = [*findings["backends"], findings["solver"], findings["catalogue"]]
    lines = [(part["name"], "runs" if part["runs"] else "does not run", part["why_not"] or "") for part in parts]
    put_table("What runs here", ("part", "state", "why not"), lines)
    say("choose a backend with: gigaplan plan FILE --backend NAME")
