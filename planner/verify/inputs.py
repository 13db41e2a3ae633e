"""Read a run folder: plan, certificate, manifest, and the world that its input files describe."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.verify.report import Check, check_of
from sites.expansion import expand
from sites.faults import InputError
from sites.world import input_hash, load_world_from_inputs

if TYPE_CHECKING:
    from pathlib import Path

    from sites.expansion import SiteGraphs
    from sites.world import World

PLAN_FORMAT = "gigaplan-plan/1"
CERTIFICATE_FORMAT = "gigaplan-certificate/1"


class UnreadableRunError(Exception):
    """A file of the run is missing or malformed, so that nothing can be checked."""


@dataclass(frozen=True)
class Run:
    """Everything that verification reads."""

    plan: dict[str, Any]
    certificate: dict[str, Any]
    manifest: dict[str, Any]
    world: World
    graphs: dict[str, SiteGraphs]
    """By site name, in order of the portfolio."""


def read_run(directory: Path) -> Run:
    """Read a run folder and expand its sites.

    Parameters: directory, as `gigaplan plan` wrote it. Raises UnreadableRunError with the file at fault.
    """
    try:
        world = load_world_from_inputs(directory / "inputs")
        graphs = {one.name: expand(one.site, world.catalog) for one in world.sites}
    except InputError as error:
        msg = f"the inputs of the run are faulty: {error}"
        raise UnreadableRunError(msg) from None
    plan = _read(directory / "plan.json", PLAN_FORMAT)
    _require_shape(plan)
    return Run(
        plan=plan,
        certificate=_read(directory / "certificate.json", CERTIFICATE_FORMAT),
        manifest=_read(directory / "manifest.json", None),
        world=world,
        graphs=graphs,
    )


def read_certificate(directory: Path, name: str) -> dict[str, Any]:
    """A further certificate of a run; raises UnreadableRunError where it cannot be read."""
    return _read(directory / name, CERTIFICATE_FORMAT)


def _read(path: Path, expected_format: str | None) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (OSError, ValueError, RecursionError) as error:
        msg = f"'{path.name}' cannot be read: {error}"
        raise UnreadableRunError(msg) from None
    if not isinstance(content, dict):
        msg = f"'{path.name}' must hold an object, found {type(content).__name__}"
        raise UnreadableRunError(msg)
    if expected_format is not None and content.get("format") != expected_format:
        msg = f"'{path.name}' has format {content.get('format')!r}; '{expected_format}' is due"
        raise UnreadableRunError(msg)
    return content


_LISTS: dict[str, dict[str, type]] = {
    "placements": {},
    "totals": {"period": str, "racks": dict, "meter_w": dict, "plan_meter_w": dict},
    "units": {"site": str, "block": str, "system": str, "period": str, "n_units": int},
    "failures": {"site": str, "element": str},
    "binding": {"limit": str, "periods": list},
    "ineligible": {"site": str, "configuration": str, "n_rows": int},
    "service": {"hours": int, "units": int},
}
"""Lists of `plan.json` and what the entries of each must hold; placements are read one by one."""
_OPTIONAL = frozenset({"service"})
"""Lists of which a plan that has nothing to say there may leave out the key."""
_OBJECTS = ("cash", "books", "served")
"""Objects of `plan.json` that the checks of their own miss where they are left out."""


def _require_shape(plan: dict[str, Any]) -> None:
    """Refuse lists and entries of another type than section 9 of the model gives them."""
    for key, fields in _LISTS.items():
        entries = plan.get(key, [] if key in _OPTIONAL else None)
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            msg = f"'plan.json': '{key}' must be a list of objects"
            raise UnreadableRunError(msg)
        for number, entry in enumerate(entries):
            for field, kind in fields.items():
                if not isinstance(entry.get(field), kind):
                    msg = f"'plan.json': '{field}' of {key} {number} must be of type {kind.__name__}"
                    raise UnreadableRunError(msg)
    for key in ("money", *(one for one in _OBJECTS if one in plan)):
        if not isinstance(plan.get(key), dict):
            msg = f"'plan.json': '{key}' must be an object"
            raise UnreadableRunError(msg)
    tiers = plan.get("served", {}).get("tiers", [])
    if not isinstance(tiers, list) or not all(isinstance(tier, dict) for tier in tiers):
        msg = "'plan.json': 'tiers' of 'served' must be a list of objects"
        raise UnreadableRunError(msg)


def _no_constant(text: str) -> float:
    msg = f"{text} is no number of a plan"
    raise ValueError(msg)


def check_hashes(directory: Path, run: Run) -> Check:
    """Every input file has the hash that the manifest states, and the manifest names every file."""
    listed = run.manifest.get("inputs")
    if not isinstance(listed, list):
        return Check("inputs", False, "manifest.json lists no input files")
    faults = []
    stated = {str(entry.get("name")): entry.get("sha256") for entry in listed if isinstance(entry, dict)}
    named = set(stated)
    used = {file.name for file in run.world.files}
    faults += [f"'{name}' is used but not in the manifest" for name in sorted(used - named)]
    faults += [f"'{name}' is in the manifest but not used" for name in sorted(named - used)]
    for name in sorted(used & named):
        found = hashlib.sha256((directory / "inputs" / name).read_bytes()).hexdigest()
        if found != stated[name]:
            faults.append(f"'{name}' has sha256 {found[:16]}…, the manifest states {str(stated[name])[:16]}…")
    if run.manifest.get("input_hash") != input_hash(run.world):
        faults.append("the joint hash of the inputs is not the manifest's 'input_hash'")
    return check_of("inputs", faults, f"{len(used)} input files have the hashes of the manifest")
