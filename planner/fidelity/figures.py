"""Public figures and what the catalogue gives for each: the file of them, and one reproduction after the other."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from planner.fidelity.campus import CampusGpus, CampusItPower, CampusMeterPower, CampusPeakFactor
from planner.fidelity.capital import (
    CapitalPerGigawatt,
    FacilityPerWatt,
    ItCapitalPerWatt,
    RackPricePerGpu,
)
from planner.fidelity.fabric import PortSwitches, SwitchBandwidth, TwoTierEndpoints, UnitSwitches
from planner.fidelity.power import (
    Efficiency,
    ElementRating,
    GpusPerGigawatt,
    LeadTime,
    PowerPerGpu,
    RideThrough,
    ScalableUnitPower,
)
from planner.fidelity.rack import FloorLoad, FlowPerKilowatt, PerGpuRatio, RackFlow, RackHeat, RiseAtFlow, TotalOverGpus
from planner.fidelity.reader import Ingredient, Reader
from planner.fidelity.work import RoundGain, ScenarioRatio, SpeedRatio
from planner.fidelity.yearly import CapitalPerYear, CostPerGpuHour, RunningPerYear
from sites import units
from sites.faults import Fault, InputError
from sites.loading import load_document
from sites.nearest import unknown
from sites.schema.common import Model, Name, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.catalog.loader import Catalog
    from sites.loading import Document

TOLERANCE = Fraction(3, 100)
"""How far a figure of ours may lie from the published one without a reason."""
FILE = "figures.yaml"

Power = GpusPerGigawatt | PowerPerGpu | ScalableUnitPower | RideThrough | Efficiency | ElementRating | LeadTime
Rack = TotalOverGpus | PerGpuRatio | RackHeat | FlowPerKilowatt | RackFlow | RiseAtFlow | FloorLoad
Money = (
    CapitalPerGigawatt
    | FacilityPerWatt
    | ItCapitalPerWatt
    | RackPricePerGpu
    | CapitalPerYear
    | RunningPerYear
    | CostPerGpuHour
)
Fabric = UnitSwitches | PortSwitches | TwoTierEndpoints | SwitchBandwidth
Campus = CampusGpus | CampusItPower | CampusMeterPower | CampusPeakFactor
Work = ScenarioRatio | SpeedRatio | RoundGain
Ours = Annotated[Power | Rack | Money | Fabric | Campus | Work, Field(discriminator="kind")]


class PublicFigure(Model):
    """One figure that someone has published, the basis on which it holds, and how ours follows."""

    name: Name
    what: Text
    published: Annotated[tuple[units.Ratio, ...], Field(min_length=1, max_length=2)]
    """The figure, or the lowest and the highest of a range, in the unit of the computation."""
    basis: Text
    """What the source counts, and what it leaves open."""
    source: Text
    """Keys of the catalogue's sources or of this file's, separated by commas."""
    ours: Ours
    outside: Text | None = None
    """Why ours lies more than 3 % off; due exactly then."""

    @model_validator(mode="after")
    def _ascending(self) -> PublicFigure:
        if self.published[0] > self.published[-1]:
            found = ", ".join(f"{float(one):g}" for one in self.published)
            msg = f"found {found}; the lowest of a range comes first"
            raise ValueError(msg)
        return self

    @property
    def source_keys(self) -> tuple[str, ...]:
        """Keys of the sources."""
        return tuple(key.strip() for key in self.source.split(","))


class FigureGroup(Model):
    """Figures of one kind."""

    title: Text
    figures: Annotated[tuple[PublicFigure, ...], Field(min_length=1)]


class FiguresFile(Model):
    """All public figures."""

    format: Annotated[str, Field(pattern=r"^gigaplan-figures/1$")]
    sources: dict[str, Text]
    """Sources that the catalogue does not cite."""
    groups: Annotated[tuple[FigureGroup, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Reproduction:
    """A public figure beside ours."""

    group: str
    figure: PublicFigure
    value: Fraction
    """Ours, in the figure's unit."""
    ingredients: tuple[Ingredient, ...]
    """What of the catalogue it is made of."""

    @property
    def deviation(self) -> Fraction:
        """How far ours lies off, as a share of the published figure; from the nearer end of a range, 0 inside it."""
        nearest = min(max(self.value, self.figure.published[0]), self.figure.published[-1])
        return (self.value - nearest) / nearest if nearest else self.value

    @property
    def holds(self) -> bool:
        """Whether ours lies within 3 %."""
        return abs(self.deviation) <= TOLERANCE

    @property
    def shares_source(self) -> bool:
        """Whether an ingredient cites the source of the figure itself, so that less is proven by it."""
        cited = {key for one in self.ingredients for key in one.sources}
        return bool(cited & set(self.figure.source_keys))


@cache
def figures_document() -> Document[FiguresFile]:
    """The bundled public figures; raises InputError with every fault of the file."""
    content = (resources.files("planner.fidelity") / FILE).read_bytes()
    return load_document(content, FiguresFile, FILE)


def citations(catalog: Catalog) -> dict[str, str]:
    """Citation of every source key that figures may name: the catalogue's and the file's own."""
    return catalog.sources | figures_document().value.sources


def reproduce_all(catalog: Catalog) -> tuple[Reproduction, ...]:
    """Every public figure with ours, in order of the file.

    Raises InputError with every fault: a name used twice, a source that is not cited, an ingredient that is null.
    """
    faults = list(_faults(catalog))
    if faults:
        raise InputError(faults)
    return tuple(
        reproduce(group.title, figure, catalog) for group in figures_document().value.groups for figure in group.figures
    )


def reproduce(group: str, figure: PublicFigure, catalog: Catalog) -> Reproduction:
    """One public figure with ours; raises InputError where the catalogue leaves an ingredient open."""
    reader = Reader(catalog)
    value = figure.ours.compute(reader)
    return Reproduction(group, figure, value, reader.ingredients)


def _faults(catalog: Catalog) -> Iterator[Fault]:
    document = figures_document()
    known, seen = citations(catalog), set[str]()
    for key, citation in document.value.sources.items():
        if catalog.sources.get(key, citation) != citation:
            yield document.fault("the catalogue gives this key another source; rename it here", "sources", key)
    for index, group in enumerate(document.value.groups):
        for position, figure in enumerate(group.figures):
            path = ("groups", index, "figures", position)
            if figure.name in seen:
                yield document.fault(f"'{figure.name}' stands here twice; rename or remove one", *path, "name")
            seen.add(figure.name)
            for key in figure.source_keys:
                if key not in known:
                    yield document.fault(unknown("source key", key, known), *path, "source")
