"""Every assumed or estimated figure that a plan rests on, with its source."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from planner.report.words import quantity
from sites.schema.common import CapacityStep, Provenance, QuarterRange, Sourced, Status
from sites.schema.portfolio import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sites.world import World

_UNFIRM = {Status.ASSUMPTION, Status.ESTIMATE}
_LONGEST = 220


@dataclass(frozen=True)
class Assumption:
    """One figure, or one part of a file with its figures."""

    where: str
    figures: str
    status: str
    source: str
    note: str


@dataclass(frozen=True)
class AssumptionGroup:
    """The assumed and estimated figures of one file or catalogue entry, and how many are firmer."""

    title: str
    entries: tuple[Assumption, ...]
    n_firm: int


def assumption_groups(world: World, used_equipment: Mapping[str, BaseModel]) -> tuple[AssumptionGroup, ...]:
    """Assumed and estimated figures of the portfolio, of every site, and of the catalogue entries that the plan uses.

    Parameters: world; used_equipment, catalogue entries by title.
    """
    portfolio = _group(f"Portfolio {world.portfolio.name}", world.portfolio, world.catalog.sources)
    sites = [_group(f"Site {one.name}", one.site, world.catalog.sources) for one in world.sites]
    entries = [_group(title, entry, world.catalog.sources) for title, entry in used_equipment.items()]
    return tuple(group for group in (portfolio, *sites, *entries) if group.entries)


def figures(entry: BaseModel, sources: Mapping[str, str]) -> Iterator[Assumption]:
    """Every figure of a catalogue entry or file, firm ones included, with its source spelt out.

    Parameters: entry; sources, citation of each source key.
    """
    return _figures(entry, "", sources)


def _group(title: str, model: BaseModel, sources: Mapping[str, str]) -> AssumptionGroup:
    found = list(_figures(model, "", sources))
    unfirm = tuple(entry for entry in found if entry.status in _UNFIRM)
    return AssumptionGroup(title, unfirm, len(found) - len(unfirm))


def _figures(model: BaseModel, where: str, sources: Mapping[str, str]) -> Iterator[Assumption]:
    """Figures below a model, depth first in order of the file."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        path = f"{where}.{name}" if where else name
        if isinstance(value, Provenance):
            yield _of_part(model, name, where, value)
        elif isinstance(value, Sourced):
            yield _of_figure(model, name, path, value, sources)
        elif isinstance(value, BaseModel):
            yield from _figures(value, path, sources)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, BaseModel):
                    yield from _figures(item, f"{path}[{_label(item, index)}]", sources)
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, BaseModel):
                    yield from _figures(item, f"{path}.{key}", sources)


def _label(item: BaseModel, index: int) -> str:
    for key in ("name", "site", "system"):
        text = getattr(item, key, None)
        if isinstance(text, str):
            return text
    return str(index)


def _of_part(model: BaseModel, name: str, where: str, provenance: Provenance) -> Assumption:
    """A part of a file under one provenance; `energy_price_provenance` speaks of `energy_price` alone."""
    stem = name.removesuffix("_provenance")
    if stem != name:
        figures = _shown(model, stem)
        path = f"{where}.{stem}" if where else stem
    else:
        keys = [key for key in type(model).model_fields if key not in {"name", "site", "system", name}]
        figures = "; ".join(text for key in keys if (text := _shown(model, key)))
        path = where
    short = figures if len(figures) <= _LONGEST else figures[: _LONGEST - 1].rstrip() + "…"
    return Assumption(path, short, str(provenance.status), provenance.source, provenance.note or "")


def _of_figure(model: BaseModel, name: str, path: str, figure: Sourced[Any], sources: Mapping[str, str]) -> Assumption:
    dumped = model.model_dump(include={name}, mode="json")[name]
    value, low, high = (None if dumped[k] is None else quantity(str(dumped[k])) for k in ("value", "low", "high"))
    shown = value or "unknown"
    ranged = shown if low is None and high is None else f"{shown} ({low or '–'} to {high or '–'})"
    keys = [key.strip() for key in figure.source.split(",")]
    cited = "; ".join(sources[key] for key in keys) if all(key in sources for key in keys) else figure.source
    return Assumption(path, ranged, str(figure.status), cited, figure.note or figure.reason or "")


def _shown(model: BaseModel, key: str) -> str:
    """`key value` of a plain field, empty for nested parts, which speak for themselves."""
    value = getattr(model, key)
    word = key.replace("_", " ")
    if value is None or value == ():
        return ""
    if isinstance(value, (str, int, float, Fraction)):
        return f"{word} {quantity(str(model.model_dump(include={key}, mode='json')[key]))}"
    if isinstance(value, QuarterRange):
        return f"{word} {value.low} to {value.high}, mode {value.mode}"
    if isinstance(value, tuple) and all(isinstance(item, CapacityStep) for item in value):
        dumped = model.model_dump(include={key}, mode="json")[key]
        return f"{word} " + ", ".join(f"{quantity(item['capacity'])} from {item['start']}" for item in dumped)
    if isinstance(value, tuple) and all(isinstance(item, Delivery) for item in value):
        return f"{word} " + ", ".join(f"{item.racks} in {item.quarter}" for item in value)
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        return f"{word} {', '.join(value)}"
    return ""
