"""A world at another set-point of its technology loops, as files that a run keeps and anyone can verify.

The set-point of every liquid loop is replaced, and the supply of each plant under one follows at the distance that it
has now, so that the CDUs keep their approach. Nothing else changes: the files are edited in place, value by value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sites.faults import Fault, InputError
from sites.world import World, world_of_files
from sites.yaml_edit import SharedScalarError, with_scalars

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sites.schema.site import SiteFile

LOWEST_DEGC, HIGHEST_DEGC = 5, 70
"""Set-points outside are taken for slips: loops carry water, and no rack is published for more than 50 degC."""
_SET_POINT = re.compile(r"\s*(\d{1,3}(?:\.\d{1,3})?)\s*(?:degC|°C|C)?\s*")


def set_points(text: str) -> tuple[Fraction, ...]:
    """Set-points from text such as `30,40,45`, in degC, ascending.

    Raises ValueError when one is not a number within bounds, or comes twice.
    """
    found: list[Fraction] = []
    for part in text.split(","):
        match = _SET_POINT.fullmatch(part)
        value = Fraction(match.group(1)) if match else None
        if value is None or not LOWEST_DEGC <= value <= HIGHEST_DEGC:
            msg = (
                f"found '{part.strip()}' in '{text}'; due are set-points in degC from {LOWEST_DEGC} to {HIGHEST_DEGC}, "
                "for example 30,40,45"
            )
            raise ValueError(msg)
        if value in found:
            msg = f"found {degc_text(value)} twice in '{text}'; name each set-point once"
            raise ValueError(msg)
        found.append(value)
    return tuple(sorted(found))


def degc_text(value_degc: Fraction) -> str:
    """A set-point as its shortest decimal; it has at most three digits after the point."""
    text = f"{float(value_degc):.3f}".rstrip("0").rstrip(".")
    return text if Fraction(text) == value_degc else str(value_degc)


@dataclass(frozen=True)
class _Supply:
    """One temperature of a site file: where it stands and what it becomes."""

    path: tuple[str | int, ...]
    degc: Fraction


def at_set_point(world: World, set_point_degc: Fraction) -> World:
    """The world with every technology loop at one set-point, checked as if it had been loaded.

    Parameters: world, as loaded; set_point_degc. Raises InputError when no site has a loop, when a value of a site
    file serves two purposes that now differ, or with every fault that the changed files have.
    """
    sites = {f"sites/{one.name}.yaml": one.site for one in world.sites}
    if not any(template.liquid for site in sites.values() for template in site.lineup_templates.values()):
        message = "no lineup of its sites has a liquid loop; there is no set-point to compare"
        raise InputError([Fault(world.portfolio.name, None, "--loop", message)])
    supplies = {name: tuple(_supplies(site, set_point_degc)) for name, site in sites.items()}
    files = tuple(
        replace(file, content=_edited(file.content, file.name, supplies[file.name])) if file.name in supplies else file
        for file in world.files
    )
    changed = _loaded(replace(world, files=files), degc_text(set_point_degc))
    for one in changed.sites:
        name = f"sites/{one.name}.yaml"
        if one.site != _expected(sites[name], supplies[name]):
            raise InputError([_shared_value(name)])
    return changed


def _shared_value(name: str) -> Fault:
    message = (
        "a temperature of a loop or plant is an alias of something else, so that changing it alone is not possible; "
        "write the values out in place of their aliases"
    )
    return Fault(name, None, "supply", message)


def _supplies(site: SiteFile, set_point_degc: Fraction) -> Iterator[_Supply]:
    """What changes in a site file: loops to the set-point, plants by the same distance below as now."""
    for name, template in site.lineup_templates.items():
        if template.liquid is not None:
            yield _Supply(("lineup_templates", name, "liquid", "supply"), set_point_degc)
    for name, building in site.building_templates.items():
        loops = [site.lineup_templates[batch.template].liquid for batch in building.lineups]
        for number, plant in enumerate(building.plants):
            above_k = [loop.supply - plant.supply for loop in loops if loop is not None and loop.plant == plant.name]
            if above_k:
                yield _Supply(("building_templates", name, "plants", number, "supply"), set_point_degc - max(above_k))


def _edited(content: bytes, name: str, supplies: Sequence[_Supply]) -> bytes:
    """A site file with these temperatures in place of its own; everything else stays byte for byte."""
    try:
        return with_scalars(content, {supply.path: f"{degc_text(supply.degc)} degC" for supply in supplies})
    except SharedScalarError:
        raise InputError([_shared_value(name)]) from None


def _expected(site: SiteFile, supplies: Sequence[_Supply]) -> SiteFile:
    """The site with these temperatures and nothing else changed."""
    changed = site
    for supply in supplies:
        changed = _with_value(changed, supply.path, supply.degc)
    return changed


def _with_value(holder: Any, path: Sequence[str | int], value: Fraction) -> Any:
    """A copy of a model, mapping or tuple with one value below it replaced."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(holder, dict):
        return holder | {step: _with_value(holder[step], rest, value)}
    if isinstance(holder, tuple):
        return tuple(_with_value(one, rest, value) if place == step else one for place, one in enumerate(holder))
    return holder.model_copy(update={step: _with_value(getattr(holder, str(step)), rest, value)})


def _loaded(world: World, set_point: str) -> World:
    """Load changed files as those of a run are; faults name the file and the set-point."""
    try:
        return world_of_files(world.files)
    except InputError as error:
        faults = [
            Fault(f"{fault.file} at {set_point} degC", fault.line, fault.key, fault.message) for fault in error.faults
        ]
        raise InputError(faults) from None
