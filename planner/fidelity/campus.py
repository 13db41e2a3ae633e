"""Real campuses of the library as the catalogue fills them: GPUs, IT power, power at the meter on the design day."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Literal

from planner.fidelity.computation import MEGA, Computation
from planner.fidelity.power import gpus_of, rack_w
from planner.fidelity.reader import Case
from planner.lower.constants import ConstantFlow
from planner.lower.couplings import couple
from planner.lower.draws import draw_of
from planner.lower.existence import epochs
from planner.lower.flow import EpochFlow, PowerFlow
from sites import library
from sites.calendar import quarter_index
from sites.expansion import expand
from sites.faults import Fault, InputError
from sites.loading import load_model
from sites.nearest import unknown
from sites.schema.common import Name, Status
from sites.schema.site import SiteFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.fidelity.reader import Reader
    from sites.catalog.loader import Catalog
    from sites.expansion import SiteGraphs

LAYOUT_SOURCE = "EPOCH-DC"
"""Whom the library follows in how many GPUs of which kind stand in a building."""


@dataclass(frozen=True)
class Racks:
    """Racks of one configuration that stand in a row of a campus."""

    row: str
    configuration: str
    n_racks: int


@cache
def site_file(name: str) -> SiteFile:
    """A site of the library; raises InputError for a name that it does not have."""
    path = library.find_site(name)
    if path is None:
        raise InputError([Fault("public figures", None, name, unknown("site", name, library.site_names()))])
    return load_model(path, SiteFile)


def standing(graphs: SiteGraphs, buildings: tuple[str, ...]) -> Iterator[Racks]:
    """Racks that stand in some buildings of a site, or in all where none is named."""
    for row, fields in graphs.containment.nodes(data=True):
        named = not buildings or fields.get("building_id") in buildings
        if fields["kind"] == "row" and fields["occupied_racks"] and named:
            yield Racks(row, fields["occupied_configuration"], fields["occupied_racks"])


def design_day_meter_w(graphs: SiteGraphs, racks: Mapping[str, Racks], catalog: Catalog) -> Fraction:
    """Power at the meter on the design day: what racks draw through every loss and loop, and what flows regardless.

    Parameters: graphs of a site; racks that stand, by row, one at the least; catalog. What comes into service after the
    last of their rows is left out. Sections 2 and 3 of `docs/model.md`.
    """
    couplings = couple(graphs)
    quarter = max((graphs.containment.nodes[row]["in_service"] for row in racks), key=quarter_index)
    flow = EpochFlow(PowerFlow(graphs.power), epochs(graphs, couplings, (quarter,))[0].power)
    drawn_w: dict[str, Fraction] = {}

    def add(node: str, watts: Fraction) -> None:
        drawn_w[node] = drawn_w.get(node, Fraction(0)) + watts

    for row, one in racks.items():
        draw, coupling = draw_of(catalog.configuration(one.configuration)), couplings[row]
        add(row, Fraction(one.n_racks * draw.it_w))
        for drive in coupling.drives:
            by_air_w = (draw.air_w + draw.support_w) * drive.watts_per_air_watt
            add(drive.node, one.n_racks * (draw.liquid_w * drive.watts_per_liquid_watt + by_air_w))
        if coupling.support is not None:
            add(coupling.support, Fraction(one.n_racks * draw.support_w))
    service = flow.flow.service
    supplies = ((flow.normal[node], watts) for node, watts in drawn_w.items())
    meter_w = sum((watts * one.vector.share(service) for one, watts in supplies if one is not None), Fraction(0))
    return meter_w + ConstantFlow(graphs.power, flow).output_w[service]


class CampusGpus(Computation):
    """GPU packages of the racks that stand in a site of the library."""

    kind: Literal["campus-gpus"]
    site: Name
    buildings: tuple[str, ...] = ()
    """None named: all that racks stand in."""

    @property
    def unit(self) -> str:
        """GPUs."""
        return "GPU"

    def compute(self, reader: Reader) -> Fraction:
        """Racks times GPUs of each."""
        racks = _racks(reader, self.site, self.buildings)
        return sum((one.n_racks * gpus_of(reader, one.configuration) for one in racks), Fraction(0))


class CampusItPower(Computation):
    """IT power of the racks that stand in a site of the library, with their share of the gear outside them."""

    kind: Literal["campus-it-power"]
    site: Name
    buildings: tuple[str, ...] = ()
    """None named: all that racks stand in."""

    @property
    def unit(self) -> str:
        """Megawatts."""
        return "MW"

    def compute(self, reader: Reader) -> Fraction:
        """Racks times sustained and support power."""
        return _it_w(reader, _racks(reader, self.site, self.buildings)) / MEGA


class CampusMeterPower(Computation):
    """Power at the meter of a site of the library on its design day, losses, cooling and house loads included."""

    kind: Literal["campus-meter-power"]
    site: Name

    @property
    def unit(self) -> str:
        """Megawatts."""
        return "MW"

    def compute(self, reader: Reader) -> Fraction:
        """The flow of the model at the racks that stand."""
        return _meter_w(reader, self.site) / MEGA


class CampusPeakFactor(Computation):
    """Power at the meter over IT power of a site of the library on its design day."""

    kind: Literal["campus-peak-factor"]
    site: Name

    @property
    def unit(self) -> str:
        """Watts at the meter for each watt of IT."""
        return "W/W"

    def compute(self, reader: Reader) -> Fraction:
        """Meter over IT."""
        return _meter_w(reader, self.site) / _it_w(reader, _racks(reader, self.site, ()))


def _racks(reader: Reader, site: str, buildings: tuple[str, ...]) -> list[Racks]:
    reader.note(f"layout of {site}", Status.ASSUMPTION, LAYOUT_SOURCE)
    return list(standing(expand(site_file(site), reader.catalog), buildings))


def _it_w(reader: Reader, racks: list[Racks]) -> Fraction:
    return sum((one.n_racks * rack_w(reader, one.configuration, Case.VALUE) for one in racks), Fraction(0))


def _meter_w(reader: Reader, site: str) -> Fraction:
    racks = _racks(reader, site, ())
    _it_w(reader, racks)
    graphs = expand(site_file(site), reader.catalog)
    return design_day_meter_w(graphs, {one.row: one for one in racks}, reader.catalog)
