"""Small runs that tests of the folder, the report and the command line share."""

from __future__ import annotations

import hashlib
import json
import shutil
from functools import cache
from typing import TYPE_CHECKING, Any

from planner.lower import lower
from planner.run.create import RunRequest, create_run
from planner.solve.options import SolveOptions
from planner.solve.solve import solve
from sites.world import input_hash, load_world, load_world_from_inputs

if TYPE_CHECKING:
    from pathlib import Path

    from planner.lower.lowered import Lowered
    from planner.run.create import Run
    from planner.solve.solve import Solution
    from sites.world import World

OPTIONS = SolveOptions(work_limit=2_000)


@cache
def world_of(name: str) -> World:
    """A library world."""
    return load_world(name)


@cache
def lowered_of(name: str) -> Lowered:
    """Its problem."""
    return lower(world_of(name))


@cache
def solution_of(name: str) -> Solution:
    """A plan of it."""
    return solve(lowered_of(name).problem, OPTIONS)


def make_run(name: str, out: Path) -> Run:
    """A whole run of a library world."""
    return create_run(world_of(name), RunRequest(out, OPTIONS), lambda _: None)


def with_one_more(run: Path, folder: Path, *place: str | int) -> Path:
    """A copy of a run whose document states one more at a place.

    Parameters: run; folder, where the copy goes; place, keys of `plan.json` from the outermost on.
    """
    shutil.copytree(run, folder)
    file = folder / "plan.json"
    content: Any = json.loads(file.read_text(encoding="utf-8"))
    at = content
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] += 1
    file.write_text(json.dumps(content), encoding="utf-8")
    return folder


def rehash(folder: Path) -> None:
    """Make the manifest of a run fit its changed inputs, as a careful forger would."""
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    for entry in manifest["inputs"]:
        entry["sha256"] = hashlib.sha256((folder / "inputs" / entry["name"]).read_bytes()).hexdigest()
    manifest["input_hash"] = input_hash(load_world_from_inputs(folder / "inputs"))
    file.write_text(json.dumps(manifest), encoding="utf-8")
