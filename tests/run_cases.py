"""Small runs that tests of the folder, the report and the command line share."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING

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


def rehash(folder: Path) -> None:
    """Make the manifest of a run fit its changed inputs, as a careful forger would."""
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    for entry in manifest["inputs"]:
        entry["sha256"] = hashlib.sha256((folder / "inputs" / entry["name"]).read_bytes()).hexdigest()
    manifest["input_hash"] = input_hash(load_world_from_inputs(folder / "inputs"))
    file.write_text(json.dumps(manifest), encoding="utf-8")
